/** `start`. */
import type { Command } from 'commander';
import { defaultUser, withExamples, withJson, type Context, type Result, type Session } from '../context';
import { ClientError, exitCodes, type ExitCode } from '../exit';
import { follow, hasEnded } from '../follow';
import { routingOf } from '../inventory-here';
import { renderRun } from '../render/run';
import { exitCodeOf, parseInput, startUpgrade, type Started } from '../start';
import type { Engine, RunState } from '../run';
import { cureOf } from '../server-view';
import { teller } from '../tell';
import { startInput } from '../../workflows/contract';
import { withMode, withRouting, type ModeOptions, type RoutingOptions } from './options';

interface StartCommandOptions extends RoutingOptions, ModeOptions {
  readonly json?: boolean;
  readonly requestedBy?: string;
  readonly expectPlan?: string;
  readonly wait?: boolean;
  readonly follow?: boolean;
}

/** How long to look whether a worker takes it up and accepts the input: bad input ends a run within seconds. */
const SETTLE_TIMEOUT_MS = 15_000;

export function addStartCommand(program: Command, context: Context): void {
  const start = program
    .command('start')
    .argument('<cluster>', 'name of the cluster in the inventory')
    .argument('<version>', 'release to upgrade to, as the inventory names it')
    .description('Start the upgrade of a cluster. It goes on without this command; one upgrade per cluster at a time.')
    .option('--requested-by <name>', 'who asks for it; $HITLESS_USER, or else the user of this system')
    .option('--expect-plan <digest>', 'start only if the plan still has this digest (12 or more of its characters)')
    .option('--wait', 'wait until it has ended or asks people something (exit code 5)')
    .option('--follow', 'print what happens until it has ended')
    .action((cluster: string, version: string, options: StartCommandOptions) =>
      context.run(options, (session) => start_(session, cluster, version, options)),
    );
  withExamples(
    withJson(withMode(withRouting(start))),
    ['hitless start fw-dc1 2.0', 'start it, then: hitless status fw-dc1 --watch'],
    ['hitless start fw-dc1 2.0 --expect-plan 3f2a90c1d4e5', 'start exactly the plan that hitless plan showed'],
    ['hitless start fw-dc1 2.0 --follow', 'start it and see it through'],
    ['hitless start fw-dc1 2.0 --wait || echo $?', 'in scripts: 0 upgraded, 1 not, 5 people are asked'],
  );
}

async function start_(
  session: Session,
  cluster: string,
  version: string,
  options: StartCommandOptions,
): Promise<Result> {
  const input = parseInput(startInput, {
    cluster,
    version,
    requestedBy: options.requestedBy ?? defaultUser(session.io.env),
    ...(options.expectPlan !== undefined && { expectPlan: options.expectPlan }),
    ...(options.mode !== undefined && { mode: options.mode }),
  });
  const routing = routingOf(cluster, session.io.env, options);
  const engine = await session.engine();
  const started = await startUpgrade(engine, input, routing);
  session.note(`${started.workflowId} has started${started.link === undefined ? '' : `: ${started.link}`}`);
  const state = await look(session, engine, cluster, started, options);
  if (hasEnded(state)) return ended(state, session);
  const json = { ...started, state };
  if (options.wait === true && isAsking(state))
    return { text: renderRun(state, { nowMs: session.io.now() }), json, code: exitCodes.waiting };
  return { ...settled(cluster, state), json };
}

/** Follows as far as was asked; else only until it is clear whether the run was accepted. */
async function look(
  session: Session,
  engine: Engine,
  cluster: string,
  started: Started,
  options: StartCommandOptions,
): Promise<RunState> {
  const { workflowId, runId } = started;
  const deadline = session.io.now() + SETTLE_TIMEOUT_MS;
  const isFollowed = options.follow === true || options.wait === true;
  const { onState, onTrouble } = teller(session, { onlyTrouble: options.follow !== true });
  return follow(engine, {
    cluster,
    workflowId,
    firstRunId: runId,
    ...(isFollowed && { onState }),
    onTrouble,
    until: (state) => {
      if (hasEnded(state)) return true;
      if (options.follow === true) return false;
      if (options.wait === true) return isAsking(state);
      return isAccepted(state) || isUnserved(state) || session.io.now() > deadline;
    },
  });
}

const isAsking = (state: RunState): boolean => (state.status?.waitingFor.length ?? 0) > 0;
/** The plan is resolved and the first step is on: the input was right. */
const isAccepted = (state: RunState): boolean => (state.status?.steps.length ?? 0) > 0;

/** Nobody will take it up soon: no worker has polled for minutes, or those that do fail at it. */
const isUnserved = ({ server }: RunState): boolean =>
  server !== undefined && (server.lastPoll === undefined || server.silence === 'tasks-fail');

function settled(cluster: string, { server }: RunState): { readonly text: string; readonly code?: ExitCode } {
  if (server === undefined) return { text: `Look at it: hitless status ${cluster} --watch` };
  if (server.silence === 'tasks-fail')
    return {
      text: `It has started, but no worker can take it up: ${server.why}\n  → ${cureOf(server)}`,
      code: exitCodes.failed,
    };
  return {
    text: `No worker has taken it up yet (${server.why}); it begins as soon as one does: hitless worker`,
  };
}

function ended(state: RunState, session: Session): Result {
  const code = endCode(state);
  if (state.failure !== undefined && state.report === undefined)
    throw new ClientError(code, state.failure.message, undefined, { ...state.failure });
  return { text: renderRun(state, { nowMs: session.io.now() }), json: { state }, code };
}

/** Exit code of an ended run. */
export function endCode(state: RunState): ExitCode {
  if (state.execution === 'completed') return exitCodes.ok;
  return state.report === undefined && state.failure !== undefined ? exitCodeOf(state.failure) : exitCodes.failed;
}
