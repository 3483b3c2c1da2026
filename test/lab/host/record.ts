import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { RaisedLimit } from './machine-limits';

/** Where labs live while they are up: one directory each, `/var/tmp/hitless-lab-<number>`. */
const parent = '/var/tmp';
const prefix = 'hitless-lab-';

export interface HostRecord {
  name: string;
  /** Network namespace, under /run/netns. */
  namespace: string;
  /** Root file system of the image that its disk lies over. */
  lower: string;
  /** Directory of its disk: `upper`, `work`, and `root`, the mount point. */
  disk: string;
  /** The host's root file system as seen from outside. */
  root: string;
  /** Address in the management network, without the prefix length. */
  address: string;
  /** Console output of every boot, appended. */
  console: string;
  /** Units whose failure at boot is no reason to call the host ill. */
  mayFail?: readonly string[];
}

/** A program from outside that lives in a host's network namespace while the host is on. */
export interface ServiceRecord {
  name: string;
  host: string;
  argv: string[];
  log: string;
}

/** What a lab has made, as much as taking it down needs: kept in its directory as lab.json. */
export interface LabRecord {
  /** `hl<number>`: prefix of all its namespaces, interfaces and cgroups. */
  id: string;
  /** What is in it, as `firewall-pair`. */
  kind: string;
  directory: string;
  /** The machine's boot in which it was made: after another boot only files are left of it. */
  bootId: string;
  /** It is taken down when this process ends; absent for a lab that stays until `lab down`. */
  owner?: ProcessIdentity;
  /** Every lab that is up knows it, so that the last one to go can restore it. */
  raisedLimit?: RaisedLimit;
  management: { bridge: string; subnet: string; gateway: string };
  repository?: { directory: string; url: string; port: number };
  hosts: HostRecord[];
  services: ServiceRecord[];
}

/** A pid alone is reused; together with its start time it isn't. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/<pid>/stat (proc(5)), in clock ticks since boot. */
  startTime: string;
}

function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export const thisProcess = (): ProcessIdentity => ({ pid: process.pid, startTime: startTime(process.pid) ?? '' });

export const isAlive = ({ pid, startTime: expected }: ProcessIdentity): boolean => startTime(pid) === expected;

export const machineBootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

export function writeRecord(record: LabRecord): void {
  const path = join(record.directory, 'lab.json');
  // Renamed into place: another process may read it at any time.
  writeFileSync(`${path}.new`, JSON.stringify(record, undefined, 2));
  renameSync(`${path}.new`, path);
}

/** @throws Error if the lab is gone. */
export function readRecord(directory: string): LabRecord {
  try {
    return JSON.parse(readFileSync(join(directory, 'lab.json'), 'utf8')) as LabRecord;
  } catch (error) {
    throw new Error(`no lab at ${directory}: ${(error as Error).message}`);
  }
}

/** Labs on this machine, in the order of their numbers; also half-made ones and ones whose owner is gone. */
export function listLabs(): LabRecord[] {
  const numbers = readdirSync(parent)
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number(name.slice(prefix.length)))
    .filter(Number.isInteger)
    .sort((a, b) => a - b);
  return numbers.flatMap((number) => {
    try {
      return [readRecord(join(parent, `${prefix}${number}`))];
    } catch {
      return []; // being made or taken down just now
    }
  });
}

/** No process stands behind it any more: its owner ended, or the machine was rebooted. */
export function isOrphan(record: LabRecord): boolean {
  if (record.bootId !== machineBootId()) return true;
  return record.owner !== undefined && !isAlive(record.owner);
}

/**
 * Takes the first free number. The number gives the prefix of all names and the management network 198.18.<number>.0/24,
 * from the block set apart for tests between devices (RFC 2544, RFC 6890), which no site should route.
 */
export function allocateLab(kind: string, owner: ProcessIdentity): LabRecord {
  const inUse = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  for (let number = 1; number <= 254; number++) {
    const subnet = `198.18.${number}`;
    if (inUse.some((address) => address.startsWith(`${subnet}.`))) continue;
    const directory = join(parent, `${prefix}${number}`);
    try {
      mkdirSync(directory, { mode: 0o700 }); // atomic: of two labs that start at once one gets it
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    const record: LabRecord = {
      id: `hl${number}`,
      kind,
      directory,
      bootId: machineBootId(),
      owner,
      management: { bridge: `hl${number}-mgmt`, subnet: `${subnet}.0/24`, gateway: `${subnet}.1` },
      hosts: [],
      services: [],
    };
    writeRecord(record);
    return record;
  }
  throw new Error(
    `no free lab number: ${parent}/${prefix}1 to 254 are all taken; \`npm run lab -- down --all\` frees them`,
  );
}

export function forgetLab(record: LabRecord): void {
  rmSync(record.directory, { recursive: true, force: true });
}
