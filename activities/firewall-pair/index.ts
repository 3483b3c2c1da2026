/**
 * What belongs to a firewall pair as a whole rather than to one thing touched: the plan of its upgrade, its readiness, and
 * moving traffic, which is routing and session state in one step. Registered as `pair`.
 */
import type { pairReadiness } from './readiness';

export { completePlan, type FirewallPairPlan } from './plan';
export { moveTraffic, type MoveBefore, type MoveInput, type MoveResult } from './move-traffic';
export { assertOutOfService } from './out-of-service';
export { release } from './release';
export { pairProbes } from './probing';
export { pairReadiness, sudoCommandsOf, type ReadinessInput } from './readiness';

/** Type of the check, for handles in workflows. It needs the worker's services, so the worker makes it. */
export declare const ready: ReturnType<typeof pairReadiness>;
