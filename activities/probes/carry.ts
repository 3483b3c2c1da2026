/**
 * What a watch hands to its next attempt: heartbeat details while it runs (a worker's death loses at most the heartbeat
 * throttle), `carry` of its report afterwards. Always below 8 KB, whatever the probes said. Pure.
 */
import { z } from 'zod';
import type { EscapeReadiness, Looked, OwnedFinding } from './beside';
import type { Aggregates, ProbeAggregate } from './verdict';

/** Largest carry, bytes of JSON. */
export const CARRY_LIMIT_BYTES = 8 * 1024;

/** Budget for reports that come before they are due (see machine.ts). */
export interface Budget {
  readonly tokens: number;
  readonly at: number;
}

export interface Carry {
  readonly aggregates: Aggregates;
  /** The circumstances that the last report told: a change of them is news. */
  readonly told?: string;
  readonly budget?: Budget;
  readonly escape?: Looked<EscapeReadiness>;
  readonly owned?: Looked<OwnedFinding>;
  /** What the run owns has led to the node that is watched. */
  readonly led?: boolean;
  /** Process that looked: what another one saw of the way back isn't known to this one. */
  readonly by?: string;
  /** When what is beside the probes is due, epoch milliseconds; probes are due an interval after their last round. */
  readonly due: { readonly reseed?: number; readonly escape?: number; readonly owned?: number };
  readonly reseed?: { readonly failures: number; readonly why: string };
  /** When the call began that the heartbeat belongs to. */
  readonly callStartedAt?: number;
}

const ago = z.number();
/** A part that can't be read is left out. */
const maybe = <S extends z.ZodType>(schema: S) => schema.optional().catch(undefined);
/** One probe as a row: short, for thirty of them must fit. Times are milliseconds before `at`. */
const row = z.tuple([
  z.int().min(0), // pass
  z.int().min(0), // fail
  z.int().min(0), // inconclusive
  z.string().regex(/^\d+:[0-9a-f]*$/), // window: length, bits with the newest lowest
  ago.nullable(), // lastConclusiveAt
  ago.nullable(), // lastAt
  z.tuple([ago, z.string()]).nullable(), // lastFail
  z.tuple([z.number(), z.number(), z.number()]).nullable(), // latency: min, median, max
  z.string().nullable(), // blindWhy
]);

const packed = z.object({
  v: z.literal(1),
  since: z.number(),
  at: z.number(),
  observedMs: z.number().min(0),
  probes: z.record(z.string(), z.unknown()).catch({}),
  told: maybe(z.string()),
  budget: maybe(z.tuple([z.number(), z.number()])),
  escape: maybe(z.object({ ready: z.boolean(), why: z.string().optional(), ago: ago.optional() })),
  owned: maybe(z.object({ asWanted: z.boolean(), why: z.string().optional(), ago: ago.optional() })),
  led: maybe(z.boolean()),
  by: maybe(z.string().max(64)),
  due: maybe(z.partialRecord(z.enum(['reseed', 'escape', 'owned']), z.number())),
  reseed: maybe(z.object({ failures: z.int(), why: z.string() })),
  callStartedAt: maybe(z.number()),
});
export type PackedCarry = z.input<typeof packed>;

const packWindow = (window: readonly boolean[]): string => {
  const bits = window.reduce((sum, failed) => (sum << 1n) | (failed ? 1n : 0n), 0n);
  return `${window.length}:${bits === 0n ? '' : bits.toString(16)}`;
};

const unpackWindow = (text: string): boolean[] => {
  const [length, hex] = text.split(':');
  const bits = hex === undefined || hex === '' ? 0n : BigInt(`0x${hex}`);
  return Array.from({ length: Number(length) }, (_, i) => ((bits >> BigInt(Number(length) - 1 - i)) & 1n) === 1n);
};

const tenths = (ms: number): number => Math.round(ms * 10) / 10;

/** Plain data for history, with reasons shortened until all of it fits. */
export function packCarry(carry: Carry): PackedCarry {
  for (const whyChars of [160, 80, 40, 15, 0]) {
    const value = packWith(carry, whyChars);
    if (Buffer.byteLength(JSON.stringify(value)) <= CARRY_LIMIT_BYTES) return value;
  }
  // Latencies are the least of what people need; with MAX_PROBES this always fits.
  return packWith(carry, 0, false);
}

