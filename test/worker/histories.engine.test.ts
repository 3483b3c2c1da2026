/** Resets, terminations and links on the real engine: what is told of them afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { defineStep, registerActivities, type Outcome, type StepCall, type StepContext } from '../../activities/kit';
import { coreActivities } from '../../worker/core-activities';
import { stepsOf } from '../../worker/earlier-run';
import { historyService } from '../../worker/histories';
import type { HistoryEvent } from '../../worker/history-notes';
import { sharedWithOpen } from '../../worker/open-upgrades';
import { payloadConverter } from '../../worker/payload-converter';
import { pairPlan } from '../support/pair-run';
import { useEngine, type WorldRun } from '../support/engine-run';

jest.setTimeout(120_000);

const { engine, start } = useEngine();

const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await sleep(50);
};
/** A run that stands at the gate `return`: traffic is on fw2, and fw1 has the new release. */
const atReturn = async (): Promise<WorldRun> => {
  const run = await start();
  await run.asked('start');
  await run.answer('approve');
  await run.asked('return');
  return run;
};
const eventsOf = async (workflowId: string, runId: string): Promise<HistoryEvent[]> =>
  (await engine.client.workflow.getHandle(workflowId, runId).fetchHistory()).events ?? [];
const idOf = (event: HistoryEvent): number => Number(event.eventId);
/** The first finished workflow task after the approval of the gate `start`. */
const afterStart = (events: readonly HistoryEvent[]): number => {
  const approval = events.findIndex((event) => event.workflowExecutionSignaledEventAttributes);
  const task = events.slice(approval).find((event) => event.workflowTaskCompletedEventAttributes);
  return idOf(task!);
};
const reset = async (workflowId: string, runId: string, event: number): Promise<string> => {
  const { runId: next } = await engine.client.workflowService.resetWorkflowExecution({
    namespace: engine.client.options.namespace,
    workflowExecution: { workflowId, runId },
    reason: 'the blue button',
    workflowTaskFinishEventId: event as never,
    requestId: `${runId}-${event}`,
  });
  return next;
};
/** As a worker runs them, over its own connection. */
const told = (name: 'core.afterReset' | 'core.earlierRun', input: object): Promise<never> => {
  const activities = coreActivities({ history: historyService(new Client({ connection: engine.native })) });
  return new MockActivityEnvironment().run(activities[name] as never, input);
};
/** Highest number that a host was called with. */
const highest = (events: readonly HistoryEvent[]): number =>
  Math.max(
    ...events.map((event) => {
      const payload = event.activityTaskScheduledEventAttributes?.input?.payloads?.[0];
      return payload ? (payloadConverter.fromPayload<Partial<StepCall>>(payload).run?.number ?? 0) : 0;
    }),
  );

test('a reset at a gate: the befores of what was thrown away, and the last call', async () => {
  const run = await atReturn();
  const { workflowId } = run.handle;
  const base = (await run.handle.describe()).runId;
  const at = afterStart(await eventsOf(workflowId, base));
  const next = await reset(workflowId, base, at);
  const old = await eventsOf(workflowId, base);
  const wasTold = await told('core.afterReset', { workflowId, from: base, runId: next });

  expect(wasTold).toEqual({
    runId: next,
    lastCall: expect.any(Number),
    // The first one was staged before the gate.
    steps: stepsOf(old).slice(1),
    resetAt: expect.any(String),
    reason: 'the blue button',
    adopted: [],
  });
  const { steps, lastCall } = wasTold as {
    steps: unknown[];
    lastCall: number;
  };
  expect(steps.length).toBeGreaterThan(3);
  expect(steps).toContainEqual(expect.objectContaining({ before: expect.anything(), acted: true, undone: false }));
  expect(lastCall).toBeGreaterThanOrEqual(highest(old));
});

