/** The workflow of a procedure: begun by one JSON object, or by the link before it; run to its end; ended with a report. */
import { queries, reportMemo, startInput, workflowIdOf, type PlanView, type Report } from '../contract';
import { faultOfName } from './asks';
import { answers, ASK_AGAIN_MS, read } from './answers';
import { ASIDE } from './calls';
import type { Carried } from './carry';
import { leftBehind } from './inherited';
import { checkInputs, checkList, checkWorkflowId, prepare, readInput, type Prepared } from './prepare';
import { reportView } from './report';
import { Run } from './run';
import { TemporalRuntime } from './runtime';
import { CallFailed, type Action, type Body, type Identity, type PlanBase } from './types';
import { statusView } from './views';

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
    const listsSight = core === 2 && runtime.listsSight();
    const isFirm = core === 2 && runtime.isFirm();
    // Also of a later link: a schedule or a timeout makes the server continue a run whose input nobody has checked.
    if (core === 2) {
      checkInputs(runtime, inputs);
      checkLimits(runtime);
    }
    const next = core === 2 && runtime.workflow.isContinued ? nextLink<P>(inputs[0]) : undefined;
    const prepared = next ?? (await begin(runtime, { core, isFirm }, procedure, body, inputs));
    const { plan, items, digest } = prepared;
    if (next !== undefined) await checkList(procedure, body, next);
    planView = { digest, plan, items };
    runtime.announce(plan.cluster, plan.version);
    const { identity, resetFrom } = core === 1 ? ({} as Partial<Identified>) : await identify(runtime, next);
    const inherited =
      identity === undefined || (next !== undefined && resetFrom === undefined)
        ? undefined
        : await leftBehind({ runtime, plan, isFirm }, identity, resetFrom);
    const run = new Run({
      runtime,
      body,
      plan,
      items,
      planDigest: digest,
      core,
      listsSight,
      isFirm,
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
  { core, isFirm }: { readonly core: 1 | 2; readonly isFirm: boolean },
  procedure: string,
  body: Body<P>,
  inputs: readonly unknown[],
): Promise<Prepared<P>> {
  const input = readInput(runtime, startInput, inputs[0]);
  await checkWorkflowId(runtime, workflowIdOf(input.cluster), input.cluster);
  const prepared = await prepare(runtime, core, procedure, body, input, { isDryRun: false, isFirm });
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
  const before = carried?.state.identity;
  let who: { readonly runId: string; readonly resetFrom?: string | undefined } | undefined;
  while (who === undefined) {
    const call = runtime.call('core.whoami', { begins: true }, { ...ASIDE, summary: 'Which run this is' });
    let answer: unknown;
    try {
      answer = await call.result;
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
    }
    const told = read(answers.whoami, answer);
    if ('value' in told) who = told.value;
    // It may go on from what is half done: it waits for a worker that can tell.
    else await runtime.waitFor(() => false, { until: runtime.now() + ASK_AGAIN_MS });
  }
  const { runId, resetFrom } = who;
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