function packWith(carry: Carry, whyChars: number, latencies = true): PackedCarry {
  const { since, at, observedMs, probes } = carry.aggregates;
  const past = (time: number | undefined): number | null => (time === undefined ? null : at - time);
  const looked = <F extends Looked<{ readonly why?: string }>>({ why, lookedAt, ...found }: F) => ({
    ...found,
    ...(why === undefined ? {} : { why: why.slice(0, 3 * whyChars) }),
    ...(lookedAt === undefined ? {} : { ago: at - lookedAt }),
  });
  const pack = (p: ProbeAggregate): z.input<typeof row> => [
    p.pass,
    p.fail,
    p.inconclusive,
    packWindow(p.window),
    past(p.lastConclusiveAt),
    past(p.lastAt),
    p.lastFail === undefined ? null : [at - p.lastFail.at, p.lastFail.why.slice(0, whyChars)],
    p.latencyMs === undefined || !latencies
      ? null
      : [tenths(p.latencyMs.min), tenths(p.latencyMs.median), tenths(p.latencyMs.max)],
    p.blindWhy === undefined ? null : p.blindWhy.slice(0, whyChars),
  ];
  return {
    v: 1,
    since,
    at,
    observedMs,
    probes: Object.fromEntries(Object.entries(probes).map(([name, p]) => [name, pack(p)])),
    ...(carry.told === undefined ? {} : { told: carry.told }),
    ...(carry.budget === undefined ? {} : { budget: [carry.budget.tokens, carry.budget.at] as [number, number] }),
    ...(carry.escape === undefined ? {} : { escape: looked(carry.escape) }),
    ...(carry.owned === undefined ? {} : { owned: looked(carry.owned) }),
    ...(carry.led === undefined ? {} : { led: carry.led }),
    ...(carry.by === undefined ? {} : { by: carry.by }),
    ...(Object.keys(carry.due).length === 0 ? {} : { due: carry.due }),
    ...(carry.reseed === undefined
      ? {}
      : { reseed: { failures: carry.reseed.failures, why: carry.reseed.why.slice(0, whyChars) } }),
    ...(carry.callStartedAt === undefined ? {} : { callStartedAt: carry.callStartedAt }),
  };
}

/**
 * Undefined if it isn't a carry of this kind: then the watch starts anew. A part that can't be read is left out, for a
 * worker of another build must not wedge a run over a detail. One from after `now` comes from a clock that was wrong: it is
 * taken as made just now, so that nothing in it is fresh, stale or due by mistake.
 */
export function unpackCarry(value: unknown, now = Infinity): Carry | undefined {
  const parsed = packed.safeParse(value);
  if (!parsed.success) return undefined;
  const { observedMs, probes, told, budget, escape, owned, led, by, due, reseed, callStartedAt } = parsed.data;
  const aheadMs = Math.max(0, parsed.data.at - now);
  const at = parsed.data.at - aheadMs;
  const aggregates: Aggregates = {
    since: parsed.data.since - aheadMs,
    at,
    observedMs,
    probes: Object.fromEntries(
      Object.entries(probes).flatMap(([name, packedRow]) => {
        const r = row.safeParse(packedRow);
        return r.success ? [[name, unpackRow(r.data, at)]] : [];
      }),
    ),
  };
  type Packed = { readonly why?: string | undefined; readonly ago?: number | undefined };
  const looked = <F extends Packed>({ ago: agoMs, why, ...found }: F) => ({
    ...found,
    ...(why === undefined ? {} : { why }),
    ...(agoMs === undefined ? {} : { lookedAt: at - Math.max(0, agoMs) }),
  });
  return {
    aggregates,
    due: Object.fromEntries(Object.entries(due ?? {}).map(([what, dueAt]) => [what, dueAt - aheadMs])),
    ...(told === undefined ? {} : { told }),
    ...(budget === undefined ? {} : { budget: { tokens: budget[0], at: budget[1] - aheadMs } }),
    ...(escape === undefined ? {} : { escape: looked(escape) }),
    ...(owned === undefined ? {} : { owned: looked(owned) }),
    ...(led === undefined ? {} : { led }),
    ...(by === undefined ? {} : { by }),
    ...(reseed === undefined ? {} : { reseed }),
    ...(callStartedAt === undefined ? {} : { callStartedAt: callStartedAt - aheadMs }),
  };
}

function unpackRow(r: z.output<typeof row>, at: number): ProbeAggregate {
  const [pass, fail, inconclusive, window, conclusiveAgo, lastAgo, lastFail, latency, blindWhy] = r;
  // Nothing was seen after the carry was made.
  const before = (agoMs: number): number => at - Math.max(0, agoMs);
  return {
    pass,
    fail,
    inconclusive,
    window: unpackWindow(window),
    ...(conclusiveAgo === null ? {} : { lastConclusiveAt: before(conclusiveAgo) }),
    ...(lastAgo === null ? {} : { lastAt: before(lastAgo) }),
    ...(lastFail === null ? {} : { lastFail: { at: before(lastFail[0]), why: lastFail[1] } }),
    ...(latency === null ? {} : { latencyMs: { min: latency[0], median: latency[1], max: latency[2] } }),
    ...(blindWhy === null ? {} : { blindWhy }),
  };
}
