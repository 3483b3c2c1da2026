/**
 * The watch: one heartbeating activity that runs the probes, reseeds the standby and keeps looking whether the escape would
 * work, for hours. It returns at checkpoints, at a regression, at news (rate-limited) and when cut; between two returns it
 * costs no history (facts/temporal.md, d.3). What it knows travels in its heartbeats, so another worker goes on after a death.
 *
 * Probes of minutes don't hold a slot: the attempt ends in a retryable, benign failure that says when the next round is
 * due, and the server waits (facts/temporal.md, d.2). The activity must therefore have attempts without limit.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { z } from 'zod';
import type { WatchReport } from '../../workflows/procedure/types';
import { attemptOf, messageOf, permanent, type Finding, type StepCall, type StepContext } from '../kit';
import { formatDuration } from '../kit/duration';
import { packCarry, unpackCarry, type Carry } from './carry';
import type { Baseline } from './checks';
import { createMachine, type EscapeReadiness, type Machine } from './machine';
import { limitedContext, rulesOf, runProbes } from './runner';
import type { ProbeServices, Watched } from './services';
import { monitoringSpec, type MonitoringPlan } from './spec';
import { pause, repeat, within } from './timing';
import { aggregateOf, type Rule } from './verdict';

/** Input of `probes.watch`. */
export interface WatchInput extends Watched {
  /** What `probes.baseline` returned; without it, bounds relative to the baseline are inconclusive. */
  readonly baseline?: Baseline;
}

/** What `probes.watch` returns. */
export type WatchFinding = WatchReport & Finding;

/** What the core sends: a step's call, what the last report carried, and when to report at the latest. */
export interface WatchCall extends StepCall {
  readonly carry?: unknown;
  /** In all, earlier calls included. */
  readonly returnAfterObservedMs?: number;
}

/** From this interval on (of the most frequent probe) a watch rests between its rounds instead of holding a slot. */
export const SPARSE_FROM_MS = 300_000;
const TICK_MS = 1_000;
/** Logging in to the hosts and starting the loops, on a busy machine. */
const SETTLE_MS = 10_000;
const ESCAPE_CHECK_LIMIT_MS = 60_000;
const RESEED_LIMIT_MS = 120_000;
/** How long what is in flight may take to end when the watch returns. */
const CLOSING_MS = 5_000;

const callSchema = z.object({
  schema: z.literal(1),
  step: z.string(),
  plan: z.looseObject({ monitoring: monitoringSpec, hosts: z.record(z.string(), z.unknown()) }),
  input: z.object({
    serving: z.string().min(1),
    escapeTo: z.string().min(1),
    baseline: z.looseObject({ values: z.record(z.string(), z.number()) }).optional(),
  }),
  returnAfterObservedMs: z.number().min(0).optional(),
  carry: z.unknown().optional(),
  run: z.unknown().optional(),
});
type Call = z.output<typeof callSchema>;

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
  // The server's clock: it is the same for all workers, and it is the one that skips when a test skips time.
  const startedAt = sparse ? info.currentAttemptScheduledTimestampMs : Date.now();

  const beat = unpackCarry((info.heartbeatDetails as { carry?: unknown } | undefined)?.carry);
  const carry = beat ?? unpackCarry(call.carry);
  const machine = createMachine({
    rules,
    checkpointEveryMs: plan.monitoring.checkpointEveryMs,
    settleMs: sparse ? 0 : SETTLE_MS,
    checksEscape: services.escapeReady !== undefined,
    ...(call.returnAfterObservedMs === undefined ? {} : { returnAfterObservedMs: call.returnAfterObservedMs }),
    ...(carry === undefined ? {} : { carry }),
    resumed: beat !== undefined,
    now: startedAt,
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
    beat: (now, due) => activity.heartbeat({ watching: machine.line(now), carry: packCarry(machine.carry(due)) }),
    cutWasAsked: () => activity.cancellationDetails?.cancelRequested !== false,
    cause: () => (activity.cancellationDetails?.workerShutdown === true ? 'shutdown' : 'other'),
  };
  const report = sparse ? await sparseRound(watch, startedAt, carry?.due ?? {}) : await denseWatch(watch);
  return { ...report, summary: summaryOf(report) };
}

interface Watch {
  readonly call: Call;
  readonly plan: MonitoringPlan;
  readonly rules: readonly Rule[];
  readonly services: ProbeServices;
  readonly context: StepContext<MonitoringPlan>;
  readonly machine: Machine;
  readonly signal: AbortSignal;
  readonly beat: (now: number, due: Carry['due']) => void;
  readonly cutWasAsked: () => boolean;
  readonly cause: () => 'shutdown' | 'other';
}

