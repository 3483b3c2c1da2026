import { WorkflowFailedError } from '@temporalio/client';
import { type ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { payloadConverterPath, workflowBundle } from '../../worker/bundle';
import type { Report } from '../../workflows/contract';
import { useEngine, type WorldOptions, type WorldRun } from '../support/engine-run';
import { goodWorld } from '../support/model-world';

jest.setTimeout(120_000);

describe('the procedure on the real engine', () => {
  const { engine, start } = useEngine();

  /** The failure that a run ended with. */
  const failureOf = async (run: WorldRun): Promise<ApplicationFailure> => {
    const error: unknown = await run.handle.result().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    return (error as WorkflowFailedError).cause as ApplicationFailure;
  };
  const approveAll = async (run: WorldRun): Promise<void> => {
    for (const gate of ['start', 'return', 'finish']) {
      await run.asked(gate);
      await run.answer('approve');
    }
  };

  it('upgrades, shows it, costs little history, and replays', async () => {
    const run = await start({ maxCachedWorkflows: 0 });
    await approveAll(run);
    const report = (await run.handle.result()) as Report;
    expect(report.ending).toBe('Completed');
    expect(report.nodes['fw2']).toMatchObject({ release: '2.0', serving: false });
    expect(report.answers.map((a) => a.opening)).toEqual(['start#1', 'return#1', 'finish#1']);
    expect(run.world.broken).toEqual([]);
    const history = await run.handle.fetchHistory();
    expect(history.events?.length).toBeLessThan(350);
    const replay = Worker.runReplayHistories(
      { workflowBundle: await workflowBundle(), dataConverter: { payloadConverterPath } },
      [{ workflowId: run.handle.workflowId, history }],
    );
    for await (const result of replay) expect(result.error).toBeUndefined();
    const summaries = history.events?.flatMap((e) =>
      e.userMetadata?.summary?.data ? [Buffer.from(e.userMetadata.summary.data).toString()] : [],
    );
    expect(summaries).toContain('"Move traffic to fw2"');
    const description = await run.handle.describe();
    expect(description.typedSearchAttributes.getAll()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ key: expect.objectContaining({ name: 'UpgradePhase' }), value: 'ended' }),
        expect.objectContaining({ key: expect.objectContaining({ name: 'UpgradeTarget' }), value: '2.0' }),
      ]),
    );
  });

  it('goes on with a new worker, in the middle of a step and of the watch', async () => {
    const run = await start({ speed: 10 });
    await run.asked('start');
    await run.answer('approve');
    await run.worker.restart();
    await run.asked('return');
    await run.answer('approve');
    await run.worker.restart();
    await run.asked('finish');
    await run.answer('approve');
    expect(((await run.handle.result()) as Report).ending).toBe('Completed');
    expect(run.world.broken).toEqual([]);
  });

  it('ends Cancelled after the undo, with the report in the memo', async () => {
    const run = await start();
    await run.asked('start');
    await run.answer('approve');
    await run.asked('return');
    await run.handle.cancel();
    const error = (await run.handle.result().catch((e: unknown) => e)) as WorkflowFailedError;
    expect(error.cause).toBeInstanceOf(CancelledFailure);
    expect(run.world.nodes['fw1']?.release).toBe('1.0');
    const { memo } = await run.handle.describe();
    expect((memo?.['report'] as Report).ending).toBe('Cancelled');
    expect((memo?.['report'] as Report).standing).toContain('fw1: release 1.0');
  });

  it('runs the escape on a regression, holds, and ends Failed as RolledBack with the report', async () => {
    const run = await start({ mischief: { ...goodWorld, sick: (n) => n.release === '2.0' } });
    await run.asked('start');
    await run.answer('approve');
    await run.asked('return');
    await run.answer('approve');
    const hold = await run.asked('hold');
    expect(hold.question).toContain('regression');
    expect(run.world.serving).toBe('fw2');
    await run.answer('roll-back', { to: 'start' });
    const failure = await failureOf(run);
    expect(failure.type).toBe('RolledBack');
    expect((failure.details?.[0] as Report).nodes['fw1']).toMatchObject({ release: '1.0', serving: true });
  });

  it('refuses signals that it can’t use, shows them, and goes on', async () => {
    const run = await start();
    await run.asked('start');
    const { client, engine: server } = engine;
    const raw = (name: string, encoding: string, data: string): Promise<unknown> =>
      client.workflowService.signalWorkflowExecution({
        namespace: server.namespace,
        workflowExecution: { workflowId: run.handle.workflowId },
        signalName: name,
        input: { payloads: [{ metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(data) }] },
      });
    await raw('approve', 'json/plain', '{"opening": "start#1", ');
    await raw('approve', 'json/protobuf', '{"opening":"start#1"}');
    await raw('approve', 'json/plain', '{"opening":"start#1","by":"ann","digest":"aaaaaaaaaaaa","colour":"red"}');
    await raw('approve', 'json/plain', '{"opening":"finish#7","by":"ann","digest":"aaaaaaaaaaaa"}');
    await raw('nonsense', 'json/plain', '[]');
    await client.workflowService.signalWorkflowExecution({
      namespace: server.namespace,
      workflowExecution: { workflowId: run.handle.workflowId },
      signalName: 'approve',
    });
    await run.handle.signal('pause', { by: 'ann', reason: 'to see that signals work' });
    await run.asked('pause');
    const { refused } = await run.status();
    expect(refused.map((r) => r.why)).toEqual([
      expect.stringContaining("can't be read"),
      expect.stringContaining('json/protobuf'),
      expect.stringContaining('colour'),
      expect.stringContaining('finish#7 was ever asked'),
      expect.stringContaining('no signal "nonsense"'),
      expect.stringContaining('expected object'),
    ]);
    await run.handle.signal('resume', { by: 'ann', reason: 'seen' });
    await approveAll(run);
    expect(((await run.handle.result()) as Report).ending).toBe('Completed');
  });

  it.each([
    [
      'another workflow ID',
      { workflowId: 'my-upgrade' },
      'WrongWorkflowId',
      /upgrade-fw-\d+ only.*workflowId=upgrade-fw-\d+/s,
    ],
    ['no object', { input: 'fw-dc1' }, 'InvalidInput', /expected object/],
    [
      'every fault with its path',
      { input: { cluster: 'FW DC1', versoin: '2.0' } },
      'InvalidInput',
      /cluster: .*version: .*versoin/s,
    ],
    [
      'another plan than expected',
      { input: { cluster: 'x', version: '2.0', expectPlan: 'abcdefabcdef' }, workflowId: 'upgrade-x' },
      'PlanDiffers',
      /the plan's digest is/,
    ],
  ])('ends at once and touches nothing on %s', async (_what, options: WorldOptions, type, message) => {
    const run = await start(options);
    const failure = await failureOf(run);
    expect(failure.type).toBe(type);
    expect(failure.message).toMatch(message);
    expect(run.world.acts).toEqual([]);
  });

  it('describes every signal and query for the Web UI', async () => {
    const run = await start();
    await run.asked('start');
    const metadata = await run.handle.query<{
      definition: { signalDefinitions: { name: string; description: string }[] };
      currentDetails: string;
    }>('__temporal_workflow_metadata');
    const described = metadata.definition.signalDefinitions.filter((s) => s.description);
    expect(described.map((s) => s.name).sort()).toEqual([
      'approve',
      'decide',
      'pause',
      'reject',
      'resume',
      'switchBack',
    ]);
    expect(metadata.currentDetails).toContain('Waiting for people');
  });

  it('refuses a second upgrade of the same cluster', async () => {
    const run = await start();
    await run.asked('start');
    const again = engine.client.workflow.start('upgradeFirewallPair', {
      workflowId: run.handle.workflowId,
      taskQueue: 'any',
      args: [{}],
    });
    await expect(again).rejects.toThrow(/already started/i);
  });
});
