/**
 * Reads `nft -s list ruleset` (nftables 1.0): text rather than JSON, for a rule must be shown to people as they wrote it. `-s`
 * leaves out counters, quotas used and when elements expire; handles aren't printed without `-a`. What is left besides the
 * rules: the order of a set's elements, and elements that packets put into it.
 */
import { createHash } from 'node:crypto';
import { UnexpectedOutput, type TextReader } from '../kit';

/** By table and object, as "inet filter chain forward": its lines. */
export type Ruleset = Readonly<Record<string, readonly string[]>>;

const INDENT = '\t';

/** A line that is longer is no rule. */
const LINE_LIMIT_CHARS = 1024 * 1024;
/** Of a larger set the elements are told by their number and a digest. */
export const ELEMENTS_LIMIT = 20_000;

/** Reads a ruleset as it comes in: each character is looked at once, whatever the sets hold. */
export class RulesetReader implements TextReader {
  readonly #found = new Map<string, string[]>();
  #rest = '';
  #table = '';
  #object: { path: string; lines: string[] } | undefined;
  #elements: Elements | undefined;

  write(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LINE_LIMIT_CHARS)
      throw new UnexpectedOutput(`a line of more than ${LINE_LIMIT_CHARS} characters`);
    for (const line of lines) this.#line(line);
  }

  end(): void {
    this.#line(this.#rest);
    this.#rest = '';
  }

  get ruleset(): Ruleset {
    return Object.fromEntries(this.#found);
  }

  #line(line: string): void {
    const depth = line.length - line.trimStart().length;
    const content = line.trim();
    // Remarks about tables that iptables-nft keeps.
    if (content === '' || content.startsWith('#')) return;
    if (this.#elements !== undefined) this.#elements.add(` ${content}`);
    else if (depth === 0) {
      if (!content.startsWith('table ')) return;
      this.#table = content.slice('table '.length).replace(/ \{$/, '');
      this.#found.set(this.#table, []);
      return;
    } else if (!line.startsWith(INDENT + INDENT)) {
      if (content === '}') {
        if (this.#object !== undefined) this.#found.set(this.#object.path, this.#object.lines);
        this.#object = undefined;
      } else if (content.endsWith(' {')) this.#object = { path: `${this.#table} ${content.slice(0, -2)}`, lines: [] };
      // Flags and comment of the table itself.
      else this.#found.get(this.#table)?.push(content);
      return;
    } else if (content.startsWith('elements = {')) {
      this.#elements = new Elements();
      this.#elements.add(content);
    } else this.#object?.lines.push(content);
    if (this.#elements?.isClosed !== true) return;
    // None if packets put elements into the set: they come and go.
    const isDynamic = this.#object?.lines.some((one) => /^flags .*\bdynamic\b/.test(one)) ?? false;
    if (!isDynamic) for (const element of this.#elements.lines) this.#object?.lines.push(element);
    this.#elements = undefined;
  }
}

/** The whole of a ruleset. */
export function readRuleset(text: string): Ruleset {
  const reader = new RulesetReader();
  reader.write(text);
  reader.end();
  return reader.ruleset;
}

/** Elements of a set, sorted, each a line. */
class Elements {
  readonly #list: string[] = [];
  #count = 0;
  #sum = new Uint32Array(8);
  #element = '';
  #depth = 0;
  #quoted = false;

  add(text: string): void {
    let from = this.#depth === 0 ? text.indexOf('{') + 1 : 0;
    for (let at = 0; at < text.length; at += 1) {
      const character = text[at];
      if (character === '"') this.#quoted = !this.#quoted;
      else if (this.#quoted) continue;
      else if (character === '{') this.#depth += 1;
      else if (character === '}') {
        this.#depth -= 1;
        if (this.#depth > 0) continue;
        this.#end(text.slice(from, at));
        return;
      } else if (character === ',' && this.#depth === 1) {
        this.#end(text.slice(from, at));
        from = at + 1;
      }
    }
    this.#element += text.slice(from);
  }

  /** Whether all quotes and braces that were opened are closed. */
  get isClosed(): boolean {
    return this.#depth <= 0 && !this.#quoted;
  }

  get lines(): readonly string[] {
    if (this.#count <= ELEMENTS_LIMIT) return this.#list.sort();
    const digest = Buffer.from(this.#sum.buffer).toString('hex');
    return [`${this.#count} elements, whatever their order: ${digest}`];
  }

  #end(text: string): void {
    const element = `element ${(this.#element + text).trim()}`;
    this.#element = '';
    this.#count += 1;
    if (this.#count <= ELEMENTS_LIMIT) this.#list.push(element);
    if (this.#count === ELEMENTS_LIMIT + 1) for (const one of this.#list.splice(0)) this.#sumUp(one);
    if (this.#count > ELEMENTS_LIMIT) this.#sumUp(element);
  }

  /** The order means nothing, so digests are added up. */
  #sumUp(element: string): void {
    const digest = createHash('sha256').update(element).digest();
    for (let word = 0; word < this.#sum.length; word += 1)
      this.#sum[word] = (this.#sum[word] ?? 0) + digest.readUInt32LE(4 * word);
  }
}
