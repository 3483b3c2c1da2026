/**
 * The core's only door to Temporal. Everything that a procedure does on the real engine goes through here; the in-memory
 * runtime of the tests is its other implementation.
 */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  TimeoutFailure,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import { searchAttributes, signals, updates } from '../contract';
import { RESERVED } from './interceptors';
import { isUndecodable } from './undecodable';
import {
  CallFailed,
  CutError,
  type Call,
  type CallOptions,
  type Inbox,
  type Published,
  type Runtime,
  type WaitOptions,
} from './types';

/** A dead worker is noticed within this time (design, promise 7). */
const HEARTBEAT_TIMEOUT_MS = 10_000;
/** A call that no worker takes up within this time on a watch queue is a watch that can't see (full queue). */
const PICKUP_TIMEOUT_MS = 60_000;
/** The timer of a wait without an end, set anew when it is over. */
const SHOWN_FOR_MS = 365 * 24 * 3_600_000;

type Activity = (input: unknown) => Promise<unknown>;

export class TemporalRuntime implements Runtime {
  private inbox: Inbox | undefined;
  private readonly early: ((inbox: Inbox) => void)[] = [];
  private shown: Partial<Published> = {};
  private readonly shield: CancellationScope;
  /** Set when Temporal's cancellation was asked for. */
  cancelRequested = false;

  /** Sets the handlers of messages: call it before anything is awaited. */
  constructor() {
    // Temporal delivers buffered signals synchronously in here; they wait until the core is ready.
    const signal = (name: string, raw: unknown): void => this.deliver((inbox) => inbox.signal(name, raw));
    for (const [name, { description }] of Object.entries(signals)) {
      setHandler(defineSignal<[unknown]>(name), (raw?: unknown) => signal(name, raw), { description });
    }
    setDefaultSignalHandler((name, ...args) => signal(RESERVED.original(name), args[0]));
    for (const [name, { description }] of Object.entries(updates)) {
      setHandler(defineUpdate<unknown, [unknown]>(name), (raw?: unknown) => this.inbox?.accept(name, raw), {
        description,
        // Synchronous, and without a trace in history: who is refused reads why at once.
        validator: (raw?: unknown) => {
          const why =
            this.inbox === undefined
              ? 'the plan is being resolved, and nothing is asked yet: try again in a moment'
              : this.inbox.refusal(name, raw);
          if (why !== undefined) throw ApplicationFailure.nonRetryable(why, 'Refused');
        },
      });
    }
    this.shield = CancellationScope.current();
  }

  /** Runs work that Temporal's cancellation can't reach: it becomes a message instead. */
  async shielded<T>(work: () => Promise<T>): Promise<T> {
    this.shield.cancelRequested.catch(() => {
      this.cancelRequested = true;
      this.deliver((inbox) => inbox.cancel());
    });
    return CancellationScope.nonCancellable(work);
  }

  private deliver(message: (inbox: Inbox) => void): void {
    if (this.inbox === undefined) this.early.push(message);
    else message(this.inbox);
  }

  onMessage(inbox: Inbox): void {
    this.inbox = inbox;
    for (const message of this.early.splice(0)) message(inbox);
  }

  onQuery(name: string, answer: () => unknown, description: string): void {
    setHandler(defineQuery<unknown>(name), answer, { description });
  }

  now(): number {
    // eslint-disable-next-line no-restricted-properties -- the sandbox's clock, the same at every replay
    return Date.now();
  }

  async waitFor(met: () => boolean, options: WaitOptions = {}): Promise<void> {
    const { until, summary, isShown } = options;
    if (until === undefined && isShown === true && summary !== undefined) {
      // A timer is what the timeline shows of a wait; whatever it is set to, people are waited for.
      while (!met()) await condition(met, SHOWN_FOR_MS, { summary });
    } else if (until === undefined) await condition(met);
    else if (until > this.now()) await condition(met, until - this.now(), summary === undefined ? {} : { summary });
  }

  call(activity: string, input: unknown, options: CallOptions): Call {
    // One scope per call; its parent can't be cancelled, whoever calls.
    const scope = new CancellationScope({ cancellable: true });
    const result = scope.run(() => this.schedule(activity, options)(input)).then(checked(activity), thrown);
    // A call that is cut after its caller has gone must not surface as an unhandled rejection.
    result.catch(() => undefined);
    return { result, cut: () => scope.cancel() };
  }

  private schedule(activity: string, options: CallOptions): Activity {
    const { patience, timeoutMs, summary, queue } = options;
    const retry = {
      initialInterval: patience.intervalMs,
      maximumInterval: patience.intervalMs,
      backoffCoefficient: 1,
      ...(patience.attempts > 0 ? { maximumAttempts: patience.attempts } : {}),
    };
    const common = { startToCloseTimeout: timeoutMs, retry, summary };
    if (options.local) return member(proxyLocalActivities<Record<string, Activity>>(common), activity);
    return member(
      proxyActivities<Record<string, Activity>>({
        ...common,
        ...(queue === undefined ? {} : { taskQueue: queue }),
        ...(options.pickup ? { scheduleToStartTimeout: PICKUP_TIMEOUT_MS } : {}),
        heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
        cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
      }),
      activity,
    );
  }

