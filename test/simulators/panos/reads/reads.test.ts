import { X509Certificate } from 'node:crypto';
import { parseXml } from '@rgrove/parse-xml';
import { ApiError, certificateEntries, CERTIFICATES, updateScheduleElement } from '../../../../simulators/panos/reads';
import { ask, texts, viewOf } from './view';

const BGP_LEGACY = '<show><routing><protocol><bgp><peer></peer></bgp></protocol></routing></show>';
const BGP_ARE = '<show><advanced-routing><bgp><peer><status></status></peer></bgp></advanced-routing></show>';

const COMMANDS = [
  '<show><ntp></ntp></show>',
  '<show><panorama-status></panorama-status></show>',
  '<request><license><info></info></license></request>',
  '<request><support><check></check></support></request>',
  '<show><system><disk-space></disk-space></system></show>',
  '<show><clock></clock></show>',
  '<show><clock><more></more></clock></show>',
  '<show><system><environmentals></environmentals></system></show>',
  '<show><system><resources></resources></system></show>',
  '<show><system><state><filter>sys.monitor.*.mp.exports</filter></state></system></show>',
  '<show><system><state><filter>sw.dev.interface.config</filter></state></system></show>',
  '<show><system><setting><jumbo-frame></jumbo-frame></setting></system></show>',
  '<show><device-certificate><status/></device-certificate></show>',
  "<show><arp><entry name = 'all'/></arp></show>",
  '<show><running><tunnel><flow><all></all></flow></tunnel></running></show>',
  '<show><interface>hardware</interface></show>',
  '<show><interface>ethernet1/3.20</interface></show>',
  '<show><session><info></info></session></show>',
  '<show><session><all></all></session></show>',
  '<show><running><resource-monitor><minute><last>5</last></minute></resource-monitor></running></show>',
  '<show><config-locks><vsys>all</vsys></config-locks></show>',
  '<show><commit-locks><vsys>all</vsys></commit-locks></show>',
  '<show><redistribution><service><client><all></all></client></service></redistribution></show>',
  '<show><redistribution><service><agent><all></all></agent></service></redistribution></show>',
  '<show><user><user-id-service><status></status></user-id-service></user></show>',
  '<show><high-availability><transitions></transitions></high-availability></show>',
  '<show><high-availability><path-monitoring></path-monitoring></high-availability></show>',
  '<show><high-availability><interface><ha2></ha2></interface></high-availability></show>',
];
const LEGACY = [
  '<show><routing><route></route></routing></show>',
  '<show><routing><fib></fib></routing></show>',
  '<show><routing><summary/></routing></show>',
  BGP_LEGACY,
  '<show><routing><protocol><bgp><summary/></bgp></protocol></routing></show>',
  '<show><routing><protocol><bgp><loc-rib/></bgp></protocol></routing></show>',
];
const ADVANCED = [
  '<show><advanced-routing><route></route></advanced-routing></show>',
  '<show><advanced-routing><fib></fib></advanced-routing></show>',
  BGP_ARE,
  '<show><advanced-routing><bgp><peer><detail/></peer></bgp></advanced-routing></show>',
  '<show><advanced-routing><bgp><summary/></bgp></advanced-routing></show>',
  '<show><advanced-routing><bgp><peer-groups/></bgp></advanced-routing></show>',
];

interface Peer {
  state: string;
  detail: { addressFamilyInfo: { ipv4Unicast: { acceptedPrefixCounter: number } } };
}

const json = (view: ReturnType<typeof viewOf>, command: string) =>
  JSON.parse(texts(ask(view, command), 'json')[0] ?? 'null') as Record<string, Peer>;

test.each([...COMMANDS, ...LEGACY])('answers well-formed XML: %s', (command) => {
  expect(ask(viewOf(), command)).toBeDefined();
});

test.each(ADVANCED)('answers with advanced routing: %s', (command) => {
  const view = viewOf({ advancedRouting: true });
  expect(
    command.includes('fib') ? texts(ask(view, command), 'dst').length : Object.keys(json(view, command)).length,
  ).toBeGreaterThan(0);
});

test('a command of somebody else is left to them', () => {
  expect(ask(viewOf(), '<show><system><info></info></system></show>')).toBeUndefined();
  expect(ask(viewOf(), '<request><restart><system></system></restart></request>')).toBeUndefined();
});

test.each(LEGACY)('is gone with advanced routing: %s', (command) => {
  expect(() => ask(viewOf({ advancedRouting: true }), command)).toThrow('Command deprecated in Advanced Routing Mode.');
});

