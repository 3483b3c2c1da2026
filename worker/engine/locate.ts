/** Finds a program that can be the engine; see the design's section Engine for the order. */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buildEngine, builtEnginePath, type Progress } from './build';
import { identify, oldestServer, type EngineBinary } from './binary';
import { downloadCli, downloadedCli } from './download';
import type { Environment } from './paths';

export interface LocateOptions {
  /** Told of what takes long, in words for a person. */
  readonly onProgress?: Progress;
  readonly env?: Environment;
  /** The kind that made the database at hand comes first: the same kind goes on with it most surely. */
  readonly prefer?: EngineBinary['kind'];
  /** How long the SDK's download may take. */
  readonly downloadTimeoutMs?: number;
}

/** Thrown when no engine can be had; the message says what was tried and what to do. */
export class NoEngineError extends Error {
  constructor(readonly tried: readonly string[]) {
    super(
      [
        'There is no Temporal engine to connect to, and none could be started here. Tried:',
        ...tried.map((line) => `  - ${line}`),
        'Do one of these: set TEMPORAL_ADDRESS to a Temporal server that you run;',
        `install the Temporal CLI (a \`temporal\` on PATH with server ${oldestServer} or newer);`,
        'or install Go, with which Hitless builds the engine itself.',
      ].join('\n'),
    );
  }
}

interface Source {
  readonly kind: EngineBinary['kind'];
  readonly name: string;
  /** A path to try, or undefined where there is none. */
  readonly find: () => Promise<string | undefined>;
}

/**
 * In this order: the program that HITLESS_ENGINE names (no other then), `temporal` on PATH, what an earlier run downloaded or
 * built, the SDK's download, a build with Go. What is already on the machine comes before what the network would have to bring.
 * @throws NoEngineError, or UnusableBinary for a bad HITLESS_ENGINE.
 */
export async function locate(options: LocateOptions = {}): Promise<EngineBinary> {
  const env = options.env ?? process.env;
  const named = env['HITLESS_ENGINE'];
  if (named) return identify(resolve(named), env);
  const onProgress = options.onProgress ?? ((): void => undefined);
  const sources: readonly Source[] = [
    { kind: 'cli', name: '`temporal` on PATH', find: async () => 'temporal' },
    { kind: 'cli', name: 'an earlier download', find: () => downloadedCli(env) },
    { kind: 'hitless', name: 'an earlier build', find: () => builtEarlier(env) },
    {
      kind: 'cli',
      name: "the SDK's download of the Temporal CLI",
      find: async () => {
        onProgress('downloading the Temporal CLI');
        return downloadCli(env, options.downloadTimeoutMs);
      },
    },
    { kind: 'hitless', name: 'a build of engine/ with Go', find: () => buildEngine(onProgress, env) },
  ];
  const rank = ({ kind }: Source): number => Number(options.prefer !== undefined && kind !== options.prefer);
  const tried: string[] = [];
  for (const { name, find } of [...sources].sort((a, b) => rank(a) - rank(b))) {
    try {
      const path = await find();
      if (path !== undefined) return await identify(path, env);
    } catch (error) {
      tried.push(`${name}: ${(error as Error).message}`);
    }
  }
  throw new NoEngineError(tried);
}

/** Without Go there is no knowing which build is this source's; the build says so in its turn. */
async function builtEarlier(env: Environment): Promise<string | undefined> {
  const path = await builtEnginePath(env).catch(() => undefined);
  return path === undefined ? undefined : access(path).then(() => path, () => undefined);
}
