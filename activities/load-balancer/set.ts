/** Setting admin states at all load balancers, and seeing that they hold. */
import { transient, type Outcome, type StepContext } from '../kit';
import { takeOwnership } from '../ownership';
import { driverFor, type AdminState } from './driver';
import { describeServer, isServing, lookAtAll, serverLabel, serversOf, type NodeServer } from './look';
import type { AdminBefore } from './index';
import type { LoadBalancerPlan } from './spec';

export type Context = StepContext<LoadBalancerPlan>;
/** State that a server shall have; undefined if it may stay as it is. */
export type Wanted = AdminState | undefined;

/**
 * Brings the node's servers into the states wanted and reads them back. Returns how many had to be set. `guard` is asked
 * right before the first change, with everything that the load balancers have.
 * @throws VerifyFailed if one doesn't keep its state; whatever `guard` throws.
 */
export async function settled(
  context: Context,
  node: string,
  wanted: (server: NodeServer) => Wanted,
  guard: (all: readonly NodeServer[]) => void = () => undefined,
): Promise<number> {
  const { plan } = context;
  const driver = driverFor(plan.loadBalancer);
  const due = (servers: readonly NodeServer[]) =>
    servers.flatMap((server) => {
      const state = wanted(server);
      return state === undefined ? [] : [{ server, state }];
    });
  if (due(serversOf(plan, await lookAtAll(context), node)).length === 0) return 0;
  const names = [...new Set(plan.loadBalancer.instances.map((instance) => instance.host))];
  const hosts = new Map(
    await Promise.all(names.map(async (name) => [name, (await takeOwnership(context, name)).host] as const)),
  );
  const all = await lookAtAll(context);
  const todo = due(serversOf(plan, all, node));
  if (todo.length > 0) guard(all);
  for (const { server, state } of todo) {
    const host = hosts.get(server.instance.host);
    if (host !== undefined) await driver.set(host, server.instance, server, state);
  }
  const left = due(serversOf(plan, await lookAtAll(context), node));
  if (left.length === 0) return todo.length;
  throw transient(
    'VerifyFailed',
    `${left.map(({ server, state }) => `${describeServer(server)}, and should be ${state}`).join('; ')}. Next: this is tried again; find out who else sets it (an agent check, a reload of HAProxy).`,
    { node, left: left.map(({ server }) => describeServer(server)) },
  );
}

/** Waits until the node's servers that count are in service. @throws VerifyFailed after upTimeoutMs, saying how they are. */
export async function waitUntilServing(
  context: Context,
  node: string,
  counts: (server: NodeServer) => boolean,
): Promise<NodeServer[]> {
  const { plan } = context;
  const { upTimeoutMs, pollIntervalMs } = plan.loadBalancer;
  const until = performance.now() + upTimeoutMs;
  for (;;) {
    const servers = serversOf(plan, await lookAtAll(context), node);
    const down = servers.filter((s) => counts(s) && !isServing(s));
    if (down.length === 0) return servers;
    const seen = down.map(describeServer).join(', ');
    if (performance.now() >= until)
      throw transient(
        'VerifyFailed',
        `${node} gets no connections yet: ${seen}. The other nodes carry them. Next: see why its health check fails (curl its health port from the load balancer).`,
        { node, servers: down.map(describeServer) },
      );
    context.progress(`waiting for ${seen}`);
    await context.pause(pollIntervalMs);
  }
}

/** Gives the node's servers the admin states of before; those that served then must serve again. */
export async function restore(context: Context, node: string, before: AdminBefore): Promise<Outcome> {
  const was = (s: NodeServer): AdminState | undefined => before.admin[serverLabel(s)];
  const todo = await settled(context, node, (s) => (was(s) === s.admin ? undefined : was(s)));
  const served = (s: NodeServer): boolean => was(s) === 'ready' && before.up.includes(serverLabel(s));
  const servers = await waitUntilServing(context, node, served);
  return {
    summary: `${node} is at the load balancers as before: ${servers.map(describeServer).join(', ')}`,
    changed: todo > 0,
    nodes: { [node]: servers.every(isServing) ? { loadBalancer: 'up', serving: true } : { loadBalancer: 'out' } },
  };
}
