/** Whatever uses an owned route-map moves with it, or is named as a fault (test/cases/00-second-session). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attachedIn, type Session } from '../../../activities/routing/frr/attached';
import { ownedOf } from '../../../activities/routing/frr/config';
import type { PolicySpec } from '../../../activities/routing/spec';

const border = readFileSync(join(__dirname, '../../cases/00-second-session/border.conf'), 'utf8');
const entry = (name: string) => [{ name, sequence: 10 }];
const policy = {
  routeMaps: {
    fw1: { in: entry('FROM-FW1'), out: entry('TO-FW1') },
    fw2: { in: entry('FROM-FW2'), out: entry('TO-FW2') },
  },
} as unknown as PolicySpec;
const owned = ownedOf(policy);
const v4 = (...addresses: string[]): Session[] => addresses.map((address) => ({ family: 'ipv4 unicast', address }));
const faultsOf = (config: string, sessions: readonly Session[], vrf?: string): string[] =>
  attachedIn(config, 'border', { owned, sessions, ...(vrf === undefined ? {} : { vrf }) }).unnamed.map((f) => f.what);

const ALL = v4('10.77.3.2', '10.77.4.2', '10.77.5.2', '10.77.6.2');

test('a second session with each node that the inventory doesn’t name', () => {
  expect(faultsOf(border, v4('10.77.3.2', '10.77.4.2'))).toEqual([
    expect.stringMatching(/^route-map FROM-FW1 .* attached in to neighbor 10\.77\.5\.2 in ipv4 unicast, too, which/),
    expect.stringMatching(/^route-map TO-FW1 .* attached out to neighbor 10\.77\.5\.2/),
    expect.stringMatching(/^route-map FROM-FW2 .* attached in to neighbor 10\.77\.6\.2/),
    expect.stringMatching(/^route-map TO-FW2 .* attached out to neighbor 10\.77\.6\.2/),
  ]);
  expect(faultsOf(border, ALL)).toEqual([]);
});

test('a family that the inventory doesn’t name, on a neighbor that it does', () => {
  const config = border.replace(
    ' exit-address-family\nexit\n',
    ' exit-address-family\n address-family ipv6 unicast\n  neighbor 10.77.3.2 route-map FROM-FW1 in\n exit-address-family\nexit\n',
  );
  expect(faultsOf(config, ALL)).toEqual([expect.stringMatching(/neighbor 10\.77\.3\.2 in ipv6 unicast/)]);
  expect(faultsOf(config, [...ALL, { family: 'ipv6 unicast', address: '10.77.3.2' }])).toEqual([]);
});

test('peer-groups stand for their members; who comes from a range can’t be named', () => {
  const grouped = (more: string): string => `router bgp 65200
 neighbor FW1 peer-group
 neighbor 10.77.3.2 peer-group FW1
 neighbor eth5 interface peer-group FW1
${more} !
 address-family ipv4 unicast
  neighbor FW1 route-map FROM-FW1 in
 exit-address-family
exit
route-map FROM-FW1 permit 10
exit
`;
  expect(faultsOf(grouped(''), v4('10.77.3.2'))).toEqual([
    expect.stringMatching(/neighbor eth5 in ipv4 unicast, too \(by peer-group FW1\)/),
  ]);
  expect(faultsOf(grouped(''), v4('10.77.3.2', 'eth5'))).toEqual([]);
  expect(faultsOf(grouped(' bgp listen range 10.77.0.0/16 peer-group FW1\n'), v4('10.77.3.2', 'eth5'))).toEqual([
    expect.stringMatching(/by peer-group FW1 to whoever connects from 10\.77\.0\.0\/16/),
  ]);
});

test.each([
  [' neighbor 10.77.3.2 default-originate route-map TO-FW1\n', /default-originate route-map TO-FW1/],
  [' network 10.1.0.0/16 route-map FROM-FW1\n', /network 10\.1\.0\.0\/16 route-map FROM-FW1/],
  [' redistribute static route-map FROM-FW2\n', /redistribute static/],
  [' aggregate-address 10.1.0.0/16 suppress-map FROM-FW1\n', /suppress-map FROM-FW1/],
  [' route-map vpn export TO-FW1\n', /route-map vpn export TO-FW1/],
  [' import vrf route-map TO-FW1\n', /import vrf route-map TO-FW1/],
])('another use in the instance: %j', (line, message) => {
  const config = border.replace(' no bgp network import-check\n', (at) => at + line);
  expect(faultsOf(config, ALL)).toEqual([expect.stringMatching(message)]);
});

test('a use by another instance, by another protocol, by another route-map', () => {
  const more = `router bgp 65200 vrf other
 address-family ipv4 unicast
  neighbor 10.77.3.2 route-map FROM-FW1 in
 exit-address-family
exit
router ospf
 redistribute bgp route-map TO-FW2
exit
route-map ELSE permit 5
 call FROM-FW2
exit
`;
  expect(faultsOf(border + more, ALL)).toEqual([
    expect.stringMatching(/in “router bgp 65200 vrf other”/),
    expect.stringMatching(/“redistribute bgp route-map TO-FW2” in “router ospf”/),
    expect.stringMatching(/“call FROM-FW2” in “route-map ELSE permit 5”/),
  ]);
  // What others are called that begin alike, or look alike.
  expect(faultsOf(border + more.replaceAll('FW', 'FWX'), ALL)).toEqual([]);
});

test('what uses them is kept with the plan, as text in one order', () => {
  const { uses } = attachedIn(border, 'border', { owned, sessions: ALL });
  expect(uses).toHaveLength(8);
  expect(uses[0]).toBe('neighbor 10.77.3.2 in, ipv4 unicast (router bgp 65200): FROM-FW1');
});

test('AS numbers in dotted notation, and lines outside the parts of a family', () => {
  const dotted = border.replace('router bgp 65200', 'router bgp 0.65200 as-notation dot+');
  expect(faultsOf(dotted, ALL)).toEqual([]);
  expect(faultsOf(dotted, v4('10.77.3.2', '10.77.4.2'))).toHaveLength(4);
  const old = `router bgp 65200
 address-family ipv6 unicast
  neighbor fd00::2 activate
 exit-address-family
 neighbor 10.77.3.2 route-map FROM-FW1 in
 address-family ipv4
  neighbor 10.77.4.2 route-map FROM-FW2 in
 exit-address-family
`;
  expect(faultsOf(old, ALL)).toEqual([]);
  expect(faultsOf(old.replace('ipv4\n', 'ipv4 multicast\n'), ALL)).toEqual([
    expect.stringMatching(/neighbor 10\.77\.4\.2 in ipv4 multicast/),
  ]);
});
