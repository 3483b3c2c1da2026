/**
 * The Temporal plugin: one line adds Hitless to a worker. It brings the activities and the payload converter; the workflows
 * are re-exported by the user's own workflow file (`export * from 'hitless/workflows'`), as a worker has one bundle.
 */
import { SimplePlugin } from '@temporalio/plugin';
import type { BundleOptions, WorkerOptions } from '@temporalio/worker';
import { interceptorsPath, payloadConverterPath } from './bundle';

export interface PluginOptions {
  /** Activities by type, as `hitlessActivities` makes them. */
  readonly activities: Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;
  /** Ends connections to hosts; called when the worker has stopped. */
  readonly close?: () => void;
}

/** A cut reaches an activity with its heartbeats: with the stock throttle an escape would wait for many seconds. */
const HEARTBEAT_THROTTLE_MS = 1_000;
/**
 * Of one activation. The SDK's 5 s aren't the end of a workflow task but of the whole process ("async hook stack has become
 * corrupted"), with all its watches; 2,000 signals at once are a second's work, which takes longer where a core is shared.
 */
export const ACTIVATION_TIMEOUT = '30s';
/** 1,000 cached workflows cost 1.3 GB, 100 cost less than 1 GB. */
const CACHED_WORKFLOWS = 100;

export class HitlessPlugin extends SimplePlugin {
  constructor(options: PluginOptions) {
    super({
      name: 'hitless.HitlessPlugin',
      activities: options.activities,
      dataConverter: { payloadConverterPath },
      runContext: async (next) => {
        try {
          await next();
        } finally {
          options.close?.();
        }
      },
    });
  }

  /** For a worker that bundles the workflows itself, from the user's own file. */
  override configureBundler(options: BundleOptions): BundleOptions {
    const configured = super.configureBundler(options);
    const modules = configured.workflowInterceptorModules ?? [];
    return modules.includes(interceptorsPath)
      ? configured
      : { ...configured, workflowInterceptorModules: [...modules, interceptorsPath] };
  }

  override configureWorker(options: WorkerOptions): WorkerOptions {
    // The SDK's types hide it.
    const limits = { isolateExecutionTimeout: ACTIVATION_TIMEOUT };
    return super.configureWorker({
      ...limits,
      maxCachedWorkflows: CACHED_WORKFLOWS,
      ...options,
      maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
      defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    });
  }
}
