/**
 * The commands of a job that need root, always in the same forms, so that a sudoers file can list them.
 */
import { permanent } from '../kit/errors';
import { hexDigits, sudoersCommand, type SudoersPart } from '../ssh/quote';
import { LOG_DIRECTORY, logPath } from './names';

/** Longest a job may take if it doesn't say; it is killed then. */
export const JOB_TIMEOUT_MS = 3_600_000;

type Argument = SudoersPart | readonly SudoersPart[];

export interface JobCommand {
  /**
   * Purpose of the job, as `install` or `install-undo`: lower-case letters, digits and hyphens. There is one unit per purpose,
   * run and host. An undo has a purpose of its own.
   */
  readonly name: string;
  /** What to run, by absolute path. */
  readonly argv: readonly string[];
  /** Environment; never a secret, for everyone on the host can read it. */
  readonly env?: Readonly<Record<string, string>>;
  /** systemd ends the job after this long; default one hour. */
  readonly timeoutMs?: number;
  /** User to run as; root if left out. */
  readonly user?: string;
}

/** Everything is the same for all runs but the eight digits of the run. */
export function startArgv(job: JobCommand, unit: string): string[] {
  checkJob(job);
  return unitArgv(job, [unit], [logPath(unit)], job.argv.map(escapeDollar)).map((a) => (a as string[]).join(''));
}

export const logDirectoryArgv = ['/usr/bin/install', '-d', '-m', '0755', LOG_DIRECTORY];
export const stopArgv = (unit: string): string[] => ['/usr/bin/systemctl', 'stop', '--', `${unit}.service`];
export const resetArgv = (unit: string): string[] => ['/usr/bin/systemctl', 'reset-failed', '--', `${unit}.service`];

/**
 * What sudoers must allow for a job of this purpose, whatever the run. Arguments that vary from run to run are given as
 * patterns (ANYTHING, hexDigits, …).
 */
export function sudoToRunJob(job: Omit<JobCommand, 'argv'> & { readonly argv: readonly Argument[] }): string[] {
  const unit = ['hitless-', hexDigits(8), `-${job.name}`];
  const argv = job.argv.map((a) => (typeof a === 'string' ? escapeDollar(a) : a));
  return [
    sudoersCommand(logDirectoryArgv),
    sudoersCommand(unitArgv(job, unit, [`${LOG_DIRECTORY}/`, ...unit, '.log'], argv)),
    ...['stop', 'reset-failed'].map((verb) =>
      sudoersCommand(['/usr/bin/systemctl', verb, '--', [...unit, '.service']]),
    ),
  ];
}

function unitArgv(
  job: Omit<JobCommand, 'argv'>,
  unit: readonly SudoersPart[],
  log: readonly SudoersPart[],
  argv: readonly Argument[],
): readonly (readonly SudoersPart[])[] {
  const property = (...parts: SudoersPart[]): SudoersPart[] => ['--property=', ...parts];
  return [
    ['/usr/bin/systemd-run'],
    ['--quiet'],
    ['--no-ask-password'],
    ['--unit=', ...unit],
    ...(job.user === undefined ? [] : [['--uid=', job.user]]),
    // The start is reported when the program has really been executed.
    property('Type=exec'),
    // Its result stays with systemd until we put it away.
    property('RemainAfterExit=yes'),
    property(`RuntimeMaxSec=${Math.ceil((job.timeoutMs ?? JOB_TIMEOUT_MS) / 1_000)}`),
    property('StandardOutput=append:', ...log),
    property('StandardError=append:', ...log),
    ['--setenv=LC_ALL=C'],
    ...Object.entries(job.env ?? {}).map(([name, value]) => [`--setenv=${name}=${value}`]),
    ['--'],
    ...argv.map((a) => (Array.isArray(a) ? (a as readonly SudoersPart[]) : [a as SudoersPart])),
  ];
}

/** systemd replaces $NAME in the arguments of a unit. */
const escapeDollar = (argument: string): string => argument.replaceAll('$', '$$$$');

function checkJob(job: JobCommand): void {
  if (!/^[a-z0-9][a-z0-9-]{0,47}$/.test(job.name))
    throw permanent('InvalidInput', `"${job.name}" is no name for a job`);
  if (job.argv[0]?.startsWith('/') !== true)
    throw permanent('InvalidInput', `job ${job.name}: ${job.argv[0] ?? 'nothing'} is not an absolute path`);
}
