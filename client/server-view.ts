/** What the server knows of a run that gives no status: because no worker is there, or because workers fail at it. */
import type { Client, WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { searchAttributes } from '../workflows/contract';
import { isoOf } from './history';
import { failingSentence, failingTasks, type FailingTasks } from './tasks';

/** A call that an activity has in hand, as the server knows it. */
export interface PendingCall {
  readonly activity: string;
  readonly state: string;
  readonly attempt: number;
  readonly lastFailure?: string;
  /** Last progress note, and when it came. */
  readonly note?: string;
  readonly heardAt?: string;
}

/**
 * Why there is no status. `no-worker`: none polls. `no-answer`: one polls, but doesn't answer in time. `tasks-fail`: workers
 * are there, and fail at this run. `too-large`: the answer is larger than the server carries. `no-query`: a worker refuses.
 * `not-begun`: it was started with a delay, which isn't over.
 */
export type Silence = 'no-worker' | 'no-answer' | 'tasks-fail' | 'too-large' | 'no-query' | 'not-begun';

/** What the server knows of a running run that gives no status. */
export interface ServerView {
  readonly silence: Silence;
  /** The same as a sentence. */
  readonly why: string;
  /** What is wrong with its workflow tasks, if anything is. */
  readonly tasks?: FailingTasks;
  readonly taskQueue: string;
  /** When a worker last asked this task queue for work; absent if none did in the last minutes. */
  readonly lastPoll?: { readonly at: string; readonly by: string };
  readonly phase?: string;
  readonly waitingFor?: string;
  readonly target?: string;
  readonly pending: readonly PendingCall[];
}

/** A worker's long poll lasts a minute at most, so one that lives has polled within this time. */
const POLL_AGE_MS = 70_000;

/** The server's clock against ours: at worst a worker that has just gone is taken for one that is there. */
export const isPolled = (lastPoll: ServerView['lastPoll'], nowMs: number): boolean =>
  lastPoll !== undefined && nowMs - Date.parse(lastPoll.at) < POLL_AGE_MS;

/** Which silence it is, of a query that nobody answered in time. Pure. */
export function silenceOf(lastPoll: ServerView['lastPoll'], tasks: FailingTasks | undefined, nowMs: number): Silence {
  if (!isPolled(lastPoll, nowMs)) return 'no-worker';
  return tasks === undefined ? 'no-answer' : 'tasks-fail';
}

/** When a run that was started with a delay begins; undefined if it has begun. */
export function beginsAt(
  { executionTime, startTime, status }: Pick<WorkflowExecutionInfo, 'executionTime' | 'startTime' | 'status'>,
  nowMs: number,
): Date | undefined {
  if (executionTime === undefined || status.name !== 'RUNNING') return undefined;
  // Its own times against each other first: our clock may be behind the server's.
  return executionTime > startTime && executionTime.getTime() > nowMs ? executionTime : undefined;
}

/** A search attribute of a run, as text. */
export const attributeOf = (
  { typedSearchAttributes }: Pick<WorkflowExecutionInfo, 'typedSearchAttributes'>,
  name: string,
): string | undefined => {
  const value = typedSearchAttributes.getAll().find(({ key }) => key.name === name)?.value;
  return value === undefined ? undefined : String(value);
};

/** Reads what the server knows by itself, after a query came to nothing. */
export async function serverView(
  client: Client,
  { workflowId }: { readonly workflowId: string },
  fault: { readonly silence?: Silence; readonly why: string },
): Promise<ServerView> {
  // Anew: the query waited for seconds.
  const description = await client.workflow.getHandle(workflowId).describe();
  const { taskQueue } = description;
  const phase = attributeOf(description, searchAttributes.phase);
  const waitingFor = attributeOf(description, searchAttributes.waitingFor);
  const target = attributeOf(description, searchAttributes.target);
  const lastPoll = await newestPoll(client, taskQueue);
  const tasks = await failingTasks(client, description);
  const silence = fault.silence ?? silenceOf(lastPoll, tasks, Date.now());
  return {
    silence,
    why: tasks === undefined ? fault.why : failingSentence(tasks),
    ...(tasks && { tasks }),
    taskQueue,
    ...(lastPoll && { lastPoll }),
    ...(phase !== undefined && { phase }),
    ...(waitingFor !== undefined && { waitingFor }),
    ...(target !== undefined && { target }),
    pending: (description.raw.pendingActivities ?? []).map(pendingCall),
  };
}

/** Where the way out of a run that nobody can take further is written. */
export const WEDGED_HELP = 'docs/operations.md#wedged-runs';

/** What to do about it, for people. */
export const cureOf = ({ silence, taskQueue }: Pick<ServerView, 'silence' | 'taskQueue'>): string => {
  switch (silence) {
    case 'no-worker':
      return `start a worker for the task queue "${taskQueue}": hitless worker`;
    case 'not-begun':
      return 'nothing is to be done; hitless cancel, and it never begins';
    case 'no-answer':
      return 'try again in a moment; if it stays so, look at the log of that worker';
    case 'tasks-fail':
      return `see ${WEDGED_HELP}: a worker of a build that can go on, or a reset that leaves out what it stumbles over`;
    case 'too-large':
    case 'no-query':
      return `the run may go on all the same: its history tells, in the Web UI; see ${WEDGED_HELP}`;
  }
};

type RawPending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

const PENDING_STATES: Readonly<Record<number, string>> = { 1: 'scheduled', 2: 'running', 3: 'being cut', 4: 'paused' };

export function pendingCall(raw: RawPending): PendingCall {
  const note = noteOf(raw.heartbeatDetails?.payloads?.[0]);
  const heardAt = isoOf(raw.lastHeartbeatTime);
  return {
    activity: raw.activityType?.name ?? 'unknown',
    state: PENDING_STATES[Number(raw.state ?? 0)] ?? 'unknown',
    attempt: raw.attempt ?? 1,
    ...(raw.lastFailure?.message != null && { lastFailure: raw.lastFailure.message }),
    ...(note !== undefined && { note }),
    ...(heardAt !== undefined && { heardAt }),
  };
}

function noteOf(payload: unknown): string | undefined {
  if (payload == null) return undefined;
  try {
    const beat: unknown = defaultPayloadConverter.fromPayload(payload);
    const named = typeof beat === 'object' && beat !== null ? (beat as Record<string, unknown>) : {};
    // Steps say `note`, watches `watching`, guards `guarding`.
    const note = named['note'] ?? named['watching'] ?? named['guarding'] ?? beat;
    return typeof note === 'string' ? note : undefined;
  } catch {
    return undefined; // encoded by a codec: not ours to show
  }
}

/** When a workflow worker last polled; the server remembers pollers for about five minutes. */
export async function newestPoll(client: Client, taskQueue: string): Promise<ServerView['lastPoll']> {
  const WORKFLOW = 1;
  const answer = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: WORKFLOW,
  });
  const polls = (answer.pollers ?? [])
    .map((p) => ({ at: isoOf(p.lastAccessTime), by: p.identity ?? '' }))
    .filter((p): p is { at: string; by: string } => p.at !== undefined)
    .sort((a, b) => (a.at < b.at ? 1 : -1));
  return polls[0];
}
