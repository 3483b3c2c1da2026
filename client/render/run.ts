/** RunState and what became of messages → text. Pure. */
import { formatDuration } from '../../activities/kit/duration';
import type { Outcome } from '../answer';
import type { RunState } from '../run';
import type { ServerView } from '../server-view';
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
  const who = cancelled === undefined ? '' : `Cancelled by ${printable(cancelled.by)}`;
  const why = cancelled?.reason === undefined ? '' : `: ${printable(cancelled.reason)}`;
  const tail = [
    ...(cancelled === undefined ? [] : [`${who}, ${time(cancelled.at)}${why}`]),
    `Run ${run.workflowId} ${run.runId}`,
    ...(run.link === undefined ? [] : [run.link]),
  ];
  return [head.join('\n'), body, tail.join('\n')].filter((part) => part !== '').join('\n\n');
}

/** What the run's activities are at, where they say so: more than their first beat, or a failure that is tried again. */
function inHandLines({ inHand = [] }: RunState, { nowMs }: StatusOptions): string[] {
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
  return `${span}\nSomebody terminated it in Temporal: nothing was undone, and nobody has looked since. Look at the devices; a new run reads them itself.`;
};

/** What the server knows by itself, when nobody computes a status. */
function renderServer(server: ServerView, options: StatusOptions): string {
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
      'NO WORKER ANSWERS, so this is only what the server knows: it may be old.',
      `  ${printable(server.why)}`,
      server.lastPoll === undefined
        ? `  no worker has polled the task queue "${server.taskQueue}" in the last minutes; start one with: hitless worker`
        : `  the task queue "${server.taskQueue}" was last polled ${time(server.lastPoll.at)}${age} by ${printable(server.lastPoll.by)}`,
      '  Nothing goes on until a worker is back; what is sent now is recorded and read then.',
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
    case 'counted':
      return `${verb}: counted, more are needed\n${renderOpening(cluster, outcome.opening)}`;
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
