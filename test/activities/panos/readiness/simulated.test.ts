/** Every check against a simulated pair: passes on a healthy one, and finds what was changed. */
import { SimulatedPair, type Fault, type PairOptions } from '../../../../simulators/panos';
import { fromXml, parseXpath } from '../../../../simulators/panos/config/tree';
import { CERTIFICATES, type DeviceFacts } from '../../../../simulators/panos/reads';
import { parseRoot } from '../../../../simulators/panos/xml';
import {
  CHECK_NAMES,
  CHECKS,
  readinessChecksSpec,
  runChecks,
  type CheckContext,
  type CheckName,
} from '../../../../activities/panos/readiness';
import { membersOf } from './members';

const HEALTHY: PairOptions = { panorama: true, model: 'PA-3410' };
const DEVICE = "/config/devices/entry[@name='localhost.localdomain']";
const GROUP = `${DEVICE}/deviceconfig/high-availability/group`;
const ACTIVE_ACTIVE: PairOptions = { mode: 'active-active' };

const context = (spec: object = {}, more: Partial<CheckContext> = {}): CheckContext => ({
  spec: readinessChecksSpec.parse(spec),
  images: ['10.2.9'],
  imported: false,
  content: 'latest',
  ...more,
});

const look = async (pair: SimulatedPair, asked = context()) => (await runChecks(CHECKS, membersOf(pair), asked)).faults;

/** What can be done to a pair. Facts are changed on the second member unless it says otherwise. */
type Change = (pair: SimulatedPair) => void;

const facts =
  (change: (facts: DeviceFacts, pair: SimulatedPair) => void, side: 0 | 1 = 1): Change =>
  (pair) =>
    change(pair.devices[side].facts, pair);

const fault =
  (injected: Fault, thenMs = 0): Change =>
  (pair) => {
    pair.faults.inject(injected);
    pair.elapse(pair.now + thenMs);
  };

/** Merges an element into the running configuration of members, as if it had always been there. */
const configured =
  (xpath: string, element: string, sides: readonly (0 | 1)[] = [0, 1]): Change =>
  (pair) => {
    for (const side of sides) {
      const { config } = pair.devices[side];
      config.set(xpath, parseXpath(xpath)!, [fromXml(parseRoot(element)!)], 'admin');
      config.adopt(config.candidate, undefined, pair.now);
    }
  };

interface Case {
  readonly check: CheckName;
  readonly of: string;
  readonly change?: Change;
  readonly options?: PairOptions;
  readonly asked?: CheckContext;
  /** Other checks that find the same. */
  readonly also?: readonly CheckName[];
  /** Part of what is said. */
  readonly says: string;
}

