/** Reading a run: what its worker says, what its report says once it has ended, or what the server knows without either. */
import {
  QueryNotRegisteredError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, defaultPayloadConverter } from '@temporalio/common';
import {
  queries,
  reportMemo,
  searchAttributes,
  workflowIdOf,
  type Report,
  type StatusView,
} from '../workflows/contract';
import { ClientError, exitCodes } from './exit';
import { noWorkerAnswered } from './failures';

/** A connection with what is needed to tell people where they are. */
export interface Engine {
  readonly client: Client;
  /** host:port of the server. */
  readonly address: string;
  /** Base URL of the Web UI, without a slash at the end, where known. */
  readonly webUi?: string;
}

export type Execution = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed out';

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

export interface RunState {
  readonly cluster: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly taskQueue: string;
  /** Deep link into the Web UI. */
  readonly link?: string;
  readonly execution: Execution;
  readonly startedAt: string;
  readonly closedAt?: string;
  /** Of a running run, from its worker. */
  readonly status?: StatusView;
  /** Of a running run whose worker doesn't answer. */
  readonly server?: ServerView;
  /** Of an ended run. */
  readonly report?: Report;
  /** Of an ended run that failed without a report, or beside it. */
  readonly failure?: { readonly type: string; readonly message: string; readonly details?: unknown };
}

/** How long a worker may take to answer. A worker that replays a long history needs seconds. */
const QUERY_TIMEOUT_MS = 10_000;

export const deepLink = (engine: Engine, workflowId: string, runId?: string): string | undefined =>
  engine.webUi === undefined
    ? undefined
    : `${engine.webUi}/namespaces/${encodeURIComponent(engine.client.options.namespace)}/workflows/${encodeURIComponent(workflowId)}${runId === undefined ? '' : `/${runId}`}`;

/** The newest run of a cluster's upgrade. @throws ClientError notFound if there is none. */
export const readUpgrade = (
  engine: Engine,
  cluster: string,
  options: { readonly queryTimeoutMs?: number } = {},
): Promise<RunState> => readRun(engine, cluster, workflowIdOf(cluster), options);

export async function readRun(
  engine: Engine,
  cluster: string,
  workflowId: string,
  options: { readonly queryTimeoutMs?: number; readonly runId?: string } = {},
): Promise<RunState> {
  const { client } = engine;
  let description: WorkflowExecutionDescription;
  try {
    description = await client.workflow.getHandle(workflowId, options.runId).describe();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new ClientError(
      exitCodes.notFound,
      `there is no run ${workflowId} at ${engine.address} (namespace "${client.options.namespace}")`,
      `hitless start ${cluster} VERSION begins one; an ended run is forgotten after the namespace's retention`,
    );
  }
  const link = deepLink(engine, workflowId, description.runId);
  const base = {
    cluster,
    workflowId,
    runId: description.runId,
    taskQueue: description.taskQueue,
    execution: executionOf(description),
    startedAt: description.startTime.toISOString(),
    ...(description.closeTime && { closedAt: description.closeTime.toISOString() }),
    ...(link !== undefined && { link }),
  };
  if (base.execution !== 'running') return { ...base, ...(await outcomeOf(client, description)) };
  try {
    return {
      ...base,
      status: await queryStatus(client, cluster, description, options.queryTimeoutMs ?? QUERY_TIMEOUT_MS),
    };
  } catch (error) {
    const why = noWorkerAnswered(error);
    if (why === undefined) throw error;
    return { ...base, server: await serverView(client, description, why) };
  }
}

async function queryStatus(
  client: Client,
  cluster: string,
  { workflowId, runId }: WorkflowExecutionDescription,
  timeoutMs: number,
): Promise<StatusView> {
  const handle = client.workflow.getHandle(workflowId, runId);
  try {
    const answer = await client.withDeadline(Date.now() + timeoutMs, () => handle.query<unknown>(queries.status));
    return completeStatus(cluster, answer);
  } catch (error) {
    if (!(error instanceof QueryNotRegisteredError)) throw error;
    throw new ClientError(exitCodes.failed, `${workflowId} is no upgrade of this program: it knows no query "status"`);
  }
}

/** Before its plan is resolved a run knows little more than its phase; what is missing is empty here. */
const completeStatus = (cluster: string, answer: unknown): StatusView => ({
  cluster,
  target: '',
  phase: 'unknown',
  sentence: '',
  step: { number: 0, of: 0, name: '' },
  nodes: {},
  waitingFor: [],
  steps: [],
  refused: [],
  planDigest: '',
  ...(answer as Partial<StatusView>),
});

function executionOf({ status }: WorkflowExecutionDescription): Execution {
  switch (status.name) {
    case 'COMPLETED':
      return 'completed';
    case 'FAILED':
      return 'failed';
    case 'CANCELLED':
      return 'cancelled';
    case 'TERMINATED':
      return 'terminated';
    case 'TIMED_OUT':
      return 'timed out';
    default:
      return 'running';
  }
}

const isReport = (value: unknown): value is Report =>
  typeof value === 'object' && value !== null && 'ending' in value && 'standing' in value && 'steps' in value;

async function outcomeOf(
  client: Client,
  description: WorkflowExecutionDescription,
): Promise<Pick<RunState, 'report' | 'failure'>> {
  try {
    const result: unknown = await client.workflow.getHandle(description.workflowId, description.runId).result();
    return isReport(result) ? { report: result } : {};
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof CancelledFailure) {
      const report = description.memo?.[reportMemo];
      return isReport(report) ? { report } : {};
    }
    const found = failureOf(cause);
    const report = found.details?.find(isReport);
    return {
      failure: {
        type: found.type,
        message: found.message,
        ...(report === undefined && found.details !== undefined && { details: found.details }),
      },
      ...(report !== undefined && { report }),
    };
  }
}

/** The innermost application failure: what a wrapper adds ("Activity task failed") helps nobody. */
export function failureOf(error: unknown): {
  readonly type: string;
  readonly message: string;
  readonly details?: readonly unknown[];
} {
  let found: { type: string; message: string; details?: readonly unknown[] } | undefined;
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure)
      found = { type: at.type ?? 'Error', message: at.message, ...(at.details != null && { details: at.details }) };
    else found ??= { type: at.name, message: at.message };
  }
  return found ?? { type: 'Unknown', message: String(error) };
}

async function serverView(client: Client, description: WorkflowExecutionDescription, why: string): Promise<ServerView> {
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

function pendingCall(raw: RawPending): PendingCall {
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
    const note: unknown = defaultPayloadConverter.fromPayload(payload);
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
