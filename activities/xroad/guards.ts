/**
 * What must hold before something is done that could harm: read from the nodes themselves, on every attempt. Facts §6
 * (invariants), §5.1, §5.8.
 */
import { formatFaults, permanent, transient, type AnyPlan, type Fault, type Host, type StepContext } from '../kit';
import { isServing, isTakenOut, lookAtAll, describeServer, serversOf, type LoadBalancerPlan } from '../load-balancer';
import { changelogOf, compareLsn, identityOf, positionOf, standbyOf, type Changelog } from './database';
import { describeHealth, healthOf, nextFor } from './health';
import { isMasked, isStopped, packageFaults, readPackages, readServices } from './node';
import { hostOf, nodeNames, otherNodes, type XroadContext, type XroadPlan } from './plan';
import { pausedFaults, resumedFaults } from './paused';
import { describeUnit, type PackageState, type Unit } from './text';

/** Other nodes that can't carry this one's messages, by their own health ports. */
export async function othersHealthFaults(context: XroadContext, node: string): Promise<Fault[]> {
  const { plan } = context;
  const looks = await Promise.all(
    otherNodes(plan, node).map(async (name) => ({ name, health: await healthOf(plan, await hostOf(context, name)) })),
  );
  return looks.flatMap(({ name, health }) =>
    health.kind === 'ok'
      ? []
      : [{ where: name, what: `is ${describeHealth(health, plan.xroad.health)}`, next: nextFor(health) }],
  );
}

/** The context as the folder of load balancers wants it; undefined where the plan has none. */
export function atLoadBalancer(context: XroadContext): StepContext<LoadBalancerPlan> | undefined {
  const { loadBalancer } = context.plan;
  if (loadBalancer === undefined) return undefined;
  return { ...context, plan: { ...context.plan, loadBalancer } };
}

/** Nodes are taken out at the load balancer, not by their health ports alone. */
export const usesLoadBalancer = ({ xroad, loadBalancer }: Pick<XroadPlan, 'xroad' | 'loadBalancer'>): boolean =>
  loadBalancer !== undefined && xroad.outOfService !== 'maintenance';

/** Why new connections may still reach the node. */
export async function reachableFaults(context: XroadContext, node: string): Promise<Fault[]> {
  const balancer = atLoadBalancer(context);
  if (usesLoadBalancer(context.plan) && balancer !== undefined) {
    const servers = serversOf(balancer.plan, await lookAtAll(balancer), node);
    return servers
      .filter((s) => !isTakenOut(s))
      .map((s) => ({ where: node, what: `is not taken out at the load balancer: ${describeServer(s)}` }));
  }
  const health = await healthOf(context.plan, await hostOf(context, node));
  // A check that fails may recover at any time.
  if (health.kind === 'maintenance' || health.kind === 'refused') return [];
  return [{ where: node, what: `is ${describeHealth(health, context.plan.xroad.health)}, so it isn’t out of service` }];
}

/** In a rolling upgrade the other nodes serve: healthy, and with connections from the load balancer. */
export async function othersFaults(context: XroadContext, node: string): Promise<Fault[]> {
  const { plan } = context;
  if (plan.mode === 'offline') return [];
  const balancer = atLoadBalancer(context);
  const all = balancer === undefined ? [] : await lookAtAll(balancer);
  const atBalancer = otherNodes(plan, node).flatMap((name) =>
    balancer === undefined
      ? []
      : serversOf(balancer.plan, all, name)
          .filter((s) => !isServing(s))
          .map((s) => ({ where: name, what: `isn’t in service: ${describeServer(s)}` })),
  );
  return [...(await othersHealthFaults(context, node)), ...atBalancer];
}

/** @throws GuardRefused (transient) with every fault, saying what wasn't done. */
export function refuseIf(faults: readonly Fault[], what: string): void {
  if (faults.length === 0) return;
  throw transient('GuardRefused', `${what}:\n${formatFaults(faults)}\nThis is tried again.`, { faults });
}

/**
 * Before services of a node are stopped: nothing new reaches it, others serve, and before the primary is touched every
 * secondary is paused. @throws GuardRefused
 */
export async function assertMayStop(context: XroadContext, node: string): Promise<void> {
  const { plan } = context;
  const isFirst = node === plan.roles.primary && plan.mode === 'rolling';
  refuseIf(
    [
      ...(await reachableFaults(context, node)),
      ...(await othersFaults(context, node)),
      ...(isFirst ? await pausedFaults(context, plan.roles.secondaries) : []),
    ],
    `the services of ${node} were not stopped`,
  );
}