const CASES: readonly Case[] = [
  {
    check: 'ha',
    of: 'a suspended member',
    change: (pair) => pair.ha.suspend(1),
    says: 'one must be active and the other passive',
  },
  { check: 'ha', of: 'HA1 down', change: fault({ kind: 'ha1-down' }, 60_000), says: 'conn-ha1: down' },
  { check: 'ha', of: 'HA2 down', change: fault({ kind: 'ha2-down' }, 1), says: 'conn-ha2: down' },
  {
    check: 'ha',
    of: 'HA3 down',
    options: ACTIVE_ACTIVE,
    change: fault({ kind: 'ha3-down' }, 60_000),
    says: 'one must be active-primary',
  },
  {
    check: 'ha',
    of: 'another release',
    change: (pair) => void (pair.devices[1].software.running = '10.2.0'),
    says: 'both must run one release',
  },
  { check: 'jobs', of: 'a commit', change: fault({ kind: 'commit-running', device: 1 }), says: 'Commit (job' },
  { check: 'panorama_push', of: 'a push', change: fault({ kind: 'panorama-push', device: 1 }), says: 'CommitAll (job' },
  {
    check: 'candidate_config',
    of: 'a change',
    change: fault({ kind: 'pending-change', device: 1 }),
    says: 'aren’t committed',
  },
  {
    check: 'candidate_config',
    of: 'a loaded configuration',
    change: (pair) => pair.devices[1].config.load(pair.devices[1].config.running),
    says: 'full commit',
  },
  {
    check: 'config_locks',
    of: 'a configuration lock',
    change: fault({ kind: 'lock', lock: 'config', admin: 'bob', device: 1 }),
    says: 'bob (shared) holds a configuration lock',
  },
  {
    check: 'config_locks',
    of: 'a commit lock',
    change: fault({ kind: 'lock', lock: 'commit', admin: 'bob', device: 1 }),
    says: 'bob (shared) holds a commit lock',
  },
  {
    check: 'free_disk_space',
    of: 'a full disk',
    change: facts(({ disks }) => disks.forEach((disk) => (disk.usedMb = disk.sizeMb - 500))),
    says: '/opt/panrepo has 0.4 GiB free, and 3.0 GiB',
  },
  {
    check: 'free_disk_space',
    of: 'an image that doesn’t exist',
    asked: context({}, { images: ['99.9.9'] }),
    says: 'no image of 99.9.9',
  },
  {
    check: 'free_disk_space',
    of: 'no internet',
    options: { internet: false },
    says: 'check free_disk_space couldn’t be made',
  },
  {
    check: 'panorama',
    of: 'a lost Panorama',
    change: facts(({ panorama }) => (panorama[0]!.connected = false)),
    says: 'isn’t connected to Panorama (192.0.2.100)',
  },
  {
    check: 'ntp_sync',
    of: 'no server in reach',
    change: facts(({ ntp }) => ntp.forEach((server) => (server.status = 'rejected'))),
    says: '1.pool.ntp.org is rejected',
  },
  { check: 'ntp_sync', of: 'no server', change: facts((f) => (f.ntp = [])), says: 'no NTP server is configured' },
  {
    check: 'expired_licenses',
    of: 'an expired licence',
    change: facts(({ licences }, { now }) => (licences[1]!.expiresAt = now - 1)),
    says: 'PAN-DB URL Filtering',
  },
  {
    check: 'active_support',
    of: 'an ended contract',
    change: facts(({ support }, { now }) => (support.expiresAt = now - 2 * 86_400_000)),
    says: 'support contract ended',
  },
  {
    check: 'content_version',
    of: 'content that is kept',
    asked: context({}, { content: 'keep' }),
    says: 'content 8700-8000 is older than 8799-8509',
  },
  {
    check: 'content_version',
    of: 'content that isn’t offered',
    asked: context({ contentVersion: '9999-1' }),
    says: 'older than 9999-1',
  },
  {
    check: 'session_exist',
    of: 'a missing session',
    asked: context({ sessionExist: [{ source: '10.0.0.20', destination: '203.0.113.80', port: 22 }] }),
    says: 'no session from 10.0.0.20',
  },
  {
    check: 'arp_entry_exist',
    of: 'a missing neighbour',
    asked: context({ arpEntries: [{ ip: '10.0.0.99' }] }),
    says: 'no neighbour 10.0.0.99',
  },
  {
    check: 'ip_sec_tunnel_status',
    of: 'a tunnel that is down',
    change: facts(({ tunnels }) => (tunnels[0]!.state = 'inactive'), 0),
    asked: context({ ipsecTunnels: [{ name: 'to-branch' }] }),
    says: 'to-branch isn’t active, but inactive',
  },
  {
    check: 'planes_clock_sync',
    of: 'a skew',
    change: facts((f) => (f.dataplaneClockSkewMs = [7_000])),
    says: '7 s apart',
  },
  {
    check: 'certificates_requirements',
    of: 'a weak certificate',
    change: configured(
      '/config/shared/certificate',
      `<entry name="old"><public-key>${CERTIFICATES.weak.publicKey}</public-key></entry>`,
    ),
    says: 'old (rsa 1024 bit, sha1)',
  },
  {
    check: 'dynamic_updates',
    of: 'an hourly update',
    change: configured(
      `${DEVICE}/deviceconfig/system/update-schedule`,
      '<wildfire><recurring><hourly><at>5</at></hourly></recurring></wildfire>',
    ),
    says: 'wildfire every hour',
  },
  {
    check: 'global_jumbo_frame',
    of: 'members that differ',
    change: facts((f) => (f.jumboFrame = true)),
    says: 'fw-a off, fw-b on',
  },
  { check: 'global_jumbo_frame', of: 'a wanted mode', asked: context({ jumboFrame: true }), says: 'must be on' },
  {
    check: 'environmentals',
    of: 'an alarm',
    change: facts(({ environmentals }) => (environmentals[2]!.alarm = true)),
    says: 'fan: Fan #1 RPM',
  },
  {
    check: 'dp_cpu_utilization',
    of: 'load',
    change: facts(({ cpu }) => (cpu.dataplanePercent = 80), 0),
    says: 'dataplane (5 min) is at 80.0 %',
  },
  {
    check: 'mp_cpu_utilization',
    of: 'load',
    change: facts(({ cpu }) => (cpu.managementPercent = 80)),
    says: 'management plane is at 80.0 %',
  },
  {
    check: 'mp_mem_utilization',
    of: 'use',
    change: facts(({ memory }) => (memory.usedMb = memory.totalMb * 0.9)),
    says: 'memory of its management plane is at 90.0 %',
  },
  {
    check: 'ha_flaps',
    of: 'two flaps',
    change: (pair) => void (pair.ha.members[0].flaps.nonfunc = 2),
    says: 'flapped 2 times',
  },
  {
    check: 'ha_state_sync',
    of: 'sessions that aren’t there yet',
    change: fault({ kind: 'ha2-down' }, 1),
    says: 'state-sync is incomplete',
  },
  {
    check: 'ha_state_sync',
    of: 'synchronization that is off',
    change: configured(`${GROUP}/state-synchronization`, '<enabled>no</enabled>'),
    says: 'User-disabled',
  },
  {
    check: 'ha_config_sync',
    of: 'another configuration',
    change: configured('/config/shared', '<address><entry name="x"/></address>', [1]),
    says: 'running-sync is "not synchronized"',
  },
  {
    check: 'ha_compatibility',
    of: 'other content',
    change: (pair) => void (pair.devices[1].content.current = '8690-7931'),
    says: 'app, threat',
  },
  {
    check: 'ha1_backup',
    of: 'none',
    change: configured(`${GROUP}/election-option`, '<heartbeat-backup>no</heartbeat-backup>'),
    says: 'both become active',
  },
  {
    check: 'bgp_peers',
    of: 'a peer that is down',
    change: facts(({ routers }) => (routers[0]!.peers[1]!.stuckIn = 'Active'), 0),
    says: '1 of 2 BGP peers aren’t Established: default/isp-b is Active',
  },
  {
    check: 'bgp_peers',
    of: 'a peer that is down, advanced routing',
    options: { advancedRouting: true },
    change: facts(({ routers }) => (routers[0]!.peers[1]!.stuckIn = 'Active'), 0),
    says: 'isp-b is Active',
  },
  {
    check: 'bgp_peers',
    of: 'a peer of the active-secondary',
    options: ACTIVE_ACTIVE,
    change: facts(({ routers }) => (routers[0]!.peers[0]!.stuckIn = 'Idle')),
    says: 'default/isp-a is Idle',
  },
  {
    check: 'passive_link_state',
    of: 'shutdown',
    options: { passiveLinkState: 'shutdown' },
    says: 'on fw-a and fw-b): after a failover they must come up first, and bgp after them',
  },
  {
    check: 'passive_link_state',
    of: 'members that differ',
    change: configured(`${GROUP}/mode/active-passive`, '<passive-link-state>shutdown</passive-link-state>', [1]),
    says: 'isn’t set alike: fw-a: auto, fw-b: shutdown',
  },
  {
    check: 'passive_pre_negotiation',
    of: 'LACP',
    change: configured(
      `${DEVICE}/network`,
      '<interface><aggregate-ethernet><entry name="ae1"><layer3><lacp><enable>yes</enable></lacp></layer3></entry></aggregate-ethernet></interface>',
    ),
    says: 'ae1 (LACP)',
  },
  {
    check: 'active_active',
    of: 'the same ID twice',
    options: ACTIVE_ACTIVE,
    change: configured(`${GROUP}/mode/active-active`, '<device-id>0</device-id>'),
    says: 'fw-a: 0, fw-b: 0',
  },
  {
    check: 'active_active',
    of: 'no packet forwarding',
    options: ACTIVE_ACTIVE,
    change: configured(`${GROUP}/mode/active-active`, '<packet-forwarding>no</packet-forwarding>'),
    says: 'packet forwarding over HA3 is off',
  },
  {
    check: 'active_active_sync',
    of: 'packet forwarding of one side',
    options: ACTIVE_ACTIVE,
    change: configured(`${GROUP}/mode/active-active`, '<packet-forwarding>no</packet-forwarding>', [1]),
    says: 'packet forwarding isn’t set alike: fw-a: yes, fw-b: no',
  },
  {
    check: 'active_active_sync',
    of: 'virtual router sync of one side',
    options: ACTIVE_ACTIVE,
    change: configured(
      `${GROUP}/mode/active-active/network-configuration/sync`,
      '<virtual-router>no</virtual-router>',
      [1],
    ),
    says: 'virtual router sync isn’t set alike',
  },
  {
    check: 'active_active_sync',
    of: 'QoS sync of one side',
    options: ACTIVE_ACTIVE,
    change: configured(`${GROUP}/mode/active-active/network-configuration/sync`, '<qos>no</qos>', [1]),
    says: 'QoS sync isn’t set alike',
  },
  {
    check: 'active_active_capacity',
    of: 'too many sessions',
    options: ACTIVE_ACTIVE,
    change: facts(({ sessions }) => (sessions.active = 99_000)),
    says: 'too many for fw-a alone',
  },
  {
    check: 'active_active_capacity',
    of: 'too much load',
    options: ACTIVE_ACTIVE,
    change: facts(({ cpu }) => (cpu.dataplanePercent = 60)),
    says: 'the dataplanes of both together are at 82.0 %',
  },
  {
    check: 'tentative_hold',
    of: '0 with BGP',
    options: { ...ACTIVE_ACTIVE, timers: { tentativeHoldMs: 0 } },
    says: 'tentative hold time is 0, and bgp runs',
  },
  {
    check: 'dhcp_relay',
    of: 'a relay',
    options: ACTIVE_ACTIVE,
    change: configured(
      `${DEVICE}/network`,
      '<dhcp><interface><entry name="ethernet1/3"><relay><ip><enabled>yes</enabled></ip></relay></entry></interface></dhcp>',
    ),
    says: 'relays DHCP on ethernet1/3',
  },
  {
    check: 'user_id_agents',
    of: 'an agent',
    options: ACTIVE_ACTIVE,
    change: configured(
      `${DEVICE}/vsys/entry[@name='vsys1']`,
      '<redistribution-agent><entry name="dc1"/></redistribution-agent>',
    ),
    says: 'User-ID agents dc1',
  },
];