test.each(ADVANCED)('is unknown without advanced routing: %s', (command) => {
  expect(() => ask(viewOf(), command)).toThrow(ApiError);
});

describe('BGP', () => {
  const established = (view: ReturnType<typeof viewOf>) =>
    texts(ask(view, BGP_LEGACY), 'status').filter((status) => status === 'Established').length;

  test('a passive member has no sessions and no routes of BGP', () => {
    const passive = viewOf({ serving: false, servingSince: undefined, haState: 'passive' });
    expect(texts(ask(passive, BGP_LEGACY), 'status')).toEqual(['Idle', 'Idle']);
    const destinations = texts(ask(passive, '<show><routing><route/></routing></show>'), 'destination');
    expect(destinations).toEqual(['10.0.0.0/24', '192.168.0.0/16']);
  });

  test('sessions come up some time after the member began to serve', () => {
    const view = viewOf();
    const at = (ms: number) => viewOf({ servingSince: view.now - ms });
    expect([0, 4_999, 5_000, 9_999, 10_000].map((ms) => texts(ask(at(ms), BGP_LEGACY), 'status')[0])).toEqual([
      'Connect',
      'Connect',
      'OpenSent',
      'OpenConfirm',
      'Established',
    ]);
    expect(established(at(10_000))).toBe(2);
  });

  test('in active/active sessions form while the member is tentative, before it serves', () => {
    const tentative = viewOf({
      haMode: 'active-active',
      haState: 'tentative',
      serving: false,
      servingSince: undefined,
    });
    expect(established(tentative)).toBe(0);
    expect(established({ ...tentative, routingSince: tentative.now - 60_000 })).toBe(2);
  });

  test('a session needs its link', () => {
    const view = viewOf();
    view.facts.interfaces[0]!.state = 'down';
    expect(texts(ask(view, BGP_LEGACY), 'status')).toEqual(['Active', 'Established']);
    const destinations = texts(ask(view, '<show><routing><route/></routing></show>'), 'destination');
    expect(destinations).not.toContain('0.0.0.0/0');
  });

  test('the advanced engine tells the same as JSON', () => {
    const view = viewOf({ advancedRouting: true });
    const peers = json(view, BGP_ARE);
    expect(peers['isp-a']!.state).toBe('Established');
    expect(peers['isp-a']!.detail.addressFamilyInfo.ipv4Unicast.acceptedPrefixCounter).toBe(3);
    view.facts.routers[0]!.peers[0]!.stuckIn = 'Idle';
    expect(json(view, BGP_ARE)['isp-a']!.state).toBe('Idle');
    const named =
      '<show><advanced-routing><route><logical-router>lr-default</logical-router></route></advanced-routing></show>';
    expect(Object.keys(json(view, named))).toEqual(['lr-default']);
    expect(json(view, named.replaceAll('lr-default', 'none'))).toEqual({});
  });
});

test('sessions and load follow the member that serves; alone, an active/active member has both halves', () => {
  const active = (view: ReturnType<typeof viewOf>) =>
    Number(texts(ask(view, '<show><session><info/></session></show>'), 'num-active')[0]);
  expect(active(viewOf())).toBe(1_200);
  expect(active(viewOf({ serving: false }))).toBe(0);
  expect(active(viewOf({ haMode: 'active-active', peerServing: false }))).toBe(2_400);
  expect(active(viewOf({ peerServing: false }))).toBe(1_200);
  const load = ask(
    viewOf({ haMode: 'active-active', peerServing: false }),
    '<show><running><resource-monitor><minute><last>3</last></minute></resource-monitor></running></show>',
  );
  expect(texts(load, 'value')[0]).toBe('44,44,44');
});

test('load of past minutes, the newest first: as it is now, as it was, and none before the boot', () => {
  const view = viewOf();
  const minutes = (count: number, of = view) =>
    texts(
      ask(
        of,
        `<show><running><resource-monitor><minute><last>${count}</last></minute></resource-monitor></running></show>`,
      ),
      'value',
    );
  expect(minutes(15)[0]).toBe(Array(15).fill(22).join(','));
  view.facts.sessions.max = 10_000;
  view.facts.pastLoad = [
    { until: view.now - 240_000, dataplanePercent: 90, sessions: 7_000 },
    { until: view.now - 120_000, dataplanePercent: 50, sessions: 3_000 },
  ];
  expect([minutes(6)[0], minutes(6).at(-1)]).toEqual(['22,22,50,50,90,90', '12,12,30,30,70,70']);
  expect(minutes(6, { ...view, bootedAt: view.now - 300_000 })[0]).toBe('22,22,50,50,90,0');
  expect(minutes(2, { ...view, serving: false })[0]).toBe('0,0');
});

