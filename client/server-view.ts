/** What the server knows of a run when no worker answers. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { searchAttributes } from '../workflows/contract';

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

/** What the server knows of a running run when no worker answers. */
export interface ServerView {
  /** Why there is no status. */
  readonly why: string;
  readonly taskQueue: string;
  /** When a worker last asked this task queue for work; absent if none did in the last minutes. */
  readonly lastPoll?: { readonly at: string; readonly by: string };
  readonly phase?: string;
  readonly waitingFor?: string;
  readonly target?: string;
  readonly pending: readonly PendingCall[];
}

/** Reads what the server knows by itself. */
export async function serverView(
  client: Client,
  description: WorkflowExecutionDescription,
  why: string,
): Promise<ServerView> {
  const attribute = (name: string): string | undefined => {
    const value = description.typedSearchAttributes.getAll().find(({ key }) => key.name === name)?.value;
    return value === undefined ? undefined : String(value);
  };
  const phase = attribute(searchAttributes.phase);
  const waitingFor = attribute(searchAttributes.waitingFor);
  const target = attribute(searchAttributes.target);
  const lastPoll = await newestPoll(client, description.taskQueue);
  return {
    why,
    taskQueue: description.taskQueue,
    ...(lastPoll && { lastPoll }),
    ...(phase !== undefined && { phase }),
    ...(waitingFor !== undefined && { waitingFor }),
    ...(target !== undefined && { target }),
    pending: (description.raw.pendingActivities ?? []).map(pendingCall),
  };
}

type RawPending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];
type RawTime = RawPending['lastHeartbeatTime'];

const isoOf = (time: RawTime): string | undefined =>
  time == null ? undefined : new Date(Number(time.seconds ?? 0) * 1_000 + (time.nanos ?? 0) / 1e6).toISOString();

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
