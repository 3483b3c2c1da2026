/** A worker's clock that steps: probes go on at their pace, time counts as it passes. Timers and clocks are jest's. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { registerActivities, defineGuard, type GuardFinding } from '../../../activities/kit';
import { registerProbes, type Measurement, type ProbeServices, type WatchFinding } from '../../../activities/probes';
import { runHostLoop } from '../../../activities/probes/host-loop';
import { scheduleOf } from '../../../activities/probes/spec';
import type { LoopedProbe } from '../../../activities/probes/loop-script';
import { noHosts, planOf } from './support/plan';

const SECOND = 1_000;
const HOUR = 3_600_000;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'], now: 1_800_000_000_000 });
});
afterEach(() => {
  jest.useRealTimers();
});

/** Fake timers leave performance.now alone when the system's time is set: as a real step does. */
const step = (byMs: number): void => void jest.setSystemTime(Date.now() + byMs);
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms).then(() => undefined);

const STEPS = [
  ['back', -2 * HOUR],
  ['forward', 5 * HOUR],
] as const;

describe.each(STEPS)('a step %s', (_, byMs) => {
  const plan = planOf({ probes: [{ name: 'sync', kind: 'state-sync', intervalMs: '1s' }], reseedEveryMs: 'never' });

  /** The watch itself, one probe a second. */
  function watch(answer: () => Measurement) {
    const env = new MockActivityEnvironment({ activityId: '17', currentAttemptScheduledTimestampMs: Date.now() });
    const state = { rounds: 0 };
    const services: ProbeServices = {
      ...noHosts,
      stateSync: async () => {
        state.rounds++;
        return answer();
      },
    };
    const activity = registerProbes(services)['probes.watch.check'] as (call: unknown) => Promise<WatchFinding>;
    const call = { schema: 1, plan, input: { serving: 'fw1', escapeTo: 'fw2' }, step: '12-watch' };
    return { env, state, result: env.run<[unknown], WatchFinding, typeof activity>(activity, call) };
  }

  test('neither stops probes nor makes them burst, and every second is observed', async () => {
    const { env, state, result } = watch(() => ({ verdict: 'pass' }));
    await pass(10 * SECOND);
    const before = state.rounds;
    step(byMs);
    await pass(10 * SECOND);
    expect(state.rounds - before).toBe(10);
    env.cancel();
    await pass(SECOND);
    expect(await result).toMatchObject({ verdict: 'cut', observedMs: 20 * SECOND, fail: 0, inconclusive: 0 });
  });

  test('a service that dies right after it is noticed as soon as ever', async () => {
    let found: Measurement = { verdict: 'pass' };
    const { result, state } = watch(() => found);
    await pass(10 * SECOND);
    const before = state.rounds;
    found = { verdict: 'fail', why: 'gone' };
    step(byMs);
    await pass(4 * SECOND);
    expect(await result).toMatchObject({ verdict: 'regression', fail: 3 });
    expect(state.rounds - before).toBe(3);
  });

  test('a host’s loop that talks isn’t taken for silent', async () => {
    const { monitoring } = planOf({ probes: [{ name: 'web', kind: 'tcp', from: 'client', to: '127.0.0.1:1' }] });
    const seen: Measurement[] = [];
    let opened = 0;
    let closed = 0;
    const over = new AbortController();
    let say: (line: string) => void = () => undefined;
    const lines = setInterval(() => say('P\t0\t1\t5\topen\t\t'), 100);
    const done = runHostLoop({
      host: 'client',
      probes: monitoring.probes.map((p) => ({ ...p, ...scheduleOf(p, monitoring) }) as LoopedProbe),
      rounds: 0,
      baseline: {},
      isBaseline: false,
      open: async (_argv, onLine) => {
        opened++;
        say = onLine;
        return { ended: new Promise(() => undefined), write: () => undefined, close: () => void closed++ };
      },
      emit: (_name, measurement) => seen.push(measurement),
      signal: over.signal,
    });
    await pass(10 * SECOND);
    step(byMs);
    await pass(10 * SECOND);
    expect(seen.every(({ verdict }) => verdict === 'pass')).toBe(true);
    expect({ opened, closed }).toEqual({ opened: 1, closed: 0 });
    // And one that falls silent is.
    clearInterval(lines);
    step(byMs);
    await pass(20 * SECOND);
    expect(closed).toBeGreaterThan(0);
    over.abort();
    await pass(SECOND);
    await done;
    expect(seen.some(({ verdict }) => verdict === 'inconclusive')).toBe(true);
  });

  test('a guard counts the time between its looks as it passes', async () => {
    const env = new MockActivityEnvironment({ activityId: '4' });
    const definition = defineGuard<object>({ everyMs: () => SECOND, look: async () => ({ verdict: 'pass' }) });
    const activity = registerActivities('world', { stays: definition }, noHosts)['world.stays.check']!;
    const call = { schema: 1, plan: {}, input: {}, step: '04-guard', returnAfterObservedMs: 20 * SECOND } as const;
    const result = env.run<[typeof call], unknown, typeof activity>(activity, call) as Promise<GuardFinding>;
    await pass(10 * SECOND);
    step(byMs);
    await pass(11 * SECOND);
    expect(await result).toMatchObject({ verdict: 'checkpoint', observedMs: 20 * SECOND, pass: 21 });
  });
});
