import type { Lab } from '../host/lab';
import { fromMap, toMap, wanPrefixes } from './frr';
import { ports } from './options';
import { roles, type PairPlan } from './plan';

/** A firewall-pair lab in plain data: what an inventory is written from, by a person, the demo or a test. */
export interface FirewallPairDescription {
  lab: string;
  kind: 'firewall-pair';
  ssh: { user: string; port: number; privateKeyPath: string; knownHostsPath: string };
  repository: { url: string; aptSource: string; releases: Record<string, Record<string, string>> };
  hosts: Record<string, DescribedHost>;
  roles: {
    client: string;
    server: string;
    edges: readonly string[];
    borders: readonly string[];
    firewalls: readonly string[];
    /** The firewall that carries the traffic in the baseline. */
    preferred: string;
    other: string;
  };
  prefixes: {
    /** What the borders learn through the firewalls, and choose a firewall for. */
    wan: string[];
    /** What the edges learn through the firewalls, and choose a firewall for. */
    dc: string[];
    /** Announced by both firewalls alike, to the borders only. */
    nat: string[];
  };
  /** Where the client finds the server, and what the firewalls do with it. */
  service: { address: string; ports: typeof ports };
  stateSync: { mode: 'direct' | 'external-cache'; interface: string };
}

export interface DescribedHost {
  role: 'client' | 'edge' | 'firewall' | 'border' | 'server';
  /** Management address, where sshd listens. */
  address: string;
  hostKey: string;
  interfaces: Record<string, string[]>;
  bgp?: {
    asNumber: number;
    routerId: string;
    neighbors: DescribedNeighbor[];
  };
}

export interface DescribedNeighbor {
  host: string;
  address: string;
  asNumber: number;
  interface: string;
  localAddress: string;
  /** On borders, towards firewalls: the route-maps that carry the roles. */
  routeMapIn?: string;
  routeMapOut?: string;
}

export function describe(
  lab: Lab,
  plan: PairPlan,
  releases: Record<string, Record<string, string>>,
): FirewallPairDescription {
  const { names, addressing } = plan.options;
  const url = lab.record.repository!.url;
  const at = (name: string): Pick<DescribedHost, 'address' | 'hostKey'> => ({
    address: lab.host(name).address,
    hostKey: lab.host(name).hostKey,
  });
  const end = (name: string, role: 'client' | 'server', { interface: lan, addresses }: PairPlan['client']) => ({
    [name]: { role, ...at(name), interfaces: { [lan]: addresses } },
  });
  const routers = Object.values(plan.routers).map((router): [string, DescribedHost] => [
    router.name,
    {
      role: router.role,
      ...at(router.name),
      interfaces: Object.fromEntries(router.interfaces.map((each) => [each.name, each.addresses])),
      bgp: {
        asNumber: router.asNumber,
        routerId: router.routerId,
        neighbors: router.neighbors.map((neighbor) => ({
          ...neighbor,
          ...(router.role === 'border' && names.firewalls.includes(neighbor.host)
            ? { routeMapIn: fromMap(neighbor.host), routeMapOut: toMap(neighbor.host) }
            : {}),
        })),
      },
    },
  ]);
  return {
    lab: lab.id,
    kind: 'firewall-pair',
    ssh: { user: lab.sshUser, port: 22, privateKeyPath: lab.sshKeyPath, knownHostsPath: lab.knownHostsPath },
    repository: { url, aptSource: `deb [trusted=yes] ${url} ./`, releases },
    hosts: {
      ...end(names.client, 'client', plan.client),
      ...Object.fromEntries(routers),
      ...end(names.server, 'server', plan.server),
    },
    roles: {
      client: names.client,
      server: names.server,
      edges: names.edges,
      borders: names.borders,
      firewalls: names.firewalls,
      ...roles(plan.options),
    },
    prefixes: { wan: wanPrefixes(plan), dc: [...addressing.serverPrefixes], nat: [`${addressing.natAddress}/32`] },
    service: { address: plan.server.addresses[0]!.split('/')[0]!, ports },
    stateSync: { mode: plan.options.stateSync, interface: plan.sync.interface },
  };
}
