import * as fc from 'fast-check';
import { addressAt, hostIn, parsePrefix, toAddress, toNumber } from './addresses';
import { renderConntrackd } from './conntrackd';
import { policyOf, renderFrr, renderPolicy, renderPolicyChange, type FirewallPolicy } from './frr';
import { renderNftables } from './nftables';
import { resolveOptions, type FirewallPairOptions } from './options';
import { planPair, type PairPlan } from './plan';

const twoOfEach: FirewallPairOptions = { names: { edges: ['e1', 'e2'], borders: ['b1', 'b2'] } };
const plan = (options: FirewallPairOptions = {}): PairPlan => planPair(resolveOptions(options));

describe('addresses', () => {
  test('numbers and dotted quads are the same thing', () => {
    fc.assert(fc.property(fc.nat(2 ** 32 - 1), (value) => toNumber(toAddress(value)) === value));
  });

  test.each(['10.0.0', '10.0.0.256', '10.0.0.x', ''])('"%s" is no address', (text) => {
    expect(() => toNumber(text)).toThrow("isn't an IPv4 address");
  });

  test('carry over into the next octet', () => expect(addressAt('10.0.0.254', 3)).toBe('10.0.1.1'));

  test.each(['10.0.0.1/24', '10.0.0.0/33', '10.0.0.0'])('"%s" is no prefix', (text) => {
    expect(() => parsePrefix(text)).toThrow(text);
  });

  test('a prefix has room or not', () => {
    expect(hostIn('10.1.0.0/22', 10)).toEqual({ address: '10.1.0.10', withLength: '10.1.0.10/22' });
    expect(() => hostIn('10.1.0.0/29', 10)).toThrow('no room');
  });
});

describe('the plan', () => {
  test.each([{}, twoOfEach])(
    'gives every interface of every cable one address, and no address twice (%j)',
    (options) => {
      const { routers, links, client, server } = plan(options);
      const addresses = [...Object.values(routers), { interfaces: [client, server] }].flatMap(({ interfaces }) =>
        interfaces.flatMap((each) => each.addresses),
      );
      expect(addresses).toHaveLength(links.length * 2);
      expect(new Set(addresses).size).toBe(addresses.length);
    },
  );

  test.each([{}, twoOfEach])('has two ends to every BGP session (%j)', (options) => {
    const { routers } = plan(options);
    for (const router of Object.values(routers)) {
      for (const neighbor of router.neighbors) {
        const back = routers[neighbor.host]!.neighbors.find(({ host }) => host === router.name);
        expect(back).toMatchObject({ address: neighbor.localAddress, localAddress: neighbor.address });
        expect(neighbor.asNumber).toBe(routers[neighbor.host]!.asNumber);
      }
    }
  });

  test('names interfaces in at most 15 characters', () => {
    const names = { edges: ['a-router-with-a-long-name'], borders: ['another-one-with-a-name'] };
    const interfaces = Object.values(plan({ names }).routers).flatMap((router) => router.interfaces);
    expect(Math.max(...interfaces.map(({ name }) => name.length))).toBeLessThanOrEqual(15);
  });

  test.each<[FirewallPairOptions, string]>([
    [{ names: { client: 'edge' } }, 'host names must differ'],
    [{ names: { edges: ['e1', 'e2'] } }, 'one edge and one border, or two of each'],
    [{ names: { server: 'No Host' } }, '"No Host" isn\'t a host name'],
  ])('refuses %j', (options, message) => expect(() => plan(options)).toThrow(message));
});

/** Which firewall each side chooses by the rules of BGP; undefined for a tie. Local preference is the borders', path length the edges'. */
function choices(policies: readonly FirewallPolicy[]): { dc: string | undefined; wan: string | undefined } {
  const [a, b] = policies as [FirewallPolicy, FirewallPolicy];
  const pick = (difference: number): string | undefined =>
    difference === 0 ? undefined : difference > 0 ? a.firewall : b.firewall;
  return { dc: pick(a.localPreference - b.localPreference), wan: pick(b.prepend - a.prepend) };
}

describe('the policy', () => {
  test.each([{}, twoOfEach])('sends both directions through the active firewall, without a tie (%j)', (options) => {
    const pair = plan(options);
    for (const active of pair.options.names.firewalls) {
      const policies = pair.options.names.borders.flatMap((border) => policyOf(pair, border, active));
      expect(policies).toHaveLength(2);
      expect(choices(policies)).toEqual({ dc: active, wan: active });
    }
  });

  test('of the first of two borders never changes: one change on one device moves the traffic', () => {
    const pair = plan(twoOfEach);
    expect(policyOf(pair, 'b1', 'fw1')).toEqual(policyOf(pair, 'b1', 'fw2'));
    expect(policyOf(pair, 'b2', 'fw1')).not.toEqual(policyOf(pair, 'b2', 'fw2'));
  });

  test('is total when written as a change: it also takes back what is no longer wanted', () => {
    expect(renderPolicyChange(plan(), 'border', 'fw2')).toBe(`route-map FROM-FW1 permit 10
 set local-preference 100
exit
!
route-map TO-FW1 permit 10
 set as-path prepend 65200
exit
!
route-map FROM-FW2 permit 10
 set local-preference 110
exit
!
route-map TO-FW2 permit 10
 no set as-path prepend
exit
!
`);
  });

  test("stands in the border's configuration as rendered", () => {
    const pair = plan();
    const text = renderFrr(pair, pair.routers['border']!, 'fw2');
    expect(text).toContain(renderPolicy(pair, policyOf(pair, 'border', 'fw2')));
    expect(text).toContain('  neighbor 172.31.0.14 route-map FROM-FW2 in\n');
  });
});

describe('a firewall', () => {
  const pair = plan();
  const [fw1, fw2] = [pair.routers['fw1']!, pair.routers['fw2']!];

  test('ignores its own addresses when it synchronises, and points at the other one', () => {
    const text = renderConntrackd(pair, fw1, '198.18.1.13');
    for (const address of ['127.0.0.1', '198.18.1.13', '172.31.0.2', '172.31.0.6', '172.31.0.17']) {
      expect(text).toContain(`\t\t\tIPv4_address ${address}\n`);
    }
    expect(text).toContain('\t\tIPv4_address 172.31.0.17\n\t\tIPv4_Destination_Address 172.31.0.18\n');
    expect(renderConntrackd(pair, fw2, 'x')).toContain('\t\tIPv4_Destination_Address 172.31.0.17\n');
    expect(text).not.toContain('10.30.0.1'); // sessions behind the common address are to be synchronised
  });

  test("has the other one's ruleset, but for its own neighbours", () => {
    const strip = (text: string): string => text.replace(/ip saddr \{[^}]*\}/g, 'ip saddr PEERS');
    expect(strip(renderNftables(pair, fw1))).toBe(strip(renderNftables(pair, fw2)));
  });
});
