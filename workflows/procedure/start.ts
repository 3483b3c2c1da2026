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
import { faultOfName, faultsOf } from './asks';
import type { Carried } from './carry';
import { leftBehind } from './inherited';
import { readinessOf } from './readiness';
import { listOf, record } from './record';
import { ASIDE, Run } from './run';
import { TemporalRuntime } from './runtime';
import { isUndecodable } from './undecodable';
import { CallFailed, CutError, type Action, type Body, type CallOptions, type Identity, type PlanBase } from './types';
import { reportView } from './report';
import { statusView } from './views';
import { stepKey } from './wire';

/** A plan is asked for a few times only: whoever starts an upgrade stands before the screen. */
const RESOLVING: CallOptions = {
  summary: 'Resolve the plan: inventory, roles, releases',
  timeoutMs: 120_000,
  patience: { attempts: 3, intervalMs: 3_000 },
};
const LOCAL: CallOptions = { ...ASIDE, summary: 'Digest of the plan' };

interface Prepared<P> {
  readonly plan: P;
  readonly items: readonly PlannedItem[];
  readonly digest: string;
}

/** What the next link of a run's chain is started with, as `continued`. */
type NextLink<P> = Prepared<P> & Carried;

/** Asked only where the server says that the run was continued: nobody else can claim that gates were passed. */
const nextLink = <P>(input: unknown): NextLink<P> | undefined =>
  typeof input === 'object' && input !== null && 'continued' in input ? (input.continued as NextLink<P>) : undefined;

/** The workflow of a procedure. `inputs`: what the server was given; more than one is refused. */
export async function upgrade<P extends PlanBase>(
  procedure: string,
  body: Body<P>,
  inputs: readonly unknown[],
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
    const core = runtime.core();
    // Also of a later link: a schedule or a timeout makes the server continue a run whose input nobody has checked.
    if (core === 2) {
      checkInputs(runtime, inputs);
      checkLimits(runtime);
    }
    const next = core === 2 && runtime.workflow.isContinued ? nextLink<P>(inputs[0]) : undefined;
    const prepared = next ?? (await begin(runtime, core, procedure, body, inputs));
    const { plan, items, digest } = prepared;
    if (next !== undefined) await checkList(procedure, body, next);
    planView = { digest, plan, items };
    runtime.announce(plan.cluster, plan.version);
    const { identity, resetFrom } = core === 1 ? ({} as Partial<Identified>) : await identify(runtime, next);
    const inherited =
      identity === undefined || (next !== undefined && resetFrom === undefined)
        ? undefined
        : await leftBehind(runtime, plan, identity, resetFrom);
    const run = new Run({
      runtime,
      body,
      plan,
      items,
      planDigest: digest,
      core,
      ...(closing === undefined ? {} : { closing }),
      ...(identity === undefined ? {} : { identity }),
      ...(inherited === undefined ? {} : { inherited }),
      ...(next === undefined || identity === undefined ? {} : { state: { ...next.state, identity } }),
    });
    view = () => statusView(run);
    const end = await run.toTheEnd();
    if ('carried' in end) return runtime.continueAs({ continued: { ...end.carried, plan, items, digest } });
    const { ending } = end;
    const report = reportView(run);
    if (ending === 'Completed') return report;
    const message = `${report.sentence} ${report.standing}`;
    if (ending === 'Cancelled') {
      runtime.remember({ [reportMemo]: report });
      throw runtime.cancellation(message);
    }
    throw runtime.failure(ending, message, report);
  });
}

/** The beginning of a run: everything that could be wrong is found out before anything is touched. */
async function begin<P extends PlanBase>(
  runtime: TemporalRuntime,
  core: 1 | 2,
  procedure: string,
  body: Body<P>,
  inputs: readonly unknown[],
): Promise<Prepared<P>> {
  const input = readInput(runtime, startInput, inputs[0]);
  await checkWorkflowId(runtime, workflowIdOf(input.cluster), input.cluster);
  const prepared = await prepare(runtime, core, procedure, body, input, false);
  const { plan, digest } = prepared;
  if (input.expectPlan !== undefined && !digest.startsWith(input.expectPlan)) {
    throw runtime.failure(
      'PlanDiffers',
      `the plan's digest is ${digest}, not ${input.expectPlan}…: nothing was touched; look at the plan again`,
    );
  }
  checkRequester(runtime, plan);
  const fault = core === 1 || plan.requestedBy === undefined ? undefined : faultOfName(plan.requestedBy);
  if (fault !== undefined) throw runtime.failure('InvalidInput', `requestedBy: ${fault}; nothing was touched`);
  return prepared;
}

