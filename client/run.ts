/** Reading a run: what its worker says, what its report says once it has ended, or what the server knows without either. */
import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { queries, workflowIdOf, workflowTypes, type StatusView } from '../workflows/contract';
import { describeNewest, firstRunIdOf } from './chain';
import { ClientError, exitCodes } from './exit';
import { unanswered } from './failures';
import { isoOf } from './history';
import { outcomeOf, type EndOfRun } from './outcome';
import {
  beginsAt,
  isPolled,
  newestPoll,
  pendingCall,
  serverView,
  type PendingCall,
  type ServerView,
} from './server-view';
import { failingTasks } from './tasks';

/** A connection with what is needed to tell people where they are. */
export interface Engine {
  readonly client: Client;
  /** host:port of the server. */
  readonly address: string;
  /** Base URL of the Web UI, without a slash at the end, where known. */
  readonly webUi?: string;
}

export type Execution = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed out';

export interface RunState extends EndOfRun {
  readonly cluster: string;
  readonly workflowId: string;
  /** The newest run of the chain (runs continue as new): for links only. */
  readonly runId: string;
  /** The first run of the chain: what tells this upgrade from an earlier or a later one. */
  readonly firstRunId: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  /** Deep link into the Web UI. */
  readonly link?: string;
  readonly execution: Execution;
  readonly startedAt: string;
  readonly closedAt?: string;
  /** When somebody last reset it: it then ran again from an earlier point of its history. */
  readonly resetAt?: string;
  /** Of a running run, from its worker. */
  readonly status?: StatusView;
  /** Of a running run: what its activities under way last told of themselves. */
  readonly inHand?: readonly PendingCall[];
  /** Of a running run that gives no status. */
  readonly server?: ServerView;
}

/** How long a worker may take to answer. A worker that replays a long history needs seconds. */
const QUERY_TIMEOUT_MS = 10_000;
/** The same where no worker seems to poll, or they fail at this run: one that has only just come must still be able to answer. */
const DOUBTFUL_QUERY_TIMEOUT_MS = 2_000;

export const deepLink = (engine: Engine, workflowId: string, runId?: string): string | undefined =>
  engine.webUi === undefined
    ? undefined
    : `${engine.webUi}/namespaces/${encodeURIComponent(engine.client.options.namespace)}/workflows/${encodeURIComponent(workflowId)}${runId === undefined ? '' : `/${runId}`}`;

/** The newest run of a cluster's upgrade. @throws ClientError notFound if there is none. */
export const readUpgrade = (engine: Engine, cluster: string): Promise<RunState> =>
  readRun(engine, cluster, workflowIdOf(cluster));

/** @param options.firstRunId the chain to stay with; the newest one of this workflow ID if left out. */
export async function readRun(
  engine: Engine,
  cluster: string,
  workflowId: string,
  options: { readonly firstRunId?: string } = {},
): Promise<RunState> {
  const { client } = engine;
  let description: WorkflowExecutionDescription;
  try {
    description = await describeNewest(client, workflowId, options.firstRunId);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new ClientError(
      exitCodes.notFound,
      `there is no run ${workflowId} at ${engine.address} (namespace "${client.options.namespace}")`,
      `hitless start ${cluster} VERSION begins one; an ended run is forgotten after the namespace's retention`,
    );
  }
  const link = deepLink(engine, workflowId, description.runId);
  const resetAt = isoOf(description.raw.workflowExtendedInfo?.lastResetTime);
  const base = {
    cluster,
    workflowId,
    runId: description.runId,
    firstRunId: firstRunIdOf(description),
    workflowType: description.type,
    taskQueue: description.taskQueue,
    execution: executionOf(description),
    startedAt: description.startTime.toISOString(),
    ...(description.closeTime && { closedAt: description.closeTime.toISOString() }),
    ...(resetAt !== undefined && { resetAt }),
    ...(link !== undefined && { link }),
  };
  if (base.execution !== 'running') return { ...base, ...(await outcomeOf(client, description)) };
  const delayed = beginsAt(description, Date.now());
  if (delayed !== undefined) {
    const why = `it was started with a delay, and begins at ${delayed.toISOString()}`;
    return { ...base, server: await serverView(client, description, { silence: 'not-begun', why }) };
  }
  try {
    const inHand = (description.raw.pendingActivities ?? []).map(pendingCall);
    return { ...base, inHand, status: withClock(await queryStatus(client, cluster, description), Date.now()) };
  } catch (error) {
    const fault = unanswered(error);
    if (fault === undefined) throw error;
    if (fault.silence === 'no-query' && !isOurs(description.type))
      throw new ClientError(
        exitCodes.failed,
        `${workflowId} is no upgrade of this program: its type is "${description.type}", and ${fault.why}`,
        `types of this program: ${ourTypes.join(', ')}`,
      );
    return { ...base, server: await serverView(client, description, fault) };
  }
}

const ourTypes: readonly string[] = Object.values(workflowTypes).flatMap(({ upgrade, plan }) => [upgrade, plan]);
const isOurs = (type: string): boolean => ourTypes.includes(type);

/** Asks the newest run: the one that was described may have continued as new by now. */
async function queryStatus(
  client: Client,
  cluster: string,
  description: WorkflowExecutionDescription,
): Promise<StatusView> {
  const lastPoll = await newestPoll(client, description.taskQueue);
  const isDoubtful = !isPolled(lastPoll, Date.now()) || (await failingTasks(client, description)) !== undefined;
  const timeoutMs = isDoubtful ? DOUBTFUL_QUERY_TIMEOUT_MS : QUERY_TIMEOUT_MS;
  const handle = client.workflow.getHandle(description.workflowId);
  const answer = await client.withDeadline(Date.now() + timeoutMs, () => handle.query<unknown>(queries.status));
  return completeStatus(cluster, answer);
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

export function executionOf({ status }: Pick<WorkflowExecutionDescription, 'status'>): Execution {
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