test('a member whose dataplane links are held down has its HA links', () => {
  const hardware = ask(viewOf({ linksHeldDown: true, serving: false }), '<show><interface>hardware</interface></show>');
  const states = Object.fromEntries(texts(hardware, 'name').map((name, i) => [name, texts(hardware, 'state')[i]]));
  expect(states).toEqual({
    'ethernet1/1': 'down',
    'ethernet1/2': 'down',
    'ethernet1/3': 'down',
    'ha1-a': 'up',
    'ha1-b': 'up',
    hsci: 'up',
  });
});

describe('changed facts', () => {
  test('a licence expires by the device’s own clock', () => {
    const view = viewOf();
    const expired = () => texts(ask(view, '<request><license><info/></license></request>'), 'expired');
    expect(expired()).toEqual(['no', 'no', 'no', 'no']);
    view.facts.licences[1]!.expiresAt = view.now - 1;
    expect(expired()).toEqual(['no', 'yes', 'no', 'no']);
  });

  test('ntp is LOCAL once no server is synched', () => {
    const view = viewOf();
    const synched = () => texts(ask(view, '<show><ntp/></show>'), 'synched')[0];
    expect(synched()).toBe('1.pool.ntp.org');
    view.facts.ntp[1]!.status = 'rejected';
    expect(synched()).toBe('LOCAL');
  });

  test('the disks’ table is df’s', () => {
    const view = viewOf();
    const panrepo = () =>
      ask(view, '<show><system><disk-space/></system></show>')!
        .text.split('\n')
        .find((l) => l.includes('panrepo'));
    expect(panrepo()!.split(/ +/)).toEqual(['/dev/sda6', '16G', '4.0G', '12G', '25%', '/opt/panrepo']);
    view.facts.disks.find(({ mountedOn }) => mountedOn === '/opt/panrepo')!.usedMb = 16_000;
    expect(panrepo()!.split(/ +/)[3]).toBe('384M');
  });

  test('an update server out of reach is an error with the device’s words', () => {
    const view = viewOf();
    view.facts.updateServerReachable = false;
    expect(() => ask(view, '<request><support><check/></support></request>')).toThrow(
      'Failed to check support info due to Unknown error. Please check network connectivity and try again.',
    );
  });

  test('dataplane clocks are skewed each on its own', () => {
    const view = viewOf();
    view.facts.dataplaneClockSkewMs = [0, 5_000];
    const text = texts(ask(view, '<show><clock><more/></clock></show>'), 'member')[0]!;
    expect(text.match(/09:00:0\d/g)).toEqual(['09:00:00', '09:00:05']);
  });

  test('text from facts can’t break the XML', () => {
    const view = viewOf();
    view.facts.licences[0]!.description = 'a < b & "c" ]]> d';
    view.facts.locks.config.push({ admin: 'a"b<c', location: 'shared', createdAt: 0, comment: 'x ]]> y' });
    expect(texts(ask(view, '<request><license><info/></license></request>'), 'description')[0]).toBe(
      'a < b & "c" ]]> d',
    );
    expect(texts(ask(view, '<show><config-locks><vsys>all</vsys></config-locks></show>'), 'comment')[0]).toBe(
      'x ]]> y',
    );
  });

  test('a model without slots doesn’t know chassis status', () => {
    const view = viewOf();
    const command = '<show><chassis><status/></chassis></show>';
    expect(() => ask(view, command)).toThrow('unexpected');
    view.facts.chassis = [{ slot: 1, component: 'PA-7000-20GQ-NPC', status: 'Up' }];
    expect(texts(ask(view, command), 'card-status')).toEqual(['Up']);
  });
});

test('certificates and schedules are rendered for the configuration', () => {
  for (const fact of Object.values(CERTIFICATES))
    expect(new X509Certificate(fact.publicKey).subject).toBe(`CN=${fact.subject}`);
  const tree = parseXml(`<c>${certificateEntries([CERTIFICATES.rsa])}</c>`).root!;
  expect(new X509Certificate(texts(tree, 'public-key')[0]!).publicKey.asymmetricKeyDetails?.modulusLength).toBe(2_048);
  const schedules = updateScheduleElement([
    { kind: 'threats', recurring: 'weekly', at: '01:02', dayOfWeek: 'wednesday' },
  ]);
  expect(schedules).toContain('<threats><recurring><weekly><day-of-week>wednesday</day-of-week><at>01:02</at>');
  expect(updateScheduleElement([])).toBe('');
});
