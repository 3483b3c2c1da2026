/**
 * A new build must not wedge a running upgrade: before it polls, a worker replays the histories of all open runs of its
 * queue and refuses to start if one fails (design, promise 9).
 */
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import type { Client } from '@temporalio/client';
import { payloadConverterPath } from './bundle';

export class ReplayRefused extends Error {
  override readonly name = 'ReplayRefused';
}

export async function replayOpenRuns(
  client: Client,
  taskQueue: string,
  workflowBundle: WorkflowBundle,
): Promise<number> {
  const open = client.workflow
    .list({ query: `ExecutionStatus = "Running" AND TaskQueue = "${taskQueue}"` })
    .intoHistories();
  const results = Worker.runReplayHistories({ workflowBundle, dataConverter: { payloadConverterPath } }, open);
  const failed: string[] = [];
  let replayed = 0;
  for await (const { workflowId, runId, error } of results) {
    replayed++;
    if (error !== undefined) failed.push(`- ${workflowId} (run ${runId}): ${error.message}`);
  }
  if (failed.length === 0) return replayed;
  throw new ReplayRefused(
    `this build can't go on with ${failed.length} of ${replayed} open runs, so it doesn't start; they are left to the workers that run now. ` +
      `Start the build that they began with, or mend this one:\n${failed.join('\n')}`,
  );
}
