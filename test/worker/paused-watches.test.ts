/** A watch that is paused from outside while no worker has it in hand: on the real engine, with the server's own pause. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { monitoringSpec, registerProbes } from '../../activities/probes';
import { endPausedWatches, lookForPausedWatches, pausedWatches } from '../../worker/paused-watches';
import type { StatusView } from '../../workflows/contract';
import type { PlanBase } from '../../workflows/procedure';
import { testEngine, worldRun, type TestEngine, type WorldRun } from '../support/engine-run';
import { pairPlan } from '../support/pair-run';

jest.setTimeout(180_000);

const { PENDING_ACTIVITY_STATE_PAUSED: PAUSED, PENDING_ACTIVITY_STATE_PAUSE_REQUESTED: PAUSE_REQUESTED } =
  temporal.api.enums.v1.PendingActivityState;

describe('which ones are paused', () => {
  const beaten = { watching: 'no failure so far', observedMs: 5_000, carry: { v: 1 } };
  const paused = {
    activityId: '9',
    state: PAUSED,
    activityOptions: { taskQueue: { name: 'hitless-watch' } },
    heartbeatDetails: { payloads: [defaultPayloadConverter.toPayload(beaten)] },
    pauseInfo: { manual: { identity: 'somebody', reason: 'to see' } },
  };
  const why = expect.stringContaining('paused from outside by somebody (to see)') as string;

  it('tells what the last heartbeat told, and who paused it', () =>
    expect(pausedWatches([paused], 'hitless')).toEqual([
      { activityId: '9', answer: { heldBack: true, why, observedMs: 5_000, carry: { v: 1 } } },
    ]));
  it('tells nothing more of one that never told anything', () => {
    const { heartbeatDetails: _, ...silent } = paused;
    expect(pausedWatches([silent], 'hitless')).toEqual([{ activityId: '9', answer: { heldBack: true, why } }]);
  });
  it.each([
    ['one that a worker has in hand and will end by itself', { ...paused, state: PAUSE_REQUESTED }],
    ['a step', { ...paused, activityOptions: { taskQueue: { name: 'hitless' } } }],
    ['a watch of another queue', { ...paused, activityOptions: { taskQueue: { name: 'other-watch' } } }],
  ])('leaves %s alone', (_, activity) => expect(pausedWatches([activity], 'hitless')).toEqual([]));
  it('takes that of a site', () =>
    expect(
      pausedWatches([{ ...paused, activityOptions: { taskQueue: { name: 'hitless-dc1-watch' } } }], 'hitless'),
    ).toHaveLength(1));
});

describe('on the real engine', () => {
  let engine: TestEngine;
  let service: Server;
  beforeAll(async () => {
    engine = await testEngine();
    service = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  }, 600_000);
  afterAll(async () => {
    service.close();
    await engine.close();
  });

  const pendingOf = async ({ handle }: WorldRun) => (await handle.describe()).raw.pendingActivities?.[0];
  const until = async <T>(look: () => Promise<T>, holds: (now: T) => boolean): Promise<T> => {
    const limit = Date.now() + 40_000;
    for (;;) {
      const now = await look();
      if (holds(now)) return now;
      if (Date.now() > limit) throw new Error(`it stays ${JSON.stringify(now)}`);
      await sleep(50);
    }
  };
  const pause = async (run: WorldRun): Promise<void> => {
    await engine.client.workflowService.pauseActivity({
      namespace: engine.client.options.namespace,
      execution: { workflowId: run.handle.workflowId },
      id: (await pendingOf(run))?.activityId ?? '',
      identity: 'somebody',
      reason: 'to see what happens',
    });
    await until(
      () => pendingOf(run),
      (now) => now?.state === PAUSED,
    );
  };

  it('shows that nobody watches, and watches again: a watch that rests, and one that never began', async () => {
    const port = (service.address() as AddressInfo).port;
    const monitoring = monitoringSpec.parse({
      periodMs: '10d',
      intervalMs: '12h',
      reseedEveryMs: 'never',
      escapeEveryMs: '12h',
      probes: [{ name: 'service', kind: 'tcp', from: 'worker', to: `127.0.0.1:${port}`, timeoutMs: '2s' }],
    });
    const nowhere = () => Promise.reject(new Error('this test has no hosts'));
    const probes = registerProbes({ connect: nowhere, openLines: nowhere });
    let isOut = false;
    const run = await worldRun(engine, {
      plan: { ...pairPlan(), monitoring, hosts: {} } as PlanBase,
      activities: {
        'probes.baseline.check': probes['probes.baseline.check'] as never,
        'probes.final.check': probes['probes.final.check'] as never,
        'probes.watch.check': async (call: never) => {
          // As a worker that was lost at once: the next attempt comes in an hour.
          if (isOut) throw ApplicationFailure.create({ type: 'Lost', message: 'it was lost', nextRetryDelay: '1h' });
          return probes['probes.watch.check']?.(call);
        },
      },
    });
    const { client } = engine;
    const taskQueue = (await run.handle.describe()).taskQueue;
    const watchOf = async (): Promise<StatusView['watch']> => (await run.status()).watch;
    for (const gate of ['start', 'return']) {
      await run.asked(gate);
      await run.answer('approve');
    }
    const resting = await until(
      () => pendingOf(run),
      (now) => now?.lastFailure?.applicationFailureInfo?.type === 'WatchResting',
    );

    expect(await endPausedWatches(client, taskQueue)).toBe(0);
    isOut = true;
    await pause(run);
    // Nobody has noticed: no worker has it in hand.
    expect((await watchOf())?.state).toBe('watching');
    expect(await endPausedWatches(client, taskQueue)).toBe(1);
    const blind = await until(watchOf, (now) => now?.state === 'blind');
    expect(blind?.last).toContain('paused from outside by somebody (to see what happens)');
    expect(blind?.pass).toBeGreaterThan(0);
    expect((await run.status()).sentence).toContain('NOBODY WATCHES');
    expect((await run.handle.describe()).typedSearchAttributes.getAll()).toContainEqual(
      expect.objectContaining({ value: 'forward, nobody watches' }),
    );

    // The next one never began, and is paused too.
    await until(
      () => pendingOf(run),
      (now) => now?.activityId !== resting?.activityId && now?.lastFailure?.applicationFailureInfo?.type === 'Lost',
    );
    await pause(run);
    const looking = lookForPausedWatches(client, taskQueue, 100);
    isOut = false;
    const again = await until(watchOf, (now) => now?.state === 'watching');
    expect(again?.observedMs).toBeGreaterThanOrEqual(blind?.observedMs ?? Infinity);
    expect(again?.pass).toBeGreaterThan(blind?.pass ?? Infinity);
    await looking.stop();
    await run.worker.stop();
    await run.handle.terminate();
  });
});
