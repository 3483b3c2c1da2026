/** Starts an engine and waits until it serves. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { argumentsFor, type EngineSettings } from './arguments';
import type { EngineBinary } from './binary';
import type { Progress } from './build';
import { locate } from './locate';
import { prepareNamespace, retentionDays } from './namespace';
import { freePort, isListening } from './ports';
import { productSearchAttributes } from './search-attributes';

export interface StartOptions extends Partial<Omit<EngineSettings, 'dbFile' | 'retentionDays'>> {
  readonly dbFile: string;
  /** What to start; found by `locate` where it isn't given. */
  readonly binary?: EngineBinary;
  /** Told of what takes long. */
  readonly onProgress?: Progress;
  /** Told as soon as the process exists, before it serves. */
  readonly onSpawned?: (process: { readonly pid: number; readonly port: number; readonly uiPort: number }) => Promise<void>;
  /** The engine outlives this process. Otherwise it ends with it (the CLI only where this process ends in good order). */
  readonly detached?: boolean;
}

export interface Engine {
  /** host:port of the gRPC frontend. */
  readonly address: string;
  readonly namespace: string;
  /** Root of the Web UI, without a slash at the end. */
  readonly uiUrl?: string;
  readonly pid: number;
  readonly binary: EngineBinary;
  /** Ends it in good order, and after 20 s by force; resolves when the process is gone. */
  stop(): Promise<void>;
  /** SIGKILL: what a crash is like. Resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Thrown when the engine ended, or didn't begin to serve; the message ends with what it said last. */
export class EngineStartError extends Error {}

const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;
const logLimitBytes = 16 * 1024 * 1024;

/**
 * Starts an engine over one SQLite file. What it prints goes to `<dbFile>.log`. By default it picks free ports and has a Web UI
 * and the search attributes of the product.
 */
export async function startEngine(options: StartOptions): Promise<Engine> {
  const binary = options.binary ?? (await locate(options.onProgress ? { onProgress: options.onProgress } : {}));
  const asked = { port: options.port ?? 0, uiPort: options.uiPort ?? ('free' as const) };
  const settings: EngineSettings & { readonly uiPort: number } = {
    dbFile: resolve(options.dbFile),
    namespace: options.namespace ?? 'default',
    port: asked.port || (await freePort()),
    uiPort: asked.uiPort === 'free' ? await freePort() : asked.uiPort,
    dynamicConfig: options.dynamicConfig ?? {},
    searchAttributes: options.searchAttributes ?? productSearchAttributes,
    retentionDays,
  };
  const running = await spawnEngine(binary, settings, options.detached ?? false);
  try {
    await options.onSpawned?.({ pid: running.pid, port: settings.port, uiPort: settings.uiPort });
    await untilServing(running, settings);
  } catch (error) {
    await running.end('SIGKILL');
    throw error;
  }
  if (options.detached) running.child.unref();
  return {
    address: `127.0.0.1:${settings.port}`,
    namespace: settings.namespace,
    ...(settings.uiPort === 0 ? {} : { uiUrl: `http://127.0.0.1:${settings.uiPort}` }),
    pid: running.pid,
    binary,
    stop: () => running.end('SIGTERM'),
    kill: () => running.end('SIGKILL'),
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly binary: EngineBinary;
  readonly pid: number;
  /** What ended it, once something has. */
  ended(): string | undefined;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** An error that says what happened, with the last lines that this engine logged. */
  failure(what: string): Promise<EngineStartError>;
}

/** The worker's environment may hold secrets and TEMPORAL_* settings; neither is the engine's business. */
function engineEnvironment(): NodeJS.ProcessEnv {
  const wanted = /^(PATH|HOME|USER|LANG|LC_ALL|TZ|TMPDIR|XDG_\w+)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => wanted.test(name)));
}

async function spawnEngine(binary: EngineBinary, settings: EngineSettings, detached: boolean): Promise<Running> {
  await mkdir(dirname(settings.dbFile), { recursive: true, mode: 0o700 });
  const logFile = `${settings.dbFile}.log`;
  const { size: logged } = await stat(logFile).catch(() => ({ size: 0 }));
  if (logged > logLimitBytes) await rename(logFile, `${logFile}.1`);
  const log = await open(logFile, 'a', 0o600);
  const withParent = !detached && binary.kind === 'hitless';
  const child = spawn(
    binary.path,
    [...argumentsFor(binary.kind, settings), ...(withParent ? ['--exit-with-parent'] : [])],
    {
      stdio: [withParent ? 'pipe' : 'ignore', log.fd, log.fd],
      env: engineEnvironment(),
      // A detached one outlives the folder that its starter happened to be in.
      ...(detached ? { detached, cwd: dirname(settings.dbFile) } : {}),
    },
  );
  let ended: string | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => resolve(void (ended = `failed: ${error.message}`)));
    child.once('exit', (code, signal) => resolve(void (ended = `ended with ${signal ?? `exit code ${code}`}`)));
  });
  await log.close();
  if (!detached) {
    const endToo = (): void => void child.kill('SIGKILL');
    process.once('exit', endToo);
    void gone.then(() => process.off('exit', endToo));
  }
  return {
    child,
    binary,
    pid: child.pid ?? 0,
    ended: () => ended,
    async end(signal) {
      if (ended !== undefined) return;
      child.kill(signal);
      const force = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await gone;
      clearTimeout(force);
    },
    async failure(what) {
      const text = await readFile(logFile).catch(() => Buffer.alloc(0));
      const said = text.subarray(logged > logLimitBytes ? 0 : logged).toString().trimEnd().split('\n').slice(-8);
      return new EngineStartError(
        `The engine ${binary.path} (${binary.version}) over ${settings.dbFile} ${what}. It said last (${logFile}):\n${said.join('\n') || '(nothing)'}`,
      );
    },
  };
}

/** Waits until the engine serves its namespace, and its Web UI where it has one. */
async function untilServing(running: Running, settings: EngineSettings & { readonly uiPort: number }): Promise<void> {
  const ports = [settings.port, ...(typeof settings.uiPort === 'number' && settings.uiPort > 0 ? [settings.uiPort] : [])];
  const { namespace } = settings;
  let reason = 'its ports stayed closed';
  for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline; await sleep(25)) {
    const ended = running.ended();
    if (ended !== undefined) throw await running.failure(`at its start ${ended}`);
    if (!(await Promise.all(ports.map(isListening))).every(Boolean)) continue;
    try {
      await withConnection(settings.port, async (connection) => {
        await connection.workflowService.describeNamespace({ namespace });
        // The built engine has prepared its namespace before it listens.
        if (running.binary.kind === 'cli') await prepareNamespace(connection, namespace, settings.searchAttributes);
      });
      return;
    } catch (error) {
      reason = (error as Error).message;
    }
  }
  throw await running.failure(`doesn't serve after ${startTimeoutMs / 1000} s: ${reason}`);
}

async function withConnection<T>(port: number, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: '5s' });
  try {
    return await connection.withDeadline(Date.now() + 30_000, () => use(connection));
  } finally {
    await connection.close();
  }
}
