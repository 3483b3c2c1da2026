/**
 * Text of others (names, comments, what devices say) within Temporal's markdown. Two programs render it, which agree on little:
 * the Web UI of a server (gomarkdown, with HTML as it comes) and that of Temporal Cloud (remark). So every character that means
 * something to one of them is escaped, and what either would make a link of by itself stands as code.
 */
import { clipText, oneLine, shortLine, utf8Bytes } from './text';

/** Also what would become one character with its neighbour: "--", "1/2". */
const SPECIAL = /[\\*`_{}[\]<>()#|~&!$^]|-(?=-)|(?<=-)-|(?<=\d)\/(?=\d)/g;
/** Those that gomarkdown doesn't escape everywhere, as at the end of what is bold. */
const ENTITIES: Readonly<Record<string, string>> = { '\\': '&#92;', '*': '&#42;', '/': '&#47;' };
/** What begins a list or a definition, where a text stands at the beginning of a line. */
const LEADING = /^(?:[-+:=]|\d{1,9}(?=\.(?:\s|$)))/;
/** Addresses: both renderers make links of them without any markup. A word with one in it has no other meaning here. */
const LINK = /:\/\/|www\.|mailto:|xmpp:|@/i;

/** One line in which nothing is alive. */
export function md(text: string): string {
  // Split where a code span couldn't hold what follows.
  const parts = oneLine(text).split(/([\s`|<>]+)/);
  return parts.map((part, index) => (LINK.test(part) ? code(part) : plain(part, index === 0))).join('');
}

function plain(text: string, isFirst: boolean): string {
  const escaped = text.replace(SPECIAL, (char) => ENTITIES[char] ?? `\\${char}`);
  if (!isFirst) return escaped;
  return escaped.replace(LEADING, (found) => (/^\d/.test(found) ? `${found}\\` : `\\${found}`));
}

/** At most so many bytes of it, cut after a sentence or a word. */
export function mdClip(text: string, bytes: number): string {
  const line = shortLine(text, bytes);
  const whole = md(line);
  if (utf8Bytes(whole) <= bytes) return whole;
  let best = '';
  let [low, high] = [0, line.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const clipped = md(clipText(line, middle));
    if (utf8Bytes(clipped) <= bytes) [best, low] = [clipped, middle];
    else high = middle;
  }
  return best;
}

/** JSON to copy: only what no renderer reads anything into; all else is \u…, as JSON allows within its strings. */
export function json(value: unknown): string {
  return JSON.stringify(value).replace(/"(?:[^"\\]|\\.)*"/g, (text) =>
    text.replace(/[^\w "\\#.,:;+/@…-]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

/** As code: for what has no backtick in it. */
export const code = (text: string): string => `\`${text}\``;

export const table = (rows: readonly (readonly string[])[]): string => {
  const [head = [], ...body] = rows.map((row) => `| ${row.join(' | ')} |`);
  return [head, `|${' --- |'.repeat(rows[0]?.length ?? 0)}`, ...body].join('\n');
};
