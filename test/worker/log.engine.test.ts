/** Failed workflow tasks are in the worker's log: once per run and cause, with the run, the cause and what to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { NativeConnection, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { useRuntime, workerLog } from '../../worker/runtime';
import { engineTimeoutMs, startTestEngine, type TestEngine } from '../support/engine';

jest.setTimeout(120_000);

let engine: TestEngine;
let release: () => Promise<void>;
let connection: NativeConnection;
let client: Client;
let worker: Worker;
let running: Promise<void>;
let lines: string[];
let written: jest.SpyInstance;

beforeAll(async () => {
  engine = await startTestEngine({ uiPort: 0 });
  lines = [];
  written = jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  release = useRuntime();
  connection = await NativeConnection.connect({ address: engine.address });
  client = new Client({ connection });
  worker = await Worker.create({
    connection,
    taskQueue: 'faulty',
    maxCachedWorkflows: 0,
    activities: { other: async () => undefined },
    workflowBundle: await bundleWorkflowCode({ workflowsPath: require.resolve('./fixtures/faulty-workflows') }),
  });
  workerLog.finds(async (runId) => {
    for await (const { workflowId } of client.workflow.list({ query: `RunId = "${runId}"` })) return workflowId;
    return undefined;
  });
  running = worker.run();
}, engineTimeoutMs);
afterAll(async () => {
  worker?.shutdown();
  await running;
  await connection?.close();
  await release?.();
  written?.mockRestore();
  await engine?.remove();
});

/** Starts one, waits until it has been tried some times, and returns what was logged of it. */
async function logged(type: string): Promise<string> {
  const workflowId = `upgrade-${type.toLowerCase()}`;
  const handle = await client.workflow.start(type, { workflowId, taskQueue: 'faulty', workflowTaskTimeout: '1s' });
  const before = lines.length;
  for (;;) {
    const { raw } = await handle.describe();
    if ((raw.pendingWorkflowTask?.attempt ?? 0) >= 4) break;
    await sleep(100);
  }
  await handle.terminate();
  // The SDK holds lines back for a moment, to bring them in order; the next run's comes after them.
  await client.workflow
    .execute('ends', { workflowId: `${workflowId}-after`, taskQueue: 'faulty' })
    .catch(() => undefined);
  while (!lines.some((line) => line.includes(`${workflowId}-after`))) await sleep(50);
  return lines
    .slice(before)
    .filter((line) => !line.includes('-after'))
    .map((line) => line.replace(handle.firstExecutionRunId, 'RUN').replace(/^\S+ /, ''))
    .join('');
}

const NEXT = 'docs/operations.md#wedged-runs\n';

it('an error of the code', async () => {
  expect(await logged('throws')).toBe(
    `ERROR upgrade-throws stands still: its workflow task failed (run RUN, WorkflowWorkerUnhandledFailure): cannot read the moon’s name [31m. It is tried again and again. Next: hitless status throws; ${NEXT}`,
  );
});

it('a history that doesn’t fit', async () => {
  expect(await logged('changes')).toMatch(
    /^ERROR upgrade-changes stands still: its workflow task failed \(run RUN, NonDeterministicError\): \[TMPRL1100\] .*\n$/,
  );
});

it('a result that is too large', async () => {
  expect(await logged('isTooLarge')).toMatch(
    /^ERROR upgrade-istoolarge stands still: its workflow task failed \(run RUN, PayloadsTooLarge\): \[TMPRL1103\] .*\n$/,
  );
});

it('what the server refuses', async () => {
  expect(await logged('isRefused')).toMatch(
    /^ERROR the server refuses what a workflow task brought, so its run stands still: BadSearchAttributes: .*NoSuchAttribute.*\n$/,
  );
});

it('a run that ends as failed is told as before', async () => {
  await client.workflow.execute('ends', { workflowId: 'upgrade-ends', taskQueue: 'faulty' }).catch(() => undefined);
  while (!lines.some((line) => line.includes('(upgrade-ends)'))) await sleep(50);
  expect(lines.filter((line) => line.includes('upgrade-ends'))).toEqual([
    expect.stringMatching(/^\S+ WARN Workflow failed \(upgrade-ends\): rolled back\n$/),
  ]);
});
