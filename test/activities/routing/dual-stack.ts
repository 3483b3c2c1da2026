/** Gives a lab's pair IPv6 beside IPv4: addresses on the links, sessions, a default route one way and a prefix the other. */
import { waitFor, type FirewallPairDescription, type FirewallPairLab } from '../../lab';
import { routingOf } from './support';

export const serverPrefix6 = 'fd00:99::/64';

/** 172.31.0.6 → fd00:31:4::2: the link's number, and which of its two ends. */
export function address6(address: string): string {
  const [, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
  return `fd00:${b}:${(c * 256 + (d & ~3)).toString(16)}::${d & 3}`;
}

export async function addIpv6(lab: FirewallPairLab): Promise<void> {
  const { hosts, roles } = lab.description;
  for (const [name, { role, bgp, interfaces }] of Object.entries(hosts)) {
    if (bgp === undefined) continue;
    const lines = [`router bgp ${bgp.asNumber}`];
    const family: string[] = [];
    for (const n of bgp.neighbors) {
      await lab.host(name).exec(`ip -6 addr replace ${address6(n.localAddress)}/64 dev ${n.interface} nodad`);
      const peer = address6(n.address);
      lines.push(
        `neighbor ${peer} remote-as ${n.asNumber}`,
        `neighbor ${peer} timers 3 9`,
        `neighbor ${peer} timers connect 1`,
      );
      // The firewalls' own filter lets no IPv6 session in: they connect.
      if (role !== 'firewall') lines.push(`neighbor ${peer} passive`);
      lines.push('address-family ipv4 unicast', `no neighbor ${peer} activate`, 'exit-address-family');
      family.push(`neighbor ${peer} activate`);
      if (role === 'edge') family.push(`neighbor ${peer} default-originate`);
      if (n.routeMapIn !== undefined)
        family.push(`neighbor ${peer} route-map ${n.routeMapIn} in`, `neighbor ${peer} route-map ${n.routeMapOut} out`);
    }
    if (role === 'border') {
      const lan = Object.keys(interfaces).find((i) => i.includes(roles.server))!;
      await lab.host(name).exec(`ip -6 addr replace fd00:99::1/64 dev ${lan} nodad`);
      family.push(`network ${serverPrefix6}`);
    }
    const commands = ['configure terminal', ...lines, 'address-family ipv6 unicast', ...family, 'end', 'write memory'];
    await lab.host(name).exec(`vtysh ${commands.map((c) => `-c '${c}'`).join(' ')}`);
  }
  for (const [name, prefix] of [
    ...roles.edges.map((e) => [e, serverPrefix6]),
    ...roles.borders.map((b) => [b, '::/0']),
  ])
    await waitFor(`IPv6 on ${name}`, async () => {
      const shown = await lab
        .host(name!)
        .execJson<{ paths?: unknown[] }>(`vtysh -c 'show bgp ipv6 unicast ${prefix} json'`);
      return shown.paths?.length === 2;
    });
}

/** As `routingOf`, with both families. */
export function dualStackRouting(description: FirewallPairDescription): Record<string, unknown> {
  const routing = routingOf(description) as {
    routers: Record<string, { side: string; families: Record<string, unknown> }>;
  };
  for (const router of Object.values(routing.routers)) {
    const v4 = router.families['ipv4 unicast'] as { paths: Record<string, { neighbor: string }> };
    router.families['ipv6 unicast'] = {
      destinations: [router.side === 'inside' ? '::/0' : serverPrefix6],
      paths: Object.fromEntries(
        Object.entries(v4.paths).map(([node, { neighbor }]) => [node, { neighbor: address6(neighbor).toUpperCase() }]),
      ),
    };
  }
  return routing;
}
