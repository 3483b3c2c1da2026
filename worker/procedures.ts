/**
 * What activities that procedures share ask of each: how its plan is completed, what its probes ask, what guards its
 * packages, what it runs as another user. A new kind of cluster is one entry more.
 */
import * as pair from '../activities/firewall-pair';
import { permanent, type AnyPlan, type StepContext } from '../activities/kit';
import type { Guards } from '../activities/packages';
import * as panos from '../activities/panos';
import type { ProbeAnswers } from '../activities/probes';
import type { SudoCommand } from '../activities/readiness';
import * as xroad from '../activities/xroad';
import type { ClusterKind } from '../workflows/contract';

/** Plans reach shared activities without their type; each procedure gets those of its own kind. */
interface Procedure extends Guards {
  readonly complete: (context: StepContext<AnyPlan>) => Promise<unknown>;
  readonly probes: ProbeAnswers;
}
type Procedures = Readonly<Record<ClusterKind, Procedure>>;

export const proceduresWith = (devices: panos.PanosServices): Procedures => ({
  'firewall-pair': {
    complete: pair.completePlan,
    probes: pair.pairProbes,
    assertOutOfService: pair.assertOutOfService,
  },
  'x-road-cluster': {
    complete: xroad.completeXroadPlan,
    probes: xroad.xroadProbes,
    assertOutOfService: xroad.assertOutOfService,
  },
  'panos-pair': {
    complete: panos.completePlan(devices),
    probes: panos.panosProbes(devices),
    assertOutOfService: () =>
      Promise.reject(
        permanent('InvalidInput', 'devices of a PAN-OS pair have images, no packages: nothing was touched'),
      ),
  },
});

/** Every command that an upgrade runs as another user, on the hosts of its plan. */
export const sudoCommandsBy: Readonly<Record<ClusterKind, (plan: AnyPlan) => readonly SudoCommand[]>> = {
  'firewall-pair': pair.sudoCommandsOf,
  'x-road-cluster': xroad.sudoCommandsOf,
  'panos-pair': panos.sudoCommandsOf,
};

/** @throws InvalidInput for a plan of a build that knows more procedures than this one. */
export function procedureOf(procedures: Procedures, plan: unknown): Procedure {
  const { procedure = 'nothing' } = (plan ?? {}) as { readonly procedure?: string };
  if (Object.hasOwn(procedures, procedure)) return procedures[procedure as ClusterKind];
  throw permanent('InvalidInput', `this worker knows no procedure ${procedure}`);
}
