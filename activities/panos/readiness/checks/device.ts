/** The machine: clocks, licences, certificates, load, sensors, locks. Source: facts/pan-os.md, section 6. */
import { at, childrenOf, type Reader, type XmlElement } from '../../api';
import type { Checks, Found, MemberReader } from '../check';
import {
  HASH_ORDER,
  parseAlarms,
  parseCertificate,
  parseClock,
  parseDataplaneClocks,
  parseDataplaneCpu,
  parseLicences,
  parseLocks,
  parseManagementCpu,
  parseMemory,
  parseNtp,
  parsePanorama,
  parseSchedules,
  parseSupport,
  parseYesNo,
  type Alarm,
  type Certificate,
  type Licence,
  type Lock,
  type Ntp,
  type Panorama,
  type Scheduled,
} from '../parse';
import { COMMANDS, configOf, stateText, XPATHS } from '../read';
import type { ReadinessChecksSpec } from '../spec';

const found = (what: string, next?: string): Found[] => [{ what, ...(next === undefined ? {} : { next }) }];

/** Pure, as all that follow. */
export const panoramaFaults = (servers: readonly Panorama[]): Found[] =>
  servers.length === 0 || servers.some(({ connected }) => connected)
    ? []
    : found(`it isn’t connected to Panorama (${servers.map(({ address }) => address).join(', ')})`);

export function ntpFaults({ synched, servers }: Ntp): Found[] {
  if (servers.length === 0)
    return found('no NTP server is configured', 'configure one, so that logs of both members can be compared');
  if (synched !== undefined && servers.some(({ name }) => name === synched)) return [];
  return found(
    `its clock follows no NTP server: ${servers.map(({ name, status }) => `${name} is ${status}`).join(', ')}`,
  );
}

export function licenceFaults(licences: readonly Licence[], skip: readonly string[]): Found[] {
  if (licences.length === 0) return found('it has no licences at all');
  const expired = licences.filter((licence) => licence.expired && !skip.includes(licence.feature));
  return expired.length === 0
    ? []
    : found(
        `licences have expired: ${expired.map(({ feature, expires }) => `${feature} (${expires})`).join(', ')}`,
        'renew them, or name them in skipLicenses',
      );
}

/** Both times by the device's own clock. */
export function supportFaults(ends: string | undefined, now: number): Found[] {
  if (ends === undefined) return found('it has no support contract that the update server knows of');
  const endsAt = Date.parse(`${ends} UTC`);
  if (Number.isNaN(endsAt)) return found(`the end of its support contract can’t be read: ${ends}`);
  return endsAt < now ? found(`its support contract ended on ${ends}`) : [];
}

/** `before` and `after`: the management plane's clock around the reading of the dataplane's. */
export function clockFaults(before: number, after: number, dataplanes: readonly number[], allowedMs: number): Found[] {
  const spread = Math.max(...dataplanes) - Math.min(...dataplanes);
  if (spread > allowedMs) return found(`the clocks of its dataplanes are ${spread / 1_000} s apart`);
  const off = Math.max(...dataplanes.map((clock) => Math.max(before - clock, clock - after, 0)));
  return off > allowedMs ? found(`the clocks of management plane and dataplane are ${off / 1_000} s apart`) : [];
}

export function certificateFaults(
  certificates: readonly Certificate[],
  rules: ReadinessChecksSpec['certificates'],
): Found[] {
  const weak = certificates.filter(({ kind, bits, hash }) => {
    const rule = rules[kind];
    return bits < rule.bits || HASH_ORDER.indexOf(hash) < HASH_ORDER.indexOf(rule.hash);
  });
  return weak.length === 0
    ? []
    : found(
        `certificates are too weak: ${weak.map(({ name, kind, bits, hash }) => `${name} (${kind} ${bits} bit, ${hash})`).join(', ')}`,
        'replace them: newer releases refuse them',
      );
}

export function scheduleFaults(schedules: readonly Scheduled[], windowMs: number): Found[] {
  const soon = schedules.filter(({ inMs }) => inMs <= windowMs);
  return soon.length === 0
    ? []
    : found(
        `updates are scheduled within the window: ${soon.map(({ kind, when }) => `${kind} ${when}`).join(', ')}`,
        'change the schedule, or start at another time',
      );
}

export const alarmFaults = (alarms: readonly Alarm[]): Found[] =>
  alarms.length === 0
    ? []
    : found(`sensors give an alarm: ${alarms.map(({ kind, description }) => `${kind}: ${description}`).join(', ')}`);

export const loadFaults = (of: string, percent: number, limit: number): Found[] =>
  percent < limit ? [] : found(`${of} is at ${percent.toFixed(1)} %, and ${limit} % is too much`);

export const lockFaults = (kind: 'configuration' | 'commit', locks: readonly Lock[]): Found[] =>
  locks.length === 0
    ? []
    : found(
        `${locks.map(({ admin, location }) => `${admin} (${location})`).join(', ')} holds a ${kind} lock`,
        'have it removed by whoever holds it',
      );

export const pendingFaults = (full: boolean, pending: boolean): Found[] =>
  full || pending
    ? found(full ? 'it needs a full commit' : 'it has changes that aren’t committed', 'commit or revert them first')
    : [];

async function clocks(reader: MemberReader, allowedMs: number): Promise<Found[]> {
  const before = parseClock((await reader.fresh(COMMANDS.clock)).text);
  const dataplanes = parseDataplaneClocks(await reader.fresh('<show><clock><more></more></clock></show>'));
  const after = parseClock((await reader.fresh(COMMANDS.clock)).text);
  return clockFaults(before, after, dataplanes, allowedMs);
}

