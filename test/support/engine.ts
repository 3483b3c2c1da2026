/** A real engine for tests: the one built from engine/, which every machine can have; HITLESS_ENGINE names another. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildEngine, startEngine, type Engine, type EngineBinary, type StartOptions } from '../../worker/engine';
import { identify } from '../../worker/engine/binary';
import { timeSkippingConfig } from './time-skipping';

/** The first build takes minutes; a `beforeAll` that may be the first needs this as its timeout. */
export const engineTimeoutMs = 15 * 60_000;

export const testBinary = async (): Promise<EngineBinary> =>
  identify(process.env['HITLESS_ENGINE'] ?? (await buildEngine((message) => process.stderr.write(`${message}\n`))));

export interface TestEngine extends Engine {
  readonly dbFile: string;
  /** Ends the engine and removes its files. */
  remove(): Promise<void>;
}

/** Starts an engine over a new database (or `dbFile`) that can skip time, on ports of its own. */
export async function startTestEngine(options: Partial<StartOptions> = {}): Promise<TestEngine> {
  const folder = options.dbFile === undefined ? await mkdtemp(join(tmpdir(), 'hitless-engine-')) : undefined;
  const dbFile = options.dbFile ?? join(folder!, 'engine.db');
  const engine = await startEngine({
    binary: await testBinary(),
    ...options,
    dbFile,
    dynamicConfig: { ...timeSkippingConfig, ...options.dynamicConfig },
  });
  return {
    ...engine,
    dbFile,
    async remove() {
      await engine.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
