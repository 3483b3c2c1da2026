/**
 * From one JSON object to a run: input checked, workflow ID checked, plan resolved by the worker and frozen, list recorded,
 * digest taken. Nothing is touched before all of that has passed.
 */
import {
  planInput,
  queries,
  reportMemo,
  startInput,
  workflowIdOf,
  planWorkflowIdOf,
  type PlanView,
  type PlannedItem,
  type PreviewView,
  type Report,
  type PlanInput,
} from '../contract';
import { faultsOf } from './asks';
import { readinessOf } from './readiness';
import { record } from './record';
import { Run } from './run';
import { TemporalRuntime } from './runtime';
import { isUndecodable } from './undecodable';
import { CallFailed, CutError, type Action, type Body, type CallOptions, type PlanBase } from './types';
import { endingSentences, reportView, statusView } from './views';
import { stepKey } from './wire';

/** A plan is asked for a few times only: whoever starts an upgrade stands before the screen. */
const RESOLVING: CallOptions = {
  summary: 'Resolve the plan: inventory, roles, releases',
  timeoutMs: 120_000,
  patience: { attempts: 3, intervalMs: 3_000 },
};
const LOCAL: CallOptions = {
  summary: 'Digest of the plan',
  local: true,
  timeoutMs: 10_000,
  patience: { attempts: 0, intervalMs: 1_000 },
};

interface Prepared<P> {
  readonly plan: P;
  readonly items: readonly PlannedItem[];
  readonly digest: string;
}

/** The workflow of a procedure. */
export async function upgrade<P extends PlanBase>(
  procedure: string,
  body: Body<P>,
  raw: unknown,
  closing?: Action<'step'>,
): Promise<Report> {
  const runtime = new TemporalRuntime();
  let view: () => unknown = () => ({
    phase: 'preparing',
    sentence: 'Checking the input and resolving the plan; nothing has been touched.',
  });
  let planView: PlanView | undefined;
  runtime.onQuery(queries.status, () => view(), 'Where the upgrade stands, as JSON');
  runtime.onQuery(queries.plan, () => planView ?? null, 'The frozen plan, its steps and its digest, as JSON');
  return runtime.shielded(async () => {
    const input = readInput(runtime, startInput, raw);
    await checkWorkflowId(runtime, workflowIdOf(input.cluster), input.cluster);
    const { plan, items, digest } = await prepare(runtime, procedure, body, input, false);
    if (input.expectPlan !== undefined && !digest.startsWith(input.expectPlan)) {
      throw runtime.failure(
        'PlanDiffers',
        `the plan's digest is ${digest}, not ${input.expectPlan}…: nothing was touched; look at the plan again`,
      );
    }
    checkRequester(runtime, plan);
    planView = { digest, plan, items };
    runtime.announce(plan.cluster, plan.version);
    const run = new Run({
      runtime,
      body,
      plan,
      items,
      planDigest: digest,
      ...(closing === undefined ? {} : { closing }),
    });
    view = () => statusView(run);
    const ending = await run.toTheEnd();
    const report = reportView(run);
    if (ending === 'Completed') return report;
    const message = `${endingSentences[ending]} ${report.standing}`;
    if (ending === 'Cancelled') {
      runtime.remember({ [reportMemo]: report });
      throw runtime.cancellation(message);
    }
    throw runtime.failure(ending, message, report);
  });
}

/** The dry run: the same preparation, the read-only parts, and what each step would do. Changes nothing. */
export async function planOnly<P extends PlanBase>(procedure: string, body: Body<P>, raw: unknown): Promise<PlanView> {
  const runtime = new TemporalRuntime();
  return runtime.shielded(async () => {
    const input = readInput(runtime, planInput, raw);
    await checkWorkflowId(runtime, planWorkflowIdOf(input.cluster), input.cluster);
    const { plan, items, digest } = await prepare(runtime, procedure, body, input, true);
    const view: PlanView = { digest, plan, items };
    if (input.only === 'resolve') return view;
    const readiness = await readReadiness(runtime, plan, items);
    if (input.only === 'check') return { ...view, readiness };
    const previews: PreviewView[] = [];
    for (const [index, item] of items.entries()) {
      if (item.kind === 'step') previews.push(await preview(runtime, plan, item, index));
    }
    return { ...view, readiness, previews };
  });
}

function readInput<T>(
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
async function checkWorkflowId(runtime: TemporalRuntime, wanted: string, cluster: string): Promise<void> {
  const { id, type, taskQueue, namespace } = runtime.workflow;
  if (id === wanted) return;
  const link = await runtime.call(
    'core.startLink',
    { namespace, workflowId: wanted, workflowType: type, taskQueue },
    { ...LOCAL, summary: 'Link to the right start form' },
  ).result;
  throw runtime.failure(
    'WrongWorkflowId',
    `cluster ${cluster} is upgraded under the workflow ID ${wanted} only, so that no two upgrades of it can run; this is ${id}. Start it here: ${String(link)}`,
  );
}

async function prepare<P extends PlanBase>(
  runtime: TemporalRuntime,
  procedure: string,
  body: Body<P>,
  input: PlanInput,
  isDryRun: boolean,
): Promise<Prepared<P>> {
  const plan = (await resolve(runtime, procedure, input, isDryRun)) as P;
  const items = await record(body, plan);
  const { requestedBy: _, ...undisputed } = plan;
  const digest = String(await runtime.call('core.digest', { plan: undisputed, items }, LOCAL).result);
  return { plan, items, digest };
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

/** "Not the one who started" needs to know who that was (design, promise 6). */
function checkRequester(runtime: TemporalRuntime, plan: PlanBase): void {
  if (plan.requestedBy !== undefined) return;
  const { gates, holds, switchBack, pause, resume } = plan.policy;
  const needs = Object.entries({ ...gates, holds, switchBack, pause, resume }).filter(
    ([, policy]) => policy?.notRequester === true,
  );
  if (needs.length === 0) return;
  throw runtime.failure(
    'InvalidInput',
    `requestedBy: is needed, as the policy of ${needs.map(([name]) => name).join(', ')} asks for somebody else than the requester; nothing was touched`,
  );
}

async function readReadiness(
  runtime: TemporalRuntime,
  plan: PlanBase,
  items: readonly PlannedItem[],
): Promise<NonNullable<PlanView['readiness']>> {
  const first = items.findIndex((item) => item.kind === 'check');
  const item = items[first];
  if (item === undefined) return { ready: true, faults: [] };
  try {
    const result = await runtime.call(`${item.action}.check`, wire(plan, item, first), callOf(plan, item.name)).result;
    return { ready: true, faults: [], summary: (result as { summary?: string }).summary ?? '' };
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return readinessOf(plan.cluster, error);
  }
}

async function preview(
  runtime: TemporalRuntime,
  plan: PlanBase,
  item: PlannedItem,
  index: number,
): Promise<PreviewView> {
  try {
    const result = await runtime.call(
      `${item.action}.preview`,
      wire(plan, item, index),
      callOf(plan, `Preview: ${item.name}`),
    ).result;
    return { item: index, ...(result as Omit<PreviewView, 'item'>) };
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return { item: index, commands: [], differences: [], failure: error.message };
  }
}

const wire = (plan: PlanBase, item: PlannedItem, index: number): unknown => ({
  schema: 1,
  step: stepKey(index, item.name),
  input: item.input,
  plan,
});
const callOf = (plan: PlanBase, summary: string): CallOptions => ({
  summary,
  queue: plan.queues.default,
  timeoutMs: 120_000,
  patience: { attempts: 3, intervalMs: 3_000 },
});
