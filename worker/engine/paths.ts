/** Where the engine's files live (XDG base directories), and a lock for work that two processes shouldn't do at once. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Environment = Readonly<Record<string, string | undefined>>;

/** A relative XDG path is invalid and counts as unset (XDG Base Directory Specification). */
const base = (value: string | undefined, fallback: string): string =>
  value !== undefined && isAbsolute(value) ? value : join(homedir(), fallback);

/** What can be built or downloaded again. */
export const cacheDirectory = (env: Environment = process.env): string =>
  join(base(env['XDG_CACHE_HOME'], '.cache'), 'hitless');

/** What must not be lost: the database of the embedded engine. */
export const dataDirectory = (env: Environment = process.env): string =>
  join(base(env['XDG_DATA_HOME'], '.local/share'), 'hitless');

const touchMs = 2_000;
/** A holder touches its lock; one that didn't for so long is gone, even where its process ID was given to another. */
const staleMs = 20_000;

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/**
 * Tells a process from a later one with the same ID: the boot and the moment it started in. Undefined where it's gone.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  try {
    const [boot, line] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // The name, in parentheses, may hold anything; the 20th field after it is the start in clock ticks (proc_pid_stat(5)).
    const [state, ...fields] = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : `${boot.trim()}/${fields[18]}`;
  } catch {
    if (process.platform === 'linux') return undefined;
    const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
    return stdout.trim() || undefined;
  }
}

/**
 * Runs `work` while holding the lock file, waiting for another holder, whom `onWait` names once. A lock left by a process
 * that is gone is taken over.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, onWait?: (pid: number) => void): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  for (let told = false; ; ) {
    try {
      const handle = await open(file, 'wx', 0o600);
      await handle.writeFile(String(process.pid));
      await handle.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid, held] = await Promise.all([
      readFile(file, 'utf8').then(Number, () => 0),
      stat(file).then((s) => Date.now() - s.mtimeMs, () => 0),
    ]);
    if (held > staleMs || (pid > 0 && !isAlive(pid))) {
      // By rename, so that of two who find it stale one alone removes it.
      const aside = `${file}.${randomUUID()}`;
      await rename(file, aside).then(
        () => rm(aside, { force: true }),
        () => undefined,
      );
      continue;
    }
    if (!told && pid > 0) {
      told = true;
      onWait?.(pid);
    }
    await sleep(100);
  }
  const touch = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), touchMs);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await rm(file, { force: true });
  }
}
