/** What of the watch depends on the server: heartbeats across attempts, resting by retry, its clock, cutting. */
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { registerProbes, type WatchFinding } from '../../../activities/probes';
import { engineTimeoutMs, startTestEngine, type TestEngine } from '../../support/engine';
import { enableTimeSkipping } from '../../support/time-skipping';
import { noHosts, planOf } from './support/plan';
import { tcpServer, type TestServer } from './support/servers';

const HOUR = 3_600_000;
const QUEUE = 'watch';
let engine: TestEngine;
let connection: Connection;
let native: NativeConnection;
let client: Client;
let workflowBundle: { code: string };
let server: TestServer;

beforeAll(async () => {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
  });
  server = await tcpServer();
  engine = await startTestEngine();
  connection = await Connection.connect({ address: engine.address });
  native = await NativeConnection.connect({ address: engine.address });
  client = new Client({ connection });
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: require.resolve('./support/watch-workflow'),
    logger: new DefaultLogger('ERROR'),
  });
}, engineTimeoutMs);
afterAll(async () => {
  await connection?.close();
  await native?.close();
  await engine?.remove();
  await server?.close();
  await Runtime.instance().shutdown();
});

const worker = (): Promise<Worker> =>
  Worker.create({
    connection: native,
    taskQueue: QUEUE,
    workflowBundle,
    activities: registerProbes(noHosts),
    maxHeartbeatThrottleInterval: '200ms',
    shutdownGraceTime: 0,
  });

const start = (
  workflowId: string,
  monitoring: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Promise<WorkflowHandle> => {
  const plan = planOf({ ...monitoring, probes: [{ name: 'web', kind: 'tcp', from: 'worker', to: server.to }] });
  const input = { serving: 'fw1', escapeTo: 'fw2' };
  return client.workflow.start('watchOnce', {
    taskQueue: QUEUE,
    workflowId,
    args: [{ schema: 1, step: '12-watch', plan, input, ...more }],
  });
};

/** What the Web UI shows under Pending Activities. */
async function pending(handle: WorkflowHandle): Promise<{ attempt: number; watching?: string; pass: number }> {
  const { raw } = await handle.describe();
  const activity = raw.pendingActivities?.[0];
  const data = activity?.heartbeatDetails?.payloads?.[0]?.data;
  const details = (data == null ? {} : JSON.parse(Buffer.from(data).toString())) as {
    watching?: string;
    carry?: { probes: Record<string, number[]> };
  };
  return {
    attempt: activity?.attempt ?? 0,
    pass: details.carry?.probes['web']?.[0] ?? 0,
    ...(details.watching && { watching: details.watching }),
  };
}
async function until(
  handle: WorkflowHandle,
  holds: (now: Awaited<ReturnType<typeof pending>>) => boolean,
): Promise<void> {
  const limit = Date.now() + 30_000;
  for (;;) {
    const now = await pending(handle);
    if (holds(now)) return;
    if (Date.now() > limit) throw new Error(`it stays ${JSON.stringify(now)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const events = async (handle: WorkflowHandle): Promise<number> => (await handle.fetchHistory()).events?.length ?? 0;

test('probes of hours rest by retry: ten days pass in moments, on one activity’s events', async () => {
  const running = (await worker()).runUntil(async () => {
    const handle = await start(
      'sparse',
      { intervalMs: '6h', reseedEveryMs: 'never', escapeEveryMs: '6h', checkpointEveryMs: '30d' },
      { returnAfterObservedMs: 240 * HOUR },
    );
    await enableTimeSkipping(client, 'sparse');
    const report = (await handle.result()) as WatchFinding;
    expect(report).toMatchObject({ verdict: 'checkpoint', fail: 0, inconclusive: 0 });
    expect(report.observedMs).toBeGreaterThanOrEqual(240 * HOUR);
    expect(report.pass).toBeGreaterThanOrEqual(41);
    const skips = 2 * report.pass;
    expect(await events(handle)).toBeLessThan(20 + skips);
  });
  await running;
}, 180_000);

test('a worker that goes away hands its heartbeat to the next one', async () => {
  const first = await worker();
  const handle = await first.runUntil(async () => {
    const started = await start('handover', {}, { returnAfterObservedMs: HOUR });
    await until(started, ({ pass }) => pass > 5);
    return started;
  });
  const { pass } = await pending(handle);
  expect(pass).toBeGreaterThan(5);
  await (
    await worker()
  ).runUntil(async () => {
    await until(handle, (now) => now.attempt > 1 && now.pass > pass + 5);
    await handle.signal('cut');
    const report = (await handle.result()) as WatchFinding;
    // Cut, it still tells what it saw, the first worker's part included.
    expect(report.verdict).toBe('cut');
    expect(report.pass).toBeGreaterThan(pass + 5);
  });
  // Start, activity, signal, cancel and their tasks: probes and heartbeats cost nothing.
  expect(await events(handle)).toBeLessThan(25);
}, 120_000);

test.each([
  ['paused', true],
  ['reset', undefined],
] as const)(
  '%s from outside: the server takes its report, and the run gets to know it',
  async (what, paused) => {
    await (
      await worker()
    ).runUntil(async () => {
      const handle = await start(`from-outside-${what}`, {}, { returnAfterObservedMs: HOUR });
      await until(handle, ({ pass }) => pass > 5);
      const { raw } = await handle.describe();
      const request = {
        namespace: client.options.namespace,
        execution: { workflowId: handle.workflowId },
        id: raw.pendingActivities?.[0]?.activityId ?? '',
        identity: 'somebody',
      };
      if (what === 'paused') await client.workflowService.pauseActivity({ ...request, reason: 'to see what happens' });
      else await client.workflowService.resetActivity({ ...request, resetHeartbeat: true });
      const report = (await handle.result()) as WatchFinding;
      expect(report).toMatchObject({
        verdict: 'checkpoint',
        why: expect.stringContaining(`this watch was ${what} from outside`) as string,
      });
      expect(report.paused).toBe(paused);
      expect(report.pass).toBeGreaterThan(5);
      // What it had seen goes on in the next call.
      const next = await start(`from-outside-${what}-next`, {}, { returnAfterObservedMs: HOUR, carry: report.carry });
      await until(next, ({ pass }) => pass > report.pass);
      await next.signal('cut');
      expect(((await next.result()) as WatchFinding).pass).toBeGreaterThan(report.pass);
    });
  },
  120_000,
);
