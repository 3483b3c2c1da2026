/** `status`. */
import type { Command } from 'commander';
import { queries, workflowIdOf, type PlanView } from '../../workflows/contract';
import { withExamples, withJson, type Context, type Result, type Session } from '../context';
import { exitCodes, type ExitCode } from '../exit';
import { follow, hasEnded } from '../follow';
import { inventoryDifference } from '../inventory-here';
import { renderRun } from '../render/run';
import { renderScreen } from '../render/screen';
import { readUpgrade, type Engine, type RunState } from '../run';
import type { Screen } from '../screen';
import { teller } from '../tell';
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
    ['hitless status fw-dc1 --watch', 'on a terminal: one screen, kept up to date; elsewhere: a line for each change'],
    ["hitless status fw-dc1 --json | jq '.status.waitingFor'", 'for scripts'],
    ['hitless status fw-dc1 --watch --json', 'one JSON document on a line for every change'],
  );
}

async function status_(session: Session, cluster: string, options: StatusOptions): Promise<Result> {
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
  const handle = engine.client.workflow.getHandle(state.workflowId);
  const view = await handle.query<PlanView | null>(queries.plan).catch(() => null);
  return inventoryDifference(state.cluster, view?.plan, env);
}

function watch(session: Session, engine: Engine, cluster: string): Promise<Result> {
  if (session.wantsJson) return watchAsJson(session, engine, cluster);
  const { screen } = session.io;
  return screen === undefined ? watchAsLines(session, engine, cluster) : watchOn(screen, session, engine, cluster);
}

const following = (cluster: string) => ({ cluster, workflowId: workflowIdOf(cluster) });
/** How it ended, below everything that was told on the way. */
const ending = (session: Session, state: RunState): Result => ({
  text: render(session, state),
  json: state,
  code: statusCode(state),
});

/** On a terminal: one screen, kept up to date. */
async function watchOn(screen: Screen, session: Session, engine: Engine, cluster: string): Promise<Result> {
  const { now } = session.io;
  let seen: RunState | undefined;
  let trouble: string | undefined;
  const drawing = screen.open((size) => {
    if (seen === undefined) return [trouble ?? `looking at ${cluster} …`];
    return renderScreen(seen, { ...size, nowMs: now(), ...(trouble !== undefined && { trouble }) });
  });
  try {
    const state = await follow(engine, {
      ...following(cluster),
      onState: (state) => {
        seen = state;
        trouble = undefined;
        drawing.draw();
      },
      onTrouble: ({ message }) => {
        trouble = message;
        drawing.draw();
      },
    });
    drawing.close();
    return ending(session, state);
  } finally {
    drawing.close();
  }
}

/** Elsewhere: the whole of it once, then what is new, then how it ended. */
async function watchAsLines(session: Session, engine: Engine, cluster: string): Promise<Result> {
  const { onState, onTrouble } = teller(session, {
    first: (state) => {
      if (!hasEnded(state)) session.emit(`${renderRun(state)}\n`, state);
    },
  });
  return ending(session, await follow(engine, { ...following(cluster), onState, onTrouble }));
}

/** One document on a line whenever something has changed. */
async function watchAsJson(session: Session, engine: Engine, cluster: string): Promise<Result> {
  let shown = '';
  let isAway = false;
  const state = await follow(engine, {
    ...following(cluster),
    onState: (seen) => {
      // What activities tell of themselves changes all the time.
      const { inHand: _, ...state } = seen;
      if (isAway) session.note('the server is back');
      isAway = false;
      const text = JSON.stringify(state);
      if (text !== shown) session.emit('', state);
      shown = text;
    },
    onTrouble: (trouble) => {
      if (!isAway) session.note(`${trouble.message}; looking on`);
      isAway = true;
    },
  });
  return { text: '', json: undefined, code: statusCode(state) };
}
