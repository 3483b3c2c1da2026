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
  defineQuery,
  defineSignal,
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
import { searchAttributes, signals } from '../contract';
import { isUndecodable } from './undecodable';
import { CallFailed, CutError, type Call, type CallOptions, type Published, type Runtime } from './types';

/** A dead worker is noticed within this time (design, promise 7). */
const HEARTBEAT_TIMEOUT_MS = 10_000;
/** A call that no worker takes up within this time on a watch queue is a watch that can't see (full queue). */
const PICKUP_TIMEOUT_MS = 60_000;

type Activity = (input: unknown) => Promise<unknown>;

export class TemporalRuntime implements Runtime {
  private handler: ((name: string, raw: unknown) => void) | undefined;
  private readonly early: [string, unknown][] = [];
  private shown: Partial<Published> = {};
  private readonly shield: CancellationScope;
  /** Set when Temporal's cancellation was asked for. */
  cancelRequested = false;

  /** Sets the signal handlers: call it before anything is awaited. */
  constructor() {
    // Temporal delivers buffered signals synchronously in here; they wait until the core is ready.
    for (const [name, { description }] of Object.entries(signals)) {
      setHandler(defineSignal<[unknown]>(name), (raw?: unknown) => this.deliver(name, raw), { description });
    }
    setDefaultSignalHandler((name, ...args) => this.deliver(name, args[0]));
    this.shield = CancellationScope.current();
  }

  /** Runs work that Temporal's cancellation can't reach: it becomes the message `cancel` instead. */
  async shielded<T>(work: () => Promise<T>): Promise<T> {
    this.shield.cancelRequested.catch(() => {
      this.cancelRequested = true;
      this.deliver('cancel', undefined);
    });
    return CancellationScope.nonCancellable(work);
  }

  private deliver(name: string, raw: unknown): void {
    if (this.handler === undefined) this.early.push([name, raw]);
    else this.handler(name, raw);
  }

  onMessage(handler: (name: string, raw: unknown) => void): void {
    this.handler = handler;
    for (const [name, raw] of this.early.splice(0)) handler(name, raw);
  }

  onQuery(name: string, answer: () => unknown, description: string): void {
    setHandler(defineQuery<unknown>(name), answer, { description });
  }

  now(): number {
    // eslint-disable-next-line no-restricted-properties -- the sandbox's clock, the same at every replay
    return Date.now();
  }

  async waitFor(met: () => boolean, options: { until?: number; summary?: string } = {}): Promise<void> {
    const { until, summary } = options;
    if (until === undefined) await condition(met);
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
  } {
    const { workflowId, workflowType, taskQueue, namespace } = workflowInfo();
    return { id: workflowId, type: workflowType, taskQueue, namespace };
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
    );
  }
  throw new CallFailed('Unknown', error.message);
}
