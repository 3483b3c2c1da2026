/**
 * The decisions of a watch: when it has seen enough, what is a regression, what is news that can't wait for the next
 * checkpoint. No clock, no timers, no I/O; the watch activity drives it, tests drive it through a month in seconds.
 */
import { createHash } from 'node:crypto';
import type { WatchReport } from '../../workflows/procedure/types';
import { clip } from '../kit/clip';
import { formatDuration } from '../kit/duration';
import { packCarry, type Budget, type Carry } from './carry';
import {
  blindProbes,
  emptyAggregates,
  record,
  regression,
  tick,
  totals,
  withoutWindows,
  type Aggregates,
  type Measurement,
  type Rule,
} from './verdict';

export interface EscapeReadiness {
  readonly ready: boolean;
  readonly why?: string;
}

export interface MachineOptions {
  readonly rules: readonly Rule[];
  /** Longest time between two reports, by the clock. */
  readonly checkpointEveryMs: number;
  /** Report as soon as so much time was observed in all, earlier calls included; never for that reason if left out. */
  readonly returnAfterObservedMs?: number;
  /** The escape's readiness is checked: until it is known for the first time there is no news. */
  readonly checksEscape: boolean;
  readonly carry?: Carry;
  /** How long the probes may take to get going: until then blindness is no news, or each report would cause the next. */
  readonly settleMs: number;
  /** The carry is a heartbeat of an earlier attempt of this same call. */
  readonly resumed?: boolean;
  readonly now: number;
}

/**
 * Reports before they are due cost history, and circumstances may flap for weeks: a few at once, then one in half a
 * checkpoint interval. With the default checkpoints of 6 h, 30 days of flapping stay below 400 reports.
 */
export const EARLY_REPORTS_AT_ONCE = 4;
const LONGEST_TEXT = 600;
/** One failed reseed may be a hiccup of SSH; the next one repairs it. */
const RESEED_FAILURES_ARE_NEWS = 2;

export interface Machine {
  measured(name: string, measurement: Measurement, now: number): void;
  escapeChecked(readiness: EscapeReadiness, now: number): void;
  /** `failure` says why it didn't work; left out when it did. */
  reseeded(failure: string | undefined, now: number): void;
  /** A report if the watch has to return now. */
  decide(now: number): WatchReport | undefined;
  /** The report of a watch that was cut. */
  cut(now: number): WatchReport;
  /** For heartbeats: everything that another attempt needs. */
  carry(due: Carry['due']): Carry;
  /** One line for people, of what is known now. */
  line(now: number): string;
}