test('a cancelled run that is reset: all was undone', async () => {
  const run = await atReturn();
  const { workflowId } = run.handle;
  const base = (await run.handle.describe()).runId;
  await run.handle.cancel();
  await run.handle.result().catch(() => undefined);
  const old = await eventsOf(workflowId, base);
  const next = await reset(workflowId, base, afterStart(old));
  const wasTold = await told('core.afterReset', { workflowId, from: base, runId: next });
  const { steps } = wasTold as { steps: { item?: number; before?: unknown; undone: boolean }[] };
  expect(steps.filter(({ item }) => item !== undefined).map(({ undone }) => undone)).not.toContain(false);
  expect(steps.some(({ before }) => before !== undefined)).toBe(false);
});

/** Another run under the same ID; returns its run ID when lists show it. */
const startAgain = async ({ handle: { workflowId }, handle }: WorldRun): Promise<string> => {
  const { taskQueue } = await handle.describe();
  const { firstExecutionRunId } = await engine.client.workflow.start('upgradeFirewallPair', {
    workflowId,
    taskQueue,
    args: [{ cluster: workflowId.replace('upgrade-', ''), version: '2.0', requestedBy: 'rita' }],
  });
  await until(async () =>
    (await historyService(engine.client).runs(workflowId)).some(({ runId }) => runId === firstExecutionRunId),
  );
  return firstExecutionRunId;
};

test('a run that was terminated: the next one is told what it left behind', async () => {
  const run = await atReturn();
  const { workflowId } = run.handle;
  const base = (await run.handle.describe()).runId;
  expect(await told('core.earlierRun', { workflowId, runId: base })).toEqual({ clean: true });
  await run.handle.terminate('by hand');
  const second = await startAgain(run);
  expect(await told('core.earlierRun', { workflowId, runId: second })).toEqual({
    clean: false,
    runId: base,
    firstRunId: base,
    adopted: [base],
    ended: 'TERMINATED',
    endedAt: expect.any(String),
    by: expect.any(String),
    reason: 'by hand',
    plan: {
      cluster: workflowId.replace('upgrade-', ''),
      procedure: 'firewall-pair',
      version: '2.0',
      requestedBy: 'rita',
    },
    lastCall: highest(await eventsOf(workflowId, base)),
    steps: stepsOf(await eventsOf(workflowId, base)),
  });

  // The first one is reset although the second went on since then: that one’s steps aren’t in its history.
  const next = await reset(workflowId, base, afterStart(await eventsOf(workflowId, base)));
  expect(await told('core.afterReset', { workflowId, from: base, runId: next })).toEqual({
    unknown: true,
    why: `run ${second} of ${workflowId} went on between the end of a run and its reset`,
  });
});

test('a run that ended by itself left nothing behind, and one that was deleted can’t be asked', async () => {
  const run = await atReturn();
  const { workflowId } = run.handle;
  const base = (await run.handle.describe()).runId;
  await run.handle.cancel();
  await run.handle.result().catch(() => undefined);
  const second = await startAgain(run);
  expect(await told('core.earlierRun', { workflowId, runId: second })).toMatchObject({
    clean: true,
    ended: 'CANCELED',
    runId: base,
  });
  await engine.client.workflow.getHandle(workflowId).terminate('by hand');
  const at = afterStart(await eventsOf(workflowId, base));
  const next = await reset(workflowId, base, at);
  await engine.client.workflowService.deleteWorkflowExecution({
    namespace: engine.client.options.namespace,
    workflowExecution: { workflowId, runId: base },
  });
  const history = historyService(new Client({ connection: engine.native }));
  await until(async () => {
    try {
      for await (const _ of history.pages(workflowId, base)) return false;
    } catch (error) {
      return (error as Error).name === 'HistoryGone';
    }
    return false;
  });
  expect(await told('core.afterReset', { workflowId, from: base, runId: next })).toEqual({
    unknown: true,
    why: expect.stringMatching(`the history of run ${base} can’t be read: .*retention`),
  });
});

