/** StatusView → text. Pure: the same view gives the same text, whoever asks. */
import type { OpeningView, Report, StatusView, StepView } from '../../workflows/contract';
import { formatDuration } from '../../activities/kit/duration';
import { bar, clipLine, printable, table, time, wrap } from './text';
import { renderGuard, renderWatch, since, wrapped, type WatchOptions } from './watch';

export interface StatusOptions extends WatchOptions {
  /** What activities under way last told of themselves. */
  readonly inHand?: readonly string[];
}

/** In the order in which people need it: what has happened, what is asked, what was refused last, where it stands, the steps. */
export function renderStatus(view: StatusView, options: StatusOptions = {}): string {
  const { step, width } = { ...view, width: options.width };
  const target = view.target === '' ? '' : ` → ${printable(view.target)}`;
  const isTold = step.of === 0 || view.phase === 'ended';
  const sections = [
    [
      `${view.cluster}${target}: ${view.doing ?? view.phase}`,
      wrap(view.sentence, width),
      ...(isTold ? [] : [wrap(`Step ${step.number} of ${step.of}: ${step.name}${since(step.since, options)}`, width)]),
      ...(options.inHand ?? []).map((line) => clipLine(`  ${printable(line)}`, width)),
    ].join('\n'),
    renderTakenOver(view, options),
    renderOpenings(view, options),
    renderVotes(view, options),
    renderLastRefused(view, options),
    renderNodes(view.nodes, view.nodesAsOf),
    renderWait(view, options),
    view.watch === undefined ? '' : renderWatch(view.watch, options),
    renderGuard(view, options),
    renderEscapes(view, options),
    renderSteps(view.steps, options),
    renderRefused(view, options),
    view.planDigest === '' ? '' : `Plan ${view.planDigest.slice(0, 12)}${linkOf(view)}`,
  ];
  return sections.filter((s) => s !== '').join('\n\n');
}

/** What a run goes on from that was reset, or that came after one which was ended from outside. */
export function renderTakenOver(
  { takenOver = [] }: Pick<StatusView, 'takenOver'>,
  options: StatusOptions = {},
): string {
  return takenOver
    .map(({ at, from, by, steps, lost }) => {
      const who = by === undefined ? '' : `, by ${by}`;
      const what = from === 'reset' ? `this run was reset${who}` : `an earlier run was ended from outside${who}`;
      const taken = `the state before of ${steps} ${steps === 1 ? 'step' : 'steps'} was taken over from its history`;
      const gone = lost === undefined ? '' : `. THIS RUN CANNOT UNDO: ${lost}`;
      return wrapped(`${time(at)} ${what}; ${taken}${gone}`, options);
    })
    .join('\n');
}

/** Commands that more people must give. */
const renderVotes = ({ votes = [] }: Pick<StatusView, 'votes'>, options: StatusOptions): string =>
  votes
    .map(({ command, by, needed }) =>
      wrapped(`${command}: said by ${by.join(', ')}; ${by.length} of ${needed}`, options),
    )
    .join('\n');

const linkOf = ({ link = 0 }: Pick<StatusView, 'link'>): string =>
  link === 0 ? '' : `; the run has continued as new ${link === 1 ? 'once' : `${link} times`}`;

export function renderNodes(nodes: StatusView['nodes'], asOf?: string): string {
  const names = Object.keys(nodes);
  if (names.length === 0) return '';
  const columns = [...new Set(Object.values(nodes).flatMap((facts) => Object.keys(facts)))];
  const word = (fact: string | number | boolean | undefined): string =>
    fact === undefined ? '-' : typeof fact === 'boolean' ? (fact ? 'yes' : 'no') : String(fact);
  const rows = table([
    ['NODE', ...columns.map((c) => c.toUpperCase())],
    ...names.map((name) => [name, ...columns.map((c) => word(nodes[name]?.[c]))]),
  ]);
  return asOf === undefined ? rows : `${rows}\nas of ${time(asOf)}`;
}

