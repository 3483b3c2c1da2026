/** Puts the folders of activities together: one connection pool, and the places where one folder needs another. */
import {
  assertOutOfService,
  completePlan,
  moveTraffic,
  pairProbes,
  pairReadiness,
  release,
  type FirewallPairPlan,
} from '../activities/firewall-pair';
import {
  formatFaults,
  permanent,
  registerActivities,
  type Finding,
  type StepContext,
  type WorkerServices,
} from '../activities/kit';
import { packageActivities } from '../activities/packages';
import * as parity from '../activities/parity';
import { probeFaults, registerProbes, sshLines } from '../activities/probes';
import * as routing from '../activities/routing';
import { createHosts } from '../activities/ssh';
import * as stateSync from '../activities/state-sync';
import { coreActivities, type CoreSettings } from './core-activities';
import { keepEvidenceIn } from './evidence';
import { planActivity } from './plan';

/** A dump of a million flows. */
const OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024;

export interface ActivityOptions extends CoreSettings {
  /** The inventory file; read again for every new run, never for a running one. */
  readonly inventory: string;
  /** Directory that keeps whole outputs of commands for auditors; none are kept if left out. */
  readonly evidence?: string;
}

export interface HitlessActivities {
  readonly activities: Readonly<Record<string, (input: never) => Promise<unknown>>>;
  close(): void;
}

export function hitlessActivities(options: ActivityOptions): HitlessActivities {
  const hosts = createHosts({ outputLimitBytes: OUTPUT_LIMIT_BYTES });
  const services: WorkerServices = {
    connect: hosts.connect,
    ...(options.evidence === undefined ? {} : { keepEvidence: keepEvidenceIn(options.evidence) }),
  };
  const probes = { ...services, openLines: sshLines(hosts.pool), ...pairProbes };
  const probesReady = async (context: StepContext<FirewallPairPlan>): Promise<Finding> => {
    const faults = await probeFaults(context, probes);
    if (faults.length > 0) throw permanent('NotReady', `the probes can’t run:\n${formatFaults(faults)}`, { faults });
    return { summary: `${context.plan.monitoring.probes.length} probes can run` };
  };
  return {
    close: () => hosts.close(),
    activities: {
      ...coreActivities(options),
      'plan.resolve': planActivity(options.inventory, services, { 'firewall-pair': completePlan }),
      ...registerActivities('pair', { moveTraffic, release, ready: pairReadiness(probesReady) }, services),
      ...registerActivities('routing', routing, services),
      ...registerActivities('stateSync', stateSync, services),
      ...registerActivities('parity', parity, services),
      ...registerActivities('packages', packageActivities({ assertOutOfService }), services),
      ...registerProbes(probes),
    },
  };
}
