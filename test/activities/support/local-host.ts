/** Hosts without SSH: this machine, with a directory of its own as home; and one whose answers are written down. */
import { spawn } from 'node:child_process';
import type { ExecOptions, ExecResult, Host } from '../../../activities/kit/host';
import type { StepContext } from '../../../activities/kit/step';
import { permanent } from '../../../activities/kit';

export interface LocalOptions {
  /** Working directory, as a login has its home. */
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Replaces a command by the one that does the same on this machine. */
  readonly rewrite?: (argv: readonly string[], options: ExecOptions) => readonly string[];
}

/** Runs commands on this machine. `sudo` is taken for granted, as tests that need another user name it in `rewrite`. */
export class LocalHost implements Host {
  constructor(
    readonly name: string,
    readonly options: LocalOptions,
  ) {}

  async exec(argv: readonly string[], how: ExecOptions = {}): Promise<ExecResult> {
    const { home, env = {}, rewrite = (same) => same } = this.options;
    const [program = '', ...args] = [...(how.via ?? []), ...rewrite(argv, how)];
    const start = Date.now();
    const result = await new Promise<ExecResult>((resolve) => {
      const child = spawn(program, args, { cwd: home, env: { ...process.env, LC_ALL: 'C', ...env } });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
      child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
      child.on('error', (error) => resolve({ code: 127, stdout, stderr: error.message, ms: Date.now() - start }));
      child.on('close', (code) => resolve({ code: code ?? 255, stdout, stderr, ms: Date.now() - start }));
      child.stdin.on('error', () => undefined);
      child.stdin.end(how.stdin ?? '');
    });
    return accepted(this.name, argv, how, result);
  }

  async readFile(path: string, how: ExecOptions = {}): Promise<string> {
    return (await this.exec(['/usr/bin/cat', '--', path], how)).stdout;
  }

  async writeFile(): Promise<void> {
    throw new Error('not needed here');
  }

  bootId(): Promise<string> {
    return this.readFile('/proc/sys/kernel/random/boot_id').then((text) => text.trim());
  }
}

function accepted(name: string, argv: readonly string[], how: ExecOptions, result: ExecResult): ExecResult {
  const { okCodes = [0] } = how;
  if (okCodes === 'any' || okCodes.includes(result.code)) return result;
  throw permanent(
    'CommandFailed',
    `${name}: "${argv.join(' ')}" ended with exit code ${result.code}: ${result.stderr}`,
  );
}

/** What a scripted host says to a command; a text is its output with exit code 0. */
export type Answer = string | { readonly code: number; readonly stdout?: string; readonly stderr?: string };

/**
 * A host whose answers come from `answer`, given the command as one line. Ownership is granted without being asked about.
 * A command without an answer is a fault of the test.
 */
export class ScriptedHost implements Host {
  /** Commands so far, as people write them. */
  readonly ran: string[] = [];

  constructor(
    readonly name: string,
    readonly answer: (
      command: string,
      options: ExecOptions,
      argv: readonly string[],
    ) => Answer | undefined | Promise<Answer>,
  ) {}

  async exec(argv: readonly string[], how: ExecOptions = {}): Promise<ExecResult> {
    const isOwnership = argv[0] === '/bin/sh' && argv[1]?.startsWith('.hitless/') === true;
    if (isOwnership) return { code: 0, stdout: '', stderr: '', ms: 0 };
    const user = how.sudo === true ? 'sudo ' : typeof how.sudo === 'string' ? `sudo -u ${how.sudo} ` : '';
    const command = `${user}${argv.join(' ')}`;
    this.ran.push(command);
    const said = await this.answer(command, how, argv);
    if (said === undefined) throw new Error(`${this.name} was asked something unforeseen: ${command}`);
    const { code, stdout = '', stderr = '' } = typeof said === 'string' ? { code: 0, stdout: said } : said;
    return accepted(this.name, argv, how, { code, stdout, stderr, ms: 1 });
  }

  async readFile(path: string, how: ExecOptions = {}): Promise<string> {
    return (await this.exec(['/usr/bin/cat', '--', path], how)).stdout;
  }

  async writeFile(): Promise<void> {
    throw new Error('not needed here');
  }

  bootId(): Promise<string> {
    return Promise.resolve('11111111-1111-4111-8111-111111111111');
  }
}

export interface LocalContext<Plan> extends StepContext<Plan> {
  readonly notes: string[];
}

/** What one attempt of an activity is given. Pauses are over at once where `instant` is set. */
export function contextOn<Plan>(
  plan: Plan,
  hosts: Readonly<Record<string, Host>>,
  options: { readonly call?: number; readonly instant?: boolean } = {},
): LocalContext<Plan> {
  const { call = 1, instant = false } = options;
  const notes: string[] = [];
  return {
    plan,
    run: { workflowId: 'upgrade-ss', runId: '01990000-cccc-7000-8000-0000cccccccc' },
    step: '05-test',
    attempt: 1,
    call: { number: call, scheduledAtMs: call * 1_000 },
    signal: new AbortController().signal,
    notes,
    host: async (name) => {
      const host = hosts[name];
      if (host === undefined) throw new Error(`the test has no host ${name}`);
      return host;
    },
    evidence: () => undefined,
    progress: (note) => void notes.push(note),
    kept: undefined,
    keep: () => undefined,
    pause: (ms) => new Promise((resolve) => (instant ? setImmediate(resolve) : setTimeout(resolve, ms))),
  };
}
