import { SimulatedPair, type PairOptions } from '../../../../simulators/panos';
import type { DeviceFacts } from '../../../../simulators/panos/reads';
import { compareSnapshots, readSnapshot, thresholdsSpec, type Snapshot } from '../../../../activities/panos/readiness';
import { nameSet } from '../../../../activities/panos/readiness/snapshot';
import { membersOf } from './members';

const thresholds = thresholdsSpec.parse({});
const said = (before: Snapshot, after: Snapshot, asked = thresholds) =>
  compareSnapshots(before, after, asked).map(({ what }) => what);

async function snapshotOf(
  options: PairOptions = {},
  change: (facts: DeviceFacts) => void = () => undefined,
): Promise<Snapshot> {
  const pair = new SimulatedPair(options);
  change(pair.devices[0].facts);
  return readSnapshot(membersOf(pair)[0]!);
}

test.each([false, true])('what passes through a member, advanced routing %s', async (advancedRouting) => {
  const router = advancedRouting ? '' : 'default/';
  expect(await snapshotOf({ advancedRouting })).toEqual({
    schema: 1,
    device: 'fw-a',
    release: '10.2.3',
    content: '8700-8000',
    state: 'active',
    serving: true,
    interfaces: expect.objectContaining({
      names: ['ethernet1/1', 'ethernet1/2', 'ethernet1/3', 'ha1-a', 'ha1-b', 'hsci'],
    }),
    mtu: expect.objectContaining({ names: ['ethernet1/1=1500', 'ethernet1/2=1500', 'ethernet1/3=1500'] }),
    tunnels: expect.objectContaining({ names: ['to-branch'] }),
    licences: expect.objectContaining({ count: 4 }),
    routes: { connected: 1, static: 1, bgp: 4 },
    fib: 6,
    bgp: {
      peers: 2,
      established: expect.objectContaining({ names: [`${router}isp-a`, `${router}isp-b`] }),
      accepted: 5,
      acceptedBy: { [`${router}isp-a`]: 3, [`${router}isp-b`]: 2 },
    },
    arp: 3,
    sessions: { active: 1_200, tcp: 900, udp: 300, kbps: 84_000 },
  });
});

test('a failover changes nothing that counts, once BGP is up again', async () => {
  const pair = new SimulatedPair();
  const [first, second] = membersOf(pair);
  const before = await readSnapshot(first!);
  pair.ha.suspend(0);
  pair.elapse(pair.now + 1_000);
  const atOnce = said(before, await readSnapshot(second!));
  expect(atOnce).toContain('BGP peers not Established any more: default/isp-a, default/isp-b');
  expect(atOnce).toContain('routes of bgp: 0, and were 4 (100 %; 10 % are allowed)');
  pair.elapse(pair.now + 60_000);
  const after = await readSnapshot(second!);
  expect([after.device, after.serving]).toEqual(['fw-b', true]);
  expect(said(before, after)).toEqual([]);
});

test('a device of any size has a snapshot of at most 4 KiB', async () => {
  const big = await snapshotOf({ advancedRouting: true }, (facts) => {
    const many = Array.from({ length: 2_000 }, (_, i) => i);
    facts.interfaces.push(...many.map((i) => ({ name: `ethernet${i}/1`, state: 'up' as const, mtu: 1_500 })));
    facts.tunnels = many.map((i) => ({ ...facts.tunnels[0]!, name: `tunnel-to-branch-${i}` }));
    facts.licences = many.map((i) => ({ ...facts.licences[0]!, feature: `Feature ${i}` }));
    facts.routers[0]!.peers = many.slice(0, 90).map((i) => ({ ...facts.routers[0]!.peers[0]!, name: `peer-${i}` }));
  });
  expect(big.bgp.established).toEqual({ count: 90, digest: expect.any(String), marks: expect.any(String) });
  expect(JSON.stringify(big).length).toBeLessThanOrEqual(4_096);
  // The worst of all: each set as large as it may be with its names.
  const sets = Array.from({ length: 200 }, (_, n) => nameSet(Array.from({ length: n }, (_, i) => `name-${i}`)));
  const full = sets.filter(({ names }) => names !== undefined).at(-1)!;
  expect(full.count).toBeGreaterThan(30);
  const worst: Snapshot = {
    ...big,
    ...{ interfaces: full, mtu: full, tunnels: full, licences: full },
    bgp: {
      ...big.bgp,
      established: full,
      acceptedBy: Object.fromEntries(Array.from({ length: 48 }, (_, i) => [`peer-${i}`, 10])),
    },
  };
  expect(JSON.stringify(worst.bgp.acceptedBy).length).toBeGreaterThan(600);
  expect(JSON.stringify(worst).length).toBeLessThanOrEqual(4_096);
});

