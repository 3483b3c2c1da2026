/** The server goes away while somebody watches, and comes back. */
import { Client, Connection } from '@temporalio/client';
import { startTestEngine, engineTimeoutMs, type TestEngine } from '../support/engine';
import { hitless } from './fixtures/command';
import { Heard } from './fixtures/heard';

jest.setTimeout(120_000);

it(
  'status --watch outlives the server',
  async () => {
    const first = await startTestEngine();
    let engine: TestEngine = first;
    const { dbFile, address } = first;
    const port = Number(address.split(':')[1]);
    const withClient = async <T>(use: (client: Client) => Promise<T>): Promise<T> => {
      const connection = await Connection.connect({ address });
      try {
        return await use(new Client({ connection }));
      } finally {
        await connection.close();
      }
    };
    try {
      await withClient((client) =>
        client.workflow.start('upgradeFirewallPair', {
          workflowId: 'upgrade-fw-away',
          taskQueue: 'nobody',
          args: [{}],
        }),
      );
      const heard = new Heard();
      const watching = hitless({ TEMPORAL_ADDRESS: address }, ['status', 'fw-away', '--watch'], heard.hear);
      await heard.until('NO WORKER ANSWERS');
      await engine.kill();
      await heard.until('looking on');
      engine = await startTestEngine({ dbFile, port });
      await withClient((client) => client.workflow.getHandle('upgrade-fw-away').terminate('enough'));
      const ran = await watching;
      expect(ran.code).toBe(1);
      expect(ran.out).toContain('fw-away: terminated');
      // Said once, not at every look.
      expect(ran.err.match(/looking on/g)).toHaveLength(1);
    } finally {
      await engine.stop();
      await first.remove();
    }
  },
  engineTimeoutMs,
);
