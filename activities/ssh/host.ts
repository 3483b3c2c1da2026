import { transient } from '../kit/errors';
import type { ExecOptions, ExecResult, Host } from '../kit/host';
import { OUTPUT_LIMIT_BYTES, wholeLines } from '../kit/output';
import { SessionRefused, type RawResult } from './channel';
import { commandFailed, commandLine, shownCommand } from './command';
import { clipLine } from './errors';
import { readFileOn, writeFileOn } from './files';
import type { Pool } from './pool';
import type { HostsSpec, HostSpec } from './spec';
import { sudoRefusal, sudoRefused } from './sudo';

const EXEC_TIMEOUT_MS = 30_000;
/** How often another connection is tried when a host opens no further session. */
const SESSION_TRIES = 5;

/** A host over SSH. Connects at its first command and again whenever it must; the pool shares connections. */
export class SshHost implements Host {
  constructor(
    readonly name: string,
    private readonly spec: HostSpec,
    private readonly hosts: HostsSpec,
    private readonly pool: Pool,
    private readonly signal: AbortSignal,
    private readonly limitBytes: number = OUTPUT_LIMIT_BYTES,
  ) {}

  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const shown = shownCommand(argv, options);
    const started = performance.now();
    const raw = await this.#run(commandLine(this.spec, argv, options), shown, options);
    const result: ExecResult = {
      code: raw.code,
      stdout: raw.stdout.toString('utf8'),
      stderr: raw.stderr.toString('utf8') + (raw.signalName ? `\n(ended by ${raw.signalName})` : ''),
      ms: Math.round(performance.now() - started),
    };
    const refusal = options.sudo && this.spec.root === 'sudo' ? sudoRefusal(result.code, result.stderr) : undefined;
    if (refusal !== undefined) throw sudoRefused(this.name, this.spec.user, shown, refusal, result.stderr);
    const { okCodes = [0] } = options;
    if (okCodes === 'any' || okCodes.includes(result.code)) return result;
    throw commandFailed(this.name, argv, options, result);
  }

  readFile(path: string, options: Pick<ExecOptions, 'sudo' | 'quiet'> = {}): Promise<string> {
    return readFileOn(this, path, options);
  }

  writeFile(path: string, content: string, options: Parameters<Host['writeFile']>[2] = {}): Promise<void> {
    return writeFileOn(this, path, content, options);
  }

  async bootId(): Promise<string> {
    return (await this.exec(['/usr/bin/cat', '/proc/sys/kernel/random/boot_id'])).stdout.trim();
  }

  async #run(line: string, shown: string, options: ExecOptions): Promise<RawResult> {
    const { stdin, timeoutMs = EXEC_TIMEOUT_MS, outputLimitBytes = this.limitBytes, onStdout } = options;
    for (let tried = 1; ; tried++) {
      const lease = await this.pool.session(this.hosts, this.name, this.signal);
      const lines = onStdout === undefined ? undefined : wholeLines(onStdout);
      try {
        await lease.connection.checkShell(this.signal);
        const result = await lease.connection.run(line, shown, {
          ...(stdin === undefined ? {} : { stdin }),
          ...(lines === undefined ? {} : { onStdout: lines.add }),
          timeoutMs,
          signal: this.signal,
          limitBytes: outputLimitBytes,
        });
        lines?.end();
        return result;
      } catch (error) {
        if (!(error instanceof SessionRefused)) throw error;
        // Nothing was run. MaxSessions is lower than we thought, or the host is short of something.
        if (lease.connection.alive) lease.connection.capacity = Math.max(1, lease.connection.sessions - 1);
        if (tried >= SESSION_TRIES)
          throw transient(
            'CommandFailedRetryable',
            `${this.name}: sshd opens no session for "${clipLine(shown)}" (${clipLine(error.message)}). It was not run. Next: check MaxSessions in sshd_config, and free processes and memory on the host.`,
            { host: this.name },
          );
      } finally {
        lease.release();
      }
    }
  }
}
