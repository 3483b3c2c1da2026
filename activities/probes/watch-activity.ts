/**
 * The watch: one heartbeating activity that runs the probes, reseeds the standby and keeps looking whether the escape would
 * work, for hours. It returns at checkpoints, at a regression, at news (rate-limited) and when cut; between two returns it
 * costs no history (facts/temporal.md, d.3). What it knows travels in its heartbeats, so another worker goes on after a death.
 *
 * Probes of minutes don't hold a slot: the attempt ends in a retryable, benign failure that says when the next round is
 * due, and the server waits (facts/temporal.md, d.2). The activity must therefore have attempts without limit.
 */
import { Context } from '@temporalio/activity';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { attemptOf, attemptTime, permanent, workerClock, type Finding, type StepCall, type StepContext } from '../kit';
import { formatDuration } from '../kit/duration';
import { packCarry, unpackCarry, type Carry } from './carry';
import type { Baseline } from './checks';
import { denseWatch } from './dense';
import { ownedEveryMs } from './looks';
import { createMachine, type ProbesReport } from './machine';
import { rulesOf } from './runner';
import type { ProbeServices, Watched } from './services';
import { sparseRound } from './sparse';
import type { MonitoringPlan } from './spec';
import { pause } from './timing';
import { callSchema, type Watch } from './watch';

/** Input of `probes.watch`. */
export interface WatchInput extends Watched {
  /** What `probes.baseline` returned; without it, bounds relative to the baseline are inconclusive. */
  readonly baseline?: Baseline;
}

/** What `probes.watch` returns. */
export type WatchFinding = ProbesReport & Finding;

/** What the core sends: a step's call, what the last report carried, and when to report at the latest. */
export interface WatchCall extends StepCall {
  readonly carry?: unknown;
  /** In all, earlier calls included. */
  readonly returnAfterObservedMs?: number;
  /** Report as soon as everything was looked at once, or couldn't be: traffic waits for it. */
  readonly firstLook?: boolean;
}

/** From this interval on (of the most frequent probe) a watch rests between its rounds instead of holding a slot. */
export const SPARSE_FROM_MS = 300_000;
/** Logging in to the hosts and starting the loops, on a busy machine. */
const SETTLE_MS = 10_000;
/** What this process saw of the way back is known to it alone: another worker may not reach what this one does. */
const OWN_NAME = randomUUID().slice(0, 8);

export async function watchActivity(raw: WatchCall, services: ProbeServices): Promise<WatchFinding> {
  const parsed = callSchema.safeParse(raw);
  if (!parsed.success) throw permanent('InvalidInput', `the watch can’t begin:\n${z.prettifyError(parsed.error)}`);
  const call = parsed.data;
  const activity = Context.current();
  const { info, cancellationSignal: signal } = activity;
  const attempt = attemptOf(info, call);
  const plan: MonitoringPlan = call.plan;
  const rules = rulesOf(plan);
  const sparse = Math.min(...rules.map((rule) => rule.intervalMs)) >= SPARSE_FROM_MS;
  const rests = sparse && call.firstLook !== true;
  // The server's clock is the same for all workers, and it is the one that skips when a test skips time.
  const scheduledAtMs = info.currentAttemptScheduledTimestampMs;
  const clock = services.clock ?? workerClock;
  const now = rests ? (): number => scheduledAtMs : attemptTime(scheduledAtMs, clock);

  const beaten = unpackCarry((info.heartbeatDetails as { carry?: unknown } | undefined)?.carry, now());
  const carry = takenUp(beaten ?? unpackCarry(call.carry, now()), now(), rests);
  const { monitoring } = plan;
  const machine = createMachine({
    rules,
    serving: call.input.serving,
    checkpointEveryMs: monitoring.checkpointEveryMs,
    settleMs: rests ? 0 : SETTLE_MS,
    checksEscape: services.escapeReady !== undefined,
    escapeEveryMs: monitoring.escapeEveryMs,
    ownedEveryMs: ownedEveryMs(monitoring.escapeEveryMs),
    ...(call.firstLook === true ? { firstLook: true } : {}),
    ...(call.returnAfterObservedMs === undefined ? {} : { returnAfterObservedMs: call.returnAfterObservedMs }),
    ...(carry === undefined ? {} : { carry }),
    by: OWN_NAME,
    resumed: beaten !== undefined,
    now: now(),
    wallOf: clock.wallMs,
  });
  const context: StepContext<MonitoringPlan> = {
    plan,
    ...attempt,
    step: call.step,
    signal,
    host: (name) => services.connect(plan, name, signal),
    evidence: () => undefined,
    progress: () => undefined,
    kept: undefined,
    keep: () => undefined,
    pause: async (ms) => {
      await pause(ms, signal);
      signal.throwIfAborted();
    },
  };
  const watch: Watch = {
    call,
    plan,
    rules,
    services,
    context,
    machine,
    signal,
    now,
    // In the form of a report: the core goes on from it when an attempt is lost for good.
    beat: (at, due) => {
      const known = machine.carry(due);
      activity.heartbeat({
        watching: machine.line(at),
        observedMs: known.aggregates.observedMs,
        carry: packCarry(known),
      });
    },
  };
  const report = rests ? await sparseRound(watch, now(), carry?.due ?? {}) : await denseWatch(watch);
  return { ...report, summary: summaryOf(report) };
}

/**
 * What an attempt goes on from. Only a watch that rests counts the time between two attempts as observed, by the server's
 * clock; and how things stood with the way back is known to the process that looked.
 */
function takenUp(carry: Carry | undefined, now: number, rests: boolean): Carry | undefined {
  if (carry === undefined) return undefined;
  const { escape, due, ...rest } = carry;
  const isOwn = carry.by === OWN_NAME;
  const { escape: _escapeDue, ...dueElse } = due;
  return {
    ...rest,
    aggregates: rests ? carry.aggregates : { ...carry.aggregates, at: now },
    due: isOwn ? due : dueElse,
    ...(isOwn && escape !== undefined ? { escape } : {}),
  };
}

const summaryOf = (report: ProbesReport): string =>
  `${formatDuration(report.observedMs)} observed; ${report.pass} passed, ${report.fail} failed, ${report.inconclusive} inconclusive`;
