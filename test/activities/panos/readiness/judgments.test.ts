import { parseDocument } from '../../../../activities/panos/api';
import * as configured from '../../../../activities/panos/readiness/checks/configured';
import * as device from '../../../../activities/panos/readiness/checks/device';
import * as ha from '../../../../activities/panos/readiness/checks/ha';
import { contentFaults, diskFaults, softwareChecks } from '../../../../activities/panos/readiness/checks/software';
import * as traffic from '../../../../activities/panos/readiness/checks/traffic';
import { readinessChecksSpec } from '../../../../activities/panos/readiness/spec';
import { SimulatedPair } from '../../../../simulators/panos';
import { membersOf } from './members';
import { result } from './xml';

const spec = readinessChecksSpec.parse({});
const said = (found: readonly { what: string }[]) => found.map(({ what }) => what).join('; ');

test('an image that the update server doesn’t offer is a fault (panos-upgrade-assurance passes it)', () => {
  const question = { freeMb: 20_000, images: [], wanted: ['99.9.9'], imported: false, atLeastMb: 3_072 };
  expect(said(diskFaults(question))).toBe('the update server offers no image of 99.9.9');
  expect(diskFaults({ ...question, imported: true })).toEqual([]);
});

test('room: at least the fixed amount, and 1.1 times the images that aren’t downloaded', () => {
  const images = [
    { version: '10.2.0', sizeMb: 1_000, downloaded: 'no' },
    { version: '10.2.9', sizeMb: 3_000, downloaded: 'no' },
  ];
  const of = (freeMb: number, downloaded = false) =>
    diskFaults({
      freeMb,
      images: images.map((i) => ({ ...i, downloaded: downloaded && i.version === '10.2.0' ? 'yes' : 'no' })),
      wanted: ['10.2.0', '10.2.9'],
      imported: false,
      atLeastMb: 3_072,
    });
  expect(of(4_400)).toEqual([]);
  expect(said(of(4_399))).toBe('/opt/panrepo has 4.2 GiB free, and 4.3 GiB are needed');
  expect(of(3_300, true)).toEqual([]);
  expect(of(3_299, true)).toHaveLength(1);
  expect(diskFaults({ freeMb: 3_071, images: [], wanted: [], imported: false, atLeastMb: 3_072 })).toHaveLength(1);
});

test('content: numbers are compared as numbers, and what the upgrade installs need only be offered', () => {
  expect(contentFaults('8700-8000', undefined, ['8699-9999', '8700-8000'], 'keep')).toEqual([]);
  expect(said(contentFaults('8700-8000', undefined, ['8700-8001'], 'keep'))).toBe(
    'content 8700-8000 is older than 8700-8001',
  );
  expect(contentFaults('8700-8000', undefined, ['8700-8001'], 'latest')).toEqual([]);
  expect(contentFaults('10000-1', '9999-9', [], 'keep')).toEqual([]);
  expect(said(contentFaults('8700-8000', '8701-1', ['8700-8001'], 'latest'))).toContain('older than 8701-1');
  expect(said(contentFaults('8700-8000', undefined, [], 'keep'))).toContain('offers no content');
});

test('HA links, session and configuration synchronization', () => {
  expect(ha.stateSyncFaults({ state: 'passive', stateSync: 'Complete' })).toEqual([]);
  expect(ha.stateSyncFaults({ state: 'passive', stateSync: 'User-disabled' })[0]?.waivable).toBeUndefined();
  expect(ha.stateSyncFaults({ state: 'passive', stateSync: 'synchronizing' })[0]?.waivable).toBe(false);
  const running = (runningSync: string, runningSyncEnabled = true) =>
    ha.configSyncFaults({ runningSync, runningSyncEnabled });
  expect(running('synchronized')).toEqual([]);
  expect(said(running('not synchronized'))).toContain('"not synchronized"');
  expect(running('synchronization in progress')).toHaveLength(1);
  expect(running('', false)).toEqual([]);
});

test('compatibility is named by its parts', () => {
  const state = result(
    '<group><local-info><app-compat>Match</app-compat><url-compat>Mismatch</url-compat><VMS>Mismatch</VMS><build-compat>Match</build-compat></local-info></group>',
  );
  expect(said(ha.compatibilityFaults(state))).toBe('not the same on both members: url, VMS');
});

test('one more failover must not exceed max-flaps', () => {
  expect(ha.flapFaults({ flaps: 2, maxFlaps: 3 })).toEqual([]);
  expect(ha.flapFaults({ flaps: 3, maxFlaps: 3 })).toHaveLength(1);
  expect(ha.flapFaults({ flaps: 9, maxFlaps: 0 })).toEqual([]);
});

