/**
 * Upgrades an X-Road Security Server cluster behind an external load balancer, after chapter 7 of NIIS's "External Load
 * Balancer Installation Guide" (IG-XLB). Read it beside that document: its sections are named where they begin.
 */
import type * as loadBalancerActivities from '../activities/load-balancer';
import type { PackageActivities } from '../activities/packages';
import type * as probeActivities from '../activities/probes';
import type * as xroadActivities from '../activities/xroad';
import type { XroadPlan } from '../activities/xroad';
import type { PlanView, Report } from './contract';
import {
  handles,
  planOnly,
  upgrade,
  whereItWasLeft,
  type Action,
  type Body,
  type Context,
  type PlanBase,
} from './procedure';

const software = handles<PackageActivities>('packages');
const loadBalancer = handles<typeof loadBalancerActivities>('loadBalancer');
const xroad = handles<typeof xroadActivities>('xroad');
const probes = handles<typeof probeActivities>('probes');

export type XRoadClusterPlan = PlanBase & XroadPlan;
type Procedure = Context<XRoadClusterPlan>;

/** What takes minutes is repeated a few times, not for so many minutes each. */
const patience = { attempts: 4, intervalMs: 10_000 };
const A_MINUTE_MS = 60_000;

export const xroadCluster: Body<XRoadClusterPlan> = async (procedure) => {
  const { plan, check, step, gate, guarding } = procedure;
  const { primary, secondaries } = plan.roles;
  const { from, to } = plan.releases;
  const nodes = [primary, ...secondaries];

  await check('Check that the cluster is ready', xroad.ready({}), whereItWasLeft(plan));
  await step(
    'Stage both releases on all nodes',
    software.stage({ nodes, releases: [to, from] }, { timeoutMs: plan.software.stageTimeoutMs }),
    { keep: 'packages on disk do no harm' },
  );
  const baseline = await check('Record the baseline', probes.baseline({}));
  const how =
    plan.mode === 'offline' ? 'all nodes at once, in an announced outage' : `${primary} first, then one by one`;
  await gate('start', `Upgrade ${plan.cluster} from ${from} to ${to}: ${how}?`);

  if (plan.mode === 'offline') {
    await offline(procedure);
  } else {
    await pauseSecondaries(procedure);
    const paused = { name: 'Secondaries stay paused until their own turn', action: xroad.staysPaused({}) };
    await guarding(paused, { remedy: xroad.keepPaused({}) }, async () => {
      await check('Check that all secondaries are paused', xroad.paused({}));
      await upgradePrimary(procedure);
      const lsn = await recordPosition(procedure);
      await watched(procedure, primary, secondaries, baseline, 'secondaries');
      for (const [index, node] of secondaries.entries()) {
        await upgradeSecondary(procedure, node, lsn);
        await watched(procedure, node, secondaries.slice(index + 1), baseline, 'next');
      }
    });
  }

  // 6 "Verifying the setup"
  await check('Check the upgraded cluster', xroad.finalCheck({ release: to }));
  await check('Compare with the baseline', probes.final({ baseline }));
};

/** 7.2.1 "Pausing the database and configuration synchronization on the secondary nodes" */
async function pauseSecondaries({ plan, step, switchBackMeans }: Procedure): Promise<void> {
  switchBackMeans('messages are spread over all nodes: there is nothing to switch back');
  for (const node of plan.roles.secondaries) {
    await step(`Pause database replay on ${node}`, xroad.pauseReplay({ node }));
    await step(`Pause configuration synchronization on ${node}`, xroad.pauseSync({ node }));
  }
}

/** 7.2.2 "Upgrading the primary node" */
async function upgradePrimary(procedure: Procedure): Promise<void> {
  const { plan, check, pointOfNoReturn } = procedure;
  const node = plan.roles.primary;
  await takeOutAndStop(procedure, node);
  await check('Check that all secondaries are still paused', xroad.paused({}));
  await pointOfNoReturn(`the packages of ${node} change the schema of the database`);
  await exchangePackages(procedure, node);
  await start(procedure, node);
  await backInService(procedure, node);
}

