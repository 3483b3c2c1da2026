/** Builds Hitless' engine from `engine/` with Go, once per version of its sources, into the user's cache. */
import { execFile, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory, withLock, type Environment } from './paths';

const run = promisify(execFile);

/**
 * -s -w: no symbol tables, half the size; -dwarf=false: then the compiler needn't write what the linker drops, a fifth less to do
 * (measured). No version control stamps: the sources may lie in a repository that git distrusts.
 */
const buildArguments = ['build', '-trimpath', '-buildvcs=false', '-gcflags=all=-dwarf=false', '-ldflags=-s -w'];
/** Everything in it is Go (SQLite too), so no C compiler is needed. */
const buildEnvironment = { CGO_ENABLED: '0' };

export type Progress = (message: string) => void;

/** Thrown when there is no usable Go, or its build failed; the message ends with what Go said. */
export class BuildError extends Error {}

/** The folder `engine/` of this package: beside `worker/` in the sources, above `build/` where they are compiled. */
export function engineSources(from = __dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'engine', 'go.mod'))) return join(folder, 'engine');
    if (folder === dirname(folder)) throw new BuildError(`The engine's sources (engine/go.mod) are not above ${from}.`);
  }
}

/** Where the engine of these sources is, or will be: the path holds a digest of all that goes into it. */
export async function builtEnginePath(env: Environment = process.env, sources = engineSources()): Promise<string> {
  let target: string;
  try {
    target = (await run('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH'], { cwd: sources, env: { ...env } })).stdout;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new BuildError(missing ? 'no `go` on PATH' : `\`go env\` failed: ${(error as Error).message}`, { cause: error });
  }
  const hash = createHash('sha256').update(JSON.stringify([target, buildArguments, buildEnvironment]));
  for (const name of (await readdir(sources, { recursive: true })).sort()) {
    if (!/(^|\/)go\.(mod|sum)$|\.go$/.test(name) || name.endsWith('_test.go')) continue;
    hash.update(JSON.stringify([name, await readFile(join(sources, name), 'utf8')]));
  }
  return join(cacheDirectory(env), 'engine', hash.digest('hex'), 'hitless-engine');
}

/**
 * Returns the path of the built engine, building it where it isn't there yet. It appears in the cache by rename, complete or
 * not at all; builds that are started at once wait for the first.
 */
export async function buildEngine(
  onProgress: Progress = () => undefined,
  env: Environment = process.env,
  sources = engineSources(),
): Promise<string> {
  const target = await builtEnginePath(env, sources);
  const present = (): Promise<boolean> => access(target).then(() => true, () => false);
  if (await present()) return target;
  return withLock(
    `${dirname(target)}.lock`,
    async () => {
      if (await present()) return target;
      onProgress('building the engine with Go: takes some minutes, the first time only');
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      const unfinished = `${target}.${randomUUID()}`;
      try {
        await goBuild(sources, unfinished, env);
        await rename(unfinished, target);
      } finally {
        await rm(unfinished, { force: true });
      }
      onProgress('the engine is built');
      return target;
    },
    (pid) => onProgress(`waiting for process ${pid}, which is building the engine`),
  );
}

function goBuild(sources: string, output: string, env: Environment): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = spawn('go', [...buildArguments, '-o', output, '.'], {
      cwd: sources,
      env: { ...env, ...buildEnvironment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    go.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
    const stop = (): void => void go.kill();
    process.once('exit', stop);
    go.once('error', (error) => reject(new BuildError(`\`go build\` can't be run: ${error.message}`, { cause: error })));
    go.once('close', (code, signal) => {
      process.off('exit', stop);
      if (code === 0) resolve();
      else reject(new BuildError(`\`go build\` in ${sources} ended with ${signal ?? code}:\n${said.trim()}`));
    });
  });
}
