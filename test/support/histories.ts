/** Histories as files, and whether this build replays them. */
import { readFile, writeFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { payloadConverterPath, workflowBundle } from '../../worker/bundle';

const { History } = temporal.api.history.v1;
type History = temporal.api.history.v1.IHistory;

/** Protocol buffers, gzipped: a history as JSON is twenty times as large. */
const ENDING = '.binpb.gz';

/** @throws EEXIST: none is ever changed. */
export const keepHistory = async (path: string, history: History): Promise<void> =>
  writeFile(`${path}${ENDING}`, gzipSync(History.encode(history).finish()), { flag: 'wx' });

export const readHistory = async (path: string): Promise<History> => History.decode(gunzipSync(await readFile(path)));

/** Fails the test if this build can't go on with the history. */
export async function replays(workflowId: string, history: History): Promise<void> {
  const options = { workflowBundle: await workflowBundle(), dataConverter: { payloadConverterPath } };
  for await (const { error } of Worker.runReplayHistories(options, [{ workflowId, history }])) {
    if (error !== undefined) throw error;
  }
}
