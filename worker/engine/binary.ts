/**
 * Which program serves as the engine: Temporal's own CLI (`temporal server start-dev`) or Hitless' engine, built from
 * `engine/`. Both are the real Temporal server over one SQLite file; they differ in flags only.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Environment } from './paths';

const run = promisify(execFile);

/** Principals on history events came with server 1.31 (Temporal's release notes); older ones are passed over. */
export const oldestServer = '1.31.0';

export interface EngineBinary {
  /** Absolute, or a name found on PATH. */
  readonly path: string;
  readonly kind: 'cli' | 'hitless';
  /** Version of the Temporal server in it, as `1.32.1`. */
  readonly server: string;
  /** What `--version` printed, in one line. */
  readonly version: string;
}

/** Reads what `--version` prints: `temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)`, `hitless-engine (Server 1.32.1, UI …)`. */
export function parseVersion(text: string): Omit<EngineBinary, 'path'> | undefined {
  const found = /^(?:(?<cli>temporal version \S+)|hitless-engine) \(Server (?<server>\d+\.\d+\.\d+)[^)]*\)/m.exec(text);
  if (found?.groups?.['server'] === undefined) return undefined;
  return { kind: found.groups['cli'] ? 'cli' : 'hitless', server: found.groups['server'], version: found[0] };
}

/** Compares `1.32.1` with `1.31.0` number by number. */
export function atLeastVersion(version: string, wanted: string): boolean {
  const [a, b] = [version, wanted].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (const [i, want] of b.entries()) {
    const have = a[i] ?? 0;
    if (have !== want) return have > want;
  }
  return true;
}

/** Thrown for a program that can't be the engine; the message says which and why. */
export class UnusableBinary extends Error {}

/** Asks a program for its version, and refuses one that isn't an engine or is too old. */
export async function identify(path: string, env: Environment = process.env): Promise<EngineBinary> {
  let text: string;
  try {
    text = (await run(path, ['--version'], { timeout: 10_000, env: { ...env } })).stdout;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'not found' : code === 'EACCES' ? 'not executable' : message.trim();
    throw new UnusableBinary(`${path}: ${why}`, { cause: error });
  }
  const parsed = parseVersion(text);
  if (parsed === undefined)
    throw new UnusableBinary(`${path}: prints an unknown version: ${text.trim().slice(0, 200) || '(nothing)'}`);
  if (!atLeastVersion(parsed.server, oldestServer))
    throw new UnusableBinary(`${path}: its Temporal server is ${parsed.server}, Hitless needs ${oldestServer} or newer`);
  return { path, ...parsed };
}
