/** Replies as the facts (sections 5, 6, 7, 10) show them. */
import { CERTIFICATES } from '../../../../simulators/panos/reads';
import { parseDocument } from '../../../../activities/panos/api';
import {
  advancedRoutes,
  arpCount,
  arpOf,
  fibCount,
  legacyRoutes,
  sessionsOf,
  parseAdvancedPeers,
  parseAlarms,
  parseCertificate,
  parseClock,
  parseDataplaneClocks,
  parseDataplaneCpu,
  parseFreeDisk,
  parseInterfaces,
  parseLegacyPeers,
  parseLocks,
  parseManagementCpu,
  parseMemory,
  parseSessionTableUse,
  parseMtus,
  parseNtp,
  parsePanorama,
  parseSchedules,
  parseSupport,
  parseTunnels,
  parseYesNo,
} from '../../../../activities/panos/readiness/parse';
import { result, table } from './xml';

test('ntp: LOCAL is no server', () => {
  const server = '<ntp-server-1><name>a</name><reachable>yes</reachable><status>available</status></ntp-server-1>';
  expect(parseNtp(result(`${server}<synched>a</synched>`))).toEqual({
    synched: 'a',
    servers: [{ name: 'a', status: 'available' }],
  });
  expect(parseNtp(result('<synched>LOCAL</synched>'))).toEqual({ synched: undefined, servers: [] });
});

test('panorama: one, a pair, none, and text that isn’t about it', () => {
  const one = (n: number, state: string) =>
    `\n    Panorama Server ${n} : 192.0.2.${n}\n        Connected     : ${state}\n        HA state      : disconnected\n`;
  expect(parsePanorama(one(1, 'no') + one(2, 'yes'))).toEqual([
    { address: '192.0.2.1', connected: false },
    { address: '192.0.2.2', connected: true },
  ]);
  expect(parsePanorama('\n')).toEqual([]);
  expect(() => parsePanorama('some line : to break code')).toThrow('can’t read the state of Panorama');
});

test('support: a device that the update server doesn’t know has no end', () => {
  const reply = (date: string) => result(`<SupportInfoResponse><Support>${date}</Support></SupportInfoResponse>`);
  expect(parseSupport(reply('<ExpiryDate>December 31, 2026</ExpiryDate>'))).toBe('December 31, 2026');
  expect(parseSupport(reply('<ExpiryDate/>'))).toBeUndefined();
});

test('disk space: units, and a row that can’t be read isn’t zero', () => {
  const df = (avail: string) =>
    ` Filesystem Size Used Avail Use% Mounted on\nnone 0 0 0 - /odd\n/dev/md6        23G  2.2G  ${avail}    11% /opt/panrepo\n`;
  const free = (avail: string) => parseFreeDisk(df(avail), '/opt/panrepo');
  expect(['20G', '5.9G', '512M', '1.5T', '1020K', '2147483648', '0'].map(free)).toEqual([
    20_480,
    6_041.6,
    512,
    1_572_864,
    1_020 / 1_024,
    2_048,
    0,
  ]);
  expect(() => free('AG')).toThrow('can’t read the free disk space');
  expect(parseFreeDisk(df('1G'), '/opt')).toBeUndefined();
  expect(parseFreeDisk('', '/opt/panrepo')).toBeUndefined();
});

test('clocks, of one dataplane and of several', () => {
  expect(parseClock('Wed May 31 11:50:21 PDT 2023 ')).toBe(Date.UTC(2023, 4, 31, 11, 50, 21));
  expect(parseClock('Mon Jun  5 01:02:03 CEST 2023')).toBe(Date.UTC(2023, 5, 5, 1, 2, 3));
  const several =
    'DP s3dp0:\n\ndataplane time: Sun Mar 22 19:19:10 PDT 2026\n\nDP s3dp1:\n\ndataplane time: Sun Mar 22 19:19:12 PDT 2026\n';
  const [first, second] = parseDataplaneClocks(result(`<member>${several}</member>`));
  expect(second! - first!).toBe(2_000);
  expect(() => parseClock('soon')).toThrow('can’t read the clock');
  expect(() => parseDataplaneClocks(result('<member/>'))).toThrow('dataplane');
});

