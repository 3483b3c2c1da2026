/** A watch that rests: rounds of minutes or hours, with nothing held in between (see watch-activity.ts). */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { formatDuration } from '../kit/duration';
import type { Carry } from './carry';
import { checkEscape, lookAtOwned, ownedEveryMs, reseed } from './looks';
import type { ProbesReport } from './machine';
import { runProbes } from './runner';
import { aggregateOf, type Rule } from './verdict';
import { endReport, type Watch } from './watch';

const TICK_MS = 1_000;

/** One round of what is due; returns a report, or rests by failing in the way that the server takes for a pause. */
export async function sparseRound(watch: Watch, now: number, lastDue: Carry['due']): Promise<ProbesReport> {
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
        if (services.owned === undefined || (lastDue.owned ?? 0) > now) return;
        const owned = await lookAtOwned(watch, signal);
        due.owned = now + ownedEveryMs(monitoring.escapeEveryMs);
        if (owned !== undefined) machine.ownedChecked(owned, now);
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
  if (signal.aborted) return endReport(watch, now, due);
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
