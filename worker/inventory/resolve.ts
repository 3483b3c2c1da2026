/** From an inventory and what an SRE typed to the part of a plan that needs no look at the devices. */
import { permanent } from '../../activities/kit/errors';
import { parseRelease } from '../../activities/panos/releases';
import type { HostSpec } from '../../activities/ssh/spec';
import { workflowTypes, type PlanInput, type StartInput } from '../../workflows/contract';
import type { PlanBase } from '../../workflows/procedure/types';
import { digestOf } from '../digest';
import { formatPath } from './faults';
import { requesterFaults } from './policy';
import { hostsOf } from './references';
import type { ClusterEntry, FirewallPairEntry, Inventory, PanosPairEntry, XRoadClusterEntry } from './schema';
import { closest } from '../../workflows/suggest';

/** What every resolved plan has besides PlanBase. References to secrets, never secrets. */
interface Resolved extends PlanBase {
  /** The cluster's hosts and the jump hosts on the way to them. */
  readonly hosts: Readonly<Record<string, HostSpec>>;
  readonly site?: string;
  /** Of the cluster's part of the inventory as it was at the start: a status can tell that the file differs by now. */
  readonly inventoryDigest: string;
}

/** The static part of a firewall pair's plan; roles, releases and the routing configuration are read from the devices. */
export interface ResolvedFirewallPair
  extends
    Resolved,
    Pick<FirewallPairEntry, 'nodes' | 'routing' | 'stateSync' | 'software' | 'parity' | 'readiness' | 'monitoring'> {
  readonly procedure: 'firewall-pair';
}

/** The static part of an X-Road cluster's plan; roles, releases and what runs where are read from the nodes. */
export interface ResolvedXRoadCluster
  extends Resolved, Pick<XRoadClusterEntry, 'nodes' | 'xroad' | 'software' | 'readiness' | 'monitoring'> {
  readonly procedure: 'x-road-cluster';
  readonly loadBalancer?: NonNullable<XRoadClusterEntry['loadBalancer']>;
  readonly mode: 'rolling' | 'offline';
}

/** The static part of a PAN-OS pair's plan; mode, roles, releases and the path are read from the devices. */
export interface ResolvedPanosPair extends Resolved, Pick<PanosPairEntry, 'nodes' | 'panos' | 'monitoring'> {
  readonly procedure: 'panos-pair';
  /** The entry's `steering`. */
  readonly routing?: NonNullable<PanosPairEntry['steering']>;
}

export type ResolvedPlan = ResolvedFirewallPair | ResolvedXRoadCluster | ResolvedPanosPair;

export interface Queues {
  readonly default: string;
  readonly watch: string;
  readonly sites: Readonly<Record<string, string>>;
}

/** Watches have a task queue of their own: on a shared one many of them starve an escape (design, Engine). */
export const watchQueueOf = (queue: string): string => `${queue}-watch`;
export const siteQueueOf = (queue: string, site: string): string => `${queue}-${site}`;

/** Sites of the inventory's clusters. */
const sitesOf = ({ clusters }: Inventory): string[] => [
  ...new Set(Object.values(clusters).flatMap(({ site }) => (site === undefined ? [] : [site]))),
];

/** What a worker for these sites is told. Not refused: a run under way goes by the site that its plan was frozen with. */
export const siteNotes = (inventory: Inventory, sites: readonly string[]): string[] => {
  const known = sitesOf(inventory);
  const there = known.length === 0 ? 'no cluster has a site' : `sites are ${known.join(', ')}`;
  return sites
    .filter((site) => !known.includes(site))
    .map((site) => `NOTE: no cluster of the inventory is at the site "${site}"; ${there}`);
};

/** Task queues of a cluster's activities: those of its site, where it has one. */
export function queuesOf(inventory: Inventory, site: string | undefined): Queues {
  const sites = sitesOf(inventory);
  const queue = site === undefined ? inventory.taskQueue : siteQueueOf(inventory.taskQueue, site);
  return {
    default: queue,
    watch: watchQueueOf(queue),
    sites: Object.fromEntries(sites.sort().map((name) => [name, siteQueueOf(inventory.taskQueue, name)])),
  };
}

