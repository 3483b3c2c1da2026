/** The part of a firewall pair's plan that is read from the devices at the start: roles, releases, the routing as it is. */
import type { ResolvedFirewallPair } from '../../worker/inventory';
import { formatFaults, messageOf, permanent, type Fault, type StepContext } from '../kit';
import { driverOf as packageDriverOf, readRelease } from '../packages';
import { readMachineId, toldApart } from '../readiness';
import { survey, type RoutingPlanSection } from '../routing';

/** Frozen at the start of a run: what is in it holds until the run's end, whatever the inventory says by then. */
export interface FirewallPairPlan extends ResolvedFirewallPair {
  readonly routing: RoutingPlanSection;
  readonly roles: { readonly primary: string; readonly secondary: string };
  readonly releases: { readonly from: string; readonly to: string };
  /** What tells the nodes from others, whatever they are called. Left out by builds before. */
  readonly found?: Readonly<Record<string, { readonly machineId?: string }>>;
  /** People may waive faults by name; a run whose plan a build before made has no such question. */
  readonly waivers?: true;
}

/**
 * Reads roles and releases and freezes the routing configuration.
 * @throws NotReady (permanent) with every fault: a node that can't be reached or runs another release, traffic that is split.
 */
export async function completePlan(context: StepContext<ResolvedFirewallPair>): Promise<FirewallPairPlan> {
  const { plan } = context;
  const nodes = Object.keys(plan.nodes);
  const driver = packageDriverOf(plan.software);
  const [roles, ...looks] = await Promise.allSettled([
    survey(context),
    ...nodes.map(async (node) => {
      const host = await context.host(plan.nodes[node]?.host ?? node);
      return { node, release: await readRelease(plan, driver, host), machineId: await readMachineId(host) };
    }),
  ]);
  const seen = looks.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
  const running = seen.map(({ release }) => release);
  const faults: Fault[] = [
    ...(roles.status === 'rejected' ? [{ where: 'routing', what: messageOf(roles.reason) }] : []),
    ...looks.flatMap((r, i) => (r.status === 'rejected' ? [{ where: nodes[i] ?? '', what: messageOf(r.reason) }] : [])),
    ...releaseFaults(plan, nodes, running),
  ];
  if (faults.length > 0 || roles.status === 'rejected') {
    // One permanent cause makes all of it permanent; otherwise the caller tries again.
    throw permanent('NotReady', `${plan.cluster} can’t be planned:\n${formatFaults(faults)}`, faults);
  }
  const { serving, original, predicted } = roles.value;
  const from = running[0] ?? '';
  return {
    ...plan,
    routing: { ...plan.routing, original, predicted },
    roles: { primary: serving, secondary: nodes.find((n) => n !== serving) ?? '' },
    releases: { from, to: plan.version === '' ? from : plan.version },
    found: toldApart(seen),
    waivers: true,
  };
}

function releaseFaults(
  plan: ResolvedFirewallPair,
  nodes: readonly string[],
  running: readonly (string | undefined)[],
): Fault[] {
  if (running.length < nodes.length) return [];
  const table = nodes.map((node, i) => `${node} runs ${running[i] ?? 'no release that can be read'}`).join(', ');
  const [first] = running;
  if (first === undefined || running.some((r) => r !== first)) {
    return [
      {
        where: plan.cluster,
        what: `both nodes must run one release: ${table}`,
        next: 'bring them to one release by hand, or finish the upgrade that was begun',
      },
    ];
  }
  if (!Object.hasOwn(plan.software.releases, first)) {
    return [
      {
        where: plan.cluster,
        what: `${table}, which the inventory doesn’t know`,
        next: `add release ${first} with its exact packages under software.releases: the way back needs it`,
      },
    ];
  }
  if (first === plan.version)
    return [{ where: plan.cluster, what: `both nodes run ${first} already: nothing to upgrade` }];
  return [];
}
