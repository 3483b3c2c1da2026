/** `hitless worker` as a process: from its start over mistyped and lost runs to its end. */
import { join } from 'node:path';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { useRuntime } from '../../worker/runtime';
import { engineTimeoutMs, startTestEngine, type TestEngine } from '../support/engine';
import { startProgram } from './fixtures/program';

jest.setTimeout(180_000);

const inventory = join(__dirname, '../../docs/inventory.panos.example.yaml');
const taskQueue = 'hitless';
let engine: TestEngine;
let connection: Connection;
let client: Client;
const start = (...args: string[]) =>
  startProgram({ TEMPORAL_ADDRESS: engine.address }, 'worker', '--inventory', inventory, ...args);

beforeAll(async () => {
  engine = await startTestEngine({ uiPort: 0 });
  connection = await Connection.connect({ address: engine.address });
  client = new Client({ connection });
}, engineTimeoutMs);
afterAll(async () => {
  await connection?.close();
  await engine?.remove();
});

/** Leaves behind an open run of a type that no build of Hitless has, with something done. */
async function lostRun(workflowId: string): Promise<string> {
  const release = useRuntime();
  const native = await NativeConnection.connect({ address: engine.address });
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowsPath: require.resolve('./fixtures/lost-workflow'),
    activities: { touch: async () => undefined },
  });
  try {
    return await worker.runUntil(async () => {
      const handle = await client.workflow.start('upgradeLostPair', { workflowId, taskQueue });
      await handle.executeUpdate('touched');
      return handle.firstExecutionRunId;
    });
  } finally {
    await native.close();
    await release();
  }
}

it('ends a run of a mistyped type at once, also one that was started before it, and stops when it is told to', async () => {
  const early = await client.workflow.start('upgradePanOSPair', { workflowId: 'upgrade-early', taskQueue, args: [{}] });
  const worker = start();
  await worker.said('polling hitless');
  const late = await client.workflow.start('updatePanosPair', { workflowId: 'upgrade-late', taskQueue, args: [{}] });
  for (const handle of [early, late]) {
    const failed = await handle.result().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(WorkflowFailedError);
    const { cause } = failed as WorkflowFailedError;
    expect(cause).toBeInstanceOf(ApplicationFailure);
    expect((cause as ApplicationFailure).type).toBe('UnknownWorkflowType');
    expect(cause?.message).toContain('did you mean upgradePanosPair?');
    expect(cause?.message).toContain(
      'Nothing was touched. The types are upgradeFirewallPair, planFirewallPair, upgradeXRoadCluster, planXRoadCluster, upgradePanosPair, planPanosPair. An upgrade has the workflow ID upgrade-<cluster>, a dry run plan-<cluster>.',
    );
  }
  worker.kill('SIGTERM');
  const { code, err } = await worker.ended;
  expect(code).toBe(0);
  expect(err).toContain('Replayed 1 open run: this build can go on with them.');
  expect(err).toContain('SIGTERM: stopping');
});

it('refuses a run of a type that it lost; with --leave it starts, and says once that the run stands still', async () => {
  const runId = await lostRun('upgrade-lost');
  const refused = await start().ended;
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(
    new RegExp(
      `^hitless: this build can't go on with 1 of 1 open run.*\\n- upgrade-lost \\(upgradeLostPair, run ${runId}, event 5 .*This build has no workflow type upgradeLostPair`,
      'ms',
    ),
  );
  expect(refused.err).not.toMatch(/^\d{4}-\d\d-\d\dT/m);

  const worker = start('--leave', runId, '--leave', 'upgrade-nobody');
  await worker.said('polling hitless');
  await client.workflow.getHandle('upgrade-lost').signal('approve', {});
  await worker.said('upgrade-lost stands still: its workflow task failed');
  worker.kill('SIGTERM');
  const { code, err } = await worker.ended;
  expect(code).toBe(0);
  expect(err).toContain(`upgrade-lost (run ${runId}) is left out of the check.`);
  expect(err).toContain('--leave upgrade-nobody: no such run is open on the queue hitless.');
  expect(err).toMatch(new RegExp(`^\\S+ ERROR upgrade-lost .*\\(run ${runId}, NonDeterministicError\\)`, 'm'));
  expect(err.match(/upgrade-lost stands still/g)).toHaveLength(1);
});
