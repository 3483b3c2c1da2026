import { runHostLoop } from '../../../activities/probes/host-loop';
import type { LoopedProbe } from '../../../activities/probes/loop-script';
import { scheduleOf } from '../../../activities/probes/spec';
import type { Measurement, MonitoringPlan } from '../../../activities/probes';
import { describeWithSshd } from '../ssh/support/sshd';
import { eventually, marked } from './support/bash';
import { planOf, sshBench, type SshBench } from './support/plan';
import { tcpServer, type TestServer } from './support/servers';

test('a loop that says nothing is inconclusive at every interval; the worker’s signs of life go on', async () => {
  const { monitoring } = planOf({ probes: [{ name: 'web', kind: 'tcp', from: 'client', to: '127.0.0.1:1' }] });
  const seen: Measurement[] = [];
  const written: string[] = [];
  const over = new AbortController();
  const done = runHostLoop({
    host: 'client',
    probes: monitoring.probes.map((p) => ({ ...p, ...scheduleOf(p, monitoring) }) as LoopedProbe),
    rounds: 0,
    baseline: {},
    isBaseline: false,
    open: async () => ({
      ended: new Promise<string>(() => undefined),
      write: (text) => written.push(text),
      close: () => undefined,
    }),
    emit: (_name, measurement) => seen.push(measurement),
    signal: over.signal,
  });
  await eventually('five of them', () => seen.length >= 5);
  expect(seen.every((m) => m.verdict === 'inconclusive' && m.why === 'client: connecting')).toBe(true);
  // Else the loop on the host would take the worker for dead.
  await eventually('a sign of life', () => written.includes('\n'));
  over.abort();
  await done;
});

describeWithSshd('the loop of a host, over SSH', () => {
  const mark = `host-loop-${process.pid}`;
  let bench: SshBench;
  let server: TestServer;
  let plan: MonitoringPlan;
  beforeAll(async () => {
    bench = await sshBench(mark);
    server = await tcpServer();
    plan = planOf({ probes: [{ name: 'web', kind: 'tcp', from: 'client', to: server.to }] }, { client: bench.host });
  });
  afterAll(async () => {
    await server.close();
    await bench.close();
  });

  function start(of: MonitoringPlan = plan): {
    seen: Measurement[];
    last: () => Measurement | undefined;
    over: AbortController;
    done: Promise<void>;
  } {
    const seen: Measurement[] = [];
    const over = new AbortController();
    const probes = of.monitoring.probes.map((p) => ({ ...p, ...scheduleOf(p, of.monitoring) }) as LoopedProbe);
    const done = runHostLoop({
      host: 'client',
      probes,
      rounds: 0,
      baseline: {},
      isBaseline: false,
      open: (argv, onLine, signal) => bench.services.openLines(of, 'client', argv, onLine, signal),
      emit: (_name, measurement) => seen.push(measurement),
      signal: over.signal,
    });
    return { seen, last: () => seen.at(-1), over, done };
  }

  test('many rounds, one channel; what it measures follows the service; nothing is left afterwards', async () => {
    const loop = start();
    await eventually('passes', () => loop.seen.filter((m) => m.verdict === 'pass').length >= 10);
    expect(bench.sshd.sessions().length).toBeLessThanOrEqual(20);
    await server.close();
    await eventually('fails', () => loop.last()?.verdict === 'fail');
    expect(loop.last()?.why).toBe(`${server.to}: Connection refused`);
    await server.reopen();
    await eventually('passes again', () => loop.last()?.verdict === 'pass');
    loop.over.abort();
    await loop.done;
    await eventually('nothing left on the host', () => marked(mark).length === 0);
  });

  test('a lost connection is inconclusive, with why, and found again', async () => {
    const loop = start();
    await eventually('passes', () => loop.last()?.verdict === 'pass');
    const before = loop.seen.length;
    bench.sshd.dropConnections();
    await eventually('inconclusive', () => loop.last()?.verdict === 'inconclusive');
    expect(loop.last()?.why).toMatch(/^client: the probes’ loop was lost, the connection was lost/);
    await eventually('passes again', () => loop.last()?.verdict === 'pass');
    expect(loop.seen.slice(before).every((m) => m.verdict !== 'fail')).toBe(true);
    // The first loop noticed by itself that nobody listens any more: one set of processes is left, not two.
    await eventually('one loop left', () => marked(mark).filter((line) => / hitless-probes/.test(line)).length <= 3);
    loop.over.abort();
    await loop.done;
    await eventually('nothing left on the host', () => marked(mark).length === 0);
  });

  test('a host that can’t be reached is inconclusive at every interval, and says why', async () => {
    await bench.sshd.stop();
    const loop = start();
    await eventually('several', () => loop.seen.length >= 5);
    expect(loop.seen.every((m) => m.verdict === 'inconclusive')).toBe(true);
    await eventually('why', () => /ECONNREFUSED|refused/.test(loop.last()?.why ?? ''));
    await bench.sshd.restart();
    await eventually('passes', () => loop.last()?.verdict === 'pass');
    loop.over.abort();
    await loop.done;
  });

  test('another host key is inconclusive: it is never trusted for the sake of a probe', async () => {
    const other = planOf(
      { probes: [{ name: 'web', kind: 'tcp', from: 'client', to: server.to }] },
      {
        client: {
          ...bench.host,
          hostKeys: [bench.sshd.hostKey.replace(/AAAA(.{40})/, (all) => all.slice(0, 30) + 'A'.repeat(14))],
        },
      },
    );
    const loop = start(other);
    await eventually('why', () => /key/i.test(loop.last()?.why ?? ''));
    expect(loop.seen.every((m) => m.verdict === 'inconclusive')).toBe(true);
    loop.over.abort();
    await loop.done;
  });
});
