/** The worker's main: checks everything that could go wrong before it polls, then runs until told to stop. */
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type LogEntry,
  type NativeConnectionOptions,
} from '@temporalio/worker';
import { hitlessActivities } from './activities';
import { workflowBundle } from './bundle';
import { ensureSearchAttributes } from './engine';
import { loadInventory, siteQueueOf, watchQueueOf } from './inventory';
import { historyService } from './histories';
import { HitlessPlugin } from './plugin';
import { replayOpenRuns } from './replay';

export interface WorkerSettings {
  readonly connection: ConnectionOptions & NativeConnectionOptions;
  readonly namespace: string;
  /** Path of the inventory file. */
  readonly inventory: string;
  readonly uiUrl?: string;
  /** Directory for whole outputs of commands; none are kept if left out. */
  readonly evidence?: string;
  /** Sites whose devices this worker reaches; it then polls their queues too. */
  readonly sites?: readonly string[];
  /** Watches at once; more wait, and are shown as inconclusive. Default 50. */
  readonly watchSlots?: number;
  /** What a person wants to know while it starts. */
  readonly onProgress?: (text: string) => void;
}

export interface RunningWorker {
  readonly taskQueues: readonly string[];
  /** Settles when the worker has stopped; rejects if it broke. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const WATCH_SLOTS = 50;
/** Activities in hand have so long to end when the worker stops; what is longer goes on with another worker. */
const GRACE_MS = 5_000;

/** @throws InventoryError, ReplayRefused, or an error of the connection: nothing was polled then. */
export async function startWorker(settings: WorkerSettings): Promise<RunningWorker> {
  const say = settings.onProgress ?? (() => undefined);
  installRuntime();
  const { taskQueue } = loadInventory(settings.inventory);
  const { namespace } = settings;
  const connection = await Connection.connect(settings.connection);
  try {
    await ensureSearchAttributes(connection, namespace);
    say('Bundling the workflows …');
    const replayed = await replayOpenRuns(new Client({ connection, namespace }), taskQueue, await workflowBundle());
    if (replayed > 0)
      say(`Replayed ${replayed} open ${replayed === 1 ? 'run' : 'runs'}: this build can go on with them.`);
  } finally {
    await connection.close();
  }
  const native = await NativeConnection.connect(settings.connection);
  const history = historyService(new Client({ connection: native, namespace }));
  const hitless = hitlessActivities({ ...settings, history });
  const plugins = [new HitlessPlugin({ activities: hitless.activities })];
  const common = { connection: native, namespace, plugins, shutdownGraceTime: GRACE_MS };
  const queues = [taskQueue, ...(settings.sites ?? []).map((site) => siteQueueOf(taskQueue, site))];
  // Workflows run on the first queue only; the others are for activities at their sites.
  const code = { workflowBundle: await workflowBundle() };
  const workers = await Promise.all(
    queues.flatMap((queue, index) => [
      Worker.create({ ...common, taskQueue: queue, ...(index === 0 ? code : {}) }),
      Worker.create({
        ...common,
        taskQueue: watchQueueOf(queue),
        maxConcurrentActivityTaskExecutions: settings.watchSlots ?? WATCH_SLOTS,
      }),
    ]),
  );
  const ended = Promise.all(workers.map((worker) => worker.run()))
    .then(() => undefined)
    .finally(async () => {
      hitless.close();
      await native.close();
    });
  ended.catch(() => undefined);
  return {
    taskQueues: queues,
    ended,
    stop: async () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

/** One line for each thing worth knowing; what an activity failed with is in the history in full. */
function logLine({ level, message, meta, timestampNanos }: LogEntry): void {
  if (message.startsWith('No workflows registered')) return;
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const { workflowId, activityType, attempt, error } = (meta ?? {}) as {
    workflowId?: string;
    activityType?: string;
    attempt?: number;
    error?: unknown;
  };
  const about = [workflowId, activityType, attempt === undefined ? undefined : `attempt ${attempt}`]
    .filter(Boolean)
    .join(' ');
  const why =
    error instanceof Error
      ? `: ${error.name === 'Error' ? '' : `${error.name}: `}${error.message.split('\n').slice(0, 4).join(' ')}`
      : '';
  process.stderr.write(`${time} ${level} ${message}${about === '' ? '' : ` (${about})`}${why}\n`);
}

let isInstalled = false;
/** Once per process, before any connection. Whoever embeds the worker may have installed a runtime of their own. */
function installRuntime(): void {
  if (isInstalled) return;
  isInstalled = true;
  try {
    Runtime.install({
      logger: new DefaultLogger('WARN', logLine),
      telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
      // The command line decides what a signal means.
      shutdownSignals: [],
    });
  } catch {
    // Installed already.
  }
}