test('jobs: waiting ones count, rows of jobs that died don’t; a push is named as such', () => {
  const job = (type: string, status: string) => ({
    id: 7,
    type,
    status,
    result: 'PEND',
    progress: '0',
    details: [],
    warnings: [],
  });
  expect(ha.jobFaults([job('Downld', 'FIN'), job('Failed-Job', '')])).toEqual([]);
  expect(said(ha.jobFaults([job('Commit', 'PEND')]))).toBe('jobs aren’t finished: Commit (job 7, PEND)');
  expect(ha.jobFaults([job('Commit', 'ACT')])).toMatchObject([{ passes: 'Busy' }]);
  expect(ha.jobFaults(['WildFire', 'EDLFetch', 'FqdnRefresh'].map((type) => job(type, 'ACT')))).toEqual([]);
  expect(ha.pushFaults([job('Commit', 'ACT')])).toEqual([]);
  expect(said(ha.pushFaults([job('CommitAll', 'ACT')]))).toContain('Panorama pushes');
  for (const status of ['PEND', 'ACT'])
    expect(ha.pushFaults([job('CommitAll', status)])).toMatchObject([{ passes: 'Busy' }]);
});

test('clocks: the time that asking took isn’t a difference', () => {
  expect(device.clockFaults(1_000, 3_000, [2_000], 0)).toEqual([]);
  expect(said(device.clockFaults(1_000, 3_000, [4_000], 0))).toContain('1 s apart');
  expect(said(device.clockFaults(1_000, 3_000, [0], 0))).toContain('1 s apart');
  expect(device.clockFaults(1_000, 3_000, [4_000], 1_000)).toEqual([]);
  expect(said(device.clockFaults(1_000, 3_000, [1_000, 3_000], 0))).toBe('the clocks of its dataplanes are 2 s apart');
});

test('licences and support', () => {
  const licence = (feature: string, expired: boolean) => ({ feature, expired, expires: 'May 01, 2020' });
  expect(device.licenceFaults([licence('a', false)], [])).toEqual([]);
  expect(said(device.licenceFaults([licence('a', true), licence('b', true)], ['b']))).toBe(
    'licences have expired: a (May 01, 2020)',
  );
  expect(device.licenceFaults([], [])).toHaveLength(1);
  expect(device.supportFaults('December 31, 2026', Date.UTC(2026, 11, 30))).toEqual([]);
  expect(device.supportFaults('December 31, 2026', Date.UTC(2027, 0, 1))).toHaveLength(1);
  expect(device.supportFaults(undefined, 0)).toHaveLength(1);
});

test('certificates: key and hash, by kind', () => {
  const of = (kind: 'rsa' | 'ecdsa', bits: number, hash: 'sha1' | 'sha256') =>
    said(device.certificateFaults([{ name: 'c', kind, bits, hash }], spec.certificates));
  expect([of('rsa', 2_048, 'sha256'), of('ecdsa', 256, 'sha256')]).toEqual(['', '']);
  expect(of('rsa', 1_024, 'sha256')).toContain('c (rsa 1024 bit, sha256)');
  expect(of('ecdsa', 256, 'sha1')).toContain('sha1');
});

test('limits are too much when reached', () => {
  expect(device.loadFaults('x', 79.9, 80)).toEqual([]);
  expect(said(device.loadFaults('x', 80, 80))).toBe('x is at 80.0 %, and 80 % is too much');
});

test('panorama, ntp, locks, pending changes, sensors, jumbo frames', () => {
  expect(
    device.panoramaFaults([
      { address: 'a', connected: false },
      { address: 'b', connected: true },
    ]),
  ).toEqual([]);
  expect(device.panoramaFaults([{ address: 'a', connected: false }])).toHaveLength(1);
  expect(device.ntpFaults({ synched: undefined, servers: [{ name: 'a', status: 'rejected' }] })).toHaveLength(1);
  expect(device.ntpFaults({ synched: 'elsewhere', servers: [{ name: 'a', status: 'rejected' }] })).toHaveLength(1);
  expect(said(device.lockFaults('commit', [{ admin: 'alice', location: 'vsys1' }]))).toBe(
    'alice (vsys1) holds a commit lock',
  );
  expect(device.pendingFaults(false, false)).toEqual([]);
  expect(device.pendingFaults(true, false)).toHaveLength(1);
  expect(device.alarmFaults([{ kind: 'fan', description: 'Fan #2' }])).toHaveLength(1);
  const jumbo = (a: boolean, b: boolean, wanted?: boolean) =>
    said(
      device.jumboFaults(
        [
          { name: 'a', on: a },
          { name: 'b', on: b },
        ],
        wanted,
      ),
    );
  expect([jumbo(true, true), jumbo(false, false, false)]).toEqual(['', '']);
  expect(jumbo(true, false)).toBe('jumbo frames differ: a on, b off');
  expect(jumbo(true, false, true)).toBe('jumbo frames are off, and must be on');
});

