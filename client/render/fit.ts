/** Making what there is to say fit a screen of so many rows. Pure. */
import { clipLine } from './text';

/** A part of a screen. The parts stand in order of their weight: what comes first gets its rows first. */
export interface Section {
  readonly lines: readonly string[];
  /** Long lines go on below (text that must be read); otherwise they are cut off (rows of tables). */
  readonly wrap?: boolean;
  /** Which lines stay if not all fit: the first and the last ones, the ones around this line, or (left out) the first ones. */
  readonly keep?: 'ends' | { readonly around: number };
}

/** A part of which fewer lines than this could be shown is left out. */
const LEAST_LINES = 2;

/** On a lower screen no row is spent on space between parts. */
const ROWS_FOR_GAPS = 16;

const more = (count: number, where = ''): string => `… ${count} more ${count === 1 ? 'line' : 'lines'}${where}`;

/** A line broken between words; what follows is set in as far as the line itself, and two more. */
export function wrapLine(line: string, columns: number): string[] {
  if (line.length <= columns) return [line];
  const indent = /^ */.exec(line)?.[0].length ?? 0;
  const hanging = ' '.repeat(Math.min(indent + 2, Math.floor(columns / 2)));
  const lines: string[] = [];
  let rest = line;
  while (rest.length > columns) {
    // Not within the indent, else nothing would be left.
    const space = rest.lastIndexOf(' ', columns);
    const from = /^ */.exec(rest)?.[0].length ?? 0;
    const at = space > from ? space : columns;
    lines.push(rest.slice(0, at));
    rest = hanging + rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

const laidOut = ({ lines, wrap }: Section, columns: number): string[] =>
  lines
    .flatMap((line) => line.split('\n'))
    .flatMap((line) => (wrap === true ? wrapLine(line, columns) : [clipLine(line, columns)]));

/** As many lines of a part as there are rows; where lines are missing it says how many. */
function shorten(lines: readonly string[], rows: number, keep: Section['keep']): string[] {
  if (lines.length <= rows) return [...lines];
  // No room to say that lines are missing: the caller does.
  if (rows <= 1) return lines.slice(0, Math.max(0, rows));
  if (keep === 'ends') {
    const first = Math.ceil((rows - 1) / 3);
    const last = rows - 1 - first;
    return [...lines.slice(0, first), more(lines.length - first - last), ...lines.slice(lines.length - last)];
  }
  if (keep === undefined) return [...lines.slice(0, rows - 1), more(lines.length - rows + 1)];
  // One row for what is above, one for what is below; the line asked for in the middle, somewhat above it if need be.
  const inner = Math.max(1, rows - 2);
  const start = Math.max(0, Math.min(keep.around - Math.floor(inner / 2), lines.length - inner));
  if (start <= 1) return [...lines.slice(0, rows - 1), more(lines.length - rows + 1, ' below')];
  const below = lines.length - start - inner;
  if (below <= 1) return [more(lines.length - rows + 1, ' above'), ...lines.slice(lines.length - rows + 1)];
  return [more(start, ' above'), ...lines.slice(start, start + inner), more(below, ' below')].slice(0, rows);
}

/**
 * At most so many rows of at most so many columns. What comes first gets its rows first. Where whole parts are left out, the
 * last row says how many lines are missing.
 */
export function fit(sections: readonly Section[], rows: number, columns: number): string[] {
  const parts = sections
    .map((section) => ({ lines: laidOut(section, columns), keep: section.keep }))
    .filter(({ lines }) => lines.length > 0);
  const whole = place(parts, rows);
  const rest = place(parts, rows - 1);
  const shown = whole.missing === 0 ? whole.shown : [...rest.shown, more(rest.missing)];
  return shown.map((line) => clipLine(line, columns)).slice(0, Math.max(0, rows));
}

interface Part {
  readonly lines: readonly string[];
  readonly keep: Section['keep'];
}

function place(parts: readonly Part[], rows: number): { readonly shown: string[]; readonly missing: number } {
  const gap = rows < ROWS_FOR_GAPS ? 0 : 1;
  const shown: string[] = [];
  let missing = 0;
  for (const { lines, keep } of parts) {
    const isFirst = shown.length === 0;
    const room = Math.max(0, rows - shown.length - (isFirst ? 0 : gap));
    const isWorth = lines.length <= room || room >= LEAST_LINES || isFirst;
    const part = isWorth ? shorten(lines, room, keep) : [];
    // Two rows or more say themselves what is missing.
    if (part.length < LEAST_LINES) missing += lines.length - part.length;
    if (part.length > 0 && !isFirst && gap > 0) shown.push('');
    shown.push(...part);
  }
  return { shown, missing };
}