  /** Which rules of the core this run follows: asked once, at its start, and the same ever after. */
  core(): 1 | 2 {
    return patched('core-2') ? 2 : 1;
  }

  /** Whether lists of runs say that nobody watches: asked once, after `core`; runs of core 2 that began before don't, to their end. */
  listsSight(): boolean {
    return patched('core-2-sight');
  }

  /**
   * Whether answers of activities are held to their shapes, and a point of no return stays behind over a reset and a start anew:
   * asked once, after `listsSight`; runs of core 2 that began before don't, to their end.
   */
  isFirm(): boolean {
    return patched('core-2-firm');
  }

  /**
   * After a reset the whole history, also the part before it, is replayed under a new run ID (or, before a worker polls, under
   * the old one): run IDs tell the truth only where history has ended once. There a patch is recorded, and every replay finds it
   * at the same place.
   */
  isReset(executing: string, times: number): boolean {
    const { runId, unsafe } = workflowInfo();
    if (!unsafe.isReplaying && runId === executing) return false;
    return patched(`core-reset-${times + 1}`);
  }

  activation(): number {
    return workflowInfo().historyLength;
  }

  isHistoryLong(): boolean {
    return workflowInfo().continueAsNewSuggested;
  }

  /** Ends this link; the next one gets `input`. Never returns. */
  async continueAs(input: unknown): Promise<never> {
    return continueAsNew(input);
  }

  publish(view: Published): void {
    if (view.details !== this.shown.details) setCurrentDetails(view.details);
    // An upsert is an event of history: only what changed.
    const changed = [
      { value: view.phase, old: this.shown.phase, key: phaseKey },
      { value: view.waitingFor, old: this.shown.waitingFor, key: waitingForKey },
    ].filter(({ value, old }) => value !== old);
    if (changed.length > 0) upsertSearchAttributes(changed.map(({ key, value }) => ({ key, value })));
    this.shown = view;
  }

  /** Attributes that stand for the whole run. */
  announce(cluster: string, target: string): void {
    upsertSearchAttributes([
      { key: defineSearchAttributeKey(searchAttributes.cluster, 'KEYWORD'), value: cluster },
      { key: defineSearchAttributeKey(searchAttributes.target, 'KEYWORD'), value: target },
    ]);
  }

  get workflow(): {
    readonly id: string;
    readonly type: string;
    readonly taskQueue: string;
    readonly namespace: string;
    readonly firstRunId: string;
    /** The server says so: this run was continued from another. */
    readonly isContinued: boolean;
    /** Why it may be ended or started by the clock, half-way: the field of its start. */
    readonly limits: readonly string[];
  } {
    const info = workflowInfo();
    const { workflowId, workflowType, taskQueue, namespace, firstExecutionRunId } = info;
    return {
      id: workflowId,
      type: workflowType,
      taskQueue,
      namespace,
      firstRunId: firstExecutionRunId,
      isContinued: info.continuedFromExecutionRunId !== undefined,
      limits: [
        // The server gives 0, none, to a run that continued as new.
        ...(info.executionTimeoutMs ? ['workflow execution timeout'] : []),
        ...(info.runTimeoutMs ? ['workflow run timeout'] : []),
        ...(info.cronSchedule ? ['cron schedule'] : []),
      ],
    };
  }

  remember(memo: Record<string, unknown>): void {
    upsertMemo(memo);
  }

  /** Ends the workflow as Failed with this type. */
  failure(type: string, message: string, details?: unknown): Error {
    return ApplicationFailure.nonRetryable(message, type, ...(details === undefined ? [] : [details]));
  }

  /** Ends the workflow as Cancelled. */
  cancellation(message: string): Error {
    return new CancelledFailure(message);
  }
}

const phaseKey = defineSearchAttributeKey(searchAttributes.phase, 'KEYWORD');
const waitingForKey = defineSearchAttributeKey(searchAttributes.waitingFor, 'KEYWORD');

function member(activities: Record<string, Activity>, name: string): Activity {
  const activity = activities[name];
  if (activity === undefined) throw new Error(`no activity ${name}`);
  return activity;
}

const checked =
  (activity: string) =>
  (value: unknown): unknown => {
    // The tolerant converter turns a corrupt result into a value, too.
    if (isUndecodable(value))
      throw new CallFailed('CorruptResult', `the result of ${activity} can't be read: ${value.why}`);
    return value;
  };

function thrown(error: unknown): never {
  if (error instanceof CancelledFailure) throw new CutError('cut');
  if (!(error instanceof ActivityFailure)) throw error;
  const { cause } = error;
  if (cause instanceof CancelledFailure) throw new CutError('cut');
  if (cause instanceof ApplicationFailure)
    throw new CallFailed(cause.type ?? 'Error', cause.message, cause.details?.[0]);
  if (cause instanceof TimeoutFailure) {
    throw new CallFailed(
      `Timeout:${cause.timeoutType}`,
      `no worker finished it in time (${cause.timeoutType}); its last state is unknown`,
      undefined,
      cause.lastHeartbeatDetails,
    );
  }
  throw new CallFailed('Unknown', error.message);
}