/** Units that run, or could be started by a package. */
function startFaults(node: string, units: readonly Unit[]): Fault[] {
  return units.flatMap((unit) => [
    ...(isStopped(unit) ? [] : [{ where: node, what: `${describeUnit(unit)}, and should be stopped` }]),
    ...(isMasked(unit) ? [] : [{ where: node, what: `${unit.unit} isn’t masked: its package would start it` }]),
  ]);
}

/**
 * Before packages of a node are exchanged: its services are stopped and can't be started, nothing reaches it, and
 * - rolling, primary: every secondary is paused, so that none gets the new schema under old code;
 * - rolling, secondary: the primary has the target and is healthy, and this node has replayed its schema;
 * - offline: every other node is stopped too, or on the target already.
 * Made for `packageActivities`, which asks before anything is changed, on every attempt.
 * @throws GuardRefused
 */
export async function assertOutOfService(anyContext: StepContext<AnyPlan>, node: string): Promise<void> {
  const context = anyContext as XroadContext;
  const { plan } = context;
  const units = await readServices(await hostOf(context, node));
  const isPrimary = node === plan.roles.primary;
  refuseIf(
    [
      ...startFaults(node, units),
      ...(await reachableFaults(context, node)),
      ...(await othersFaults(context, node)),
      ...(plan.mode === 'offline' ? await stoppedFaults(context, otherNodes(plan, node)) : []),
      // Whether they receive doesn't matter here: paused, they can't connect again after a restart of the primary's database.
      ...(isPrimary && plan.mode === 'rolling' ? await resumedFaults(context, plan.roles.secondaries) : []),
      ...(isPrimary ? [] : await followsFaults(context, node)),
    ],
    `the packages of ${node} were not touched`,
  );
}

/** Offline: nodes with services of the old release that run. */
async function stoppedFaults(context: XroadContext, nodes: readonly string[]): Promise<Fault[]> {
  const lists = await Promise.all(
    nodes.map(async (node) => {
      const host = await hostOf(context, node);
      if (packageFaults(context.plan, context.plan.releases.to, await readPackages(context.plan, host)).length === 0)
        return [];
      const running = (await readServices(host)).filter((unit) => !isStopped(unit));
      return running.map((unit) => ({
        where: node,
        what: `${describeUnit(unit)}; offline, all nodes are stopped first`,
      }));
    }),
  );
  return lists.flat();
}

/** What a secondary lacks to run new code: the primary's packages, its schema, everything that it has written so far. */
async function followsFaults(context: XroadContext, node: string): Promise<Fault[]> {
  const { plan } = context;
  const { primary } = plan.roles;
  const [ahead, behind] = await Promise.all([hostOf(context, primary), hostOf(context, node)]);
  const wrong = packageFaults(plan, plan.releases.to, await readPackages(plan, ahead));
  if (wrong.length > 0)
    return [{ where: primary, what: `is upgraded first, and doesn’t have ${plan.releases.to}: ${wrong.join(', ')}` }];
  const schema = await changelogOf(plan, ahead);
  const { version } = await identityOf(plan, behind);
  const standby = await standbyOf(plan, behind, version);
  const own = await changelogOf(plan, behind);
  return [
    ...(standby.pause === 'not paused' ? [] : [{ where: node, what: 'replay of the database is paused' }]),
    ...(own.digest === schema.digest
      ? []
      : [{ where: node, what: `its database doesn’t have the schema of ${primary} yet`, next: 'let it catch up' }]),
    ...(schema.locked ? [{ where: primary, what: 'a migration of its database runs, or was cut off' }] : []),
  ];
}

/** One node's code and schema. */
export interface Side {
  readonly packages: readonly PackageState[];
  readonly schema: Pick<Changelog, 'digest' | 'changes'>;
}

/**
 * Why replay of a secondary must not be resumed: it would get a schema that its code doesn't know. Undefined if it may.
 * Pure: `own` and `primary` are what the two nodes were just read to be.
 */
