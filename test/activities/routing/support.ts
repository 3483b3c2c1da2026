/** A plan of a lab's firewall pair, and what activities are given, over real SSH. */
import { createHosts, hostsSpec, type Hosts, type HostsSpec } from '../../../activities/ssh';
import type { Host, StepContext } from '../../../activities/kit';
import { routingSpec, survey, type RoutingPlan } from '../../../activities/routing';
import type { FirewallPairDescription } from '../../lab';

/** The section `routing` as somebody would write it for this lab: one border steers, every edge and border is read. */
export function routingOf(description: FirewallPairDescription): Record<string, unknown> {
  const { roles, prefixes, hosts } = description;
  const paths = (router: string, destinationsSide: 'edge' | 'border') =>
    Object.fromEntries(
      roles.firewalls.map((firewall) => {
        const neighbors = hosts[router]!.bgp!.neighbors;
        const own = neighbors.find((n) => n.host === firewall);
        const sibling = neighbors.find((n) => hosts[n.host]!.role === destinationsSide);
        return [firewall, own === undefined ? { nextHops: [sibling!.address] } : { neighbor: own.address }];
      }),
    );
  const router = (name: string) => {
    const { role, bgp } = hosts[name]!;
    const inside = role === 'border';
    const steers = inside && name === roles.borders.at(-1);
    const two = roles.borders.length > 1;
    return {
      host: name,
      platform: 'frr',
      side: inside ? 'inside' : 'outside',
      families: {
        'ipv4 unicast': {
          destinations: inside ? [prefixes.wan[0], ...prefixes.nat] : prefixes.dc,
          paths: paths(name, inside ? 'border' : 'edge'),
        },
      },
      ...(steers
        ? {
            policy: {
              localAs: bgp!.asNumber,
              routeMaps: Object.fromEntries(
                bgp!.neighbors
                  .filter((n) => n.routeMapIn !== undefined)
                  .map((n) => [
                    n.host,
                    { in: { name: n.routeMapIn, sequence: 10 }, out: { name: n.routeMapOut, sequence: 10 } },
                  ]),
              ),
              preferred: { localPreference: 110, prepend: 0 },
              other: { localPreference: two ? 90 : 100, prepend: 2 },
              ...(two ? { equal: { localPreference: 100, prepend: 1, holdMs: '500ms' } } : {}),
            },
          }
        : {}),
    };
  };
  return {
    steering: { method: 'bgp-policy' },
    routers: Object.fromEntries([...roles.edges, ...roles.borders].map((name) => [name, router(name)])),
    verify: { stableReads: 2, intervalMs: '300ms', timeoutMs: '10s' },
    traffic: { idleForMs: '2s', idleTimeoutMs: '5s', sampleMs: '1s', expectTraffic: false },
  };
}

export interface Bench {
  readonly plan: RoutingPlan;
  readonly connect: (name: string) => Promise<Host>;
  close(): void;
}

export function planOf(
  description: FirewallPairDescription,
  routing: object = routingOf(description),
): RoutingPlan & { hosts: HostsSpec } {
  const { ssh, hosts } = description;
  const section = hostsSpec.parse(
    Object.fromEntries(
      Object.entries(hosts).map(([name, { address, hostKey }]) => [
        name,
        {
          address,
          port: ssh.port,
          user: ssh.user,
          hostKeys: [hostKey],
          credentials: `file:${ssh.privateKeyPath}`,
        },
      ]),
    ),
  );
  return {
    cluster: 'fw-test',
    nodes: Object.fromEntries(description.roles.firewalls.map((name) => [name, { host: name }])),
    hosts: section,
    routing: routingSpec.parse(routing),
  };
}

/** Reads what a plan takes from the network, as the resolving of a plan does. */
export async function benchOf(description: FirewallPairDescription, routing?: object): Promise<Bench> {
  const hosts: Hosts = createHosts();
  const plan = planOf(description, routing);
  const connect = (name: string): Promise<Host> => hosts.connect(plan, name, new AbortController().signal);
  const { original } = await survey(contextOf({ plan, connect }));
  return { plan: { ...plan, routing: { ...plan.routing, original } }, connect, close: () => hosts.close() };
}

let calls = 0;

export function contextOf(
  { plan, connect }: Pick<Bench, 'plan' | 'connect'>,
  override: Partial<StepContext<RoutingPlan>> = {},
): StepContext<RoutingPlan> {
  return {
    plan,
    run: { workflowId: 'upgrade-fw-test', runId: '11111111-2222-4333-8444-555555555555' },
    step: 'test',
    attempt: 1,
    call: { number: ++calls, scheduledAtMs: Date.now() },
    signal: new AbortController().signal,
    host: connect,
    evidence: () => undefined,
    progress: () => undefined,
    kept: undefined,
    keep: () => undefined,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    ...override,
  };
}
