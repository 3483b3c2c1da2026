import type { StepContext } from '../kit';
import { bgpPolicy } from './bgp-policy';
import { interfaceDown } from './interface-down';
import { sessionShutdown } from './session-shutdown';
import type { RoutingPlan, SteeringSpec } from './spec';
import type { Steering } from './steering';

/** A new way to move traffic is one new line here. */
const methods: Readonly<Record<SteeringSpec['method'], (context: StepContext<RoutingPlan>) => Steering>> = {
  'bgp-policy': bgpPolicy,
  'session-shutdown': sessionShutdown,
  'interface-down': interfaceDown,
};

/** The way in which this plan moves traffic. */
export const steeringOf = (context: StepContext<RoutingPlan>): Steering =>
  methods[context.plan.routing.steering.method](context);
