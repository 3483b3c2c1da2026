/** StatusView → text. Pure: the same view gives the same text, whoever asks. */
import type { OpeningView, Report, StatusView, StepView, WatchView } from '../../workflows/contract';
import { formatDuration } from '../../activities/kit/duration';
import { bar, clipLine, printable, table, time } from './text';

export interface StatusOptions {
  /** Columns of the terminal; unlimited if left out. */
  readonly width?: number;
  /** For "so long ago"; left out where the text must not depend on the time. */
  readonly nowMs?: number;
  /** What activities under way last told of themselves. */
  readonly inHand?: readonly string[];
}

export function renderStatus(view: StatusView, options: StatusOptions = {}): string {
  const { step } = view;
  const sections = [
    [
      `${view.cluster}${view.target === '' ? '' : ` → ${printable(view.target)}`}: ${view.phase}`,
      printable(view.sentence),
      ...(step.of === 0
        ? []
        : [`Step ${step.number} of ${step.of}: ${printable(step.name)}${since(step.since, options)}`]),
      ...(options.inHand ?? []).map((line) => clipLine(`  ${printable(line)}`, options.width)),
    ].join('\n'),
    renderNodes(view.nodes, view.nodesAsOf),
    renderWait(view, options),
    view.watch === undefined ? '' : renderWatch(view.watch, options),
    renderGuard(view, options),
    renderEscapes(view, options),
    renderOpenings(view, options),
    renderSteps(view.steps, options),
    renderRefused(view, options),
    view.planDigest === '' ? '' : `Plan ${view.planDigest.slice(0, 12)}`,
  ];
  return sections.filter((s) => s !== '').join('\n\n');
}

const since = (iso: string | undefined, { nowMs }: StatusOptions): string => {
  if (iso === undefined || nowMs === undefined) return '';
  const at = Date.parse(iso);
  return Number.isNaN(at) ? '' : `, for ${formatDuration(Math.max(0, nowMs - at))}`;
};

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
  ];
  if (watch?.state === 'blind') lines.push('  it stands still: time without probes doesn’t count');
  return lines.map((line) => clipLine(printable(line), options.width)).join('\n');
}

/** What is kept as it must be, and what was lost on the way. */
function renderGuard({ guard, remedies = [] }: Pick<StatusView, 'guard' | 'remedies'>, options: StatusOptions): string {
  if (guard === undefined) return '';
  const words: Record<WatchView['state'], string> = {
    watching: 'guarding',
    blind: 'BLIND: it can’t be looked at',
    regression: 'LOST',
    ended: 'ended',
  };
  const last = guard.last === undefined ? '' : `; ${printable(guard.last)}`;
  const lines = [
    `${printable(guard.name)}: ${words[guard.state]}${since(guard.since, options)}${last}`,
    ...remedies.map(({ at, why, outcome }) => `  ${time(at)} lost: ${printable(why)} → ${printable(outcome)}`),
  ];
  return lines.map((line) => clipLine(line, options.width)).join('\n');
}

/** Traffic that was moved away. */
const renderEscapes = ({ escapes = [] }: Pick<StatusView, 'escapes'>, options: StatusOptions): string =>
  escapes
    .map(({ at, why, outcome }) =>
      clipLine(`${time(at)} moved away: ${printable(why)} → ${printable(outcome)}`, options.width),
    )
    .join('\n');

function renderWatch(watch: WatchView, options: StatusOptions): string {
  const last = watch.last === undefined ? '' : `; ${printable(watch.last)}`;
  const words: Record<WatchView['state'], string> = {
    watching: 'watching',
    blind: 'BLIND: no probe results arrive',
    regression: 'REGRESSION',
    ended: 'ended',
  };
  const lines = [
    `${printable(watch.name)}: ${words[watch.state]}${since(watch.since, options)}${last}`,
    `  probes passed ${watch.pass}, failed ${watch.fail}, inconclusive ${watch.inconclusive}; observed ${formatDuration(watch.observedMs)}${watch.asOf === undefined ? '' : ` (as of ${time(watch.asOf)})`}`,
  ];
  if (watch.escape !== undefined)
    lines.push(
      watch.escape.ready
        ? '  the way back is ready'
        : `  THE WAY BACK IS NOT READY: ${printable(watch.escape.why ?? 'no reason given')}`,
    );
  return lines.map((line) => clipLine(line, options.width)).join('\n');
}