test('an upgrade that is under way is found with the nodes of its plan; one that has ended isn’t', async () => {
  const nodes = { fw1: { address: '192.0.2.7', port: 443 } };
  const plan = { ...pairPlan(), nodes, found: { fw1: { serial: 'S1' } } } as unknown as ReturnType<typeof pairPlan>;
  const run = await start({ plan });
  await run.asked('start');
  const { workflowId } = run.handle;
  const service = historyService(new Client({ connection: engine.native }));
  const mine = { nodes: { a: { address: '192.0.2.8', port: 443 } }, found: { a: { serial: 'S1' } } };
  const asking = { cluster: 'mine', nowMs: Date.now(), known: [] };
  const shared = () => sharedWithOpen(service, mine, asking, { onPage: () => undefined });
  // Visibility comes a moment later than the run.
  await until(async () => (await service.open(10)).some((open) => open.workflowId === workflowId));
  expect((await shared()).map(({ what }) => what)).toEqual([
    `it is the node fw1 of ${workflowId}, which is under way, by the serial S1`,
  ]);
  await run.handle.terminate('test over');
  await until(async () => !(await service.open(10)).some((open) => open.workflowId === workflowId));
  expect(await shared()).toEqual([]);
});

test('without a client it fails clearly', async () => {
  const activity = coreActivities({})['core.afterReset'] as never;
  await expect(new MockActivityEnvironment().run(activity, {})).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringContaining('can’t read histories'),
  });
});

test('over a link hosts see one run; a call that a reset hands out again touches nothing', async () => {
  const acted: { readonly runId: string; readonly number: number }[] = [];
  let isHeld = (): boolean => false;
  const turn = defineStep<unknown, unknown, Outcome & { readonly run: string; readonly number: number }>({
    observe: () => Promise.resolve(0),
    act: (context) => Promise.resolve(note(context)),
    async undo(context) {
      const outcome = note(context);
      while (isHeld()) await context.pause(50);
      return outcome;
    },
    preview: () => Promise.resolve({ commands: [], differences: [] }),
  });
  const note = ({ run, call }: StepContext) => {
    acted.push({ runId: run.runId, number: call.number });
    return { summary: 'acted', changed: true, run: run.runId, number: call.number };
  };
  const connect = () => Promise.reject(new Error('no hosts here'));
  const worker = await Worker.create({
    connection: engine.native,
    taskQueue: 'chain',
    workflowBundle: await bundleWorkflowCode({
      workflowsPath: require.resolve('./histories-workflow'),
      logger: new DefaultLogger('ERROR'),
    }),
    activities: { ...coreActivities({}), ...registerActivities('world', { turn }, { connect }) },
  });
  await worker.runUntil(async () => {
    const workflowId = 'chain';
    const { firstExecutionRunId: first } = await engine.client.workflow.start('chain', {
      workflowId,
      taskQueue: 'chain',
      args: [{}],
    });
    const latest = engine.client.workflow.getHandle(workflowId);
    const seen = () => latest.query<{ type?: string; details?: unknown }[]>('seen').catch(() => []);
    await until(async () => (await seen()).length === 1);
    await latest.signal('link');
    await until(async () => (await latest.describe()).runId !== first);
    await until(async () => (await seen()).length === 1);
    expect(acted).toEqual([
      { runId: first, number: 1 },
      { runId: first, number: 2 },
    ]);

    isHeld = () => true;
    await latest.signal('act');
    await until(async () => acted.length === 3);
    await latest.signal('poke');
    const link = (await latest.describe()).runId;
    const taskAfterPoke = async (): Promise<HistoryEvent | undefined> => {
      const events = await eventsOf(workflowId, link);
      const poke = events.findIndex((e) => e.workflowExecutionSignaledEventAttributes?.signalName === 'poke');
      return events.slice(poke).find((event) => poke >= 0 && event.workflowTaskCompletedEventAttributes);
    };
    await until(async () => (await taskAfterPoke()) !== undefined);
    const next = await reset(workflowId, link, idOf((await taskAfterPoke())!));
    await until(async () => (await seen()).length === 2);
    expect((await seen()).at(-1)).toEqual({ type: 'WasReset', details: { executing: next, expected: link } });
    expect(acted).toHaveLength(3);
    isHeld = () => false;
    await latest.signal('end');
    await latest.result();
  });
});
