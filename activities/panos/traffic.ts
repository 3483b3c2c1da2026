/**
 * Does traffic pass through a member that has just begun to serve? Its routing, as the snapshot before the upgrade had it.
 * Source: facts/pan-os.md, section 10: a passive member has no BGP sessions; the new active one establishes them again.
 */
import { messageOf, permanent, type StepContext } from '../kit';
import type { PanosPlan, PanosServices } from './plan';
import { compareSnapshots, readSnapshot, type Snapshot } from './readiness';

/** By node. */
export type Snapshots = Readonly<Record<string, Snapshot>>;

export interface TrafficInput {
  readonly node: string;
  readonly snapshot: { readonly serving: string; readonly snapshots: Snapshots };
}

/**
 * Waits until what the member carries is within the thresholds of what was carried before.
 * @throws NotConverged (permanent: routing has had its time) with every difference that is left
 */
export async function assertTraffic(
  context: StepContext<PanosPlan>,
  services: PanosServices,
  { node, snapshot }: TrafficInput,
): Promise<string> {
  const { plan } = context;
  const { convergeTimeoutMs, pollMs } = plan.panos.timing;
  // Of an active/passive pair the passive one carried nothing: what counts is what the active one did.
  const before = snapshot.snapshots[plan.mode === 'active-passive' ? snapshot.serving : node];
  if (before === undefined) return 'no snapshot to compare with';
  const device = services.device(context, node);
  const until = services.now() + convergeTimeoutMs;
  for (;;) {
    let missing: string;
    try {
      const differences = compareSnapshots(before, await readSnapshot(device), plan.panos.thresholds);
      if (differences.length === 0) return `${node} carries what was carried before`;
      missing = differences.map(({ what }) => what).join('; ');
    } catch (error) {
      context.signal.throwIfAborted();
      missing = messageOf(error);
    }
    if (services.now() > until)
      throw permanent('NotConverged', `${node} serves, but not as before the upgrade: ${missing}`);
    context.progress(`waiting for ${node} to carry what was carried before: ${missing}`);
    await context.pause(pollMs);
  }
}
