import { spawn } from 'node:child_process';

/** One line for a person who waits: what is being done now. */
export type Progress = (line: string) => void;

export interface CommandResult {
  /** Exit status; 128 + n if the process was ended by signal n or a timeout (124). */
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  input?: string;
  /** The process is killed after this long, and its exit status is then 124. Default: 10 minutes. */
  timeoutMs?: number;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

/** A command that the lab needs failed: the message carries the command and the end of what it said. */
export class CommandError extends Error {
  constructor(
    readonly argv: readonly string[],
    readonly result: CommandResult,
  ) {
    const said = (result.stderr.trim() || result.stdout.trim() || '(it said nothing)').slice(-2000);
    super(`\`${argv.join(' ').slice(0, 300)}\` ended with status ${result.code}: ${said}`);
    this.name = 'CommandError';
  }
}

/** Runs a program and collects what it says; a non-zero exit status is a result, not an error. */
export function run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error('run: empty command');
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const timeoutMs = options.timeoutMs ?? 600_000;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
      // A grandchild may hold the pipes open; the caller must not wait for it.
      child.stdout.destroy();
      child.stderr.destroy();
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new Error(`can't run \`${program}\`: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (timedOut) stderr += `\n(killed after ${timeoutMs} ms)`;
      resolve({ code: timedOut ? 124 : (code ?? (signal === null ? 1 : 128)), stdout, stderr });
    });
    // EPIPE: the program ended without reading its input; its exit status tells more.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** As `run`, but throws CommandError unless the exit status is 0. Returns standard output. */
export async function check(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.code !== 0) throw new CommandError(argv, result);
  return result.stdout;
}

/** Runs many `ip` commands in one process; names the first line that failed. */
export async function ipBatch(lines: readonly string[], namespace?: string): Promise<void> {
  if (lines.length === 0) return;
  const argv = ['ip', ...(namespace === undefined ? [] : ['-n', namespace]), '-batch', '-'];
  const result = await run(argv, { input: lines.join('\n') + '\n' });
  if (result.code !== 0) {
    const at = /Command failed -:(\d+)/.exec(result.stderr)?.[1];
    const line = at === undefined ? undefined : lines[Number(at) - 1];
    throw new Error(`\`ip ${line ?? '(batch)'}\` failed: ${result.stderr.trim()}`);
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Polls until `probe` returns something other than undefined or false.
 * @throws Error naming `what`, and what the last attempt threw, after `timeoutMs`.
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs = 60_000, intervalMs = 100 }: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const until = Date.now() + timeoutMs;
  let last = '';
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = '';
    } catch (error) {
      last = `: ${(error as Error).message}`;
    }
    if (Date.now() > until) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}${last}`);
    await sleep(intervalMs);
  }
}