/** Shared ones and those of each virtual system. */
async function certificatesOf(reader: Reader): Promise<Certificate[]> {
  const shared = await configOf(reader, XPATHS.certificates);
  const vsys = childrenOf(await configOf(reader, XPATHS.vsys), 'entry').map((entry) => at(entry, 'certificate'));
  return (
    [shared, ...vsys]
      .flatMap((list: XmlElement | undefined) => childrenOf(list, 'entry'))
      // A request that hasn't been signed yet has no certificate.
      .filter((entry) => at(entry, 'public-key') !== undefined)
      .map(parseCertificate)
  );
}

const yesNo = async (reader: Reader, what: string, command: string): Promise<boolean> =>
  parseYesNo(what, await reader.op(command));

export const deviceChecks = {
  panorama: {
    each: async (reader) =>
      panoramaFaults(parsePanorama((await reader.op('<show><panorama-status></panorama-status></show>')).text)),
  },
  ntp_sync: { each: async (reader) => ntpFaults(parseNtp(await reader.op('<show><ntp></ntp></show>'))) },
  expired_licenses: {
    each: async (reader, { spec }) =>
      licenceFaults(parseLicences(await reader.op(COMMANDS.licences)), spec.skipLicenses),
  },
  active_support: {
    async each(reader) {
      const ends = parseSupport(await reader.op('<request><support><check></check></support></request>'));
      return supportFaults(ends, parseClock((await reader.op(COMMANDS.clock)).text));
    },
  },
  planes_clock_sync: { each: (reader, { spec }) => clocks(reader, spec.clockSkewMs) },
  certificates_requirements: {
    each: async (reader, { spec }) => certificateFaults(await certificatesOf(reader), spec.certificates),
  },
  dynamic_updates: {
    async each(reader, { spec }) {
      const now = parseClock((await reader.op(COMMANDS.clock)).text);
      const schedule = await configOf(reader, XPATHS.updateSchedule);
      return scheduleFaults(parseSchedules(schedule, now), spec.dynamicUpdatesWindowMs);
    },
  },
  environmentals: {
    each: async (reader) =>
      alarmFaults(parseAlarms(await reader.op('<show><system><environmentals></environmentals></system></show>'))),
  },
  dp_cpu_utilization: {
    async each(reader, { spec: { dpCpuMinutes, dpCpuPercent } }) {
      return loadFaults(
        `its dataplane (${dpCpuMinutes} min)`,
        parseDataplaneCpu(await resourceMonitor(reader, dpCpuMinutes)),
        dpCpuPercent,
      );
    },
  },
  mp_cpu_utilization: {
    each: async (reader, { spec }) =>
      loadFaults(
        'its management plane',
        parseManagementCpu(await stateText(reader, 'sys.monitor.*.mp.exports')),
        spec.mpCpuPercent,
      ),
  },
  mp_mem_utilization: {
    async each(reader, { spec }) {
      const { text } = await reader.op('<show><system><resources></resources></system></show>');
      return loadFaults('memory of its management plane', parseMemory(text), spec.mpMemoryPercent);
    },
  },
  config_locks: {
    each: async (reader) => [
      ...lockFaults(
        'configuration',
        parseLocks(await reader.op('<show><config-locks><vsys>all</vsys></config-locks></show>')),
      ),
      ...lockFaults(
        'commit',
        parseLocks(await reader.op('<show><commit-locks><vsys>all</vsys></commit-locks></show>')),
      ),
    ],
  },
  candidate_config: {
    async each(reader) {
      const full = await yesNo(
        reader,
        'whether a full commit is needed',
        '<check><full-commit-required></full-commit-required></check>',
      );
      const pending = await yesNo(
        reader,
        'whether changes are pending',
        '<check><pending-changes></pending-changes></check>',
      );
      return pendingFaults(full, pending);
    },
  },
  global_jumbo_frame: {
    async both(members, { spec: { jumboFrame } }) {
      const modes = await Promise.all(
        members.map((reader) =>
          yesNo(
            reader,
            'the jumbo frame setting',
            '<show><system><setting><jumbo-frame></jumbo-frame></setting></system></show>',
          ),
        ),
      );
      return jumboFaults(
        members.map(({ name }, i) => ({ name, on: modes[i] === true })),
        jumboFrame,
      );
    },
  },
} satisfies Partial<Checks>;

/** Left out: alike on both. */
export function jumboFaults(members: readonly { name: string; on: boolean }[], wanted: boolean | undefined): Found[] {
  const told = (on: boolean): string => (on ? 'on' : 'off');
  if (wanted !== undefined)
    return members
      .filter(({ on }) => on !== wanted)
      .map(({ name, on }) => ({ where: name, what: `jumbo frames are ${told(on)}, and must be ${told(wanted)}` }));
  if (new Set(members.map(({ on }) => on)).size <= 1) return [];
  return found(`jumbo frames differ: ${members.map(({ name, on }) => `${name} ${told(on)}`).join(', ')}`);
}

/** What the dataplane recorded of its last minutes. */
export const resourceMonitor = (reader: Reader, minutes: number): Promise<XmlElement> =>
  reader.op(
    `<show><running><resource-monitor><minute><last>${minutes}</last></minute></resource-monitor></running></show>`,
  );
