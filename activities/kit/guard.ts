/**
 * A guard: looks again and again, for hours, whether something is as it must stay. It ends when it isn't any more, when the
 * core wants a report, and when what it looks at goes out of sight or comes back into it. What it knows travels in its
 * heartbeats, so that another worker goes on after a death.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { WatchReport } from '../../workflows/procedure/types';
import { attemptOf } from './attempt';
import { workerClock, type Clock } from './clock';
import { messageOf, permanent } from './errors';
import { pause } from './pause';
import type { WorkerServices } from './register';
import type { AnyPlan, Finding, StepCall, StepContext } from './step';

/** `inconclusive`: it couldn't be looked at. */
export interface Look {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly why?: string;
  /** What the next look is told that this one saw, where a change is what counts. */
  readonly seen?: string;
}

/**
 * Reads only. `look` may throw for what couldn't be read, which is inconclusive. `seen` is what the last look saw that told;
 * undefined at the first one, also after a remedy.
 */
export interface GuardDefinition<Input, Plan = AnyPlan> {
  readonly kind: 'guard';
  readonly everyMs: (plan: Plan) => number;
  readonly look: (context: StepContext<Plan>, input: Input, seen?: string) => Promise<Look>;
}

export const defineGuard = <Input, Plan = AnyPlan>(
  d: Omit<GuardDefinition<Input, Plan>, 'kind'>,
): GuardDefinition<Input, Plan> => ({ kind: 'guard', ...d });

/** What a guard returns. */
export type GuardFinding = WatchReport &
  Finding & {
    /** From outside: nobody looks until it is called again. */
    readonly paused?: true;
  };

/** What the core sends: a step's call, what the last report carried, and when to report at the latest. */
export interface GuardCall extends StepCall {
  readonly carry?: unknown;
  /** In all, earlier calls included. */
  readonly returnAfterObservedMs?: number;
  /** Report after one look, or when it couldn't be had in time: something waits for it. */
  readonly firstLook?: boolean;
}

/** How long a first look may take. */
const FIRST_LOOK_MS = 30_000;
/** A look that failed is repeated after this long: it may have fallen into the middle of a change. */
const CONFIRM_MS = 1_000;
/** So many looks in a row without a result are told. */
const BLIND_AFTER = 3;
const HEARTBEAT_INTERVAL_MS = 1_000;

const PAUSED = 'nobody looks: this guard was paused from outside (temporal activity pause). It is started again';
const RESET = 'this guard was reset from outside, and is started again with what it knew';

interface Known {
  readonly observedMs: number;
  readonly pass: number;
  readonly fail: number;
  readonly inconclusive: number;
  /** Inconclusive looks in a row. */
  readonly unseen: number;
  /** That it can't be seen has been told. */
  readonly toldBlind: boolean;
  readonly seen?: string;
}
const unknown: Known = { observedMs: 0, pass: 0, fail: 0, inconclusive: 0, unseen: 0, toldBlind: false };

const isKnown = (value: unknown): value is Known =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(unknown).every(([key, like]) => typeof (value as Record<string, unknown>)[key] === typeof like);

/** One look more. Time counts from one look with a result to the next. Pure. */
export function learned(known: Known, look: Look, sinceLastMs: number): Known {
  const seen = look.verdict !== 'inconclusive';
  return {
    ...known,
    [look.verdict]: known[look.verdict] + 1,
    observedMs: known.observedMs + (seen && known.unseen === 0 ? sinceLastMs : 0),
    unseen: seen ? 0 : known.unseen + 1,
    ...(look.seen === undefined ? {} : { seen: look.seen }),
  };
}

/** Whether its sight has changed in a way that wasn't told yet. Pure. */
export const hasNews = ({ unseen, toldBlind }: Known): boolean => (toldBlind ? unseen === 0 : unseen >= BLIND_AFTER);

