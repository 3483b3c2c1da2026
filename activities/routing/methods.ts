import type { StepContext } from '../kit';
import { bgpPolicy } from './bgp-policy';
import type { RoutingPlan } from './spec';
import type { Steering } from './steering';

/** The way in which this plan moves traffic. */
export function steeringOf(context: StepContext<RoutingPlan>): Steering {
  const { method } = context.plan.routing.steering;
  switch (method) {
    case 'bgp-policy':
      return bgpPolicy(context);
    default:
      throw new Error(method);
  }
}
