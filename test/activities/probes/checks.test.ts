import { MockActivityEnvironment } from '@temporalio/testing';
import { registerProbes, sudoCommands, type Baseline, type ProbeServices } from '../../../activities/probes';
import type { StepCall } from '../../../activities/kit';
import { describeWithSshd } from '../ssh/support/sshd';
import { noHosts, planOf, sshBench, type SshBench } from './support/plan';
import { closedPort, httpServer, tcpServer, type TestServer } from './support/servers';

let server: TestServer;
let metrics: TestServer;
let value = '5';
beforeAll(async () => {
  server = await tcpServer();
  metrics = await httpServer((_request, response) =>
    response.end(`{"status":"success","data":{"resultType":"scalar","result":[1,"${value}"]}}`),
  );
});
afterAll(async () => {
  await server.close();
  await metrics.close();
});

function check<R>(
  name: 'ready' | 'baseline' | 'final',
  plan: unknown,
  services: ProbeServices,
  input: unknown = {},
): Promise<R> {
  const env = new MockActivityEnvironment({ activityId: '3' });
  const activity = registerProbes(services)[`probes.${name}.check`] as (call: StepCall) => Promise<R>;
  return env.run(activity, { schema: 1 as const, plan, input, step: '03-check' });
}

const web = { name: 'web', kind: 'tcp', from: 'worker' };
const errors = { name: 'errors', kind: 'prometheus', query: 'errors', intervalMs: '500ms', bound: { maxPercent: 150 } };
const failureOf = (promise: Promise<unknown>): Promise<Error & { type: string; nonRetryable: boolean }> =>
  promise.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: unknown) => error as never,
  );

describe('baseline and final', () => {
  const plan = (): unknown =>
    planOf({
      probes: [
        { ...web, to: server.to },
        { ...errors, url: `http://127.0.0.1:${metrics.port}` },
      ],
    });

  test('the baseline records numbers and times, after every probe has passed every round', async () => {
    const baseline = await check<Baseline>('baseline', plan(), noHosts);
    expect(baseline).toEqual({
      summary: '2 probes passed 5 times each',
      values: { errors: 5 },
      latencyMs: { web: expect.any(Number) as number },
    });
  });

  test('one failure before anything was changed is a fault, all are named', async () => {
    const broken = planOf({
      probes: [
        { ...web, to: `127.0.0.1:${await closedPort()}` },
        { ...errors, url: `http://127.0.0.1:${await closedPort()}` },
      ],
    });
    const failure = await failureOf(check('baseline', broken, noHosts));
    expect(failure).toMatchObject({ type: 'NotReady', nonRetryable: true });
    expect(failure.message).toMatch(/probe web: failed 5 of 5 times: .*ECONNREFUSED/);
    expect(failure.message).toMatch(/probe errors: inconclusive 5 of 5 times: Prometheus doesn’t answer/);
  });

  test('the end is compared with the baseline, and may come right when asked again', async () => {
    const baseline = await check<Baseline>('baseline', plan(), noHosts);
    expect(await check('final', plan(), noHosts, { baseline })).toEqual({
      summary: '2 probes measured: as before the upgrade',
    });
    value = '8';
    try {
      const failure = await failureOf(check('final', plan(), noHosts, { baseline }));
      expect(failure).toMatchObject({ type: 'VerifyFailed' });
      expect(failure.nonRetryable).not.toBe(true);
      expect(failure.message).toContain('probe errors: failed 5 of 5 times: 8 is above 150 % of the baseline 5');
    } finally {
      value = '5';
    }
  });

  test('without a baseline a relative bound is no pass', async () => {
    const failure = await failureOf(check('final', plan(), noHosts));
    expect(failure.message).toContain('probe errors: inconclusive');
  });
});

