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
import { startEngine, type Engine, type StartOptions } from '../../worker/engine';
import { historyService } from '../../worker/histories';
import { HitlessPlugin } from '../../worker/plugin';
import { CallFailed, CutError, type PlanBase } from '../../workflows/procedure/types';
import type { OpeningView, Report, StatusView } from '../../workflows/contract';
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

export type EngineOptions = Pick<StartOptions, 'dynamicConfig'>;

export async function testEngine(options: EngineOptions = {}): Promise<TestEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'hitless-engine-'));
  const engine = await startEngine({ dbFile: join(directory, 'engine.db'), ...options });
  const connection = await Connection.connect({
    address: engine.address,
    // The SDK asks for it by a name that gRPC doesn't know: a page of a history with large messages doesn't fit into 4 MB.
    channelArgs: { 'grpc.max_receive_message_length': 128 * 1024 * 1024 },
  });
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

/**
 * One engine for all tests of a file, whose runs are over and whose workers are stopped after each test. Call it where the
 * tests are defined; the engine is there once they run.
 */
export function useEngine(options: EngineOptions = {}): {
  readonly engine: TestEngine;
  /** Starts an upgrade of a modelled pair. */
  readonly start: (options?: WorldOptions) => Promise<WorldRun>;
} {
  let begun!: TestEngine;
  const runs: EngineRun[] = [];
  beforeAll(async () => void (begun = await testEngine(options)), ENGINE_START_MS);
  afterEach(async () => {
    for (const { handle, worker } of runs.splice(0)) {
      await begun.client.workflow
        .getHandle(handle.workflowId)
        .terminate('its test is over')
        .catch(() => undefined);
      await worker.stop();
    }
  });
  afterAll(() => begun.close());
  return {
    engine: {
      get engine() {
        return begun.engine;
      },
      get client() {
        return begun.client;
      },
      get native() {
        return begun.native;
      },
      close: () => begun.close(),
    },
    start: async (wanted) => {
      const run = await worldRun(begun, wanted);
      runs.push(run);
      return run;
    },
  };
}

/** The first start on a machine builds the server. */
const ENGINE_START_MS = 900_000;

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
  // The core's own are real ones here.
  const own = Object.entries(world.activities).filter(([name]) => !name.startsWith('core.'));
  return Object.fromEntries(own.map(([name, activity]) => [name, adapt(activity)]));
}

/** A run on the real engine, with workers of its own. */
export interface EngineRun {
  readonly handle: WorkflowHandle;
  status(): Promise<StatusView>;
  /** Waits for an open question whose ID begins so. */
  asked(id: string): Promise<OpeningView>;
  answer(choice: string, extra?: Record<string, unknown>): Promise<void>;
  /** The worker, for killing it. */
  readonly worker: { restart(): Promise<void>; stop(): Promise<void> };
}

export interface EngineRunOptions {
  /** Type of the workflow. */
  readonly type: string;
  readonly plan: PlanBase;
  /** In place of those of devices. */
  readonly activities: Activities;
  readonly input?: unknown;
  readonly workflowId?: string;
  readonly maxCachedWorkflows?: number;
  /** Around every activity, also the plan's. */
  readonly wrap?: (activities: Activities) => Activities;
}

/** An upgrade of a modelled pair. */
export interface WorldRun extends EngineRun {
  readonly world: PairWorld;
}

export interface WorldOptions extends Partial<Omit<EngineRunOptions, 'type'>> {
  readonly mischief?: Mischief<Node>;
  readonly speed?: number;
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

/** Codes of gRPC: nobody took the query in time, and a link that ends while messages still come in. */
const LATER: readonly unknown[] = [4, 9];

/** What a query answers. The server wants some of them asked again, also on a machine that is busy. */
export async function answered<T>(query: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await query();
    } catch (error) {
      if (!LATER.includes((error as { cause?: { code?: number } }).cause?.code)) throw error;
      await sleep(50);
    }
  }
}

let number = 0;

/** Starts an upgrade of a modelled pair of its own. */
export async function worldRun(engine: TestEngine, options: WorldOptions = {}): Promise<WorldRun> {
  const { mischief, speed = 100, activities, ...rest } = options;
  const world = new PairWorld(mischief);
  const run = await engineRun(engine, {
    type: 'upgradeFirewallPair',
    plan: pairPlan(),
    ...rest,
    activities: { ...worldActivities(world, speed), ...activities },
  });
  return { ...run, world };
}

/** Approves these gates, one after the other, and waits for the end. */
export async function approveAll(run: WorldRun, gates = ['start', 'return', 'finish']): Promise<Report> {
  for (const gate of gates) {
    await run.asked(gate);
    await run.answer('approve');
  }
  return (await run.handle.result()) as Report;
}

/** Starts an upgrade of a cluster of its own, by workers of its own. */
export async function engineRun({ client, native }: TestEngine, options: EngineRunOptions): Promise<EngineRun> {
  const { wrap = (activities) => activities } = options;
  const { cluster: wanted } = (options.input ?? {}) as { readonly cluster?: unknown };
  // A start under the right ID gets the plan of the cluster that it names.
  const isNamed = typeof wanted === 'string' && options.workflowId === `upgrade-${wanted}`;
  const cluster = isNamed ? wanted : `fw-${number + 1}`;
  number++;
  const taskQueue = `test-${number}`;
  const plan = { ...options.plan, cluster, queues: { default: taskQueue, watch: `${taskQueue}-watch`, sites: {} } };
  const activities = wrap({
    ...coreActivities({ uiUrl: 'http://127.0.0.1:8233', history: historyService(client) }),
    'plan.resolve': async ({ input }: { input: { requestedBy?: string } }) => ({
      ...plan,
      ...(input.requestedBy === undefined ? {} : { requestedBy: input.requestedBy }),
    }),
    ...options.activities,
  });
  const start = () => startWorkers(native, [taskQueue, plan.queues.watch], activities, options.maxCachedWorkflows);
  let workers = await start();
  const handle = await client.workflow.start(options.type, {
    taskQueue,
    workflowId: options.workflowId ?? `upgrade-${cluster}`,
    args: [options.input ?? { cluster, version: plan.version, requestedBy: 'rita' }],
  });
  const status = (): Promise<StatusView> => answered(() => handle.query<StatusView>('status'));
  const asked = async (id: string): Promise<OpeningView> => {
    for (;;) {
      const opening = (await status()).waitingFor?.find((o) => o.id.startsWith(id));
      if (opening !== undefined) return opening;
      await sleep(50);
    }
  };
  return {
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
