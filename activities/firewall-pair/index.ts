/**
 * What belongs to a firewall pair as a whole rather than to one thing touched: the plan of its upgrade, and moving traffic,
 * which is routing and session state in one step. Registered as `pair`.
 */
export { completePlan, type FirewallPairPlan } from './plan';
export { moveTraffic, type MoveBefore, type MoveInput, type MoveResult } from './move-traffic';
export { assertOutOfService } from './out-of-service';
export { pairProbes } from './probing';
