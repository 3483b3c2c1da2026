import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { defineGuard, registerActivities, type GuardFinding, type Look } from '../../../activities/kit';
import { hasNews, learned, type GuardCall } from '../../../activities/kit/guard';

const call = (more: Partial<GuardCall> = {}): GuardCall => ({
  schema: 1,
  plan: { everyMs: 1 },
  input: {},
  step: '04-guard',
  ...more,
});
const nobody = { connect: () => Promise.reject(new Error('no hosts here')) };

/** Runs a guard whose looks are scripted; the last one is repeated. */
function guard(looks: readonly (Look['verdict'] | Error)[], more: Partial<GuardCall> = {}, info = {}) {
  const env = new MockActivityEnvironment({ activityId: '4', ...info });
  const beats: unknown[] = [];
  env.on('heartbeat', (details: unknown) => beats.push(JSON.parse(JSON.stringify(details))));
  const state = { looked: 0 };
  const definition = defineGuard<object, { everyMs: number }>({
    everyMs: ({ everyMs }) => everyMs,
    look: () => {
      const next = looks[Math.min(state.looked++, looks.length - 1)]!;
      return next instanceof Error ? Promise.reject(next) : Promise.resolve({ verdict: next, why: `it says ${next}` });
    },
  });
  const activity = registerActivities('world', { stays: definition }, nobody)['world.stays.check']!;
  const result = env.run<[GuardCall], unknown, typeof activity>(activity, call(more)) as Promise<GuardFinding>;
  result.catch(() => undefined);
  return { env, result, beats, state };
}

test('ends with what it found as soon as two looks in a row say that it is lost', async () => {
  const { result, state } = guard(['pass', 'pass', 'fail', 'fail']);
  expect(await result).toMatchObject({ verdict: 'regression', pass: 2, fail: 1, why: 'it says fail' });
  expect(state.looked).toBe(4);
});

test('one look that falls into the middle of a change doesn’t count', async () => {
  const { result } = guard(['fail', 'pass', 'fail']);
  expect(await result).toMatchObject({ verdict: 'regression', pass: 1, fail: 1 });
});

test('tells once that it can’t look, and once that it can again', async () => {
  const blind = await guard(['pass', new Error('no route')]).result;
  expect(blind).toMatchObject({
    verdict: 'checkpoint',
    pass: 1,
    inconclusive: 3,
    why: 'it can’t be looked at: no route',
  });
  const seen = await guard([new Error('no route'), 'pass'], { carry: blind.carry }).result;
  expect(seen).toMatchObject({ verdict: 'checkpoint', pass: 2, inconclusive: 4 });
  expect(seen.why).toBeUndefined();
});

test('a cut of the core brings what was seen; the end of a worker brings another attempt, which knows it', async () => {
  const first = guard(['pass']);
  while (first.state.looked < 3) await new Promise((resolve) => setImmediate(resolve));
  first.env.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
  const report = await first.result;
  expect(report.verdict).toBe('cut');
  expect(report.pass).toBeGreaterThanOrEqual(2);

  const second = guard(['pass']);
  while (second.state.looked < 3) await new Promise((resolve) => setImmediate(resolve));
  second.env.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
  await expect(second.result).rejects.toMatchObject({ type: 'WorkerShutdown', nonRetryable: false });
  const third = guard(['fail'], {}, { heartbeatDetails: second.beats.at(-1) });
  expect((await third.result).pass).toBeGreaterThanOrEqual(2);
});

test('returns when so much was observed, and time out of sight isn’t', async () => {
  expect(await guard(['pass'], { returnAfterObservedMs: 5 }).result).toMatchObject({ verdict: 'checkpoint' });
  const none = { observedMs: 0, pass: 0, fail: 0, inconclusive: 0, unseen: 0, toldBlind: false };
  const blind = learned(none, { verdict: 'inconclusive' }, 70);
  expect(blind).toMatchObject({ observedMs: 0, unseen: 1 });
  expect(learned(blind, { verdict: 'pass' }, 70)).toMatchObject({ observedMs: 0, unseen: 0 });
  expect(learned(none, { verdict: 'pass' }, 70).observedMs).toBe(70);
  expect(hasNews({ ...none, unseen: 2 })).toBe(false);
  expect(hasNews({ ...none, unseen: 3 })).toBe(true);
  expect(hasNews({ ...none, unseen: 9, toldBlind: true })).toBe(false);
});

describe('what the core needs of it', () => {
  const three = { observedMs: 40, pass: 3, fail: 0, inconclusive: 0, unseen: 0, toldBlind: false };

  test('a heartbeat carries what a report does; also one of a build before this one is taken up', async () => {
    const first = guard(['pass']);
    while (first.state.looked < 3) await new Promise((resolve) => setImmediate(resolve));
    first.env.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    await first.result;
    const beat = first.beats.at(-1) as { carry: { observedMs: number }; observedMs: number };
    expect(beat.observedMs).toBe(beat.carry.observedMs);
    const fromBeat = await guard(['fail'], { carry: beat.carry }).result;
    expect(fromBeat.pass).toBeGreaterThanOrEqual(2);
    const fromOld = await guard(['fail'], {}, { heartbeatDetails: { guarding: 'all well', known: three } }).result;
    expect(fromOld).toMatchObject({ verdict: 'regression', pass: 3 });
  });

  test('a first look is reported at once', async () => {
    const seen = await guard(['pass'], { firstLook: true }).result;
    expect(seen).toMatchObject({ verdict: 'checkpoint', pass: 1 });
    expect(seen.why).toBeUndefined();
    expect(await guard([new Error('no route')], { firstLook: true }).result).toMatchObject({
      verdict: 'checkpoint',
      inconclusive: 1,
      why: 'it can’t be looked at: no route',
    });
    expect(await guard(['fail'], { firstLook: true }).result).toMatchObject({ verdict: 'regression' });
  });

  test('one that hangs isn’t waited for, and is told to end', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      const env = new MockActivityEnvironment({ activityId: '4' });
      let ended = false;
      const hanging = defineGuard<object>({
        everyMs: () => 1,
        look: ({ signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              ended = true;
              reject(signal.reason as Error);
            });
          }),
      });
      const activity = registerActivities('world', { hanging }, nobody)['world.hanging.check']!;
      const result = env.run<[GuardCall], unknown, typeof activity>(activity, call({ firstLook: true }));
      await jest.advanceTimersByTimeAsync(30_000);
      expect(await result).toMatchObject({
        verdict: 'checkpoint',
        why: 'it can’t be looked at: no look was through within 30 s',
      });
      expect(ended).toBe(true);
    } finally {
      jest.useRealTimers();
    }
  });

  test.each([
    ['paused', { paused: true }, true],
    ['reset', { reset: true }, undefined],
  ] as const)('%s from outside, it reports that, with what it knows', async (what, details, paused) => {
    const { env, result, state } = guard(['pass']);
    while (state.looked < 3) await new Promise((resolve) => setImmediate(resolve));
    env.cancel(what === 'paused' ? 'PAUSED' : 'RESET', new ActivityCancellationDetails(details));
    const report = await result;
    expect(report).toMatchObject({
      verdict: 'checkpoint',
      why: expect.stringContaining(`${what} from outside`) as string,
    });
    expect(report.paused).toBe(paused);
    expect((report.carry as { pass: number }).pass).toBe(report.pass);
  });
});
