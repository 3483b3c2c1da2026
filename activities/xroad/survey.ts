/** Reading all nodes at once: for the plan, for the check before an upgrade, and for the one after it. */
import { defineCheck, formatFaults, permanent, transient, type Fault, type Finding, type StepContext } from '../kit';
import { lookAtAll, serviceFaults } from '../load-balancer';
import { driverOf, softwareFaults } from '../packages';
import { accessCheck, nodes as hostsReady, toldApart, readinessCheck, type Checker } from '../readiness';
import { certain, faultsOf, notReady } from '../readiness/registry';
import { clusterFaults, releaseFaults, typeFaults } from './faults';
import { atLoadBalancer } from './guards';
import { isStopped, packageFaults } from './node';
import { hostOf, nodeNames } from './plan';
import type { NodeFacts, StaticContext, XroadContext, XroadPlan, XroadStatic } from './plan';
import { readNode, type NodeReading } from './reading';
import { untilCaughtUp } from './replay';
import { identityOf, positionOf } from './database';
import { sudoCommandsOf } from './sudo';
import { windowFaults } from './window';

interface Survey {
  readonly readings: readonly NodeReading[];
  /** Failures to look, by node. */
  readonly failures: readonly { readonly node: string; readonly error: unknown }[];
}

async function survey(context: StaticContext): Promise<Survey> {
  const names = nodeNames(context.plan);
  const results = await Promise.allSettled(names.map((node) => readNode(context, node)));
  context.signal.throwIfAborted();
  return {
    readings: results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : [])),
    failures: results.flatMap((r, i) =>
      r.status === 'rejected' ? [{ node: names[i] ?? '', error: r.reason as unknown }] : [],
    ),
  };
}

const foundOf = ({ failures }: Survey, faults: readonly Fault[]) => [
  ...faults.map(certain),
  ...failures.flatMap(({ node, error }) => faultsOf(error, node)),
];

const factsOf = (reading: NodeReading): NodeFacts => ({
  active: reading.units.filter((unit) => !isStopped(unit) && !isPassing(unit)).map((unit) => unit.unit),
  enabled: reading.units.filter((unit) => unit.file === 'enabled').map((unit) => unit.unit),
  postgres: reading.identity.version,
  schema: reading.changelog.digest,
  autologin: reading.autologin,
  maintenance: reading.health.kind === 'maintenance',
  ports: reading.ports,
  tokens: (reading.tokens.tokens ?? []).filter((token) => token.active).map(({ id }) => id),
  ...(reading.standby === undefined ? {} : { replayPaused: reading.standby.pause !== 'not paused' }),
  ...(reading.copy === undefined ? {} : { copyPaused: reading.copy.flag }),
});

/** Comes with the signer and ends by itself: whether it runs at this moment says nothing of the node. */
const isPassing = ({ unit }: NodeReading['units'][number]): boolean => unit === 'xroad-autologin.service';

/** Releases of the plan that a node has, whole. */
const releasesOf = (plan: XroadStatic, { packages }: NodeReading): string[] =>
  Object.keys(plan.software.releases).filter((name) => packageFaults(plan, name, packages).length === 0);

/**
 * Reads roles, releases and what is to be restored, and freezes it.
 * @throws NotReady with every fault: roles that don't fit, several releases, a release that the plan doesn't know.
 */
export async function completeXroadPlan<Static extends XroadStatic>(
  context: StepContext<Static>,
): Promise<Static & XroadPlan> {
  const { plan } = context;
  const seen = await survey(context);
  const { readings } = seen;
  const faults = [...releaseFaults(plan), ...(seen.failures.length > 0 ? [] : typeFaults(readings))];
  const from = commonRelease(plan, readings, faults);
  if (from !== undefined) faults.push(...windowFaults(plan, from));
  if (faults.length > 0 || seen.failures.length > 0 || from === undefined) throw notReady(foundOf(seen, faults));
  const primary = readings.find((r) => r.type === 'master')?.node ?? '';
  const machines = toldApart(readings);
  return {
    ...plan,
    roles: { primary, secondaries: nodeNames(plan).filter((node) => node !== primary) },
    releases: { from, to: plan.version === '' ? from : plan.version },
    found: Object.fromEntries(
      readings.map((reading) => [reading.node, { ...factsOf(reading), ...machines[reading.node] }]),
    ),
  };
}

