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
import { dataDirectory, processIdentity, withLock, type Environment } from './paths';
import { freePort, isFree, isListening } from './ports';
import { startEngine, type StartOptions } from './start';

export interface LocalEngine {
  readonly pid: number;
  /** Of the process, so that no other one that gets its ID is taken for it. */
  readonly identity: string;
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
  return state !== undefined && (await isStill(state)) && (await isListening(state.port)) ? state : undefined;
}

const isStill = async ({ pid, identity }: LocalEngine): Promise<boolean> =>
  identity !== undefined && (await processIdentity(pid)) === identity;

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
    const last = await lastState(env);
    if (last !== undefined && (await untilListening(last))) return last;
    const binary = await locate({ env, onProgress, ...(last ? { prefer: last.kind } : {}) });
    onProgress(`starting the engine (${binary.version})`);
    return startOnPorts(
      { dbFile: db, namespace, binary },
      [{ port: last?.port, uiPort: last?.uiPort }, usualPorts],
      remember,
    );
  }

  /** Before it serves, so that an engine whose starter is killed meanwhile isn't lost. */
  async function remember(engine: LocalEngine): Promise<void> {
    await writeFile(`${state}.new`, JSON.stringify(engine, undefined, 2), { mode: 0o600 });
    await rename(`${state}.new`, state);
  }
}

/** Waits for an engine that somebody else started and didn't wait for. False where it is gone, or never listens. */
async function untilListening(engine: LocalEngine): Promise<boolean> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline && (await isStill(engine)); await sleep(50)) {
    if (await isListening(engine.port)) return true;
  }
  return false;
}

/** Ends the user's engine in good order; runs go on when it is started again. Returns whether it ran. */
export async function stopLocalEngine(env: LocalOptions['env'] = process.env): Promise<boolean> {
  const engine = await runningLocalEngine(env);
  if (engine === undefined) return false;
  process.kill(engine.pid, 'SIGTERM');
  for (const deadline = Date.now() + 20_000; await isStill(engine); await sleep(50)) {
    if (Date.now() > deadline) process.kill(engine.pid, 'SIGKILL');
  }
  return true;
}

/** Starts it on the first ports of the list that are free, else on any. */
async function startOnPorts(
  options: Pick<StartOptions, 'dbFile'> & { readonly namespace: string; readonly binary: EngineBinary },
  wishes: readonly { readonly port: number | undefined; readonly uiPort: number | undefined }[],
  remember: (engine: LocalEngine) => Promise<void>,
): Promise<LocalEngine> {
  const port = await firstFree(wishes.map((wish) => wish.port));
  const uiPort = await firstFree(wishes.map((wish) => wish.uiPort));
  let engine: LocalEngine | undefined;
  try {
    await startEngine({
      ...options,
      port,
      uiPort,
      detached: true,
      async onSpawned({ pid }) {
        const { namespace, binary } = options;
        const identity = (await processIdentity(pid)) ?? '';
        engine = { pid, identity, port, uiPort, namespace, kind: binary.kind, version: binary.version };
        await remember(engine);
      },
    });
    return engine!;
  } catch (error) {
    // Somebody may have been faster; with nothing to wish for there is nothing to blame on that.
    if (wishes.length > 0 && !((await isFree(port)) && (await isFree(uiPort)))) return startOnPorts(options, [], remember);
    throw error;
  }
}

async function firstFree(ports: readonly (number | undefined)[]): Promise<number> {
  for (const port of ports) if (port !== undefined && (await isFree(port))) return port;
  return freePort();
}
