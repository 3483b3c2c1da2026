/** What an inventory may say of routing, and what each fault is called. */
import { routingSpec, sudoCommands, type RoutingPlan } from '../../../activities/routing';

const routing = () => ({
  steering: { method: 'bgp-policy' } as Record<string, unknown>,
  routers: {
    border: {
      host: 'border',
      platform: 'frr',
      side: 'inside',
      families: {
        'ipv4 unicast': {
          destinations: ['0.0.0.0/0'],
          paths: { fw1: { neighbor: '10.0.3.1' }, fw2: { neighbor: '10.0.4.1' } },
        },
      },
      policy: {
        localAs: 65200,
        routeMaps: {
          fw1: { in: { name: 'FROM-FW1', sequence: 10 }, out: { name: 'TO-FW1', sequence: 10 } },
          fw2: { in: { name: 'FROM-FW2', sequence: 10 }, out: [{ name: 'TO-FW2', sequence: 10 }] },
        },
        preferred: { localPreference: 110, prepend: 0 },
        other: { localPreference: 100, prepend: 2 },
      },
    },
    edge: {
      host: 'edge',
      platform: 'frr',
      side: 'outside',
      families: {
        'ipv4 unicast': {
          destinations: ['10.0.5.0/24'],
          paths: { fw1: { neighbor: '10.0.1.2' }, fw2: { nextHops: ['10.0.9.2'] } },
        },
      },
    },
  } as Record<string, Record<string, unknown>>,
});
type Routing = ReturnType<typeof routing>;

const faultsOf = (value: unknown): string[] => {
  const result = routingSpec.safeParse(value);
  return result.success ? [] : result.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
};

