import { failureType, patternOf, permanent, type Fault, type Host, type StepContext } from '../kit';
import {
  lockedFiles,
  managerFault,
  readCron,
  readDf,
  readFailedUnits,
  readProcesses,
  readShutdown,
  readUnits,
} from './reading';
import { rebootMark } from './reboot-mark';
import { certain, faultsOf, type Found } from './registry';
import { FORMER_PATTERNS, type ReadinessPlan, type ReadinessSpec } from './spec';

const SYSTEMCTL = '/usr/bin/systemctl';
const CRON_PATHS = [
  '/etc/crontab',
  '/etc/cron.d',
  '/etc/cron.hourly',
  '/etc/cron.daily',
  '/etc/cron.weekly',
  '/etc/cron.monthly',
];
/** Inodes that an installation may need. */
const MIN_FREE_INODES = 10_000;
/** In these states systemd has no part of a boot or shutdown left to do. */
const SETTLED = ['running', 'degraded'];

/**
 * All that speaks against changing a node now, whatever runs on it. Nothing here needs root. What can't be looked at is a
 * fault as well; a host that is silent isn't asked further.
 */
export async function nodeFaults(host: Host, spec: ReadinessSpec): Promise<Found[]> {
  const found: Found[] = [];
  for (const look of [diskFaults, systemFaults, managerFaults, processFaults, cronFaults, lockFaults]) {
    try {
      found.push(...(await look(host, spec)).map(certain));
    } catch (error) {
      found.push(...faultsOf(error, host.name));
      if (failureType(error) === 'Unreachable') break;
    }
  }
  return found;
}

async function diskFaults(host: Host, { disk }: ReadinessSpec): Promise<Fault[]> {
  const paths = Object.keys(disk);
  if (paths.length === 0) return [];
  const room = readDf(await output(host, ['/usr/bin/df', '-PBM', ...paths]));
  const inodes = readDf(await output(host, ['/usr/bin/df', '-Pi', ...paths]));
  if (room.length !== paths.length)
    return [
      {
        where: host.name,
        what: `df doesn’t know all of ${paths.join(', ')}`,
        next: 'correct readiness.disk in the inventory',
      },
    ];
  return paths.flatMap((path, index) => {
    const [needed = 0, free, freeInodes] = [disk[path], room[index]?.free, inodes[index]?.free];
    return [
      ...(free === undefined || free < needed
        ? [{ where: host.name, what: `${path} has ${free ?? '?'} MiB free, ${needed} are needed`, next: 'make room' }]
        : []),
      // 0 of 0 where inodes aren't counted.
      ...(needed > 0 && freeInodes !== undefined && freeInodes > 0 && freeInodes < MIN_FREE_INODES
        ? [{ where: host.name, what: `${path} has ${freeInodes} inodes free`, next: 'remove files' }]
        : []),
    ];
  });
}

async function systemFaults(host: Host, { ignoreFailedUnits }: ReadinessSpec): Promise<Fault[]> {
  const where = host.name;
  const faults: Fault[] = [];
  const state = (await output(host, [SYSTEMCTL, 'is-system-running'])).trim();
  if (!SETTLED.includes(state))
    faults.push({
      where,
      what: `systemd is ${state === '' ? 'silent' : state}`,
      next: `wait, or look with: systemctl list-jobs`,
    });
  const failed = readFailedUnits(
    await output(host, [SYSTEMCTL, 'list-units', '--state=failed', '--plain', '--no-legend']),
  ).filter((unit) => !ignoreFailedUnits.includes(unit));
  if (failed.length > 0)
    faults.push({
      where,
      what: `failed: ${failed.join(', ')}`,
      next: 'repair them (systemctl status), or list them in readiness.ignoreFailedUnits',
    });
  const shutdown = readShutdown(await output(host, ['/usr/bin/cat', '/run/systemd/shutdown/scheduled']));
  if (shutdown !== undefined)
    faults.push({
      where,
      what: `a ${shutdown.mode} is scheduled for ${shutdown.at.toISOString()}`,
      next: 'shutdown -c',
    });
  const mark = await rebootMark(host);
  if (mark !== undefined && !mark.isStale)
    faults.push({
      where,
      what: `wants a reboot (/run/reboot-required${mark.packages.length === 0 ? '' : `, for ${mark.packages.join(', ')}`}): an earlier change is only half effective`,
      next: 'reboot it, with traffic on the other node',
    });
  return faults;
}

async function managerFaults(host: Host, { managers }: ReadinessSpec): Promise<Fault[]> {
  if (managers.length === 0) return [];
  const text = await output(host, [
    SYSTEMCTL,
    'show',
    '--property=Id,LoadState,ActiveState,UnitFileState',
    ...managers,
  ]);
  return Object.entries(readUnits(text, managers)).flatMap(([unit, state]) => {
    const fault = managerFault(unit, state);
    return fault === undefined ? [] : [{ where: host.name, ...fault }];
  });
}

async function processFaults(host: Host, { processes }: ReadinessSpec): Promise<Fault[]> {
  const patterns = processes.map((pattern) => patternOf(FORMER_PATTERNS.get(pattern) ?? pattern));
  return readProcesses(await output(host, ['/usr/bin/ps', '-e', '-o', 'pid=,args='], true))
    .filter(({ command }) => patterns.some((pattern) => pattern.test(command)))
    .map(({ pid, command }) => ({
      where: host.name,
      what: `process ${pid} may be changing the host: ${command.slice(0, 200)}`,
      next: 'wait until it has ended',
    }));
}

async function cronFaults(host: Host, { cron }: ReadinessSpec): Promise<Fault[]> {
  if (cron === '') return [];
  // Users' own tables are for root only; what runs as a user can't install packages.
  const text = await output(host, ['/usr/bin/grep', '-rsIE', '-e', cron, ...CRON_PATHS]);
  return readCron(text).map(({ file, line }) => ({
    where: host.name,
    what: `${file} changes the host at set times: ${line.slice(0, 200)}`,
    next: 'take it out until the upgrade is over, or narrow readiness.cron',
  }));
}

async function lockFaults(host: Host, { locks }: ReadinessSpec): Promise<Fault[]> {
  if (locks.length === 0) return [];
  const stat = await output(host, ['/usr/bin/stat', '-c', '%D %i %n', ...locks], true);
  const held = lockedFiles(stat, await output(host, ['/usr/bin/cat', '/proc/locks'], true));
  return held.map(({ file, pid }) => ({
    where: host.name,
    what: `${file} is locked${pid > 0 ? ` by process ${pid}` : ''}: a package manager is at work`,
    next: 'wait until it has ended',
  }));
}

/** Output of a command that may fail for what isn't there. */
const output = async (host: Host, argv: readonly string[], quiet = false): Promise<string> =>
  (await host.exec(argv, { okCodes: 'any', quiet })).stdout;

export function nodeHost(context: StepContext<ReadinessPlan>, node: string): Promise<Host> {
  const host = context.plan.nodes[node]?.host;
  if (host === undefined)
    throw permanent(
      'InvalidInput',
      `the plan has no node ${node}; it has ${Object.keys(context.plan.nodes).join(', ')}`,
    );
  return context.host(host);
}
