/** What nodes print, with the texts of facts/x-road.md (or of the tools themselves, where it says so). */
import { readHealth } from '../../../activities/xroad/health';
import { readReply } from '../../../activities/xroad/maintenance';
import { compareLsn, lsnDistance } from '../../../activities/xroad/database';
import * as text from '../../../activities/xroad/text';

const reply = (status: string, body: string): string =>
  `HTTP/1.1 ${status}\r\nDate: Sun, 22 Nov 2026 22:00:00 GMT\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe('the health port (facts §3)', () => {
  const maintenance = 'Health check interface is in maintenance mode.';
  test.each([
    ['all checks good', 0, reply('200 OK', ''), { kind: 'ok' }],
    ['maintenance, 7.5 and later', 0, reply('503 Service Unavailable', maintenance), { kind: 'maintenance' }],
    ['maintenance, up to 7.4', 0, reply('503 Service Unavailable', `${maintenance}\n`), { kind: 'maintenance' }],
    [
      'maintenance as the guide writes it',
      0,
      reply('503 Service Unavailable', 'Health check interface is in maintenance mode'),
      { kind: 'maintenance' },
    ],
    [
      'the first failing check',
      0,
      reply('500 Server Error', 'No certificate chain available in authentication key.\n'),
      { kind: 'failing', message: 'No certificate chain available in authentication key.' },
    ],
    [
      'a check that hangs',
      0,
      reply('500 Server Error', 'Fetching health check response timed out for: Authentication key OCSP status\n'),
      { kind: 'failing', message: 'Fetching health check response timed out for: Authentication key OCSP status' },
    ],
    [
      // A proxy of somebody else in between: not maintenance mode, and not healthy.
      'another 503',
      0,
      reply('503 Service Unavailable', '<html>No server is available to handle this request.</html>'),
      { kind: 'failing', message: '<html>No server is available to handle this request.</html>' },
    ],
    ['an empty 500', 0, reply('500 Server Error', ''), { kind: 'failing', message: 'HTTP status 500' }],
    ['refused', 7, '', { kind: 'refused' }],
    ['no answer', 28, '', { kind: 'silent', message: 'no answer within 30 s' }],
  ])('%s', (_name, code, output, health) => {
    expect(readHealth(code, output, '')).toEqual(health);
  });

  test('curl’s own words where there is no HTTP', () => {
    expect(readHealth(52, '', 'curl: (52) Empty reply from server\n')).toEqual({
      kind: 'silent',
      message: 'curl: (52) Empty reply from server',
    });
  });
});

describe('the admin port (facts §3)', () => {
  test.each([
    ['Maintenance mode set: false => true\n', { kind: 'set', from: false, to: true }],
    ['Maintenance mode set: true => true\n', { kind: 'set', from: true, to: true }],
    ['Maintenance mode set: true => false\n', { kind: 'set', from: true, to: false }],
    ["Invalid parameter 'targetState', request ignored\n", { kind: 'invalid parameter' }],
    ['No HealthCheckPort found, maintenance mode not set\n', { kind: 'no health port' }],
    ['<html>404</html>', { kind: 'unknown', said: '<html>404</html>' }],
    ['', { kind: 'unknown', said: '' }],
  ])('%j', (body, expected) => {
    expect(readReply(body)).toEqual(expected);
  });
});

describe('files', () => {
  test.each([
    ['[node]\ntype=master\n', 'master'],
    ['; made by hand\n[node]\ntype = SLAVE\n', 'slave'],
    ['[node]\ntype=replica\n', 'standalone'],
    ['[other]\ntype=slave\n', 'standalone'],
    ['', 'standalone'],
  ])('node type of %j is %s', (ini, type) => {
    expect(text.parseNodeType(ini)).toBe(type);
  });

  test('ports of local.ini: X-Road’s default health check port is none', () => {
    const byDefault = { health: 0, messages: 5500, http: 8080, https: 8443 };
    expect(
      text.parseProxyPorts(
        '[proxy]\nhealth-check-interface=0.0.0.0\nhealth-check-port=5588\n[signer]\nhealth-check-port=1\n',
      ),
    ).toEqual({ ...byDefault, health: 5588 });
    expect(text.parseProxyPorts('[proxy]\n;health-check-port=5588\nclient-http-port=none\n')).toEqual(byDefault);
    // Installed before 7.4: the upgrade to it wrote the ports of old down.
    expect(text.parseProxyPorts('[proxy]\nclient-http-port = 80\nclient-https-port = 443\n')).toEqual({
      ...byDefault,
      ...{ http: 80, https: 443 },
    });
  });

  test('database of db.properties, also with escaped colons as crudini leaves them', () => {
    expect(
      text.parseDatabaseUrl('serverconf.hibernate.connection.url=jdbc:postgresql://127.0.0.1:5433/serverconf\n'),
    ).toBe('jdbc:postgresql://127.0.0.1:5433/serverconf');
    expect(
      text.parseDatabaseUrl('serverconf.hibernate.connection.url = jdbc\\:postgresql\\://127.0.0.1\\:5432/serverconf'),
    ).toBe('jdbc:postgresql://127.0.0.1:5432/serverconf');
    expect(text.parseDatabaseUrl('')).toBeUndefined();
  });

  test('whether the unit that copies tests for the flag', () => {
    const flag = '/var/tmp/xroad/sync-disabled';
    const unit = (line: string): string =>
      `# /etc/systemd/system/xroad-sync.service\n[Service]\nType=oneshot\n${line}\n`;
    expect(text.honoursFlag(unit(`ExecStartPre=/usr/bin/test ! -f ${flag}`), flag)).toBe(true);
    expect(text.honoursFlag(unit(`ConditionPathExists=!${flag}`), flag)).toBe(true);
    expect(text.honoursFlag(unit(`#ExecStartPre=/usr/bin/test ! -f ${flag}`), flag)).toBe(false);
    expect(text.honoursFlag(unit('ExecStartPre=/usr/bin/test ! -f /var/tmp/other'), flag)).toBe(false);
    // The other way round: it would copy only while paused.
    expect(text.honoursFlag(unit(`ExecStartPre=/usr/bin/test -f ${flag}`), flag)).toBe(false);
  });
});