test('defaults are filled in, and parsing what was parsed changes nothing', () => {
  const parsed = routingSpec.parse(routing());
  expect(parsed.verify).toEqual({ stableReads: 2, intervalMs: 1_000, timeoutMs: 30_000 });
  expect(parsed.steering).toEqual({ method: 'bgp-policy', persist: true });
  expect(parsed.routers['border']!.policy).toMatchObject({
    inboundAfterMs: 0,
    routeMaps: { fw1: { in: [{ name: 'FROM-FW1', sequence: 10 }] } },
  });
  expect(routingSpec.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
});

test.each<[string, (r: Routing) => void, RegExp]>([
  [
    'tie of AS paths',
    (r) =>
      (r.routers['border']!['policy'] = {
        ...(r.routers['border']!['policy'] as object),
        other: { localPreference: 100, prepend: 0 },
      }),
    /preferred\.prepend \(0\) must be lower.*a tie/,
  ],
  [
    'tie of local preference',
    (r) =>
      (r.routers['border']!['policy'] = {
        ...(r.routers['border']!['policy'] as object),
        other: { localPreference: 110, prepend: 2 },
      }),
    /preferred\.localPreference \(110\) must be higher/,
  ],
  ['one side only', (r) => void delete r.routers['edge'], /no router on the outside/],
  ['no policy', (r) => void delete r.routers['border']!['policy'], /no router has a policy/],
  [
    'two policies',
    (r) => (r.routers['border2'] = { ...r.routers['border']! }),
    /border and border2 have a policy: one router alone/,
  ],
  [
    'a node without a path',
    (r) =>
      ((r.routers['edge']!['families'] as Record<string, { paths: object }>)['ipv4 unicast']!.paths = {
        fw1: { neighbor: '10.0.1.2' },
      }),
    /routers\.edge\.families\.ipv4 unicast\.paths: fw2 is missing/,
  ],
  [
    'a path that says nothing',
    (r) =>
      ((r.routers['edge']!['families'] as Record<string, { paths: object }>)['ipv4 unicast']!.paths = {
        fw1: {},
        fw2: { nextHops: ['10.0.9.2'] },
      }),
    /give neighbor, or nextHops/,
  ],
  [
    'a neighbor that is two nodes',
    (r) => {
      const { paths } = (
        r.routers['border']!['families'] as Record<string, { paths: Record<string, { neighbor: unknown }> }>
      )['ipv4 unicast']!;
      const [first, second] = Object.values(paths);
      second!.neighbor = ['192.0.2.99', first!.neighbor];
    },
    /leads to fw1, too: one way is one node’s/,
  ],
  [
    'a prefix of the other family',
    (r) =>
      ((r.routers['edge']!['families'] as Record<string, { destinations: string[] }>)['ipv4 unicast']!.destinations = [
        '::/0',
      ]),
    /::\/0 isn’t a prefix of ipv4 unicast/,
  ],
  [
    'a name that needs quoting',
    (r) =>
      ((r.routers['border']!['policy'] as { routeMaps: Record<string, unknown> }).routeMaps['fw1'] = {
        in: { name: "X' -c 'no router bgp", sequence: 10 },
        out: { name: 'Y', sequence: 10 },
      }),
    /one \{name, sequence\}|letters, digits/,
  ],
  ['saving without root', (r) => (r.routers['border']!['access'] = 'group'), /can’t be saved: set persist: false/],
  [
    'shutdown without sessions',
    (r) => (r.steering = { method: 'session-shutdown', nodes: { fw1: { localAs: 65100, neighbors: ['10.0.1.1'] } } }),
    /steering\.nodes: fw2 is missing/,
  ],
  [
    'an interface that isn’t one',
    (r) =>
      (r.steering = {
        method: 'interface-down',
        nodes: { fw1: { interface: 'eth0; reboot' }, fw2: { interface: 'eth0' } },
      }),
    /a Linux interface name/,
  ],
])('refused: %s', (_name, change, message) => {
  const value = routing();
  change(value);
  expect(faultsOf(value).join('\n')).toMatch(message);
});

test('sudo needs name exact commands, for every target, in every VRF', () => {
  const value = routing();
  value.routers['border']!['vrf'] = 'RED';
  const plan = {
    cluster: 'fw-test',
    nodes: { fw1: { host: 'fw1' }, fw2: { host: 'fw2' } },
    routing: routingSpec.parse({
      ...value,
      traffic: { counters: { fw1: [{ source: 'nft', table: 'filter', chain: 'forward', comments: ['established'] }] } },
    }),
  } as RoutingPlan;
  const commands = sudoCommands(plan).map(({ host, as, command }) => `${host} ${as} ${command.replaceAll('\\ ', ' ')}`);
  expect(commands).toEqual(
    expect.arrayContaining([
      expect.stringContaining(
        'border root /usr/bin/vtysh -c show bgp vrf RED ipv4 unicast summary json -c show bgp vrf RED ipv4 unicast 0.0.0.0/0 json -c show ip route vrf RED 0.0.0.0/0 json',
      ),
      'border root /usr/bin/vtysh -c show running-config',
      'border root /usr/bin/vtysh -c configure terminal -c route-map FROM-FW1 permit 10 -c set local-preference 110 -c exit -c route-map TO-FW1 permit 10 -c no set as-path prepend -c exit -c route-map FROM-FW2 permit 10 -c set local-preference 100 -c exit -c route-map TO-FW2 permit 10 -c set as-path prepend 65200 65200 -c exit -c end',
      'border root /usr/bin/vtysh -c clear bgp vrf RED ipv4 unicast 10.0.3.1 soft out -c clear bgp vrf RED ipv4 unicast 10.0.4.1 soft out -c clear bgp vrf RED ipv4 unicast 10.0.3.1 soft in -c clear bgp vrf RED ipv4 unicast 10.0.4.1 soft in',
      'border root /usr/bin/vtysh -c write memory',
      'fw1 root /usr/sbin/nft -j list chain inet filter forward',
    ]),
  );
  expect(commands.filter((c) => c.includes('*'))).toEqual([]);
  expect(commands.filter((c) => c.startsWith('fw2'))).toEqual([]);
});
