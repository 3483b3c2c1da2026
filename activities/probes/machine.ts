/**
 * The decisions of a watch: when it has seen enough, what is a regression, what is news that can't wait for the next
 * checkpoint. No clock, no timers, no I/O; the watch activity drives it, tests drive it through a month in seconds.
 */
import { createHash } from 'node:crypto';
import type { WatchReport } from '../../workflows/procedure/types';
import { clip } from '../kit/clip';
import { formatDuration } from '../kit/duration';
import {
  escapeNow,
  judgeOwned,
  ownedNow,
  type EscapeReadiness,
  type EscapeReport,
  type Owned,
  type OwnedFinding,
  type OwnedReport,
} from './beside';
import { packCarry, type Budget, type Carry } from './carry';
import {
  aggregateOf,
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

export interface MachineOptions {
  readonly rules: readonly Rule[];
  /** Node that is watched. */
  readonly serving: string;
  /** Longest time between two reports, by the clock. */
  readonly checkpointEveryMs: number;
  /** Report as soon as so much time was observed in all, earlier calls included; never for that reason if left out. */
  readonly returnAfterObservedMs?: number;
  /** The escape's readiness is checked: until it is known for the first time there is no news. */
  readonly checksEscape: boolean;
  /** How often the escape, and what the run owns, are looked at: what is much older isn't known any more. */
  readonly escapeEveryMs: number;
  readonly ownedEveryMs: number;
  /** Report as soon as everything was looked at once, or couldn't be within FIRST_LOOK_MS: traffic waits for it. */
  readonly firstLook?: boolean;
  readonly carry?: Carry;
  /** Process that looks, for whoever takes the carry up. */
  readonly by?: string;
  /** How long the probes may take to get going: until then blindness is no news, or each report would cause the next. */
  readonly settleMs: number;
  /** The carry is a heartbeat of an earlier attempt of this same call. */
  readonly resumed?: boolean;
  readonly now: number;
  /** Time for people, of a time of the watch. */
  readonly wallOf?: (time: number) => number;
}

/** How long a first look may take. */
export const FIRST_LOOK_MS = 30_000;

/** What the watch tells besides what every report does. `paused`: from outside, and nobody watches until it is called again. */
export interface ProbesReport extends WatchReport {
  readonly escape?: EscapeReport;
  readonly owned?: OwnedReport;
  readonly paused?: true;
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
  /** What a look at what the run owns comes to. */
  judged(owned: Owned): OwnedFinding;
  ownedChecked(owned: Owned, now: number): void;
  /** `failure` says why it didn't work; left out when it did. */
  reseeded(failure: string | undefined, now: number): void;
  /** A report if the watch has to return now. */
  decide(now: number): ProbesReport | undefined;
  /** The report of a watch that was cut. */
  cut(now: number): ProbesReport;
  /** The report of a watch that somebody else than the core ended. */
  ended(now: number, why: string): ProbesReport;
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
  let owned = earlier?.owned;
  let led = earlier?.led ?? false;
  let reseed = earlier?.reseed;
  let budget: Budget = earlier?.budget ?? { tokens: EARLY_REPORTS_AT_ONCE, at: options.now };
  let told = earlier?.told;
  let last: string | undefined;
  const callStartedAt = (options.resumed === true ? earlier?.callStartedAt : undefined) ?? options.now;
  const enoughMs = options.returnAfterObservedMs ?? Infinity;

  /** Of this call, for the first look. */
  const answered = new Set<string>();
  let looked = false;
  const firstLookIsOver = (now: number): boolean =>
    (rules.every(({ name }) => answered.has(name)) && (looked || !options.checksEscape)) ||
    now - options.now >= FIRST_LOOK_MS;

  let blindness = { names: '', digest: digest('') };
  const blindnessNow = (now: number): string => {
    if (now - options.now < options.settleMs) return told?.split(',')[2] ?? digest('');
    const names = blindProbes(aggregates, rules, now)
      .map((b) => b.name)
      .join(' ');
    // Asked at every result, changed once in a blue moon.
    if (names !== blindness.names) blindness = { names, digest: digest(names) };
    return blindness.digest;
  };
  /** What is worth telling, as text: the escape and reseeding, which probes are blind, what others changed. */
  const circumstances = (now: number): string => {
    const ready = escape === undefined ? PENDING : escapeNow(escape, now, options.escapeEveryMs).ready;
    const reseeding = (reseed?.failures ?? 0) >= RESEED_FAILURES_ARE_NEWS;
    const changed = owned?.asWanted === false ? [digest(owned.why ?? '')] : [];
    return [ready, reseeding, blindnessNow(now), ...changed].join(',');
  };

  /** At a first look nothing has been blind for long: what didn't answer is told by name. */
  const unseen = (now: number): string[] =>
    options.firstLook === true
      ? rules.flatMap(({ name }) => {
          if (!answered.has(name)) return [`probe ${name} hasn’t answered yet`];
          const { blindWhy } = aggregateOf(aggregates, name);
          return blindWhy === undefined ? [] : [`probe ${name} can’t tell: ${blindWhy}`];
        })
      : blindProbes(aggregates, rules, now).map(
          (b) => `probe ${b.name} is blind for ${formatDuration(now - b.since)}: ${b.why}`,
        );
  const troubles = (now: number): string | undefined => {
    const texts = unseen(now);
    if (reseed !== undefined)
      texts.unshift(`reseeding the standby failed ${reseed.failures} times in a row: ${reseed.why}`);
    if (owned?.asWanted === false) texts.unshift(`not as this run left it: ${owned.why ?? ''}`);
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

  const report = (verdict: WatchReport['verdict'], now: number, why: string | undefined): ProbesReport => {
    told = circumstances(now);
    const kept = verdict === 'regression' ? withoutWindows(aggregates) : aggregates;
    return {
      verdict,
      observedMs: aggregates.observedMs,
      ...totals(aggregates),
      ...(why === undefined ? {} : { why: clip(why, LONGEST_TEXT - 1) }),
      last: line(now),
      ...(options.checksEscape ? { escape: escapeNow(escape, now, options.escapeEveryMs) } : {}),
      ...(owned === undefined ? {} : { owned: ownedNow(owned, now, options.ownedEveryMs) }),
      carry: packCarry({ ...known({}), aggregates: kept }),
    };
  };
  const known = (due: Carry['due']): Omit<Carry, 'callStartedAt'> => ({
    aggregates,
    budget,
    due,
    ...(told === undefined ? {} : { told }),
    ...(escape === undefined ? {} : { escape }),
    ...(owned === undefined ? {} : { owned }),
    ...(led ? { led } : {}),
    ...(options.by === undefined ? {} : { by: options.by }),
    ...(reseed === undefined ? {} : { reseed }),
  });

  const isNews = (now: number): boolean => {
    const present = circumstances(now);
    if (present === told) return false;
    // An attempt looks at the escape first of all: until it has, there is no news.
    if (options.checksEscape && !looked && escapeNow(escape, now, options.escapeEveryMs).unknown === true) return false;
    if (!options.checksEscape && told === undefined && present === QUIET) return false;
    // The core was told that it isn't known, at a moment of its own choice: it gets to know it.
    return (options.checksEscape && told?.startsWith(PENDING) === true) || newsAllowed(now);
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
      answered.add(name);
      // Time first: what was seen until now doesn't depend on what came just now.
      aggregates = record(tick(aggregates, rules, now), rule, measurement, now);
      if (measurement.verdict !== 'pass')
        last =
          `${clock(options.wallOf?.(now) ?? now)} ${name}: ${measurement.verdict === 'fail' ? 'failed' : 'inconclusive'}${measurement.why === undefined ? '' : `, ${measurement.why}`}`.slice(
            0,
            200,
          );
    },
    escapeChecked(readiness, now) {
      looked = true;
      escape = { ...readiness, lookedAt: now };
    },
    judged: (found) => judgeOwned(found, options, led),
    ownedChecked(found, now) {
      owned = { ...judgeOwned(found, options, led), lookedAt: now };
      led ||= found.leadsTo === options.serving;
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
      if (options.firstLook === true)
        return firstLookIsOver(now) ? report('checkpoint', now, troubles(now)) : undefined;
      return isNews(now) ? report('checkpoint', now, troubles(now)) : undefined;
    },
    cut(now) {
      aggregates = tick(aggregates, rules, now);
      return report('cut', now, troubles(now));
    },
    ended(now, why) {
      aggregates = tick(aggregates, rules, now);
      return report('checkpoint', now, why);
    },
    carry: (due) => ({ ...known(due), callStartedAt }),
    line,
  };
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);
/** Of an escape that hasn't been looked at, or never is. */
const PENDING = '?';
/** Nothing to tell: no escape checked, reseeding works, nothing blind. */
const QUIET = `${PENDING},false,${digest('')}`;

/** A changed plan never reaches a running watch, but a carry may be from another watch of the same run. */
const onlyOf = (rules: readonly Rule[], aggregates: Aggregates): Aggregates => ({
  ...aggregates,
  probes: Object.fromEntries(
    Object.entries(aggregates.probes).filter(([name]) => rules.some((rule) => rule.name === name)),
  ),
});

const clock = (now: number): string => `${new Date(now).toISOString().slice(0, 19)}Z`;
