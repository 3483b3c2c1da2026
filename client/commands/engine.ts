/** `engine status`, `engine stop`: the Temporal server that `worker` starts where none is configured. It outlives workers. */
import type { Command } from 'commander';
import { runningLocalEngine, stopLocalEngine } from '../../worker/engine';
import { withExamples, withJson, type Context } from '../context';

const NONE = 'no engine of yours runs on this machine';

export function addEngineCommand(program: Command, context: Context): void {
  const engine = program
    .command('engine')
    .description('The Temporal server that “hitless worker” starts on this machine where none is configured.');
  withExamples(
    engine,
    ['hitless engine status', 'whether it runs, and where its Web UI is'],
    ['hitless engine stop', 'after the last worker has been stopped'],
  );
  const status = engine
    .command('status')
    .description('Tell whether it runs, and where.')
    .action((options: { readonly json?: boolean }) =>
      context.run(options, async ({ io }) => {
        const found = await runningLocalEngine(io.env);
        if (found === undefined) return { text: NONE, json: { running: false } };
        const { pid, port, uiPort, namespace, version } = found;
        const address = `127.0.0.1:${port}`;
        const webUi = `http://127.0.0.1:${uiPort}`;
        return {
          text: `${version}, process ${pid}, at ${address}, namespace ${namespace}; Web UI ${webUi}`,
          json: { running: true, pid, address, namespace, webUi, version },
        };
      }),
    );
  const stop = engine
    .command('stop')
    .description('Stop it. Upgrades that are open stand still until it runs again, their watches too.')
    .action((options: { readonly json?: boolean }) =>
      context.run(options, async ({ io }) => {
        const stopped = await stopLocalEngine(io.env);
        return { text: stopped ? 'stopped; “hitless worker” starts it again' : NONE, json: { stopped } };
      }),
    );
  withExamples(withJson(status), ['hitless engine status', '']);
  withExamples(withJson(stop), ['hitless engine stop', 'after the last worker has been stopped']);
}
