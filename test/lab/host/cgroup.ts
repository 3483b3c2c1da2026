import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from './command';

/**
 * Every process of a lab lives in a cgroup named after the lab, host by host: that is how a lab that lost its
 * owner is still taken down whole. Only the hierarchies that systemd uses for bookkeeping matter, for
 * two systemds booted in the same cgroup would take each other's services for their own.
 */
const root = '/sys/fs/cgroup';

/** Mount points of the hierarchies in which systemd keeps its units: cgroup v2, hybrid (both) or v1. */
export function cgroupHierarchies(): string[] {
  if (existsSync(join(root, 'cgroup.procs'))) return [root];
  return [join(root, 'systemd'), join(root, 'unified')].filter((path) => existsSync(join(path, 'cgroup.procs')));
}

/** Directories of the cgroup `path` (as `hl3/fw1`), one for each hierarchy; made if they don't exist. */
export function makeCgroup(path: string): string[] {
  return cgroupHierarchies().map((hierarchy) => {
    const directory = join(hierarchy, path);
    mkdirSync(directory, { recursive: true });
    return directory;
  });
}

function walk(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const below = readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true);
  return [...below.flatMap(walk), directory];
}

/** Processes in the cgroup `path` and below it. */
export function cgroupProcesses(path: string): number[] {
  const pids = cgroupHierarchies()
    .flatMap((hierarchy) => walk(join(hierarchy, path)))
    .flatMap((directory) => {
      try {
        return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n');
      } catch {
        return []; // gone between listing and reading
      }
    })
    .filter((line) => line !== '')
    .map(Number);
  return [...new Set(pids)].filter((pid) => pid > 0);
}

/**
 * Kills all processes in the cgroup and below it, this one excepted, and waits until they are gone.
 * @throws Error naming those that don't end.
 */
export async function killCgroup(path: string): Promise<void> {
  for (let round = 0; ; round++) {
    const pids = cgroupProcesses(path).filter((pid) => pid !== process.pid);
    if (pids.length === 0) return;
    if (round === 500) throw new Error(`processes ${pids.join(', ')} don't end though killed`);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // ended meanwhile
      }
    }
    await sleep(20);
  }
}

/** Removes the cgroup `path` and all below it; false while a process is still in one of them. */
export function removeCgroup(path: string): boolean {
  let gone = true;
  for (const directory of cgroupHierarchies().flatMap((hierarchy) => walk(join(hierarchy, path)))) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') gone = false;
    }
  }
  return gone;
}

/** Arguments that run `argv` inside the cgroup `path`, from its first instruction on. */
export function inCgroup(path: string, argv: readonly string[]): string[] {
  const directories = makeCgroup(path);
  const enter = directories.map((_, index) => `echo $$ > "$${index + 1}/cgroup.procs"`).join(' && ');
  return ['sh', '-c', `${enter} && shift ${directories.length} && exec "$@"`, 'sh', ...directories, ...argv];
}
