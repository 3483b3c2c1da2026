/** One run of a scenario on the real engine, with a modelled system of its own and workers of its own. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  isGrpcServiceError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  type WorkflowHandle,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { coreActivities } from '../../../worker/core-activities';
import { historyService } from '../../../worker/histories';
import type { ClusterKind, OpeningView, StatusView } from '../../../workflows/contract';
import type { PlanBase } from '../../../workflows/procedure';
import { startWorkers, type TestEngine } from '../engine-run';
import { partsOf, stageOf, type Parts, type Stage, type StageOptions } from './stage';
import { Script, type Turns } from './script';

type History = temporal.api.history.v1.IHistory;
const { EventType } = temporal.api.enums.v1;

/** What to start, and in which world. */
export interface Setting {
  readonly stage?: StageOptions;
  readonly turns?: Turns;
  readonly change?: (plan: PlanBase) => PlanBase;
  /** Instead of what an upgrade is started with. */
  readonly input?: unknown;
  /** Beside it. */
  readonly more?: object;
  /** As bytes, for what no client would send. */
  readonly rawInput?: string;
  readonly workflowId?: string;
  readonly isDryRun?: boolean;
  /** No worker has the queue of the watches. */
  readonly isUnwatched?: boolean;
  /** How it is started, beside what; `args` instead of the one input. */
  readonly start?: Partial<WorkflowStartOptions>;
  /** Sent with the start, before any code has run. */
  readonly early?: { readonly name: string; readonly body: unknown };
}

/** What an answer may say beside its choice. */
interface AnswerExtra {
  readonly by?: string;
  readonly to?: 'savepoint' | 'start';
  readonly comment?: string;
}

export class KeptRun {
  private constructor(
    readonly engine: TestEngine,
    readonly parts: Parts,
    readonly stage: Stage,
    readonly script: Script,
    /** Of the last run of its chain. */
    readonly handle: WorkflowHandle,
    /** Of the run that it began with. */
    readonly first: WorkflowHandle,
    private readonly outside: {
      stop(): Promise<void>;
      restart(isUnwatched?: boolean): Promise<void>;
      again(): Promise<unknown>;
    },
  ) {}

  static async start(engine: TestEngine, kind: ClusterKind, cluster: string, setting: Setting): Promise<KeptRun> {
    const { client, native } = engine;
    const parts = partsOf[kind];
    const taskQueue = cluster;
    const stage = await stageOf(kind, setting.stage);
    const base = {
      ...stage.plan,
      cluster,
      queues: { default: taskQueue, watch: `${taskQueue}-watch`, sites: {} },
    };
    const plan = setting.change?.(base) ?? base;
    const script = new Script(setting.turns ?? {});
    const activities = script.wrap({
      ...stage.activities,
      ...coreActivities({ uiUrl: 'http://127.0.0.1:8233', history: historyService(client) }),
      'plan.shared': async () => [],
      'plan.resolve': async ({ input }: { input: { requestedBy?: string } }) => {
        const { requestedBy: _, ...rest } = plan;
        return { ...rest, ...(input.requestedBy === undefined ? {} : { requestedBy: input.requestedBy }) };
      },
    });
    const queues = [taskQueue, `${taskQueue}-watch`];
    const poll = (count: number) => startWorkers(native, queues.slice(0, count), activities);
    let workers = await poll(setting.isUnwatched ? 1 : 2);
    const type = setting.isDryRun ? parts.plan : parts.upgrade;
    const workflowId = setting.workflowId ?? `${setting.isDryRun ? 'plan' : 'upgrade'}-${cluster}`;
    const input = setting.input ?? { cluster, version: plan.version, requestedBy: 'rita', ...setting.more };
    const begin = async (): Promise<string> => {
      if (setting.rawInput !== undefined) {
        const { runId } = await client.workflowService.startWorkflowExecution({
          namespace: engine.engine.namespace,
          workflowId,
          workflowType: { name: type },
          taskQueue: { name: taskQueue },
          input: { payloads: [payload('json/plain', setting.rawInput)] },
          requestId: workflowId,
        });
        return runId;
      }
      if (setting.early !== undefined) {
        const { name, body } = setting.early;
        const handle = await client.workflow.signalWithStart(type, {
          taskQueue,
          workflowId,
          args: [input],
          signal: name,
          signalArgs: [body],
        });
        return handle.signaledRunId;
      }
      const handle = await client.workflow.start(type, { taskQueue, workflowId, args: [input], ...setting.start });
      return handle.firstExecutionRunId;
    };
    const first = client.workflow.getHandle(workflowId, await begin(), { followRuns: false });
    return new KeptRun(engine, parts, stage, script, client.workflow.getHandle(workflowId), first, {
      stop: () => workers.stop(),
      restart: async (isUnwatched = setting.isUnwatched) => {
        await workers.stop();
        workers = await poll(isUnwatched ? 1 : 2);
      },
      again: begin,
    });
  }

