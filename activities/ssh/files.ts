/**
 * Files on hosts, by commands that a sudoers file can list exactly: no shell, no wildcard, fixed names.
 */
import { ApplicationFailure } from '@temporalio/common';
import { failureType, permanent, transient } from '../kit/errors';
import type { ExecOptions, Host } from '../kit/host';
import { OUTPUT_LIMIT_BYTES } from '../kit/output';
import { sudoersCommand } from './quote';

type Exec = Pick<Host, 'exec' | 'name'>;
type FileOptions = Pick<ExecOptions, 'sudo' | 'quiet' | 'via'>;

const MODE = /^[0-7]{3,4}$/;
/** Beside the file, so that the rename stays in one file system; no glob such as *.conf takes it for the real one. */
const staged = (path: string): string => `${path}.hitless-new`;

const catArgv = (path: string): string[] => ['/usr/bin/cat', '--', path];
const likeArgv = (path: string): string[] => [
  '/usr/bin/cp',
  '--attributes-only',
  '--preserve=all',
  '-T',
  '--',
  path,
  staged(path),
];
const emptyArgv = (path: string, mode: string): string[] => [
  '/usr/bin/install',
  '-m',
  mode,
  '-T',
  '--',
  '/dev/null',
  staged(path),
];
const teeArgv = (path: string): string[] => ['/usr/bin/tee', '--', staged(path)];
const modeArgv = (path: string, mode: string): string[] => ['/usr/bin/chmod', mode, '--', staged(path)];
const moveArgv = (path: string): string[] => ['/usr/bin/mv', '-fT', '--', staged(path), path];

/** The whole file. Throws CommandFailed if it isn't there, or is longer than the limit of an output. */
export async function readFileOn(host: Exec, path: string, options: FileOptions = {}): Promise<string> {
  try {
    return (await host.exec(catArgv(path), options)).stdout;
  } catch (error) {
    if (!isTooMuch(error)) throw error;
    throw permanent(
      'CommandFailed',
      `${host.name}: ${path} is too large to be read whole: a file of this kind has some kilobytes. Next: see what it holds`,
      { host: host.name, path },
    );
  }
}

const isTooMuch = (error: unknown): boolean =>
  error instanceof ApplicationFailure &&
  (error.details?.[0] as { limitBytes?: unknown } | undefined)?.limitBytes !== undefined;

/**
 * Replaces a file by a rename, so that nobody sees half of it. Owner, mode and security labels of an existing file stay as
 * they are; a new one belongs to who writes it and has `mode` (default 0644), as has an existing one if `mode` is given.
 * May be repeated at any time; a cut leaves the old file and a leftover beside it that the next attempt overwrites.
 */
export async function writeFileOn(
  host: Exec,
  path: string,
  content: string,
  options: FileOptions & { readonly mode?: string } = {},
): Promise<void> {
  const { mode, ...how } = options;
  if (mode !== undefined && !MODE.test(mode))
    throw permanent('InvalidInput', `${mode} is not a file mode such as 0644`);
  const like = await host.exec(likeArgv(path), { ...how, okCodes: [0, 1] });
  if (like.code === 0) {
    if (mode !== undefined) await host.exec(modeArgv(path, mode), how);
  } else if (/No such file or directory/.test(like.stderr)) {
    await host.exec(emptyArgv(path, mode ?? '0644'), how);
  } else {
    throw permanent('CommandFailed', `${host.name}: ${path} can’t be replaced: ${like.stderr.trim()}`, {
      host: host.name,
      path,
    });
  }
  // tee gives back what it wrote: a cut upload is seen before it is put in place.
  const outputLimitBytes = Buffer.byteLength(content) + OUTPUT_LIMIT_BYTES;
  const echo = await host.exec(teeArgv(path), { ...how, stdin: content, quiet: true, outputLimitBytes });
  if (echo.stdout !== content)
    throw transient(
      'CommandFailedRetryable',
      `${host.name}: ${path} was not replaced: ${Buffer.byteLength(content)} bytes were sent, ${Buffer.byteLength(echo.stdout)} written to ${staged(path)}`,
      { host: host.name, path },
    );
  await host.exec(moveArgv(path), how);
}

/** What sudoers must allow so that readFile(path, {sudo}) works. */
export const sudoToRead = (path: string): string[] => [sudoersCommand(catArgv(path))];

/** What sudoers must allow so that writeFile(path, …, {sudo, mode}) works. */
export const sudoToWrite = (path: string, mode?: string): string[] =>
  [
    likeArgv(path),
    emptyArgv(path, mode ?? '0644'),
    ...(mode === undefined ? [] : [modeArgv(path, mode)]),
    teeArgv(path),
    moveArgv(path),
  ].map(sudoersCommand);

export const isMissingFile = (error: unknown): boolean =>
  failureType(error) === 'CommandFailed' && error instanceof Error && /No such file or directory/.test(error.message);
