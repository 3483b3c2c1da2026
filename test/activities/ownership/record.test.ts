import fc from 'fast-check';
import {
  compareCalls,
  decide,
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

  test('a run that was succeeded never comes back, and one that was scheduled earlier never takes over', () => {
    const record = taken(taken(undefined, claim('a', 1, 1)), claim('b', 1, 1, { at: 9_000 }));
    expect(outcome(decide(record, claim('a', 5, 1, { at: 99_000 })))).toBe('succeeded');
    expect(outcome(decide(record, claim('c', 1, 1, { at: 8_000 })))).toBe('stale');
    expect(outcome(decide(record, claim('c', 1, 1, { at: 9_000 })))).toBe('stale');
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
          // b began after a was terminated: all of it was scheduled later.
          const mine = claim(run, call, attempt, { at: (run === 'b' ? 100_000 : 0) + call * 1_000 + attempt });
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
});
