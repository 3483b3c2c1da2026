/**
 * How many steps a backtracking matcher takes for a regular expression: what V8's own does, without its shortcuts, and
 * counted instead of timed. A step is one look at a character, or one try to go on after a part that matched.
 */

/** Goes on from a position; false has the part before it try something else. */
type Next = (at: number) => boolean;
/** Matches from a position in the text, and goes on. */
type Part = (text: string, at: number, next: Next) => boolean;

interface Node {
  readonly run: Part;
  /** A text that it matches. */
  readonly sample: string;
  /** Characters that it takes, if always the same number. */
  readonly width: number | undefined;
  /** Whether a character fits, of a part that takes exactly one: loops over it needn't recurse. */
  readonly one?: (character: string) => boolean;
}

export class OutOfSteps extends Error {}

const nativeExec = RegExp.prototype.exec; // eslint-disable-line @typescript-eslint/unbound-method -- applied to its own kind

export interface Steps {
  readonly steps: number;
  /** Where it matched, to be held against what the real one found. */
  readonly found: { readonly at: number; readonly length: number } | undefined;
}

/** @throws OutOfSteps above `limit`; Error for what isn't supported here (references back, lookbehind of varying width) */
export function stepsOf(expression: RegExp, text: string, limit: number): Steps {
  const { node, count } = compiled(expression);
  count.steps = 0;
  count.limit = limit;
  const sticky = expression.sticky;
  const first = sticky || expression.global ? expression.lastIndex : 0;
  for (let start = first; start <= text.length; start += 1) {
    step(count);
    let end = -1;
    if (node.run(text, start, (at) => ((end = at), true)))
      return { steps: count.steps, found: { at: start, length: end - start } };
    if (sticky) break;
  }
  return { steps: count.steps, found: undefined };
}

interface Count {
  steps: number;
  limit: number;
}

function step(count: Count): void {
  count.steps += 1;
  if (count.steps > count.limit) throw new OutOfSteps(`more than ${count.limit} steps`);
}

/** Texts of which an expression is likely to try several at one place: what its parts match, and what they begin with. */
export const piecesOf = (expression: RegExp): readonly string[] => compiled(expression).pieces;

interface Compiled {
  readonly node: Node;
  readonly pieces: readonly string[];
  /** What it counts into. */
  readonly count: Count;
}
const cache = new Map<string, Compiled>();

function compiled(expression: RegExp): Compiled {
  const key = `${expression.flags}/${expression.source}`;
  let known = cache.get(key);
  if (known === undefined) {
    const count: Count = { steps: 0, limit: 0 };
    const compiler = new Compiler(expression, count);
    cache.set(key, (known = { node: compiler.all(), pieces: [...compiler.pieces], count }));
  }
  return known;
}

class Compiler {
  readonly pieces = new Set<string>();
  /** A text that leads to where the next part begins. */
  #before = '';
  #at = 0;
  readonly #source: string;
  readonly #flags: string;
  constructor(
    private readonly expression: RegExp,
    private readonly count: Count,
  ) {
    this.#source = expression.source;
    this.#flags = expression.flags.replace(/[gymd]/g, '');
  }

