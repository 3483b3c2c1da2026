/** Starts that could end a run half-way, or claim what nobody approved, on the real engine: refused before anything is touched. */
import {
  WorkflowContinuedAsNewError,
  type WorkflowHandle,
  type WorkflowHandleWithFirstExecutionRunId,
} from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { useEngine } from '../support/engine-run';

jest.setTimeout(300_000);

const { engine, start } = useEngine();

describe('a start', () => {
  const failure = async (work: () => Promise<WorkflowHandle>): Promise<ApplicationFailure> => {
    const { workflowId, firstExecutionRunId: runId } = (await work()) as WorkflowHandleWithFirstExecutionRunId;
    // A cron schedule begins again at once after a failure: of this run alone.
    const handle = engine.client.workflow.getHandle(workflowId, runId, { followRuns: false });
    const error = (await handle.result().catch((e: unknown) => e)) as { cause?: ApplicationFailure };
    await engine.client.workflow
      .getHandle(workflowId)
      .terminate()
      .catch(() => undefined);
    return error.cause as ApplicationFailure;
  };
  let number = 0;
  const begin = async (options: Record<string, unknown>): Promise<WorkflowHandle> => {
    const helper = await start();
    const { taskQueue } = (await helper.handle.describe()) as { taskQueue: string };
    const cluster = `other-${++number}`;
    return engine.client.workflow.start('upgradeFirewallPair', {
      taskQueue,
      workflowId: `upgrade-${cluster}`,
      args: [{ cluster, version: '2.0', requestedBy: 'rita' }],
      ...options,
    });
  };

  it.each([
    ['a workflow execution timeout', { workflowExecutionTimeout: '1 hour' }, /workflow execution timeout/],
    ['a workflow run timeout', { workflowRunTimeout: '1 hour' }, /workflow run timeout/],
    ['a second payload', { args: [{ cluster: 'other', version: '2.0' }, {}] }, /2 inputs/],
    [
      'the input of a later link',
      { args: [{ continued: { schema: 1, state: {}, plan: {}, items: [], digest: '' } }] },
      /Unrecognized key/,
    ],
  ])('with %s is refused before anything is touched', async (_, options, message) => {
    const found = await failure(() => begin(options));
    expect(found).toMatchObject({ type: 'InvalidInput', message: expect.stringMatching(message) });
  });

  it('with a cron schedule is refused each time, also with the input of a later link', async () => {
    const continued = { schema: 1, state: {}, plan: {}, items: [], digest: '' };
    const { workflowId, firstExecutionRunId } = (await begin({
      cronSchedule: '@every 1s',
      args: [{ continued }],
    })) as WorkflowHandleWithFirstExecutionRunId;
    let runId = firstExecutionRunId;
    for (let run = 1; run <= 2; run++) {
      const handle = engine.client.workflow.getHandle(workflowId, runId, { followRuns: false });
      await expect(handle.result()).rejects.toBeInstanceOf(WorkflowContinuedAsNewError);
      const last = (await handle.fetchHistory()).events?.at(-1)?.workflowExecutionFailedEventAttributes;
      expect(last?.failure?.message).toContain('cron schedule');
      runId = last?.newExecutionRunId ?? '';
    }
    await engine.client.workflow.getHandle(workflowId).terminate();
  });
});