describe('differences', () => {
  const lost: readonly (readonly [string, (facts: DeviceFacts) => void, string])[] = [
    ['an interface', (f) => (f.interfaces[2]!.state = 'down'), 'interfaces not up any more: ethernet1/3'],
    ['an MTU', (f) => (f.interfaces[0]!.mtu = 1_400), 'MTUs not as before any more: ethernet1/1=1500'],
    ['a tunnel', (f) => (f.tunnels[0]!.state = 'init'), 'tunnels not active any more: to-branch'],
    ['a licence', (f) => (f.licences[1]!.expiresAt = 0), 'licences not valid any more: PAN-DB URL Filtering'],
    [
      'a BGP peer',
      (f) => (f.routers[0]!.peers[1]!.stuckIn = 'Active'),
      'BGP peers not Established any more: default/isp-b',
    ],
    [
      'a prefix',
      (f) => void f.routers[0]!.peers[1]!.prefixes.pop(),
      'prefixes accepted from default/isp-b: 1, and were 2 (50 %; 10 % are allowed)',
    ],
    [
      'a static route',
      (f) => void f.routers[0]!.routes.pop(),
      'routes of static: 0, and were 1 (100 %; 10 % are allowed)',
    ],
    ['sessions', (f) => (f.sessions.active = 500), 'sessions: 500, and were 1200 (58 %; 50 % are allowed)'],
  ];

  test.each(lost)('%s is missed', async (_what, change, expected) => {
    const [before, after] = [await snapshotOf(), await snapshotOf({}, change)];
    expect(said(before, after)).toContain(expected);
    expect(said(before, before)).toEqual([]);
  });

  test('more than before is none, but for prefixes: a leak', async () => {
    const before = await snapshotOf();
    const after = await snapshotOf({}, (f) => {
      f.interfaces.push({ name: 'ethernet1/9', state: 'up', mtu: 1_500 });
      f.sessions.active = 900_000;
      f.tunnels.push({ ...f.tunnels[0]!, name: 'new' });
    });
    expect(said(before, after)).toEqual([]);
    const leak = await snapshotOf({}, (f) => f.routers[0]!.peers[0]!.prefixes.push('1.0.0.0/8', '2.0.0.0/8'));
    expect(said(before, leak)).toEqual([
      'prefixes accepted from default/isp-a: 5, and were 3 (40 %; 10 % are allowed)',
    ]);
  });

  test('limits are the inventory’s, and small tables aren’t compared', async () => {
    const before = { ...(await snapshotOf()), arp: 9 };
    const after = { ...before, arp: 0, routes: { ...before.routes, bgp: 3 } };
    expect(said(before, after)).toHaveLength(1);
    expect(said(before, after, thresholdsSpec.parse({ routesPercent: 25, arpFloor: 9 }))).toEqual([
      'ARP entries: 0, and were 9 (100 %; 50 % are allowed)',
    ]);
  });

  test('of many names it is told how many are missing, of very many that they are others', () => {
    const names = (count: number) => Array.from({ length: count }, (_, i) => `ethernet1/${i}`);
    const compared = (before: string[], after: string[]) => {
      const snapshot = (interfaces: string[]) => ({ ...EMPTY, interfaces: nameSet(interfaces) });
      return said(snapshot(before), snapshot(after));
    };
    expect(nameSet(names(60)).marks).toHaveLength(240);
    expect(compared(names(60), names(58))[0]).toBe(
      '2 of 60 interfaces not up any more (so many that their names weren’t kept)',
    );
    expect(compared(names(60), names(5))[0]).toContain('55 of 60');
    expect(compared(names(5), names(60))).toEqual([]);
    expect(compared(names(60), names(61))).toEqual([]);
    expect(compared(names(500), names(499))[0]).toContain('others than before: 499, and were 500');
    expect(compared(names(500), names(500))).toEqual([]);
  });
});

const EMPTY: Snapshot = {
  schema: 1,
  device: 'x',
  release: '10.2.3',
  content: '',
  state: 'active',
  serving: true,
  interfaces: nameSet([]),
  mtu: nameSet([]),
  tunnels: nameSet([]),
  licences: nameSet([]),
  routes: {},
  fib: 0,
  bgp: { peers: 0, established: nameSet([]), accepted: 0 },
  arp: 0,
  sessions: { active: 0, tcp: 0, udp: 0, kbps: 0 },
};
