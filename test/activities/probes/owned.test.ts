/** What the run owns, as the watch looks at it: when, how often, and what it makes of a difference. Timers are jest's. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { registerProbes, type Owned, type ProbeServices, type WatchFinding } from '../../../activities/probes';
import { unpackCarry } from '../../../activities/probes/carry';
import { noHosts, planOf } from './support/plan';

const SECOND = 1_000;
const MINUTE = 60_000;
const START = 1_800_000_000_000;
const asWanted: Owned = { asWanted: true, leadsTo: 'fw1' };
const changed: Owned = { asWanted: false, why: 'border: the role policy prefers fw2', leadsTo: 'fw1' };

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'], now: START });
});
afterEach(() => {
  jest.useRealTimers();
});
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms).then(() => undefined);

/** `found` says what each look finds; an error is a look that failed. */
function watch(monitoring: Record<string, unknown>, found: (look: number) => Owned | Error, info: object = {}) {
  const env = new MockActivityEnvironment({ activityId: '17', currentAttemptScheduledTimestampMs: START, ...info });
  const beats: unknown[] = [];
  env.on('heartbeat', (details: unknown) => beats.push(JSON.parse(JSON.stringify(details))));
  const state = { looks: 0 };
  const services: ProbeServices = {
    ...noHosts,
    stateSync: async () => ({ verdict: 'pass' }),
    owned: async (_context, watched) => {
      expect(watched).toMatchObject({ serving: 'fw1', escapeTo: 'fw2' });
      const one = found(state.looks++);
      if (one instanceof Error) throw one;
      return one;
    },
  };
  const plan = planOf({
    probes: [{ name: 'sync', kind: 'state-sync' }],
    intervalMs: '30s',
    reseedEveryMs: 'never',
    ...monitoring,
  });
  const activity = registerProbes(services)['probes.watch.check'] as (call: unknown) => Promise<WatchFinding>;
  const call = { schema: 1, plan, input: { serving: 'fw1', escapeTo: 'fw2' }, step: '12-watch' };
  const result = env.run<[unknown], WatchFinding, typeof activity>(activity, call);
  result.catch(() => undefined);
  return { env, state, beats, result };
}

test.each([['30s'], ['10m']])(
  'a change is told within a minute, where the escape is checked every %s',
  async (escapeEveryMs) => {
    let now = asWanted;
    const { env, result } = watch({ escapeEveryMs }, () => now);
    await pass(2 * MINUTE + SECOND);
    now = changed;
    await pass(MINUTE);
    env.cancel();
    expect(await result).toMatchObject({
      verdict: 'checkpoint',
      owned: { asWanted: false, why: changed.why },
      fail: 0,
    });
  },
);

test('what is gone at the second look was a step of the run, caught half-way', async () => {
  const { env, result, state } = watch({}, (look) => (look === 2 ? changed : asWanted));
  await pass(3 * MINUTE);
  expect(state.looks).toBeGreaterThan(4);
  env.cancel();
  await pass(SECOND);
  expect(await result).toMatchObject({ verdict: 'cut', owned: { asWanted: true } });
});

test('what can’t be looked at is neither changed nor as wanted, once it is too long', async () => {
  const { env, result } = watch({}, (look) => (look === 0 ? asWanted : new Error('border doesn’t answer')));
  await pass(3 * MINUTE);
  env.cancel();
  await pass(SECOND);
  const { owned, verdict } = await result;
  expect(verdict).toBe('cut');
  expect(owned).toEqual({ lookedAgoMs: 3 * MINUTE, why: 'it hasn’t been looked at for 3 min' });
});

test('a watch that rests gets up for it', async () => {
  const first = watch({ intervalMs: '6h', escapeEveryMs: '12h' }, () => asWanted);
  await pass(SECOND);
  await expect(first.result).rejects.toMatchObject({ type: 'WatchResting', nextRetryDelay: 50 * SECOND });
  const at = START + 50 * SECOND;
  const second = watch({ intervalMs: '6h', escapeEveryMs: '12h' }, () => changed, {
    currentAttemptScheduledTimestampMs: at,
    heartbeatDetails: first.beats.at(-1),
    attempt: 2,
  });
  await pass(10 * SECOND);
  expect(await second.result).toMatchObject({ verdict: 'checkpoint', owned: { asWanted: false }, pass: 1 });
  expect(unpackCarry((await second.result).carry)?.owned).toMatchObject({ asWanted: false, lookedAt: at });
});
