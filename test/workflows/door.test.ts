/** The door into a run's state: whatever an event brings, and however many come, what is kept and shown is bounded. */
import { carried } from '../../workflows/procedure/carry';
import { bounded, sizeWithin } from '../../workflows/procedure/door';
import type { Event } from '../../workflows/procedure/events';
import { initialState } from '../../workflows/procedure/initial-state';
import { reduce } from '../../workflows/procedure/reduce';
import { reportView } from '../../workflows/procedure/report';
import type { Opening, State } from '../../workflows/procedure/state';
import { pairPlan, pairRun } from '../support/pair-run';

const long = `\u202e${'It is so. '.repeat(5_000)}`;
const names = Array.from({ length: 1_000 }, (_, n) => `${n} ${'x'.repeat(1_000)}`);
const nodes = Object.fromEntries(names.map((name) => [name, Object.fromEntries(names.map((key) => [key, 'y']))]));
const result = { summary: long, nodes: Object.fromEntries(Object.entries(nodes).slice(0, 100)), answer: 42 };
const failure = {
  type: long,
  message: long,
  details: { waivable: names, nodes: { fw1: { release: long } }, more: long },
};
const opening = (id: string, more: Partial<Opening> = {}): Opening => ({
  id,
  kind: 'hold',
  question: `${long} What now?`,
  choices: names,
  digest: 'a'.repeat(64),
  openedAt: 0,
  needed: 1,
  notRequester: false,
  from: names,
  waivable: names,
  answers: [],
  ...more,
});
const report = {
  verdict: 'regression',
  observedMs: 1,
  pass: 1,
  fail: 1,
  inconclusive: 0,
  why: long,
  last: long,
  escape: { ready: false, why: long },
  owned: { asWanted: false, why: long },
  carry: { long: long.repeat(6) },
} as const;

/** Every event that brings something of others, and how many characters of it may be kept. */
const events: readonly (readonly [chars: number, event: Event])[] = [
  [400_000, { type: 'item-done', item: 0, at: 0, result }],
  [400_000, { type: 'undone', item: 0, at: 0, result }],
  [12_000, { type: 'item-failed', item: 0, at: 0, failure }],
  [12_000, { type: 'undo-failed', item: 0, at: 0, failure }],
  [1_200, { type: 'stumbled', item: 0, kind: 'failed', why: long }],
  [20_000, { type: 'opened', ask: 'hold', opening: opening('hold#1') }],
  [1_300, { type: 'answered', opening: 'hold#1', answer: { at: 0, by: long, choice: 'stop', comment: long } }],
  [10_000, { type: 'closed', opening: 'hold#1', outcome: { choice: 'stop', by: names, comment: long } }],
  [700, { type: 'refused', at: 0, signal: long, by: long, why: long }],
  [1_400, { type: 'voted', command: 'pause', vote: { by: long, reason: long, at: 0 } }],
  [
    4_000,
    {
      type: 'requested',
      requests: {
        regression: { watch: 0, why: long, at: 0 },
        switchBack: { by: long, reason: long, at: 0 },
        lost: { guard: 0, why: long, at: 0 },
      },
    },
  ],
  [5_000, { type: 'watch-reported', role: 'watch', at: 0, report }],
  [
    1_300,
    { type: 'watch-blind', role: 'watch', why: long, beaten: { carry: { long: long.repeat(6) }, observedMs: 1 } },
  ],
  [500_000, { type: 'remedied', remedy: { why: long, at: 0, result, failure } }],
  [1_200, { type: 'escape-started', why: long, at: 0, repeatFrom: 0 }],
  [500_000, { type: 'escape-ended', at: 0, result, failure }],
  [1_200, { type: 'recovering', recovery: { reason: long } }],
  [2_200, { type: 'ended', ending: 'Stopped', standing: long, at: 0 }],
];

it.each(events)('keeps at most %s characters of an event', (chars, event) => {
  const text = JSON.stringify(bounded(event));
  expect(text.length).toBeLessThan(chars);
  // What can't be seen, and turns the direction of what follows.
  expect(text).not.toContain('\u202e');
});

it('leaves what is small as it came', () => {
  const small: Event = {
    type: 'item-done',
    item: 0,
    at: 0,
    result: { summary: 'installed', nodes: { fw1: { up: true } }, ran: [1] },
  };
  expect(bounded(small)).toEqual(small);
});

it('of a result that is too large for the next step it keeps what people are told', () => {
  const event = bounded({ type: 'item-done', item: 0, at: 0, result: { summary: 'found', list: long.repeat(21) } });
  expect(event).toMatchObject({ result: { summary: 'found', tooLarge: true } });
});

it('a result speaks of so many nodes', () => {
  const event = bounded({ type: 'item-done', item: 0, at: 0, result });
  const { nodes: told } = (event as { result: { nodes: object } }).result;
  expect(Object.keys(told).length).toBe(64);
});

it('of a failure’s details that are too large it keeps the names that may be waived', () => {
  const details = { waivable: ['ntp_sync'], nodes: { fw1: { serving: true } }, more: long };
  expect(
    bounded({ type: 'item-failed', item: 0, at: 0, failure: { type: 'Waivable', message: 'x', details } }),
  ).toMatchObject({
    failure: { details: { waivable: ['ntp_sync'], nodes: { fw1: { serving: true } }, tooLarge: true } },
  });
});