async function denseWatch(watch: Watch): Promise<WatchReport> {
  const { plan, services, context, machine, signal, call } = watch;
  const { monitoring } = plan;
  const over = new AbortController();
  const due: { reseed?: number; escape?: number } = {};
  let settle: (report: WatchReport | undefined) => void = () => undefined;
  const settled = new Promise<WatchReport | undefined>((resolve) => (settle = resolve));
  let isOver = false;
  const decide = (): void => {
    if (isOver) return;
    const report = machine.decide(Date.now());
    if (report === undefined) return;
    isOver = true;
    settle(report);
  };
  const onCut = (): void => {
    isOver = true;
    settle(undefined);
  };
  if (signal.aborted) onCut();
  else signal.addEventListener('abort', onCut, { once: true });
  const ticks = setInterval(() => {
    decide();
    if (!isOver) watch.beat(Date.now(), due);
  }, TICK_MS);

  const running = Promise.all([
    runProbes({
      services,
      context,
      probes: monitoring.probes,
      watched: call.input,
      ...(call.input.baseline === undefined ? {} : { baseline: call.input.baseline.values }),
      rounds: 0,
      emit: (name, measurement) => {
        if (isOver) return;
        machine.measured(name, measurement, Date.now());
        decide();
      },
      signal: over.signal,
    }),
    repeat(monitoring.escapeEveryMs, over.signal, async () => {
      const readiness = await checkEscape(watch, over.signal);
      if (readiness === undefined || isOver) return;
      machine.escapeChecked(readiness, Date.now());
      decide();
    }),
    monitoring.reseedEveryMs === 'never'
      ? undefined
      : repeat(monitoring.reseedEveryMs, over.signal, async () => {
          const failure = await reseed(watch, over.signal);
          if (failure === 'nothing to do' || isOver) return;
          machine.reseeded(failure, Date.now());
          decide();
        }),
  ]);
  try {
    // A fault of our own in a loop must fail the attempt, not leave it blind.
    const report = await Promise.race([settled, running.then(() => settled)]);
    return report ?? cutReport(watch, Date.now(), due);
  } finally {
    clearInterval(ticks);
    signal.removeEventListener('abort', onCut);
    isOver = true;
    over.abort(new Error('the watch has ended'));
    await Promise.race([running.catch(() => undefined), pause(CLOSING_MS, new AbortController().signal)]);
  }
}

/** One round of what is due; returns a report, or rests by failing in the way that the server takes for a pause. */
async function sparseRound(watch: Watch, now: number, lastDue: Carry['due']): Promise<WatchReport> {
  const { plan, services, context, machine, signal, call, rules } = watch;
  const { monitoring } = plan;
  const earlier = machine.carry({}).aggregates;
  // Attempts come a little early or late; a twentieth of the interval is neither.
  const dueAt = (rule: Rule): number => {
    const { lastAt } = aggregateOf(earlier, rule.name);
    return lastAt === undefined ? now : lastAt + rule.intervalMs * 0.95;
  };
  const dueNames = new Set(rules.filter((rule) => dueAt(rule) <= now).map((rule) => rule.name));
  const due = { ...lastDue };
  const ticks = setInterval(() => watch.beat(now, lastDue), TICK_MS);
  try {
    await Promise.all([
      runProbes({
        services,
        context,
        probes: monitoring.probes.filter((probe) => dueNames.has(probe.name)),
        watched: call.input,
        ...(call.input.baseline === undefined ? {} : { baseline: call.input.baseline.values }),
        rounds: 1,
        emit: (name, measurement) => machine.measured(name, measurement, now),
        signal,
      }),
      (async () => {
        if ((lastDue.escape ?? 0) > now) return;
        const readiness = await checkEscape(watch, signal);
        if (readiness === undefined) return;
        machine.escapeChecked(readiness, now);
        due.escape = now + monitoring.escapeEveryMs;
      })(),
      (async () => {
        if (monitoring.reseedEveryMs === 'never' || (lastDue.reseed ?? 0) > now) return;
        const failure = await reseed(watch, signal);
        if (failure === 'nothing to do') return;
        machine.reseeded(failure, now);
        due.reseed = now + monitoring.reseedEveryMs;
      })(),
    ]);
  } finally {
    clearInterval(ticks);
  }
  if (signal.aborted) return cutReport(watch, now, due);
  const report = machine.decide(now);
  if (report !== undefined) return report;
  const known = machine.carry(due);
  const times = [
    ...rules.map((rule) => (aggregateOf(known.aggregates, rule.name).lastAt ?? now) + rule.intervalMs),
    ...Object.values(due),
    (known.callStartedAt ?? now) + monitoring.checkpointEveryMs,
    now + ((call.returnAfterObservedMs ?? Infinity) - known.aggregates.observedMs),
  ];
  const restMs = Math.max(1_000, Math.min(...times) - now);
  watch.beat(now, due);
  throw ApplicationFailure.create({
    type: 'WatchResting',
    message: `not a failure: the next round of probes is due in ${formatDuration(restMs)}. ${machine.line(now)}`,
    nextRetryDelay: restMs,
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** The core cuts and reads what was seen; for any other end another attempt goes on, from the heartbeat. */
function cutReport(watch: Watch, now: number, due: Carry['due']): WatchReport {
  if (watch.cutWasAsked()) return watch.machine.cut(now);
  watch.beat(now, due);
  if (watch.cause() === 'shutdown')
    throw ApplicationFailure.retryable('this worker shuts down; another one goes on watching', 'WorkerShutdown');
  throw watch.signal.reason;
}

async function checkEscape(watch: Watch, signal: AbortSignal): Promise<EscapeReadiness | undefined> {
  const { services, context, call } = watch;
  if (services.escapeReady === undefined) return undefined;
  const { escapeReady } = services;
  try {
    return await within(ESCAPE_CHECK_LIMIT_MS, signal, (limit) =>
      escapeReady(limitedContext(context, services, limit), call.input),
    );
  } catch (error) {
    return { ready: false, why: `it couldn’t be checked: ${messageOf(error)}` };
  }
}

/** Why the reseed failed; undefined if it worked. */
async function reseed(watch: Watch, signal: AbortSignal): Promise<string | undefined> {
  const { services, context, call } = watch;
  if (services.reseed === undefined) return 'nothing to do';
  const { reseed: once } = services;
  try {
    await within(RESEED_LIMIT_MS, signal, (limit) => once(limitedContext(context, services, limit), call.input));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const summaryOf = (report: WatchReport): string =>
  `${formatDuration(report.observedMs)} observed; ${report.pass} passed, ${report.fail} failed, ${report.inconclusive} inconclusive`;
