/** The procedures on the real engine, with the modelled pair in place of devices. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { workflowBundle } from '../../worker/bundle';
import { coreActivities } from '../../worker/core-activities';
import { startEngine, type Engine } from '../../worker/engine';
import { historyService } from '../../worker/histories';
import { HitlessPlugin } from '../../worker/plugin';
import { CallFailed, CutError } from '../../workflows/procedure/types';
import type { OpeningView, StatusView } from '../../workflows/contract';
import { TransientError, type MemoryActivity, type MemoryRuntime } from './memory-runtime';
import { pairPlan } from './pair-run';
import type { Mischief } from './model-world';
import { PairWorld, type Node } from './pair-world';

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
});

export interface TestEngine {
  readonly engine: Engine;
  readonly client: Client;
  readonly native: NativeConnection;
  close(): Promise<void>;
}

export async function testEngine(options: { dynamicConfig?: Record<string, unknown> } = {}): Promise<TestEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'hitless-engine-'));
  const engine = await startEngine({ dbFile: join(directory, 'engine.db'), ...options });
  const connection = await Connection.connect({ address: engine.address });
  const native = await NativeConnection.connect({ address: engine.address });
  return {
    engine,
    client: new Client({ connection }),
    native,
    close: async () => {
      await native.close();
      await connection.close();
      await engine.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Activities as a worker takes them. */
export type Activities = Record<string, (input: never) => Promise<unknown>>;

/** A model as its activities need it. */
interface Modelled {
  runtime: MemoryRuntime;
  readonly activities: Readonly<Record<string, MemoryActivity>>;
}

/** Model activities as Temporal runs them; durations are virtual milliseconds divided by `speed`. */
export function worldActivities(world: Modelled, speed: number): Record<string, (input: unknown) => Promise<unknown>> {
  const began = Date.now();
  world.runtime = {
    now: () => (Date.now() - began) * speed,
    sleep: (ms: number) => sleep(ms / speed),
  } as MemoryRuntime;
  const adapt =
    (activity: MemoryActivity) =>
    async (input: unknown): Promise<unknown> => {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 200);
      try {
        return await activity(input as never, {
          signal: context.cancellationSignal,
          attempt: context.info.attempt,
          beaten: {},
          sleep: async (ms) =>
            void (await sleep(ms / speed, undefined, { signal: context.cancellationSignal }).catch(() => undefined)),
        });
      } catch (error) {
        if (error instanceof CutError) throw context.cancellationSignal.reason;
        if (error instanceof CallFailed)
          throw ApplicationFailure.nonRetryable(error.message, error.type, error.details);
        if (error instanceof TransientError) throw ApplicationFailure.retryable(error.message, 'Unreachable');
        throw error;
      } finally {
        clearInterval(beat);
      }
    };
  return Object.fromEntries(Object.entries(world.activities).map(([name, activity]) => [name, adapt(activity)]));
}

export interface WorldRun {
  readonly world: PairWorld;
  readonly handle: WorkflowHandle;
  status(): Promise<StatusView>;
  /** Waits for an open question whose ID begins so. */
  asked(id: string): Promise<OpeningView>;
  answer(choice: string, extra?: Record<string, unknown>): Promise<void>;
  /** The worker, for killing it. */
  readonly worker: { restart(): Promise<void>; stop(): Promise<void> };
}

export interface WorldOptions {
  readonly mischief?: Mischief<Node>;
  readonly input?: unknown;
  readonly workflowId?: string;
  readonly plan?: ReturnType<typeof pairPlan>;
  readonly speed?: number;
  readonly maxCachedWorkflows?: number;
  readonly activities?: Activities;
}

/** A worker for each queue; the first one has the workflows. */
export async function startWorkers(
  native: NativeConnection,
  queues: readonly string[],
  activities: Activities,
  maxCachedWorkflows = 10,
): Promise<{ stop(): Promise<void> }> {
  const plugins = [new HitlessPlugin({ activities })];
  const limits = { maxCachedWorkflows, shutdownGraceTime: 0 };
  const bundle = await workflowBundle();
  const workers = await Promise.all(
    queues.map((taskQueue, n) =>
      Worker.create({
        connection: native,
        taskQueue,
        plugins,
        ...limits,
        ...(n === 0 ? { workflowBundle: bundle } : {}),
      }),
    ),
  );
  const running = Promise.all(workers.map((w) => w.run()));
  return {
    stop: async () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
    },
  };
}

/** Code of gRPC. */
const FAILED_PRECONDITION = 9;

let number = 0;

/** Starts an upgrade of a modelled pair of its own, with workers of its own. */
export async function worldRun({ client, native }: TestEngine, options: WorldOptions = {}): Promise<WorldRun> {
  const world = new PairWorld(options.mischief);
  const cluster = `fw-${++number}`;
  const taskQueue = `test-${number}`;
  const base = options.plan ?? pairPlan();
  const plan = { ...base, cluster, queues: { default: taskQueue, watch: `${taskQueue}-watch`, sites: {} } };
  const activities = {
    ...worldActivities(world, options.speed ?? 100),
    ...coreActivities({ uiUrl: 'http://127.0.0.1:8233', history: historyService(client) }),
    'plan.resolve': async ({ input }: { input: { requestedBy?: string } }) => ({
      ...plan,
      ...(input.requestedBy === undefined ? {} : { requestedBy: input.requestedBy }),
    }),
    ...options.activities,
  };
  const start = () => startWorkers(native, [taskQueue, `${taskQueue}-watch`], activities, options.maxCachedWorkflows);
  let workers = await start();
  const handle = await client.workflow.start('upgradeFirewallPair', {
    taskQueue,
    workflowId: options.workflowId ?? `upgrade-${cluster}`,
    args: [options.input ?? { cluster, version: '2.0', requestedBy: 'rita' }],
  });
  const status = async (): Promise<StatusView> => {
    for (;;) {
      try {
        return await handle.query<StatusView>('status');
      } catch (error) {
        // A link that ends while messages still come in is tried again by the server; queries wait for that.
        if ((error as { cause?: { code?: number } }).cause?.code !== FAILED_PRECONDITION) throw error;
        await sleep(50);
      }
    }
  };
  const asked = async (id: string): Promise<OpeningView> => {
    for (;;) {
      const opening = (await status()).waitingFor?.find((o) => o.id.startsWith(id));
      if (opening !== undefined) return opening;
      await sleep(50);
    }
  };
  return {
    world,
    handle,
    status,
    asked,
    async answer(choice, extra = {}) {
      const { id, digest } = await asked('');
      await handle.signal('decide', { opening: id, digest, by: 'ann', choice, ...extra });
    },
    worker: {
      stop: () => workers.stop(),
      restart: async () => {
        await workers.stop();
        workers = await start();
      },
    },
  };
}
