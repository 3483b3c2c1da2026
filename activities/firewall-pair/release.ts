import { releaseStep } from '../ownership/release-step';
import { changedHosts } from '../routing';
import type { FirewallPairPlan } from './plan';

/** The end of a run: nodes, and the hosts on which traffic is steered. */
export const release = releaseStep<FirewallPairPlan>((plan) => [
  ...changedHosts(plan),
  ...Object.values(plan.nodes).map((node) => node.host),
]);
