/** Whether the routing is as a run left it. Read only, for whoever watches between two steps. */
import type { Fault, StepContext } from '../kit';
import { look } from './look';
import { steeringOf } from './methods';
import { whoServes } from './serving';
import type { RoutingPlan } from './spec';

export interface OwnedRouting {
  readonly asWanted: boolean;
  readonly why?: string;
  /** The one node that all traffic goes through. */
  readonly leadsTo?: string;
}

/** `originally`: the node that served when the plan was made, and that its original configuration prefers. */
export async function ownedRouting(context: StepContext<RoutingPlan>, originally: string): Promise<OwnedRouting> {
  const { node } = whoServes(await look(context));
  const changed = await steeringOf(context).changed(node, originally);
  return {
    asWanted: changed.length === 0,
    ...(changed.length === 0 ? {} : { why: changed.join('; ') }),
    ...(node === undefined ? {} : { leadsTo: node }),
  };
}

export const escapeFaults = (context: StepContext<RoutingPlan>): Promise<Fault[]> => steeringOf(context).escapeFaults();
