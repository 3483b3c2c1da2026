/** All upgrades that a server knows: the open ones, and those that ended lately. Bounded in what is read and in time. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { queries, searchAttributes, workflowIdOf, type StatusView } from '../workflows/contract';
import { closeEvent } from './history';
import { deepLink, executionOf, type Engine, type Execution } from './run';
import { attributeOf, beginsAt, isPolled, newestPoll } from './server-view';
import { failingSentence, failingTasks } from './tasks';

export interface ListedRun {
  readonly cluster: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly execution: Execution;
  readonly startedAt: string;
  readonly closedAt?: string;
  readonly link?: string;
  readonly target?: string;
  readonly phase?: string;
  /** IDs of the open questions, as the server has them. */
  readonly waitingFor: readonly string[];
  /** Of an open run whose worker answered: step, questions in full, who requested it. */
  readonly status?: Pick<StatusView, 'step' | 'waitingFor' | 'requestedBy' | 'sentence'>;
  /** Why an open run has no status. */
  readonly trouble?: string;
  /** Of a run that failed: the type of its failure, as RolledBack or Stopped. */
  readonly ending?: string;
}

export interface Listing {
  readonly runs: readonly ListedRun[];
  /** True where there are more than were read. */
  readonly isCut: boolean;
}

export interface ListOptions {
  /** Ended runs that ended since then; all that the server still has if left out. */
  readonly endedSinceMs?: number;
  /** Only what waits for people. */
  readonly waiting?: boolean;
}

const MAX_OPEN = 500;
const MAX_ENDED = 100;
/** A worker replays a run's history to answer for it, and keeps a hundred runs at hand. */
const MAX_ASKED = 100;
const AT_ONCE = 8;
const QUERY_TIMEOUT_MS = 2_000;
/** For all runs together. */
const ASKING_MS = 10_000;

/** An upgrade has this ID or doesn't begin; a dry run has another. */
const PREFIX = workflowIdOf('');
const UPGRADES = `WorkflowId STARTS_WITH "${PREFIX}"`;
const ENDED = 'ExecutionStatus != "Running" AND ExecutionStatus != "ContinuedAsNew"';

export async function listUpgrades(engine: Engine, options: ListOptions = {}): Promise<Listing> {
  const { client } = engine;
  const since =
    options.endedSinceMs === undefined ? '' : ` AND CloseTime > "${new Date(options.endedSinceMs).toISOString()}"`;
  const open = await atMost(client, `${UPGRADES} AND ExecutionStatus = "Running"`, MAX_OPEN);
  const ended =
    options.waiting === true ? NOTHING : await atMost(client, `${UPGRADES} AND ${ENDED}${since}`, MAX_ENDED);

  // Who waits comes first, also where not all can be asked.
  const known = open.infos.map((info) => fromServer(engine, info)).sort(byUrgency);
  const asked = await inTurn(known, async (run, index, deadlineMs) =>
    index < MAX_ASKED && Date.now() < deadlineMs ? withStatus(client, run, deadlineMs) : run,
  );
  const runs = asked.map(({ taskQueue: _, ...run }) => run).sort(byUrgency);
  const closed = await inTurn(
    ended.infos.map((info) => fromServer(engine, info)),
    async ({ taskQueue: _, ...run }) => withEnding(client, run),
  );
  closed.sort((a, b) => (b.closedAt ?? '').localeCompare(a.closedAt ?? ''));
  return {
    runs: [...runs, ...closed].filter((run) => options.waiting !== true || run.waitingFor.length > 0),
    isCut: open.isCut || ended.isCut,
  };
}

interface Found {
  readonly infos: readonly WorkflowExecutionInfo[];
  readonly isCut: boolean;
}
const NOTHING: Found = { infos: [], isCut: false };

async function atMost(client: Client, query: string, limit: number): Promise<Found> {
  const infos: WorkflowExecutionInfo[] = [];
  for await (const info of client.workflow.list({ query, pageSize: limit + 1 })) {
    if (infos.length === limit) return { infos, isCut: true };
    infos.push(info);
  }
  return { infos, isCut: false };
}

type Known = ListedRun & { readonly taskQueue: string };
const NOT_BEGUN = 'not begun';

/** What the server's list tells, without a worker. */
function fromServer(engine: Engine, info: WorkflowExecutionInfo): Known {
  const { workflowId, runId } = info;
  const target = attributeOf(info, searchAttributes.target);
  const phase = attributeOf(info, searchAttributes.phase);
  const waiting = attributeOf(info, searchAttributes.waitingFor) ?? 'nobody';
  const link = deepLink(engine, workflowId, runId);
  return {
    cluster: workflowId.slice(PREFIX.length),
    workflowId,
    runId,
    taskQueue: info.taskQueue,
    execution: executionOf(info),
    startedAt: info.startTime.toISOString(),
    ...(info.closeTime && { closedAt: info.closeTime.toISOString() }),
    ...(link !== undefined && { link }),
    ...(target !== undefined && { target }),
    ...(phase !== undefined && { phase }),
    // An ended run waits for nobody, whatever it said last.
    waitingFor: info.closeTime || waiting === 'nobody' ? [] : waiting.split(' '),
    ...(beginsAt(info, Date.now()) !== undefined && { trouble: NOT_BEGUN }),
  };
}

/** What its worker says. A worker that doesn't answer at once costs us two seconds, a queue that nobody polls none. */
async function withStatus(client: Client, run: Known, deadlineMs: number): Promise<Known> {
  if (run.trouble === NOT_BEGUN) return run;
  const handle = client.workflow.getHandle(run.workflowId);
  if (!isPolled(await newestPoll(client, run.taskQueue), Date.now())) return { ...run, trouble: 'no worker' };
  try {
    const until = Math.min(deadlineMs, Date.now() + QUERY_TIMEOUT_MS);
    const { step, waitingFor, requestedBy, sentence, phase, target } = await client.withDeadline(until, () =>
      handle.query<StatusView>(queries.status),
    );
    return {
      ...run,
      phase,
      ...(target !== undefined && { target }),
      waitingFor: waitingFor.map(({ id }) => id),
      status: { step, waitingFor, sentence, ...(requestedBy !== undefined && { requestedBy }) },
    };
  } catch {
    const tasks = await failingTasks(client, await handle.describe()).catch(() => undefined);
    return { ...run, trouble: tasks === undefined ? 'no answer' : `STUCK: ${failingSentence(tasks)}` };
  }
}

async function withEnding(client: Client, run: ListedRun): Promise<ListedRun> {
  if (run.execution !== 'failed') return run;
  const event = await closeEvent(client, run).catch(() => undefined);
  const type = event?.workflowExecutionFailedEventAttributes?.failure?.applicationFailureInfo?.type;
  return type ? { ...run, ending: type } : run;
}

const byUrgency = (a: ListedRun, b: ListedRun): number =>
  Number(b.waitingFor.length > 0) - Number(a.waitingFor.length > 0) || (a.cluster < b.cluster ? -1 : 1);

/** A few at a time, in the order given. */
async function inTurn<T, R>(
  items: readonly T[],
  work: (item: T, index: number, deadlineMs: number) => Promise<R>,
): Promise<R[]> {
  const deadlineMs = Date.now() + ASKING_MS;
  const results: R[] = [];
  const entries = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await work(item, index, deadlineMs);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}
