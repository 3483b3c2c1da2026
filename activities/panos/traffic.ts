/**
 * Does traffic pass through a member that has just begun to serve? What it carries now against what was carried before.
 * Source: facts/pan-os.md, section 10: a passive member has no BGP sessions; the new active one establishes them again.
 */
import { messageOf, permanent, type StepContext } from '../kit';
import type { PanosPlan, PanosServices } from './plan';
import { compareSnapshots, readSnapshot, type Difference, type Snapshot } from './readiness';

/** By node. */
export type Snapshots = Readonly<Record<string, Snapshot>>;
export interface Recorded {
  readonly serving: string;
  readonly snapshots: Snapshots;
}

/** What is held against what was before. */
const kinds = {
  /** After a failover: all that was carried a moment ago. */
  all: () => true,
  /** Hours later: users come and go, neighbours and routes don't. */
  lasting: ({ of }: Difference) => of !== 'sessions' && of !== 'ARP entries',
  /** Of a member that is back beside one that serves: its adjacencies. */
  neighbors: ({ of }: Difference) => of === 'BGP peers' || of.startsWith('prefixes'),
} as const;

export interface TrafficInput {
  readonly node: string;
  readonly before: Snapshot;
  readonly kind: keyof typeof kinds;
}

/** Of an active/passive pair the passive one carried nothing: what counts is what the one did that served. */
export const carriedBy = (
  { mode }: Pick<PanosPlan, 'mode'>,
  { serving, snapshots }: Recorded,
  node: string,
): Snapshot | undefined => snapshots[mode === 'active-passive' ? serving : node];

/**
 * Waits until what the member carries is within the thresholds of what was carried before.
 * @throws NotConverged (permanent: routing has had its time) with every difference that is left
 */
export async function assertTraffic(
  context: StepContext<PanosPlan>,
  services: PanosServices,
  { node, before, kind }: TrafficInput,
): Promise<string> {
  const { thresholds, timing } = context.plan.panos;
  const device = services.device(context, node);
  const until = services.now() + timing.convergeTimeoutMs;
  for (;;) {
    let missing: string;
    try {
      const differences = compareSnapshots(before, await readSnapshot(device), thresholds).filter(kinds[kind]);
      if (differences.length === 0) return `${node} carries what was carried before`;
      missing = differences.map(({ what }) => what).join('; ');
    } catch (error) {
      context.signal.throwIfAborted();
      missing = messageOf(error);
    }
    if (services.now() > until) throw permanent('NotConverged', `${node} serves, but not as before: ${missing}`);
    context.progress(`waiting for ${node} to carry what was carried before: ${missing}`);
    await context.pause(timing.pollMs);
  }
}
