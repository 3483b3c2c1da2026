/** Reset and Terminate, as the Web UI does them, on the real engine: what was done before is known, and nothing old acts twice. */
import { randomUUID } from 'node:crypto';
import type { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { Report } from '../../workflows/contract';
import { replays } from '../support/histories';
import { useEngine, type WorldRun } from '../support/engine-run';

jest.setTimeout(40_000);

const { engine, start } = useEngine();

const { EventType } = temporal.api.enums.v1;

/** Resets a run to its workflow task before, or after, it got this signal for the first time. */
async function reset(run: WorldRun, signal: string, where: 'before' | 'after'): Promise<void> {
  const events = (await run.handle.fetchHistory()).events ?? [];
  const got = events.findIndex((e) => e.workflowExecutionSignaledEventAttributes?.signalName === signal);
  const isTask = (e: (typeof events)[number]): boolean => e.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED;
  const task = where === 'after' ? events.slice(got).find(isTask) : events.slice(0, got).findLast(isTask);
  await engine.client.workflowService.resetWorkflowExecution({
    namespace: engine.engine.namespace,
    workflowExecution: { workflowId: run.handle.workflowId, runId: (await run.handle.describe()).runId },
    reason: 'a person pressed the button',
    workflowTaskFinishEventId: task?.eventId ?? null,
    requestId: randomUUID(),
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

it('the run after one that was terminated takes over what that one had found', async () => {
  const run = await start();
  await run.asked('start');
  await run.answer('approve');
  await run.asked('return');
  await run.handle.terminate('enough');
  const { taskQueue } = await engine.client.workflow.getHandle(run.handle.workflowId).describe();
  const [input] = [{ cluster: run.handle.workflowId.replace('upgrade-', ''), version: '2.0', requestedBy: 'rita' }];
  await engine.client.workflow.start('upgradeFirewallPair', {
    taskQueue,
    workflowId: run.handle.workflowId,
    args: [input],
  });
  const next = engine.client.workflow.getHandle(run.handle.workflowId);
  const gate = await run.asked('start');
  expect(gate.question).toMatch(
    /A run before this one \(.*\) was ended from outside: what \d+ of its steps had found is kept/,
  );
  await next.cancel();
  await cancelled(run);
  expect(run.world.nodes['fw1']?.release).toBe('1.0');
  expect(run.world.serving).toBe('fw1');
  expect(run.world.broken).toEqual([]);
});