  /** Ends it from outside, and starts the same once more. */
  async terminateAndStart(): Promise<void> {
    await this.handle.terminate('a test');
    await this.outside.again();
  }

  stop(): Promise<void> {
    return this.outside.stop();
  }
  restartWorkers(): Promise<void> {
    return this.outside.restart();
  }
  /** From now on no worker has the queue of the watches. */
  loseWatchWorker(): Promise<void> {
    return this.outside.restart(true);
  }

  async status(): Promise<StatusView> {
    for (; ; await sleep(50)) {
      try {
        return await this.handle.query<StatusView>('status');
      } catch (error) {
        // A link that ends while messages still come in is tried again by the server; queries wait for that.
        if (!isGrpcServiceError(error) || Number(error.code) !== FAILED_PRECONDITION) throw error;
      }
    }
  }

  /** Once the run goes on in another link of its chain, or in what a reset made of it. */
  async another(): Promise<void> {
    const { runId } = await this.handle.describe();
    while ((await this.handle.describe()).runId === runId) await sleep(50);
  }

  async until(met: (status: StatusView) => boolean): Promise<void> {
    // Before its plan is there, a run's status has no more than its phase.
    const seen = (status: StatusView): boolean => 'waitingFor' in status && met(status);
    for (; !seen(await this.status()); await sleep(50)) await this.mustRun();
  }

  /** The open question whose ID begins so. */
  async asked(id: string): Promise<OpeningView> {
    let opening: OpeningView | undefined;
    await this.until(({ waitingFor }) => (opening = waitingFor.find((o) => o.id.startsWith(`${id}#`))) !== undefined);
    return opening!;
  }

  async answer(id: string, choice: string, extra: AnswerExtra = {}): Promise<void> {
    const { id: opening, digest } = await this.asked(id);
    const { by = 'ann' } = extra;
    await this.handle.signal('decide', { opening, digest: digest.slice(0, 12), ...extra, by, choice });
    const heard = `${by}: ${choice}`;
    const isDue = (o: OpeningView): boolean => o.id === opening && !o.answered.includes(heard);
    await this.until(({ waitingFor }) => !waitingFor.some(isDue)).catch((error: unknown) => this.unlessClosed(error));
  }

  async approve(...gates: readonly string[]): Promise<void> {
    for (const gate of gates) await this.answer(gate, 'approve');
  }

  async say(command: 'pause' | 'resume' | 'switchBack', reason = 'a test'): Promise<void> {
    await this.handle.signal(command, { by: 'ann', reason });
  }

  /** Bytes as no client of ours sends them. */
  async raw(signalName: string, encoding: string, data: string): Promise<void> {
    await this.engine.client.workflowService.signalWorkflowExecution({
      namespace: this.engine.engine.namespace,
      workflowExecution: { workflowId: this.handle.workflowId },
      signalName,
      input: { payloads: [payload(encoding, data)] },
    });
  }

