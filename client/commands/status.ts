/** `status`. */
import type { Command } from 'commander';
import { queries, workflowIdOf, type PlanView } from '../../workflows/contract';
import { withExamples, withJson, type Context, type Result, type Session } from '../context';
import { exitCodes, type ExitCode } from '../exit';
import { follow, hasEnded } from '../follow';
import { inventoryDifference } from '../inventory-here';
import { renderRun } from '../render/run';
import { readUpgrade, type Engine, type RunState } from '../run';
import { clusterName } from './options';
import { endCode } from './start';

interface StatusOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

export function addStatusCommand(program: Command, context: Context): void {
  const status = program
    .command('status')
    .argument('<cluster>', 'name of the cluster in the inventory')
    .description(
      'Where the upgrade of a cluster stands, and what it waits for. Without a worker: what the server knows. Ended: its report.',
    )
    .option('-w, --watch', 'keep showing it until it has ended')
    .action((cluster: string, options: StatusOptions) =>
      context.run(options, (session) => status_(session, clusterName(cluster), options)),
    );
  withExamples(
    withJson(status),
    ['hitless status fw-dc1', 'exit code 5 if people are asked something'],
    ['hitless status fw-dc1 --watch', 'on a terminal: kept up to date'],
    ["hitless status fw-dc1 --json | jq '.status.waitingFor'", 'for scripts'],
    ['hitless status fw-dc1 --watch --json', 'one JSON document on a line for every change'],
  );
}

async function status_(session: Session, cluster: string, options: StatusOptions): Promise<Result | undefined> {
  const engine = await session.engine();
  if (options.watch === true) return watch(session, engine, cluster);
  const state = await readUpgrade(engine, cluster);
  const note = await differs(engine, state, session.io.env);
  return {
    text: render(session, state) + (note === undefined ? '' : `\n\nNOTE: ${note}`),
    json: { ...state, ...(note !== undefined && { inventoryNote: note }) },
    code: statusCode(state),
  };
}

export function statusCode(state: RunState): ExitCode {
  if (hasEnded(state)) return endCode(state);
  return (state.status?.waitingFor.length ?? 0) > 0 ? exitCodes.waiting : exitCodes.ok;
}

const render = ({ io }: Session, state: RunState): string =>
  renderRun(state, { nowMs: io.now(), ...(io.columns !== undefined && { width: io.columns }) });

/** A changed inventory never changes a running run; people should know that it differs. */
async function differs(engine: Engine, state: RunState, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (state.status === undefined) return undefined;
  const handle = engine.client.workflow.getHandle(state.workflowId, state.runId);
  const view = await handle.query<PlanView | null>(queries.plan).catch(() => null);
  return inventoryDifference(state.cluster, view?.plan, env);
}

/** Cursor home, then everything below cleared: no flicker, and nothing of the last screen stays. */
const REDRAW = '\u001b[H\u001b[J';
const CLEAR = '\u001b[2J';

async function watch(session: Session, engine: Engine, cluster: string): Promise<Result | undefined> {
  const { io, wantsJson } = session;
  const isScreen = io.columns !== undefined && !wantsJson;
  let shown = '';
  let isAway = false;
  const show = (seen: RunState): void => {
    // What activities tell changes all the time; it is for a screen that is kept up to date.
    const { inHand, ...lasting } = seen;
    const state: RunState = isScreen && inHand !== undefined ? { ...lasting, inHand } : lasting;
    if (isAway) session.note('the server is back');
    isAway = false;
    // Ages ("for 3 s") are for screens; elsewhere only what changed in fact is printed again.
    const text = isScreen ? render(session, state) : wantsJson ? JSON.stringify(state) : renderRun(state);
    if (text === shown) return;
    if (isScreen) io.out(`${shown === '' ? CLEAR : ''}${REDRAW}${text}\n`);
    else session.emit(`${text}\n`, state);
    shown = text;
  };
  const state = await follow(engine, {
    cluster,
    workflowId: workflowIdOf(cluster),
    onState: show,
    onTrouble: (trouble) => {
      if (!isAway) session.note(`${trouble.message}; looking on`);
      isAway = true;
    },
  });
  return wantsJson ? undefined : { text: '', json: state, code: statusCode(state) };
}
