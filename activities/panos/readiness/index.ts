/**
 * Whether a PAN-OS HA pair is ready to be upgraded, and whether it is afterwards what it was before: named checks over both
 * members, each to be waived by its name where that is safe, and snapshots that are compared. docs/panos-readiness.md
 * lists the checks.
 */
export { CATALOGUE, CHECK_NAMES, isWaivable, WAIVABLE, type CheckName } from './catalogue';
export {
  readinessFailure,
  runChecks,
  type CheckContext,
  type CheckFault,
  type CheckRun,
  type ReadinessFault,
} from './check';
export { CHECKS } from './checks';
export { compareSnapshots, type Difference } from './compare';
export { activeSessions, haLeaf, peersOf } from './read';
export { readSnapshot, type Snapshot } from './snapshot';
export { readinessChecksSpec, thresholdsSpec, type ReadinessChecksSpec, type Thresholds } from './spec';
