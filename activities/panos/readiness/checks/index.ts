/** All readiness checks by name; the catalogue says what each asks. */
import type { Checks } from '../check';
import { bindingChecks } from './bindings';
import { configuredChecks } from './configured';
import { deviceChecks } from './device';
import { haChecks } from './ha';
import { softwareChecks } from './software';
import { trafficChecks } from './traffic';

export const CHECKS: Checks = {
  ...haChecks,
  ...deviceChecks,
  ...softwareChecks,
  ...trafficChecks,
  ...configuredChecks,
  ...bindingChecks,
};
