import fc from 'fast-check';
import {
  aggregateOf,
  blindProbes,
  emptyAggregates,
  freshForMs,
  record,
  regression,
  tick,
  totals,
  type Aggregates,
  type Measurement,
  type Rule,
} from '../../../activities/probes/verdict';

const rule = (part: Partial<Rule> = {}): Rule => ({
  name: 'web',
  intervalMs: 1_000,
  timeoutMs: 800,
  tolerance: { fail: 3, of: 5, inconclusive: 3 },
  required: true,
  ...part,
});
const meaning: Record<string, Measurement> = {
  c: { verdict: 'fail', why: 'nobody serves', certain: true },
  p: { verdict: 'pass', latencyMs: 2 },
  f: { verdict: 'fail', why: 'refused' },
  i: { verdict: 'inconclusive', why: 'ssh lost' },
};

/** Plays results, one a round: p, f, i, and . for a round of which nothing came. */
function play(text: string, of: Rule = rule(), from: Aggregates = emptyAggregates(0)): Aggregates {
  return [...text].reduce((aggregates, letter) => {
    const now = aggregates.at + of.intervalMs;
    const ticked = tick(aggregates, [of], now);
    const measurement = meaning[letter];
    return measurement === undefined ? ticked : record(ticked, of, measurement, now);
  }, from);
}

describe('tolerance 3 of 5', () => {
  test.each([
    ['pppppp', false],
    ['ff', false],
    ['fff', true],
    ['ffpppff', false],
    ['fpfpf', true],
    ['fppfppfpp', false],
    ['fpfppfppf', false],
    // Rounds that say nothing neither save nor condemn.
    ['fififi', true],
    ['iiiiii', false],
    ['fi', false],
    // A hole longer than the window's life: what was before says nothing about now.
    [`ff${'.'.repeat(30)}f`, false],
    [`ff${'.'.repeat(3)}f`, true],
  ])('%s → regression: %s', (text, expected) => expect(regression(play(text), [rule()]) !== undefined).toBe(expected));

  test.each([
    ['c', true],
    ['pppc', true],
    // What is over is over.
    ['cp', false],
    ['ci', true],
    ['cpf', false],
    ['cf', false],
  ])('a certain fail isn’t tolerated: %s → regression: %s', (text, expected) =>
    expect(regression(play(text), [rule()])).toBe(
      expected ? 'probe web failed, and there is no doubt: nobody serves' : undefined,
    ),
  );

  test('says which probe, how often and why', () => {
    expect(regression(play('pfff'), [rule()])).toBe(
      'probe web failed 3 times in its last 4 rounds (tolerated: fewer than 3 of 5): refused',
    );
  });

  test('what is too long for history is seen to be cut off', () => {
    const why = 'word '.repeat(100);
    const { probes } = record(play('p'), rule(), { verdict: 'fail', why }, 5_000);
    expect(probes['web']?.lastFail?.why).toBe(`${why.slice(0, 159)}…`);
  });

  test('flapping within the tolerance changes nothing, whatever the tolerance is', () => {
    const flapping = fc
      .record({
        of: fc.integer({ min: 1, max: 20 }),
        rounds: fc.array(fc.constantFrom('p', 'f', 'i'), { maxLength: 200 }),
      })
      .chain(({ of, rounds }) =>
        fc.record({ of: fc.constant(of), fail: fc.integer({ min: 1, max: of }), rounds: fc.constant(rounds) }),
      );
    fc.assert(
      fc.property(flapping, ({ of, fail, rounds }) => {
        const tolerant = rule({ tolerance: { fail, of, inconclusive: 3 } });
        let aggregates = emptyAggregates(0);
        const conclusive: string[] = [];
        for (const letter of rounds) {
          aggregates = play(letter, tolerant, aggregates);
          if (letter !== 'i') conclusive.push(letter);
          const fails = conclusive.slice(-of).filter((l) => l === 'f').length;
          // Long rows of inconclusive rounds empty the window, never fill it.
          if (fails < fail) expect(regression(aggregates, [tolerant])).toBeUndefined();
        }
      }),
    );
  });

  test('a failure that stays is noticed after as many rounds as are tolerated', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('p', 'i'), { maxLength: 60 }),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 0, max: 10 }),
        (before, fail, more) => {
          const tolerant = rule({ tolerance: { fail, of: fail + more, inconclusive: 3 } });
          const aggregates = play(before.join(''), tolerant);
          expect(regression(play('f'.repeat(fail), tolerant, aggregates), [tolerant])).toBeDefined();
          expect(regression(play('f'.repeat(fail - 1), tolerant, aggregates), [tolerant])).toBeUndefined();
        },
      ),
    );
  });
});

