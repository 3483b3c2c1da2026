import { constants } from 'node:os';
import { permanent } from '../kit/errors';
import { clip } from '../kit/evidence';
import type { ExecOptions, ExecResult } from '../kit/host';
import { clipLine } from './errors';
import { quoteCommand } from './quote';
import type { HostSpec } from './spec';
import { SUDO } from './sudo';

/**
 * The command line for the login shell. Everything is read under LC_ALL=C, for messages are parsed; env sets it, as not
 * every login shell knows assignments.
 */
export function commandLine(
  spec: Pick<HostSpec, 'root'>,
  argv: readonly string[],
  { sudo, via = [] }: Pick<ExecOptions, 'sudo' | 'via'> = {},
): string {
  if (argv.length === 0) throw permanent('InvalidInput', 'a command without words');
  return quoteCommand(['/usr/bin/env', 'LC_ALL=C', ...via, ...becoming(spec, sudo), ...argv]);
}

function becoming(spec: Pick<HostSpec, 'root'>, sudo: ExecOptions['sudo']): readonly string[] {
  if (!sudo) return [];
  if (spec.root === 'sudo') return [SUDO, '-n', ...(sudo === true ? [] : ['-u', sudo]), '--'];
  return sudo === true || sudo === 'root' ? [] : ['/usr/sbin/runuser', '-u', sudo, '--'];
}

/** A command as people are shown it. */
export const shownCommand = (argv: readonly string[], { sudo }: Pick<ExecOptions, 'sudo'>): string =>
  `${sudo ? (sudo === true ? 'sudo ' : `sudo -u ${sudo} `) : ''}${quoteCommand(argv)}`;

/** A command that ended with an exit code that isn't wanted. Its output is told unless it is quiet. */
export function commandFailed(
  host: string,
  argv: readonly string[],
  options: Pick<ExecOptions, 'sudo' | 'quiet'>,
  result: ExecResult,
): Error {
  const shown = shownCommand(argv, options);
  const quiet = options.quiet === true;
  const said = (result.stderr.trim() || result.stdout.trim()).slice(-600);
  const signal = Object.entries(constants.signals).find(([, n]) => n + 128 === result.code)?.[0];
  const code = `exit code ${result.code}${signal === undefined ? '' : ` (${signal})`}`;
  const why = quiet || said === '' ? '' : `: ${clipLine(said, 600)}`;
  return permanent('CommandFailed', `${host}: "${clipLine(shown, 300)}" ended with ${code}${why}`, {
    host,
    command: clipLine(shown, 1_000),
    code: result.code,
    ...(quiet ? {} : { stdout: clip(result.stdout), stderr: clip(result.stderr) }),
  });
}
