import { formatFaults, transient, type StepContext } from '../kit';
import { confirmIdle, look, whoServes } from '../routing';
import type { FirewallPairPlan } from './plan';

/** The guard before packages are exchanged or a node is rebooted looks for this long, on every attempt. */
const LOOK_FOR_MS = 2_000;

/**
 * No user traffic passes through the node, by routes and by its own counters, and the other node serves.
 * @throws GuardRefused (transient)
 */
export async function assertOutOfService(context: StepContext<FirewallPairPlan>, node: string): Promise<void> {
  const { node: serving, faults } = whoServes(await look(context));
  if (serving === undefined || serving === node) {
    const why = serving === node ? `${node} serves` : `no single node serves:\n${formatFaults(faults)}`;
    throw transient('GuardRefused', `${node} was not touched: ${why}`, { node, faults });
  }
  await confirmIdle.check(context, { node, forMs: LOOK_FOR_MS });
}
