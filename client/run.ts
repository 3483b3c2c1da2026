/** Reading a run: what its worker says, what its report says once it has ended, or what the server knows without either. */
import {
  QueryNotRegisteredError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { queries, reportMemo, workflowIdOf, type Report, type StatusView } from '../workflows/contract';
import { cancelledBy, type Cancelled } from './cancel';
import { ClientError, exitCodes } from './exit';
import { noWorkerAnswered } from './failures';
import { newestPoll, pendingCall, serverView, type PendingCall, type ServerView } from './server-view';

/** A connection with what is needed to tell people where they are. */
export interface Engine {
  readonly client: Client;
  /** host:port of the server. */
  readonly address: string;
  /** Base URL of the Web UI, without a slash at the end, where known. */
  readonly webUi?: string;
}

export type Execution = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed out';

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
  /** Of a running run: what its activities under way last told of themselves. */
  readonly inHand?: readonly PendingCall[];
  /** Of a running run whose worker doesn't answer. */
  readonly server?: ServerView;
  /** Of an ended run. */
  readonly report?: Report;
  /** Of a cancelled run: who asked for it. */
  readonly cancelled?: Cancelled;
  /** Of an ended run that failed without a report, or beside it. */
  readonly failure?: { readonly type: string; readonly message: string; readonly details?: unknown };
}

/** How long a worker may take to answer. A worker that replays a long history needs seconds. */
const QUERY_TIMEOUT_MS = 10_000;
/** The same where no worker seems to poll: one that has only just come must still be able to answer. */
const UNPOLLED_QUERY_TIMEOUT_MS = 2_000;
/** A worker's long poll lasts a minute at most, so one that lives has polled within this time. */
const POLL_AGE_MS = 70_000;

export const deepLink = (engine: Engine, workflowId: string, runId?: string): string | undefined =>
  engine.webUi === undefined
    ? undefined
    : `${engine.webUi}/namespaces/${encodeURIComponent(engine.client.options.namespace)}/workflows/${encodeURIComponent(workflowId)}${runId === undefined ? '' : `/${runId}`}`;

/** The newest run of a cluster's upgrade. @throws ClientError notFound if there is none. */
export const readUpgrade = (engine: Engine, cluster: string): Promise<RunState> =>
  readRun(engine, cluster, workflowIdOf(cluster));

export async function readRun(
  engine: Engine,
  cluster: string,
  workflowId: string,
  options: { readonly runId?: string } = {},
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
    const inHand = (description.raw.pendingActivities ?? []).map(pendingCall);
    return { ...base, inHand, status: withClock(await queryStatus(client, cluster, description), Date.now()) };
  } catch (error) {
    const why = noWorkerAnswered(error);
    if (why === undefined) throw error;
    return { ...base, server: await serverView(client, description, why) };
  }
}

async function queryStatus(
  client: Client,
  cluster: string,
  { workflowId, runId, taskQueue }: WorkflowExecutionDescription,
): Promise<StatusView> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const lastPoll = Date.parse((await newestPoll(client, taskQueue))?.at ?? '1970-01-01');
  // The server's clock against ours: at worst the wrong one of two timeouts.
  const timeoutMs = Date.now() - lastPoll < POLL_AGE_MS ? QUERY_TIMEOUT_MS : UNPOLLED_QUERY_TIMEOUT_MS;
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

/** A query hears no newer time than the run's last event: what counts with the clock is brought up to date here. */
export function withClock(status: StatusView, nowMs: number): StatusView {
  const { wait } = status;
  if (wait?.counting !== true) return status;
  const observedMs = Math.min(wait.neededMs, wait.observedMs + Math.max(0, nowMs - Date.parse(wait.asOf)));
  return { ...status, wait: { ...wait, observedMs } };
}

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
): Promise<Pick<RunState, 'report' | 'failure' | 'cancelled'>> {
  try {
    const result: unknown = await client.workflow.getHandle(description.workflowId, description.runId).result();
    return isReport(result) ? { report: result } : {};
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof CancelledFailure) {
      const report = description.memo?.[reportMemo];
      const { workflowId, runId } = description;
      const cancelled = await cancelledBy(client, { workflowId, runId });
      return { ...(isReport(report) && { report }), ...(cancelled && { cancelled }) };
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
