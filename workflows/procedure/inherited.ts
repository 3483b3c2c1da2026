/** What histories tell a run that was reset, or that begins after one that was ended from outside. */
import { answers, read } from './answers';
import { CallFailed, type CallOptions, type Identity, type Inherited, type PlanBase, type Runtime } from './types';

/** What is added to the numbers of calls where nobody knows how many there were. */
const UNKNOWN_CALLS = 1_000_000;

const READING: Omit<CallOptions, 'summary' | 'queue'> = {
  timeoutMs: 60_000,
  patience: { attempts: 5, intervalMs: 5_000 },
};

/** Who asks. */
interface Asking {
  readonly runtime: Runtime;
  readonly plan: PlanBase;
  /** Answers are held to their shapes; runs that began before that aren't, but where they couldn't go on otherwise. */
  readonly isFirm: boolean;
}

/** Answer of `core.afterReset`. Builds before `adopted` told in `reapplied` what was delivered again. */
type AfterReset = Omit<Inherited, 'unknown'> & { readonly unknown?: true; readonly why?: string };

/**
 * What a run, or a link of one, goes on from that begins. `resetFrom`: it was reset to before it could know who it is, and
 * that run had been there before.
 */
export async function leftBehind(
  asking: Asking,
  identity: Identity,
  resetFrom: string | undefined,
): Promise<Inherited | undefined> {
  const isFirst = identity.link === 0;
  if (resetFrom !== undefined) {
    const before = { ...identity, executing: resetFrom };
    const told = await afterReset(asking, before, identity.executing, isFirst);
    // What the part that was thrown away had been left itself is in there, unless it never came to ask.
    if (!isFirst || told.unknown !== undefined || told.steps.length > 0) return told;
  }
  return isFirst ? earlierRun(asking, identity) : undefined;
}

/** What the part of the history that a reset threw away had done; all that the run had ever done, if it begins anew. */
export async function afterReset(
  { runtime, plan, isFirm }: Asking,
  { workflowId, executing, calls }: Identity,
  runId: string,
  beginsAnew = false,
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
    const told = await call.result;
    const isUnknown = (told as Partial<AfterReset> | null)?.unknown === true;
    const shape = isFirm || isUnknown ? answers.afterReset : answers.afterResetBefore;
    const misread = read<unknown>(shape, told);
    if ('misfit' in misread) return unread(isNoAnswer(misread.misfit));
    const { unknown, why, adopted, ...answer } = told as AfterReset;
    if (unknown === true) return unread(why ?? 'no reason given');
    // Otherwise the run knows already, and better: some of theirs may have been lost.
    return { ...answer, ...base, ...(beginsAnew && adopted !== undefined ? { adopted } : {}) };
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return unread(error.message);
  }
}

const isNoAnswer = (misfit: string): string => `what was answered for it isn’t an answer to that: ${misfit}`;

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
async function earlierRun(
  { runtime, plan, isFirm }: Asking,
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
    const answer = await call.result;
    const misread = read<unknown>(isFirm ? answers.earlierRun : answers.earlierRunBefore, answer);
    if ('misfit' in misread) return unread(isNoAnswer(misread.misfit));
    const told = answer as Partial<EarlierRun>;
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