test('load of both planes', () => {
  const cores = (...values: string[]) =>
    result(
      `<resource-monitor><data-processors><dp0><minute><cpu-load-average>${values
        .map((value, i) => `<entry><coreid>${i}</coreid><value>${value}</value></entry>`)
        .join('')}</cpu-load-average></minute></dp0></data-processors></resource-monitor>`,
    );
  expect(parseDataplaneCpu(cores('0,10', '30,40'))).toBe(20);
  expect(() => parseDataplaneCpu(cores())).toThrow('dataplane');
  const table = (...values: string[]) =>
    result(
      `<resource-monitor><data-processors>${values
        .map(
          (value, i) =>
            `<dp${i}><minute><resource-utilization><entry><name>session (average)</name><value>${value}</value></entry><entry><name>session (maximum)</name><value>99</value></entry></resource-utilization></minute></dp${i}>`,
        )
        .join('')}</data-processors></resource-monitor>`,
    );
  expect(parseSessionTableUse(table('10,20', '30,40'))).toBe(25);
  expect(parseSessionTableUse(cores('0,10'))).toBeUndefined();
  expect(parseSessionTableUse(table('?'))).toBeUndefined();
  expect(
    parseManagementCpu(" sys.monitor.s0.mp.exports: { 'cpu': { '1minavg': 3, }, 'disks': [ { 'Drive': sda, }, ], } "),
  ).toBe(3);
  expect(() => parseManagementCpu(" 'sys.monitor.*.mp.exports': NO_MATCHES ")).toThrow('management');
  const top =
    'top - 16:29:19 up  4:18\nMiB Mem :  60000.0 total,  46728.6 free,  15000.0 used,   6832.0 buff/cache\nMiB Swap:   1023.9 total,   0.0 free,      1023.9 used.';
  expect(parseMemory(top)).toBe(25);
  expect(() => parseMemory('MiB Mem :  60000.0 total')).toThrow('memory');
});

test('sensors, locks, yes and no', () => {
  const entry = (alarm: string, text: string) =>
    `<entry><slot>1</slot><description>${text}</description><alarm>${alarm}</alarm></entry>`;
  const reply = result(`<fan><Slot1>${entry('False', 'Fan #1')}${entry('True', 'Fan #2')}</Slot1></fan>`);
  expect(parseAlarms(reply)).toEqual([{ kind: 'fan', description: 'Fan #2' }]);
  const locks = result(
    '<config-locks><entry name="alice"><type>shared</type><name>shared</name></entry></config-locks>',
  );
  expect(parseLocks(locks)).toEqual([{ admin: 'alice', location: 'shared' }]);
  expect(parseYesNo('x', result('no\n'))).toBe(false);
  expect(parseYesNo('x', result('on'))).toBe(true);
  expect(() => parseYesNo('whether it is so', result('perhaps'))).toThrow('whether it is so');
});

test('interfaces, MTUs, neighbours, tunnels', () => {
  expect(parseInterfaces(result('<hw><entry><name>ethernet1/1</name><state>up</state></entry></hw>'))).toEqual([
    { name: 'ethernet1/1', up: true },
  ]);
  const config =
    " sw.dev.interface.config: { 'TCI': { 'hwaddr': b4:0c:25:ea:00:0c, 'mtu': 1500, }, 'ethernet1/1.100': { }, 'ethernet1/2': { 'hwaddr': b4:0c:25:ea:00:41, 'mtu': 9192, }, 'ha1-a': { }, } ";
  expect([...parseMtus(config)]).toEqual([
    ['TCI', 1_500],
    ['ethernet1/2', 9_192],
  ]);
  expect(() => parseMtus("'sw.dev.interface.config': NO_MATCHES")).toThrow('MTU');
});

