/** Looking at a run again and again: for `status --watch` and `start --wait` or `--follow`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, type ClientError } from './exit';
import { explain } from './failures';
import { readRun, type Engine, type RunState } from './run';

export interface FollowOptions {
  readonly workflowId: string;
  readonly cluster: string;
  /** First run of the chain to stay with (runs continue as new); the newest chain if left out. */
  readonly firstRunId?: string;
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
  /** Called with every look. */
  readonly onState?: (state: RunState) => void;
  /** The server can't be reached; looking goes on. Called at every failed look. */
  readonly onTrouble?: (trouble: ClientError) => void;
  /** Ends the looking; by default when the run has ended. */
  readonly until?: (state: RunState) => boolean;
}

const INTERVAL_MS = 1_000;
const TROUBLE_INTERVAL_MS = 5_000;

export const hasEnded = (state: RunState): boolean => state.execution !== 'running';

/** Looks until `until` says so. A server that is away for a while doesn't end it: the run goes on without us anyway. */
export async function follow(engine: Engine, options: FollowOptions): Promise<RunState> {
  const { intervalMs = INTERVAL_MS, until = hasEnded, signal } = options;
  const where = { address: engine.address, namespace: engine.client.options.namespace };
  for (;;) {
    let interval = intervalMs;
    try {
      const state = await readRun(engine, options.cluster, options.workflowId, {
        ...(options.firstRunId !== undefined && { firstRunId: options.firstRunId }),
      });
      options.onState?.(state);
      if (until(state)) return state;
    } catch (error) {
      const trouble = explain(error, where);
      if (trouble.code !== exitCodes.unreachable) throw trouble;
      options.onTrouble?.(trouble);
      interval = TROUBLE_INTERVAL_MS;
    }
    await sleep(interval, undefined, signal === undefined ? {} : { signal });
  }
}
