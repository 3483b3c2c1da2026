/**
 * One SSH connection: strict host key, the credentials of the inventory, keepalive, commands in channels.
 */
import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { Client, type Algorithms } from 'ssh2';
import { failureType, messageOf, permanent } from '../kit/errors';
import { abortable } from './abortable';
import { Offers } from './agreement';
import { optional, reasonCode, runCommand, SessionRefused, type RawOptions, type RawResult } from './channel';
import { nextLogin, type LoginState } from './login';
import {
  authenticationFailed,
  clipLine,
  hostKeyRefused,
  knownHostsUnreadable,
  label,
  unreachable,
  type Target,
} from './errors';
import { hostKeyAlgorithms, judgeKey, knownHostName, parseKnownHosts, pinnedKeys, type KnownHost } from './known-hosts';
import { expandHome, resolveLogins } from './secrets';
import { shellFault, shellRefused, SHELL_QUESTION } from './shell';
import type { HostSpec } from './spec';

/** A dead peer is noticed after (count + 1) × interval. */
const KEEPALIVE_INTERVAL_MS = 2_500;
const KEEPALIVE_COUNT = 2;
/** TCP, key exchange and login together. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A jump host has so long to open a channel: it tries to connect meanwhile, and some never say that it is in vain. */
const FORWARD_TIMEOUT_MS = 10_000;
/** sshd's MaxSessions is 10 by default. */
const SESSIONS_PER_CONNECTION = 8;

/** The library's defaults hold what is modern; SHA-1 and compression go. */
const ALGORITHMS = {
  hmac: { remove: ['hmac-sha1', 'hmac-sha1-etm@openssh.com'], append: [], prepend: [] },
  compress: ['none'],
} satisfies Algorithms;
/** So long a host has to answer when a connection is ended. */
const GOODBYE_MS = 2_000;
/** A login shell that takes longer to print one word is none that steps could be run through. */
const SHELL_TIMEOUT_MS = 30_000;
const SHELL_LIMIT_BYTES = 64 * 1024;
const CLOSED = 'the host closed the connection';
const CLOSED_DURING_LOGIN = 'it closed the connection during login';
/** RFC 4254, 5.1. */
const ADMINISTRATIVELY_PROHIBITED = '1';

export class Connection {
  /** Sessions open or promised. The pool counts. */
  sessions = 0;
  /** Connections that lead through this one. */
  forwards = 0;
  /** Lowered when the host refuses a further session. */
  capacity = SESSIONS_PER_CONNECTION;
  #lostBy: string | undefined;
  /** Settled once the login shell is known to hand on what it gets; asked for again until then. */
  #shell: Promise<void> | undefined;
  readonly #onLost = new Set<(cause: string) => void>();

  private constructor(
    readonly client: Client,
    readonly target: Target,
  ) {}

  /** Connects and logs in. `transport` is a channel through a jump host. Throws as errors.ts says. */
  static async open(target: Target, spec: HostSpec, transport?: Duplex): Promise<Connection> {
    const { entries, source } = await trustedKeys(target, spec);
    const logins = await resolveLogins(spec.credentials);
    if (logins.usable.length === 0)
      throw authenticationFailed(target, logins.faults, {
        next: 'give the worker what these references name; nothing was sent',
      });
    const name = knownHostName(spec.address, spec.port);
    const client = new Client();
    const login: LoginState = { left: [...logins.usable], tried: [...logins.faults], refused: false };
    const offers = new Offers();
    let banner: string | undefined;
    let answered = false;
    let ready = false;
    let keyFault: Error | undefined;
    const connection = new Connection(client, target);
    return new Promise<Connection>((resolve, reject) => {
      // The library closes a connection after most errors, but not after all, and not at once through a jump host.
      const ended = (cause: unknown): void => {
        connection.#lost(clipLine(messageOf(cause)));
        const known = keyFault ?? offers.failure(target, cause);
        if (known !== undefined) reject(known);
        else if (login.refused)
          reject(authenticationFailed(target, login.tried, { ...optional('banner', banner), answered }));
        else reject(unreachable(target, cause, { ...optional('banner', banner), answered }));
        client.destroy();
      };
      client.once('connect', () => (answered = true));
      client.on('banner', (text: string) => (banner = text));
      client.on('change password', () => {
        login.refused = true;
        login.tried.push('it has expired and must be changed');
        ended(new Error('password expired'));
      });
      client.on('error', (error: Error & { level?: string }) => {
        // After these the library goes on to the next login by itself.
        if (!login.refused && (error.level === 'agent' || error.level === 'client-authentication'))
          return void login.tried.push(`(${clipLine(error.message)})`);
        if (/too many authentication failures/i.test(error.message)) login.refused = true;
        ended(error);
      });
      client.once('ready', () => {
        ready = true;
        resolve(connection);
      });
      // Half closed is closed: no channel could be opened any more.
      client.once('end', () => ended(new Error(ready ? CLOSED : CLOSED_DURING_LOGIN)));
      client.once('close', () => ended(new Error(ready ? CLOSED : CLOSED_DURING_LOGIN)));
      client.connect({
        host: spec.address,
        port: spec.port,
        username: spec.user,
        ...(transport === undefined ? {} : { sock: transport }),
        readyTimeout: CONNECT_TIMEOUT_MS,
        keepaliveInterval: KEEPALIVE_INTERVAL_MS,
        keepaliveCountMax: KEEPALIVE_COUNT,
        algorithms: { ...ALGORITHMS, serverHostKey: hostKeyAlgorithms(entries, name) as never },
        debug: (said) => {
          if (!ready) offers.hear(said);
        },
        hostVerifier: (key: Buffer): boolean => {
          const verdict = judgeKey(entries, name, key);
          if (verdict.verdict === 'trusted') return true;
          keyFault = hostKeyRefused(target, key, verdict, source);
          return false;
        },
        authHandler: (methods: string[] | null, partial: boolean | null) =>
          nextLogin(login, spec.user, methods, partial === true),
      });
    });
  }

