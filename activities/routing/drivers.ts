import { permanent, type Host } from '../kit';
import type { RouterDriver } from './driver';
import { frr } from './frr/driver';
import type { RouterSpec, RoutingPlan } from './spec';

/** A new platform is one new line here. */
const drivers: Readonly<Record<RouterSpec['platform'], (name: string, spec: RouterSpec, host: Host) => RouterDriver>> =
  {
    frr,
  };

export const driverFor = (name: string, spec: RouterSpec, host: Host): RouterDriver =>
  drivers[spec.platform](name, spec, host);

/** Nodes that the routers choose between. */
export const nodesOf = (plan: RoutingPlan): string[] => [
  ...new Set(
    Object.values(plan.routing.routers).flatMap((r) => Object.values(r.families).flatMap((f) => Object.keys(f.paths))),
  ),
];

/** @throws InvalidInput if the plan has no such node. */
export function assertNode(plan: RoutingPlan, node: string): string {
  const known = nodesOf(plan);
  if (known.includes(node) && plan.nodes[node] !== undefined) return node;
  throw permanent(
    'InvalidInput',
    `the plan has no node ${JSON.stringify(node)} that traffic could be sent through; it has ${known.join(', ')}`,
  );
}

/** Name under `hosts` of the machine that a node is. */
export function hostOfNode(plan: RoutingPlan, node: string): string {
  const host = plan.nodes[node]?.host;
  if (host === undefined) throw permanent('InvalidInput', `the plan has no node ${JSON.stringify(node)}`);
  return host;
}