it.each([
  ["'comment': uplink {core}, "],
  ["'comment': 'uplink {core}', "],
  ["'comment': uplink to John's, "],
  ["'comment': \"it's {a}, {b\", "],
  ["'comment': }{, "],
])('MTUs beside a comment %s', (comment) => {
  const config = (mtu: string): string =>
    ` sw.dev.interface.config: { 'ethernet1/1': { ${comment}'hwaddr': b4:0c:25:ea:00:40, 'mtu': ${mtu}, }, 'ethernet1/2': { 'mtu': 9192, ${comment}}, 'ha1-a': { }, } `;
  for (const mtu of ['1500', "'1500'"])
    expect([...parseMtus(config(mtu))]).toEqual([
      ['ethernet1/1', 1500],
      ['ethernet1/2', 9192],
    ]);
});

it.each([["'ethernet1/1': { 'mtu': jumbo, }, "], ["'ethernet1/1': { 'comment': was 'mtu': 9000, 'mtu': 1500, }, "]])(
  'an MTU that can’t be read is no interface without one: %s',
  (entry) => {
    expect(() => parseMtus(` sw.dev.interface.config: { ${entry}} `)).toThrow('MTU');
    const arp = '<dp>dp0</dp><entries><entry><interface>ethernet1/1</interface><ip>10.10.11.1</ip></entry></entries>';
    expect(table(arpOf(['10.10.11.1', '10.10.11.2']), arp)).toEqual([{ ip: '10.10.11.1', interface: 'ethernet1/1' }]);
    expect(table(arpOf(['10.10.11.2']), arp)).toEqual([]);
    expect(table(arpCount, arp)).toBe(1);
    expect(parseTunnels(result('<IPSec><entry><name>a</name><state>init</state></entry></IPSec><SSL-VPN/>'))).toEqual([
      { name: 'a', state: 'init' },
    ]);
  },
);

test('routes of the legacy engine by protocol, active ones only', () => {
  const route = (flags: string) => `<entry><destination>x</destination><flags>${flags}</flags></entry>`;
  const reply = `<flags>flags: A:active</flags>${['A S E ', 'A S', 'A C ', 'A B', 'B', 'A Oi', 'A O1', '~ '].map(route).join('')}`;
  expect(table(legacyRoutes, reply)).toEqual({ static: 2, connected: 1, bgp: 1, ospf: 2 });
  expect(table(legacyRoutes, '')).toEqual({});
});

test('routes of the advanced engine by protocol, installed ones of all logical routers', () => {
  const entry = (protocol: string, installed = true) => [{ prefix: 'x', protocol, installed }];
  const json = {
    a: { '0.0.0.0/0': entry('static'), '10.0.0.0/8': entry('bgp') },
    b: { '0.0.0.0/0': entry('bgp', false), '10.1.0.0/16': entry('ospf6') },
  };
  expect(table(advancedRoutes, `<json>${JSON.stringify(json)}</json>`)).toEqual({ static: 1, bgp: 1, ospf: 1 });
  expect(table(advancedRoutes, '<json/>')).toEqual({});
  expect(table(advancedRoutes, '\n')).toEqual({});
  expect(() => table(advancedRoutes, '<json>{"a": "</json>')).toThrow('routes');
  expect(() => table(advancedRoutes, 'text')).toThrow('routes');
});

test('BGP peers of both engines come out as the same values', () => {
  const legacy = `<entry peer="isp" vr="default"><status>Established</status><prefix-counter><entry afi-safi="bgpAfiIpv4-unicast"><incoming-accepted>7</incoming-accepted></entry><entry afi-safi="bgpAfiIpv6-unicast"><incoming-accepted>2</incoming-accepted></entry></prefix-counter></entry>`;
  expect(parseLegacyPeers(result(legacy))).toEqual([
    { name: 'default/isp', state: 'Established', acceptedPrefixes: 9 },
  ]);
  const advanced = {
    isp: { state: 'Established', detail: { addressFamilyInfo: { ipv4Unicast: { acceptedPrefixCounter: 9 } } } },
    lost: { state: 'Active' },
  };
  expect(parseAdvancedPeers(result(`<json>${JSON.stringify(advanced)}</json>`))).toEqual([
    { name: 'isp', state: 'Established', acceptedPrefixes: 9 },
    { name: 'lost', state: 'Active', acceptedPrefixes: 0 },
  ]);
});

