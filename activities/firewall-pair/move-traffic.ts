/**
 * Moving traffic from one node to the other: session state first, then the routing, then the sessions change hands. One
 * step, so that no way of moving traffic (forward, undo, escape) can forget the state; a flip without it hangs every
 * session (facts/firewall-pair §0.2, §6 cases B and R1).
 */
import { defineStep, messageOf, type Outcome, type StepContext } from '../kit';
import { look, prefer, routingChanged, whoServes, type PreferBefore } from '../routing';
import { refreshAtOnce, reseedFully, sessionsOf } from '../state-sync';
import type { FirewallPairPlan } from './plan';

export interface MoveInput {
  readonly to: string;
  /** The routing configuration becomes, byte for byte, what it was when the run began. */
  readonly restore?: boolean;
  /** At once: state sync that doesn't answer is no reason to stay on a sick node. */
  readonly urgent?: boolean;
}

export interface MoveBefore {
  readonly routing: PreferBefore;
}

export interface MoveResult extends Outcome {
  /** One line per router and destination, before and after. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** What didn't go as it should and doesn't stop the move. */
  readonly remarks: readonly string[];
}

type Context = StepContext<FirewallPairPlan>;

export const moveTraffic = defineStep<MoveInput, MoveBefore, MoveResult, FirewallPairPlan>({
  observe: async (context, { to }) => ({ routing: await prefer.observe(context, { node: to }) }),

  async changedSincePlan(context, { restore = false, urgent = false }, { routing }) {
    if (urgent) return [];
    // Only the first move isn't one of the way back: what it finds is what people approved.
    const isFirst = !restore;
    const { primary: was } = context.plan.roles;
    const now = routing.serving ?? was;
    return [
      ...(await routingChanged(context, {}, routing, isFirst)),
      ...(isFirst && now !== was ? [{ where: 'routing', what: 'the node that serves', change: { was, now } }] : []),
    ];
  },

  async act(context, { to, restore = false, urgent = false }, before) {
    const prepared = urgent ? await prepareAtOnce(context, to) : await prepare(context, to);
    const as = urgent ? 'escape' : restore ? 'restore' : 'role';
    const moved = await prefer.act(context, { node: to, as }, before.routing);
    return told(moved, prepared, await handOver(context, to));
  },

  async undo(context, { to }, before) {
    const { serving } = before.routing;
    const remarks = serving === undefined ? [] : await prepare(context, serving);
    const moved = await prefer.undo(context, { node: to }, before.routing);
    return told(moved, remarks, serving === undefined ? { remarks: [] } : await handOver(context, serving));
  },

  preview: (context, { to, restore = false, urgent = false }, before) =>
    prefer.preview(context, { node: to, as: urgent ? 'escape' : restore ? 'restore' : 'role' }, before.routing),
});

const otherThan = (plan: FirewallPairPlan, node: string): string =>
  Object.keys(plan.nodes).find((n) => n !== node) ?? '';

/** The node that is to serve gets the sessions of the one that serves, and is compared with it. */
async function prepare(context: Context, to: string): Promise<string[]> {
  const { node: serving } = whoServes(await look(context));
  // A half-made move of an earlier attempt: there is no direction to copy in, and finishing the move is what helps.
  if (serving === undefined) return ['traffic was split when this attempt began: session state was not copied again'];
  if (serving === to) return [];
  context.progress(`bringing the session state of ${to} up to date`);
  await reseedFully(context, { from: serving, to }, false);
  return [];
}

/** As `prepare`, but bounded, as the watch has kept the standby up to date; what fails is only told. */
const prepareAtOnce = (context: Context, to: string): Promise<string[]> =>
  refreshAtOnce(context, { from: otherThan(context.plan, to), to });

export interface Handed extends Pick<Outcome, 'nodes'> {
  readonly remarks: readonly string[];
}

/**
 * The node that serves now sends its sessions, and the other's daemon gives up what it still speaks for. Not a reason to
 * fail: traffic is where it should be, and state is compared again before anything relies on it.
 */
async function handOver(context: Context, serving: string): Promise<Handed> {
  const other = otherThan(context.plan, serving);
  try {
    context.progress(`handing the sessions over to ${serving}`);
    // One look in sync is enough here.
    const stateSync = { ...context.plan.stateSync, stableReads: 1 };
    const once = { ...context, plan: { ...context.plan, stateSync } };
    const { difference } = await reseedFully(once, { from: serving, to: other }, true);
    return { remarks: [], nodes: sessionsOf({ from: serving, to: other }, difference) };
  } catch (error) {
    if (context.signal.aborted) throw error;
    return {
      remarks: [`not all sessions are handed over yet: ${messageOf(error)}`],
      nodes: { [other]: { sessions: 'NOT IN SYNC' } },
    };
  }
}

/** A move's outcome with what became of the sessions. A remark that isn't in the summary is seen by nobody. */
export function told<Moved extends Outcome & { readonly remarks?: readonly string[] }>(
  moved: Moved,
  prepared: readonly string[],
  handed: Handed,
): Moved & { readonly remarks: readonly string[] } {
  const own = [...prepared, ...handed.remarks];
  const nodes = Object.fromEntries(
    Object.keys({ ...moved.nodes, ...handed.nodes }).map((n) => [n, { ...moved.nodes?.[n], ...handed.nodes?.[n] }]),
  );
  return {
    ...moved,
    summary: own.length === 0 ? moved.summary : `${moved.summary}. Note: ${own.join('; ')}`,
    nodes,
    remarks: [...prepared, ...(moved.remarks ?? []), ...handed.remarks],
  };
}
