import fc from 'fast-check';
import {
  compareCalls,
  decide,
  letGo,
  ownerRecord,
  released,
  type Claim,
  type Decision,
  type OwnerRecord,
} from '../../../activities/ownership/record';

const claim = (runId: string, call: number, attempt: number, more: Partial<Claim> & { at?: number } = {}): Claim => {
  const { at = call * 1_000 + attempt, ...rest } = more;
  return {
    cluster: 'fw-dc1',
    host: 'fw1',
    token: `${runId}-${call}-${attempt}`,
    owner: {
      workflowId: 'upgrade-fw-dc1',
      runId,
      step: '03-install',
      call,
      attempt,
      scheduledAtMs: at,
      takenAt: '2026-11-22T03:00:00Z',
      worker: 'w:1',
    },
    ...rest,
  };
};
const taken = (record: OwnerRecord | undefined, by: Claim): OwnerRecord => {
  const decision = decide(record, by);
  if (decision.kind !== 'take') throw new Error(`refused: ${decision.reason}`);
  return decision.record;
};
const outcome = (d: Decision): string => (d.kind === 'take' ? 'take' : d.reason);

describe('who may own a host', () => {
  test('within a run: later calls, later attempts, and the same one again', () => {
    const record = taken(undefined, claim('a', 7, 2));
    expect(outcome(decide(record, claim('a', 7, 2)))).toBe('take');
    expect(outcome(decide(record, claim('a', 7, 3)))).toBe('take');
    expect(outcome(decide(record, claim('a', 8, 1)))).toBe('take');
    expect(outcome(decide(record, claim('a', 7, 1)))).toBe('stale');
    expect(outcome(decide(record, claim('a', 6, 9)))).toBe('stale');
  });

  test('the number of the step orders nothing: an undo of an early step comes later', () => {
    const act = claim('a', 9, 1);
    const undo = { ...claim('a', 10, 1), owner: { ...claim('a', 10, 1).owner, step: '02-shift' } };
    expect(outcome(decide(taken(undefined, act), undo))).toBe('take');
    expect(outcome(decide(taken(taken(undefined, act), undo), act))).toBe('stale');
  });

  test('the server’s clock going back doesn’t make a later call of the run stale', () => {
    expect(outcome(decide(taken(undefined, claim('a', 7, 1, { at: 5_000 })), claim('a', 8, 1, { at: 4_000 })))).toBe(
      'take',
    );
  });

  test('the baseline is that of the first step that gave one', () => {
    const first = taken(undefined, claim('a', 1, 1));
    const second = taken(first, claim('a', 2, 1, { baseline: { release: '1.0' } }));
    const third = taken(second, claim('a', 3, 1, { baseline: { release: '2.0' } }));
    expect(third.baseline).toEqual({ release: '1.0' });
    expect(taken(third, claim('a', 4, 1)).baseline).toEqual({ release: '1.0' });
  });

  test('a run that released: the next one starts from what it finds', () => {
    const record = released(taken(undefined, claim('a', 1, 1, { baseline: 1 })));
    expect(record.token).toBe('');
    const decision = decide(record, claim('b', 1, 1, { at: 9_000, baseline: 2 }));
    expect(decision).toMatchObject({ kind: 'take', record: { baseline: 2, released: false, succeeded: ['a'] } });
    expect(decision).not.toHaveProperty('adoptedFrom');
    // The same run may come back as long as nobody else did: an undo after the end of the last step.
    expect(outcome(decide(record, claim('a', 2, 1)))).toBe('take');
  });

  test('a run that was terminated: its baseline is adopted if it is ours, else nothing is touched', () => {
    const record = taken(undefined, claim('a', 1, 1, { baseline: { release: '1.0', mask: [1, 2] } }));
    const same = { mask: [1, 2], release: '1.0', other: undefined };
    expect(decide(record, claim('b', 1, 1, { at: 9_000, baseline: same }))).toMatchObject({
      kind: 'take',
      adoptedFrom: { runId: 'a' },
    });
    expect(outcome(decide(record, claim('b', 1, 1, { at: 9_000, baseline: { release: '2.0' } })))).toBe('baseline');
    expect(outcome(decide(record, claim('b', 1, 1, { at: 9_000 })))).toBe('baseline');
  });

  describe('a terminated run whose befores this one knows', () => {
    const left = taken(undefined, claim('a', 5, 1, { baseline: { release: '1.0' } }));
    const next = (more: Parameters<typeof claim>[3] = {}, run = 'b'): Claim =>
      claim(run, 1, 1, { at: 9_000, adopted: ['a'], ...more });

    test('is adopted as it left the host; what it had found there first stays the baseline', () => {
      for (const more of [{ baseline: { release: '2.0' } }, {}, { baseline: { release: '1.0' } }])
        expect(decide(left, next(more))).toMatchObject({
          kind: 'take',
          adoptedFrom: { runId: 'a' },
          record: { owner: { runId: 'b' }, baseline: { release: '1.0' }, succeeded: ['a'], history: [{ call: 5 }] },
        });
      const later = taken(taken(left, next()), next({ at: 9_100, baseline: { release: '2.0' } }));
      expect(later.baseline).toEqual({ release: '1.0' });
      expect(outcome(decide(later, claim('a', 9, 1, { at: 99_000 })))).toBe('succeeded');
      expect(taken(taken(undefined, claim('a', 5, 1)), next({ baseline: 1 })).baseline).toBe(1);
    });

    test('no other is', () => {
      const foreign = taken(undefined, claim('x', 5, 1, { baseline: { release: '1.0' } }));
      expect(outcome(decide(foreign, next({ baseline: { release: '2.0' } })))).toBe('baseline');
      for (const adopted of [undefined, []]) {
        const { adopted: _, ...blind } = next({ baseline: { release: '2.0' } });
        expect(outcome(decide(left, adopted === undefined ? blind : { ...blind, adopted }))).toBe('baseline');
      }
      // It let go: what is found now is what counts.
      expect(taken(released(left), next({ baseline: 2 })).baseline).toBe(2);
    });

    test('a late call doesn’t take the host from it, should it go on after a reset', () => {
      const goesOn = taken(left, claim('a', 6, 1, { at: 10_000 }));
      expect(outcome(decide(goesOn, next()))).toBe('stale');
    });

    test('through one that was terminated in between', () => {
      const third = next({ adopted: ['b', 'a'], at: 20_000, baseline: { release: '2.0' } }, 'c');
      const record = { kind: 'take', record: { baseline: { release: '1.0' } } };
      // The one in between never got to this host, or took it.
      expect(decide(left, third)).toMatchObject(record);
      expect(decide(taken(left, next()), third)).toMatchObject({
        ...record,
        record: { ...record.record, succeeded: ['a', 'b'] },
      });
    });

    test('its hosts are let go of with one’s own', () => {
      expect(letGo(left, next())).toMatchObject({ released: true, token: '', owner: { runId: 'b' }, succeeded: ['a'] });
      expect(letGo(left, next())).not.toHaveProperty('baseline');
      expect(letGo(taken(left, next()), next({ at: 9_500 }))).toMatchObject({ released: true, owner: { runId: 'b' } });
      const { adopted: _, ...blind } = next();
      for (const [record, by] of [
        [left, blind],
        [left, next({ at: 1_000 })],
        [released(left), next()],
        [undefined, next()],
        [taken(left, next()), claim('a', 9, 1, { at: 99_000 })],
      ] as const)
        expect(letGo(record, by)).toBeUndefined();
    });
  });

  test('a run that was succeeded never comes back, and one that was scheduled earlier never takes over', () => {
    const record = taken(taken(undefined, claim('a', 1, 1)), claim('b', 1, 1, { at: 9_000 }));
    expect(outcome(decide(record, claim('a', 5, 1, { at: 99_000 })))).toBe('succeeded');
    expect(outcome(decide(record, claim('c', 1, 1, { at: 8_000 })))).toBe('stale');
    expect(outcome(decide(record, claim('c', 1, 1, { at: 9_000 })))).toBe('stale');
  });

  test('a clock that ran ahead locks nobody out of a host that was released', () => {
    const dayAhead = claim('a', 7, 1, { at: 86_400_000 });
    const next = claim('b', 1, 1, { at: 1_000 });
    const record = taken(undefined, dayAhead);
    expect(outcome(decide(record, next))).toBe('stale');
    expect(decide(released(record), next)).toMatchObject({ kind: 'take', record: { succeeded: ['a'] } });
  });

  test('letting go is the last call of its run: none before it comes back', () => {
    const record = taken(undefined, claim('a', 20, 1));
    const after = released(record, claim('a', 30, 1).owner);
    expect(after).toMatchObject({ released: true, owner: { call: 30 }, history: [{ call: 20 }] });
    expect(outcome(decide(after, claim('a', 25, 9)))).toBe('stale');
    // It was reset after its end, and goes on.
    expect(outcome(decide(after, claim('a', 31, 1)))).toBe('take');
  });

  test('the file stays small and readable', () => {
    let record: OwnerRecord | undefined;
    for (let call = 1; call < 200; call++) record = taken(record, claim(`run-${call >> 2}`, call, 1));
    expect(record?.history).toHaveLength(8);
    expect(record?.succeeded).toHaveLength(32);
    expect(JSON.stringify(record).length).toBeLessThan(8_000);
    expect(ownerRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  /**
   * Attempts of one run and its successor arrive in any order, each takes ownership when it likes and acts when it likes.
   * Acting is what the host script allows: the token in the file is one's own.
   */
  test('whatever the order, nobody acts after a later one took ownership', () => {
    const attempts = fc.record({
      run: fc.constantFrom('a', 'b'),
      call: fc.integer({ min: 1, max: 4 }),
      attempt: fc.integer({ min: 1, max: 3 }),
      acts: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(attempts, { maxLength: 40 }), (events) => {
        let record: OwnerRecord | undefined;
        let latest: Claim | undefined;
        for (const { run, call, attempt, acts } of events) {
          // b began after a was terminated: all of it was scheduled later, and it knows what a had found.
          const mine = claim(run, call, attempt, {
            at: (run === 'b' ? 100_000 : 0) + call * 1_000 + attempt,
            baseline: { call },
            ...(run === 'b' ? { adopted: ['a'] } : {}),
          });
          if (acts) {
            if (record?.token === mine.token) expect(mine).toEqual(latest);
            continue;
          }
          const decision = decide(record, mine);
          const later =
            latest === undefined ||
            (latest.owner.runId === run ? compareCalls(mine.owner, latest.owner) >= 0 : run === 'b');
          expect(decision.kind).toBe(later ? 'take' : 'refuse');
          if (decision.kind === 'take') [record, latest] = [decision.record, mine];
        }
      }),
      { numRuns: 500 },
    );
  });

  /**
   * A chain of runs that is continued as new and reset. After a reset the number goes on from the highest that was ever sent,
   * also by the part that was thrown away, whose attempts may still be under way; and by what went on before a link. Any two
   * of these attempts arrive in any order.
   */
  test('over links and resets, nobody acts after a later one took ownership', () => {
    const part = fc.record({
      calls: fc.integer({ min: 1, max: 4 }),
      then: fc.constantFrom('link', 'reset', 'release'),
    });
    const arrivals = fc.array(
      fc.record({ at: fc.nat(), attempt: fc.integer({ min: 1, max: 3 }), acts: fc.boolean() }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 2, maxLength: 5 }), arrivals, (parts, events) => {
        // What the core does: the number never goes back, whatever became of the part that sent it.
        let number = 0;
        const sent = parts.flatMap(({ calls, then }) =>
          Array.from({ length: calls }, (_, i) => ({
            call: ++number,
            lets: then === 'release' && i === calls - 1,
          })),
        );
        let record: OwnerRecord | undefined;
        let latest: Claim | undefined;
        for (const { at, attempt, acts } of events) {
          const { call, lets } = sent[at % sent.length]!;
          const mine = claim('first', call, attempt);
          if (acts) {
            if (record?.token === mine.token) expect(mine).toEqual(latest);
            continue;
          }
          const isLater = latest === undefined || compareCalls(mine.owner, latest.owner) >= 0;
          const decision = decide(record, mine);
          // A host that nobody has owned has nothing to let go of.
          if (lets && record === undefined) continue;
          expect(decision.kind).toBe(isLater ? 'take' : 'refuse');
          if (decision.kind !== 'take') continue;
          latest = mine;
          record = lets ? released(record!, mine.owner) : decision.record;
        }
      }),
      { numRuns: 500 },
    );
  });

  test('an attempt of the part that a reset threw away is refused once the run goes on', () => {
    // The old part has sent calls up to 9, of which the host saw 7; the run goes on with 10.
    const record = taken(undefined, claim('first', 7, 1, { baseline: { release: '1.0' } }));
    const after = taken(record, claim('first', 10, 1, { at: 20_000, baseline: { release: '2.0' } }));
    expect(after.baseline).toEqual({ release: '1.0' });
    for (const late of [claim('first', 9, 1, { at: 30_000 }), claim('first', 7, 2, { at: 30_000 })])
      expect(outcome(decide(after, late))).toBe('stale');
  });
});
