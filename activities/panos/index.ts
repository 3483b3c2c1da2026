/**
 * PAN-OS HA pairs over the XML API: reading both members, guards over that reading, and the steps of the procedure. Each part
 * needs the worker's devices, so `panosActivities` makes them.
 */
import { backupSteps } from './backup';
import { pairChecks } from './checks';
import { contentSteps } from './content';
import { haSteps } from './ha-steps';
import { imageSteps } from './images';
import { installSteps } from './install';
import type { PanosServices } from './plan';
import { preemptionSteps } from './preemption';
import { panosReadiness, type ReadinessParts } from './ready';

export { panosServices } from './devices';
export { completePlan } from './identify';
export { sudoCommandsOf } from './sudo';
export { panosProbes } from './probing';
export type { SnapshotFinding } from './checks';
export type { PanosPlan, PanosServices, PanosStatic } from './plan';

export const panosActivities = (services: PanosServices, parts: ReadinessParts) => ({
  ready: panosReadiness(services, parts),
  ...pairChecks(services),
  ...backupSteps(services),
  ...contentSteps(services),
  ...preemptionSteps(services),
  ...imageSteps(services),
  ...haSteps(services),
  ...installSteps(services),
});
export type PanosActivities = ReturnType<typeof panosActivities>;
