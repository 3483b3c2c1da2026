/**
 * Reads XML as it comes in, piece by piece: no document is held, none is nested too deep, and no piece holds the event loop.
 * For what devices answer: elements, attributes, text, CDATA, comments; no document types, so no entities of their own.
 */

/** Configurations are nested some thirty deep. */
export const DEPTH_LIMIT = 200;
/** A tag or an entity that is longer is none. */
const TAG_LIMIT_CHARS = 64 * 1024;
const SHOWN_CHARS = 40;
const ENTITY_LIMIT_CHARS = 12;

export type Attributes = Readonly<Record<string, string>>;

export interface XmlHandler {
  open(name: string, attributes: Attributes): void;
  /** In one piece or several. */
  text(text: string): void;
  close(name: string): void;
}

/** A limit that a document exceeds; reading it again won't help. */
export class XmlLimit extends Error {
  override readonly name = 'XmlLimit';
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decoded(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&\s]{0,12});?/g, (whole, name: string) => {
    const known = ENTITIES[name];
    if (known !== undefined && whole.endsWith(';')) return known;
    const code = /^#x([0-9a-f]{1,6})$/i.exec(name)?.[1] ?? '';
    const point = code === '' ? Number(/^#(\d{1,7})$/.exec(name)?.[1] ?? NaN) : Number.parseInt(code, 16);
    if (!whole.endsWith(';') || !(point >= 1 && point <= 0x10ffff)) throw new Error(`${whole} is no entity`);
    return String.fromCodePoint(point);
  });
}