  get alive(): boolean {
    return this.#lostBy === undefined;
  }

  /** Calls back once when the connection has ended, for whatever reason; at once if it has. Returns how to unsubscribe. */
  onLost(callback: (cause: string) => void): () => void {
    if (this.#lostBy !== undefined) {
      callback(this.#lostBy);
      return () => undefined;
    }
    this.#onLost.add(callback);
    return () => this.#onLost.delete(callback);
  }

  /** From now on it isn't used any more, though the host may still have to learn of it. */
  end(cause = 'the worker ended the connection'): void {
    this.#lost(cause);
    this.client.end();
    // A host that is off never answers the goodbye, and the open socket would keep the process alive for a long time.
    setTimeout(() => this.client.destroy(), GOODBYE_MS).unref();
  }

  /**
   * Makes sure that the login shell runs command lines as they are and prints nothing of itself; it takes one session.
   * @throws as shellFault says; SessionRefused; Unreachable
   */
  checkShell(signal: AbortSignal): Promise<void> {
    this.#shell ??= this.#askShell().catch((error: unknown) => {
      this.#shell = undefined;
      throw error;
    });
    return abortable(this.#shell, signal);
  }

  async #askShell(): Promise<void> {
    const options = {
      timeoutMs: SHELL_TIMEOUT_MS,
      limitBytes: SHELL_LIMIT_BYTES,
      signal: new AbortController().signal,
    };
    try {
      const { code, stdout, stderr } = await this.run(SHELL_QUESTION, SHELL_QUESTION, options);
      const fault = shellFault(this.target, { code, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') });
      if (fault !== undefined) throw shellRefused(this.target, fault);
    } catch (error) {
      const type = failureType(error);
      if (error instanceof SessionRefused || type === 'CommandFailed') throw error;
      // The command that was to follow was not sent: no word of one that may have run.
      const why = this.alive ? `its login shell doesn’t answer within ${SHELL_TIMEOUT_MS / 1_000} s` : this.#lostBy;
      throw unreachable(this.target, new Error(why));
    }
  }

  /** Runs one command line; see runCommand. */
  run(command: string, shown: string, options: RawOptions): Promise<RawResult> {
    return runCommand(this, command, shown, options);
  }

  /** A channel to another address, as transport of a further connection. */
  forward(to: Target): Promise<Duplex> {
    return new Promise<Duplex>((resolve, reject) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        forget();
        reject(
          unreachable(
            to,
            new Error(`the jump host ${this.target.name} didn’t answer within ${FORWARD_TIMEOUT_MS / 1_000} s`),
          ),
        );
      }, FORWARD_TIMEOUT_MS);
      const unsubscribe = this.onLost((cause) => {
        clearTimeout(timer);
        reject(unreachable(to, new Error(`the jump host was lost: ${cause}`)));
      });
      const forget = (): void => {
        clearTimeout(timer);
        unsubscribe();
      };
      if (!this.alive) return;
      try {
        this.client.forwardOut('127.0.0.1', 0, to.address, to.port, (error, channel) => {
          forget();
          if (error !== undefined) return reject(forwardFault(this.target, to, error));
          // Nobody waits for it any more.
          if (isLate) return void channel.close();
          resolve(channel);
        });
      } catch {
        // The library noticed the end of the connection before we did.
        this.end(CLOSED);
      }
    });
  }

  #lost(cause: string): void {
    if (this.#lostBy !== undefined) return;
    this.#lostBy = cause;
    for (const callback of [...this.#onLost]) callback(cause);
    this.#onLost.clear();
  }
}

async function trustedKeys(target: Target, spec: HostSpec): Promise<{ entries: KnownHost[]; source: string }> {
  const pinned = spec.hostKeys === undefined ? [] : pinnedKeys(spec.hostKeys);
  if (spec.hostKeys !== undefined && spec.knownHosts === undefined)
    return { entries: pinned, source: 'hostKeys of the inventory' };
  const path = expandHome(spec.knownHosts ?? '~/.ssh/known_hosts');
  try {
    const entries = parseKnownHosts(await readFile(path, 'utf8'));
    return {
      entries: [...pinned, ...entries],
      source: pinned.length > 0 ? `${path} and hostKeys of the inventory` : path,
    };
  } catch (error) {
    throw knownHostsUnreadable(target, path, error);
  }
}

function forwardFault(jump: Target, to: Target, error: Error): Error {
  const said = clipLine(error.message);
  if (reasonCode(error) !== ADMINISTRATIVELY_PROHIBITED)
    return unreachable(to, new Error(`the jump host ${jump.name} can’t connect to it: ${said}`));
  return permanent(
    'InvalidInput',
    `${label(jump)} doesn’t let us through to ${to.address}:${to.port}: ${said}. Next: allow it there (AllowTcpForwarding, PermitOpen in sshd_config), or name another jump host.`,
    { host: to.name, jump: jump.name },
  );
}
