#!/usr/bin/env node
/** The `hitless` command. */
import { Command, CommanderError } from 'commander';
import { addAnswerCommands } from './commands/answer';
import { addEngineCommand } from './commands/engine';
import { addListCommand } from './commands/list';
import { addInventoryCommand } from './commands/inventory';
import { addPlanCommands } from './commands/plan';
import { addSimulateCommand } from './commands/simulate';
import { addStartCommand } from './commands/start';
import { addStatusCommand } from './commands/status';
import { addWorkerCommand } from './commands/worker';
import { Context } from './context';
import { ClientError, exitCodeHelp, exitCodes, type ExitCode } from './exit';
import { processIo, type Io } from './io';
import { outliveStreams } from './streams';
import { packageVersion } from './version';

const EXIT_CODES = Object.entries(exitCodes)
  .map(([name, code]) => `  ${code}  ${exitCodeHelp[name as keyof typeof exitCodes]}`)
  .join('\n');

const HELP_HINT = 'hitless --help, or hitless COMMAND --help';

const ENVIRONMENT = `
Exit codes:
${EXIT_CODES}

Environment:
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…, TEMPORAL_PROFILE
                     the Temporal server, as the Temporal CLI reads them; else the engine on this machine
  HITLESS_WEB_UI     root of the Web UI, for links
  HITLESS_USER       who answers, if --by isn't given
  HITLESS_INVENTORY  the inventory, if --inventory isn't given; else /etc/hitless/inventory.yaml

Examples:
  hitless inventory validate        check the inventory
  hitless plan fw-dc1 2.0           see what an upgrade would do
  hitless start fw-dc1 2.0          start it
  hitless status fw-dc1 --watch     see how it goes and what it asks
  hitless approve fw-dc1            answer
  hitless list                      all upgrades, and whom they wait for
`;

/** @param complain takes what is wrong with the command line, as text. */
export function buildProgram(context: Context, complain: (text: string) => void = context.io.err): Command {
  const program = new Command('hitless')
    .description('Upgrade redundant network systems without losing a session.')
    .configureOutput({ writeOut: (text) => context.io.out(text), writeErr: complain })
    .version(packageVersion(), '-V, --version', 'print the version')
    // The release of `simulate panos --version` is none of ours.
    .enablePositionalOptions()
    .showHelpAfterError(`(${HELP_HINT})`)
    .exitOverride()
    .addHelpText('after', ENVIRONMENT);
  addPlanCommands(program, context);
  addStartCommand(program, context);
  addStatusCommand(program, context);
  addListCommand(program, context);
  addAnswerCommands(program, context);
  addWorkerCommand(program, context);
  addInventoryCommand(program, context);
  addEngineCommand(program, context);
  addSimulateCommand(program, context);
  inherit(program);
  return program;
}

/** What commander hands down only to commands made after it was set. */
function inherit(program: Command): void {
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
    inherit(command);
  }
}

/** Runs one command line (without node and script); never exits the process. */
export async function main(args: readonly string[], io: Io = processIo()): Promise<ExitCode> {
  const context = new Context(io);
  let complaint = '';
  const program = buildProgram(context, (text) => void (complaint += text));
  try {
    await program.parseAsync([...args], { from: 'user' });
    return context.code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.ok;
    if (wantsJson(program, args)) context.fail(usageFault(error), true);
    else io.err(complaint);
    return exitCodes.usage;
  }
}

/** Whether --json was meant as such: it may also be the value of another option. Parsing may have stopped before it. */
function wantsJson(program: Command, args: readonly string[]): boolean {
  const { options } = commandOf(program, args);
  return args.some((arg, at) => {
    if (arg !== '--json') return false;
    const before = options.find(({ long, short }) => [long, short].includes(args[at - 1]));
    return before?.required !== true;
  });
}

/** The command, or subcommand, that arguments begin with. */
function commandOf(command: Command, [first, ...rest]: readonly string[]): Command {
  const named = command.commands.find((c) => c.name() === first);
  return named === undefined ? command : commandOf(named, rest);
}

/** Commander's words begin with "error: ", and end with what it takes us to have meant. */
function usageFault({ code, message }: CommanderError): ClientError {
  if (code === 'commander.help') return new ClientError(exitCodes.usage, 'a command is missing', HELP_HINT);
  const [what = '', meant] = message.replace(/^error: /, '').split('\n');
  return new ClientError(
    exitCodes.usage,
    what,
    meant?.replace(/^\(Did you mean (.*)\?\)$/, 'did you mean $1?') ?? HELP_HINT,
  );
}

/** The process: arguments in, exit code out. */
export async function runProcess(): Promise<void> {
  outliveStreams();
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    // Not a fault that we know: what is needed to mend it is in the stack.
    process.stderr.write(`hitless: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = exitCodes.failed;
  }
  // A connection attempt that was given up may keep the native library for half a minute more: a worker that has said its
  // last word ends, so that whoever runs it as a service can start it again.
  if (process.argv[2] === 'worker') process.exit();
}

if (require.main === module) void runProcess();