it('no value is nested too deep for it', () => {
  expect(sizeWithin(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)), 1e9)).toBe(Infinity);
  expect(sizeWithin({ a: [{ b: 'x' }] }, 1e9)).toBeGreaterThanOrEqual('{"a":[{"b":"x"}]}'.length);
});

const times = (state: State, count: number, of: (n: number) => readonly Event[]): State =>
  Array.from({ length: count }, (_, n) => of(n))
    .flat()
    .reduce((before, event) => reduce(before, bounded(event)), state);

it('what is too large to be carried stays in its link, and what commands printed always does', () => {
  const state = initialState(
    [
      { kind: 'check', name: 'given', action: 'a.b', input: {} },
      { kind: 'step', name: 'takes it', action: 'a.c', input: { of: { given: 0 } } },
    ],
    0,
    'a'.repeat(64),
  );
  const done = (value: unknown): State => reduce(state, { type: 'item-done', item: 0, at: 0, result: value });
  expect(carried(done({ summary: 'found', ran: [long], list: ['x'] }))?.state.items[0]?.result).toEqual({
    summary: 'found',
    list: ['x'],
  });
  expect(carried(done({ list: long.repeat(21) }))).toBeUndefined();
  // Nobody is given it, and its digest has been taken.
  const result = { summary: 'done', list: long.repeat(21) };
  const last = reduce(reduce(state, { type: 'item-done', item: 1, at: 0, result }), {
    type: 'chained',
    digest: 'b'.repeat(64),
    taken: 1,
  });
  expect(carried(last)?.state.items[1]?.result).toEqual({ summary: 'done' });
});

describe('of what comes again and again', () => {
  const begin = initialState([], 0, 'a'.repeat(64));

  it('the newest is kept, and the rest is counted', () => {
    const state = times(begin, 200, (n) => [
      { type: 'refused', at: n, signal: 'x', why: 'no' },
      { type: 'escape-started', why: 'sick', at: n, repeatFrom: 0 },
      { type: 'remedied', remedy: { why: 'lost', at: n } },
      { type: 'opened', ask: 'pause', opening: opening(`pause#${n}`) },
      { type: 'answered', opening: `pause#${n}`, answer: { at: n, by: 'ann', choice: 'resume' } },
      { type: 'closed', opening: `pause#${n}`, outcome: { choice: 'resume', by: ['ann'] } },
    ]);
    const { refused, escapes, remedies, openings } = state;
    expect([refused.length, escapes.length, remedies.length]).toEqual([10, 20, 20]);
    expect([state.refusedCount, state.escapeCount, state.remedyCount]).toEqual([200, 200, 200]);
    expect(openings.length).toBeLessThanOrEqual(41);
    expect(state.answersDropped + openings.length).toBe(200);
    expect(refused.at(-1)?.at).toBe(199);
  });

  it('an open question keeps so many answers', () => {
    const state = times(reduce(begin, { type: 'opened', ask: 'start', opening: opening('start#1') }), 200, (n) => [
      { type: 'answered', opening: 'start#1', answer: { at: n, by: `p${n}`, choice: 'approve' } },
    ]);
    expect(state.openings[0]?.answers.length).toBe(64);
  });

  it('a report leaves out what is too much, and says so', () => {
    const full = times(begin, 40, (n) => [
      { type: 'opened', ask: 'hold', opening: opening(`hold#${n}`) },
      ...Array.from({ length: 64 }, (_, p): Event => ({
        type: 'answered',
        opening: `hold#${n}`,
        answer: { at: n, by: `p${p}`, choice: 'retry', comment: long },
      })),
      { type: 'closed', opening: `hold#${n}`, outcome: { choice: 'retry', by: ['p1'] } },
    ]);
    const state = reduce(full, bounded({ type: 'ended', ending: 'Stopped', standing: long, at: 0 }));
    const told = reportView({ state, plan: pairPlan(), planDigest: 'a'.repeat(64), now: () => 0 });
    expect(JSON.stringify(told).length).toBeLessThan(192 * 1024);
    expect(told).toMatchObject({ ending: 'Stopped', leftOut: expect.stringContaining('history') });
  });
});

it('what comes at one time is shown once', async () => {
  const run = await pairRun();
  await run.until(() => run.open() === 'start#1');
  const publish = jest.spyOn(run.runtime, 'publish');
  for (let n = 0; n < 500; n++) run.runtime.send('approve', { opening: 'start#1', digest: '0'.repeat(12), by: 'bot' });
  run.answer('approve');
  await run.until(() => run.open() === undefined);
  expect(run.run.state.refusedCount).toBe(500);
  expect(publish.mock.calls.length).toBeLessThan(10);
});

it('after 2,000 messages the run goes on in a new link', async () => {
  const run = await pairRun();
  await run.until(() => run.open() === 'start#1');
  for (let n = 0; n < 2_000; n++) run.runtime.send('nonsense');
  await run.until(() => run.run.state.identity?.link === 1);
  expect(run.run.state.refusedCount).toBe(2_000);
});
