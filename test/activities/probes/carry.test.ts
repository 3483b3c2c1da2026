import fc from 'fast-check';
import { CARRY_LIMIT_BYTES, packCarry, unpackCarry, type Carry } from '../../../activities/probes/carry';
import { MAX_PROBES } from '../../../activities/probes/spec';
import type { ProbeAggregate } from '../../../activities/probes/verdict';

const NOW = 1_800_000_000_000;
const past = fc.integer({ min: NOW - 40 * 86_400_000, max: NOW });
/** Reasons come from devices: any text of any length. */
const why = fc.string({ unit: 'grapheme', maxLength: 400 });
const count = fc.integer({ min: 0, max: 99_999_999 });
const tenth = fc.integer({ min: 0, max: 100_000 }).map((n) => n / 10);

const aggregate: fc.Arbitrary<ProbeAggregate> = fc
  .record(
    {
      pass: count,
      fail: count,
      inconclusive: count,
      window: fc.array(fc.boolean(), { maxLength: 50 }),
      lastConclusiveAt: past,
      lastAt: past,
      lastFail: fc.record({ at: past, why }),
      blindWhy: why,
      latencyMs: fc.record({ min: tenth, median: tenth, max: tenth }),
    },
    { requiredKeys: ['pass', 'fail', 'inconclusive', 'window'] },
  )
  .map((p) => p as ProbeAggregate);

const carryOf = (maxProbes: number): fc.Arbitrary<Carry> =>
  fc
    .record(
      {
        aggregates: fc.record({
          since: past,
          at: fc.constant(NOW),
          observedMs: count,
          probes: fc.dictionary(fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,31}$/), aggregate, {
            maxKeys: maxProbes,
            noNullPrototype: true,
          }),
        }),
        told: fc.stringMatching(/^[0-9a-f]{8}$/),
        budget: fc.record({ tokens: fc.integer({ min: 0, max: 4 }), at: past }),
        escape: fc.record({ ready: fc.boolean(), why, lookedAt: past }, { requiredKeys: ['ready'] }),
        owned: fc.record({ asWanted: fc.boolean(), why, lookedAt: past }, { requiredKeys: ['asWanted'] }),
        led: fc.boolean(),
        by: fc.stringMatching(/^[0-9a-f]{8}$/),
        due: fc.record({ reseed: past, escape: past, owned: past }, { requiredKeys: [] }),
        reseed: fc.record({ failures: fc.integer({ min: 1, max: 999 }), why }),
        callStartedAt: past,
      },
      { requiredKeys: ['aggregates', 'due'] },
    )
    .map((carry) => carry as Carry);

/** As it comes back from history. */
const travelled = (carry: Carry): Carry | undefined => unpackCarry(JSON.parse(JSON.stringify(packCarry(carry))));

const clipped = (text: string, chars: number): string => text.slice(0, chars);

test('what fits comes back as it was', () => {
  fc.assert(
    fc.property(carryOf(3), (carry) => {
      const back = travelled(carry);
      const probes = Object.fromEntries(
        Object.entries(carry.aggregates.probes).map(([name, p]) => [
          name,
          {
            ...p,
            ...(p.lastFail && { lastFail: { ...p.lastFail, why: clipped(p.lastFail.why, 160) } }),
            ...(p.blindWhy !== undefined && { blindWhy: clipped(p.blindWhy, 160) }),
          },
        ]),
      );
      expect(back).toEqual({
        ...carry,
        aggregates: { ...carry.aggregates, probes },
        ...(carry.escape && {
          escape: { ...carry.escape, ...(carry.escape.why !== undefined && { why: clipped(carry.escape.why, 480) }) },
        }),
        ...(carry.owned && {
          owned: { ...carry.owned, ...(carry.owned.why !== undefined && { why: clipped(carry.owned.why, 480) }) },
        }),
        ...(carry.reseed && { reseed: { ...carry.reseed, why: clipped(carry.reseed.why, 160) } }),
      });
    }),
    { numRuns: 200 },
  );
});

test('as many probes as a plan may have stay below 8 KB, whatever they say, and keep their counts', () => {
  fc.assert(
    fc.property(carryOf(MAX_PROBES), (carry) => {
      expect(Buffer.byteLength(JSON.stringify(packCarry(carry)))).toBeLessThanOrEqual(CARRY_LIMIT_BYTES);
      const back = travelled(carry);
      for (const [name, p] of Object.entries(carry.aggregates.probes))
        expect(back?.aggregates.probes[name]).toMatchObject({ pass: p.pass, fail: p.fail, window: p.window });
    }),
    { numRuns: 200 },
  );
});

