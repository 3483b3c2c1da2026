/** JSON that is a table of a million small things: each is parsed by itself as it comes in, the whole is never held. */
import { parseJson, readAnswer, UnexpectedOutput } from './answer';
import type { ExecOptions, ExecResult, Host } from './host';
import { OUTPUT_LIMIT_BYTES, streamed } from './output';

const DEPTH_LIMIT = 200;
/** One of the small things. */
const ITEM_LIMIT_CHARS = 2 * 1024 * 1024;
/** The name of a list is shorter. */
const NAME_LIMIT_CHARS = 100;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);

/** Takes a text in pieces. @throws UnexpectedOutput, both, for what can't be read */
export interface TextReader {
  write(text: string): void;
  end(): void;
}

/** What the outermost value must be: a list of objects and nothing else, or an object of which one member is looked at. */
export type JsonForm = 'list' | { readonly of: string };

/** `take` gets every object and array that stands `level` levels deep; 0 is the document itself. */
export class JsonItems implements TextReader {
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #item = '';
  #isBegun = false;
  /** The last text at the outermost level: the name of what opens next. */
  #name = '';
  #isWanted: boolean;
  readonly #of: string | undefined;

  constructor(
    private readonly level: number,
    private readonly take: (item: unknown) => void,
    private readonly form?: JsonForm,
  ) {
    this.#of = typeof form === 'object' ? form.of : undefined;
    this.#isWanted = this.#of === undefined;
  }

  /** @throws UnexpectedOutput for text that isn't JSON */
  write(text: string): void {
    let from = this.#depth > this.level && this.#isWanted ? 0 : -1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === BACKSLASH) this.#isEscaped = true;
        else if (code === QUOTE) this.#inString = false;
        if (this.#inString && this.#depth === 1 && this.#name.length < NAME_LIMIT_CHARS) this.#name += text[i];
      } else if (code === QUOTE) {
        this.#inString = true;
        if (this.#depth === 1) this.#name = '';
        if (this.#depth <= 1) this.#between(code);
      } else if (OPENING.has(code)) {
        if (this.#depth === 0) this.#outermost(code);
        this.#isBegun = true;
        if (this.#of !== undefined && this.#depth === 1) this.#isWanted = this.#name === this.#of;
        if (this.#depth === this.level && this.#isWanted) from = i;
        if (++this.#depth > DEPTH_LIMIT) throw new UnexpectedOutput(`nested more than ${DEPTH_LIMIT} deep`);
      } else if (CLOSING.has(code)) {
        if (--this.#depth < 0) throw new UnexpectedOutput('it closes what wasn’t opened');
        if (this.#depth !== this.level || from < 0) continue;
        this.take(parseJson(this.#item + text.slice(from, i + 1)));
        this.#item = '';
        from = -1;
      } else if (this.#depth <= 1) this.#between(code);
    }
    if (from < 0) return;
    this.#item += text.slice(from);
    if (this.#item.length > ITEM_LIMIT_CHARS)
      throw new UnexpectedOutput(`an item of more than ${ITEM_LIMIT_CHARS} characters`);
  }

  #outermost(code: number): void {
    if (this.form === undefined) return;
    const wanted = this.form === 'list' ? '[' : '{';
    if (this.#isBegun) throw new UnexpectedOutput('more than one JSON document');
    if (String.fromCharCode(code) !== wanted)
      throw new UnexpectedOutput(`JSON that isn’t ${this.form === 'list' ? 'a list' : 'an object'}`);
  }

  /** What stands outside of the outermost value, or in a list beside its objects. */
  #between(code: number): void {
    if (this.form === undefined || SPACE.has(code)) return;
    if (this.#depth === 0) throw new UnexpectedOutput(`not JSON: it has ${JSON.stringify(String.fromCharCode(code))}`);
    if (this.form === 'list' && code !== COMMA) throw new UnexpectedOutput('JSON that isn’t a list of objects');
  }

  /** @throws UnexpectedOutput if it isn’t whole, or was no object and no array */
  end(): void {
    if (!this.#isBegun || this.#depth > 0 || this.#inString) throw new UnexpectedOutput('it isn’t whole');
  }
}

/** What of an answer is shown to people, and what a program says instead of one. */
const BEGINNING_CHARS = 4_096;

export interface ReadInto {
  readonly result: ExecResult;
  readonly beginning: string;
  /** Ends the reading. @throws UnexpectedOutput for what can't be read */
  readonly end: () => void;
}

/**
 * Runs a command whose answer may be large, and reads it as it comes in. What can't be read is said by `end`, for the exit code
 * may say more; of such an answer no more than a little is taken.
 */
export async function readInto(
  host: Pick<Host, 'name' | 'exec'>,
  command: readonly string[],
  { expected, ...options }: Omit<ExecOptions, 'onStdout'> & { readonly expected: string },
  reader: TextReader,
): Promise<ReadInto> {
  let fault: { readonly error: unknown } | undefined;
  let beginning = '';
  let unreadChars = 0;
  const fail = (): never => {
    throw fault?.error;
  };
  const result = await streamed(host, command, options, (text) => {
    if (beginning.length < BEGINNING_CHARS) beginning += text.slice(0, BEGINNING_CHARS);
    if (fault !== undefined) {
      unreadChars += text.length;
      if (unreadChars > OUTPUT_LIMIT_BYTES) readAnswer({ host: host.name, command, expected }, fail);
      return;
    }
    try {
      reader.write(text);
    } catch (error) {
      fault = { error };
    }
  });
  return { result, beginning, end: () => (fault === undefined ? reader.end() : fail()) };
}

/** The items of a command's answer in JSON, taken as they come in. @throws as readAnswer; CommandFailed for its exit code */
export async function readItems(
  host: Pick<Host, 'name' | 'exec'>,
  command: readonly string[],
  options: Omit<ExecOptions, 'onStdout'> & {
    readonly expected: string;
    /** Nothing printed is nothing to read. */
    readonly mayBeEmpty?: boolean;
  },
  items: JsonItems,
): Promise<void> {
  const { mayBeEmpty = false, ...rest } = options;
  const { beginning, end } = await readInto(host, command, rest, items);
  readAnswer({ host: host.name, command, expected: options.expected }, () => {
    if (!mayBeEmpty || beginning.trim() !== '') end();
  });
}
