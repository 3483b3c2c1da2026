/**
 * A real OpenSSH server on loopback with a throwaway configuration, logging in the user who runs the tests.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';

const SSHD = '/usr/sbin/sshd';

/** Installs openssh-server where that is possible. Returns why there is no sshd, or undefined. */
export function sshdUnavailable(): string | undefined {
  if (existsSync(SSHD)) return undefined;
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version'))
    return `no ${SSHD}, and only root on Debian can install it`;
  process.stderr.write('Installing the Debian package openssh-server for the SSH tests\n');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...argv: string[]): boolean =>
    spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...argv], { env, stdio: 'ignore' }).status === 0;
  const install = (): boolean => apt('install', '-y', '--no-install-recommends', 'openssh-server');
  return install() || (apt('update') && install()) ? undefined : 'openssh-server could not be installed';
}

/** `describe`, or a skipped one with its reason; in CI a skip is a failure. */
export function describeWithSshd(name: string, body: () => void): void {
  const why = sshdUnavailable();
  if (why === undefined) describe(name, body);
  else if (process.env['CI']) describe(name, () => test('sshd', () => Promise.reject(new Error(why))));
  else describe.skip(`${name} (${why})`, body);
}

export interface SshdOptions {
  readonly config?: readonly string[];
  /** Public keys that may log in. */
  readonly authorized: readonly string[];
  readonly hostKeyType?: 'ed25519' | 'rsa' | 'ecdsa';
  readonly port?: number;
}

export class Sshd {
  private constructor(
    readonly directory: string,
    readonly port: number,
    private child: ChildProcess,
    private readonly argv: readonly string[],
  ) {}

  readonly user = userInfo().username;
  readonly address = '127.0.0.1';

  static async start(options: SshdOptions): Promise<Sshd> {
    const directory = mkdtempSync(join(tmpdir(), 'hitless-sshd-'));
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
    const port = options.port ?? (await freePort());
    makeKey(join(directory, 'host_key'), { type: options.hostKeyType ?? 'ed25519' });
    writeFileSync(join(directory, 'authorized_keys'), options.authorized.join('\n') + '\n');
    writeFileSync(
      join(directory, 'sshd_config'),
      [
        ...(options.config ?? []),
        `Port ${port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${join(directory, 'host_key')}`,
        `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
        `PidFile ${join(directory, 'pid')}`,
        'StrictModes no',
        'UsePAM no',
        'PermitRootLogin prohibit-password',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        'LogLevel VERBOSE',
        '',
      ].join('\n'),
    );
    const argv = ['-D', '-e', '-f', join(directory, 'sshd_config')];
    return new Sshd(directory, port, await listen(argv), argv);
  }

  get hostKey(): string {
    return readFileSync(join(this.directory, 'host_key.pub'), 'utf8').trim();
  }

  /** A known_hosts file with this server's key; `lines` instead of it. */
  knownHosts(lines: readonly string[] = [`[${this.address}]:${this.port} ${this.hostKey}`]): string {
    const path = join(this.directory, `known_hosts-${Math.random().toString(36).slice(2)}`);
    writeFileSync(path, lines.join('\n') + '\n');
    return path;
  }

  /** Another host key from now on, for new connections. */
  async changeHostKey(type: 'ed25519' | 'rsa' | 'ecdsa' = 'ed25519'): Promise<void> {
    rmSync(join(this.directory, 'host_key'));
    rmSync(join(this.directory, 'host_key.pub'));
    makeKey(join(this.directory, 'host_key'), { type });
    await this.stop();
    this.child = await listen(this.argv);
  }

  /** Processes that serve connections, one or two for each. */
  sessions(): number[] {
    return descendants(this.child.pid!);
  }

  /** Kills what serves the connections, with them the channels, but not what was run. */
  dropConnections(signal: NodeJS.Signals = 'SIGKILL'): void {
    for (const pid of this.sessions()) if (/^sshd/.test(commandOf(pid))) process.kill(pid, signal);
  }

  /** Ends the listener; with `connections` also what it serves. */
  async stop(): Promise<void> {
    this.dropConnections();
    if (this.child.exitCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await gone;
  }

  async restart(): Promise<void> {
    await this.stop();
    this.child = await listen(this.argv);
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function makeKey(path: string, options: { type?: string; passphrase?: string } = {}): string {
  execFileSync('ssh-keygen', ['-q', '-t', options.type ?? 'ed25519', '-N', options.passphrase ?? '', '-f', path]);
  return readFileSync(`${path}.pub`, 'utf8').trim();
}

async function listen(argv: readonly string[]): Promise<ChildProcess> {
  const child = spawn(SSHD, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('Server listening')) resolve();
    });
    child.once('exit', () => reject(new Error(`sshd ended: ${log}`)));
  });
  child.stderr.resume();
  return child;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

function descendants(pid: number): number[] {
  const children = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .map(Number)
    .filter((child) => child > 0);
  return [...children, ...children.flatMap(descendants)];
}