describe.each([
  ['active-passive', false],
  ['active-passive', true],
  ['active-active', false],
  ['active-active', true],
] as const)('a healthy pair, %s, advanced routing %s', (mode, advancedRouting) => {
  test('passes every check', async () => {
    const asked = context({
      sessionExist: [{ source: '10.0.0.20', destination: '203.0.113.80', port: 443 }],
      arpEntries: [{ ip: '10.0.0.20', interface: 'ethernet1/3' }],
      ipsecTunnels: [{ name: 'to-branch' }],
      jumboFrame: false,
    });
    expect(await look(new SimulatedPair({ ...HEALTHY, mode, advancedRouting }), asked)).toEqual([]);
  });
});

test('a virtual pair without sensors, and without Panorama, passes too', async () => {
  expect(await look(new SimulatedPair({ model: 'PA-VM' }))).toEqual([]);
});

test.each(CASES.map((one) => [one.check, one.of, one] as const))('%s finds %s', async (check, _of, one) => {
  const pair = new SimulatedPair({ ...HEALTHY, ...one.options });
  one.change?.(pair);
  const faults = await look(pair, one.asked);
  const said = faults.filter((found) => found.check === check).map(({ what }) => what);
  expect(said.join('\n')).toContain(one.says);
  expect([...new Set(faults.map((found) => found.check))].filter((other) => other !== check).sort()).toEqual(
    one.also ?? [],
  );
});

test('every check has a case', () => {
  expect(CHECK_NAMES.filter((name) => !CASES.some(({ check }) => check === name))).toEqual([]);
});

test('a member that is down is one fault, that passes', async () => {
  const pair = new SimulatedPair(HEALTHY);
  pair.faults.inject({ kind: 'power-off', device: 1 });
  const faults = (await look(pair)).filter(({ where }) => where === 'fw-b');
  expect(faults.map(({ type, waivable }) => [type, waivable])).toEqual([['Unreachable', false]]);
});
