import { sudoCommands as probeCommands } from '../probes';
import type { SudoCommand } from '../readiness';
import { sudoCommands as routingCommands, type RoutingPlan } from '../routing';
import type { PanosStatic } from './plan';

/** Commands that an upgrade runs as another user: on the routers and probe hosts alone, devices are reached by their API. */
export const sudoCommandsOf = (plan: PanosStatic): SudoCommand[] => [
  ...(plan.routing === undefined ? [] : routingCommands(plan as PanosStatic & RoutingPlan)),
  ...probeCommands(plan.monitoring),
];
