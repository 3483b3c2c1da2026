/** What is kept of a result while it comes in: all of it as a tree, some places of it, or entries one by one. */
import { XmlElement, XmlText } from '@rgrove/parse-xml';
import { XmlLimit, type Attributes, type XmlHandler } from './xml-stream';

/** A tree of more is a table, which must be read entry by entry, or by the places that matter. */
export const NODE_LIMIT = 100_000;
const NODE_LIMIT_OF_PLACES = 250_000;
/** Text of one element. */
const TEXT_LIMIT_CHARS = 16 * 1024 * 1024;

export interface Collector<T> extends XmlHandler {
  result(): T;
}

/** A way to read a result. Two of one key give the same. */
export interface Shape<T> {
  readonly key: string;
  begin(): Collector<T>;
}

/** Gets the inside of `path`; what is outside is for `outside`. */
export class Divert implements XmlHandler {
  readonly #path: readonly string[];
  #depth = 0;
  /** How many names of the path are open, from the outermost. */
  #matched = 0;

  constructor(
    path: string,
    private readonly inside: XmlHandler,
    private readonly outside?: XmlHandler,
  ) {
    this.#path = path.split('/');
  }

  open(name: string, attributes: Attributes): void {
    const isInside = this.#matched === this.#path.length;
    if (!isInside && this.#depth === this.#matched && name === this.#path[this.#matched]) this.#matched++;
    this.#depth++;
    (isInside ? this.inside : this.outside)?.open(name, attributes);
  }

  text(text: string): void {
    (this.#matched === this.#path.length ? this.inside : this.outside)?.text(text);
  }

  close(name: string): void {
    this.#depth--;
    const wasInside = this.#matched === this.#path.length && this.#depth >= this.#path.length;
    if (!wasInside && this.#depth < this.#matched) this.#matched = this.#depth;
    (wasInside ? this.inside : this.outside)?.close(name);
  }
}

/** Builds elements. `take` gets each that is closed at the outermost level. */
class Builder implements XmlHandler {
  readonly #open: XmlElement[] = [];
  #texts: string[] = [];
  #textChars = 0;
  nodes = 0;

  constructor(
    private readonly take: (element: XmlElement) => void,
    private readonly limit: number = NODE_LIMIT,
  ) {}

  open(name: string, attributes: Attributes): void {
    this.#endText();
    this.#count();
    this.#open.push(new XmlElement(name, { ...attributes }));
  }

  text(text: string): void {
    if (this.#open.length === 0) return;
    this.#textChars += text.length;
    if (this.#textChars > TEXT_LIMIT_CHARS) throw new XmlLimit(`a text of more than ${TEXT_LIMIT_CHARS} characters`);
    this.#texts.push(text);
    // A device that sends a character a time must not make a list of a million of them.
    if (this.#texts.length > 1_000) this.#texts = [this.#texts.join('')];
  }

  close(): void {
    this.#endText();
    const element = this.#open.pop();
    if (element === undefined) return;
    const parent = this.#open.at(-1);
    if (parent === undefined) this.take(element);
    else parent.children.push(element);
  }

  #endText(): void {
    if (this.#texts.length === 0) return;
    this.#count();
    this.#open.at(-1)?.children.push(new XmlText(this.#texts.join('')));
    this.#texts = [];
    this.#textChars = 0;
  }

  #count(): void {
    if (++this.nodes > this.limit) throw new XmlLimit(`it has more than ${this.limit} elements and texts`);
  }
}

/** The whole tree below an element of this name. */
export function treeOf(name: string, limit: number = NODE_LIMIT): Collector<XmlElement> {
  let tree = new XmlElement(name);
  const builder = new Builder((element) => (tree = element), limit);
  builder.open(name, {});
  return {
    open: (child, attributes) => builder.open(child, attributes),
    text: (text) => builder.text(text),
    close: () => builder.close(),
    result: () => {
      builder.close();
      return tree;
    },
  };
}

/** The whole result. */
export const wholeTree: Shape<XmlElement> = { key: 'tree', begin: () => treeOf('result') };

/** Of a result only what stands at these paths below it, with the way there. */
export const onlyAt = (paths: readonly string[]): Shape<XmlElement> => ({
  key: `only ${paths.join(' ')}`,
  begin() {
    const tree = treeOf('result', NODE_LIMIT_OF_PLACES);
    const wanted = paths.map((path) => path.split('/'));
    const way: string[] = [];
    /** Depth at which an element was left out, with all in it. */
    let leftOutAt: number | undefined;
    const isWanted = (): boolean =>
      wanted.some((path) => way.every((name, depth) => depth >= path.length || path[depth] === name));
    const isKept = (): boolean => wanted.some((path) => path.length <= way.length);
    return {
      open(name, attributes) {
        way.push(name);
        if (leftOutAt === undefined && !isWanted()) leftOutAt = way.length;
        if (leftOutAt === undefined) tree.open(name, attributes);
      },
      text(text) {
        if (leftOutAt === undefined && isKept()) tree.text(text);
      },
      close(name) {
        if (leftOutAt === undefined) tree.close(name);
        else if (leftOutAt === way.length) leftOutAt = undefined;
        way.pop();
      },
      result: () => tree.result(),
    };
  },
});

/** Entries at a path below the result, one by one: a table of a million is never held. */
export const eachAt = <T>(
  key: string,
  path: string,
  begin: () => { readonly take: (entry: XmlElement) => void; result(): T },
): Shape<T> => ({
  key,
  begin() {
    const table = begin();
    const builder = new Builder((entry) => {
      builder.nodes = 0;
      table.take(entry);
    });
    const parent = path.split('/').slice(0, -1).join('/');
    const name = path.split('/').at(-1);
    let depth = 0;
    let taken = false;
    const entries: XmlHandler = {
      open(child, attributes) {
        if (depth++ === 0) taken = child === name;
        if (taken) builder.open(child, attributes);
      },
      text: (text) => {
        if (taken && depth > 0) builder.text(text);
      },
      close() {
        depth--;
        if (taken) builder.close();
      },
    };
    const handler = parent === '' ? entries : new Divert(parent, entries);
    return {
      open: (child, attributes) => handler.open(child, attributes),
      text: (text) => handler.text(text),
      close: (child) => handler.close(child),
      result: () => table.result(),
    };
  },
});
