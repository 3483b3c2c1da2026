import { existsSync, mkdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { check, run } from './command';

/** statfs(2) magic numbers. */
const overlayfsMagic = 0x794c7630;

/**
 * A host's disk: the image below, what the host wrote above. `volatile` (Linux 5.10) leaves out every sync, which the disk
 * of a host that nobody keeps doesn't need and which makes dpkg several times faster.
 */
export interface Disk {
  lower: string;
  /** Holds `upper`, `work`, and the mount point `root`. */
  directory: string;
}

export async function mountDisk(disk: Disk): Promise<void> {
  for (const name of ['upper', 'work', 'root']) mkdirSync(join(disk.directory, name), { recursive: true, mode: 0o755 });
  const options = `lowerdir=${disk.lower},upperdir=${join(disk.directory, 'upper')},workdir=${join(disk.directory, 'work')}`;
  const mount = (extra: string): string[] => {
    return ['mount', '-t', 'overlay', 'overlay', '-o', options + extra, join(disk.directory, 'root')];
  };
  if ((await run(mount(',volatile'))).code !== 0) await check(mount(''));
}

/** An overlay can't lie on another overlay (a container's disk): there the hosts' disks are kept in memory. */
export async function prepareDisks(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  if (statfsSync(directory).type === overlayfsMagic) await check(['mount', '-t', 'tmpfs', 'tmpfs', directory]);
}

const snapshotOf = (disk: Disk): string => join(disk.directory, 'snapshot');

/** Copies what the host has written so far; whiteouts and overlayfs's attributes included. */
export async function snapshotDisk(disk: Disk): Promise<void> {
  const snapshot = snapshotOf(disk);
  rmSync(snapshot, { recursive: true, force: true });
  await check(['cp', '-a', '--reflink=auto', join(disk.directory, 'upper'), `${snapshot}.new`]);
  renameSync(`${snapshot}.new`, snapshot);
}

/** The host must be off. */
export async function restoreDisk(disk: Disk): Promise<void> {
  const snapshot = snapshotOf(disk);
  if (!existsSync(snapshot)) throw new Error(`there is no snapshot of ${dirname(snapshot)}`);
  await check(['umount', join(disk.directory, 'root')]);
  for (const name of ['upper', 'work']) rmSync(join(disk.directory, name), { recursive: true, force: true });
  renameSync(snapshot, join(disk.directory, 'upper'));
  await mountDisk(disk);
}
