/** Whole outputs of commands, kept on the worker for auditors; history has them clipped, with their digests. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ran, WorkerServices } from '../activities/kit';

/** One file per attempt, `<directory>/<workflow>/<run>/<step>-<time>.json`, readable by the worker's user only. */
export const keepEvidenceIn =
  (directory: string): NonNullable<WorkerServices['keepEvidence']> =>
  async ({ workflowId, runId }, step, ran: readonly Ran[]) => {
    const folder = join(directory, workflowId.replace(/[^\w.-]/g, '_'), runId);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const name = `${step}-${new Date().toISOString().replace(/[:.]/g, '')}.json`;
    await writeFile(join(folder, name), JSON.stringify(ran, undefined, 1), { mode: 0o600 });
  };