/** Secondaries must have replayed all that the primary wrote while it was upgraded. */
const recordPosition = ({ check }: Procedure) =>
  check('Record the position of the primary’s database', xroad.walPosition({}));

/** 7.2.3 "Upgrading the secondary nodes": its numbered steps, in their order. */
async function upgradeSecondary(
  procedure: Procedure,
  node: string,
  position: Awaited<ReturnType<typeof recordPosition>>,
): Promise<void> {
  const { step } = procedure;
  await takeOutAndStop(procedure, node);
  await step(`Resume database replay on ${node}`, xroad.resumeReplay({ node, position }));
  await exchangePackages(procedure, node);
  await step(`Resume configuration synchronization on ${node}`, xroad.resumeSync({ node }), { stay: true });
  await step(`Copy the configuration to ${node}`, xroad.syncNow({ node }));
  await start(procedure, node);
  await backInService(procedure, node);
}

/** Out of service, drained, stopped; and packages can't start anything by themselves. */
async function takeOutAndStop(procedure: Procedure, node: string): Promise<void> {
  const { plan, check, step, switchBackMeans } = procedure;
  switchBackMeans(`${node} is being upgraded and serves nobody; the other nodes do`);
  if (usesLoadBalancer(plan)) await step(`Take ${node} out at the load balancer`, loadBalancer.takeOut({ node }));
  if (usesMaintenance(plan)) await step(`Switch maintenance mode of ${node} on`, xroad.maintenanceOn({ node }));
  const drain = await check(
    `Wait until ${node} has no connections`,
    xroad.drained({ node }, { timeoutMs: plan.xroad.drain.timeoutMs + A_MINUTE_MS, patience }),
    { goOn: { on: 'NotDrained', means: 'the connections that are left are lost' } },
  );
  await step(
    `Stop the services of ${node}`,
    xroad.stopServices({ node, drain }, { timeoutMs: 5 * A_MINUTE_MS, patience }),
  );
  await step(`Keep the services of ${node} from starting by themselves`, xroad.forbidStart({ node }));
}

async function exchangePackages({ plan, check, step }: Procedure, node: string): Promise<void> {
  const { from, to } = plan.releases;
  const { installTimeoutMs, reboot, rebootTimeoutMs } = plan.software;
  await step(
    `Upgrade ${node} to ${to}`,
    xroad.upgradePackages(
      { node, release: to, previous: from },
      { timeoutMs: installTimeoutMs + A_MINUTE_MS, patience },
    ),
  );
  if (reboot)
    await step(
      `Restart ${node}`,
      software.restart({ node, release: to }, { timeoutMs: rebootTimeoutMs + A_MINUTE_MS, patience }),
    );
  await check(`Check the packages and the database of ${node}`, xroad.upgraded({ node, release: to }));
}

async function start({ plan, check, step }: Procedure, node: string): Promise<void> {
  const { services, health } = plan.xroad;
  await step(`Allow the services of ${node} to start`, xroad.allowStart({ node }));
  const timeoutMs = services.startTimeoutMs + services.settleMs + A_MINUTE_MS;
  await step(`Start the services of ${node}`, xroad.startServices({ node }, { timeoutMs, patience }));
  await check(
    `Check that ${node} can sign`,
    xroad.tokensActive({ node }, { timeoutMs: plan.xroad.token.waitMs + A_MINUTE_MS, patience }),
    { task: { on: 'PinNeeded', ask: 'pin' } },
  );
  await check(
    `Wait until ${node} is healthy`,
    xroad.healthy({ node }, { timeoutMs: health.timeoutMs + health.spanMs + A_MINUTE_MS, patience }),
  );
}

async function backInService({ plan, step }: Procedure, node: string): Promise<void> {
  // A start of the proxy has switched it off already; where it didn't restart, this does.
  if (usesMaintenance(plan)) await step(`Switch maintenance mode of ${node} off`, xroad.maintenanceOff({ node }));
  if (usesLoadBalancer(plan)) await step(`Put ${node} back at the load balancer`, loadBalancer.putBack({ node }));
}