test('named sessions and neighbours', () => {
  const wanted = { source: 'a', destination: 'b', port: 443 };
  expect(traffic.sessionFaults([wanted], [wanted])).toEqual([]);
  expect(traffic.sessionFaults([{ ...wanted, port: 80 }], [wanted])).toHaveLength(1);
  expect(traffic.arpFaults([{ ip: 'a', interface: 'e1' }], [{ ip: 'a' }, { ip: 'a', interface: 'e1' }])).toEqual([]);
  expect(said(traffic.arpFaults([{ ip: 'a', interface: 'e2' }], [{ ip: 'a', interface: 'e1' }]))).toBe(
    'no neighbour a on e1 is known',
  );
});

test('tunnels: whole, and by proxy IDs', () => {
  const tunnels = [
    { name: 'whole', state: 'active' },
    { name: 'parts:a', state: 'active' },
    { name: 'parts:b', state: 'init' },
  ];
  const of = (name: string, proxyIds: string[] = [], requireAllActive = false) =>
    said(traffic.tunnelFaults(tunnels, [{ name, proxyIds, requireAllActive }]));
  expect([of('whole'), of('parts'), of('parts', ['a'], true)]).toEqual(['', '', '']);
  expect(of('part')).toBe('there is no tunnel part');
  expect(of('parts', [], true)).toContain('b is init');
  expect(of('parts', ['b'])).toContain('b is init');
  expect(of('parts', ['c'])).toContain('has no proxy ID c');
});

test('BGP peers: every one that isn’t Established is named', () => {
  const peer = (name: string, state: string) => ({ name, state, acceptedPrefixes: 0 });
  expect(traffic.bgpFaults([peer('a', 'Established')])).toEqual([]);
  expect(said(traffic.bgpFaults([peer('a', 'Established'), peer('b', 'Active')]))).toBe(
    '1 of 2 BGP peers aren’t Established: b is Active',
  );
});

