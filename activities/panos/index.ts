/**
 * PAN-OS HA pairs over the XML API: reading both members, guards over that reading, and the steps of the procedure. Each part
 * needs the worker's devices, so `panosActivities` makes them.
 */
import { releaseStep } from '../ownership/release-step';
import { changedHosts, type RoutingPlan } from '../routing';
import { backupSteps } from './backup';
import { pairChecks } from './checks';
import { contentSteps } from './content';
import { haSteps } from './ha-steps';
import { imageSteps } from './images';
import { installSteps } from './install';
import { leadParts } from './lead';
import { moveSteps, type Prefer } from './move';
import type { PanosServices, PanosStatic } from './plan';
import { preemptionSteps } from './preemption';
import { panosReadiness, type ReadinessParts } from './ready';

export { panosServices } from './devices';
export { completePlan } from './identify';
export { sudoCommandsOf } from './sudo';
export { panosProbes } from './probing';
export type { Prefer } from './move';
export type { SnapshotFinding } from './checks';
export type { PanosPlan, PanosServices, PanosStatic } from './plan';

/** What other folders do for these. */
export interface PanosParts extends ReadinessParts {
  readonly prefer: Prefer;
}

export const panosActivities = (services: PanosServices, parts: PanosParts) => ({
  ready: panosReadiness(services, parts),
  ...pairChecks(services),
  ...backupSteps(services),
  ...contentSteps(services),
  ...preemptionSteps(services),
  ...imageSteps(services),
  ...haSteps(services),
  ...moveSteps(services, parts.prefer),
  ...installSteps(services, parts.prefer),
  ...leadParts(services),
  release: releaseStep<PanosStatic>((plan) =>
    plan.routing === undefined ? [] : changedHosts(plan as RoutingPlan & PanosStatic),
  ),
});
export type PanosActivities = ReturnType<typeof panosActivities>;
