/** RunState and what became of messages → text. Pure. */
import { formatDuration } from '../../activities/kit/duration';
import type { Outcome } from '../answer';
import type { RunState } from '../run';
import { cureOf, type ServerView, type Silence } from '../server-view';
import type { FailingTasks } from '../tasks';
import { renderOpening, renderReport, renderStatus, type StatusOptions } from './status';
import { indent, printable, table, time } from './text';

export function renderRun(run: RunState, options: StatusOptions = {}): string {
  const head = [
    ...(run.status === undefined && run.report === undefined ? [`${run.cluster}: ${run.execution}`] : []),
    ...(run.failure === undefined || run.report !== undefined ? [] : [renderFailure(run.failure)]),
  ];
  const body =
    run.status !== undefined
      ? renderStatus(run.status, { ...options, inHand: inHandLines(run, options) })
      : run.report !== undefined
        ? renderReport(run.report, options)
        : run.server !== undefined
          ? renderServer(run.server, options)
          : renderBareEnd(run);
  const { cancelled } = run;
  const who =
    cancelled === undefined
      ? ''
      : `Cancelled ${cancelled.by === '' ? 'by somebody who gave no name' : `by ${printable(cancelled.by)}`}`;
  const via = cancelled?.via === undefined ? '' : ` (sent as ${printable(cancelled.via)})`;
  const why = cancelled?.reason === undefined ? '' : `: ${printable(cancelled.reason)}`;
  const tail = [
    ...(cancelled === undefined ? [] : [`${who}, ${time(cancelled.at)}${why}${via}`]),
    `Run ${run.workflowId} ${run.runId}`,
    ...(run.link === undefined ? [] : [run.link]),
  ];
  return [head.join('\n'), renderReset(run), body, tail.join('\n')].filter((part) => part !== '').join('\n\n');
}

/** What the run's activities are at, where they say so: more than their first beat, or a failure that is tried again. */
export function inHandLines({ inHand = [] }: RunState, { nowMs }: StatusOptions): string[] {
  return inHand.flatMap(({ note, heardAt, attempt, lastFailure }) => {
    const told = note === undefined || note === 'started' ? [] : [note];
    const failed = lastFailure === undefined ? [] : [`attempt ${attempt}; the last one failed: ${lastFailure}`];
    if (told.length + failed.length === 0) return [];
    const ago =
      told.length === 0 || heardAt === undefined || nowMs === undefined
        ? ''
        : ` (${formatDuration(Math.max(0, nowMs - Date.parse(heardAt)))} ago)`;
    return [`${[...told, ...failed].join('; ')}${ago}`];
  });
}

const renderFailure = ({ type, message }: NonNullable<RunState['failure']>): string =>
  `${type}: ${indent(message, 2).trimStart()}`;

const renderBareEnd = (run: RunState): string => {
  const span = `${time(run.startedAt)} to ${run.closedAt === undefined ? '?' : time(run.closedAt)}`;
  if (run.execution !== 'terminated') return span;
  const { by, at, reason } = run.terminated ?? { by: '' };
  const who = by === '' ? 'Somebody' : printable(by);
  const when = at === undefined ? '' : `, ${time(at)}`;
  const why = reason === undefined ? '' : ` (${printable(reason)})`;
  return `${span}\n${who} terminated it in Temporal${when}${why}: nothing was undone, and nobody has looked since. Look at the devices; a new run reads them itself.`;
};

/** A reset runs again from an earlier point, on devices that it has already changed. */
function renderReset({ resetAt, status, report }: RunState): string {
  if (resetAt === undefined) return '';
  const head = `RESET ${time(resetAt)}: it runs again from an earlier point of its history.`;
  // What it has found there stands in its status.
  const isKnown = (status ?? report)?.takenOver?.some(({ from }) => from === 'reset') === true;
  return isKnown
    ? head
    : `${head} What it had done after that point isn't known to it: look at the devices before you trust an undo.`;
}

const HEADINGS: Readonly<Record<Silence, string>> = {
  'no-worker': 'NO WORKER ANSWERS, so this is only what the server knows: it may be old.',
  'no-answer': 'NO WORKER ANSWERS, so this is only what the server knows: it may be old.',
  'not-begun': 'IT HAS NOT BEGUN, and nothing has been touched. This is what the server knows.',
  'tasks-fail': 'THE RUN IS STUCK: workers are there, but its workflow tasks fail. This is what the server knows.',
  'too-large': 'ITS STATUS CANNOT BE CARRIED: it is too large. This is what the server knows.',
  'no-query': 'ITS WORKER GIVES NO STATUS. This is what the server knows.',
};