/** Runs one attempt of a guard as an activity of Temporal. */
export async function guardActivity<Input, Plan>(
  call: GuardCall,
  services: Pick<WorkerServices, 'connect'>,
  { everyMs, look }: GuardDefinition<Input, Plan>,
  { monotonicMs }: Clock = workerClock,
): Promise<GuardFinding> {
  if (call?.schema !== 1)
    throw permanent('InvalidInput', `this worker reads activity inputs of schema 1, not ${String(call?.schema)}`);
  const activity = Context.current();
  const { info, cancellationSignal: cut } = activity;
  const attempt = attemptOf(info, call);
  // What looks must end with the attempt, also a look that wasn't waited for.
  const over = new AbortController();
  const signal = AbortSignal.any([cut, over.signal]);
  const beaten = info.heartbeatDetails as { readonly carry?: unknown; readonly known?: unknown } | undefined;
  // `known` is what builds before this one called it.
  let known = [beaten?.carry, beaten?.known, call.carry].find(isKnown) ?? unknown;
  let line = 'has not looked yet';
  // In the form of a report: the core goes on from it when an attempt is lost for good.
  const beat = (): void => activity.heartbeat({ guarding: line, observedMs: known.observedMs, carry: known });
  const beats = setInterval(beat, HEARTBEAT_INTERVAL_MS);
  const plan = call.plan as Plan;
  const context: StepContext<Plan> = {
    plan,
    ...attempt,
    step: call.step,
    signal,
    host: (name) => services.connect(plan, name, signal),
    evidence: () => undefined,
    progress: () => undefined,
    kept: undefined,
    keep: () => undefined,
    pause: (ms) => pause(ms, signal),
  };
  const once = async (): Promise<Look> => {
    try {
      return await look(context, call.input as Input, known.seen);
    } catch (error) {
      signal.throwIfAborted();
      return { verdict: 'inconclusive', why: messageOf(error) };
    }
  };
  const confirmed = async (): Promise<Look> => {
    const found = await once();
    if (found.verdict !== 'fail') return found;
    await context.pause(CONFIRM_MS);
    return once();
  };
  const firstLook = async (): Promise<Look> => {
    const late = pause(FIRST_LOOK_MS, signal).then((): Look => ({
      verdict: 'inconclusive',
      why: `no look was through within ${FIRST_LOOK_MS / 1_000} s`,
    }));
    return Promise.race([confirmed(), late]);
  };
  const report = (verdict: WatchReport['verdict'], why?: string): GuardFinding => {
    const { observedMs, pass, fail, inconclusive } = known;
    const summary = `${pass} looks found it as it must be, ${fail} did not, ${inconclusive} couldn’t tell`;
    return {
      verdict,
      observedMs,
      pass,
      fail,
      inconclusive,
      summary,
      ...(why === undefined ? {} : { why }),
      carry: known,
    };
  };
  const enoughMs = Math.max(call.returnAfterObservedMs ?? Infinity, known.observedMs + everyMs(plan));
  let lastAt = monotonicMs();
  try {
    for (;;) {
      const now = await (call.firstLook === true ? firstLook() : confirmed());
      known = learned(known, now, Math.round(monotonicMs() - lastAt));
      lastAt = monotonicMs();
      line = now.why ?? 'as it must be';
      if (now.verdict === 'fail') return report('regression', now.why);
      if (call.firstLook === true)
        return report('checkpoint', now.verdict === 'pass' ? undefined : `it can’t be looked at: ${now.why ?? ''}`);
      if (hasNews(known)) {
        known = { ...known, toldBlind: known.unseen > 0 };
        return report('checkpoint', known.unseen > 0 ? `it can’t be looked at: ${now.why ?? ''}` : undefined);
      }
      if (known.observedMs >= enoughMs) return report('checkpoint');
      beat();
      await context.pause(everyMs(plan));
    }
  } catch (error) {
    if (!cut.aborted) throw error;
    const details = activity.cancellationDetails;
    // The core cuts it and reads what was seen. Paused or reset from outside, it reports too: the server takes that, and would
    // otherwise keep the next attempt back without a word to the run. For any other end another attempt goes on, from the
    // heartbeat.
    if (details?.cancelRequested === true) return report('cut');
    if (details?.paused === true) return { ...report('checkpoint', PAUSED), paused: true };
    if (details?.reset === true) return report('checkpoint', RESET);
    beat();
    if (details?.workerShutdown === true)
      throw ApplicationFailure.retryable('this worker shuts down; another one goes on looking', 'WorkerShutdown');
    throw cut.reason;
  } finally {
    clearInterval(beats);
    over.abort(new Error('the guard has ended'));
  }
}
