/** Whether HA is as the run left it while a member is watched. Pure but for the reading of routers, where traffic is steered there. */
import type { Owned, Watched } from '../probes';
import { ownedRouting, type RoutingPlan } from '../routing';
import type { StepContext } from '../kit';
import { describeState } from './ha';
import { answering, readPair, servingMembers, type PairReading } from './pair';
import { nodeNames, type PanosContext, type PanosPlan, type PanosServices } from './plan';
import { offOf, preferredOf } from './preemption';

/** What others changed of HA, and who leads. @throws Unreachable (transient) if a member can’t be read */
export function ownedHa(plan: PanosPlan, reading: PairReading, { serving, escapeTo }: Watched): Owned {
  const leader = servingMembers(reading).find(({ state }) => state !== 'active-secondary')?.node;
  const other = answering(reading, escapeTo);
  const faults = [
    ...Object.entries(offOf(plan))
      .filter(([node, value]) => answering(reading, node).preemptive !== value)
      .map(
        ([node, value]) =>
          `preemption of ${node} is ${value ? 'off' : 'on'}, and this run left it ${value ? 'on' : 'off'}`,
      ),
    // It is left suspended when traffic has moved; until then it leads.
    ...(leader === serving && other.state !== 'suspended'
      ? [`${escapeTo} is ${describeState(other)}, and this run left it suspended`]
      : []),
  ];
  return {
    asWanted: faults.length === 0,
    ...(faults.length === 0 ? {} : { why: faults.join('; ') }),
    ...(leader === undefined ? {} : { leadsTo: leader }),
  };
}

/** Why the other member, once it leads again, wouldn’t stay the one that does. */
export function preemptsBack(plan: PanosPlan, reading: PairReading, { serving }: Watched): string | undefined {
  if (!nodeNames(plan).every((node) => reading.members[node]?.answers === true)) return undefined;
  return preferredOf(plan, reading, {}) === serving
    ? `preemption is on on both, and ${serving} would take traffic back by it`
    : undefined;
}

const isSteered = (context: PanosContext): context is PanosContext & StepContext<RoutingPlan & PanosPlan> =>
  context.plan.routed !== undefined;

export async function owned(context: PanosContext, services: PanosServices, watched: Watched): Promise<Owned> {
  const ha = ownedHa(context.plan, await readPair(context, services), watched);
  if (!isSteered(context)) return ha;
  const routing = await ownedRouting(context, context.plan.routed ?? watched.escapeTo);
  const whys = [ha.why, routing.why].filter((why) => why !== undefined);
  return {
    ...ha,
    asWanted: ha.asWanted && routing.asWanted,
    ...(whys.length === 0 ? {} : { why: whys.join('; ') }),
  };
}
