/**
 * Makes the plan of a run: from what devices say, or, where the run before it was ended half-way, from what that run's plan
 * says that they had said.
 */
import { failureType, formatFaults, messageOf, permanent, type StepContext } from '../activities/kit';
import { workflowIdOf } from '../workflows/contract';
import type { EarlierRun } from './earlier-run';
import { afterReset, earlierRun, resetFrom, type HistoryService } from './histories';
import type { ResolvedPlan } from './inventory';
import { frozenPlan } from './open-upgrades';
import { changesLeft, notPutRight, resumedPlan } from './resumed-plan';

/** Completes the static part of a plan by what the devices say. */
export type CompletePlan = (context: StepContext<ResolvedPlan>) => Promise<unknown>;

export interface Planning {
  readonly complete: CompletePlan;
  /** Left out, nobody knows of earlier runs. */
  readonly history?: HistoryService | undefined;
  /** A run that starts, not a dry run. */
  readonly starting?: { readonly workflowId: string; readonly runId: string } | undefined;
}

/** What the run before this one left of its work. */
type Left =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'half done'; readonly plan: object; readonly firstRunId: string; readonly told: string };

/**
 * The whole plan.
 * @throws NotReady with every fault; where it may be an earlier run's doing it says so, and what leads out
 */
export async function makePlan(context: StepContext<ResolvedPlan>, planning: Planning): Promise<object> {
  const left = await leftBefore(context, planning);
  const fresh = async (): Promise<object> => (await planning.complete(context)) as object;
  if (left.kind === 'nothing') return fresh();
  if (left.kind === 'unknown')
    return noting(fresh, () => `\nWhether a run before this one left it so can’t be told (${left.why}). ${BY_HAND}`);
  const resumed = resumedPlan(context.plan, left.plan, left.firstRunId);
  if ('plan' in resumed) return resumed.plan;
  const differs = `${left.told} Its plan can’t be gone on with, for this start asks for something else:\n${formatFaults(resumed.differences)}\nNext: start it with the version and the inventory entry that it had, and go on or roll back; or put it right by hand.`;
  const plan = await noting(fresh, () => `\n${differs}`);
  const faults = notPutRight(left.plan, plan);
  if (faults.length === 0) return plan;
  throw permanent(
    'NotReady',
    `${context.plan.cluster} isn’t as that run had found it, and nothing was touched:\n${formatFaults(faults)}\n${differs}`,
    { faults },
  );
}

const BY_HAND =
  'Look at the nodes: bring all of them to one release, take back what is suspended, paused or in maintenance, and move traffic to where it was; then start again.';

/** A refusal says what an earlier run may have to do with it. */
async function noting<T>(work: () => Promise<T>, note: () => string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (failureType(error) !== 'NotReady') throw error;
    const details = (error as { readonly details?: unknown[] }).details?.[0];
    throw permanent('NotReady', `${messageOf(error)}${note()}`, details);
  }
}

async function leftBefore(context: StepContext<ResolvedPlan>, { history, starting }: Planning): Promise<Left> {
  if (history === undefined) return { kind: 'unknown', why: 'this worker can’t read histories' };
  const onPage = (): void => {
    context.signal.throwIfAborted();
    context.progress('reading what the run before this one did');
  };
  try {
    return await leftIn(history, context.plan.cluster, starting, onPage);
  } catch (error) {
    // A dry run shows what it can; a start is asked again.
    if (starting !== undefined || context.signal.aborted) throw error;
    return { kind: 'unknown', why: messageOf(error) };
  }
}

async function leftIn(
  history: HistoryService,
  cluster: string,
  starting: Planning['starting'],
  onPage: () => void,
): Promise<Left> {
  const workflowId = starting?.workflowId ?? workflowIdOf(cluster);
  const base = starting === undefined ? undefined : await resetFrom(history, workflowId, starting.runId);
  if (base !== undefined && starting !== undefined) {
    // This run was reset to before it had a plan.
    const told = await afterReset(history, { workflowId, from: base, runId: starting.runId }, onPage);
    if ('unknown' in told) return { kind: 'unknown', why: told.why };
    if (changesLeft(told.steps).length > 0) {
      const text = `This run was reset, and had changed something by then that isn’t undone.`;
      return planOf(history, workflowId, { runId: base, firstRunId: base, text }, onPage);
    }
  }
  const told = await earlierRun(history, { workflowId, ...(starting ?? {}) }, onPage);
  if ('unknown' in told) return { kind: 'unknown', why: told.why };
  if (told.clean || !('steps' in told)) return { kind: 'nothing' };
  const { length } = changesLeft(told.steps);
  if (length === 0) return { kind: 'nothing' };
  const { runId, firstRunId } = told;
  return planOf(history, workflowId, { runId, firstRunId, text: sentenceOf(told, length) }, onPage);
}

async function planOf(
  history: HistoryService,
  workflowId: string,
  { runId, firstRunId, text }: { readonly runId: string; readonly firstRunId: string; readonly text: string },
  onPage: () => void,
): Promise<Left> {
  const plan = await frozenPlan(history, { workflowId, runId }, onPage);
  if (typeof plan !== 'object') return { kind: 'unknown', why: `the plan of run ${runId} can’t be read` };
  return { kind: 'half done', plan: plan.plan, firstRunId, told: text };
}

const HOW: Readonly<Partial<Record<EarlierRun['ended'], string>>> = {
  TERMINATED: 'was terminated',
  TIMED_OUT: 'timed out',
};

const sentenceOf = ({ runId, ended, endedAt, by }: EarlierRun, steps: number): string =>
  `Run ${runId} ${HOW[ended] ?? 'ended'} at ${endedAt}${by === undefined ? '' : ` by ${by}`} and left ${steps === 1 ? 'one step' : `${steps} steps`} half done or done, not undone.`;
