/** Reset and Terminate, as the Web UI does them, on the real engine: what was done before is known, and nothing old acts twice. */
import { randomUUID } from 'node:crypto';
import type { WorkflowFailedError, WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { CallRun, StepCall } from '../../activities/kit/step';
import { payloadConverter } from '../../worker/payload-converter';
import type { Report } from '../../workflows/contract';
import { replays } from '../support/histories';
import { useEngine, type WorldRun } from '../support/engine-run';

jest.setTimeout(40_000);

const { engine, start } = useEngine();

const { EventType } = temporal.api.enums.v1;

/** Resets a run to its workflow task before, or after, it got this signal for the first time; or to its very first one. */
async function reset(run: WorldRun, signal: string, where: 'before' | 'after' | 'anew'): Promise<void> {
  const events = (await run.handle.fetchHistory()).events ?? [];
  const got = events.findIndex((e) => e.workflowExecutionSignaledEventAttributes?.signalName === signal);
  const isTask = (e: (typeof events)[number]): boolean => e.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED;
  const task =
    where === 'anew'
      ? events.find(isTask)
      : where === 'after'
        ? events.slice(got).find(isTask)
        : events.slice(0, got).findLast(isTask);
  await engine.client.workflowService.resetWorkflowExecution({
    namespace: engine.engine.namespace,
    workflowExecution: { workflowId: run.handle.workflowId, runId: (await run.handle.describe()).runId },
    reason: 'a person pressed the button',
    workflowTaskFinishEventId: task?.eventId ?? null,
    requestId: randomUUID(),
  });
}

/** What the calls of steps and checks say of their run. */
async function callsOf(handle: WorkflowHandle): Promise<CallRun[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap((event) => {
    const payload = event.activityTaskScheduledEventAttributes?.input?.payloads?.[0];
    return (payload && payloadConverter.fromPayload<Partial<StepCall>>(payload).run) ?? [];
  });
}

const cancelled = async (run: WorldRun): Promise<Report> => {
  // By the workflow ID alone: the run that it began with is another one by now.
  const handle = engine.client.workflow.getHandle(run.handle.workflowId);
  const error = (await handle.result().catch((e: unknown) => e)) as WorkflowFailedError;
  expect(error.cause).toBeInstanceOf(CancelledFailure);
  return (await handle.describe()).memo?.['report'] as Report;
};

it('a run that was reset undoes what it had done before, and says so', async () => {
  const run = await start();
  await run.asked('start');
  await run.answer('approve');
  await run.asked('return');
  expect(run.world.nodes['fw1']?.release).toBe('2.0');
  // Right after the first approval: what came after that is forgotten by the run, not by the hosts.
  await reset(run, 'decide', 'after');
  await run.asked('return');
  const status = await run.status();
  expect(status.takenOver).toMatchObject([{ from: 'reset' }]);
  expect(status.takenOver?.[0]?.lost).toBeUndefined();
  await run.handle.cancel();
  const report = await cancelled(run);
  expect(report.sentence).toContain('everything that this run had changed was undone');
  expect(run.world.nodes['fw1']?.release).toBe('1.0');
  expect(run.world.serving).toBe('fw1');
  expect(run.world.broken).toEqual([]);
  await replays(run.handle.workflowId, await run.handle.fetchHistory());
});

it('also when it was reset to its very beginning, where it can’t know that it is another run now', async () => {
  const run = await start();
  await run.asked('start');
  const first = (await run.handle.describe()).runId;
  await run.answer('approve');
  await run.asked('return');
  await reset(run, 'decide', 'anew');
  const { question } = await run.asked('start');
  expect(question).toMatch(/^This run was reset: what [1-9]\d* of its steps had found is kept/);
  expect((await run.status()).takenOver).toMatchObject([{ from: 'reset', runId: first }]);
  const handle = engine.client.workflow.getHandle(run.handle.workflowId);
  const numbers = async (runId?: string): Promise<number[]> =>
    (await callsOf(engine.client.workflow.getHandle(run.handle.workflowId, runId))).map(({ number }) => number);
  // Hosts know both as one run, and order its calls by this.
  expect(Math.min(...(await numbers()))).toBeGreaterThan(Math.max(...(await numbers(first))));
  await handle.cancel();
  await cancelled(run);
  expect(run.world.nodes['fw1']?.release).toBe('1.0');
  expect(run.world.serving).toBe('fw1');
  expect(run.world.broken).toEqual([]);
  await replays(run.handle.workflowId, await handle.fetchHistory());
});

it('a pause, a switch back and a cancellation of before don’t act twice', async () => {
  const run = await start();
  await run.asked('start');
  await run.handle.signal('pause', { by: 'ann', reason: 'lunch' });
  await run.asked('pause');
  await run.handle.signal('resume', { by: 'ann', reason: 'back' });
  await run.handle.signal('switchBack', { by: 'ann', reason: 'now' });
  while ((await run.status()).refusedCount === 0) await run.asked('start');
  await reset(run, 'pause', 'before');
  await run.asked('start');
  while ((await run.status()).takenOver === undefined) await run.asked('start');
  const status = await run.status();
  expect(status.waitingFor.map((o) => o.id)).toEqual(['start#1']);
  const again = status.refused.filter((r) => r.why.includes('once more')).map((r) => r.signal);
  expect(again).toEqual(['pause', 'resume', 'switchBack']);
  await run.answer('approve');
  await run.asked('return');
  await run.answer('approve');
  await run.asked('finish');
  await run.answer('approve');
  const handle = engine.client.workflow.getHandle(run.handle.workflowId);
  expect(((await handle.result()) as Report).ending).toBe('Completed');
  expect(run.world.broken).toEqual([]);
  await replays(run.handle.workflowId, await run.handle.fetchHistory());
});

/** Starts the upgrade of a run that has ended once more, on the same devices and workers. */
async function startAgain(run: WorldRun): Promise<string> {
  const { workflowId } = run.handle;
  const { taskQueue } = await engine.client.workflow.getHandle(workflowId).describe();
  const next = await engine.client.workflow.start('upgradeFirewallPair', {
    taskQueue,
    workflowId,
    args: [{ cluster: workflowId.replace('upgrade-', ''), version: '2.0', requestedBy: 'rita' }],
  });
  return next.firstExecutionRunId;
}

/** By the run's ID on hosts: which runs' hosts each of its calls may take. */
async function adoptedBy({ handle: { workflowId } }: WorldRun): Promise<Map<string, Set<string>>> {
  const said = new Map<string, Set<string>>();
  for (const { firstRunId, adopted } of await callsOf(engine.client.workflow.getHandle(workflowId)))
    said.set(firstRunId, (said.get(firstRunId) ?? new Set()).add(JSON.stringify(adopted)));
  return said;
}

it('the run after one that was terminated takes over what that one had found, and so does the one after it', async () => {
  const run = await start();
  await run.asked('start');
  await run.answer('approve');
  await run.asked('return');
  const first = (await run.handle.describe()).runId;
  expect(await adoptedBy(run)).toEqual(new Map([[first, new Set([undefined])]]));
  await run.handle.terminate('enough');
  const second = await startAgain(run);
  await run.asked('start');
  expect(await adoptedBy(run)).toEqual(new Map([[second, new Set([JSON.stringify([first])])]]));
  const next = engine.client.workflow.getHandle(run.handle.workflowId);
  await next.terminate('once more');
  const third = await startAgain(run);
  const gate = await run.asked('start');
  expect(gate.question).toMatch(
    /A run before this one \(.*\) was ended from outside: what \d+ of its steps had found is kept/,
  );
  await next.cancel();
  await cancelled(run);
  expect(await adoptedBy(run)).toEqual(new Map([[third, new Set([JSON.stringify([second, first])])]]));
  expect(run.world.nodes['fw1']?.release).toBe('1.0');
  expect(run.world.serving).toBe('fw1');
  expect(run.world.broken).toEqual([]);
  await replays(run.handle.workflowId, await next.fetchHistory());
});
