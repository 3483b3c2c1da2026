import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupHierarchies, cgroupProcesses, killCgroup, removeCgroup } from './cgroup';
import { check, run, sleep } from './command';
import { restoreLimit } from './machine-limits';
import { forgetLab, listLabs, type LabRecord } from './record';

/** What exists of a lab on this machine, found by its names alone: empty lists once it is down. */
export interface Remains {
  processes: number[];
  mounts: string[];
  namespaces: string[];
  interfaces: string[];
  directories: string[];
}

function mountsUnder(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${directory}/`))
    .reverse(); // innermost first
}

const namesIn = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory) : []);

/** systemd-nspawn leaves an empty directory for each machine name where /run isn't a tmpfs. */
const nspawnDirectories = (id: string): string[] =>
  ['propagate', 'unix-export']
    .map((kind) => `/run/systemd/nspawn/${kind}`)
    .flatMap((parent) =>
      namesIn(parent)
        .filter((name) => name.startsWith(`${id}-`))
        .map((name) => join(parent, name)),
    );

/** A killed systemd-nspawn also leaves the lock on its root directory. */
export function nspawnLock(root: string): string {
  const { dev, ino } = statSync(root);
  return `/run/systemd/nspawn/locks/inode-${dev}:${ino}`;
}

export function remainsOf(record: Pick<LabRecord, 'id' | 'directory'>): Remains {
  const ours = (name: string): boolean => name.startsWith(`${record.id}-`);
  return {
    processes: cgroupProcesses(record.id),
    mounts: mountsUnder(record.directory),
    namespaces: namesIn('/run/netns').filter(ours),
    interfaces: namesIn('/sys/class/net').filter(ours),
    directories: [
      ...[record.directory].filter(existsSync),
      ...nspawnDirectories(record.id),
      ...cgroupHierarchies()
        .map((hierarchy) => join(hierarchy, record.id))
        .filter(existsSync),
    ],
  };
}

/**
 * Takes a lab down from whatever state it is in, half-made or abandoned. Goes by what exists, not by what the record says
 * was made. May be repeated.
 * @throws Error that names what couldn't be removed.
 */
export async function takeDown(record: LabRecord): Promise<void> {
  const faults: string[] = [];
  const attempt = async (what: string, action: () => Promise<unknown> | void): Promise<void> => {
    try {
      await action();
    } catch (error) {
      faults.push(`${what}: ${(error as Error).message}`);
    }
  };
  // The keeper first, for it starts hosts again.
  await attempt('keeper', () => killCgroup(`${record.id}/keeper`));
  await attempt('processes', () => killCgroup(record.id));
  for (const { root } of record.hosts) {
    await attempt(`lock of ${root}`, () => {
      if (existsSync(root)) rmSync(nspawnLock(root), { force: true });
    });
  }
  for (const path of mountsUnder(record.directory)) {
    await attempt(`mount ${path}`, async () => {
      if ((await run(['umount', path])).code !== 0) await check(['umount', '--lazy', path]);
    });
  }
  const remains = remainsOf(record);
  for (const name of remains.namespaces) await attempt(`namespace ${name}`, () => check(['ip', 'netns', 'del', name]));
  for (const name of remainsOf(record).interfaces) {
    // Deleting a namespace takes its cables along, a little later: that one is already gone isn't a fault.
    await attempt(`interface ${name}`, async () => {
      const result = await run(['ip', 'link', 'del', name]);
      if (result.code !== 0 && existsSync(`/sys/class/net/${name}`)) throw new Error(result.stderr.trim());
    });
  }
  for (const path of nspawnDirectories(record.id)) await attempt(path, () => rmdirSync(path));
  // The keeper of a lab whose owner is gone takes the lab down from inside one of its cgroups.
  if (cgroupProcesses(record.id).includes(process.pid)) {
    for (const hierarchy of cgroupHierarchies()) writeFileSync(join(hierarchy, 'cgroup.procs'), String(process.pid));
  }
  await attempt('cgroups', async () => {
    for (let round = 0; !removeCgroup(record.id); round++) {
      if (round === 100) throw new Error('still in use');
      await sleep(20);
    }
  });
  // As long as anything is left the record stays, so that `lab down` can be repeated.
  if (faults.length === 0) {
    forgetLab(record);
    if (listLabs().length === 0) restoreLimit(record.raisedLimit);
  } else throw new Error(`lab ${record.id} isn't wholly down: ${faults.join('; ')}`);
}
