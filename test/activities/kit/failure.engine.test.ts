/** On the real engine: a failure of megabytes is shown while it is tried again, and arrives. */
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { leaving, permanent, transient } from '../../../activities/kit';
import { engineTimeoutMs, startTestEngine, type TestEngine } from '../../support/engine';
import type { Arrived } from './support/failing';

const silent = { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } } as const;
Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined), telemetryOptions: silent });

let engine: TestEngine;
let connection: Connection;
let native: NativeConnection;
let client: Client;
beforeAll(async () => {
  engine = await startTestEngine();
  connection = await Connection.connect({ address: engine.address });
  native = await NativeConnection.connect({ address: engine.address });
  client = new Client({ connection, namespace: engine.namespace });
}, engineTimeoutMs);
afterAll(async () => {
  await native?.close();
  await connection?.close();
  await engine?.remove();
});

const MEGABYTES = `the device said: ${'<line>no. </line> '.repeat(200_000)}. Nothing was changed. Next: look at it.`;

test(
  'it is not replaced by "Failure exceeds size limit."',
  async () => {
    let attempts = 0;
    let third = (): void => undefined;
    let over = (): void => undefined;
    const looked = new Promise<void>((resolve) => (over = resolve));
    const tried = new Promise<void>((resolve) => (third = resolve));
    const fail = async (input: 'busy' | 'final'): Promise<void> => {
      const details = { host: 'fw1', output: MEGABYTES, waivable: ['ntp_sync'] };
      if (input === 'final') throw permanent('CommandFailed', MEGABYTES, details);
      // It is shown while the next attempt runs.
      if (++attempts < 3) throw transient('Busy', MEGABYTES, details);
      third();
      await looked;
    };
    const worker = await Worker.create({
      connection: native,
      namespace: engine.namespace,
      taskQueue: 'failing',
      workflowsPath: require.resolve('./support/failing'),
      activities: { fail: leaving(fail) },
    });
    await worker.runUntil(async () => {
      const options = { taskQueue: 'failing', workflowExecutionTimeout: '60s' } as const;
      const start = (workflowId: string, attempts: number, input: string) =>
        client.workflow.start('failing', { ...options, workflowId, args: [{ attempts, input }] });
      const final = (await (await start('final', 1, 'final')).result()) as Arrived;
      expect(final).toMatchObject({ type: 'CommandFailed', nonRetryable: true });
      expect(final.message).toMatch(/^the device said: .* \[…\] .*Next: look at it\.$/s);
      expect(final.details).toMatchObject({ host: 'fw1', waivable: ['ntp_sync'] });

      const pending = await start('pending', 100, 'busy');
      await tried;
      const [activity] = (await pending.describe()).raw.pendingActivities ?? [];
      expect(activity?.lastFailure?.message).toMatch(/^the device said: .* \[…\] .*Next: look at it\.$/s);
      expect(activity?.lastFailure?.applicationFailureInfo?.type).toBe('Busy');
      await pending.terminate();
      over();
    });
  },
  engineTimeoutMs,
);
