/**
 * Traffic of an active/standby pair: moving it between the nodes, and knowing where it goes. Facts: firewall-pair §0–§4, §6,
 * §7, §12. Registered as `routing`.
 */
import { sudoToWrite } from '../ssh/files';
import { sudoersCommand } from '../ssh/quote';
import { counterSudo, countersOf } from './counters';
import { driverFor, hostOfNode, nodesOf } from './drivers';
import { interfaceSudo } from './interface-down';
import { sessionSudo } from './session-shutdown';
import type { RoutingPlan } from './spec';
import type { Host } from '../kit';

export { prefer, routingChanged, type PreferBefore, type PreferInput, type PreferResult } from './prefer';
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
export { escapeFaults, ownedRouting, type OwnedRouting } from './owned';
export { heldDown } from './interface-down';
export { changedHosts } from './owning';
export { notAble, unmet, whoServes, type Serving } from './serving';
export { routingSpec, type OriginalRouting, type RoutingPlan, type RoutingPlanSection, type RoutingSpec } from './spec';

/** One command that this folder runs as root. */
export interface SudoNeed {
  /** Name under `hosts` in the plan. */
  readonly host: string;
  readonly as: string;
  readonly argv: readonly string[];
  /** Refused, something can't be told, and the step goes on. */
  readonly optional?: true;
}

/** Everything that this folder runs as root, with arguments as they will be; files that it writes are apart. */
export function sudoNeeds(plan: RoutingPlan): SudoNeed[] {
  const routers = Object.entries(plan.routing.routers).flatMap(([name, spec]) => {
    const driver = driverFor(name, spec, unused);
    return [
      ...driver.sudo(plan.routing.original?.[name]?.owned).map((argv) => ({ host: spec.host, argv })),
      ...driver.sudoIfAllowed.map((argv) => ({ host: spec.host, argv, optional: true as const })),
    ];
  });
  const counters = nodesOf(plan).flatMap((node) =>
    countersOf(plan, node).flatMap((counter) =>
      counterSudo(counter).map((argv) => ({ host: hostOfNode(plan, node), argv })),
    ),
  );
  return [...routers, ...counters, ...methodSudo(plan)].map((need) => ({ ...need, as: 'root' }));
}

const methodSudo = (plan: RoutingPlan): { readonly host: string; readonly argv: readonly string[] }[] => {
  switch (plan.routing.steering.method) {
    case 'bgp-policy':
      return [];
    case 'session-shutdown':
      return sessionSudo(plan);
    case 'interface-down':
      return interfaceSudo(plan).commands;
  }
};

/** The same in sudoers syntax, with what writing files takes. */
export const sudoCommands = (
  plan: RoutingPlan,
): { host: string; as: string; command: string; readonly optional?: true }[] => [
  ...sudoNeeds(plan).map(({ argv, ...need }) => ({ ...need, command: sudoersCommand(argv) })),
  ...(plan.routing.steering.method === 'interface-down' ? interfaceSudo(plan).files : []).flatMap(({ host, path }) =>
    sudoToWrite(path).map((command) => ({ host, as: 'root', command })),
  ),
];

/** Listing commands needs no host. */
const unused = new Proxy({} as Host, {
  get: (_target, property) => {
    throw new Error(`no host to ${String(property)} on`);
  },
});