describe('observed time', () => {
  test.each([
    ['begins with the first answer', '...pppp', 3_000],
    ['counts while answers come, passes and fails alike', 'ppfpp', 4_000],
    ['goes on through a short hole', 'pp..pp', 5_000],
    ['stands still in a long one', `pp${'.'.repeat(20)}pp`, 1_000 + 3_000 + 1_000],
    ['stands still while results are inconclusive', `pp${'i'.repeat(20)}pp`, 1_000 + 3_000 + 1_000],
  ])('%s', (_name, text, expected) => expect(play(text).observedMs).toBe(expected));

  test('a worker’s death of longer than the tolerance adds nothing', () => {
    const before = play('ppp');
    const back = tick(before, [rule()], before.at + freshForMs(rule()) + 1);
    expect(back.observedMs).toBe(before.observedMs);
    const soon = tick(before, [rule()], before.at + freshForMs(rule()));
    expect(soon.observedMs).toBe(before.observedMs + freshForMs(rule()));
  });

  test('every required probe must see; an optional one needn’t', () => {
    const other = rule({ name: 'other' });
    let both = emptyAggregates(0);
    for (let now = 1_000; now <= 10_000; now += 1_000)
      both = record(tick(both, [rule(), other], now), rule(), meaning['p']!, now);
    expect(both.observedMs).toBe(0);
    let one = emptyAggregates(0);
    const optional = { ...other, required: false };
    for (let now = 1_000; now <= 10_000; now += 1_000)
      one = record(tick(one, [rule(), optional], now), rule(), meaning['p']!, now);
    expect(one.observedMs).toBe(9_000);
  });

  test('never exceeds the time that passed, never shrinks, and a gap of more than the tolerance isn’t in it', () => {
    const gaps = fc.array(
      fc.record({ ms: fc.integer({ min: -5_000, max: 60_000 }), letter: fc.constantFrom('p', 'f', 'i', '.') }),
      { maxLength: 100 },
    );
    // Found by chance once: the clock jumps back a little, then a gap is just too long.
    const jump = [
      { ms: 0, letter: 'p' },
      { ms: -1, letter: 'p' },
      { ms: freshForMs(rule()) + 1, letter: 'p' },
    ] as const;
    fc.assert(
      fc.property(gaps, (steps) => {
        let aggregates = emptyAggregates(0);
        let now = 0;
        let possible = 0;
        for (const { ms, letter } of steps) {
          now += ms;
          const ticked = tick(aggregates, [rule()], now);
          if (ms > 0 && ms <= freshForMs(rule())) possible += ms;
          expect(ticked.observedMs).toBeGreaterThanOrEqual(aggregates.observedMs);
          const measurement = meaning[letter];
          aggregates = measurement === undefined ? ticked : record(ticked, rule(), measurement, now);
        }
        expect(aggregates.observedMs).toBeLessThanOrEqual(possible);
      }),
      { examples: [[[...jump]]] },
    );
  });
});

describe('after a clock was set back', () => {
  const hour = 3_600_000;
  const seen = play('ppp', rule(), emptyAggregates(hour));

  test('a result from the future isn’t fresh: nothing is observed by it, and its probe doesn’t pass for seeing', () => {
    const now = seen.at - hour / 2;
    const back = tick(seen, [rule()], now);
    expect(tick(back, [rule()], now + 1_000).observedMs).toBe(seen.observedMs);
    expect(blindProbes(back, [rule()], now)).toEqual([{ name: 'web', since: now, why: 'no answer' }]);
  });

  test('the next result counts as of now', () => {
    const back = tick(seen, [rule()], seen.at - hour / 2);
    const again = play('ppp', rule(), back);
    expect(again.observedMs).toBe(seen.observedMs + 2_000);
    expect(blindProbes(again, [rule()], again.at)).toEqual([]);
  });
});

describe('blindness', () => {
  test('is shown after the tolerated intervals, with what is in the way, and ends with the next answer', () => {
    const seen = play('pp');
    const lost = play('iii', rule(), seen);
    expect(blindProbes(lost, [rule()], lost.at)).toEqual([]);
    const blind = play('i', rule(), lost);
    expect(blindProbes(blind, [rule()], blind.at)).toEqual([{ name: 'web', since: 2_000, why: 'ssh lost' }]);
    const again = play('p', rule(), blind);
    expect(blindProbes(again, [rule()], again.at)).toEqual([]);
    expect(aggregateOf(again, 'web').blindWhy).toBeUndefined();
  });

  test('a probe that never answered is blind since the watch began', () => {
    const silent = play('.....');
    expect(blindProbes(silent, [rule()], silent.at)).toEqual([{ name: 'web', since: 0, why: 'no answer' }]);
  });
});

describe('latency', () => {
  test('the running median ends up near the real one', () => {
    let aggregates = emptyAggregates(0);
    // A fixed sequence that looks random: 2…100 ms, skewed by an outlier in twenty.
    const samples = Array.from({ length: 2_000 }, (_, i) => (i % 20 === 0 ? 5_000 : 1 + ((i * 37) % 100)));
    samples.forEach((latencyMs, i) => {
      aggregates = record(aggregates, rule(), { verdict: 'pass', latencyMs }, i * 1_000);
    });
    const { latencyMs } = aggregateOf(aggregates, 'web');
    expect(latencyMs?.min).toBe(2);
    expect(latencyMs?.max).toBe(5_000);
    expect(latencyMs?.median).toBeGreaterThan(35);
    expect(latencyMs?.median).toBeLessThan(75);
  });
});

test('totals are the sum over all probes', () => {
  const other = rule({ name: 'other' });
  expect(totals(play('pfi', other, play('ppff')))).toEqual({ pass: 3, fail: 3, inconclusive: 1 });
});