test('the worst case of all fits', () => {
  const worst: ProbeAggregate = {
    pass: 99_999_999,
    fail: 99_999_999,
    inconclusive: 99_999_999,
    window: Array.from({ length: 50 }, () => true),
    lastConclusiveAt: NOW - 9_999_999_999,
    lastAt: NOW - 9_999_999_999,
    lastFail: { at: NOW - 9_999_999_999, why: '"'.repeat(160) },
    blindWhy: '\u0001'.repeat(160),
    latencyMs: { min: 99_999.9, median: 99_999.9, max: 99_999.9 },
  };
  const carry: Carry = {
    aggregates: {
      since: NOW,
      at: NOW,
      observedMs: 9_999_999_999,
      probes: Object.fromEntries(
        Array.from({ length: MAX_PROBES }, (_, i) => [`${String(i).padStart(2, '0')}${'x'.repeat(30)}`, worst]),
      ),
    },
    told: 'ffffffff',
    budget: { tokens: 4, at: NOW },
    escape: { ready: false, why: '"'.repeat(600) },
    due: { reseed: NOW, escape: NOW },
    reseed: { failures: 999, why: '"'.repeat(200) },
    callStartedAt: NOW,
  };
  expect(Buffer.byteLength(JSON.stringify(packCarry(carry)))).toBeLessThanOrEqual(CARRY_LIMIT_BYTES);
});

test('reasons are shortened only as far as must be', () => {
  const why = 'Connection refused by the firewall, as it seems, or by whatever stands in its place';
  const probe: ProbeAggregate = { pass: 1, fail: 1, inconclusive: 0, window: [], lastFail: { at: NOW, why } };
  const lengthWith = (probes: number): number => {
    const all = Object.fromEntries(
      Array.from({ length: probes }, (_, i) => [`probe-${i}-${'x'.repeat(16)}`, { ...probe, blindWhy: why }]),
    );
    const back = travelled({ aggregates: { since: NOW, at: NOW, observedMs: 0, probes: all }, due: {} });
    return back?.aggregates.probes[`probe-0-${'x'.repeat(16)}`]?.lastFail?.why.length ?? 0;
  };
  expect(lengthWith(3)).toBe(why.length);
  expect(lengthWith(32)).toBeGreaterThanOrEqual(40);
});

describe('what another build wrote', () => {
  const good = JSON.parse(
    JSON.stringify(
      packCarry({
        aggregates: {
          since: 1,
          at: 2,
          observedMs: 7,
          probes: { a: { pass: 1, fail: 0, inconclusive: 0, window: [false] } },
        },
        due: {},
      }),
    ),
  ) as Record<string, unknown>;

  test.each([undefined, null, 'text', 7, [], {}, { ...good, v: 2 }, { ...good, observedMs: 'x' }])(
    '%j is no carry: the watch starts anew',
    (value) => expect(unpackCarry(value)).toBeUndefined(),
  );

  test('a part that can’t be read is left out, the observed time stays', () => {
    const back = unpackCarry({ ...good, probes: { a: 'what?', b: [1] }, told: 5, due: 'soon' });
    expect(back).toEqual({ aggregates: { since: 1, at: 2, observedMs: 7, probes: {} }, due: {} });
  });
});

test('one from a clock that ran ahead is taken as made now, with all that it knows as old as it was', () => {
  fc.assert(
    fc.property(carryOf(3), fc.integer({ min: 1, max: 10 * 86_400_000 }), (carry, aheadMs) => {
      const packed = JSON.parse(JSON.stringify(packCarry(carry))) as unknown;
      const now = NOW - aheadMs;
      const [back, plain] = [unpackCarry(packed, now)!, unpackCarry(packed)!];
      expect(packCarry(back)).toMatchObject({ at: now, probes: packCarry(plain).probes });
      expect(back.aggregates.since).toBe(plain.aggregates.since - aheadMs);
      expect(back.escape?.lookedAt).toBe(plain.escape?.lookedAt && plain.escape.lookedAt - aheadMs);
      expect(back.due.escape).toBe(plain.due.escape && plain.due.escape - aheadMs);
      expect(back.budget?.at).toBe(plain.budget && plain.budget.at - aheadMs);
      // One of the past stays of the past.
      expect(unpackCarry(packed, NOW + aheadMs)).toEqual(plain);
    }),
    { numRuns: 100 },
  );
});