describe('what the configuration lets happen', () => {
  const network = (inner: string) => parseDocument(`<network>${inner}</network>`);

  test('dynamic routing of virtual and logical routers', () => {
    const virtual =
      '<virtual-router><entry name="a"><protocol><bgp><enable>yes</enable></bgp><rip><enable>no</enable></rip></protocol></entry></virtual-router>';
    const logical =
      '<logical-router><entry name="b"><vrf><entry name="default"><ospf><enable>yes</enable></ospf></entry></vrf></entry></logical-router>';
    expect(configured.dynamicRouting(network(virtual + logical))).toEqual(['bgp', 'ospf']);
    expect(configured.dynamicRouting(undefined)).toEqual([]);
  });

  test('tentative hold: 0 or off with dynamic routing', () => {
    expect(['0', 'disabled', '10', undefined].map(configured.tentativeHoldSeconds)).toEqual([0, 0, 10, 60]);
    expect(configured.tentativeFaults(0, [])).toEqual([]);
    expect(configured.tentativeFaults(60, ['bgp'])).toEqual([]);
    expect(said(configured.tentativeFaults(0, ['bgp', 'ospf']))).toContain(
      'drops packets until adjacencies have formed',
    );
  });

  test('device IDs, and settings of one side only', () => {
    const ids = (a?: number, b?: number) =>
      configured.deviceIdFaults([
        { name: 'a', id: a },
        { name: 'b', id: b },
      ]);
    expect(ids(1, 0)).toEqual([]);
    expect(ids(0, 0)).toEqual([{ what: 'device IDs must be 0 and 1: a: 0, b: 0' }]);
    expect(ids(0)[0]).toMatchObject({ waivable: true });
    const sides = [
      { name: 'a', value: 'yes' },
      { name: 'b', value: 'no' },
    ];
    expect(said(configured.unlike('QoS sync', sides, ''))).toBe('QoS sync isn’t set alike: a: yes, b: no');
    expect(configured.unlike('QoS sync', [sides[0]!, sides[0]!], '')).toEqual([]);
  });

  test('one member must hold the sessions and the load of both', () => {
    const member = (name: string, active: number, max: number, cpu: number) => ({ name, active, max, cpu });
    const of = (active: number, cpu: number, capacityPercent = 100) =>
      configured.capacityFaults([member('a', active, 1_000, cpu), member('b', active, 1_000, cpu)], {
        capacityPercent,
        dpCpuPercent: 80,
      });
    expect(of(499, 39)).toEqual([]);
    expect(of(500, 39)).toHaveLength(2);
    expect(of(499, 40)).toHaveLength(1);
    expect(of(300, 10, 50)).toHaveLength(2);
    // Of now, or of the last minutes.
    expect([
      configured.sessionsCarried(10, 1_000, undefined),
      configured.sessionsCarried(10, 1_000, 0),
      configured.sessionsCarried(10, 1_000, 5),
      configured.sessionsCarried(80, 1_000, 5),
    ]).toEqual([10, 10, 50, 80]);
  });

  test('HA1 without a backup', () => {
    expect(ha.ha1BackupFaults('yes', false)).toEqual([]);
    expect(ha.ha1BackupFaults('no', true)).toEqual([]);
    expect(ha.ha1BackupFaults(undefined, false)).toHaveLength(1);
  });

  test('LACP and LLDP that don’t negotiate in advance', () => {
    const lacp = (more: string) =>
      network(
        `<interface><aggregate-ethernet><entry name="ae1"><layer3><lacp><enable>yes</enable>${more}</lacp></layer3></entry></aggregate-ethernet></interface>`,
      );
    expect(configured.notPreNegotiated(lacp(''))).toEqual(['ae1 (LACP)']);
    expect(
      configured.notPreNegotiated(
        lacp('<high-availability><passive-pre-negotiation>yes</passive-pre-negotiation></high-availability>'),
      ),
    ).toEqual([]);
    const lldp = network(
      '<interface><ethernet><entry name="ethernet1/1"><layer2><lldp><enable>yes</enable></lldp></layer2></entry></ethernet></interface>',
    );
    expect(configured.notPreNegotiated(lldp)).toEqual(['ethernet1/1 (LLDP)']);
    expect(configured.notPreNegotiated(undefined)).toEqual([]);
  });

  test('what moves with active-primary', () => {
    const relay = (enabled: string) =>
      network(
        `<dhcp><interface><entry name="ethernet1/3"><relay><ip><enabled>${enabled}</enabled></ip></relay></entry></interface></dhcp>`,
      );
    expect(configured.relayInterfaces(relay('yes'))).toEqual(['ethernet1/3']);
    expect(configured.relayInterfaces(relay('no'))).toEqual([]);
    const vsys = parseDocument(
      '<vsys><entry name="vsys1"><user-id-agent><entry name="old"/></user-id-agent><redistribution-agent><entry name="new"/></redistribution-agent></entry></vsys>',
    );
    expect(configured.agentNames(vsys)).toEqual(['old', 'new']);
  });
});

test('backup HA links that are down are told, and may be gone without; others may not', () => {
  const peer = (down: string[], connected = true) => ({ peer: { connected, down } }) as never;
  expect(said(ha.backupLinkFaults(peer(['conn-ha1-backup: down'])))).toMatch(
    /backup HA links are down \(conn-ha1-backup/,
  );
  for (const other of [
    peer([]),
    peer(['conn-ha1: down', 'conn-ha1-backup: down']),
    peer(['conn-ha2-backup: down'], false),
  ])
    expect(ha.backupLinkFaults(other)).toEqual([]);
  const identity = (down: string[]) => ({ node: 'fw-a', ha: { ...(peer(down) as object) } }) as never;
  const links = (down: string[]) => said(ha.haFaults([identity(down)])).includes('HA links to its peer aren’t up');
  expect([links([]), links(['conn-ha2-backup: down']), links(['conn-ha2: down'])]).toEqual([false, false, true]);
});

describe('a pair without a way to the update server', () => {
  const contentOf = async (imported: boolean, content: 'keep' | 'latest') => {
    const pair = new SimulatedPair({ internet: false });
    const [reader] = membersOf(pair);
    return softwareChecks.content_version.each(reader!, { spec, images: [], imported, content });
  };

  it('isn’t asked for content that is kept', async () => {
    expect(await contentOf(true, 'keep')).toEqual([]);
  });

  it('is told what to set where its content is to be the latest', async () => {
    expect(await contentOf(true, 'latest')).toMatchObject([
      {
        what: expect.stringMatching(/can’t be asked which content/),
        next: expect.stringMatching(/content: keep/),
        waivable: false,
      },
    ]);
    expect(await contentOf(false, 'keep')).not.toEqual([expect.objectContaining({ waivable: false })]);
  });
});
