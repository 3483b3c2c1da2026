/**
 * Load balancers in front of nodes: taking a node out so that it gets no new connections while those that it has go on,
 * and putting it back. Facts: x-road §3 (load balancer), §6 B1, C8, D. Registered as `loadBalancer`.
 */
import { defineCheck, defineStep, formatFaults, permanent, transient, type Finding, type Outcome } from '../kit';
import { driverFor, type AdminState, type ServerId, type SudoCommand } from './driver';
import { describeServer, isServing, isTakenOut, lookAtAll, serverLabel, serversOf, serviceFaults } from './look';
import { takeOutFaults, type NodeServer } from './look';
import { restore, settled, waitUntilServing, type Context, type Wanted } from './set';
import type { LoadBalancerPlan } from './spec';

export { loadBalancerSpec, type LoadBalancerPlan, type LoadBalancerSpec } from './spec';
export type { AdminState, LoadBalancer, ServerState, SudoCommand } from './driver';
export { describeServer, isServing, isTakenOut, lookAtAll, serversOf, serviceFaults, type NodeServer } from './look';

export interface OutInput {
  readonly node: string;
  /** An outage was announced: all nodes may be out at once. */
  readonly outage?: boolean;
}

/** Admin states to go back to, by "host backend/server". */
export interface AdminBefore {
  readonly admin: Readonly<Record<string, AdminState>>;
  /** Servers that were up, by the same names. */
  readonly up: readonly string[];
}

export interface OutResult extends Outcome {
  /** Connections that the node still has, over all its servers. */
  readonly sessions: number;
  readonly servers: readonly string[];
}

const observe = async (context: Context, { node }: { readonly node: string }): Promise<AdminBefore> => {
  const servers = serversOf(context.plan, await lookAtAll(context), node);
  return {
    admin: Object.fromEntries(servers.map((s) => [serverLabel(s), s.admin])),
    up: servers.filter((s) => s.up).map(serverLabel),
  };
};

const sessionsOf = (servers: readonly NodeServer[]): number => servers.reduce((sum, s) => sum + s.sessions, 0);

/** Takes a node out: no new connections, those that it has go on. Undo restores the admin states found before. */
export const takeOut = defineStep<OutInput, AdminBefore, OutResult, LoadBalancerPlan>({
  observe,
  async act(context, { node, outage = false }) {
    const { plan } = context;
    const todo = await settled(
      context,
      node,
      (s) => (isTakenOut(s) ? undefined : 'drain'),
      (all) => {
        const faults = outage ? [] : takeOutFaults(plan, all, node);
        if (faults.length > 0)
          throw transient(
            'GuardRefused',
            `${node} stays in service, for it is needed:\n${formatFaults(faults)}\nNext: bring the others back; this is tried again.`,
            { node, faults },
          );
      },
    );
    const servers = serversOf(plan, await lookAtAll(context), node);
    const sessions = sessionsOf(servers);
    return {
      summary: `${node} gets no new connections: out at ${servers.map(serverLabel).join(', ')}; it has ${sessions} left`,
      changed: todo > 0,
      sessions,
      servers: servers.map(describeServer),
      nodes: { [node]: { loadBalancer: 'drain', sessions } },
    };
  },
  undo: (context, { node }, before) => restore(context, node, before),
  preview: (context, { node }) => previewOf(context, node, (s) => (isTakenOut(s) ? undefined : 'drain')),
});

/** Puts a node back and waits until its health checks say so. Undo restores the admin states found before. */
export const putBack = defineStep<{ readonly node: string }, AdminBefore, OutResult, LoadBalancerPlan>({
  observe,
  async act(context, { node }) {
    const todo = await settled(context, node, (s) => (isTakenOut(s) ? 'ready' : undefined));
    const servers = await waitUntilServing(context, node, () => true);
    return {
      summary: `${node} is in service: ${servers.map(describeServer).join(', ')}`,
      changed: todo > 0,
      sessions: sessionsOf(servers),
      servers: servers.map(describeServer),
      nodes: { [node]: { loadBalancer: 'up', serving: true } },
    };
  },
  async undo(context, { node }, before) {
    const wanted = (s: NodeServer): Wanted => {
      const was = before.admin[serverLabel(s)];
      return was === undefined || was === s.admin ? undefined : was;
    };
    const todo = await settled(context, node, wanted);
    return {
      summary: todo > 0 ? `${node} is at the load balancers as before` : `${node} was left as it was`,
      changed: todo > 0,
    };
  },
  preview: (context, { node }) => previewOf(context, node, (s) => (isTakenOut(s) ? 'ready' : undefined)),
});

export interface StateResult extends Finding {
  readonly servers: readonly string[];
  readonly sessions: Readonly<Record<string, number>>;
}

/** All nodes (or those named) get connections at every load balancer. @throws NotReady with every fault. */
export const inService = defineCheck<{ readonly nodes?: readonly string[] }, StateResult, LoadBalancerPlan>({
  async check(context, { nodes = Object.keys(context.plan.nodes) }) {
    const { plan } = context;
    const all = await lookAtAll(context);
    const faults = serviceFaults(plan, all, nodes);
    if (faults.length > 0)
      throw permanent('NotReady', `not all nodes are in service:\n${formatFaults(faults)}`, { faults });
    const own = nodes.flatMap((node) => serversOf(plan, all, node));
    return {
      summary: `${nodes.join(', ')} ${nodes.length === 1 ? 'is' : 'are'} up at ${plan.loadBalancer.instances.map((i) => i.host).join(' and ')}`,
      servers: own.map(describeServer),
      sessions: Object.fromEntries(nodes.map((node) => [node, sessionsOf(serversOf(plan, all, node))])),
      nodes: Object.fromEntries(nodes.map((node) => [node, { loadBalancer: 'up', serving: true }])),
    };
  },
});

/** Others of the plan's nodes that get connections at every load balancer, for guards. */
export async function servingOthers(context: Context, node: string): Promise<string[]> {
  const all = await lookAtAll(context);
  return Object.keys(context.plan.nodes).filter(
    (name) => name !== node && serversOf(context.plan, all, name).every(isServing),
  );
}

async function previewOf(context: Context, node: string, wanted: (server: NodeServer) => Wanted) {
  const driver = driverFor(context.plan.loadBalancer);
  const servers = serversOf(context.plan, await lookAtAll(context), node);
  return {
    commands: servers.flatMap((s) => {
      const state = wanted(s);
      const id: ServerId = { backend: s.backend, server: s.server };
      return state === undefined ? [] : [{ host: s.instance.host, command: driver.setCommand(s.instance, id, state) }];
    }),
    differences: [],
  };
}

/** Everything that this folder runs as root, in the syntax of sudoers(5). */
export const sudoCommands = ({ loadBalancer }: Pick<LoadBalancerPlan, 'loadBalancer'>): SudoCommand[] =>
  loadBalancer.instances.flatMap((instance) =>
    driverFor(loadBalancer)
      .sudo(instance)
      .map((command) => ({ host: instance.host, as: 'root', command })),
  );