/** Progress of a wait, and why it stands still where it does. */
function renderWait(view: StatusView, options: StatusOptions): string {
  const { wait, watch } = view;
  if (wait === undefined) return '';
  const share = wait.neededMs === 0 ? 1 : wait.observedMs / wait.neededMs;
  const left = Math.max(0, wait.neededMs - wait.observedMs);
  const lines = [
    `${wait.name}: ${bar(share)} ${Math.floor(Math.min(1, share) * 100)} %, ${formatDuration(wait.observedMs)} of ${formatDuration(wait.neededMs)}` +
      (left > 0 ? `, ${formatDuration(left)} left` : ''),
    // What a watch has reported counts, nothing else: no clock goes on by itself here.
    ...(wait.counting ? [] : [`  as of ${time(wait.asOf)}, the last report`]),
  ];
  if (watch?.state === 'blind') lines.push('  it stands still: time without probes doesn’t count');
  return lines.map((line) => wrapped(line, options)).join('\n');
}

/** Traffic that was moved away. */
const renderEscapes = ({ escapes = [] }: Pick<StatusView, 'escapes'>, options: StatusOptions): string =>
  escapes
    .map(({ at, why, outcome }) =>
      wrapped(`${time(at)} moved away: ${printable(why)} → ${printable(outcome)}`, options),
    )
    .join('\n');

function renderOpenings(view: StatusView, options: StatusOptions): string {
  if (view.waitingFor.length === 0) return '';
  return ['WAITING FOR PEOPLE', ...view.waitingFor.map((o) => renderOpening(view.cluster, o, options))].join('\n');
}

/** A question with the commands that answer it, and what each does. */
export function renderOpening(cluster: string, opening: OpeningView, options: StatusOptions = {}): string {
  const who = opening.from === undefined ? 'anyone' : opening.from.join(', ');
  const but = opening.notFrom === undefined ? '' : `, but not ${opening.notFrom}, who asked for the upgrade`;
  const expiry =
    opening.expiresAt === undefined
      ? ''
      : `; until ${time(opening.expiresAt)}${inTime(opening.expiresAt, options)}${opening.onExpiry === undefined ? '' : `, then ${opening.onExpiry}`}`;
  const soFar = opening.answered.length === 0 ? 'nobody' : opening.answered.join(', ');
  const { width } = options;
  return [
    wrap(opening.question, width, 4, `${opening.id}  `),
    wrap(`${opening.needed} needed, from ${who}${but}; so far ${soFar}${expiry}`, width, 6, '    '),
    wrap(
      `digest ${opening.digest.slice(0, 12)}, asked ${time(opening.openedAt)}${since(opening.openedAt, options)}`,
      width,
      6,
      '    ',
    ),
    ...answerLines(cluster, opening).flatMap(({ command, means }) => [
      `    ${command}`,
      ...(means === '' ? [] : [wrap(means, width, 8, '        ')]),
    ]),
  ].join('\n');
}

const inTime = (iso: string, { nowMs }: StatusOptions): string => {
  if (nowMs === undefined) return '';
  const left = Date.parse(iso) - nowMs;
  return left > 0 ? ` (${formatDuration(left)} left)` : ' (over)';
};

/** The commands that answer an opening, ready to be copied. */
export const answersTo = (cluster: string, opening: OpeningView): string[] =>
  answerLines(cluster, opening).map(({ command }) => command);

interface AnswerLine {
  readonly command: string;
  /** What it does; "" where the worker doesn't say. */
  readonly means: string;
}

function answerLines(cluster: string, opening: OpeningView): AnswerLine[] {
  // A worker of an older build lists the choices only.
  const answers = opening.answers ?? opening.choices.map((choice) => ({ choice, means: '', to: undefined }));
  return answers.map(({ choice, to, means }) => ({ command: commandOf(cluster, opening, choice, to), means }));
}

function commandOf(cluster: string, { id, kind, waivable = [] }: OpeningView, choice: string, to?: string): string {
  const why = ' --comment "why"';
  if (kind === 'gate') return `hitless ${choice} ${cluster} ${id}${choice === 'reject' ? why : ''}`;
  if (kind === 'pause') return `hitless resume ${cluster} --reason "why"`;
  const more: Readonly<Record<string, string>> = { skip: why, waive: ` --waive ${waivable.join(',')}${why}` };
  return `hitless decide ${cluster} ${id} ${choice}${more[choice] ?? ''}${to === undefined ? '' : ` --to ${to}`}`;
}