function commonRelease(plan: XroadStatic, readings: readonly NodeReading[], faults: Fault[]): string | undefined {
  const found = readings.map((reading) => ({ node: reading.node, releases: releasesOf(plan, reading), reading }));
  const known = Object.keys(plan.software.releases);
  for (const { node, releases, reading } of found)
    if (releases.length === 0) {
      const proxy = reading.packages.find((p) => p.name === 'xroad-proxy');
      const closest = known
        .map((name) => packageFaults(plan, name, reading.packages))
        .sort((a, b) => a.length - b.length)[0];
      faults.push({
        where: node,
        what: `has none of the releases ${known.join(', ')} (xroad-proxy ${proxy?.version ?? 'missing'}; ${closest?.slice(0, 3).join(', ') ?? ''})`,
        next: 'add its release with its exact packages under software.releases, or finish the upgrade that was begun',
      });
    }
  const names = [...new Set(found.flatMap(({ releases }) => releases))];
  if (names.length > 1)
    faults.push({
      where: plan.cluster,
      what: `all nodes must have one release: ${found.map(({ node, releases }) => `${node} has ${releases.join(' or ') || 'none'}`).join(', ')}`,
      next: 'finish the upgrade that was begun, by hand: the node that is behind is taken out, stopped, and only then replays',
    });
  const [from] = names;
  if (names.length === 1 && from === plan.version)
    faults.push({ where: plan.cluster, what: `all nodes have ${from} already: nothing to upgrade` });
  return from;
}

export interface ReadinessInput {
  /** Release that each node must have; the one that the plan found if left out. */
  readonly releases?: Readonly<Record<string, string>>;
}

/** Roles, packages, services, health, databases, copying and tokens of all nodes. @throws NotReady with every fault */
async function cluster(context: XroadContext, { releases }: ReadinessInput): Promise<Finding> {
  const { plan } = context;
  const seen = await survey(context);
  const { primary } = plan.roles;
  const expected = releases ?? Object.fromEntries(nodeNames(plan).map((node) => [node, plan.releases.from]));
  const found = foundOf(seen, clusterFaults(plan, seen.readings, { primary, releases: expected }));
  if (found.length > 0) throw notReady(found);
  const byHand = plan.software.reboot ? seen.readings.filter((r) => !r.autologin).map((r) => r.node) : [];
  return {
    summary: `${primary} is the primary of ${plan.roles.secondaries.join(', ')}; all are healthy and in sync${byHand.length > 0 ? `; the PIN of ${byHand.join(', ')} has to be entered by hand after the reboot` : ''}`,
    nodes: Object.fromEntries(
      seen.readings.map((r) => [
        r.node,
        {
          ...{ role: r.node === primary ? 'primary' : 'secondary', release: expected[r.node] ?? '' },
          ...{ health: 'ok', serving: true },
        },
      ]),
    ),
  };
}

async function balancer(context: XroadContext): Promise<Finding> {
  const at = atLoadBalancer(context);
  if (at === undefined)
    return { summary: 'no load balancer is described: nodes are taken out by their health port alone' };
  const all = await lookAtAll(at);
  const faults = serviceFaults(at.plan, all, nodeNames(context.plan));
  if (faults.length > 0)
    throw permanent('NotReady', `not all nodes are in service:\n${formatFaults(faults)}`, { faults });
  return { summary: 'all nodes are up at the load balancer' };
}