function renderOpenings(view: StatusView, options: StatusOptions): string {
  if (view.waitingFor.length === 0) return '';
  return ['WAITING FOR PEOPLE', ...view.waitingFor.map((o) => renderOpening(view.cluster, o, options))].join('\n');
}

/** A question with the commands that answer it. */
export function renderOpening(cluster: string, opening: OpeningView, options: StatusOptions = {}): string {
  const who = opening.from === undefined ? 'anyone' : opening.from.join(', ');
  const expiry =
    opening.expiresAt === undefined
      ? ''
      : `; until ${time(opening.expiresAt)}${inTime(opening.expiresAt, options)}${opening.onExpiry === undefined ? '' : `, then ${opening.onExpiry}`}`;
  const soFar = opening.answered.length === 0 ? 'nobody' : opening.answered.join(', ');
  return [
    `${opening.id}  ${printable(opening.question)}`,
    `    ${opening.needed} needed, from ${printable(who)}; so far ${printable(soFar)}${expiry}`,
    `    digest ${opening.digest.slice(0, 12)}, asked ${time(opening.openedAt)}${since(opening.openedAt, options)}`,
    ...answersTo(cluster, opening).map((command) => `    ${command}`),
  ].join('\n');
}

const inTime = (iso: string, { nowMs }: StatusOptions): string => {
  if (nowMs === undefined) return '';
  const left = Date.parse(iso) - nowMs;
  return left > 0 ? ` (${formatDuration(left)} left)` : ' (over)';
};

/** The commands that answer an opening, ready to be copied. */
export function answersTo(cluster: string, opening: OpeningView): string[] {
  switch (opening.kind) {
    case 'gate':
      return [`hitless approve ${cluster} ${opening.id}`, `hitless reject ${cluster} ${opening.id} --comment "why"`];
    case 'pause':
      return [`hitless resume ${cluster} --reason "why"`];
    case 'hold':
    case 'task':
      return opening.choices.map((choice) =>
        choice === 'skip'
          ? `hitless decide ${cluster} ${opening.id} skip --comment "why"`
          : choice === 'waive'
            ? `hitless decide ${cluster} ${opening.id} waive --waive ${(opening.waivable ?? []).join(',')} --comment "why"`
            : `hitless decide ${cluster} ${opening.id} ${choice}`,
      );
  }
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

function renderRefused(view: Pick<StatusView, 'refused'>, options: StatusOptions): string {
  if (view.refused.length === 0) return '';
  const rows = view.refused.map((r) => [time(r.at), r.signal, r.by ?? '', r.why]);
  return `REFUSED MESSAGES\n${table(rows, { indent: 2, ...(options.width === undefined ? {} : { width: options.width }) })}`;
}

const endings: Readonly<Record<Report['ending'], string>> = {
  Completed: 'UPGRADED',
  RolledBack: 'ROLLED BACK',
  Stopped: 'STOPPED',
  Cancelled: 'CANCELLED',
};

export function renderReport(report: Report, options: StatusOptions = {}): string {
  const answers = report.answers.map((a) => [time(a.at), a.opening, a.by, a.choice, a.comment ?? '', a.question ?? '']);
  const width = options.width === undefined ? {} : { width: options.width };
  const sections = [
    [
      `${report.cluster} → ${printable(report.target)}: ${endings[report.ending]}`,
      printable(report.sentence),
      `It stands so: ${printable(report.standing)}`,
      ...(report.requestedBy === undefined ? [] : [`Requested by ${printable(report.requestedBy)}`]),
      `${time(report.startedAt)} to ${time(report.endedAt)}, ${formatDuration(Math.max(0, Date.parse(report.endedAt) - Date.parse(report.startedAt)))}`,
    ].join('\n'),
    renderNodes(report.nodes, report.nodesAsOf),
    report.watch === undefined ? '' : renderWatch(report.watch, options),
    renderGuard(report, options),
    renderEscapes(report, options),
    answers.length === 0 ? '' : `ANSWERS\n${table(answers, { indent: 2, ...width })}`,
    renderSteps(report.steps, options),
    renderRefused(report, options),
    `Plan ${report.planDigest.slice(0, 12)}`,
  ];
  return sections.filter((s) => s !== '').join('\n\n');
}

/** Parts of a status, for a screen that has no room for all of them. */
export { renderEscapes, renderGuard, renderWait, renderWatch, since };
