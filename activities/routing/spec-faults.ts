/** Faults of an inventory's section `routing` that no single field shows. Pure. */
import { isIP } from 'node:net';
import { neighborsOfPath } from './neighbors';
import type { Preference, RouterSpec, SteeringSpec } from './spec';

/** A total policy must decide both ways by itself: equal values are a tie, and a tie hangs every session (facts §0.1). */
export function policyFaults(p: { readonly preferred: Preference; readonly other: Preference }): string[] {
  const faults: string[] = [];
  if (p.preferred.localPreference <= p.other.localPreference)
    faults.push(
      `preferred.localPreference (${p.preferred.localPreference}) must be higher than other.localPreference (${p.other.localPreference}): else the way out ends in a tie or at the wrong node`,
    );
  if (p.preferred.prepend >= p.other.prepend)
    faults.push(
      `preferred.prepend (${p.preferred.prepend}) must be lower than other.prepend (${p.other.prepend}): equal AS paths are a tie on the other side, which splits traffic over both nodes`,
    );
  return faults;
}

/** Faults that no single field shows. */
export function routingFaults(spec: {
  readonly steering: SteeringSpec;
  readonly routers: Readonly<Record<string, RouterSpec>>;
}): [path: string[], message: string][] {
  const faults: [string[], string][] = [];
  const routers = Object.entries(spec.routers);
  for (const side of ['inside', 'outside'] as const)
    if (!routers.some(([, r]) => r.side === side))
      faults.push([
        ['routers'],
        `no router on the ${side}: a move can only be verified where both directions are read`,
      ]);
  const nodes = new Set(routers.flatMap(([, r]) => Object.values(r.families).flatMap((f) => Object.keys(f.paths))));
  for (const [name, r] of routers) {
    if (Object.keys(r.families).length === 0) faults.push([['routers', name, 'families'], 'no address family']);
    for (const [family, section] of Object.entries(r.families)) {
      const at = ['routers', name, 'families', family];
      for (const node of nodes)
        if (section.paths[node] === undefined)
          faults.push([[...at, 'paths'], `${node} is missing: say how this router reaches it`]);
      const ways = Object.entries(section.paths).flatMap(([node, path]) =>
        [...neighborsOfPath(path), ...path.nextHops].map((way) => ({ node, way })),
      );
      for (const { node, way } of ways) {
        const other = ways.find((one) => one.way === way && one.node < node);
        if (other !== undefined)
          faults.push([[...at, 'paths', node], `${way} leads to ${other.node}, too: one way is one node’s`]);
      }
      const wanted = family === 'ipv4 unicast' ? 4 : 6;
      for (const destination of section.destinations)
        if (isIP(destination.split('/')[0] ?? '') !== wanted)
          faults.push([[...at, 'destinations'], `${destination} isn’t a prefix of ${family}`]);
    }
    for (const node of Object.keys(r.policy?.routeMaps ?? {})) {
      if (!Object.values(r.families).some((f) => f.paths[node]?.neighbor !== undefined))
        faults.push([['routers', name, 'policy', 'routeMaps', node], 'this router has no session with that node']);
    }
    if (r.policy !== undefined && Object.keys(r.policy.routeMaps).length === 0)
      faults.push([['routers', name, 'policy', 'routeMaps'], 'no route-map']);
  }
  const steering = routers.filter(([, r]) => r.policy !== undefined).map(([name]) => name);
  if (spec.steering.method === 'bgp-policy' && steering.length !== 1)
    faults.push([
      ['routers'],
      steering.length === 0
        ? 'no router has a policy: steering by bgp-policy needs one that carries the roles'
        : `${steering.join(' and ')} have a policy: one router alone must carry the roles, for two can’t switch at one instant; give the others fixed values (prepend once) instead`,
    ]);
  if (spec.steering.method === 'bgp-policy' && spec.steering.persist)
    for (const name of steering.filter((n) => spec.routers[n]?.access === 'group'))
      faults.push([
        ['steering', 'persist'],
        `${name} is used without root (access: group), so its configuration can’t be saved: set persist: false, or access: sudo`,
      ]);
  if (spec.steering.method !== 'bgp-policy')
    for (const node of nodes)
      if (spec.steering.nodes[node] === undefined)
        faults.push([['steering', 'nodes'], `${node} is missing: say what is shut to vacate it`]);
  return faults;
}
