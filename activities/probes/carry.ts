/**
 * What a watch hands to its next attempt: heartbeat details while it runs (a worker's death loses at most the heartbeat
 * throttle), `carry` of its report afterwards. Always below 8 KB, whatever the probes said. Pure.
 */
import { z } from 'zod';
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
  readonly escape?: { readonly ready: boolean; readonly why?: string };
  /** When reseeding and the escape's check are due, epoch milliseconds; probes are due an interval after their last round. */
  readonly due: { readonly reseed?: number; readonly escape?: number };
  readonly reseed?: { readonly failures: number; readonly why: string };
  /** When the call began that the heartbeat belongs to. */
  readonly callStartedAt?: number;
}

const ago = z.number();
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
  told: z.string().optional().catch(undefined),
  budget: z.tuple([z.number(), z.number()]).optional().catch(undefined),
  escape: z.object({ ready: z.boolean(), why: z.string().optional() }).optional().catch(undefined),
  due: z.object({ reseed: z.number().optional(), escape: z.number().optional() }).optional().catch(undefined),
  reseed: z.object({ failures: z.int(), why: z.string() }).optional().catch(undefined),
  callStartedAt: z.number().optional().catch(undefined),
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
    ...(carry.escape === undefined
      ? {}
      : {
          escape: {
            ready: carry.escape.ready,
            ...(carry.escape.why === undefined ? {} : { why: carry.escape.why.slice(0, 3 * whyChars) }),
          },
        }),
    ...(Object.keys(carry.due).length === 0 ? {} : { due: carry.due }),
    ...(carry.reseed === undefined
      ? {}
      : { reseed: { failures: carry.reseed.failures, why: carry.reseed.why.slice(0, whyChars) } }),
    ...(carry.callStartedAt === undefined ? {} : { callStartedAt: carry.callStartedAt }),
  };
}

/**
 * Undefined if it isn't a carry of this kind: then the watch starts anew. A part that can't be read is left out, for a
 * worker of another build must not wedge a run over a detail.
 */
export function unpackCarry(value: unknown): Carry | undefined {
  const parsed = packed.safeParse(value);
  if (!parsed.success) return undefined;
  const { since, at, observedMs, probes, told, budget, escape, due, reseed, callStartedAt } = parsed.data;
  const aggregates: Aggregates = {
    since,
    at,
    observedMs,
    probes: Object.fromEntries(
      Object.entries(probes).flatMap(([name, packedRow]) => {
        const r = row.safeParse(packedRow);
        return r.success ? [[name, unpackRow(r.data, at)]] : [];
      }),
    ),
  };
  return {
    aggregates,
    ...(told === undefined ? {} : { told }),
    ...(budget === undefined ? {} : { budget: { tokens: budget[0], at: budget[1] } }),
    ...(escape === undefined
      ? {}
      : { escape: { ready: escape.ready, ...(escape.why === undefined ? {} : { why: escape.why }) } }),
    due: {
      ...(due?.reseed === undefined ? {} : { reseed: due.reseed }),
      ...(due?.escape === undefined ? {} : { escape: due.escape }),
    },
    ...(reseed === undefined ? {} : { reseed }),
    ...(callStartedAt === undefined ? {} : { callStartedAt }),
  };
}

function unpackRow(r: z.output<typeof row>, at: number): ProbeAggregate {
  const [pass, fail, inconclusive, window, conclusiveAgo, lastAgo, lastFail, latency, blindWhy] = r;
  return {
    pass,
    fail,
    inconclusive,
    window: unpackWindow(window),
    ...(conclusiveAgo === null ? {} : { lastConclusiveAt: at - conclusiveAgo }),
    ...(lastAgo === null ? {} : { lastAt: at - lastAgo }),
    ...(lastFail === null ? {} : { lastFail: { at: at - lastFail[0], why: lastFail[1] } }),
    ...(latency === null ? {} : { latencyMs: { min: latency[0], median: latency[1], max: latency[2] } }),
    ...(blindWhy === null ? {} : { blindWhy }),
  };
}
