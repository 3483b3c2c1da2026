import { monitoringSpec, needsBaseline } from '../../../activities/probes';
import { parseEndpoint, scheduleOf as schedule } from '../../../activities/probes/spec';

const minimal = { periodMs: '10m', probes: [{ name: 'web', kind: 'tcp', from: 'client', to: '192.0.2.10:443' }] };
const issues = (value: unknown): Record<string, string> => {
  const result = monitoringSpec.safeParse(value);
  return Object.fromEntries((result.error?.issues ?? []).map((issue) => [issue.path.join('.'), issue.message]));
};
const withProbe = (probe: Record<string, unknown>): unknown => ({ ...minimal, probes: [{ name: 'web', ...probe }] });

test('defaults', () => {
  const monitoring = monitoringSpec.parse(minimal);
  expect(monitoring).toMatchObject({
    periodMs: 600_000,
    intervalMs: 1_000,
    tolerance: { fail: 3, of: 5, inconclusive: 3 },
    reseedEveryMs: 60_000,
    checkpointEveryMs: 21_600_000,
  });
  expect(schedule(monitoring.probes[0]!, monitoring)).toEqual({
    intervalMs: 1_000,
    timeoutMs: 800,
    tolerance: { fail: 3, of: 5, inconclusive: 3 },
    required: true,
  });
});

test('parsing what was parsed changes nothing', () => {
  const once = monitoringSpec.parse({
    ...minimal,
    reseedEveryMs: 'never',
    probes: [
      ...minimal.probes,
      {
        name: 'no',
        kind: 'tcp',
        from: 'worker',
        to: '[2001:db8::1]:22',
        expect: 'refused',
        intervalMs: '5s',
        control: '10.0.0.1:22',
      },
      { name: 'api', kind: 'http', from: 'client', url: 'https://192.0.2.10/health', status: 204, contains: 'ok' },
      {
        name: 'count',
        kind: 'command',
        from: 'client',
        argv: ['/usr/sbin/conntrack', '-C'],
        sudo: true,
        bound: { minPercent: 80 },
      },
      { name: 'bgp', kind: 'bgp', router: 'edge' },
      { name: 'sync', kind: 'state-sync' },
      {
        name: 'errors',
        kind: 'prometheus',
        url: 'https://prom:9090',
        query: 'up',
        condition: '>= 1',
        token: 'env:TOKEN',
      },
    ],
  });
  expect(monitoringSpec.parse(JSON.parse(JSON.stringify(once)))).toEqual(once);
  expect(needsBaseline(once)).toBe(true);
  expect(once.probes.map((probe) => schedule(probe, once).intervalMs)).toEqual([
    1_000, 5_000, 1_000, 10_000, 10_000, 30_000, 15_000,
  ]);
});

test.each([
  ['10.0.0.1:80', { address: '10.0.0.1', port: 80 }],
  ['[2001:db8::1]:443', { address: '2001:db8::1', port: 443 }],
  ['web.example:8080', { address: 'web.example', port: 8080 }],
  ['10.0.0.1', undefined],
  ['2001:db8::1:443', undefined],
  ['10.0.0.1:0', undefined],
  ['10.0.0.1:65536', undefined],
  ["x'; reboot;:80", undefined],
])('endpoint %s', (text, expected) => expect(parseEndpoint(text)).toEqual(expected));

describe('faults name their path', () => {
  test('all of them in one go', () => {
    expect(
      issues({
        periodMs: 'soon',
        probes: [
          { name: 'a', kind: 'tcp', from: 'client', to: 'nowhere' },
          { name: 'b', kind: 'http', from: 'client', url: 'ftp://x' },
          { name: 'c', kind: 'ping' },
        ],
      }),
    ).toMatchObject({
      periodMs: expect.stringContaining('soon') as string,
      'probes.0.to': expect.stringContaining('ADDRESS:PORT') as string,
      'probes.1.url': expect.stringContaining('http://') as string,
      'probes.2.kind': expect.any(String) as string,
    });
  });

  test.each([
    ['two probes of one name', { ...minimal, probes: [minimal.probes[0], minimal.probes[0]] }, 'probes.1.name'],
    ['no probe at all', { ...minimal, probes: [] }, 'probes'],
    [
      'a timeout that leaves no room',
      withProbe({ kind: 'tcp', from: 'c', to: 'a:1', timeoutMs: '1s' }),
      'probes.0.timeoutMs',
    ],
    ['more failures than rounds', { ...minimal, tolerance: { fail: 6, of: 5 } }, 'tolerance.fail'],
    [
      'a command on the worker',
      withProbe({ kind: 'command', from: 'worker', argv: ['x'], bound: { min: 1 } }),
      'probes.0.from',
    ],
    [
      'sudo without a path',
      withProbe({ kind: 'command', from: 'c', argv: ['x'], sudo: true, bound: { min: 1 } }),
      'probes.0.argv.0',
    ],
    ['a bound that binds nothing', withProbe({ kind: 'command', from: 'c', argv: ['x'], bound: {} }), 'probes.0.bound'],
    [
      'a pattern without a group',
      withProbe({ kind: 'command', from: 'c', argv: ['x'], pattern: '\\d+', bound: { min: 1 } }),
      'probes.0.pattern',
    ],
    [
      'a query without a condition',
      withProbe({ kind: 'prometheus', url: 'http://p', query: 'up' }),
      'probes.0.condition',
    ],
    [
      'a condition that isn’t one',
      withProbe({ kind: 'prometheus', url: 'http://p', query: 'up', condition: 'low' }),
      'probes.0.condition',
    ],
    [
      'a token itself',
      withProbe({ kind: 'prometheus', url: 'http://p', query: 'up', condition: '> 0', token: 's3cret' }),
      'probes.0.token',
    ],
    [
      'a worker that is to ping',
      withProbe({ kind: 'tcp', from: 'worker', to: 'a:1', control: '10.0.0.1' }),
      'probes.0.control',
    ],
    ['a misspelt key', withProbe({ kind: 'tcp', from: 'c', to: 'a:1', expects: 'open' }), 'probes.0'],
  ])('%s', (_name, value, path) => expect(Object.keys(issues(value))).toContain(path));
});
