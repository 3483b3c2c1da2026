import { addressAt, hostIn } from './addresses';
import type { ResolvedOptions } from './options';

/** One BGP session, seen from one of its ends. */
export interface Neighbor {
  /** Host at the other end. */
  host: string;
  address: string;
  asNumber: number;
  /** Own interface towards it. */
  interface: string;
  localAddress: string;
}

export type RouterRole = 'edge' | 'firewall' | 'border';

export interface RouterPlan {
  name: string;
  role: RouterRole;
  asNumber: number;
  routerId: string;
  neighbors: Neighbor[];
  interfaces: { name: string; addresses: string[] }[];
}

/** Who is connected to whom by which addresses: everything else is rendered from this. */
export interface PairPlan {
  options: ResolvedOptions;
  routers: Record<string, RouterPlan>;
  client: { interface: string; addresses: string[]; gateway: string; attachedTo: string };
  server: { interface: string; addresses: string[]; gateway: string; attachedTo: string };
  /** The firewalls' link for state synchronisation, firewall 1 first. */
  sync: { interface: string; addresses: [string, string]; length: number };
  links: [{ host: string; interface: string }, { host: string; interface: string }][];
}

/** Names of interfaces say what they lead to. Linux allows 15 characters. */
const towards = (host: string): string => `to-${host}`.slice(0, 15);

/**
 * One edge and one border: both firewalls are connected to both. Two of each: firewall 1 to edge 1 and border 1, firewall 2 to edge 2
 * and border 2, and iBGP between the edges and between the borders; client and server hang on the first ones.
 */
export function planPair(options: ResolvedOptions): PairPlan {
  const { names, asNumbers, addressing } = options;
  const asOf = { edge: asNumbers.edge, firewall: asNumbers.firewalls, border: asNumbers.border };
  const roles: [string, RouterRole][] = [
    ...names.edges.map((name) => [name, 'edge'] as [string, RouterRole]),
    ...names.firewalls.map((name) => [name, 'firewall'] as [string, RouterRole]),
    ...names.borders.map((name) => [name, 'border'] as [string, RouterRole]),
  ];
  const routers: Record<string, RouterPlan> = {};
  roles.forEach(([name, role], index) => {
    const routerId = addressAt(addressing.routerIdBlock, index + 1);
    routers[name] = { name, role, asNumber: asOf[role], routerId, neighbors: [], interfaces: [] };
  });
  const links: PairPlan['links'] = [];
  let linkCount = 0;

  const cable = (a: string, aInterface: string, b: string, bInterface: string): [string, string] => {
    const base = addressAt(addressing.linkBlock, linkCount++ * 4);
    const addresses: [string, string] = [addressAt(base, 1), addressAt(base, 2)];
    routers[a]!.interfaces.push({ name: aInterface, addresses: [`${addresses[0]}/30`] });
    routers[b]!.interfaces.push({ name: bInterface, addresses: [`${addresses[1]}/30`] });
    links.push([
      { host: a, interface: aInterface },
      { host: b, interface: bInterface },
    ]);
    return addresses;
  };
  const peer = (a: string, aInterface: string, b: string, bInterface: string): void => {
    const [aAddress, bAddress] = cable(a, aInterface, b, bInterface);
    const add = (self: string, other: string, at: string, localAddress: string, address: string): void => {
      const { asNumber } = routers[other]!;
      routers[self]!.neighbors.push({ host: other, address, asNumber, interface: at, localAddress });
    };
    add(a, b, aInterface, aAddress, bAddress);
    add(b, a, bInterface, bAddress, aAddress);
  };

  names.firewalls.forEach((firewall, index) => {
    // With one edge both indices find it; with two each firewall has its own.
    const edge = names.edges[index % names.edges.length]!;
    const border = names.borders[index % names.borders.length]!;
    peer(edge, towards(firewall), firewall, 'wan0');
    peer(border, towards(firewall), firewall, 'dc0');
  });
  for (const [first, second] of [names.edges, names.borders]) {
    if (first !== undefined && second !== undefined) peer(first, towards(second), second, towards(first));
  }
  const sync = cable(names.firewalls[0], 'sync0', names.firewalls[1], 'sync0');

  const attach = (host: string, router: string, at: string, prefixes: readonly string[]): PairPlan['client'] => {
    links.push([
      { host, interface: 'lan0' },
      { host: router, interface: at },
    ]);
    routers[router]!.interfaces.push({ name: at, addresses: prefixes.map((prefix) => hostIn(prefix, 1).withLength) });
    return {
      interface: 'lan0',
      addresses: prefixes.map((prefix) => hostIn(prefix, 10).withLength),
      gateway: hostIn(prefixes[0]!, 1).address,
      attachedTo: router,
    };
  };
  return {
    options,
    routers,
    client: attach(names.client, names.edges[0]!, towards(names.client), addressing.clientPrefixes),
    server: attach(names.server, names.borders[0]!, towards(names.server), addressing.serverPrefixes),
    sync: { interface: 'sync0', addresses: sync, length: 30 },
    links,
  };
}

/** The firewall that carries the traffic at first, and the other. */
export function roles(options: ResolvedOptions): { preferred: string; other: string } {
  const { firewalls } = options.names;
  return { preferred: firewalls[options.preferred], other: firewalls[options.preferred === 0 ? 1 : 0] };
}
