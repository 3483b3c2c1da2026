/**
 * Moves traffic to one node. Guard, verification and putting back are the same whichever way it is moved: the target is
 * looked at on every attempt, by the routers' own word; a move that doesn't verify is taken back at once, for half a
 * routing change hangs every session (facts/firewall-pair §0.1, §6).
 */
import {
  defineStep,
  formatFaults,
  permanent,
  transient,
  type ChangedSincePlan,
  type Fault,
  type Outcome,
  type StepContext,
} from '../kit';
import type { RouterReading } from './driver';
import { assertNode, nodesOf } from './drivers';
import { look, settle, type Settled } from './look';
import { owning } from './owning';
import { steeringOf } from './methods';
import { predictMoves, rowsNow } from './predicting';
import { unlike, type Row } from './prediction/predict';
import { notAble, unmet, whoServes } from './serving';
import type { RoutingPlan } from './spec';
import type { Goal, Move, SteeringState } from './steering';

export interface PreferInput {
  /** Node that is to serve. */
  readonly node: string;
  /**
   * role (default): by the values of the plan. restore: the configuration is put back as it was when the plan was made.
   * escape: as role, but at once: it doesn't ask that the other node could take over, nor stop for what others changed.
   */
  readonly as?: 'role' | 'restore' | 'escape';
}

export interface PreferBefore {
  /** Who served; undefined if traffic was split or went nowhere. */
  readonly serving?: string;
  readonly table: readonly string[];
  readonly state: SteeringState;
}

export interface PreferResult extends Outcome {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly remarks: readonly string[];
}

type Context = StepContext<RoutingPlan>;

export const prefer = defineStep<PreferInput, PreferBefore, PreferResult, RoutingPlan>({
  async observe(context, { node }) {
    assertNode(context.plan, node);
    const [readings, state] = await Promise.all([look(context), steeringOf(context).observe()]);
    const { node: serving, table } = whoServes(readings);
    return { ...(serving === undefined ? {} : { serving }), table, state };
  },

  changedSincePlan: (context, input, before) => routingChanged(context, input, before, false),

  async act(context, { node, as = 'role' }, before) {
    assertNode(context.plan, node);
    const acting = await owning(context);
    const steering = steeringOf(acting);
    const escape = as === 'escape';
    const goal: Goal = as === 'restore' ? { kind: 'restore', node } : { kind: 'role', node };
    const readings = await look(context);
    const move = await steering.plan(goal, before.state, readings, escape);
    const wanted = (r: readonly RouterReading[]): Fault[] =>
      unmet(r, node, nodesOf(context.plan), steering.keepsEscape && !escape);
    if (move.done && unmet(readings, node, [], false).length === 0) {
      const settled = await settle(context, wanted);
      if (settled.faults.length > 0)
        throw notVerified(node, settled, 'The routing configuration is as wanted already, and was left as it is.');
      await move.keep();
      return outcome(context.plan, `traffic goes through ${node} already`, false, node, before, settled, move);
    }
    if (!steering.opensTarget) guard(readings, node);
    // What is put back, and an escape, go ahead whatever is predicted.
    const predicted = goal.kind === 'role' && !escape ? await foreseen(context, node) : undefined;
    context.progress(`moving traffic to ${node}`);
    await move.make(readings);
    const settled = await settle(context, wanted);
    if (settled.faults.length > 0) throw await takenBack(acting, node, before, settled);
    await move.keep();
    const told = { ...move, remarks: [...move.remarks, ...(await surprises(context, predicted))] };
    return outcome(context.plan, `traffic goes through ${node}`, true, node, before, settled, told);
  },

  async undo(context, { node }, before) {
    const steering = steeringOf(await owning(context));
    const readings = await look(context);
    const move = await steering.plan({ kind: 'undo' }, before.state, readings, false);
    const { serving } = before;
    const wanted = (r: readonly RouterReading[]): Fault[] =>
      serving === undefined ? [] : unmet(r, serving, nodesOf(context.plan), false);
    const changed = !(move.done && wanted(readings).length === 0);
    if (changed) {
      if (serving !== undefined && !steering.opensTarget) guard(readings, serving);
      context.progress(`putting the routing back as it was before traffic was moved to ${node}`);
      await move.make(readings);
    }
    const settled = await settle(context, wanted);
    if (settled.faults.length > 0)
      throw notVerified(serving ?? '', settled, 'The routing configuration was put back as it was.');
    await move.keep();
    const summary = `the routing is as before${serving === undefined ? '' : `: traffic goes through ${serving}`}`;
    return outcome(context.plan, summary, changed, serving, before, settled, move);
  },

  async preview(context, { node, as = 'role' }, before) {
    const goal: Goal = as === 'restore' ? { kind: 'restore', node } : { kind: 'role', node };
    const { preview } = await steeringOf(context).plan(goal, before.state, await look(context), as === 'escape');
    if (as !== 'role') return preview;
    // Of the node that serves it is the way back that is asked for.
    const others = nodesOf(context.plan).filter((other) => other !== node);
    const moves = await predictMoves(context, before.serving === node ? [...others, node] : [node]);
    const lines = moves?.at(-1)?.lines ?? [];
    if (lines.length === 0) return preview;
    const seen = { host: node, of: 'best paths, as predicted', diff: lines.map((line) => ` ${line}`).join('\n') };
    return { ...preview, differences: [...preview.differences, seen] };
  },
});

