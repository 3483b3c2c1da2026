/** The worker's main: checks everything that could go wrong before it polls, then runs until told to stop. */
import { Client } from '@temporalio/client';
import { Worker, type NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import { hitlessActivities, type HitlessActivities } from './activities';
import { workflowBundle } from './bundle';
import { asked, checkServer, connectToServer, whereOf } from './connection';
import { loadInventory, siteNotes, siteQueueOf, watchQueueOf } from './inventory';
import { historyService } from './histories';
import type { FindWorkflow } from './log';
import { lookForPausedWatches } from './paused-watches';
import { HitlessPlugin } from './plugin';
import { replayOpenRuns } from './replay';
import { useRuntime, workerLog } from './runtime';
import type { Where } from './start-fault';
import { WatchRooms } from './watch-room';

export interface WorkerSettings {
  readonly connection: NativeConnectionOptions;
  readonly namespace: string;
  /** Path of the inventory file. */
  readonly inventory: string;
  readonly uiUrl?: string;
  /** Directory for whole outputs of commands; none are kept if left out. */
  readonly evidence?: string;
  /** Sites whose devices this worker reaches; it then polls their queues too. */
  readonly sites?: readonly string[];
  /** Watches at once; more wait, and are shown as inconclusive. Default 1,000. */
  readonly watchSlots?: number;
  /** Runs (by run or workflow ID) that are left out of the check that this build can go on with every open run. */
  readonly leave?: readonly string[];
  /** What a person wants to know while it starts. */
  readonly onProgress?: (text: string) => void;
}

export interface RunningWorker {
  readonly taskQueues: readonly string[];
  /** Settles when the worker has stopped; rejects if it broke. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Activities in hand have so long to end when the worker stops; what is longer goes on with another worker. */
const GRACE_MS = 5_000;
const LOOKUP_TIMEOUT_MS = 5_000;

/**
 * @throws InventoryError, CannotStart, ReplayRefused: nothing was polled then, and nothing is left that would keep the
 *   process.
 */
export async function startWorker(settings: WorkerSettings): Promise<RunningWorker> {
  const inventory = loadInventory(settings.inventory);
  const { taskQueue } = inventory;
  for (const text of siteNotes(inventory, settings.sites ?? [])) settings.onProgress?.(text);
  const where = whereOf(settings.connection, settings.namespace);
  const release = useRuntime();
  let connection: NativeConnection | undefined;
  try {
    connection = await connectToServer(settings.connection, where);
    await check(connection, where, taskQueue, settings);
    return await poll(connection, taskQueue, settings, release);
  } catch (error) {
    // With workers that were made and never ran it can't be closed; the Runtime ends with it.
    await connection?.close().catch(() => undefined);
    await release();
    throw error;
  }
}

/** Everything that can be known before anything is polled. */
async function check(
  connection: NativeConnection,
  where: Where,
  taskQueue: string,
  { leave, onProgress: say = () => undefined }: WorkerSettings,
): Promise<void> {
  await checkServer(connection, where);
  say('Bundling the workflows …');
  const client = new Client({ connection, namespace: where.namespace });
  const bundle = await workflowBundle();
  const replayed = await asked(where, () =>
    replayOpenRuns(client, taskQueue, bundle, { say, ...(leave !== undefined && { leave }) }),
  );
  if (replayed > 0)
    say(`Replayed ${replayed} open ${replayed === 1 ? 'run' : 'runs'}: this build can go on with them.`);
}

async function poll(
  connection: NativeConnection,
  taskQueue: string,
  settings: WorkerSettings,
  release: () => Promise<void>,
): Promise<RunningWorker> {
  const { namespace } = settings;
  const rooms = new WatchRooms(settings.watchSlots);
  const client = new Client({ connection, namespace });
  const history = historyService(client);
  const hitless = hitlessActivities({ ...settings, history, watchRoom: (queue) => rooms.of(queue) });
  try {
    const plugins = [new HitlessPlugin({ activities: hitless.activities })];
    const common = { connection, namespace, plugins, shutdownGraceTime: GRACE_MS };
    const queues = [taskQueue, ...(settings.sites ?? []).map((site) => siteQueueOf(taskQueue, site))];
    // Workflows run on the first queue only; the others are for activities at their sites.
    const code = { workflowBundle: await workflowBundle() };
    const workers = await Promise.all(
      queues.flatMap((queue, index) => [
        Worker.create({ ...common, taskQueue: queue, ...(index === 0 ? code : {}) }),
        watchWorker({ ...common, taskQueue: watchQueueOf(queue) }, rooms),
      ]),
    );
    const forget = workerLog.finds(workflowOf(connection, namespace));
    const paused = lookForPausedWatches(client, taskQueue);
    const ended = run(workers).finally(() => end({ hitless, connection, paused, forget, release }));
    ended.catch(() => undefined);
    return { taskQueues: queues, ended, stop: () => stop(workers, ended) };
  } catch (error) {
    hitless.close();
    throw error;
  }
}

async function watchWorker(
  options: Parameters<typeof Worker.create>[0] & { taskQueue: string },
  rooms: WatchRooms,
): Promise<Worker> {
  const worker = await Worker.create({ ...options, maxConcurrentActivityTaskExecutions: rooms.slots });
  rooms.add(options.taskQueue, worker);
  return worker;
}

/** Runs all; where one breaks the others stop too, so that the whole process ends and is started again. */
async function run(workers: readonly Worker[]): Promise<void> {
  const running = workers.map((worker) => worker.run());
  try {
    await Promise.all(running);
  } catch (error) {
    shutDown(workers);
    await Promise.allSettled(running);
    throw error;
  }
}

const shutDown = (workers: readonly Worker[]): void => {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
};

async function stop(workers: readonly Worker[], ended: Promise<void>): Promise<void> {
  shutDown(workers);
  await ended;
}

interface Held {
  readonly hitless: HitlessActivities;
  readonly connection: NativeConnection;
  readonly paused: { stop(): Promise<void> };
  readonly forget: () => void;
  readonly release: () => Promise<void>;
}

async function end({ hitless, connection, paused, forget, release }: Held): Promise<void> {
  await paused.stop();
  hitless.close();
  forget();
  // A worker that broke may still count as its user.
  await connection.close().catch(() => undefined);
  await release();
}

/** Asks the server whose run it is: the SDK's core doesn't say. */
const workflowOf =
  (connection: NativeConnection, namespace: string): FindWorkflow =>
  async (runId) => {
    const { executions } = await connection.withDeadline(Date.now() + LOOKUP_TIMEOUT_MS, () =>
      connection.workflowService.listWorkflowExecutions({ namespace, query: `RunId = "${runId}"`, pageSize: 1 }),
    );
    return executions[0]?.execution?.workflowId ?? undefined;
  };
