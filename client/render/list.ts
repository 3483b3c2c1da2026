/** All upgrades as a table that fits 80 columns. Pure. */
import { formatDuration } from '../../activities/kit/duration';
import type { ListedRun, Listing } from '../list';
import { clipLine, printable } from './text';
import { whoMay } from './who';

export interface ListOptions {
  readonly width: number;
  readonly nowMs: number;
}

const HEADER = ['CLUSTER', 'TARGET', 'PHASE', 'STEP', 'WAITING FOR', 'SINCE'];
/** Columns that are never cut below their header; the two in the middle share what is left. */
const [STEP, WAITING] = [3, 4];
const MAX_WIDTHS: Readonly<Record<number, number>> = { 1: 12, 2: 14 };
/** A longer name stands on a row of its own: people copy it. */
const MAX_NAME = 24;
const NONE = '–';
const GAP = 2;

export function renderListing({ runs, isCut }: Listing, options: ListOptions): string {
  if (runs.length === 0) return 'no upgrade is listed: none is open, and none ended lately\n(older ones: --all)';
  const rows = runs.map((run) => cellsOf(run, options.nowMs));
  const widths = widthsOf([HEADER, ...rows], options.width);
  const lines = [HEADER, ...rows].flatMap((cells) => rowLines(cells, widths));
  return [...lines, ...(isCut ? ['… and more: only the first ones are shown'] : [])]
    .map((line) => clipLine(line, options.width))
    .join('\n');
}

const cellsOf = (run: ListedRun, nowMs: number): string[] =>
  [run.cluster, run.target ?? NONE, phaseOf(run), stepOf(run), waitingOf(run), sinceOf(run, nowMs)].map((cell) =>
    printable(cell).replaceAll('\n', ' '),
  );

const ENDINGS: Readonly<Record<string, string>> = { RolledBack: 'ROLLED BACK', Stopped: 'STOPPED' };

function phaseOf({ execution, phase, ending }: ListedRun): string {
  if (execution === 'running') return phase ?? NONE;
  if (execution === 'completed') return 'UPGRADED';
  return ending === undefined ? execution.toUpperCase() : (ENDINGS[ending] ?? ending);
}

const stepOf = ({ status }: ListedRun): string => {
  const step = status?.step;
  return step === undefined || step.of === 0 ? NONE : `${step.number}/${step.of} ${step.name}`;
};

/** Whom a run waits for, and for what; else what keeps it from saying so. */
function waitingOf({ execution, status, waitingFor, trouble }: ListedRun): string {
  if (execution !== 'running') return '';
  if (status === undefined)
    return [...(trouble === undefined ? [] : [`(${trouble})`]), ...waitingFor].join(' ') || NONE;
  if (status.waitingFor.length === 0) return 'nobody';
  return status.waitingFor.map((o) => `${o.id}: ${whoMay(o)}`).join('; ');
}

/** The larger unit will do: "2 h". */
const ago = (iso: string | undefined, nowMs: number): string =>
  iso === undefined
    ? NONE
    : formatDuration(Math.max(0, nowMs - Date.parse(iso)))
        .split(' ')
        .slice(0, 2)
        .join(' ');

/** Since the question was asked, else since the step began; of an ended run: since its end. */
function sinceOf({ execution, status, closedAt }: ListedRun, nowMs: number): string {
  if (execution !== 'running') return `${ago(closedAt, nowMs)} ago`;
  const asked = status?.waitingFor.map(({ openedAt }) => openedAt).sort()[0];
  return ago(asked ?? status?.step.since, nowMs);
}

const isLong = (name: string): boolean => name.length > MAX_NAME;

function widthsOf(rows: readonly (readonly string[])[], width: number): number[] {
  const needed = HEADER.map((_, column) =>
    Math.min(
      MAX_WIDTHS[column] ?? Infinity,
      Math.max(...rows.map((row) => (column === 0 && isLong(row[0] ?? '') ? 0 : (row[column] ?? '').length))),
    ),
  );
  const need = (column: number): number => needed[column] ?? 0;
  const fixed = needed.reduce((sum, w, column) => sum + (column === STEP || column === WAITING ? 0 : w), 0);
  const room = Math.max(0, width - fixed - GAP * (HEADER.length - 1));
  // Whom a run waits for counts more than the name of its step.
  const waiting = Math.min(need(WAITING), Math.max(Math.ceil(room * 0.6), room - need(STEP)));
  return needed.map((w, column) => (column === STEP ? Math.min(w, room - waiting) : column === WAITING ? waiting : w));
}

function rowLines(cells: readonly string[], widths: readonly number[]): string[] {
  const [name = ''] = cells;
  const shown = isLong(name) ? ['', ...cells.slice(1)] : cells;
  const line = shown
    .map((cell, column) => clipLine(cell, widths[column]).padEnd(widths[column] ?? 0))
    .join(' '.repeat(GAP))
    .trimEnd();
  return isLong(name) ? [name, line] : [line];
}
