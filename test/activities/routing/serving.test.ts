/** The predicate "all traffic goes through one node", and what each way of not being so is called. */
import type { DestinationReading, Path, RouterReading, SessionReading } from '../../../activities/routing/driver';
import { notAble, unmet, whoServes } from '../../../activities/routing';

const path = (node: string | undefined, hop: string, more: Partial<Path> = {}): Path => ({
  ...(node === undefined ? {} : { node }),
  from: hop,
  nextHops: [hop],
  valid: true,
  used: false,
  asPathLength: 2,
  ...more,
});
const destination = (paths: Path[], forwarding?: string[]): DestinationReading => ({
  family: 'ipv4 unicast',
  prefix: '0.0.0.0/0',
  paths,
  forwarding: forwarding ?? paths.flatMap((p) => (p.used ? p.nextHops : [])),
});
const session = (node: string, more: Partial<SessionReading> = {}): SessionReading => ({
  family: 'ipv4 unicast',
  node,
  neighbor: `of-${node}`,
  state: 'Established',
  prefixesReceived: 1,
  prefixesSent: 1,
  endOfRib: true,
  keepsRoutesOnRestart: false,
  keepsReceivedRoutes: true,
  ...more,
});
const router = (name: string, d: DestinationReading[], sessions = [session('fw1'), session('fw2')]): RouterReading => ({
  router: name,
  side: 'inside',
  destinations: d,
  sessions,
  prepends: {},
});
const through = (node: 'fw1' | 'fw2'): DestinationReading =>
  destination([path('fw1', 'a', { used: node === 'fw1' }), path('fw2', 'b', { used: node === 'fw2' })]);

test('one node everywhere, the other one able', () => {
  const readings = [router('border', [through('fw1')]), router('edge', [through('fw1')])];
  expect(whoServes(readings)).toMatchObject({
    node: 'fw1',
    faults: [],
    table: ['border 0.0.0.0/0 → fw1 (a)', 'edge 0.0.0.0/0 → fw1 (a)'],
  });
  expect(unmet(readings, 'fw1', ['fw1', 'fw2'], true)).toEqual([]);
  expect(unmet(readings, 'fw2', ['fw1', 'fw2'], true)).toEqual([{ where: 'routing', what: 'fw1 serves, not fw2' }]);
});

test('several links to one node are that node (test/cases/02-two-links); to both, they are a tie', () => {
  const links = (...used: readonly string[]): DestinationReading =>
    destination(
      [path('fw1', '10.77.3.2'), path('fw1', '10.77.5.2'), path('fw2', '10.77.4.2'), path('fw2', '10.77.6.2')].map(
        (p) => ({ ...p, used: used.includes(p.from) }),
      ),
    );
  const both = links('10.77.3.2', '10.77.5.2');
  expect(whoServes([router('border', [both])])).toMatchObject({
    node: 'fw1',
    faults: [],
    table: ['border 0.0.0.0/0 → fw1 (10.77.3.2) and fw1 (10.77.5.2)'],
  });
  // The kernel may use fewer of them, as while one link is down, and no other.
  expect(whoServes([router('border', [{ ...both, forwarding: ['10.77.5.2'] }])]).node).toBe('fw1');
  expect(whoServes([router('border', [{ ...both, forwarding: ['10.77.5.2', '10.77.4.2'] }])]).faults).toHaveLength(1);
  expect(whoServes([router('border', [links('10.77.3.2', '10.77.6.2')])]).faults[0]?.what).toMatch(/a tie of routes/);
});

test.each<[string, DestinationReading, RegExp]>([
  [
    'a tie',
    destination([path('fw1', 'a', { used: true }), path('fw2', 'b', { used: true })]),
    /spread over fw1 \(a\) and fw2 \(b\): a tie/,
  ],
  ['no route', destination([]), /there is no route/],
  ['elsewhere', destination([path(undefined, 'z', { used: true })]), /leads to z \(from z\), which is neither node/],
  [
    'not in the forwarding table',
    destination([path('fw1', 'a', { used: true })], []),
    /the forwarding table has no route/,
  ],
  [
    'another in the forwarding table',
    destination([path('fw1', 'a', { used: true })], ['b']),
    /BGP chose fw1 \(a\), but the forwarding table uses b/,
  ],
  ['two in the forwarding table', destination([path('fw1', 'a', { used: true })], ['a', 'b']), /uses a, b/],
])('nobody serves: %s', (_name, d, message) => {
  const { node, faults } = whoServes([router('border', [d]), router('edge', [through('fw1')])]);
  expect(node).toBeUndefined();
  expect(faults).toEqual([{ where: 'border 0.0.0.0/0', what: expect.stringMatching(message) }]);
});

test('nobody serves: the two directions go different ways', () => {
  const { node, faults } = whoServes([router('border', [through('fw1')]), router('edge', [through('fw2')])]);
  expect(node).toBeUndefined();
  expect(faults).toEqual([
    { where: 'routing', what: 'traffic is split: border 0.0.0.0/0 → fw1; edge 0.0.0.0/0 → fw2' },
  ]);
});

test.each<[string, Partial<SessionReading>, RegExp]>([
  ['session down', { state: 'Active' }, /the BGP session is Active/],
  ['no prefix', { prefixesReceived: 0 }, /no prefix has come/],
  ['no End-of-RIB', { endOfRib: false }, /no End-of-RIB/],
])('not able: %s', (_name, more, message) => {
  const reading = router('border', [through('fw1')], [session('fw1'), session('fw2', more)]);
  expect(notAble([reading], 'fw2').map((f) => f.what)).toEqual([expect.stringMatching(message)]);
  expect(notAble([reading], 'fw1')).toEqual([]);
  expect(unmet([reading], 'fw1', ['fw1', 'fw2'], true)).toHaveLength(1);
  expect(unmet([reading], 'fw1', ['fw1', 'fw2'], false)).toEqual([]);
});

test('not able: no valid path; but a router without a session of its own needn’t see one', () => {
  const d = destination([path('fw1', 'a', { used: true }), path('fw2', 'b', { valid: false })]);
  expect(notAble([router('border', [d])], 'fw2')).toEqual([
    { where: 'border 0.0.0.0/0', what: 'no valid path through fw2' },
  ]);
  expect(notAble([router('leaf', [destination([path('fw1', 'a', { used: true })])], [session('fw1')])], 'fw2')).toEqual(
    [],
  );
});