describe('commands', () => {
  test('pg_lsclusters, of this machine’s Debian', () => {
    expect(
      text.parseClusters(
        '15  main       5432 online          postgres /var/lib/postgresql/15/main /var/log/postgresql/postgresql-15-main.log\n15  serverconf 5433 online,recovery postgres /var/lib/postgresql/15/serverconf /var/log/x.log\n',
      ),
    ).toEqual([
      { major: '15', name: 'main', port: 5432, status: 'online' },
      { major: '15', name: 'serverconf', port: 5433, status: 'online,recovery' },
    ]);
  });

  test('units, one block each, in the order asked for', () => {
    const said = [
      'Id=xroad-proxy.service\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nResult=success\nNRestarts=2',
      'Id=xroad-opmonitor.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nResult=success\nNRestarts=0',
      'Id=xroad-signer.service\nLoadState=masked\nActiveState=inactive\nSubState=dead\nUnitFileState=masked-runtime\nResult=success\nNRestarts=0\n',
    ].join('\n\n');
    const units = text.parseUnits(said, ['xroad-proxy.service', 'xroad-opmonitor.service', 'xroad-signer.service']);
    expect(units.map(text.describeUnit)).toEqual([
      'xroad-proxy.service is active (running)',
      'xroad-opmonitor.service is not-found',
      'xroad-signer.service is masked',
    ]);
    expect(units[0]).toMatchObject({ restarts: 2, file: 'enabled' });
  });

  test('connections by whom, most first', () => {
    const said = [
      '0      0         192.0.2.11:5500       192.0.2.7:41202',
      '0      0         192.0.2.11:5500       192.0.2.7:41210',
      '0      36        192.0.2.11:45874      198.51.100.4:5500',
      '0      0      [::ffff:192.0.2.11]:8080 [::ffff:192.0.2.30]:52000',
      '',
    ].join('\n');
    expect(text.parseConnections(said)).toEqual({
      count: 4,
      remaining: ['192.0.2.7 → :5500 × 2', '→ 198.51.100.4:5500', '[::ffff:192.0.2.30] → :8080'],
    });
    expect(text.parseConnections('')).toEqual({ count: 0, remaining: [] });
  });

  test('listeners, of ss -Htln', () => {
    const said = [
      'LISTEN 0      512          0.0.0.0:5500       0.0.0.0:*',
      'LISTEN 0      50                 *:5588             *:*',
      'LISTEN 0      50     [::ffff:127.0.0.1]:5566        *:*',
    ].join('\n');
    expect(text.parseListeners(said)).toEqual([5500, 5588, 5566]);
  });

  test('tokens, as the signer’s console prints them', () => {
    const said = [
      'Token: 0 (OK, writable, available, active)',
      'Token: 7d1 (USER_PIN_LOCKED, read-only, available, inactive)',
      'Token: 2 (OK, writable, available, not active)',
    ].join('\n');
    expect(text.parseTokens('Token: my HSM (slot 1) (OK, writable, available, active)\n')).toEqual([
      { id: 'my HSM (slot 1)', status: 'OK', active: true },
    ]);
    expect(text.parseTokens(said)).toEqual([
      { id: '0', status: 'OK', active: true },
      { id: '7d1', status: 'USER_PIN_LOCKED', active: false },
      { id: '2', status: 'OK', active: false },
    ]);
  });

  test('positions in the WAL are numbers, not texts', () => {
    expect(compareLsn('0/3000148', '0/3000148')).toBe(0);
    expect(compareLsn('9/0', '10/0')).toBeLessThan(0);
    expect(compareLsn('0/FFFFFFFF', '1/0')).toBeLessThan(0);
    expect(compareLsn('1/2', '1/1')).toBeGreaterThan(0);
    expect(lsnDistance('0/FFFFFFF0', '1/10')).toBe(0x20);
    expect(() => compareLsn('', '0/1')).toThrow(/no position/);
  });
});
