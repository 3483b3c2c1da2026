/**
 * A monitoring period of ten days on the real engine with its own time skipping, and the real watch activity with a real
 * probe: sparse probes rest on the server between their rounds, so time can be skipped.
 */
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { registerProbes, monitoringSpec } from '../../activities/probes';
import type { Report } from '../../workflows/contract';
import { useEngine } from '../support/engine-run';
import { pairPlan } from '../support/pair-run';
import { enableTimeSkipping, timeSkippingConfig } from '../support/time-skipping';

jest.setTimeout(300_000);

const A_MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe('ten days of monitoring', () => {
  const { engine, start } = useEngine({ dynamicConfig: timeSkippingConfig });
  let service: Server;
  let rounds = 0;
  beforeAll(async () => {
    service = createServer((socket) => {
      rounds++;
      socket.end();
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => void service.close());

  it('waits for ten days of observed time, for little history', async () => {
    const monitoring = monitoringSpec.parse({
      periodMs: '10d',
      intervalMs: '12h',
      reseedEveryMs: 'never',
      escapeEveryMs: '12h',
      checkpointEveryMs: '2d',
      probes: [
        {
          name: 'service',
          kind: 'tcp',
          from: 'worker',
          to: `127.0.0.1:${(service.address() as AddressInfo).port}`,
          timeoutMs: '2s',
        },
      ],
    });
    const plan = { ...pairPlan(), monitoring, hosts: {} };
    const probes = registerProbes({
      connect: () => Promise.reject(new Error('this test has no hosts')),
      openLines: () => Promise.reject(new Error('this test has no hosts')),
    });
    const run = await start({
      plan,
      activities: {
        'probes.baseline.check': probes['probes.baseline.check'] as never,
        'probes.watch.check': probes['probes.watch.check'] as never,
        'probes.final.check': probes['probes.final.check'] as never,
      },
    });
    await enableTimeSkipping(engine.client, run.handle.workflowId);
    for (const gate of ['start', 'return', 'finish']) {
      await run.asked(gate);
      await run.answer('approve');
    }
    const report = (await run.handle.result()) as Report;
    expect(report.ending).toBe('Completed');
    const monitored = report.steps.find((s) => s.name === 'Monitoring period');
    // Observed time decides. The report from which it counts is older, by its way here, than the step that it begins.
    const lastedMs = Date.parse(monitored?.endedAt ?? '') - Date.parse(monitored?.startedAt ?? '');
    expect(lastedMs).toBeGreaterThanOrEqual(10 * DAY_MS - A_MINUTE_MS);
    expect(report.watch?.observedMs).toBeGreaterThanOrEqual(10 * DAY_MS);
    expect(rounds).toBeGreaterThanOrEqual(20);
    const history = await run.handle.fetchHistory();
    expect(history.events?.length).toBeLessThan(600);
  });
});