async function software(context: XroadContext, { releases }: ReadinessInput): Promise<Finding> {
  const { plan } = context;
  const { from, to } = plan.releases;
  const runs = releases ?? Object.fromEntries(nodeNames(plan).map((node) => [node, from]));
  const lists = await Promise.all(
    nodeNames(plan).map((node) =>
      softwareFaults(context, driverOf(plan.software), node, { runs, releases: [to, from] }),
    ),
  );
  const faults = lists.flat();
  if (faults.length > 0)
    throw permanent('NotReady', `packages can’t be exchanged:\n${formatFaults(faults)}`, { faults });
  return { summary: `${to} can be installed on all nodes` };
}

const access = accessCheck<XroadPlan>(sudoCommandsOf);

/** All that speaks against an upgrade, in one list. `more` are checks that need the worker, as those of probes. */
export const xroadReadiness = (more: Readonly<Record<string, Checker<ReadinessInput, XroadPlan>>> = {}) =>
  readinessCheck<ReadinessInput, XroadPlan>({
    access: (context) => access.check(context, {}),
    // Its own dpkg would look like somebody who changes the host, so what runs programs there waits.
    'hosts and packages': async (context, input) => {
      const looks = [() => hostsReady.check(context, {}), () => software(context, input)];
      const results = [];
      for (const look of looks) results.push(...(await Promise.allSettled([look()])));
      const failures = results.flatMap((r) => (r.status === 'rejected' ? faultsOf(r.reason, 'hosts') : []));
      if (failures.length > 0) throw notReady(failures);
      return { summary: 'hosts are quiet, packages can be exchanged' };
    },
    cluster,
    'load balancer': (context) => balancer(context),
    ...more,
  });

/** Preflight of the cluster itself, without hosts, packages and rights. @throws NotReady with every fault */
export const preflight = defineCheck<ReadinessInput, Finding, XroadPlan>({
  async check(context, input) {
    const results = await Promise.allSettled([cluster(context, input), balancer(context)]);
    context.signal.throwIfAborted();
    const failures = results.flatMap((r) => (r.status === 'rejected' ? faultsOf(r.reason, 'cluster') : []));
    if (failures.length > 0) throw notReady(failures);
    const findings = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
    return {
      summary: findings.map((f) => f.summary).join('; '),
      nodes: findings[0]?.nodes ?? {},
    };
  },
});

/**
 * The end (facts §6 D): all nodes on one release, healthy, in service and in sync; nothing paused, flagged or masked; the
 * services run that ran before. @throws VerifyFailed with every fault
 */
export const finalCheck = defineCheck<{ readonly release?: string }, Finding, XroadPlan>({
  async check(context, { release = context.plan.releases.to }) {
    const { plan } = context;
    const { primary, secondaries } = plan.roles;
    const seen = await survey(context);
    const faults = clusterFaults(plan, seen.readings, {
      primary,
      releases: Object.fromEntries(nodeNames(plan).map((node) => [node, release])),
      active: Object.fromEntries(nodeNames(plan).map((node) => [node, plan.found[node]?.active ?? []])),
    });
    const atBalancer = atLoadBalancer(context);
    if (atBalancer !== undefined)
      faults.push(...serviceFaults(atBalancer.plan, await lookAtAll(atBalancer), nodeNames(plan)));
    const found = foundOf(seen, faults);
    if (found.length > 0)
      throw transient('VerifyFailed', `the cluster isn’t as it should be:\n${formatFaults(found)}`, {
        faults: found.map(({ where, what, next }) => ({ where, what, ...(next === undefined ? {} : { next }) })),
      });
    const position = await positionOf(plan, await hostOf(context, primary));
    for (const node of secondaries) {
      const host = await hostOf(context, node);
      const { version } = await identityOf(plan, host);
      await untilCaughtUp(context, host, node, { version, position });
    }
    return {
      summary: `${nodeNames(plan).join(', ')} run ${release}, healthy, in service, and in sync up to ${position}`,
      nodes: Object.fromEntries(
        nodeNames(plan).map((node) => [
          node,
          { release, health: 'ok', serving: true, ...(node === primary ? {} : { replay: 'running' }) },
        ]),
      ),
    };
  },
});
