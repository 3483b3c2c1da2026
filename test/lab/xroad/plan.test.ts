import { parseStat, renderHaproxy } from './haproxy';
import { judge, type NodeSample, type Sample } from './observer';
import { addressesOf, resolveOptions } from './options';

test('every fault of the options is named at once', () => {
  expect(() => resolveOptions({ names: { lb: 'LB', provider: 'ss1' }, secondaries: 9, syncPeriodSeconds: 1 })).toThrow(
    `the X-Road cluster can't be built: "LB" isn't a host name; host names must differ: client, LB, ss1, ss2, ss3, ss4, ` +
      'ss5, ss6, ss7, ss8, ss9, ss10, ss1; there can be 1 to 8 secondaries, not 9; ' +
      'syncPeriodSeconds must be a whole number from 3 on',
  );
  expect(() => resolveOptions({ names: { secondaries: ['b'] }, secondaries: 2 })).toThrow(
    'secondaries is 2, and 1 are',
  );
  expect(() => resolveOptions({ packages: 'yum' as 'dnf' })).toThrow('packages is apt or dnf, not yum');
});

test('HAProxy balances every port over all nodes, in TCP mode, by their health port', () => {
  const options = resolveOptions({ names: { primary: 'a', secondaries: ['b'] }, check: { intervalMs: 500 } });
  const text = renderHaproxy(options, addressesOf(options.names));
  expect(text).toContain('mode tcp');
  expect(text).toContain('default-server check port 5588 inter 500ms fall 2 rise 2');
  for (const server of ['a 10.60.0.11:5500', 'b 10.60.0.12:5500', 'a 10.60.0.11:8080', 'b 10.60.0.12:8080']) {
    expect(text).toContain(`    server ${server}\n`);
  }
  expect(text).not.toContain('on-marked-down');
});

test('what HAProxy tells of its servers is read by the names of its columns', () => {
  const text = [
    '# pxname,svname,scur,status,check_status,check_code',
    'in,FRONTEND,3,OPEN,,',
    'xroad-messages,ss1,2,DOWN,L7STS,503',
    'xroad-messages,ss2,0,MAINT,,',
    'xroad-messages,BACKEND,2,UP,,',
    '',
  ].join('\n');
  expect(parseStat(text)).toEqual([
    { backend: 'xroad-messages', server: 'ss1', status: 'DOWN', sessions: 2, check: 'L7STS 503' },
    { backend: 'xroad-messages', server: 'ss2', status: 'MAINT', sessions: 0, check: '' },
  ]);
});

describe('an observer', () => {
  const node = (name: string, change: Partial<NodeSample> = {}): NodeSample => ({
    node: name,
    proxyPid: 7,
    running: '7.7.0-1',
    replay: 'paused',
    serving: true,
    ...change,
  });
  const sample = (atMs: number, nodes: NodeSample[], primarySchema = 4): Sample => ({ atMs, primarySchema, nodes });

  test('sees two nodes that are out at once, not one after the other', () => {
    const out = { serving: false };
    const [a, b, both] = [
      [node('a', out), node('b')],
      [node('a'), node('b', out)],
      [node('a', out), node('b', out)],
    ];
    // A sample isn't taken in one instant: between a's return and b's leave it may show both.
    const good = [sample(0, a), sample(500, a), sample(1000, both), sample(1500, b), sample(2000, b)];
    expect(judge(good)).toEqual({ samples: 5, mostOut: 1, violations: [] });
    expect(judge([...good, sample(2500, both), sample(3000, both)])).toEqual({
      samples: 7,
      mostOut: 2,
      violations: ['3.0 s: out of service at once: a, b'],
    });
  });

  test('sees old code that runs on a database that replays the new schema', () => {
    const torn = { replay: 'not paused' };
    const twice = (change: Partial<NodeSample>, schema?: number): string[] =>
      judge([sample(0, [node('a', change)], schema), sample(500, [node('a', change)], schema)]).violations;
    expect(twice(torn)).toEqual(['0.5 s: a replays schema 4 while its proxy of 7.7.0-1 runs']);
    expect(twice({ replay: 'paused' })).toEqual([]);
    expect(twice({ ...torn, proxyPid: undefined })).toEqual([]);
    expect(twice({ ...torn, running: '7.8.0-1' })).toEqual([]);
    expect(twice({ ...torn, running: '7.7.0-1.el9' })).toEqual([expect.stringContaining('of 7.7.0-1.el9 runs')]);
    expect(twice({ ...torn, running: '7.8.0-1.el9' })).toEqual([]);
    expect(twice(torn, 3)).toEqual([]);
    // A new process whose first line isn't in the log yet.
    const restarted = [sample(0, [node('a', torn)]), sample(500, [node('a', { ...torn, proxyPid: 8 })])];
    expect(judge(restarted).violations).toEqual([]);
  });
});
