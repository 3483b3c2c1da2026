/** JSON that is a table of a million small things: each is parsed by itself as it comes in, the whole is never held. */
import { parseJson, UnexpectedOutput } from './answer';

const DEPTH_LIMIT = 200;
/** One of the small things. */
const ITEM_LIMIT_CHARS = 1024 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);

/** `take` gets every object and array that stands `level` levels deep; 0 is the document itself. */
export class JsonItems {
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #item = '';
  #isBegun = false;

  constructor(
    private readonly level: number,
    private readonly take: (item: unknown) => void,
  ) {}

  /** @throws UnexpectedOutput for text that isn't JSON */
  write(text: string): void {
    let from = this.#depth > this.level ? 0 : -1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === BACKSLASH) this.#isEscaped = true;
        else if (code === QUOTE) this.#inString = false;
      } else if (code === QUOTE) this.#inString = true;
      else if (OPENING.has(code)) {
        this.#isBegun = true;
        if (this.#depth === this.level) from = i;
        if (++this.#depth > DEPTH_LIMIT) throw new UnexpectedOutput(`nested more than ${DEPTH_LIMIT} deep`);
      } else if (CLOSING.has(code)) {
        if (--this.#depth < 0) throw new UnexpectedOutput('it closes what wasn’t opened');
        if (this.#depth !== this.level || from < 0) continue;
        this.take(parseJson(this.#item + text.slice(from, i + 1)));
        this.#item = '';
        from = -1;
      }
    }
    if (from < 0) return;
    this.#item += text.slice(from);
    if (this.#item.length > ITEM_LIMIT_CHARS)
      throw new UnexpectedOutput(`an item of more than ${ITEM_LIMIT_CHARS} characters`);
  }

  /** @throws UnexpectedOutput if it isn’t whole, or was no object and no array */
  end(): void {
    if (!this.#isBegun || this.#depth > 0 || this.#inString) throw new UnexpectedOutput('it isn’t whole');
  }
}
