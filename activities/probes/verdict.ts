/**
 * What a watch remembers of its probes: counts, a short window for the tolerance, and how much time was really observed.
 * Pure functions over plain data; every clock reading comes in as an argument (epoch milliseconds, as attemptTime of the kit
 * counts them).
 *
 * Time counts as observed while every required probe gave a pass or fail within its last few intervals. A worker that was
 * dead, a lost host or a full queue therefore add nothing: no data is not a pass (promise 7).
 */
import { clip } from '../kit/clip';
import type { Schedule } from './spec';

/** What one round of a probe found. */
export interface Measurement {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  /** Why it isn't a pass, in plain words; with what was seen. */
  readonly why?: string;
  /** Of a fail that leaves no doubt, as by the word of all who know: confirmed once, it is a regression whatever is tolerated. */
  readonly certain?: true;
  readonly latencyMs?: number;
  /** The number that a bound is about. */
  readonly value?: number;
}

export interface Rule extends Schedule {
  readonly name: string;
}

export interface ProbeAggregate {
  readonly pass: number;
  readonly fail: number;
  readonly inconclusive: number;
  /** The newest results that were pass or fail, oldest first: true is a fail. */
  readonly window: readonly boolean[];
  readonly lastConclusiveAt?: number;
  readonly lastAt?: number;
  readonly lastFail?: { readonly at: number; readonly why: string; readonly certain?: true };
  /** Why there is no data; set by the first inconclusive result after a pass or fail. */
  readonly blindWhy?: string;
  /** The median is a running estimate: no samples are kept. */
  readonly latencyMs?: { readonly min: number; readonly median: number; readonly max: number };
}

export interface Aggregates {
  /** When the watch began to look, its attempts before a worker's death included. */
  readonly since: number;
  /** Up to when observed time was reckoned. */
  readonly at: number;
  readonly observedMs: number;
  readonly probes: Readonly<Record<string, ProbeAggregate>>;
}

const NOTHING: ProbeAggregate = { pass: 0, fail: 0, inconclusive: 0, window: [] };
const LONGEST_WHY = 160;

export const emptyAggregates = (now: number): Aggregates => ({ since: now, at: now, observedMs: 0, probes: {} });

export const aggregateOf = (aggregates: Aggregates, name: string): ProbeAggregate => aggregates.probes[name] ?? NOTHING;

/** How long after a pass or fail a probe still counts as seeing. */
export const freshForMs = (rule: Rule): number => rule.tolerance.inconclusive * rule.intervalMs + rule.timeoutMs;

/** One result more. Results may come late or twice; they never move time backwards, but follow a clock that did (see tick). */
export function record(aggregates: Aggregates, rule: Rule, measurement: Measurement, at: number): Aggregates {
  const before = aggregateOf(aggregates, rule.name);
  const latest = (known: number | undefined): number => Math.max(at, Math.min(known ?? at, aggregates.at));
  const lastAt = latest(before.lastAt);
  const count = { ...before, [measurement.verdict]: before[measurement.verdict] + 1, lastAt };
  const why = measurement.why === undefined ? undefined : clip(measurement.why, LONGEST_WHY - 1);
  let after: ProbeAggregate;
  if (measurement.verdict === 'inconclusive') {
    after = { ...count, blindWhy: why ?? 'no data' };
  } else {
    const { blindWhy: _seesAgain, ...seeing } = count;
    const failed = measurement.verdict === 'fail';
    // After a hole the old results say nothing about now: without this, two faults days apart would add up.
    const hole =
      before.lastConclusiveAt !== undefined && at - before.lastConclusiveAt > rule.tolerance.of * freshForMs(rule);
    after = {
      ...seeing,
      window: [...(hole ? [] : before.window), failed].slice(-rule.tolerance.of),
      lastConclusiveAt: latest(before.lastConclusiveAt),
      ...(failed
        ? { lastFail: { at, why: why ?? 'failed', ...(measurement.certain === true ? { certain: true } : {}) } }
        : {}),
      ...(measurement.latencyMs === undefined
        ? {}
        : { latencyMs: learnLatency(before.latencyMs, measurement.latencyMs) }),
    };
  }
  return { ...aggregates, probes: { ...aggregates.probes, [rule.name]: after } };
}