/** What others changed of the routing since the plan was made. `isFirst`: nothing of this run has moved traffic yet. */
export const routingChanged = async (
  context: Context,
  { as = 'role' }: Pick<PreferInput, 'as'>,
  { state }: PreferBefore,
  isFirst: boolean,
): Promise<readonly ChangedSincePlan[]> =>
  as === 'escape' ? [] : steeringOf(context).changedSincePlan(state, isFirst);

/** Played through on what the routers hold at this moment. @throws GuardRefused (transient) if it wouldn't end where it is to. */
async function foreseen(context: Context, node: string): Promise<readonly Row[] | undefined> {
  const [move] = (await predictMoves(context, [node])) ?? [];
  if (move === undefined) return undefined;
  const { faults, rows } = move;
  if (faults.length === 0) return rows;
  throw transient(
    'GuardRefused',
    `traffic was not moved to ${node}, for the move is predicted to go wrong:\n${formatFaults(faults)}\nNothing was changed. Next: put that right on the routers; this is tried again.`,
    { node, faults },
  );
}

/** Where the routers, after a verified move, have other reasons than was predicted: for people, for the next move rests on it. */
async function surprises(context: Context, predicted: readonly Row[] | undefined): Promise<string[]> {
  if (predicted === undefined) return [];
  try {
    const now = await rowsNow(context);
    return now === undefined ? [] : unlike(predicted, now).map(({ where, what }) => `${where}: ${what}`);
  } catch {
    // The move is verified; what it was predicted to be is beside that.
    return [];
  }
}

/** Traffic is never moved to a node that couldn't carry it. */
function guard(readings: readonly RouterReading[], node: string): void {
  const faults = notAble(readings, node);
  if (faults.length === 0) return;
  throw transient(
    'GuardRefused',
    `traffic was not moved to ${node}, which can’t serve now:\n${formatFaults(faults)}\nNothing was changed. Next: bring its BGP sessions and routes up.`,
    { node, faults },
  );
}

const notVerified = (node: string, { faults, readings }: Settled, state: string) =>
  transient(
    'VerifyFailed',
    `the routers don’t agree that ${node} serves and that all is well:\n${formatFaults(faults)}\n${state} Routes now: ${whoServes(readings).table.join('; ')}`,
    { faults },
  );

/** The move was made and read back, and yet the network didn't follow: trying it again would only harm traffic again. */
async function takenBack(context: Context, node: string, before: PreferBefore, settled: Settled): Promise<Error> {
  context.progress(`the move to ${node} didn’t verify: taking it back`);
  const why = `the move to ${node} was made, but ${settled.looks} looks later the routers showed:\n${formatFaults(settled.faults)}\n`;
  let now: string;
  try {
    const back = await steeringOf(context).plan({ kind: 'undo' }, before.state, settled.readings, true);
    await back.make(settled.readings);
    const { serving } = before;
    const after = await settle(context, (r) => (serving === undefined ? [] : unmet(r, serving, [], false)));
    await back.keep();
    now =
      after.faults.length === 0
        ? `It was taken back${serving === undefined ? '' : `, ${serving} serves`}.`
        : `It was taken back, but the routers still show:\n${formatFaults(after.faults)}`;
  } catch (error) {
    now = `Taking it back failed too: ${error instanceof Error ? error.message : String(error)}`;
  }
  return permanent(
    'NotConverged',
    `${why}${now}\nNext: look at the routes above: a policy that ends in a tie, a path that is filtered, a neighbor that doesn’t follow.`,
    { node, faults: settled.faults, table: whoServes(settled.readings).table },
  );
}

function outcome(
  plan: RoutingPlan,
  summary: string,
  changed: boolean,
  node: string | undefined,
  before: PreferBefore,
  settled: Settled,
  move: Move,
): PreferResult {
  const others = node === undefined ? [] : nodesOf(plan).filter((n) => n !== node);
  return {
    summary: `${summary}${move.remarks.length > 0 ? `. Note: ${move.remarks.join('; ')}` : ''}`,
    changed,
    ...(node === undefined
      ? {}
      : { nodes: { [node]: { serving: true }, ...Object.fromEntries(others.map((n) => [n, { serving: false }])) } }),
    before: before.table,
    after: whoServes(settled.readings).table,
    remarks: move.remarks,
  };
}
