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

/** How a history ends: "open", "Completed", "Cancelled", "Terminated", "ContinuedAsNew", or the type of its failure. */
export function endOf({ events }: History): string {
  const last = events?.at(-1);
  const failure = last?.workflowExecutionFailedEventAttributes?.failure;
  if (failure?.canceledFailureInfo != null) return 'Cancelled';
  if (failure != null) return failure.applicationFailureInfo?.type ?? 'Failed';
  if (last?.workflowExecutionCompletedEventAttributes != null) return 'Completed';
  if (last?.workflowExecutionCanceledEventAttributes != null) return 'Cancelled';
  if (last?.workflowExecutionContinuedAsNewEventAttributes != null) return 'ContinuedAsNew';
  return last?.workflowExecutionTerminatedEventAttributes == null ? 'open' : 'Terminated';
}

export interface NamedHistory {
  readonly name: string;
  readonly history: History;
}

/** What keeps this build from going on with each history, by name; undefined where it replays. One bundle for all of them. */
export async function replayErrors(histories: readonly NamedHistory[]): Promise<ReadonlyMap<string, unknown>> {
  const errors = new Map<string, unknown>();
  // A worker that breaks down over one of them isn't the end of the others.
  while (errors.size < histories.length) {
    const done = errors.size;
    const left = histories.slice(done);
    try {
      // One at a time, in their order.
      for await (const { error } of replay(left.map(({ history }) => [workflowIdOf(history), history])))
        errors.set(histories[errors.size]!.name, error);
      if (errors.size === done) throw new Error('the replay ended without a word');
    } catch (error) {
      errors.set(histories[errors.size]!.name, error);
    }
  }
  return errors;
}

const workflowIdOf = ({ events }: History): string =>
  events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '';

/** Fails the test if this build can't go on with the history. */
export async function replays(workflowId: string, history: History): Promise<void> {
  for await (const { error } of replay([[workflowId, history]])) if (error !== undefined) throw error;
}

/** The SDK takes a stack trace for every promise, a fifth of a replay's time, and no command depends on one. */
const withoutStackTraces = ({ code }: { readonly code: string }): { readonly code: string } => ({
  code: `Error.stackTraceLimit = 0;${code}`,
});

async function* replay(histories: readonly (readonly [workflowId: string, history: History])[]) {
  const bundle = withoutStackTraces(await workflowBundle());
  const options = { workflowBundle: bundle, dataConverter: { payloadConverterPath } };
  yield* Worker.runReplayHistories(
    options,
    histories.map(([workflowId, history]) => ({ workflowId, history })),
  );
}