  all(): Node {
    const node = this.#alternatives();
    if (this.#at < this.#source.length) throw this.#unsupported();
    return node;
  }

  #unsupported = (): Error => new Error(`/${this.#source}/ at ${this.#at} isn’t understood here`);

  #alternatives(): Node {
    const options = [this.#sequence()];
    while (this.#source[this.#at] === '|') {
      this.#at += 1;
      options.push(this.#sequence());
    }
    const [only] = options;
    if (options.length === 1 && only !== undefined) return only;
    const widths = new Set(options.map(({ width }) => width));
    return {
      run: (text, at, next) => options.some((option) => (step(this.count), option.run(text, at, next))),
      sample: options[0]?.sample ?? '',
      width: widths.size === 1 ? [...widths][0] : undefined,
    };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    const before = this.#before;
    let sample = '';
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at] ?? '')) {
      this.#before = before + sample;
      const start = this.#at;
      const part = this.#quantified();
      parts.push(part);
      // What varies is where a matcher comes back to; between such places it only compares.
      if (/[^\w ]/.test(this.#source.slice(start, this.#at)))
        for (const piece of [part.sample, before + sample, before + sample + part.sample]) this.pieces.add(piece);
      sample += part.sample;
    }
    this.pieces.add(before + sample);
    this.#before = before;
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    const from = (index: number): Part => {
      const part = parts[index];
      if (part === undefined) return (_text, at, next) => next(at);
      const rest = from(index + 1);
      return (text, at, next) => part.run(text, at, (after) => rest(text, after, next));
    };
    const width = parts.reduce<number | undefined>(
      (sum, part) => (sum === undefined || part.width === undefined ? undefined : sum + part.width),
      0,
    );
    return { run: from(0), sample, width };
  }

  #quantified(): Node {
    const node = this.#atom();
    const match = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})(\??)/.exec(this.#source.slice(this.#at));
    if (match === null) return node;
    this.#at += match[0].length;
    const [, sign, low, comma, high, lazy] = match;
    const min = sign === undefined ? Number(low) : sign === '+' ? 1 : 0;
    const most = comma === '' ? min : high === '' ? Infinity : Number(high);
    const max = sign === undefined ? most : sign === '?' ? 1 : Infinity;
    const run =
      node.one === undefined ? this.#loop(node, min, max, lazy === '?') : this.#run(node.one, min, max, lazy === '?');
    const width = min === max && node.width !== undefined ? min * node.width : undefined;
    return { run, sample: node.sample.repeat(Math.max(1, Math.min(min, 70))), width };
  }

  /** A part of one character, so many times. */
  #run(one: (character: string) => boolean, min: number, max: number, lazy: boolean): Part {
    const fits = (text: string, at: number): boolean => (step(this.count), at < text.length && one(text[at] ?? ''));
    return (text, at, next) => {
      let taken = 0;
      while (taken < (lazy ? min : max) && fits(text, at + taken)) taken += 1;
      if (taken < min) return false;
      for (;;) {
        step(this.count);
        if (next(at + taken)) return true;
        if (lazy ? taken >= max || !fits(text, at + taken) : taken === min) return false;
        taken += lazy ? 1 : -1;
      }
    };
  }

  #loop(node: Node, min: number, max: number, lazy: boolean): Part {
    const again = (text: string, at: number, next: Next, taken: number): boolean => {
      step(this.count);
      const more = (): boolean =>
        taken < max &&
        node.run(text, at, (after) => (after > at || taken < min) && again(text, after, next, taken + 1));
      if (taken < min) return more();
      return lazy ? next(at) || more() : more() || next(at);
    };
    return (text, at, next) => again(text, at, next, 0);
  }

  #atom(): Node {
    const c = this.#source[this.#at] ?? '';
    if (c === '(') return this.#group();
    if (c === '^' || c === '$' || /^\\[bB]/.test(this.#source.slice(this.#at, this.#at + 2))) return this.#assertion();
    const length = c === '[' ? this.#setLength() : c === '\\' ? this.#escapeLength() : 1;
    const text = this.#source.slice(this.#at, this.#at + length);
    this.#at += length;
    return this.#character(text);
  }

  #character(source: string): Node {
    const native = new RegExp(`^(?:${source})$`, this.#flags);
    const known = new Map<string, boolean>();
    const one = (character: string): boolean => {
      let fits = known.get(character);
      if (fits === undefined) known.set(character, (fits = Reflect.apply(nativeExec, native, [character]) !== null));
      return fits;
    };
    const run: Part = (text, at, next) => (step(this.count), at < text.length && one(text[at] ?? '') && next(at + 1));
    const sample = [...source, ...'a1 A/-\n.', 'é'].find((c) => one(c)) ?? source.slice(-1);
    return { run, sample, width: 1, one };
  }

  /** `^`, `$`, `\b`: told by the real one, at a place. */
  #assertion(): Node {
    const source =
      this.#source[this.#at] === '\\' ? this.#source.slice(this.#at, this.#at + 2) : this.#source[this.#at];
    this.#at += source?.length ?? 0;
    const lines = this.expression.multiline;
    const ends = (c: string | undefined): boolean => c === undefined || (lines && '\n\r\u2028\u2029'.includes(c));
    const word = (c: string | undefined): boolean => c !== undefined && /^\w$/.test(c);
    const holds = (text: string, at: number): boolean => {
      const [before, after] = [at === 0 ? undefined : text[at - 1], text[at]];
      if (source === '^') return ends(before);
      if (source === '$') return ends(after);
      return (word(before) !== word(after)) === (source === '\\b');
    };
    return { run: (text, at, next) => (step(this.count), holds(text, at) && next(at)), sample: '', width: 0 };
  }

  #group(): Node {
    const opening = /^\((?:\?(?:<?[=!]|:|<\w+>))?/.exec(this.#source.slice(this.#at))?.[0] ?? '(';
    this.#at += opening.length;
    const inner = this.#alternatives();
    if (this.#source[this.#at] !== ')') throw this.#unsupported();
    this.#at += 1;
    const looks = /^\(\?(<?)([=!])$/.exec(opening);
    if (looks === null) return { run: inner.run, sample: inner.sample, width: inner.width };
    const [, back, sign] = looks;
    const { width } = inner;
    if (back === '<' && width === undefined) throw this.#unsupported();
    const holds = (text: string, at: number): boolean => {
      const start = back === '<' ? at - (width ?? 0) : at;
      return start >= 0 && inner.run(text, start, (end) => back !== '<' || end === at);
    };
    return { run: (text, at, next) => holds(text, at) === (sign === '=') && next(at), sample: '', width: 0 };
  }

  #setLength(): number {
    for (let i = this.#at + 1; i < this.#source.length; i += 1) {
      if (this.#source[i] === '\\') i += 1;
      else if (this.#source[i] === ']') return i + 1 - this.#at;
    }
    throw this.#unsupported();
  }

  #escapeLength(): number {
    const rest = this.#source.slice(this.#at);
    if (/^\\(?:[1-9]|k<)/.test(rest)) throw this.#unsupported();
    return /^\\(?:u[0-9a-fA-F]{4}|u\{[^}]*\}|x[0-9a-fA-F]{2}|c[A-Za-z]|[pP]\{[^}]*\}|.)/s.exec(rest)?.[0].length ?? 2;
  }
}