/** The estimate moves a twentieth of itself towards each sample, so half of them end up on either side of it. */
function learnLatency(known: ProbeAggregate['latencyMs'], sample: number): NonNullable<ProbeAggregate['latencyMs']> {
  if (known === undefined) return { min: sample, median: sample, max: sample };
  const step = Math.min(Math.abs(sample - known.median), Math.max(known.median * 0.05, 0.05));
  return {
    min: Math.min(known.min, sample),
    median: known.median + Math.sign(sample - known.median) * step,
    max: Math.max(known.max, sample),
  };
}

/** A result from the future says that a clock has stepped, nothing about now. */
const isRecent = (at: number, now: number, withinMs: number): boolean => at <= now && now - at <= withinMs;

const isFresh = (aggregates: Aggregates, rule: Rule, now: number): boolean => {
  const { lastConclusiveAt } = aggregateOf(aggregates, rule.name);
  return lastConclusiveAt !== undefined && isRecent(lastConclusiveAt, now, freshForMs(rule));
};

/**
 * Reckons the time since the last tick: all of it if every required probe was seeing through to now and nothing was missed
 * in between, else none of it. Call it *before* recording what came at `now`, so that the first answer after a hole doesn't
 * count the hole.
 */
export function tick(aggregates: Aggregates, rules: readonly Rule[], now: number): Aggregates {
  const elapsed = now - aggregates.at;
  // A clock that jumped back counts for nothing and is followed.
  if (elapsed <= 0) return { ...aggregates, at: now };
  const required = rules.filter((rule) => rule.required);
  // The gap itself is looked at too: after a jump back, the last result lies in the future.
  const seen = (required.length > 0 ? required : rules).every(
    (rule) => elapsed <= freshForMs(rule) && isFresh(aggregates, rule, now),
  );
  return { ...aggregates, at: now, observedMs: aggregates.observedMs + (seen ? elapsed : 0) };
}

/** The first probe whose tolerance is used up, or whose last fail is certain, in words; undefined if there is none. */
export function regression(aggregates: Aggregates, rules: readonly Rule[]): string | undefined {
  for (const rule of rules) {
    const { window, lastFail } = aggregateOf(aggregates, rule.name);
    if (lastFail?.certain === true && window.at(-1) === true)
      return `probe ${rule.name} failed, and there is no doubt: ${lastFail.why}`;
    const fails = window.filter((failed) => failed).length;
    if (fails < rule.tolerance.fail) continue;
    return `probe ${rule.name} failed ${fails} times in its last ${window.length} rounds (tolerated: fewer than ${rule.tolerance.fail} of ${rule.tolerance.of}): ${lastFail?.why ?? 'failed'}`;
  }
  return undefined;
}

export interface Blind {
  readonly name: string;
  /** Since when there has been no pass or fail. */
  readonly since: number;
  readonly why: string;
}

/** Probes that have given no pass or fail for longer than tolerated, the optional ones too. */
export function blindProbes(aggregates: Aggregates, rules: readonly Rule[], now: number): readonly Blind[] {
  return rules.flatMap((rule) => {
    const { lastConclusiveAt, blindWhy } = aggregateOf(aggregates, rule.name);
    const since = lastConclusiveAt ?? aggregates.since;
    if (isRecent(since, now, freshForMs(rule))) return [];
    return [{ name: rule.name, since: Math.min(since, now), why: blindWhy ?? 'no answer' }];
  });
}

/** Forgets the windows: after a regression was dealt with, the same results must not raise it again. */
export const withoutWindows = (aggregates: Aggregates): Aggregates => ({
  ...aggregates,
  probes: Object.fromEntries(Object.entries(aggregates.probes).map(([name, p]) => [name, { ...p, window: [] }])),
});

export interface Totals {
  readonly pass: number;
  readonly fail: number;
  readonly inconclusive: number;
}

export function totals(aggregates: Aggregates): Totals {
  const sum = { pass: 0, fail: 0, inconclusive: 0 };
  for (const p of Object.values(aggregates.probes)) {
    sum.pass += p.pass;
    sum.fail += p.fail;
    sum.inconclusive += p.inconclusive;
  }
  return sum;
}
