/** Plain text for terminals and logs: no colour, columns by spaces. Pure. */

import { oneLine as shown, seen } from '../../workflows/procedure/text';

/** Text of others (comments, device output) with nothing in it that a terminal would obey, or that nobody sees. */
export const printable = seen;

const oneLine = (text: string): string => printable(text).replace(/\s*\n\s*/g, ' ');

/** A paragraph in lines of at most `width`, the first one after `lead`, the others moved right by `by`. */
export function wrap(text: string, width: number | undefined, by = 0, lead = ''): string {
  if (width === undefined) return lead + printable(text);
  const pad = ' '.repeat(Math.min(by, width >> 1));
  const lines: string[] = [];
  let line = lead;
  let isBare = true;
  for (const word of shown(text).split(' ')) {
    if (!isBare && line.length + 1 + word.length > width) {
      lines.push(line);
      [line, isBare] = [pad, true];
    }
    line = isBare ? line + word : `${line} ${word}`;
    isBare = false;
  }
  return [...lines, line].join('\n');
}

/** Columns with two spaces between; the last one is cut at `width`, if given. Empty columns are left out. */
export function table(rows: readonly (readonly string[])[], options: { width?: number; indent?: number } = {}): string {
  const cells = rows.map((row) => row.map(oneLine));
  const columns = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, c) => Math.max(0, ...cells.map((row) => (row[c] ?? '').length)));
  const shown = widths.map((w, c) => ({ w, c })).filter(({ w }) => w > 0);
  const pad = ' '.repeat(options.indent ?? 0);
  return cells
    .map((row) => {
      const line = pad + shown.map(({ w, c }) => (row[c] ?? '').padEnd(w)).join('  ');
      return clipLine(line.trimEnd(), options.width);
    })
    .join('\n');
}

export const clipLine = (line: string, width: number | undefined): string =>
  width === undefined || line.length <= width ? line : `${line.slice(0, Math.max(1, width - 1))}…`;

/** `[########············]` */
export function bar(share: number, cells = 20): string {
  const full = Math.max(0, Math.min(cells, Math.floor(share * cells))) || 0;
  return `[${'#'.repeat(full)}${'·'.repeat(cells - full)}]`;
}

/** Paragraph that keeps its own line breaks and is moved right. */
export const indent = (text: string, by: number): string =>
  printable(text)
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n');

/** `2026-11-22 18:03:01` in UTC: log lines of several places are laid side by side. */
export const time = (iso: string): string => {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? printable(iso) : at.toISOString().replace('T', ' ').slice(0, 19) + 'Z';
};