/** What came of the messages that are sent meanwhile. */
const consequence = (silence: Silence): string => {
  switch (silence) {
    case 'no-worker':
      return 'Nothing goes on until a worker is back; what is sent now is recorded and read then.';
    case 'not-begun':
    case 'no-answer':
      return 'What is sent now is recorded, and read when a worker comes to it.';
    case 'tasks-fail':
      return 'Nothing goes on until its tasks can be done: no step, no watch result, no undo; what is sent now is recorded.';
    case 'too-large':
    case 'no-query':
      return 'Answers still reach it (OPENING --digest DIGEST), and so does hitless cancel.';
  }
};

/** The same in a line, for logs. */
export const silenceLine = ({ silence, why }: ServerView): string =>
  silence === 'no-worker' || silence === 'no-answer' ? `no worker answers: ${why}` : why;

const renderTasks = ({ attempt, since, cause, message, by }: FailingTasks): string[] => [
  `  cause: ${printable(cause)}${message === undefined ? '' : `: ${indent(message, 4).trimStart()}`}`,
  `  attempt ${attempt}${since === undefined ? '' : `, since ${time(since)}`}${by === undefined ? '' : `, first failed at worker ${printable(by)}`}`,
];

/** What the server knows by itself, when nobody computes a status. */
function renderServer(server: ServerView, options: StatusOptions): string {
  const { silence, tasks } = server;
  const age =
    server.lastPoll === undefined || options.nowMs === undefined
      ? ''
      : `, ${formatDuration(Math.max(0, options.nowMs - Date.parse(server.lastPoll.at)))} ago`;
  const facts = [
    ['target', server.target ?? ''],
    ['phase', server.phase ?? ''],
    ['waiting for', server.waitingFor ?? ''],
  ].filter(([, value]) => value !== '');
  const pending = server.pending.map((p) => [
    p.activity,
    p.state,
    `attempt ${p.attempt}`,
    p.note ?? '',
    p.heardAt === undefined ? '' : `heard ${time(p.heardAt)}`,
    p.lastFailure === undefined ? '' : `last failure: ${p.lastFailure}`,
  ]);
  const sections = [
    [
      HEADINGS[silence],
      ...(tasks === undefined ? [`  ${printable(server.why)}`] : renderTasks(tasks)),
      server.lastPoll === undefined
        ? `  no worker has polled the task queue "${server.taskQueue}" in the last minutes`
        : `  the task queue "${server.taskQueue}" was last polled ${time(server.lastPoll.at)}${age} by ${printable(server.lastPoll.by)}`,
      `  ${consequence(silence)}`,
      `  → ${cureOf(server)}`,
    ].join('\n'),
    facts.length === 0 ? '' : table(facts, { indent: 2 }),
    pending.length === 0
      ? ''
      : `IN HAND, AS LAST HEARD\n${table(pending, { indent: 2, ...(options.width === undefined ? {} : { width: options.width }) })}`,
  ];
  return sections.filter((s) => s !== '').join('\n\n');
}

export function renderOutcome(cluster: string, verb: string, outcome: Outcome): string {
  switch (outcome.kind) {
    case 'counted': {
      const { counted, needed, opening } = outcome;
      const soFar = counted === undefined || needed === undefined ? '' : `: ${counted} of ${needed}`;
      return `${verb}: counted, more are needed${soFar}${opening === undefined ? '' : `\n${renderOpening(cluster, opening)}`}`;
    }
    case 'closed':
      return `${verb}: counted; ${outcome.opening} is closed`;
    case 'accepted':
      return `${verb}: accepted`;
    case 'refused':
      return `${verb}: refused: ${printable(outcome.why)}`;
    case 'recorded':
      return `${verb}: recorded, not yet read: ${printable(outcome.why)}. The server keeps it for the worker; hitless status ${cluster} shows what became of it`;
    case 'unclear':
      return `${verb}: sent, but the status doesn't show yet what became of it; look again: hitless status ${cluster}`;
  }
}
