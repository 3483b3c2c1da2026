/**
 * Reads `nft -s list ruleset` (nftables 1.0): text rather than JSON, for a rule must be shown to people as they wrote it. `-s`
 * leaves out counters, quotas used and when elements expire; handles aren't printed without `-a`. What is left besides the
 * rules: the order of a set's elements, and elements that packets put into it.
 */

/** By table and object, as "inet filter chain forward": its lines. */
export type Ruleset = Readonly<Record<string, readonly string[]>>;

const INDENT = '\t';

export function readRuleset(text: string): Ruleset {
  const ruleset = new Map<string, string[]>();
  let table = '';
  let object: { path: string; lines: string[] } | undefined;
  let elements: string | undefined;
  for (const line of text.split('\n')) {
    const depth = line.length - line.trimStart().length;
    const content = line.trim();
    // Remarks about tables that iptables-nft keeps.
    if (content === '' || content.startsWith('#')) continue;
    if (elements !== undefined) {
      elements += ` ${content}`;
    } else if (depth === 0) {
      if (content.startsWith('table ')) {
        table = content.slice('table '.length).replace(/ \{$/, '');
        ruleset.set(table, []);
      }
      continue;
    } else if (!line.startsWith(INDENT + INDENT)) {
      if (content === '}') {
        if (object !== undefined) ruleset.set(object.path, object.lines);
        object = undefined;
      } else if (content.endsWith(' {')) object = { path: `${table} ${content.slice(0, -2)}`, lines: [] };
      // Flags and comment of the table itself.
      else ruleset.get(table)?.push(content);
      continue;
    } else if (content.startsWith('elements = {')) elements = content;
    else object?.lines.push(content);
    if (elements !== undefined && isClosed(elements)) {
      object?.lines.push(...elementsOf(elements, object.lines));
      elements = undefined;
    }
  }
  return Object.fromEntries(ruleset);
}

/** Elements of a set, sorted, each a line. None if packets put elements into the set: they come and go. */
function elementsOf(text: string, lines: readonly string[]): string[] {
  if (lines.some((line) => /^flags .*\bdynamic\b/.test(line))) return [];
  const inner = text.slice(text.indexOf('{') + 1, text.lastIndexOf('}'));
  return splitOutside(inner, ',')
    .map((element) => `element ${element.trim()}`)
    .sort();
}

/** Whether all quotes and braces that were opened are closed. */
function isClosed(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && character === '{') depth += 1;
    else if (!quoted && character === '}') depth -= 1;
  }
  return depth === 0 && !quoted;
}

/** Splits where the separator stands outside of quotes and braces. */
export function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && character === '{') depth += 1;
    else if (!quoted && character === '}') depth -= 1;
    if (character === separator && depth === 0 && !quoted) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}