export function renderSteps(steps: readonly StepView[], options: StatusOptions): string {
  if (steps.length === 0) return '';
  const rows = steps.map((s) => [
    String(s.number).padStart(String(steps.length).length),
    s.state === 'pending' ? '' : s.state,
    s.name,
    took(s, options),
    said(s),
  ]);
  return `STEPS\n${table(rows, { indent: 2, ...(options.width === undefined ? {} : { width: options.width }) })}`;
}

/** What came of it, and of its undo. */
const said = ({ failure, summary, undo }: StepView): string =>
  [failure ?? summary, undo === undefined ? undefined : `undone: ${undo.summary ?? time(undo.at)}`]
    .filter((part) => part !== undefined)
    .join('; ');

function took(step: StepView, { nowMs }: StatusOptions): string {
  if (step.startedAt === undefined) return '';
  const end = step.endedAt === undefined ? nowMs : Date.parse(step.endedAt);
  return end === undefined ? '' : formatDuration(Math.max(0, end - Date.parse(step.startedAt)));
}

type Refusals = Pick<StatusView, 'refused' | 'refusedCount'>;

const refusal = ({ at, signal, by, why }: StatusView['refused'][number]): string =>
  `${time(at)} ${signal}${by === undefined ? '' : ` by ${by}`}: ${why}`;

/** Where everybody looks: whoever sent it may still believe that it was taken. */
function renderLastRefused({ refused, refusedCount = refused.length }: Refusals, { width }: StatusOptions): string {
  const last = refused.at(-1);
  if (last === undefined) return '';
  return wrap(`${refusal(last)}${refusedCount > 1 ? ` (${refusedCount} refused in all)` : ''}`, width, 4, 'REFUSED ');
}

function renderRefused({ refused, refusedCount = refused.length }: Refusals, { width }: StatusOptions): string {
  if (refusedCount < 2) return '';
  const title =
    refusedCount > refused.length
      ? `REFUSED MESSAGES, the last ${refused.length} of ${refusedCount}`
      : 'REFUSED MESSAGES';
  return [title, ...refused.map((r) => wrap(refusal(r), width, 6, '  '))].join('\n');
}

const endings: Readonly<Record<Report['ending'], string>> = {
  Completed: 'UPGRADED',
  RolledBack: 'ROLLED BACK',
  Stopped: 'STOPPED',
  Cancelled: 'CANCELLED',
};

export function renderReport(report: Report, options: StatusOptions = {}): string {
  const answers = report.answers.map((a) => [
    time(a.at),
    a.opening,
    a.by,
    `${a.choice}${a.to === 'start' ? ' to the start' : ''}`,
    a.comment ?? '',
    a.question ?? '',
  ]);
  const width = options.width === undefined ? {} : { width: options.width };
  const sections = [
    [
      `${report.cluster} → ${printable(report.target)}: ${endings[report.ending]}`,
      wrap(report.sentence, options.width),
      wrap(report.standing, options.width, 4, 'It stands so: '),
      ...(report.requestedBy === undefined ? [] : [`Requested by ${printable(report.requestedBy)}`]),
      `${time(report.startedAt)} to ${time(report.endedAt)}, ${formatDuration(Math.max(0, Date.parse(report.endedAt) - Date.parse(report.startedAt)))}`,
    ].join('\n'),
    renderTakenOver(report, options),
    renderNodes(report.nodes, report.nodesAsOf),
    report.watch === undefined ? '' : renderWatch(report.watch, options),
    renderGuard(report, options),
    renderEscapes(report, options),
    renderLastRefused(report, options),
    answers.length === 0 ? '' : `ANSWERS\n${table(answers, { indent: 2, ...width })}`,
    renderSteps(report.steps, options),
    renderRefused(report, options),
    report.leftOut === undefined ? '' : wrap(report.leftOut, options.width, 4, 'LEFT OUT: '),
    `Plan ${report.planDigest.slice(0, 12)}${linkOf(report)}`,
  ];
  return sections.filter((s) => s !== '').join('\n\n');
}

/** Parts of a status, for a screen that has no room for all of them. */
export { renderEscapes, renderVotes, renderWait };
