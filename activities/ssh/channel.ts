/**
 * One command in one channel: bounded output, time limit, abort, and a clear word on what is known when it breaks off.
 */
import { constants } from 'node:os';
import type { Client, ClientChannel } from 'ssh2';
import { permanent, transient } from '../kit/errors';
import { clipLine, label, lostDuring, type Target } from './errors';

/** A command that ended, but whose output a background process of it holds open, is waited for this long. */
const LINGER_MS = 1_000;

export interface RawOptions {
  readonly stdin?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Bytes kept of stdout and of stderr each. */
  readonly limitBytes: number;
}

export interface RawResult {
  readonly code: number;
  /** Name of the signal that ended the command. */
  readonly signalName?: string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Bytes of stdout and stderr that weren't kept. */
  readonly dropped: { readonly stdout: number; readonly stderr: number };
}

/** The host opened no further session: nothing was run, another connection may do. */
export class SessionRefused extends Error {
  override readonly name = 'SessionRefused';
}

/** What a command needs of its connection. */
export interface Carrier {
  readonly client: Client;
  readonly target: Target;
  readonly alive: boolean;
  onLost(callback: (cause: string) => void): () => void;
  end(cause?: string): void;
}

/**
 * Runs one command line. An abort or the time limit closes the channel; without a terminal that doesn't end the command
 * on the host. Throws SessionRefused if nothing was run, the signal's reason, or a failure for people.
 */
export function runCommand(on: Carrier, command: string, shown: string, options: RawOptions): Promise<RawResult> {
  const { signal, timeoutMs, limitBytes } = options;
  const { promise, resolve, reject } = deferred<RawResult>();
  const out = collect(limitBytes);
  const err = collect(limitBytes);
  let channel: ClientChannel | undefined;
  let end: Pick<RawResult, 'code' | 'signalName'> | undefined;
  let settled = false;
  let linger: NodeJS.Timeout | undefined;

  const settle = (error?: Error): void => {
    if (settled) return;
    settled = true;
    channel?.close();
    if (error !== undefined) return reject(error);
    resolve({
      ...(end ?? { code: -1 }),
      stdout: out.bytes(),
      stderr: err.bytes(),
      dropped: { stdout: out.dropped(), stderr: err.dropped() },
    });
  };
  /** The channel is gone: with an exit status the command has ended all the same. */
  const gone = (cause: string): void => settle(end === undefined ? lostDuring(on.target, shown, cause) : undefined);
  const ending = (): void => {
    clearTimeout(linger);
    if (end !== undefined && !settled) linger = setTimeout(settle, LINGER_MS);
  };
  const onAbort = (): void => settle(signal.reason as Error);

  const timer = setTimeout(() => settle(tooSlow(on.target, shown, timeoutMs)), timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  const forget = on.onLost(gone);
  void promise
    .catch(() => undefined)
    .finally(() => {
      clearTimeout(timer);
      clearTimeout(linger);
      signal.removeEventListener('abort', onAbort);
      forget();
    });
  if (signal.aborted) onAbort();
  if (settled || !on.alive) return promise;

  const begun = (error: Error | undefined, opened: ClientChannel): void => {
    if (error !== undefined) return settle(openFault(on.target, error, shown));
    channel = opened;
    if (settled) return void opened.close();
    opened.on('data', (bytes: Buffer) => (out.add(bytes), ending()));
    opened.stderr.on('data', (bytes: Buffer) => (err.add(bytes), ending()));
    opened.on('exit', (code: number | null, signalName?: string) => {
      // As shells report it: 128 + number of the signal.
      end = code === null ? { code: 128 + signalNumber(signalName), ...optional('signalName', signalName) } : { code };
      ending();
    });
    opened.on('error', () => undefined);
    opened.on('close', () => gone('the channel closed without an exit status'));
    opened.end(options.stdin ?? '');
  };
  try {
    on.client.exec(command, begun);
  } catch {
    // The library noticed the end of the connection before we did: nothing was sent.
    settle(new SessionRefused('not connected'));
    on.end('the host closed the connection');
  }
  return promise;
}

function openFault(target: Target, error: Error, shown: string): Error {
  if (reasonCode(error) !== undefined) return new SessionRefused(error.message);
  if (/unable to exec/i.test(error.message))
    return permanent(
      'CommandFailed',
      `${label(target)} refuses to run commands for this login (${clipLine(error.message)}). Next: check the login’s shell and ForceCommand in sshd_config.`,
      { host: target.name },
    );
  return lostDuring(target, shown, clipLine(error.message));
}

const signalNumber = (name: string | undefined): number =>
  Object.entries(constants.signals).find(([known]) => known === name)?.[1] ?? 0;

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function collect(limitBytes: number): { add(b: Buffer): void; bytes(): Buffer; dropped(): number } {
  const chunks: Buffer[] = [];
  let kept = 0;
  let seen = 0;
  return {
    add(bytes) {
      seen += bytes.length;
      if (kept >= limitBytes) return;
      const part = bytes.subarray(0, limitBytes - kept);
      kept += part.length;
      chunks.push(part);
    },
    bytes: () => Buffer.concat(chunks),
    dropped: () => seen - kept,
  };
}

const tooSlow = (target: Target, shown: string, timeoutMs: number): Error =>
  transient(
    'CommandFailedRetryable',
    `${label(target)}: "${clipLine(shown)}" didn’t end within ${timeoutMs / 1_000} s. It may still run there. Next: see what it waits for; the step looks at the host before it tries again.`,
    { host: target.name, mayHaveRun: true },
  );

/** RFC 4254, 5.1: the library hands on the reason why a channel wasn't opened. */
export const reasonCode = (error: Error): string | undefined => ('reason' in error ? String(error.reason) : undefined);

export const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
