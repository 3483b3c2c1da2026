/**
 * Moves traffic by shutting the vacated node's own BGP sessions (facts/firewall-pair §2, §6): both sides are told at the
 * same instant, the smallest window of all. The price: the vacated node can't take over before its sessions are up again, and
 * which node is preferred once both are up stays with the routers, so moving back means opening the sessions.
 */
import type { StepContext } from '../kit';
import { hostOfNode, nodesOf } from './drivers';
import { frrSessions, shutdownMessage, type Shut } from './frr/sessions';
import { canServe } from './look';
import { whoServes } from './serving';
import type { RoutingPlan, SteeringOf } from './spec';
import { foreignChange, type Goal, type Move, type Steering } from './steering';

export interface SessionState {
  readonly [key: string]: unknown;
  readonly method: 'session-shutdown';
  readonly shut: Readonly<Record<string, Shut>>;
}

type Spec = SteeringOf<'session-shutdown'>;

/** What the sessions of each node are to be for a goal, in the order in which nodes are dealt with: opening first. */
export function wantedSessions(
  goal: Goal,
  nodes: readonly string[],
  before: SessionState,
  close: (node: string) => Shut,
): { readonly open: Record<string, Shut>; readonly shut: Record<string, Shut> } {
  if (goal.kind === 'undo') {
    const open = Object.fromEntries(nodes.filter((n) => isOpen(before.shut[n])).map((n) => [n, {}]));
    const shut = Object.fromEntries(nodes.filter((n) => !isOpen(before.shut[n])).map((n) => [n, before.shut[n] ?? {}]));
    return { open, shut };
  }
  const others = nodes.filter((n) => n !== goal.node);
  return {
    open: { [goal.node]: {} },
    shut: Object.fromEntries(others.map((n) => [n, goal.kind === 'restore' ? {} : close(n)])),
  };
}
const isOpen = (shut: Shut | undefined): boolean => Object.keys(shut ?? {}).length === 0;

export function sessionShutdown(context: StepContext<RoutingPlan>): Steering<SessionState> {
  const { plan } = context;
  const spec = plan.routing.steering as Spec;
  const nodes = nodesOf(plan);
  // Of the upgrade, also in a dry run beside it: what a running upgrade has shut is nothing foreign.
  const message = shutdownMessage(workflowIdOf(plan));
  const sessions = async (node: string) =>
    frrSessions(node, specOf(spec, node), await context.host(hostOfNode(plan, node)));
  const close = (node: string): Shut => Object.fromEntries(specOf(spec, node).neighbors.map((n) => [n, message]));

  const readShut = async (): Promise<Record<string, Shut>> =>
    Object.fromEntries(
      await Promise.all(nodes.map(async (node) => [node, await (await sessions(node)).read()] as const)),
    );

  const set = async (node: string, shut: Shut): Promise<void> => {
    if (!(await (await sessions(node)).set(shut))) return;
    context.progress(`${node}: BGP sessions ${isOpen(shut) ? 'opened' : 'shut'}`);
  };

  return {
    keepsEscape: false,
    opensTarget: true,
    observe: async () => ({ method: 'session-shutdown', shut: await readShut() }),
    changedSincePlan: async (before) =>
      foreignShutdowns(before.shut, {}, message).map((diff) => ({
        where: 'BGP sessions',
        what: 'all were open',
        change: { diff },
      })),
    faults: async () => {
      const shut = await readShut();
      return nodes
        .filter((node) => !isOpen(shut[node]))
        .map((node) => ({
          where: node,
          what: `BGP sessions are shut: ${Object.keys(shut[node] ?? {}).join(', ')}`,
          next: `open them (no neighbor … shutdown), or finish what shut them`,
        }));
    },
    changed: async () => foreignShutdowns(await readShut(), {}, message),
    escapeFaults: async () => [],
    async plan(goal, before, readings, urgent): Promise<Move> {
      const now = await readShut();
      const remarks = foreignShutdowns(now, before.shut, message);
      if (remarks.length > 0 && !urgent)
        throw foreignChange('BGP sessions', remarks, 'Sessions of a node are shut, and not by this run.');
      const wanted = wantedSessions(goal, nodes, before, close);
      const opened = Object.keys(wanted.open).every((n) => isOpen(now[n]));
      // Where the routers prefer the target by themselves, opening it is the whole move.
      const serves = goal.kind !== 'undo' && whoServes(readings).node === goal.node;
      const shut = Object.entries(wanted.shut).every(([n, s]) => JSON.stringify(now[n]) === JSON.stringify(s));
      const entries = [...Object.entries(wanted.open), ...(serves ? [] : Object.entries(wanted.shut))];
      const commands = entries
        .filter(([n, s]) => JSON.stringify(now[n]) !== JSON.stringify(s))
        .map(([n, s]) => ({ host: hostOfNode(plan, n), command: frrSessions(n, specOf(spec, n), none).command(s) }));
      return {
        done: opened && (shut || serves),
        remarks,
        preview: { commands, differences: [] },
        async make() {
          for (const [node, s] of Object.entries(wanted.open)) await set(node, s);
          const target = goal.kind === 'undo' ? undefined : goal.node;
          const there = target !== undefined && (await canServe(context, target, 'Its sessions are open'));
          // The routers may have gone over by themselves.
          if (there && goal.kind === 'role') return;
          for (const [node, s] of Object.entries(wanted.shut)) await set(node, s);
        },
        async keep() {
          if (!spec.persist) return;
          for (const node of nodes) await (await sessions(node)).persist();
        },
      };
    },
  };
}

const specOf = (spec: Spec, node: string) => {
  const found = spec.nodes[node];
  if (found === undefined) throw new Error(`no sessions of ${node} in the plan`);
  return found;
};

/** Which isn’t known yet when a sudoers file is made. */
const workflowIdOf = (plan: RoutingPlan): string => `upgrade-${plan.cluster}`;

/** Rendering commands needs no host. */
const none = undefined as never;

const foreignShutdowns = (
  now: Readonly<Record<string, Shut>>,
  before: Readonly<Record<string, Shut>>,
  message: string,
): string[] =>
  Object.entries(now).flatMap(([node, shut]) =>
    Object.entries(shut)
      .filter(([neighbor, text]) => text !== message && before[node]?.[neighbor] !== text)
      .map(([neighbor, text]) => `${node}: neighbor ${neighbor} is shut (${text === '' ? 'no message' : text})`),
  );

/** Argument vectors of what this method runs as root on each node. */
export function sessionSudo(plan: RoutingPlan): { readonly host: string; readonly argv: readonly string[] }[] {
  const spec = plan.routing.steering as Spec;
  return Object.entries(spec.nodes).flatMap(([node, s]) =>
    frrSessions(node, s, none)
      .sudo([{}, Object.fromEntries(s.neighbors.map((n) => [n, shutdownMessage(workflowIdOf(plan))]))])
      .map((argv) => ({ host: hostOfNode(plan, node), argv })),
  );
}
