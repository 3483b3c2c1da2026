/** Temporal's CLI as the SDK downloads it, by the SDK's own code, with an end to the waiting. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory, withLock, type Environment } from './paths';

const downloadTimeoutMs = 10_000;

/** Thrown when the download failed or took too long. */
export class DownloadError extends Error {}

const folderOf = (env: Environment): string => join(cacheDirectory(env), 'temporal-cli');

/** An earlier download by this release of the SDK, if there is one. */
export async function downloadedCli(env: Environment = process.env): Promise<string | undefined> {
  const folder = folderOf(env);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- its version is part of the file's name
  const { version } = require('@temporalio/testing/package.json') as { version: string };
  const wanted = new RegExp(`-sdk-typescript-${version.replaceAll('.', '\\.')}(\\.exe)?$`);
  const names = await readdir(folder).catch(() => [] as string[]);
  const name = names.find((candidate) => wanted.test(candidate));
  return name === undefined ? undefined : join(folder, name);
}

/** The SDK can only download by starting a server, so this ends it again. Its arguments: the SDK's package, the folder. */
const script = `
  const [sdk, downloadDir] = process.argv.slice(1);
  const quiet = () => undefined;
  const { Runtime } = require(require.resolve('@temporalio/worker', { paths: [sdk] }));
  Runtime.install({ logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet } });
  require(sdk).TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'cached-download', downloadDir, ttl: '3650 days' } } })
    .then((env) => env.teardown())
    .then(() => process.exit(0), (error) => { process.stderr.write(String(error.message)); process.exit(1); });`;

/**
 * Downloads the CLI, or throws DownloadError: at once where there is no network, after the timeout where packets vanish. In a
 * process of its own, because a download of the SDK can't be given up.
 */
export async function downloadCli(env: Environment = process.env, timeoutMs = downloadTimeoutMs): Promise<string> {
  const folder = folderOf(env);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return withLock(join(folder, 'lock'), async () => {
    const failure = await runDownload(folder, env, timeoutMs);
    const path = await downloadedCli(env);
    if (path !== undefined) return path;
    // Half a download would make the SDK wait next time for whoever left it.
    for (const name of await readdir(folder)) {
      if (name.endsWith('.downloading')) await rm(join(folder, name), { force: true });
    }
    throw new DownloadError(failure ?? `nothing arrived in ${folder}`);
  });
}

/** Returns what went wrong. */
function runDownload(folder: string, env: Environment, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    // A group of its own, so that a server that it just started ends with it.
    const child = spawn(process.execPath, ['-e', script, require.resolve('@temporalio/testing'), folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      env: { ...env },
    });
    let said = '';
    let late = false;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-1_000)));
    const timer = setTimeout(() => {
      late = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, timeoutMs);
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => {
      clearTimeout(timer);
      if (late) resolve(`given up after ${timeoutMs / 1000} s`);
      else resolve(code === 0 ? undefined : said.trim() || `the download ended with ${code}`);
    });
  });
}
