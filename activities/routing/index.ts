/**
 * Traffic of an active/standby pair: moving it between the nodes, and knowing where it goes. Facts: firewall-pair §0–§4, §6,
 * §7, §12. Registered as `routing`.
 */
import { sudoersCommand } from '../ssh/quote';
import { counterSudo, countersOf } from './counters';
import { driverFor, hostOfNode, nodesOf } from './drivers';
import type { RoutingPlan } from './spec';
import type { Host } from '../kit';

export { prefer, type PreferBefore, type PreferInput, type PreferResult } from './prefer';
export {
  confirmIdle,
  serving,
  verifyServing,
  type IdleInput,
  type IdleResult,
  type ServingResult,
  type VerifyServingInput,
  type VerifyServingResult,
} from './traffic';
export {
  readiness,
  readRoles,
  ready,
  survey,
  type Readiness,
  type ReadyInput,
  type ReadyResult,
  type SurveyResult,
} from './ready';
export { look, settle } from './look';
export { notAble, unmet, whoServes, type Serving } from './serving';
export { routingSpec, type OriginalRouting, type RoutingPlan, type RoutingPlanSection, type RoutingSpec } from './spec';

/** One command that this folder runs as root. */
export interface SudoNeed {
  /** Name under `hosts` in the plan. */
  readonly host: string;
  readonly as: string;
  readonly argv: readonly string[];
}

/** Everything that this folder runs as root, with arguments as they will be. */
export function sudoNeeds(plan: RoutingPlan): SudoNeed[] {
  const needs = [
    ...Object.entries(plan.routing.routers).flatMap(([name, spec]) =>
      driverFor(name, spec, unused)
        .sudo(plan.routing.original?.[name]?.owned)
        .map((argv) => ({ host: spec.host, argv })),
    ),
    ...nodesOf(plan).flatMap((node) =>
      countersOf(plan, node).flatMap((counter) =>
        counterSudo(counter).map((argv) => ({ host: hostOfNode(plan, node), argv })),
      ),
    ),
  ];
  return needs.map((need) => ({ ...need, as: 'root' }));
}

/** The same in sudoers syntax. */
export const sudoCommands = (plan: RoutingPlan): { host: string; as: string; command: string }[] =>
  sudoNeeds(plan).map(({ host, as, argv }) => ({ host, as, command: sudoersCommand(argv) }));

/** Listing commands needs no host. */
const unused = new Proxy({} as Host, {
  get: (_target, property) => {
    throw new Error(`no host to ${String(property)} on`);
  },
});