/** Lets the upgraded node serve for a while before the next one is touched. */
async function watched(
  { plan, watching, atLeast, gate }: Procedure,
  node: string,
  waiting: readonly string[],
  baseline: { readonly given: number },
  gateId: 'secondaries' | 'next',
): Promise<void> {
  const others = [plan.roles.primary, ...plan.roles.secondaries].filter((name) => name !== node);
  const action = probes.watch({ serving: node, escapeTo: others[0] ?? '', baseline });
  const { to } = plan.releases;
  await watching({ name: `Watch ${to} on ${node}`, action }, { escape: standAside(plan, node) }, async () => {
    await atLeast(`Monitoring period of ${node}`, plan.monitoring.periodMs);
    if (waiting.length > 0)
      await gate(gateId, `Upgrade ${waiting[0]} next? ${node} has served ${to} through its monitoring period.`);
  });
}

/** 7.1 "Offline upgrade": all nodes stopped, the primary first, everything copied before anything is started. */
async function offline(procedure: Procedure): Promise<void> {
  const { plan, check, step, pointOfNoReturn } = procedure;
  const { primary, secondaries } = plan.roles;
  const nodes = [primary, ...secondaries];
  for (const node of nodes) {
    if (usesLoadBalancer(plan))
      await step(`Take ${node} out at the load balancer`, loadBalancer.takeOut({ node, outage: true }));
    if (usesMaintenance(plan)) await step(`Switch maintenance mode of ${node} on`, xroad.maintenanceOn({ node }));
  }
  for (const node of nodes) {
    const drain = await check(
      `Wait until ${node} has no connections`,
      xroad.drained({ node }, { timeoutMs: plan.xroad.drain.timeoutMs + A_MINUTE_MS, patience }),
      { goOn: { on: 'NotDrained', means: 'the connections that are left are lost' } },
    );
    await step(`Stop the services of ${node}`, xroad.stopServices({ node, drain }, { patience }));
    await step(`Keep the services of ${node} from starting by themselves`, xroad.forbidStart({ node }));
  }
  await pointOfNoReturn(`the packages of ${primary} change the schema of the database`);
  await exchangePackages(procedure, primary);
  const position = await recordPosition(procedure);
  for (const node of secondaries) {
    await check(`Wait until ${node} has replayed the primary’s changes`, xroad.caughtUp({ node, position }));
    await step(`Copy the configuration to ${node}`, xroad.syncNow({ node }));
    await exchangePackages(procedure, node);
    await step(`Copy the configuration to ${node} once more`, xroad.syncNow({ node }));
  }
  for (const node of nodes) {
    await start(procedure, node);
    await backInService(procedure, node);
  }
}

/** A bad release is answered by taking its node out of service: the others go on with theirs. */
const standAside = (plan: XRoadClusterPlan, node: string): Action<'step'> =>
  usesLoadBalancer(plan) ? loadBalancer.takeOut({ node }) : xroad.maintenanceOn({ node });

const usesLoadBalancer = ({ loadBalancer: section, xroad: { outOfService } }: XRoadClusterPlan): boolean =>
  section !== undefined && outOfService !== 'maintenance';
const usesMaintenance = ({ xroad: { outOfService } }: XRoadClusterPlan): boolean => outOfService !== 'load-balancer';

/** Start it as `upgrade-<cluster>` with {"cluster":"ss-prod","version":"7.8.0","requestedBy":"alice"}. */
export const upgradeXRoadCluster = (...inputs: unknown[]): Promise<Report> =>
  upgrade('x-road-cluster', xroadCluster, inputs, xroad.release({}, { patience: { attempts: 3, intervalMs: 2_000 } }));

/** The dry run, as `plan-<cluster>`, also beside a running upgrade. */
export const planXRoadCluster = (...inputs: unknown[]): Promise<PlanView> =>
  planOnly('x-road-cluster', xroadCluster, inputs);