const ATTRIBUTE = /\s+([^\s=/>"'<]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const NAME = /[^\s/>="'<!?&]+/y;

/** A tag that hasn't come in wholly. However small its pieces are, each is looked at once. */
interface Tag {
  readonly pieces: string[];
  chars: number;
  /** That is open at the end of the last piece; "" if none is. */
  quote: string;
}

export class XmlStream {
  /** A few characters, which mean something together with the next ones. */
  #rest = '';
  #tag: Tag | undefined;
  #isBegun = false;
  #isOver = false;
  /** What ends the comment, CDATA or instruction that it is in. */
  #within: '-->' | ']]>' | '?>' | undefined;
  readonly #open: string[] = [];

  constructor(private readonly handler: XmlHandler) {}

  /** @throws Error for text that isn't well-formed; XmlLimit */
  write(chunk: string): void {
    const tag = this.#tag;
    if (tag === undefined) return this.#read(this.#rest + chunk, 0);
    const { end, quote } = endOfTag(chunk, 0, tag.quote);
    if (end === undefined) return this.#hold(tag, chunk, quote);
    this.#tag = undefined;
    const text = tag.pieces.join('') + chunk.slice(0, end + 1);
    this.#tagged(text, 0, text.length - 1);
    this.#read(chunk, end + 1);
  }

  /** @throws Error if the document isn't whole */
  end(): void {
    const rest = this.#tag?.pieces.join('') ?? this.#rest;
    if (this.#within !== undefined || rest.trim() !== '')
      throw new Error(`it ends within ${JSON.stringify(rest.slice(0, SHOWN_CHARS))}`);
    if (!this.#isBegun) throw new Error('a document without an element');
    const open = this.#open.at(-1);
    if (open !== undefined) throw new Error(`it ends within <${open}>`);
  }

  #read(text: string, begin: number): void {
    let from = begin;
    while (from < text.length) {
      const to =
        this.#within !== undefined
          ? this.#inside(text, from, this.#within)
          : text.charCodeAt(from) === 60
            ? this.#markup(text, from)
            : this.#text(text, from);
      if (to === undefined) break;
      from = to;
    }
    this.#rest = text.slice(from);
  }

  #hold(tag: Tag, piece: string, quote: string): void {
    tag.pieces.push(piece);
    tag.chars += piece.length;
    tag.quote = quote;
    if (tag.chars > TAG_LIMIT_CHARS) throw tooLong();
  }

  /** Where what follows begins; undefined if more must come in first. */
  #text(text: string, from: number): number | undefined {
    let to = text.indexOf('<', from);
    if (to < 0) {
      to = text.length;
      // An entity, or a line break of two characters, may go on in the next piece.
      const entity = text.lastIndexOf('&');
      if (entity >= from && to - entity <= ENTITY_LIMIT_CHARS && !text.includes(';', entity)) to = entity;
      else if (text.charCodeAt(to - 1) === 13) to--;
      if (to === from) return undefined;
    }
    const part = text.slice(from, to).replace(/\r\n?/g, '\n');
    if (this.#open.length > 0) this.handler.text(decoded(part));
    else if (part.replace('\uFEFF', '').trim() !== '')
      throw new Error(`text outside of an element: ${JSON.stringify(part.trim().slice(0, 40))}`);
    return to;
  }

  #markup(text: string, from: number): number | undefined {
    const sign = text[from + 1];
    if (sign === undefined) return undefined;
    if (sign === '!') return this.#special(text, from);
    if (sign === '?') {
      this.#within = '?>';
      return from + 2;
    }
    const { end, quote } = endOfTag(text, from + 1, '');
    if (end === undefined) {
      this.#hold((this.#tag = { pieces: [], chars: 0, quote }), text.slice(from), quote);
      return text.length;
    }
    this.#tagged(text, from, end);
    return end + 1;
  }

  #tagged(text: string, from: number, end: number): void {
    if (end - from > TAG_LIMIT_CHARS) throw tooLong();
    if (text[from + 1] === '/') this.#close(text.slice(from + 2, end).trimEnd());
    else this.#opened(text, from + 1, end);
  }

  /** In a comment, CDATA or instruction; none of it is held. */
  #inside(text: string, from: number, end: '-->' | ']]>' | '?>'): number | undefined {
    const at = text.indexOf(end, from);
    // The end itself may be cut in two.
    const to = at < 0 ? text.length - end.length + 1 : at;
    if (end === ']]>' && to > from) this.handler.text(text.slice(from, to).replace(/\r\n?/g, '\n'));
    if (at < 0) return to > from ? to : undefined;
    this.#within = undefined;
    return at + end.length;
  }

  #special(text: string, from: number): number | undefined {
    if (text.startsWith('<!--', from)) {
      this.#within = '-->';
      return from + 4;
    }
    if (text.startsWith('<![CDATA[', from)) {
      if (this.#open.length === 0) throw new Error('text outside of an element');
      this.#within = ']]>';
      return from + 9;
    }
    // It may be the beginning of one of these.
    if (text.length - from < 9) return undefined;
    throw new Error(`${text.slice(from, from + 9)}… isn’t expected here`);
  }

  #opened(text: string, from: number, end: number): void {
    NAME.lastIndex = from;
    const name = NAME.exec(text)?.[0];
    if (name === undefined) throw new Error(`<${text.slice(from, Math.min(end, from + 40))}> is no tag`);
    if (this.#isOver) throw new Error(`a second element, <${name}>`);
    let at = from + name.length;
    let attributes: Record<string, string> | undefined;
    ATTRIBUTE.lastIndex = at;
    for (let match = ATTRIBUTE.exec(text); match !== null; match = ATTRIBUTE.exec(text)) {
      attributes ??= {};
      attributes[match[1] ?? ''] = decoded(match[2] ?? match[3] ?? '').replace(/[\t\n\r]/g, ' ');
      at = ATTRIBUTE.lastIndex;
    }
    const rest = text.slice(at, end).trim();
    if (rest !== '' && rest !== '/')
      throw new Error(`<${name} …> isn’t well-formed at ${JSON.stringify(rest.slice(0, 40))}`);
    if (this.#open.length >= DEPTH_LIMIT) throw new XmlLimit(`it is nested more than ${DEPTH_LIMIT} deep`);
    this.#isBegun = true;
    this.#open.push(name);
    this.handler.open(name, attributes ?? {});
    if (rest === '/') this.#close(name);
  }

  #close(name: string): void {
    const open = this.#open.pop();
    if (open !== name)
      throw new Error(`</${name.slice(0, 40)}> closes ${open === undefined ? 'nothing' : `<${open}>`}`);
    this.handler.close(name);
    if (this.#open.length === 0) this.#isOver = true;
  }
}

const tooLong = (): Error => new Error(`a tag of more than ${TAG_LIMIT_CHARS} characters`);

const SIGN = /["'>]/g;

/** Position of the `>` of a tag, undefined if it hasn't come in yet: not one within quotes, of which one may be open before. */
function endOfTag(text: string, from: number, before: string): { readonly end?: number; readonly quote: string } {
  let quote = before;
  for (let at = from; ;) {
    if (quote !== '') {
      const close = text.indexOf(quote, at);
      if (close < 0) return { quote };
      at = close + 1;
      quote = '';
    }
    SIGN.lastIndex = at;
    const sign = SIGN.exec(text);
    if (sign === null) return { quote };
    if (sign[0] === '>') return { end: sign.index, quote };
    quote = sign[0];
    at = sign.index + 1;
  }
}
