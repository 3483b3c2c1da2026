/** The SDK's Runtime: one per process, installed before any connection, and ended with its last user. */
import { IllegalStateError } from '@temporalio/common';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { WorkerLog } from './log';

export const workerLog = new WorkerLog((line) => process.stderr.write(line));

let isOurs = false;
let users = 0;

/**
 * Installs the Runtime, unless whoever embeds the worker has installed one of their own: that is left alone.
 * @returns what must be called at the end, whatever happened: a Runtime that isn't shut down keeps the process for ever.
 */
export function useRuntime(): () => Promise<void> {
  if (users === 0) isOurs = install();
  users++;
  let isReleased = false;
  return async () => {
    if (isReleased) return;
    isReleased = true;
    if (--users > 0 || !isOurs) return;
    // Not the one that was installed: the SDK ends it with the last connection, and makes another one when it needs one.
    await Runtime.instance().shutdown();
  };
}

function install(): boolean {
  try {
    Runtime.install({
      logger: new DefaultLogger('WARN', (entry) => workerLog.take(entry)),
      // Failed workflow tasks are warnings of the core; WorkerLog drops its other ones.
      telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
      // The command line decides what a signal means.
      shutdownSignals: [],
    });
    return true;
  } catch (error) {
    if (error instanceof IllegalStateError) return false;
    throw error;
  }
}
