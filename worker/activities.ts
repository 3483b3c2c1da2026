/** Puts the folders of activities together: one connection pool, and the places where one folder needs another. */
import { assertOutOfService, completePlan, moveTraffic, pairProbes } from '../activities/firewall-pair';
import { registerActivities, type WorkerServices } from '../activities/kit';
import { packageActivities } from '../activities/packages';
import * as parity from '../activities/parity';
import { registerProbes, sshLines } from '../activities/probes';
import { readinessActivities } from '../activities/readiness';
import * as routing from '../activities/routing';
import { createHosts } from '../activities/ssh';
import * as stateSync from '../activities/state-sync';
import { coreActivities, type CoreSettings } from './core-activities';
import { keepEvidenceIn } from './evidence';
import { planActivity } from './plan';

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
  const hosts = createHosts();
  const services: WorkerServices = {
    connect: hosts.connect,
    ...(options.evidence === undefined ? {} : { keepEvidence: keepEvidenceIn(options.evidence) }),
  };
  const probes = { ...services, openLines: sshLines(hosts.pool), ...pairProbes };
  return {
    close: () => hosts.close(),
    activities: {
      ...coreActivities(options),
      'plan.resolve': planActivity(options.inventory, services, { 'firewall-pair': completePlan }),
      ...registerActivities('pair', { moveTraffic }, services),
      ...registerActivities('routing', routing, services),
      ...registerActivities('stateSync', stateSync, services),
      ...registerActivities('parity', parity, services),
      ...registerActivities('packages', packageActivities({ assertOutOfService }), services),
      ...registerActivities('readiness', readinessActivities, services),
      ...registerProbes(probes),
    },
  };
}
