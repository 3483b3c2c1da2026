import { parseStat, renderHaproxy } from './haproxy';
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
