/**
 * From one JSON object to a plan: input and workflow ID checked, plan resolved by the worker, list of steps recorded, digest
 * taken. Nothing is touched by any of it.
 */
import { type PlanInput, type PlannedItem } from '../contract';
import { answers, misfitOfPlan, read } from './answers';
import { faultsOf } from './asks';
import { ASIDE } from './calls';
import { listOf, record } from './record';
import type { TemporalRuntime } from './runtime';
import { CallFailed, CutError, type Body, type CallOptions, type PlanBase } from './types';
import { isUndecodable } from './undecodable';

/** A plan is asked for a few times only: whoever starts an upgrade stands before the screen. */
const RESOLVING: CallOptions = {
  summary: 'Resolve the plan: inventory, roles, releases',
  timeoutMs: 120_000,
  patience: { attempts: 3, intervalMs: 3_000 },
};
const LOCAL: CallOptions = { ...ASIDE, summary: 'Digest of the plan' };

/** What a run is held to from its first step to its last. */
export interface Prepared<P> {
  readonly plan: P;
  readonly items: readonly PlannedItem[];
  readonly digest: string;
}

/** A second payload would be ignored. */
export function checkInputs(runtime: TemporalRuntime, inputs: readonly unknown[]): void {
  if (inputs.length > 1)
    throw runtime.failure(
      'InvalidInput',
      `${inputs.length} inputs were given, and only one is read: start it with one JSON object; nothing was touched`,
    );
}

/** The input as the schema has it, or a failure that says what is wrong and what to give. */
export function readInput<T>(
  runtime: TemporalRuntime,
  schema: {
    safeParse(raw: unknown): { success: true; data: T } | { success: false; error: Parameters<typeof faultsOf>[0] };
  },
  raw: unknown,
): T {
  const wants = 'give one JSON object such as {"cluster":"fw-dc1","version":"2.0","requestedBy":"alice"}';
  if (isUndecodable(raw)) throw runtime.failure('InvalidInput', `the input can't be read (${raw.why}): ${wants}`);
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw runtime.failure('InvalidInput', `the input is wrong: ${faultsOf(parsed.error)}; ${wants}`);
  return parsed.data;
}

/** One upgrade per cluster: the workflow ID is what makes it so (design, promise 2). */
export async function checkWorkflowId(runtime: TemporalRuntime, wanted: string, cluster: string): Promise<void> {
  const { id, type, taskQueue, namespace } = runtime.workflow;
  if (id === wanted) return;
  const call = runtime.call(
    'core.startLink',
    { namespace, workflowId: wanted, workflowType: type, taskQueue },
    { ...LOCAL, summary: 'Link to the right start form' },
  );
  let link: unknown;
  try {
    link = await call.result;
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
  }
  const told = read(answers.startLink, link);
  const where = 'value' in told ? `Start it here: ${told.value}` : 'Start it under that ID';
  throw runtime.failure(
    'WrongWorkflowId',
    `cluster ${cluster} is upgraded under the workflow ID ${wanted} only, so that no two upgrades of it can run; this is ${id}. ${where}`,
  );
}

/** Plan, list and digest; `isDryRun` tells the worker that nothing will be run. */
export async function prepare<P extends PlanBase>(
  runtime: TemporalRuntime,
  core: 1 | 2,
  procedure: string,
  body: Body<P>,
  input: PlanInput,
  { isDryRun, isFirm }: { readonly isDryRun: boolean; readonly isFirm: boolean },
): Promise<Prepared<P>> {
  const resolved = await resolve(runtime, procedure, input, isDryRun);
  const refused = (misfit: string): Error =>
    runtime.failure(
      'CorruptResult',
      `what was answered for plan.resolve is no plan to run (${misfit}): somebody completed it from outside, or its worker is of another build; nothing was touched`,
    );
  const misfit = misfitOfPlan(resolved, { procedure, cluster: input.cluster }, isFirm);
  if (misfit !== undefined) throw refused(misfit);
  const plan = resolved as P;
  let items: readonly PlannedItem[];
  try {
    items = await record(body, plan);
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
  const { requestedBy: _, ...undisputed } = plan;
  if (core === 1) {
    const digest = String(await runtime.call('core.digest', { plan: undisputed, items }, LOCAL).result);
    return { plan, items, digest };
  }
  // Into the history with the list that was digested: what is run is that, whatever a later build would record.
  const frozen = { plan: undisputed, items, list: listOf(items) };
  const call = runtime.call('core.freeze', frozen, { ...LOCAL, summary: 'Freeze plan and steps' });
  let answer: unknown;
  try {
    answer = await call.result;
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    throw runtime.failure(error.type, `the plan can't be frozen: ${error.message}; nothing was touched`);
  }
  const told = read(answers.freeze, answer);
  if ('misfit' in told)
    throw runtime.failure('CorruptResult', `the plan can't be frozen (${told.misfit}); nothing was touched`);
  const { digest, list } = told.value;
  assertSameList(procedure, digest, items, list);
  return { plan, items, digest };
}

export const checkList = async <P extends PlanBase>(
  procedure: string,
  body: Body<P>,
  { plan, items, digest }: Prepared<P>,
): Promise<void> => assertSameList(procedure, digest, await record(body, plan), listOf(items));

/** What is run is what was approved: another list is a fault of the build, and fails the workflow task, not the run. */
function assertSameList(
  procedure: string,
  digest: string,
  items: readonly PlannedItem[],
  frozen: readonly string[],
): void {
  const list = listOf(items);
  const at = Math.max(list.length, frozen.length) - 1;
  const first = [...Array(at + 1).keys()].find((i) => list[i] !== frozen[i]);
  if (first === undefined) return;
  throw new Error(
    `this build's steps of ${procedure} are others than those that were recorded when this run began (plan ${digest.slice(0, 12)}): at ${first + 1} it has ${list[first] ?? 'nothing'}, the record ${frozen[first] ?? 'nothing'}. Run it by the build that it began with, or give the changed procedure a revision of its own`,
  );
}

async function resolve(
  runtime: TemporalRuntime,
  procedure: string,
  input: PlanInput,
  isDryRun: boolean,
): Promise<unknown> {
  const { cluster, version, requestedBy, mode } = input;
  const asked = {
    cluster,
    ...(version === undefined ? { only: 'check' } : { version }),
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...(mode === undefined ? {} : { mode }),
  };
  const call = runtime.call('plan.resolve', { schema: 1, procedure, isDryRun, input: asked }, RESOLVING);
  // Nothing else happens yet, so a cancel simply ends it.
  const cut = runtime.waitFor(() => runtime.cancelRequested).then(() => call.cut());
  cut.catch(() => undefined);
  try {
    return await call.result;
  } catch (error) {
    if (error instanceof CutError) throw runtime.cancellation('cancelled before anything was touched');
    if (!(error instanceof CallFailed)) throw error;
    const told = /nothing was (touched|started|changed)/i.test(error.message);
    throw runtime.failure(error.type, `${error.message}${told ? '' : '\nNothing was touched.'}`, error.details);
  }
}
