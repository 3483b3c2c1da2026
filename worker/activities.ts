/** Puts the folders of activities together: one connection pool, and the places where one folder needs another. */
import { moveTraffic, pairReadiness, release } from '../activities/firewall-pair';
import {
  counted,
  formatFaults,
  leaving,
  permanent,
  registerActivities,
  type AnyPlan,
  type Finding,
  type StepContext,
  type WorkerServices,
} from '../activities/kit';
import * as loadBalancer from '../activities/load-balancer';
import { packageActivities, type Guards } from '../activities/packages';
import { panosActivities, panosServices } from '../activities/panos';
import * as parity from '../activities/parity';
import { probeFaults, registerProbes, sshLines, type MonitoringPlan, type ProbeServices } from '../activities/probes';
import * as routing from '../activities/routing';
import { createHosts } from '../activities/ssh';
import * as stateSync from '../activities/state-sync';
import * as xroad from '../activities/xroad';
import { coreActivities, type CoreSettings } from './core-activities';
import { evidenceIn } from './evidence';
import type { HistoryService } from './histories';
import type { OpenUpgrades } from './open-upgrades';
import { planActivities } from './plan';
import { procedureOf, proceduresWith } from './procedures';

export interface ActivityOptions extends CoreSettings {
  /** The inventory file; read again for every new run, never for a running one. */
  readonly inventory: string;
  /** …and finds upgrades that are under way; without it two clusters that share a node aren't noticed at a start. */
  readonly history?: HistoryService & OpenUpgrades;
  /** Directory that keeps whole outputs of commands for auditors; none are kept if left out. */
  readonly evidence?: string;
}

export interface HitlessActivities {
  readonly activities: Readonly<Record<string, (input: never) => Promise<unknown>>>;
  close(): void;
}

export function hitlessActivities(options: ActivityOptions): HitlessActivities {
  const devices = panosServices();
  const procedures = proceduresWith(devices);
  const of = (plan: unknown) => procedureOf(procedures, plan);
  const guards: Guards = { assertOutOfService: (context, node) => of(context.plan).assertOutOfService(context, node) };
  const hosts = createHosts();
  const services: WorkerServices = {
    connect: hosts.connect,
    ...(options.evidence === undefined ? {} : { openEvidence: evidenceIn(options.evidence) }),
  };
  const probes: ProbeServices = { ...services, openLines: sshLines(hosts.pool) };
  const probesReady = async (asked: StepContext<AnyPlan>): Promise<Finding> => {
    const context = asked as StepContext<MonitoringPlan>;
    const faults = await probeFaults(context, { ...probes, ...of(context.plan).probes });
    if (faults.length > 0) throw permanent('NotReady', `the probes can’t run:\n${formatFaults(faults)}`, { faults });
    return { summary: `${counted(context.plan.monitoring.probes.length, 'probe')} can run` };
  };
  const routingReady = (context: StepContext<AnyPlan>, input: routing.ReadyInput): Promise<Finding> =>
    routing.ready.check(context as StepContext<routing.RoutingPlan>, input);
  const heldDown: parity.HeldDown = (context, node) =>
    routing.heldDown(context as unknown as StepContext<routing.RoutingPlan>, node);
  const activities: HitlessActivities['activities'] = {
    ...coreActivities(options),
    ...planActivities(options.inventory, services, procedures, options.history),
    ...registerActivities('pair', { moveTraffic, release, ready: pairReadiness(probesReady) }, services),
    ...registerActivities('routing', routing, services),
    ...registerActivities('stateSync', stateSync, services),
    // What steering holds down isn't a node's doing.
    ...registerActivities('parity', { ...parity, unchanged: parity.unchangedBut(heldDown) }, services),
    ...registerActivities('packages', packageActivities(guards), services),
    ...registerActivities('loadBalancer', loadBalancer, services),
    ...registerActivities('xroad', { ...xroad, ready: xroad.xroadReadiness({ probes: probesReady }) }, services),
    ...registerActivities(
      'panos',
      panosActivities(devices, { probes: probesReady, routing: routingReady, prefer: routing.prefer }),
      services,
    ),
    ...registerProbes(probes, (plan) => of(plan).probes),
  };
  return {
    close: () => hosts.close(),
    // One door for all that fails, whoever throws it.
    activities: Object.fromEntries(Object.entries(activities).map(([type, activity]) => [type, leaving(activity)])),
  };
}