  /** Ends the call of this activity that is under way with these bytes, as nobody of ours would. */
  async completeWith(activity: string, data: string): Promise<void> {
    const { pendingActivities } = (await this.handle.describe()).raw;
    const activityId = pendingActivities?.find(({ activityType }) => activityType?.name === activity)?.activityId ?? '';
    const { workflowId } = this.handle;
    const { namespace } = this.engine.engine;
    const result = { payloads: [payload('json/plain', data)] };
    await this.engine.client.workflowService.respondActivityTaskCompletedById({
      namespace,
      workflowId,
      activityId,
      result,
    });
  }

  /** Sends an Update, and waits for what came of it: undefined if it was refused. */
  async update(name: 'answer' | 'command', input: unknown): Promise<unknown> {
    return this.handle.executeUpdate(name, { args: [input] }).catch((error: unknown) => {
      if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    });
  }

  /** Sends the same wrong answer so many times, a hundred at once. */
  async flood(opening: string, count: number): Promise<void> {
    const wrong = { opening, digest: '0'.repeat(12), by: 'bot' };
    for (let sent = 0; sent < count; sent += 100)
      await Promise.all(Array.from({ length: 100 }, () => this.handle.signal('approve', wrong)));
  }

  /** As the Web UI's button does it: back to the workflow task that took the first signal of this name, or to the one before. */
  async reset(signal: string, where: 'before' | 'after' = 'after'): Promise<void> {
    const { events = [] } = await this.history();
    const asked = (events ?? []).findIndex((e) => e.workflowExecutionSignaledEventAttributes?.signalName === signal);
    const all = events ?? [];
    const isTask = (e: (typeof all)[number]): boolean => e.workflowTaskCompletedEventAttributes != null;
    const task = where === 'after' ? all.slice(asked).find(isTask) : all.slice(0, asked).findLast(isTask);
    await this.engine.client.workflowService.resetWorkflowExecution({
      namespace: this.engine.engine.namespace,
      workflowExecution: { workflowId: this.handle.workflowId },
      reason: 'a test',
      workflowTaskFinishEventId: task!.eventId!,
      requestId: randomUUID(),
    });
  }

  /** Approves the gates before the watch, and waits until its time counts. */
  async toWatch(): Promise<void> {
    await this.approve(...this.parts.beforeWatch);
    await this.until(({ watch, wait }) => watch?.state === 'watching' && wait !== undefined);
  }

  /** Approves every gate that is asked, until the run has ended; says how. */
  async through(): Promise<string> {
    for (;;) {
      if (!(await this.isRunning())) return this.ended();
      const { waitingFor = [] } = await this.status();
      const [opening] = waitingFor;
      if (opening === undefined) await sleep(50);
      else if (opening.kind === 'gate') await this.answer(opening.id.split('#')[0]!, 'approve');
      else throw new Error(`asked on the way: ${opening.id}: ${opening.question}`);
    }
  }

  /** Waits for the end: "Completed", or the type of the failure. */
  async ended(): Promise<string> {
    try {
      await this.handle.result();
      return 'Completed';
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      if (error.cause instanceof CancelledFailure) return 'Cancelled';
      return error.cause instanceof ApplicationFailure ? (error.cause.type ?? '') : String(error.cause);
    }
  }

  async isRunning(): Promise<boolean> {
    return (await this.handle.describe()).status.name === 'RUNNING';
  }

  /** The history so far, at a moment at which no workflow task is under way. */
  async history(): Promise<History> {
    for (; ; await sleep(50)) {
      const history = await this.handle.fetchHistory();
      const last = (type: temporal.api.enums.v1.EventType): number =>
        (history.events ?? []).findLastIndex(({ eventType }) => eventType === type);
      const scheduled = last(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
      if (last(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) > scheduled) return history;
    }
  }

  private async mustRun(): Promise<void> {
    if (!(await this.isRunning())) throw new RunEnded(`it has ended: ${await this.ended()}`);
  }

  private unlessClosed(error: unknown): void {
    if (!(error instanceof RunEnded)) throw error;
  }
}

/** Code of gRPC. */
const FAILED_PRECONDITION = 9;

class RunEnded extends Error {}

const payload = (encoding: string, data: string) => ({
  metadata: { encoding: Buffer.from(encoding) },
  data: Buffer.from(data),
});
