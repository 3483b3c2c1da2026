/**
 * The nodes of an X-Road Security Server cluster behind a load balancer: one primary, any number of secondaries, upgraded
 * after IG-XLB chapter 7 and what facts/x-road.md adds to it. Registered as `xroad`; `ready` is made by the worker:
 *
 *   registerActivities('xroad', { ...xroad, ready: xroadReadiness({ probes }) }, services)
 *   registerActivities('packages', packageActivities({ assertOutOfService }), services)  // stage, restart
 */
import type { xroadReadiness } from './survey';

export { xroadSpec, type XroadSpec } from './spec';
export type { NodeFacts, NodeInput, XroadPlan, XroadStatic } from './plan';
export { completeXroadPlan, finalCheck, preflight, xroadReadiness, type ReadinessInput } from './survey';
export { pauseReplay, resumeReplay, caughtUp, walPosition } from './replay';
export type { CatchUpInput, ReplayBefore, ResumeResult } from './replay';
export { pauseSync, resumeSync, syncNow, type CopyResult, type SyncBefore } from './sync';
export { paused, staysPaused } from './paused';
export { keepPaused, type KeptPaused } from './keep-paused';
export { healthy, type Health } from './health';
export { maintenanceOn, maintenanceOff, type MaintenanceBefore } from './maintenance';
export { drained, type DrainInput, type Drained } from './drain';
export { startServices, stopServices, type ServicesBefore, type StartInput, type StopInput } from './services';
export { allowStart, forbidStart, type MaskBefore } from './self-start';
export { upgraded, upgradePackages, type UpgradeBefore, type UpgradeResult } from './upgrade';
export { tokensActive, type TokenResult } from './token';
export { release } from './release';
export { assertOutOfService } from './guards';
export { xroadProbes } from './watching';
export { sudoCommands, sudoCommandsOf } from './sudo';

/** Type of the check, for handles in workflows. */
export declare const ready: ReturnType<typeof xroadReadiness>;
