/**
 * One command in one channel: bounded output, time limit, abort, and a clear word on what is known when it breaks off.
 */
import { constants } from 'node:os';
import type { Client, ClientChannel } from 'ssh2';
import { permanent, transient } from '../kit/errors';
import { describeBytes } from '../kit/output';
import { spend } from '../kit/turns';
import { clipLine, label, lostDuring, type Target } from './errors';

/** A command that ended, but whose output a background process of it holds open, is waited for this long. */
const LINGER_MS = 1_000;
/** A host that honours the end of a channel has a window or two of it on their way; one that sends more is cut off. */
const AFTERMATH_BYTES = 8 * 1024 * 1024;

export interface RawOptions {
  readonly stdin?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Of stdout and stderr together. A command that prints more fails, and no more is read of it. */
  readonly limitBytes: number;
  /** Takes stdout as it comes; the result's is empty then. What it throws ends the command's reading. */
  readonly onStdout?: (bytes: Buffer) => void;
}

export interface RawResult {
  readonly code: number;
  /** Name of the signal that ended the command. */
  readonly signalName?: string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
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
  const out = new GrowingBuffer();
  const err = new GrowingBuffer();
  const takeOut = options.onStdout ?? ((bytes: Buffer) => out.add(bytes));
  let readBytes = 0;
  let aftermathBytes = 0;
  let channel: ClientChannel | undefined;
  let end: Pick<RawResult, 'code' | 'signalName'> | undefined;
  let settled = false;
  /** What came in waits for its turn; the channel closes when it has been read. */
  let isPaused = false;
  let linger: NodeJS.Timeout | undefined;

  const settle = (error?: Error): void => {
    if (settled) return;
    settled = true;
    channel?.close();
    if (error !== undefined) return reject(error);
    resolve({ ...(end ?? { code: -1 }), stdout: out.bytes(), stderr: err.bytes() });
  };
  const read = (bytes: Buffer, take: (bytes: Buffer) => void): void => {
    // Nothing is kept after the end, but it must be taken off the channel: the library would hold it.
    if (settled) {
      aftermathBytes += bytes.length;
      if (aftermathBytes > AFTERMATH_BYTES) on.end('the host went on sending on a channel that was closed');
      return;
    }
    readBytes += bytes.length;
    if (readBytes > limitBytes) return settle(tooMuch(on.target, shown, limitBytes));
    try {
      take(bytes);
    } catch (error) {
      return settle(error as Error);
    }
    if (options.onStdout !== undefined && !isPaused) inTurn(bytes.length);
    ending();
  };
  const inTurn = (bytes: number): void => {
    const turn = spend(bytes);
    if (turn === undefined) return;
    isPaused = true;
    channel?.pause();
    void turn.then(() => {
      isPaused = false;
      channel?.resume();
      ending();
    });
  };
  /** The channel is gone: with an exit status the command has ended all the same. */
  const gone = (cause: string): void => {
    if (end === undefined) settle(lostDuring(on.target, shown, cause));
    else if (!isPaused) settle();
  };
  const ending = (): void => {
    clearTimeout(linger);
    if (end !== undefined && !settled && !isPaused) linger = setTimeout(settle, LINGER_MS);
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
    opened.on('data', (bytes: Buffer) => read(bytes, takeOut));
    opened.stderr.on('data', (bytes: Buffer) => read(bytes, (more) => err.add(more)));
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

/** Copies what it is given: a host that sends a byte a packet must not make us hold a packet for each byte. */
class GrowingBuffer {
  #buffer = Buffer.alloc(0);
  #length = 0;

  add(bytes: Buffer): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length, 1_024));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.#length);
    this.#length = needed;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }
}

const tooSlow = (target: Target, shown: string, timeoutMs: number): Error =>
  transient(
    'CommandFailedRetryable',
    `${label(target)}: "${clipLine(shown)}" didn’t end within ${timeoutMs / 1_000} s. It may still run there. Next: see what it waits for; the step looks at the host before it tries again.`,
    { host: target.name, mayHaveRun: true },
  );

const tooMuch = (target: Target, shown: string, limitBytes: number): Error =>
  permanent(
    'CommandFailed',
    `${label(target)}: "${clipLine(shown)}" printed more than ${describeBytes(limitBytes)}, the limit for this command. The rest was not read, and the channel is closed; what the command was to do may have been done, and it may still run. Next: run it there by hand and see what floods it (startup files of the login shell, a wrapper, a log), then try again.`,
    { host: target.name, command: clipLine(shown, 1_000), limitBytes, mayHaveRun: true },
  );

/** RFC 4254, 5.1: the library hands on the reason why a channel wasn't opened. */
export const reasonCode = (error: Error): string | undefined => ('reason' in error ? String(error.reason) : undefined);

export const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
