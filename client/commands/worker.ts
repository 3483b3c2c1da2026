/** `worker`. */
import { InvalidArgumentError, type Command } from 'commander';
import type * as workerModule from '../../worker';
import { connect, SettingsError } from '../../worker/engine';
import { inventoryPath, loadInventory } from '../../worker/inventory';
import { withExamples, type Context, type Session } from '../context';
import { ClientError, exitCodes, type ExitCode } from '../exit';

interface WorkerOptions {
  readonly inventory?: string;
  readonly site?: readonly string[];
  readonly evidence?: string;
  readonly watchSlots?: number;
  readonly leave?: readonly string[];
}

const codeOf: Readonly<Record<workerModule.FaultKind, ExitCode>> = {
  unreachable: exitCodes.unreachable,
  refused: exitCodes.unreachable,
  settings: exitCodes.usage,
  unprepared: exitCodes.failed,
};

export function addWorkerCommand(program: Command, context: Context): void {
  const worker = program
    .command('worker')
    .description(
      'Run a worker until it is told to stop (SIGINT, SIGTERM). Before it polls it checks the inventory, the server, and that this build can go on with every open run. Without a configured Temporal server it starts one on this machine.',
    )
    .option('--inventory <file>', 'the inventory; $HITLESS_INVENTORY, or else /etc/hitless/inventory.yaml')
    .option('--site <name...>', 'reach the devices of these sites too')
    .option('--evidence <directory>', 'keep the whole output of commands there, for auditors')
    .option('--watch-slots <number>', 'how many monitoring periods at once (default 1000)', slots)
    .option(
      '--leave <run>',
      'leave this open run (run ID or workflow ID) out of the check; may be given again. If this build can’t go on with it, it stands still while the others go on',
      (run: string, others: readonly string[] = []) => [...others, run],
    )
    .action((options: WorkerOptions) => context.run({}, (session) => runWorker(session, options)));
  withExamples(
    worker,
    ['hitless worker', 'a server on this machine if none is configured, and a worker for it'],
    [
      'TEMPORAL_ADDRESS=temporal:7233 hitless worker --site dc1',
      'for your own Temporal cluster, with the devices of dc1',
    ],
  );
}

function slots(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It is no whole number above 0.');
}

async function runWorker({ io, note }: Session, options: WorkerOptions): Promise<undefined> {
  // Loaded here: the other commands start without the native worker and its bundler.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- `import()` here would want a built file
  const { startWorker, CannotStart } = require('../../worker') as typeof workerModule;
  const started = (settings: workerModule.WorkerSettings): Promise<workerModule.RunningWorker> =>
    startWorker(settings).catch((error: unknown) => {
      if (!(error instanceof CannotStart)) throw error;
      throw new ClientError(codeOf[error.kind], `this worker doesn't start: ${error.message}`, error.next);
    });
  const inventory = inventoryPath(options.inventory, io.env);
  // Before an engine is looked for or built: a broken inventory is known at once.
  loadInventory(inventory);
  const target = await connect({ env: io.env, onProgress: note }).catch((error: unknown) => {
    const code = error instanceof SettingsError ? exitCodes.usage : exitCodes.unreachable;
    throw new ClientError(code, `this worker doesn't start: ${error instanceof Error ? error.message : String(error)}`);
  });
  const uiUrl = (io.env['HITLESS_WEB_UI'] || target.uiUrl)?.replace(/\/+$/, '');
  const worker = await started({
    connection: target.connectionOptions,
    namespace: target.namespace,
    inventory,
    onProgress: note,
    ...(uiUrl !== undefined && { uiUrl }),
    ...(options.site !== undefined && { sites: options.site }),
    ...(options.evidence !== undefined && { evidence: options.evidence }),
    ...(options.watchSlots !== undefined && { watchSlots: options.watchSlots }),
    ...(options.leave !== undefined && { leave: options.leave }),
  });
  note(
    `polling ${worker.taskQueues.join(', ')} at ${target.connectionOptions.address}${uiUrl === undefined ? '' : `; Web UI ${uiUrl}`}; stop with Ctrl-C, upgrades go on with the next worker${target.embedded ? '; the server goes on until “hitless engine stop”' : ''}`,
  );
  await untilToldToStop(worker, note);
  return undefined;
}

async function untilToldToStop(
  worker: { readonly ended: Promise<void>; stop(): Promise<void> },
  note: (text: string) => void,
): Promise<void> {
  const stop = (signal: NodeJS.Signals): void => {
    note(`${signal}: stopping; what is in hand goes on with the next worker`);
    worker.stop().catch(() => undefined);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  // Once: whoever asks twice wants out at once.
  for (const signal of signals) process.once(signal, stop);
  try {
    await worker.ended;
  } finally {
    for (const signal of signals) process.removeListener(signal, stop);
  }
}
