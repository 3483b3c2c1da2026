/** Reads what the tools of a Linux host print. Pure. */
import { shownUnits } from '../services/shown';

/** Of `df -PBM PATH…` (or `-Pi`): free MiB (or inodes) by mount point, in the order asked for. */
export function readDf(text: string): { readonly mount: string; readonly free: number | undefined }[] {
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const words = line.trim().split(/\s+/);
      const free = Number((words[3] ?? '').replace(/M$/, ''));
      // Where inodes aren't counted (btrfs) a dash stands.
      return { mount: words.slice(5).join(' '), free: Number.isFinite(free) ? free : undefined };
    });
}

export interface Unit {
  readonly loaded: boolean;
  /** active, activating, inactive, failed … */
  readonly active: string;
  /** enabled, disabled, static, masked …; empty where there is no unit file. */
  readonly file: string;
}

/** Of `systemctl show --property=Id,LoadState,ActiveState,UnitFileState UNIT…`: one block for each, in the order asked for. */
export function readUnits(text: string, units: readonly string[]): Record<string, Unit> {
  const shown = shownUnits(text);
  return Object.fromEntries(
    units.map((unit, index) => {
      const value = (key: string): string => shown[index]?.get(key) ?? '';
      return [
        unit,
        { loaded: value('LoadState') === 'loaded', active: value('ActiveState'), file: value('UnitFileState') },
      ];
    }),
  );
}

/** Why a unit that changes hosts by itself is in the way; undefined if it isn't. */
export function managerFault(unit: string, { loaded, active, file }: Unit): { what: string; next: string } | undefined {
  if (!loaded) return undefined;
  const off = `systemctl disable --now ${unit}`;
  if (['active', 'activating', 'reloading'].includes(active))
    return unit.endsWith('.timer')
      ? { what: `${unit} is scheduled: it may change the host at any time`, next: `${off} until the upgrade is over` }
      : { what: `${unit} is running: it may change the host`, next: `${off} until the upgrade is over` };
  if (file === 'enabled' || file === 'enabled-runtime')
    return { what: `${unit} would be started by the next boot`, next: `${off} until the upgrade is over` };
  return undefined;
}

/** Of /run/systemd/shutdown/scheduled: when, and what. */
export function readShutdown(text: string): { readonly at: Date; readonly mode: string } | undefined {
  const us = /^USEC=(\d{1,17})$/m.exec(text)?.[1];
  return us === undefined
    ? undefined
    : { at: new Date(Number(us) / 1_000), mode: /^MODE=(\S+)$/m.exec(text)?.[1] ?? 'shutdown' };
}

/** Names in `systemctl list-units --state=failed --plain --no-legend`. */
export const readFailedUnits = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((name) => name !== '');

export interface Process {
  readonly pid: number;
  readonly command: string;
}

/** Of `ps -e -o pid=,args=`. */
export const readProcesses = (text: string): Process[] =>
  text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(.*)$/s.exec(line);
    return match === null ? [] : [{ pid: Number(match[1]), command: match[2] ?? '' }];
  });

/** Of `grep` over cron tables, as "FILE:LINE": without what is commented out. */
export const readCron = (text: string): { readonly file: string; readonly line: string }[] =>
  text.split('\n').flatMap((found) => {
    const [file = '', ...rest] = found.split(':');
    const line = rest.join(':').trim();
    return line === '' || line.startsWith('#') ? [] : [{ file, line }];
  });

/**
 * Locked files: `stat -c '%D %i %n'` of the files against /proc/locks (proc_locks(5)), which names a lock by device and inode, and
 * its holder by process ID (0 where that is out of sight).
 */
export function lockedFiles(stat: string, procLocks: string): { readonly file: string; readonly pid: number }[] {
  const holders = new Map<string, number>();
  // A line with "->" waits for the lock above it.
  for (const match of procLocks.matchAll(/^\d+: \w+ +\w+ +WRITE +(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /gm))
    holders.set(`${parseInt(match[2] ?? '', 16)}:${parseInt(match[3] ?? '', 16)}:${match[4] ?? ''}`, Number(match[1]));
  return stat.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]+) (\d+) (.+)$/.exec(line.trim());
    if (match === null) return [];
    // dev_t as stat(2) has it: 12 bits major, 20 bits minor, interleaved.
    const device = parseInt(match[1] ?? '', 16);
    const major = (device >>> 8) & 0xfff;
    const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
    const pid = holders.get(`${major}:${minor}:${match[2] ?? ''}`);
    return pid === undefined ? [] : [{ file: match[3] ?? '', pid: Math.max(0, pid) }];
  });
}

/** A clock as it was read: the host's time lies between `host - toleranceMs` and `host + toleranceMs` of the worker's. */
export interface ClockReading {
  readonly where: string;
  /** The host's clock minus the worker's, milliseconds. */
  readonly offsetMs: number;
  /** Half the time that the question took. */
  readonly toleranceMs: number;
}

/** Pairs of hosts (the worker among them) whose clocks are surely further apart than allowed: the worst one only. */
export function clockFault(
  readings: readonly ClockReading[],
  limitMs: number,
): { where: string; what: string } | undefined {
  const all = [...readings, { where: 'the worker', offsetMs: 0, toleranceMs: 0 }];
  let worst: { where: string; what: string; apartMs: number } | undefined;
  for (const [index, a] of all.entries())
    for (const b of all.slice(index + 1)) {
      const apartMs = Math.abs(a.offsetMs - b.offsetMs) - a.toleranceMs - b.toleranceMs;
      if (apartMs <= limitMs || apartMs <= (worst?.apartMs ?? 0)) continue;
      const seconds = (Math.abs(a.offsetMs - b.offsetMs) / 1_000).toFixed(1);
      const [ahead, behind] = a.offsetMs > b.offsetMs ? [a, b] : [b, a];
      worst = {
        where: a.where,
        what: `clocks differ: ${ahead.where} is ${seconds} s ahead of ${behind.where}`,
        apartMs,
      };
    }
  return worst === undefined ? undefined : { where: worst.where, what: worst.what };
}
