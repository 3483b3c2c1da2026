import { permanent } from '../kit/errors';
import { runTag } from '../jobs';
import type { HostsSpec } from '../ssh/spec';
import type { SoftwareSpec } from './spec';

/** The part of a plan that these activities read. */
export interface SoftwarePlan {
  readonly cluster: string;
  readonly hosts: HostsSpec;
  /** `host` names an entry of `hosts`. */
  readonly nodes: Readonly<Record<string, { readonly host: string }>>;
  readonly software: SoftwareSpec;
}

export function hostOf(plan: Pick<SoftwarePlan, 'nodes'>, node: string): string {
  const host = Object.hasOwn(plan.nodes, node) ? plan.nodes[node]?.host : undefined;
  if (host !== undefined) return host;
  throw permanent('InvalidInput', `the plan has no node ${node}; it has ${Object.keys(plan.nodes).join(', ')}`);
}

export function releaseIn(plan: Pick<SoftwarePlan, 'software'>, release: string): SoftwareSpec['releases'][string] {
  const { releases } = plan.software;
  const found = Object.hasOwn(releases, release) ? releases[release] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(releases).join(', ');
  throw permanent('InvalidInput', `software.releases has no release ${release}; it has ${known}`);
}

/** Where things of this cluster lie on its nodes. */
export const clusterDirectory = (plan: Pick<SoftwarePlan, 'software' | 'cluster'>): string =>
  `${plan.software.stageDirectory}/${plan.cluster}`;

/** Package files of a release, with their manifest. */
export const releaseDirectory = (plan: Pick<SoftwarePlan, 'software' | 'cluster'>, release: string): string =>
  `${clusterDirectory(plan)}/${release}`;

export const manifestPath = (plan: Pick<SoftwarePlan, 'software' | 'cluster'>, release: string): string =>
  `${releaseDirectory(plan, release)}/manifest.json`;

/** Boot ID of the boot in which packages were last exchanged: in that boot, what runs may still be the release before. */
export const markerPath = (plan: Pick<SoftwarePlan, 'software' | 'cluster'>): string =>
  `${clusterDirectory(plan)}/exchanged-in-boot`;

/**
 * Edited configuration files, as they were before `conffiles: replace` took those of the package. Each run has its own, so
 * that none puts back what another saved, unless it has taken over what that one had found.
 */
export const savedConffilesPath = (plan: Pick<SoftwarePlan, 'software' | 'cluster'>, runId: string): string =>
  `${clusterDirectory(plan)}/conffiles-${runTag(runId)}.tar`;
