/**
 * Readiness before anything is changed: hosts, and one list of faults over all folders. Registered as `readiness`, with
 * the two checks that the worker makes of what the other folders offer:
 *
 *   registerActivities('readiness', { nodes, access: accessCheck(sudoCommandsOf), check: readinessCheck({ … }) }, services)
 */
import { defineCheck, type Finding } from '../kit';
import { nodeFaults, nodeHost } from './nodes';
import { notReady } from './registry';
import type { ReadinessPlan } from './spec';

export { readinessSpec, type ReadinessPlan, type ReadinessSpec } from './spec';
export { accessCheck, type SudoCommand } from './access';
export { readMachineId, toldApart } from './machine-id';
export { faultsOf, readinessCheck, type CheckedResult, type Checker } from './registry';

export interface NodesInput {
  /** All nodes of the plan if left out. */
  readonly nodes?: readonly string[];
}

/** Disk room, nobody else changing, no reboot pending, nothing failed. @throws NotReady with every fault of every node. */
export const nodes = defineCheck<NodesInput, Finding, ReadinessPlan>({
  async check(context, { nodes: names = Object.keys(context.plan.nodes) }) {
    const lists = await Promise.all(
      names.map(async (name) => {
        const host = await nodeHost(context, name);
        return nodeFaults(host, context.plan.readiness);
      }),
    );
    context.signal.throwIfAborted();
    const found = lists.flat();
    if (found.length > 0) throw notReady(found);
    return { summary: `${names.join(' and ')} have room, nobody else changes them, nothing is failed or pending` };
  },
});