test('the forwarding table may be one entry, or none', () => {
  const rows = (count: number) => `<entry><vr>x</vr><entries>${'<entry/>'.repeat(count)}</entries></entry>`;
  expect(table(fibCount, `<fibs>${rows(2)}${rows(1)}</fibs>`)).toBe(3);
  expect(table(fibCount, `<fibs>${rows(2)}</fibs>`)).toBe(2);
  expect(table(fibCount, '<fibs/>')).toBe(0);
  expect(table(fibCount, ' ')).toBe(0);
  expect(() => table(fibCount, 'text')).toThrow('forwarding');
});

test('of all sessions those that are wanted', () => {
  const session = (port: number) =>
    `<entry><source>10.0.0.1</source><xdst>192.0.2.1</xdst><dport>${port}</dport></entry>`;
  const wanted = [443, 22].map((port) => ({ source: '10.0.0.1', destination: '192.0.2.1', port }));
  expect(table(sessionsOf(wanted), session(80) + session(443) + session(443))).toEqual([wanted[0]]);
});

test('certificates: kind, key and hash come from the certificate itself', () => {
  const entry = (pem: string) => parseDocument(`<entry name="x"><public-key>${pem}</public-key></entry>`);
  expect(parseCertificate(entry(CERTIFICATES.rsa.publicKey))).toEqual({
    name: 'x',
    kind: 'rsa',
    bits: 2_048,
    hash: 'sha256',
  });
  expect(parseCertificate(entry(CERTIFICATES.ec.publicKey))).toEqual({
    name: 'x',
    kind: 'ecdsa',
    bits: 256,
    hash: 'sha256',
  });
  expect(parseCertificate(entry(CERTIFICATES.weak.publicKey))).toEqual({
    name: 'x',
    kind: 'rsa',
    bits: 1_024,
    hash: 'sha1',
  });
  expect(() => parseCertificate(entry('no certificate'))).toThrow('the certificate x');
});

describe('scheduled updates', () => {
  // A Wednesday.
  const now = Date.UTC(2023, 4, 31, 11, 50, 0);
  const inMinutes = (recurring: string) =>
    parseSchedules(
      parseDocument(`<update-schedule><threats><recurring>${recurring}</recurring></threats></update-schedule>`),
      now,
    ).map(({ inMs }) => inMs / 60_000);
  const at = (time: string, day = '') =>
    `${day === '' ? '' : `<day-of-week>${day}</day-of-week>`}<at>${time}</at><action>download-only</action>`;

  test.each([
    [`<daily>${at('12:00')}</daily>`, [10]],
    [`<threshold>15</threshold><daily>${at('11:50')}</daily><sync-to-peer>yes</sync-to-peer>`, [0]],
    [`<daily>${at('11:49')}</daily>`, [24 * 60 - 1]],
    [`<weekly>${at('11:55', 'wednesday')}</weekly>`, [5]],
    [`<weekly>${at('11:45', 'wednesday')}</weekly>`, [7 * 24 * 60 - 5]],
    [`<weekly>${at('11:50', 'monday')}</weekly>`, [5 * 24 * 60]],
    [`<hourly><at>5</at></hourly>`, [60]],
    [`<every-15-mins><at>4</at></every-15-mins>`, [15]],
    ['<real-time/>', [0]],
    ['<none/>', []],
  ])('%s', (recurring, minutes) => {
    expect(inMinutes(recurring)).toEqual(minutes);
  });

  test('an unknown one is no schedule that may be passed over', () => {
    expect(() => inMinutes('<fortnightly><at>01:00</at></fortnightly>')).toThrow('the schedule of threats');
    expect(parseSchedules(undefined, now)).toEqual([]);
  });
});
