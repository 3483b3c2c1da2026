/**
 * Session state of an active/standby pair: copying it from the node that serves, and proving that it arrived.
 * Facts §0.2–3, §5, §12. Registered as `stateSync`.
 */
import { defineCheck, defineStep, permanent, type Fault, type Finding, type Outcome } from '../kit';
import { comparing, untilInSync } from './comparing';
import { describeDifference, type FlowDifference } from './compare';
import type { SyncStatus } from './daemon';
import { driverOf, hostNameOf, hostOf, type SudoCommand } from './driver';
import { commitBeforeServing, reseedFully, type Direction, type Reseeded } from './reseeding';
import { syncFaults } from './readiness';
import type { StateSyncPlan } from './spec';

export { commitBeforeServing, health, reseedOnce, reseedFully } from './reseeding';
export type { Direction, Reseeded, SyncHealth } from './reseeding';
export { refreshAtOnce } from './urgent';
export { stateSyncSpec, type StateSyncPlan, type StateSyncSpec } from './spec';
export type { FlowDifference } from './compare';
export type { SudoCommand } from './driver';

export interface ReseedInput extends Direction {
  /**
   * Whether the receiving node's daemon gives up flows that it still holds itself answerable for, after the serving node
   * has sent its own (`conntrackd -f internal`). Default true: else a client that reuses a port may be refused (facts §12).
   */
  readonly release?: boolean;
}

export interface ReseedResult extends Outcome, Reseeded {}

/** What is known of the nodes after a reseed. */
export const sessionsOf = ({ from, to }: Direction, { flows }: FlowDifference) => ({
  [from]: { sessions: flows },
  [to]: { sessions: `in sync (${flows})` },
});

export const reseed = defineStep<
  ReseedInput,
  { readonly statuses: Readonly<Record<string, SyncStatus>> },
  ReseedResult,
  StateSyncPlan
>({
  async observe(context, { from, to }) {
    const sync = driverOf(context.plan);
    const statuses: Record<string, SyncStatus> = {};
    for (const node of [from, to]) statuses[node] = await sync.status(await hostOf(context, node));
    return { statuses };
  },
  async act(context, { from, to, release = true }) {
    const result = await reseedFully(context, { from, to }, release);
    const { difference, lost } = result;
    return {
      summary: `${to} has the sessions of ${from}: ${describeDifference(difference)}${lost > 0 ? `; ${lost} messages were sent again` : ''}`,
      // Even where nothing was missing, timers were refreshed.
      changed: true,
      nodes: sessionsOf({ from, to }, difference),
      ...result,
    };
  },
  undo(_context, { from, to }) {
    return Promise.resolve({
      summary: `nothing to undo: ${to} keeps its copy of the sessions of ${from}, which takes nothing away`,
      changed: false,
    });
  },
  preview(context, { from, to, release = true }) {
    const sync = driverOf(context.plan);
    const on = (node: string, verb: 'send' | 'commit' | 'release') =>
      sync.commands(verb).map((command) => ({ host: hostNameOf(context.plan, node), command }));
    return Promise.resolve({
      commands: [...on(from, 'send'), ...on(to, 'commit'), ...(release ? on(to, 'release') : [])],
      differences: [],
    });
  },
});

/** Makes a node able to serve without a fresh reseed. Nothing to undo: what was committed is the state that it held anyway. */
export const prepareToServe = defineStep<
  { readonly node: string },
  { readonly status: SyncStatus },
  Outcome & { readonly lacking: number },
  StateSyncPlan
>({
  async observe(context, { node }) {
    return { status: await driverOf(context.plan).status(await hostOf(context, node)) };
  },
  async act(context, { node }) {
    const { committed, lacking } = await commitBeforeServing(context, node);
    const held = committed
      ? `the sessions held for the other node are in its kernel`
      : `its kernel holds the sessions already`;
    return {
      summary: `${node} can serve: ${held}${lacking > 0 ? `, except ${lacking}` : ''}`,
      changed: committed,
      lacking,
    };
  },
  undo: (_context, { node }) =>
    Promise.resolve({
      summary: `nothing to undo: ${node} keeps the sessions in its kernel until they expire`,
      changed: false,
    }),
  preview: (context, { node }) =>
    Promise.resolve({
      commands: driverOf(context.plan)
        .commands('commit')
        .map((command) => ({ host: hostNameOf(context.plan, node), command })),
      differences: [],
    }),
});

export interface CompareResult extends Finding {
  readonly difference: FlowDifference;
}

/** Whether `to` has the flows of `from`, by the two kernels. @throws VerifyFailed (transient) if not. */
export const compare = defineCheck<Direction, CompareResult, StateSyncPlan>({
  async check(context, { from, to }) {
    const { stateSync: spec } = context.plan;
    const [sender, receiver] = await Promise.all([hostOf(context, from), hostOf(context, to)]);
    const comparison = await comparing(context, driverOf(context.plan), spec, sender, receiver);
    const difference = await untilInSync(context, comparison, spec, { from, to });
    return { summary: `${to} has the sessions of ${from}: ${describeDifference(difference)}`, difference };
  },
});

export interface InSyncInput extends Direction {
  /** How often the watch will reseed: entries must live longer than that on the standby. */
  readonly reseedEveryMs?: number;
}

export interface InSyncResult extends Finding {
  readonly difference?: FlowDifference;
}

/** Readiness: can state be copied from `from` to `to`? Changes nothing. @throws NotReady with every fault. */
export const inSync = defineCheck<InSyncInput, InSyncResult, StateSyncPlan>({
  async check(context, input) {
    const { faults, difference } = await syncFaults(context, input);
    if (faults.length > 0) throw notReady(faults);
    return {
      summary: `session state is copied from ${input.from} to ${input.to}: ${difference === undefined ? 'not compared' : describeDifference(difference)}`,
      ...(difference === undefined ? {} : { difference }),
    };
  },
});

const notReady = (faults: readonly Fault[]) =>
  permanent('NotReady', `session state can’t be copied: ${faults.map((f) => `${f.where}: ${f.what}`).join('; ')}`, {
    faults,
  });

/** Everything that this folder runs as root, for the sudoers file of each node. */
export function sudoCommands(plan: StateSyncPlan): SudoCommand[] {
  const { sudo } = driverOf(plan);
  return Object.values(plan.nodes).flatMap(({ host }) => sudo.map((command) => ({ host, as: 'root', command })));
}
