/** What histories tell a run that was reset, or that begins after one that was ended from outside. */
import { CallFailed, type CallOptions, type Identity, type Inherited, type PlanBase, type Runtime } from './types';

/** What is added to the numbers of calls where nobody knows how many there were. */
const UNKNOWN_CALLS = 1_000_000;

const READING: Omit<CallOptions, 'summary' | 'queue'> = {
  timeoutMs: 60_000,
  patience: { attempts: 5, intervalMs: 5_000 },
};

/** Answer of `core.afterReset`. */
type AfterReset = Omit<Inherited, 'unknown'> & { readonly unknown?: true; readonly why?: string };

/** What the part of the history that a reset threw away had done. */
export async function afterReset(
  runtime: Runtime,
  plan: PlanBase,
  { workflowId, executing, calls }: Identity,
  runId: string,
): Promise<Inherited> {
  const base = { from: 'reset', runId, earlierRunId: executing } as const;
  const unread = (why: string): Inherited => ({
    ...base,
    // Far above what the history that can't be read may have sent.
    lastCall: calls + UNKNOWN_CALLS,
    steps: [],
    unknown: `the history before the reset can't be read (${why}): what it changed isn't known to this run`,
  });
  const summary = 'This run was reset: what had it done by then?';
  const call = runtime.call(
    'core.afterReset',
    { workflowId, from: executing, runId },
    { ...READING, summary, queue: plan.queues.default },
  );
  try {
    const { unknown, why, ...answer } = (await call.result) as AfterReset;
    return unknown === true ? unread(why ?? 'no reason given') : { ...answer, ...base };
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return unread(error.message);
  }
}

/** Answer of `core.earlierRun`. */
interface EarlierRun {
  readonly clean: boolean;
  readonly runId: string;
  readonly firstRunId: string;
  readonly by: string;
  /** Left out by builds before this was told: then hosts know the run by its first one. */
  readonly adopted: readonly string[];
  readonly steps: Inherited['steps'];
  readonly unknown: true;
  readonly why: string;
}

/** What a run of this cluster that somebody terminated in the middle left behind: its *befores* are older than what is found now. */
export async function earlierRun(
  runtime: Runtime,
  plan: PlanBase,
  { workflowId, executing: runId }: Identity,
): Promise<Inherited | undefined> {
  const base = { from: 'earlier run', runId, lastCall: 0 } as const;
  const unread = (why: string): Inherited => ({
    ...base,
    earlierRunId: '',
    steps: [],
    unknown: `whether a run before this one left something half done can't be read (${why})`,
  });
  const summary = 'Has a run before this one left something half done?';
  const call = runtime.call(
    'core.earlierRun',
    { workflowId, runId },
    { ...READING, summary, queue: plan.queues.default },
  );
  try {
    const told = (await call.result) as Partial<EarlierRun>;
    if (told.unknown === true) return unread(told.why ?? 'no reason given');
    // Stopped by people, or with undos that they skipped: that is how they wanted it left.
    if (told.clean !== false || told.steps === undefined) return undefined;
    return {
      ...base,
      earlierRunId: told.runId ?? '',
      steps: told.steps,
      adopted: told.adopted ?? (told.firstRunId === undefined ? [] : [told.firstRunId]),
      ...(told.by === undefined ? {} : { by: told.by }),
    };
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return unread(error.message);
  }
}
