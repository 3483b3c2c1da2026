/** The dry run: the same preparation as a run's, the read-only parts, and what each step would do. Changes nothing. */
import { planInput, planWorkflowIdOf, type PlannedItem, type PlanView, type PreviewView } from '../contract';
import { answers, preview as previewShape, read } from './answers';
import { checkInputs, checkWorkflowId, prepare, readInput } from './prepare';
import { readinessOf } from './readiness';
import { summaryOf } from './state';
import { TemporalRuntime } from './runtime';
import { CallFailed, type Body, type CallOptions, type PlanBase } from './types';
import { stepKey } from './wire';

/** The workflow of a dry run. `inputs`: what the server was given; more than one is refused. */
export async function planOnly<P extends PlanBase>(
  procedure: string,
  body: Body<P>,
  inputs: readonly unknown[],
): Promise<PlanView> {
  const runtime = new TemporalRuntime();
  return runtime.shielded(async () => {
    const core = runtime.core();
    const isFirm = core === 2 && runtime.isFirm();
    if (core === 2) checkInputs(runtime, inputs);
    const input = readInput(runtime, planInput, inputs[0]);
    await checkWorkflowId(runtime, planWorkflowIdOf(input.cluster), input.cluster);
    const { plan, items, digest } = await prepare(runtime, core, procedure, body, input, {
      isDryRun: true,
      isFirm,
    });
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
    return { ready: true, faults: [], summary: summaryOf(result) ?? '' };
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
    const told = read(answers.shared, await runtime.call('plan.shared', plan, once).result);
    return 'value' in told ? (told.value as Readiness['faults']) : [];
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
    const told = read(previewShape, result);
    if ('misfit' in told)
      throw new CallFailed('CorruptResult', `what was answered for it is no preview (${told.misfit})`);
    return { ...told.value, item: index };
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
