/** The servers of the plan's nodes at all load balancers, and what follows from them: pure where it decides. */
import { permanent, type Fault, type StepContext } from '../kit';
import { driverFor, type ServerId, type ServerState } from './driver';
import type { Instance, LoadBalancerPlan } from './spec';

/** A server of a node at one of the load balancers. */
export interface NodeServer extends ServerState {
  readonly instance: Instance;
}

export const serverLabel = ({ instance, backend, server }: ServerId & { readonly instance: Instance }): string =>
  `${instance.host} ${backend}/${server}`;

export const describeServer = (s: NodeServer): string =>
  `${serverLabel(s)} is ${s.status || s.admin}${s.admin !== 'ready' && !s.status.toLowerCase().startsWith(s.admin) ? ` (${s.admin})` : ''}`;

/** Gets new connections. */
export const isServing = (s: ServerState): boolean => s.admin === 'ready' && s.up;
/** Gets none by decision, whatever its health. */
export const isTakenOut = (s: ServerState): boolean => s.admin !== 'ready';

/** Which servers are a node's. */
export function belongsTo(plan: LoadBalancerPlan, node: string): (server: ServerId) => boolean {
  const named = plan.loadBalancer.servers[node] ?? node;
  return typeof named === 'string'
    ? ({ server }) => server === named
    : ({ backend, server }) => named.includes(`${backend}/${server}`);
}

/** Everything that the load balancers have, in the order of the plan's instances. */
export async function lookAtAll(context: StepContext<LoadBalancerPlan>): Promise<NodeServer[]> {
  const { loadBalancer } = context.plan;
  const driver = driverFor(loadBalancer);
  const lists = await Promise.all(
    loadBalancer.instances.map(async (instance) => {
      const servers = await driver.servers(await context.host(instance.host), instance);
      return servers.map((server) => ({ ...server, instance }));
    }),
  );
  return lists.flat();
}

/**
 * The node's servers among all.
 * @throws InvalidInput if a load balancer has none, or lacks one that the plan names: it would go on sending there.
 */
export function serversOf(plan: LoadBalancerPlan, all: readonly NodeServer[], node: string): NodeServer[] {
  const faults = namingFaults(plan, all, node);
  if (faults.length > 0)
    throw permanent(
      'InvalidInput',
      `${faults.map((f) => f.what).join('; ')}. Nothing was changed. Next: ${faults[0]?.next ?? ''}.`,
      { faults },
    );
  return all.filter(belongsTo(plan, node));
}

/** Servers of a node that the plan means and a load balancer doesn't have. */
export function namingFaults(plan: LoadBalancerPlan, all: readonly NodeServer[], node: string): Fault[] {
  const named = plan.loadBalancer.servers[node] ?? node;
  const next = 'correct loadBalancer.servers in the inventory, or HAProxy’s configuration';
  const own = all.filter(belongsTo(plan, node));
  return plan.loadBalancer.instances.flatMap((instance) => {
    const here = own.filter((s) => s.instance.host === instance.host && s.instance.socket === instance.socket);
    if (typeof named === 'string')
      return here.length > 0
        ? []
        : [{ where: instance.host, what: `no backend has a server ${named} (${node})`, next }];
    const missing = named.filter((name) => !here.some((s) => `${s.backend}/${s.server}` === name));
    return missing.map((name) => ({ where: instance.host, what: `there is no server ${name} (${node})`, next }));
  });
}

/** Why a node may not be taken out now: who would carry its connections isn't able to, or another is out already. */
export function takeOutFaults(plan: LoadBalancerPlan, all: readonly NodeServer[], node: string): Fault[] {
  const own = all.filter(belongsTo(plan, node));
  const others = Object.keys(plan.nodes).filter((name) => name !== node);
  return [
    ...others.flatMap((name) =>
      all
        .filter((s) => belongsTo(plan, name)(s) && !isServing(s))
        .map((s) => ({ where: name, what: `isn’t in service: ${describeServer(s)}` })),
    ),
    ...own
      .filter((s) => !all.some((o) => sameBackend(o, s) && o.server !== s.server && isServing(o)))
      .map((s) => ({ where: serverLabel(s), what: 'no other server of its backend is up' })),
  ];
}

const sameBackend = (a: NodeServer, b: NodeServer): boolean =>
  a.backend === b.backend && a.instance.host === b.instance.host && a.instance.socket === b.instance.socket;

/** What keeps nodes from being in service, by the load balancers. */
export function serviceFaults(plan: LoadBalancerPlan, all: readonly NodeServer[], nodes: readonly string[]): Fault[] {
  return nodes.flatMap((node) => [
    ...namingFaults(plan, all, node),
    ...all
      .filter((s) => belongsTo(plan, node)(s) && !isServing(s))
      .map((s) => ({
        where: node,
        what: `isn’t in service: ${describeServer(s)}`,
        next: isTakenOut(s)
          ? `find out who took it out; \`set server ${s.backend}/${s.server} state ready\``
          : 'see why its health check fails',
      })),
  ]);
}