/** A second payload would be ignored. */
function checkInputs(runtime: TemporalRuntime, inputs: readonly unknown[]): void {
  if (inputs.length > 1)
    throw runtime.failure(
      'InvalidInput',
      `${inputs.length} inputs were given, and only one is read: start it with one JSON object; nothing was touched`,
    );
}

/** A limit in time ends an upgrade half-way, with nothing undone. A dry run may have one. */
function checkLimits(runtime: TemporalRuntime): void {
  const { limits } = runtime.workflow;
  if (limits.length > 0)
    throw runtime.failure(
      'InvalidInput',
      `it was started with a ${limits.join(' and a ')}, which could end it half-way with nothing undone: start it without; nothing was touched`,
    );
}

interface Identified {
  readonly identity: Identity;
  /** The run, or link, begins anew after a reset: that one had been there before. */
  readonly resetFrom?: string | undefined;
}

/** Who this run is: its first run's ID on hosts, and the ID that it runs as, which an activity tells. */
async function identify(runtime: TemporalRuntime, carried: Carried | undefined): Promise<Identified> {
  const { id, firstRunId } = runtime.workflow;
  const call = runtime.call('core.whoami', { begins: true }, { ...ASIDE, summary: 'Which run this is' });
  const { runId, resetFrom } = (await call.result) as { readonly runId: string; readonly resetFrom?: string };
  const before = carried?.state.identity;
  const identity = {
    workflowId: id,
    firstRunId,
    link: before === undefined ? 0 : before.link + 1,
    executing: runId,
    calls: before?.calls ?? 0,
    ...(before?.adopted === undefined ? {} : { adopted: before.adopted }),
  };
  return { identity, resetFrom };
}

/** The dry run: the same preparation, the read-only parts, and what each step would do. Changes nothing. */
export async function planOnly<P extends PlanBase>(
  procedure: string,
  body: Body<P>,
  inputs: readonly unknown[],
): Promise<PlanView> {
  const runtime = new TemporalRuntime();
  return runtime.shielded(async () => {
    const core = runtime.core();
    if (core === 2) checkInputs(runtime, inputs);
    const input = readInput(runtime, planInput, inputs[0]);
    await checkWorkflowId(runtime, planWorkflowIdOf(input.cluster), input.cluster);
    const { plan, items, digest } = await prepare(runtime, core, procedure, body, input, true);
    const view: PlanView = { digest, plan, items };
    if (input.only === 'resolve') return view;
    const readiness = withFaults(
      await readReadiness(runtime, plan, items),
      core === 1 ? [] : await sharedNodes(runtime, plan),
    );
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
  core: 1 | 2,
  procedure: string,
  body: Body<P>,
  input: PlanInput,
  isDryRun: boolean,
): Promise<Prepared<P>> {
  const plan = (await resolve(runtime, procedure, input, isDryRun)) as P;
  const items = await record(body, plan);
  const { requestedBy: _, ...undisputed } = plan;
  if (core === 1) {
    const digest = String(await runtime.call('core.digest', { plan: undisputed, items }, LOCAL).result);
    return { plan, items, digest };
  }
  // Into the history with the list that was digested: what is run is that, whatever a later build would record.
  const frozen = { plan: undisputed, items, list: listOf(items) };
  const { digest, list } = (await runtime.call('core.freeze', frozen, { ...LOCAL, summary: 'Freeze plan and steps' })
    .result) as { readonly digest: string; readonly list: readonly string[] };
  assertSameList(procedure, digest, items, list);
  return { plan, items, digest };
}

const checkList = async <P extends PlanBase>(
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

type Readiness = NonNullable<PlanView['readiness']>;

const withFaults = (readiness: Readiness, more: Readiness['faults']): Readiness =>
  more.length === 0 ? readiness : { ...readiness, ready: false, faults: [...readiness.faults, ...more] };

/** Another upgrade under way of a node of this cluster: a start would be refused for it. */
async function sharedNodes(runtime: TemporalRuntime, plan: PlanBase): Promise<Readiness['faults']> {
  const once = {
    ...callOf(plan, 'Is a node of it being upgraded as part of another cluster?'),
    patience: { attempts: 1, intervalMs: 1_000 },
  };
  try {
    return (await runtime.call('plan.shared', plan, once).result) as Readiness['faults'];
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    // A worker that can't tell says nothing: the start looks again.
    return [];
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