/** The cluster's entry. @throws InvalidInput (details: unknownCluster), naming what it might have been. */
export function clusterOf(inventory: Inventory, name: string): ClusterEntry {
  const cluster = Object.hasOwn(inventory.clusters, name) ? inventory.clusters[name] : undefined;
  if (cluster !== undefined) return cluster;
  const known = Object.keys(inventory.clusters);
  const meant = closest(name, known);
  throw permanent(
    'InvalidInput',
    `there is no cluster "${name}" in the inventory; ${meant === undefined ? `it has ${known.join(', ') || 'none'}` : `did you mean "${meant}"?`}`,
    { unknownCluster: name },
  );
}

/**
 * Resolves the plan of a run, as far as the inventory alone tells. Without a version (a readiness check) the plan's
 * version is ""; a dry run doesn't ask who starts.
 * @throws InvalidInput, with every reason why this run can't be started: unknown cluster or release, a policy that this
 *   requester makes impossible.
 */
export function resolvePlan(
  inventory: Inventory,
  input: Omit<StartInput, 'version'> & Pick<PlanInput, 'version'>,
  options: { readonly isDryRun?: boolean } = {},
): ResolvedPlan {
  const cluster = clusterOf(inventory, input.cluster);
  const { version = '', requestedBy } = input;
  const faults = [
    ...(version === '' ? [] : versionFaults(cluster, version)),
    ...(input.mode === undefined || cluster.kind === 'x-road-cluster'
      ? []
      : [`mode: is for X-Road clusters only; ${input.cluster} is a ${cluster.kind}`]),
    // A look at the plan isn't a start: who would start may come later.
    ...(options.isDryRun === true ? [] : requesterFaults(cluster.policy, requestedBy)).map(
      ({ path, what, next }) => `${formatPath(['clusters', input.cluster, 'policy', ...path])}: ${what} → ${next}`,
    ),
  ];
  if (faults.length > 0)
    throw permanent(
      'InvalidInput',
      `${input.cluster} can't be upgraded like this, and nothing was touched:\n${faults.map((f) => `- ${f}`).join('\n')}`,
    );
  const parts = staticParts(inventory, cluster);
  const plan = {
    schema: 1,
    procedure: cluster.kind,
    ...(cluster.kind === 'x-road-cluster' ? { mode: input.mode ?? 'rolling' } : {}),
    procedureRevision: workflowTypes[cluster.kind].revision,
    cluster: input.cluster,
    version,
    ...(requestedBy !== undefined && { requestedBy }),
    ...parts,
    inventoryDigest: digestOf(parts),
  };
  // The entry's kind decides which sections there are, which no union of objects built by spreading can tell.
  return plan as unknown as ResolvedPlan;
}

/** Digest of what a plan takes from the inventory for this cluster: differs if the file was changed since. */
export const inventoryDigestOf = (inventory: Inventory, cluster: string): string =>
  digestOf(staticParts(inventory, clusterOf(inventory, cluster)));

function staticParts(inventory: Inventory, cluster: ClusterEntry) {
  const { kind: _kind, description: _description, site, ...sections } = cluster;
  const names = hostsOf(cluster, inventory.hosts);
  return {
    queues: queuesOf(inventory, site),
    ...(site !== undefined && { site }),
    hosts: Object.fromEntries(
      names.flatMap((name) => {
        const host = inventory.hosts[name];
        return host === undefined ? [] : [[name, host] as const];
      }),
    ),
    ...renamed(sections),
  };
}

/** Activities of routing read the section `routing`, whatever the entry calls it. */
function renamed<Sections extends object>(sections: Sections): object {
  if (!('steering' in sections)) return sections;
  const { steering, ...rest } = sections;
  return { ...rest, routing: steering };
}

function versionFaults(cluster: ClusterEntry, version: string): string[] {
  if (cluster.kind === 'panos-pair')
    return parseRelease(version) === undefined
      ? [`version: "${version}" is no release of PAN-OS, as 10.2.9 or 10.2.9-h4`]
      : [];
  const known = Object.keys(cluster.software.releases);
  if (known.includes(version)) return [];
  // All of them: of two versions that look alike neither was "meant".
  return [`version: there is no release "${version}" under software.releases; it has ${known.join(', ') || 'none'}`];
}
