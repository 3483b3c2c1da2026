/** The worker's side of Hitless: the Temporal plugin for workers of your own, and a worker that is ready to run. */
export { hitlessActivities, type ActivityOptions, type HitlessActivities } from './activities';
export { interceptorsPath, payloadConverterPath, workflowsPath } from './bundle';
export { historyService, type HistoryService } from './histories';
export type { OpenRun, OpenUpgrades } from './open-upgrades';
export { lookForPausedWatches } from './paused-watches';
export { HitlessPlugin, type PluginOptions } from './plugin';
export { ReplayRefused, replayOpenRuns, type ReplayOptions } from './replay';
export { CannotStart, type FaultKind } from './start-fault';
export { WATCH_SLOTS, type WatchRoom } from './watch-room';
export { startWorker, type RunningWorker, type WorkerSettings } from './run';
