import { releaseStep } from '../ownership/release-step';
import type { XroadPlan } from './plan';

/** The end of a run: nodes, and the load balancers in front of them. */
export const release = releaseStep<XroadPlan>(({ nodes, loadBalancer }) => [
  ...Object.values(nodes).map((node) => node.host),
  ...(loadBalancer?.instances.map((instance) => instance.host) ?? []),
]);