export function createMachine(options: MachineOptions): Machine {
  const { rules } = options;
  const ruleOf = new Map(rules.map((rule) => [rule.name, rule]));
  const earlier = options.carry;
  let aggregates: Aggregates = earlier === undefined ? emptyAggregates(options.now) : onlyOf(rules, earlier.aggregates);
  let escape = earlier?.escape;
  let reseed = earlier?.reseed;
  let budget: Budget = earlier?.budget ?? { tokens: EARLY_REPORTS_AT_ONCE, at: options.now };
  let told = earlier?.told;
  let last: string | undefined;
  const callStartedAt = (options.resumed === true ? earlier?.callStartedAt : undefined) ?? options.now;
  const enoughMs = options.returnAfterObservedMs ?? Infinity;

  let blindness = { names: '', digest: digest('') };
  /** What is worth telling, as text: the escape and reseeding, then which probes are blind. */
  const circumstances = (now: number): string | undefined => {
    if (options.checksEscape && escape === undefined) return undefined;
    const beside = `${escape?.ready ?? '?'},${(reseed?.failures ?? 0) >= RESEED_FAILURES_ARE_NEWS}`;
    if (now - options.now < options.settleMs) return `${beside},${told?.split(',')[2] ?? digest('')}`;
    const names = blindProbes(aggregates, rules, now)
      .map((b) => b.name)
      .join(' ');
    // Asked at every result, changed once in a blue moon.
    if (names !== blindness.names) blindness = { names, digest: digest(names) };
    return `${beside},${blindness.digest}`;
  };

  const troubles = (now: number): string | undefined => {
    const texts = blindProbes(aggregates, rules, now).map(
      (b) => `probe ${b.name} is blind for ${formatDuration(now - b.since)}: ${b.why}`,
    );
    if (reseed !== undefined)
      texts.unshift(`reseeding the standby failed ${reseed.failures} times in a row: ${reseed.why}`);
    return texts.length === 0 ? undefined : clip(texts.join('; '), LONGEST_TEXT - 1);
  };

  const line = (now: number): string => {
    if (last !== undefined) return last;
    const blind = blindProbes(aggregates, rules, now).length;
    const seen = rules.filter((rule) => aggregates.probes[rule.name]?.lastConclusiveAt !== undefined).length;
    return blind > 0
      ? `${blind} of ${rules.length} probes blind, no failure so far`
      : `${seen} of ${rules.length} probes answered, no failure so far`;
  };

  const report = (verdict: WatchReport['verdict'], now: number, why: string | undefined): WatchReport => {
    told = circumstances(now) ?? told;
    const kept = verdict === 'regression' ? withoutWindows(aggregates) : aggregates;
    return {
      verdict,
      observedMs: aggregates.observedMs,
      ...totals(aggregates),
      ...(why === undefined ? {} : { why: clip(why, LONGEST_TEXT - 1) }),
      last: line(now),
      ...(escape === undefined
        ? {}
        : {
            escape: {
              ready: escape.ready,
              ...(escape.why === undefined ? {} : { why: clip(escape.why, LONGEST_TEXT - 1) }),
            },
          }),
      carry: packCarry({
        aggregates: kept,
        budget,
        due: {},
        ...(told === undefined ? {} : { told }),
        ...(escape === undefined ? {} : { escape }),
        ...(reseed === undefined ? {} : { reseed }),
      }),
    };
  };

  const newsAllowed = (now: number): boolean => {
    const everyMs = options.checkpointEveryMs / 2;
    const earned = Math.max(0, Math.floor((now - budget.at) / everyMs));
    if (earned > 0)
      budget = { tokens: Math.min(EARLY_REPORTS_AT_ONCE, budget.tokens + earned), at: budget.at + earned * everyMs };
    if (budget.tokens < 1) return false;
    budget = { ...budget, tokens: budget.tokens - 1 };
    return true;
  };

  return {
    measured(name, measurement, now) {
      const rule = ruleOf.get(name);
      if (rule === undefined) return;
      // Time first: what was seen until now doesn't depend on what came just now.
      aggregates = record(tick(aggregates, rules, now), rule, measurement, now);
      if (measurement.verdict !== 'pass')
        last =
          `${clock(now)} ${name}: ${measurement.verdict === 'fail' ? 'failed' : 'inconclusive'}${measurement.why === undefined ? '' : `, ${measurement.why}`}`.slice(
            0,
            200,
          );
    },
    escapeChecked(readiness) {
      escape = readiness;
    },
    reseeded(failure) {
      reseed = failure === undefined ? undefined : { failures: (reseed?.failures ?? 0) + 1, why: failure };
    },
    decide(now) {
      aggregates = tick(aggregates, rules, now);
      const broken = regression(aggregates, rules);
      if (broken !== undefined) return report('regression', now, broken);
      if (aggregates.observedMs >= enoughMs || now - callStartedAt >= options.checkpointEveryMs)
        return report('checkpoint', now, troubles(now));
      const present = circumstances(now);
      const quiet = !options.checksEscape && told === undefined && present === QUIET;
      if (present !== undefined && present !== told && !quiet && newsAllowed(now))
        return report('checkpoint', now, troubles(now));
      return undefined;
    },
    cut(now) {
      aggregates = tick(aggregates, rules, now);
      return report('cut', now, troubles(now));
    },
    carry: (due) => ({
      aggregates,
      budget,
      due,
      callStartedAt,
      ...(told === undefined ? {} : { told }),
      ...(escape === undefined ? {} : { escape }),
      ...(reseed === undefined ? {} : { reseed }),
    }),
    line,
  };
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);
/** Nothing to tell: no escape checked, reseeding works, nothing blind. */
const QUIET = `?,false,${digest('')}`;

/** A changed plan never reaches a running watch, but a carry may be from another watch of the same run. */
const onlyOf = (rules: readonly Rule[], aggregates: Aggregates): Aggregates => ({
  ...aggregates,
  probes: Object.fromEntries(
    Object.entries(aggregates.probes).filter(([name]) => rules.some((rule) => rule.name === name)),
  ),
});

const clock = (now: number): string => `${new Date(now).toISOString().slice(0, 19)}Z`;
