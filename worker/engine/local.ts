/**
 * The embedded engine of this user: one process that outlives whoever started it, over one database in the user's data
 * directory. `engine.json` beside it says where it runs.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineBinary } from './binary';
import type { Progress } from './build';
import { locate } from './locate';
import { dataDirectory, isAlive, withLock, type Environment } from './paths';
import { freePort, isFree, isListening } from './ports';
import { startEngine } from './start';

export interface LocalEngine {
  readonly pid: number;
  readonly port: number;
  readonly uiPort: number;
  readonly namespace: string;
  readonly kind: EngineBinary['kind'];
  readonly version: string;
}

export interface LocalOptions {
  readonly onProgress?: Progress;
  readonly env?: Environment;
  readonly namespace?: string;
}

/** The ports that everything of Temporal's looks at first; they are kept for the life of the database where they stay free. */
const usualPorts = { port: 7233, uiPort: 8233 };

const files = (env: LocalOptions['env']): { db: string; state: string; lock: string } => {
  const folder = dataDirectory(env);
  return { db: join(folder, 'engine.db'), state: join(folder, 'engine.json'), lock: join(folder, 'engine.starting') };
};

async function lastState(env: LocalOptions['env']): Promise<LocalEngine | undefined> {
  const text = await readFile(files(env).state, 'utf8').catch(() => undefined);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as LocalEngine);
  } catch {
    return undefined; // it only saves us a choice of ports
  }
}

/** The user's engine, if it runs. */
export async function runningLocalEngine(env: LocalOptions['env'] = process.env): Promise<LocalEngine | undefined> {
  const state = await lastState(env);
  return state !== undefined && isAlive(state.pid) && (await isListening(state.port)) ? state : undefined;
}

/** Returns the user's engine, starting it where it doesn't run. Two who do so at once get the same one. */
export async function ensureLocalEngine(options: LocalOptions = {}): Promise<LocalEngine> {
  const env = options.env ?? process.env;
  const onProgress = options.onProgress ?? ((): void => undefined);
  const { db, state, lock } = files(env);
  const namespace = options.namespace ?? 'default';
  const found = (await runningLocalEngine(env)) ?? (await withLock(lock, start));
  if (found.namespace !== namespace)
    throw new Error(
      `The embedded engine that runs here (process ${found.pid}) has the namespace ${found.namespace}, not ${namespace} as TEMPORAL_NAMESPACE or the profile asks. Unset that, or end the engine and start again.`,
    );
  return found;

  async function start(): Promise<LocalEngine> {
    const running = await runningLocalEngine(env);
    if (running !== undefined) return running;
    const last = await lastState(env);
    const binary = await locate({ env, onProgress, ...(last ? { prefer: last.kind } : {}) });
    onProgress(`starting the engine (${binary.version})`);
    const [port, uiPort] = [
      await firstFree([last?.port, usualPorts.port]),
      await firstFree([last?.uiPort, usualPorts.uiPort]),
    ];
    const { pid } = await startEngine({ dbFile: db, namespace, port, uiPort, binary, detached: true });
    const { kind, version } = binary;
    const engine: LocalEngine = { pid, port, uiPort, namespace, kind, version };
    await writeFile(`${state}.new`, JSON.stringify(engine, undefined, 2), { mode: 0o600 });
    await rename(`${state}.new`, state);
    return engine;
  }
}

/** Ends the user's engine in good order; runs go on when it is started again. Returns whether it ran. */
export async function stopLocalEngine(env: LocalOptions['env'] = process.env): Promise<boolean> {
  const engine = await runningLocalEngine(env);
  if (engine === undefined) return false;
  process.kill(engine.pid, 'SIGTERM');
  for (const deadline = Date.now() + 20_000; isAlive(engine.pid); await sleep(50)) {
    if (Date.now() > deadline) process.kill(engine.pid, 'SIGKILL');
  }
  return true;
}

async function firstFree(ports: readonly (number | undefined)[]): Promise<number> {
  for (const port of ports) if (port !== undefined && (await isFree(port))) return port;
  return freePort();
}
