/** The rest of the page: nodes, watch and guard, what was moved or mended, and the steps, the done ones folded. */
import type { StatusView, StepView, WatchView } from '../contract';
import { md, mdClip, table } from './markdown';
import { clockOf, variants, type Part } from './page-parts';
import { percent, REGRESSION } from './sentences';
import { formatDuration } from './text';

// ---- nodes ---------------------------------------------------------------------------------------------------------------

const cell = (fact: string | number | boolean | undefined): string =>
  fact === true ? 'yes' : fact === false ? 'no' : fact === undefined ? '' : String(fact);

interface Grid {
  readonly rows: number;
  readonly columns: number;
  readonly bytes: number;
}
const GRIDS: readonly Grid[] = [
  { rows: 12, columns: 8, bytes: 80 },
  { rows: 4, columns: 4, bytes: 32 },
  { rows: 0, columns: 0, bytes: 200 },
];

export const nodesPart = (view: StatusView): Part => [...variants(GRIDS, (grid) => nodes(view, grid)), () => ''];

function nodes({ nodes: all, nodesAsOf }: StatusView, { rows, columns, bytes }: Grid): string {
  const names = Object.keys(all);
  if (names.length === 0) return '';
  const read = nodesAsOf === undefined ? '' : ` as of ${clockOf(nodesAsOf)}`;
  if (rows === 0) {
    const serving = names.filter((name) => all[name]?.['serving'] === true);
    return `${names.length} nodes, serving${read}: ${serving.length === 0 ? 'none' : mdClip(serving.join(', '), bytes)}.`;
  }
  const facts = [...new Set(Object.values(all).flatMap((of) => Object.keys(of)))].slice(0, columns);
  const body = names
    .slice(0, rows)
    .map((name) => [mdClip(name, bytes), ...facts.map((fact) => mdClip(cell(all[name]?.[fact]), bytes))]);
  const more = names.length > rows ? `\n\n… and ${names.length - rows} more nodes.` : '';
  return `Nodes${read}:\n\n${table([['node', ...facts.map((fact) => mdClip(fact, bytes))], ...body])}${more}`;
}

// ---- watch and guard -------------------------------------------------------------------------------------------------------

export const watchPart = (view: StatusView): Part =>
  variants([300, 100, 0], (bytes) => (bytes === 0 || view.watch === undefined ? '' : watch(view, view.watch, bytes)));

function watch(
  view: StatusView,
  { name, state, asOf, last, escape, owned, ...seen }: WatchView,
  bytes: number,
): string {
  const hasReported = asOf !== undefined;
  const words: Record<WatchView['state'], string> = {
    waiting: '**NOBODY WATCHES YET**: nothing has been reported',
    watching: 'watching',
    blind: '**NOBODY WATCHES**',
    regression: '**REGRESSION**',
    ended: 'ended',
  };
  const { wait } = view;
  const far =
    wait === undefined
      ? ''
      : ` ${mdClip(wait.name, 80)}: **${percent(wait)} %**, ${formatDuration(wait.observedMs)} of ${formatDuration(wait.neededMs)}, ${formatDuration(wait.neededMs - wait.observedMs)} left as of ${clockOf(wait.asOf)}.`;
  // A regression is the headline, which says why.
  const why = last === undefined || state === 'regression' ? '' : `; ${mdClip(last, bytes)}`;
  const counts = hasReported
    ? ` Observed ${formatDuration(seen.observedMs)} as of ${clockOf(asOf)}: probes passed ${seen.pass}, failed ${seen.fail}, inconclusive ${seen.inconclusive}.`
    : '';
  const back =
    escape === undefined || view.phase === 'ended'
      ? ''
      : escape.ready
        ? ` The way back was ready${hasReported ? ` at ${clockOf(asOf)}` : ''}.`
        : escape.unknown === true
          ? ` **It isn’t known whether the way back is ready**: ${mdClip(escape.why ?? 'not looked at', bytes)}`
          : ` **The way back is NOT ready**: ${mdClip(escape.why ?? 'no reason given', bytes)}`;
  const changed =
    owned?.asWanted === false && view.phase !== 'ended'
      ? ` **Not as this run left it**: ${mdClip(owned.why ?? 'no reason given', bytes)}`
      : '';
  return `Watch “${mdClip(name, 80)}”: ${words[state]}${why}.${far}${counts}${back}${changed}`;
}

export const guardPart = ({ guard }: StatusView): Part =>
  variants([200, 0], (bytes) => {
    if (guard === undefined || bytes === 0) return '';
    const words: Record<WatchView['state'], string> = {
      waiting: 'nobody has looked yet',
      watching: 'as it must be',
      blind: '**can’t be looked at**',
      regression: '**LOST**',
      ended: 'ended',
    };
    return `Guard “${mdClip(guard.name, 80)}”: ${words[guard.state]}${guard.last === undefined ? '' : `; ${mdClip(guard.last, bytes)}`}.`;
  });