export function resumeRefusal(plan: XroadPlan, node: string, own: Side, primary: Side): string | undefined {
  const { from, to } = plan.releases;
  if (packageFaults(plan, to, own.packages).length === 0) return undefined;
  const name = plan.roles.primary;
  const changed = packageFaults(plan, from, primary.packages);
  if (changed.length > 0) return `${node} has the packages of ${from}, and ${name} hasn’t any more (${changed[0]})`;
  if (primary.schema.digest !== plan.found[name]?.schema)
    return `${node} has the packages of ${from}, and the database of ${name} has another schema than when the run began (${primary.schema.changes} changes)`;
  if (primary.schema.digest !== own.schema.digest)
    return `${node} has the packages of ${from}, and ${name} has another schema in its database (${primary.schema.changes} changes, here ${own.schema.changes})`;
  return undefined;
}

/** Why services of a node must not run: its code and the schema of its own database don't belong together. */
export function startRefusal(plan: XroadPlan, node: string, own: Side, primary: Side | undefined): string | undefined {
  const { from, to } = plan.releases;
  const [notNew, notOld] = [packageFaults(plan, to, own.packages), packageFaults(plan, from, own.packages)];
  if (notNew.length > 0 && notOld.length > 0)
    return `${node} has neither all packages of ${from} nor all of ${to}: ${notNew.join(', ')}`;
  if (notOld.length === 0 && own.schema.digest !== plan.found[node]?.schema)
    return `${node} has the packages of ${from}, and its database has another schema than when the run began: ${from} may not understand it`;
  if (notNew.length === 0 && primary !== undefined && own.schema.digest !== primary.schema.digest)
    return `${node} has the packages of ${to}, and its database doesn’t have the schema of ${plan.roles.primary} yet`;
  return undefined;
}

export async function sideOf(context: XroadContext, node: string, host?: Host): Promise<Side> {
  const on = host ?? (await hostOf(context, node));
  return { packages: await readPackages(context.plan, on), schema: await changelogOf(context.plan, on) };
}

/** @throws PointOfNoReturn (permanent) if what the two nodes are forbids it. */
export async function assertMayResume(context: XroadContext, node: string): Promise<void> {
  const { primary } = context.plan.roles;
  const [own, ahead] = await Promise.all([sideOf(context, node), sideOf(context, primary)]);
  const why = resumeRefusal(context.plan, node, own, ahead);
  if (why === undefined) return;
  throw permanent(
    'PointOfNoReturn',
    `replay on ${node} stays paused: ${why}. Resumed, old code would run on the new schema. ${node} serves as it is. Next: finish the upgrade: ${node} is taken out, stopped, and only then replays.`,
    { node, primary },
  );
}

/** @throws PointOfNoReturn (permanent) if the node's code and schema don't belong together. */
export async function assertMayStart(context: XroadContext, node: string): Promise<void> {
  const { plan } = context;
  const isPrimary = node === plan.roles.primary;
  const own = await sideOf(context, node);
  // An old node is compared with what it was; a new one with the primary.
  const isNew = packageFaults(plan, plan.releases.to, own.packages).length === 0;
  const ahead = isPrimary || !isNew ? undefined : await sideOf(context, plan.roles.primary);
  const why = startRefusal(plan, node, own, ahead);
  if (why === undefined) return;
  throw permanent(
    'PointOfNoReturn',
    `the services of ${node} were not started: ${why}. The node is stopped and out of service, the others serve. Next: finish its upgrade; nothing leads back from here.`,
    { node },
  );
}

/** Everything that the nodes say about being on a release, as faults. */
export async function releaseFaults(context: XroadContext, release: string): Promise<Fault[]> {
  const { plan } = context;
  const lists = await Promise.all(
    nodeNames(plan).map(async (node) => {
      const wrong = packageFaults(plan, release, await readPackages(plan, await hostOf(context, node)));
      return wrong.map((what) => ({ where: node, what: `${what} (release ${release})` }));
    }),
  );
  return lists.flat();
}

/** Whether a standby has everything up to a position, and goes on receiving. */
export const hasCaughtUp = (
  standby: { readonly replayed: string | undefined; readonly receiver: string | undefined },
  position: string,
): boolean =>
  standby.receiver === 'streaming' && standby.replayed !== undefined && compareLsn(standby.replayed, position) >= 0;

/** The later one of two positions. */
export const later = (a: string, b: string | undefined): string => (b !== undefined && compareLsn(b, a) > 0 ? b : a);

/** End of the primary's WAL now. */
export const primaryPosition = async (context: XroadContext): Promise<string> =>
  positionOf(context.plan, await hostOf(context, context.plan.roles.primary));