describeWithSshd('with hosts', () => {
  let bench: SshBench;
  beforeAll(async () => {
    bench = await sshBench(`checks-${process.pid}`);
  });
  afterAll(() => bench.close());

  test('everything that keeps a probe from running is found, in one list', async () => {
    const plan = planOf(
      {
        intervalMs: '1s',
        probes: [
          { name: 'fine', kind: 'http', from: 'client', url: 'http://127.0.0.1/' },
          { name: 'count', kind: 'command', from: 'client', argv: ['no-such-command-here'], bound: { min: 0 } },
          { name: 'elsewhere', kind: 'tcp', from: 'nowhere', to: server.to },
          { name: 'gone', kind: 'tcp', from: 'silent', to: server.to },
          { name: 'bgp', kind: 'bgp', router: 'edge' },
          { name: 'sync', kind: 'state-sync' },
          { ...errors, url: `http://127.0.0.1:${await closedPort()}` },
        ],
      },
      { client: bench.host, silent: { ...bench.host, port: await closedPort() } },
    );
    const failure = await failureOf(check('ready', plan, bench.services));
    expect(failure).toMatchObject({ type: 'NotReady', nonRetryable: true });
    const lines = failure.message.split('\n').slice(1);
    expect(lines).toHaveLength(6);
    expect(failure.message).toContain('- client: probe count: command no-such-command-here not found');
    expect(failure.message).toContain('- probe elsewhere: host nowhere isn’t in the inventory');
    expect(failure.message).toMatch(/- silent: Unreachable: /);
    expect(failure.message).toContain('- probe bgp: a cluster of this kind has no BGP sessions');
    expect(failure.message).toContain('- probe sync: a cluster of this kind has no session state to compare');
    expect(failure.message).toContain('- probe errors: Prometheus doesn’t answer');
  });

  test('a plan whose probes can run is ready; its baseline comes over SSH', async () => {
    const plan = planOf(
      {
        intervalMs: '1s',
        baselineRounds: 3,
        probes: [
          { ...web, from: 'client', to: server.to },
          { name: 'pid', kind: 'command', from: 'client', argv: ['printf', '%s', 'pid 42'], bound: { minPercent: 90 } },
        ],
      },
      { client: bench.host },
    );
    expect(await check('ready', plan, bench.services)).toMatchObject({ summary: '2 probes can run' });
    expect(await check('baseline', plan, bench.services)).toMatchObject({
      summary: '2 probes passed 3 times each',
      values: { pid: 42 },
    });
  });

  test('a connection lost in the middle of the baseline is a fault, not a pass', async () => {
    const plan = planOf(
      { intervalMs: '1s', baselineRounds: 30, probes: [{ ...web, from: 'client', to: server.to }] },
      { client: bench.host },
    );
    const env = new MockActivityEnvironment({ activityId: '3' });
    let dropped = false;
    const services: ProbeServices = {
      ...bench.services,
      openLines: (of, host, argv, onLine, signal) =>
        bench.services.openLines(
          of,
          host,
          argv,
          (line) => {
            onLine(line);
            if (line.startsWith('P') && !dropped) {
              dropped = true;
              bench.sshd.dropConnections();
            }
          },
          signal,
        ),
    };
    const asked = env.run(registerProbes(services)['probes.baseline.check']!, {
      schema: 1 as const,
      plan,
      input: {},
      step: '03',
    });
    const failure = await failureOf(asked);
    expect(failure.message).toMatch(/probe web: inconclusive \d+ of 30 times: client: the probes’ loop was lost/);
  });
});

test('sudoers: only what the probes run as root', () => {
  const { monitoring } = planOf({
    probes: [
      { ...web, to: '127.0.0.1:1' },
      { name: 'a', kind: 'command', from: 'fw1', argv: ['/usr/sbin/conntrack', '-C'], sudo: true, bound: { min: 1 } },
      { name: 'b', kind: 'command', from: 'fw1', argv: ['uptime'], bound: { min: 0 } },
      { name: 'c', kind: 'command', from: 'fw2', argv: ['/usr/bin/test', 'a=b,c'], sudo: true, bound: { min: 0 } },
    ],
  });
  expect(sudoCommands(monitoring)).toEqual([
    { host: 'fw1', as: 'root', command: '/usr/sbin/conntrack -C' },
    { host: 'fw2', as: 'root', command: '/usr/bin/test a\\=b\\,c' },
  ]);
});