/** What was lost, and traffic that was moved away: the newest few. */
export const eventsPart = ({ remedies = [], escapes = [], takenOver = [], sentence }: StatusView): Part =>
  variants([160, 0], (bytes) => {
    if (bytes === 0) return '';
    // The headline says why, mostly.
    const isTold = (why: string): boolean => sentence.includes(why.replace(REGRESSION, ''));
    const all = [
      ...remedies.map((event) => ({ ...event, what: 'lost' })),
      ...escapes.map((event) => ({ ...event, what: 'moved away' })),
      ...takenOver.map(({ at, from, steps, lost }) => ({
        at,
        what: from === 'reset' ? 'this run was reset' : 'a run before this one was ended from outside',
        why: lost === undefined ? '' : `not known: ${lost}`,
        outcome: `what ${steps} steps had found there is kept for undoing them`,
      })),
    ].sort((a, b) => (a.at < b.at ? -1 : 1));
    return all
      .slice(-3)
      .map(
        ({ at, what, why, outcome }) =>
          `${clockOf(at)} **${what}**: ${why === '' || isTold(why) ? '' : `${mdClip(why, bytes)} → `}${mdClip(outcome, bytes)}`,
      )
      .join('\n');
  });

// ---- steps -----------------------------------------------------------------------------------------------------------------

/** States that are folded into one line where they follow each other. */
const FOLDED: ReadonlySet<string> = new Set(['done', 'pending', 'undone', 'cut', 'skipped']);
const STATES: Readonly<Record<string, string>> = {
  pending: 'to come',
  running: 'under way',
  failed: 'FAILED',
  cut: 'cut off',
  undoing: 'being undone',
  'undo-failed': 'undo FAILED',
  skipped: 'NOT undone, as people said',
};
const stateWord = (state: string): string => STATES[state] ?? state;

type Group = readonly [StepView, ...StepView[]];

/**
 * Neighbours of the same state. What runs beside the steps isn't one of them; what only looked or asked belongs to the undone
 * steps around it: there is nothing of it to undo.
 */
function groupsOf(steps: readonly StepView[]): Group[] {
  const groups: [StepView, ...StepView[]][] = [];
  for (const step of steps) {
    const isBeside = step.kind === 'watch' || step.kind === 'guard';
    if (isBeside && (step.state === 'running' || step.state === 'cut')) continue;
    const last = groups.at(-1);
    if (last?.[0].state === 'undone' && step.kind !== 'step' && step.state !== 'pending') continue;
    if (last?.[0].state === step.state && FOLDED.has(step.state)) last.push(step);
    else groups.push([step]);
  }
  return groups;
}

interface Reach {
  /** Groups before and after the one that the run is at. */
  readonly around: number;
  readonly bytes: number;
}

export const stepsPart = (view: StatusView): Part => [
  ...variants<Reach>(
    [
      { around: 4, bytes: 200 },
      { around: 1, bytes: 0 },
    ],
    (reach) => steps(view, reach),
  ),
  () => '',
];

function steps(view: StatusView, { around, bytes }: Reach): string {
  const groups = groupsOf(view.steps);
  if (groups.length === 0) return '';
  const found = groups.findIndex((group) => group.some(({ number }) => number === view.step.number));
  // An ended run is at its end, not at a step.
  const at = view.phase === 'ended' || found === -1 ? groups.length - 1 : found;
  const from = Math.max(0, Math.min(at - around, groups.length - 1 - 2 * around));
  const shown = groups.slice(from, from + 2 * around + 1);
  const left = groups.length - shown.length;
  return [
    ...shown.map((group) => groupLine(group, bytes, view.phase === 'ended')),
    ...(left === 0 ? [] : [`… and others of the ${view.steps.length} steps.`]),
  ].join('\n');
}

function groupLine(group: Group, bytes: number, hasEnded: boolean): string {
  const [first] = group;
  const word = hasEnded && first.state === 'pending' ? 'not begun' : stateWord(first.state);
  const last = group.at(-1) ?? first;
  const name = (step: StepView): string => mdClip(step.name, 100);
  if (group.length > 1) {
    const ended = last.undo?.at ?? last.endedAt;
    const told =
      first.state === 'pending'
        ? `${hasEnded ? 'from' : 'next:'} ${name(first)}`
        : `last: ${name(last)}${ended === undefined ? '' : `, ${clockOf(ended)}`}`;
    return `Steps ${first.number}–${last.number} ${word} (${told}).`;
  }
  const since = first.state === 'running' && first.startedAt !== undefined ? ` since ${clockOf(first.startedAt)}` : '';
  const came = [
    first.failure ?? first.summary,
    first.undo && `undone: ${first.undo.summary ?? clockOf(first.undo.at)}`,
  ];
  const text = came.filter((part) => part !== undefined).join('; ');
  const what = bytes === 0 || text === '' ? '' : `; ${mdClip(text, bytes)}`;
  return `Step ${first.number} **${md(word)}**${since}: ${name(first)}${what}.`;
}
