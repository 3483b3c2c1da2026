/** The machine itself: clocks, licences, disks, sensors, what it is connected to (facts §6, §7). */
import { ApiError } from './api-error';
import type { DeviceView } from '../view';
import type { Argument, Commands } from './command';
import type { MountPoint, Sensor } from './facts';
import { cdata, clockText, dateText, leaf, leaves, stampText } from './xml';

function ntp({ facts }: DeviceView): string {
  const servers = facts.ntp.map(
    (server, index) =>
      `<ntp-server-${index + 1}>${leaves({
        'authentication-type': 'none',
        name: server.name,
        reachable: server.reachable ? 'yes' : 'no',
        status: server.status,
      })}</ntp-server-${index + 1}>`,
  );
  const synched = facts.ntp.find(({ status }) => status === 'synched')?.name ?? 'LOCAL';
  return servers.join('') + leaf('synched', synched);
}

/** Nothing at all if it isn't managed by Panorama. */
const panoramaStatus = ({ facts }: DeviceView): string =>
  facts.panorama
    .map(
      ({ address, connected }, index) =>
        `\nPanorama Server ${index + 1} : ${address}\n    Connected     : ${connected ? 'yes' : 'no'}\n    HA state      : ${connected ? 'active' : 'disconnected'}\n`,
    )
    .join('');

const licences = ({ facts, serial, now }: DeviceView): string =>
  `<licenses>${facts.licences
    .map(
      ({ feature, description, issuedAt, expiresAt }) =>
        `<entry>${leaves({
          feature,
          description,
          serial,
          issued: dateText(issuedAt),
          expires: expiresAt === undefined ? 'Never' : dateText(expiresAt),
          expired: expiresAt !== undefined && expiresAt < now ? 'yes' : 'no',
          authcode: '',
        })}</entry>`,
    )
    .join('')}</licenses>`;

function support({ facts }: DeviceView): string {
  if (!facts.updateServerReachable)
    throw new ApiError(17, [
      'Failed to check support info due to Unknown error. Please check network connectivity and try again.',
    ]);
  const { level, expiresAt } = facts.support;
  return `<SupportInfoResponse><Links><Link><Title>Support Home</Title><Url>https://support.example/</Url></Link></Links><Support><Contact/>${leaves(
    {
      ExpiryDate: expiresAt === undefined ? '' : dateText(expiresAt),
      SupportLevel: expiresAt === undefined ? '' : level,
      SupportDescription: expiresAt === undefined ? 'Device not found on this update server' : `${level} support`,
    },
  )}</Support></SupportInfoResponse>`;
}

/** As df -h does: one decimal below 10. */
function size(megabytes: number): string {
  const [value, unit] = megabytes >= 1_024 ? [megabytes / 1_024, 'G'] : [megabytes, 'M'];
  return `${value >= 10 || unit === 'M' ? Math.floor(value) : (Math.floor(value * 10) / 10).toFixed(1)}${unit}`;
}

function diskRow({ filesystem, mountedOn, sizeMb, usedMb }: MountPoint): string {
  const columns = [sizeMb, usedMb, Math.max(0, sizeMb - usedMb)].map((value) => size(value).padStart(5));
  const used = `${Math.min(100, Math.ceil((100 * usedMb) / sizeMb))}%`.padStart(4);
  return `${filesystem.padEnd(15)} ${columns.join(' ')} ${used} ${mountedOn}`;
}

const diskSpace = ({ facts }: DeviceView): string =>
  cdata(['Filesystem      Size  Used Avail Use% Mounted on', ...facts.disks.map(diskRow)].join('\n'));

/** One dataplane in the short form, several in the form with a heading each. */
function clockMore({ facts, now }: DeviceView): string {
  const times = facts.dataplaneClockSkewMs.map((skew) => `dataplane time: ${clockText(now + skew)} `);
  const text =
    times.length === 1 ? (times[0] ?? '') : times.map((time, index) => `DP s1dp${index}:\n\n${time}\n\n`).join('\n');
  return leaf('member', text);
}

const KINDS: readonly Sensor['kind'][] = ['thermal', 'fantray', 'fan', 'power', 'power-supply'];

/** Empty for a virtual device. */
const environmentals = ({ facts }: DeviceView): string =>
  KINDS.map((kind) => {
    const ofKind = facts.environmentals.filter((sensor) => sensor.kind === kind);
    const slots = [...new Set(ofKind.map(({ slot }) => slot))].map((slot) => {
      const entries = ofKind
        .filter((sensor) => sensor.slot === slot)
        .map(
          ({ description, alarm, measured }) =>
            `<entry>${leaves({ slot, description, alarm: alarm ? 'True' : 'False', ...measured })}</entry>`,
        );
      return `<Slot${slot}>${entries.join('')}</Slot${slot}>`;
    });
    return slots.length === 0 ? '' : `<${kind}>${slots.join('')}</${kind}>`;
  }).join('');

/** What top prints, in MiB as current releases do. */
function resources({ facts: { cpu, memory }, now, bootedAt }: DeviceView): string {
  const { totalMb, usedMb, cacheMb } = memory;
  const free = Math.max(0, totalMb - usedMb - cacheMb);
  const idle = 100 - cpu.managementPercent;
  const at = new Date(now).toISOString().slice(11, 19);
  return cdata(
    [
      `top - ${at} up ${Math.floor((now - bootedAt) / 60_000)} min,  0 users,  load average: ${(cpu.managementPercent / 25).toFixed(2)}, 0.18, 0.19`,
      'Tasks: 256 total,   1 running, 252 sleeping,   0 stopped,   3 zombie',
      `%Cpu(s): ${cpu.managementPercent.toFixed(1)} us,  0.0 sy,  0.0 ni, ${idle.toFixed(1)} id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st`,
      `MiB Mem : ${totalMb.toFixed(1)} total, ${free.toFixed(1)} free, ${usedMb.toFixed(1)} used, ${cacheMb.toFixed(1)} buff/cache`,
      `MiB Swap: 1023.9 total, 1023.9 free, 0.0 used. ${(free + cacheMb).toFixed(1)} avail Mem`,
      '',
    ].join('\n'),
  );
}

/** The values that clients ask for; an unknown name has no matches, as on a device. */
function stateFilter(view: DeviceView, { text }: Argument): string {
  const { facts } = view;
  if (text === 'sys.monitor.*.mp.exports' || text === 'sys.monitor.s0.mp.exports')
    return cdata(
      ` sys.monitor.s0.mp.exports: { 'cpu': { '1minavg': ${Math.round(facts.cpu.managementPercent)}, }, 'disks': [ ], 'slot': 0, } `,
    );
  if (text === 'sw.dev.interface.config') {
    const interfaces = facts.interfaces.map(({ name, mtu }, index) =>
      // A subinterface's MTU isn't in here: `show interface` tells it.
      mtu === undefined || name.includes('.')
        ? `'${name}': { }`
        : `'${name}': { 'hwaddr': 02:00:5e:10:00:${index.toString(16).padStart(2, '0')}, 'mtu': ${mtu}, }`,
    );
    return cdata(` sw.dev.interface.config: { ${interfaces.join(', ')}, } `);
  }
  return cdata(` '${text}': NO_MATCHES `);
}

/** Extrapolated from the guide's description: no complete answer was found. */
const deviceCertificate = ({ facts, now }: DeviceView): string =>
  cdata(
    `\nDevice Certificate information:\n\tCurrent device certificate status: ${facts.deviceCertificate}\n${
      facts.deviceCertificate === 'None'
        ? ''
        : `\tLast fetched timestamp: ${stampText(now)}\n\tLast fetched status: success\n`
    }`,
  );

/** Models without slots don't know the command. */
function chassis({ facts }: DeviceView): string {
  if (facts.chassis === undefined) throw new ApiError(17, [' show -> chassis -> status is unexpected']);
  return `<chassis>${facts.chassis.map(({ slot, component, status }) => `<entry>${leaves({ slot, component, 'card-status': status })}</entry>`).join('')}</chassis>`;
}

export const system: Commands = {
  'show/ntp': ntp,
  'show/panorama-status': panoramaStatus,
  'request/license/info': licences,
  'request/support/check': support,
  'show/system/disk-space': diskSpace,
  'show/clock': ({ now }) => `${clockText(now)} \n`,
  'show/clock/more': clockMore,
  'show/system/environmentals': environmentals,
  'show/system/resources': resources,
  'show/system/state/filter': stateFilter,
  'show/system/setting/jumbo-frame': ({ facts }) => `${facts.jumboFrame ? 'on' : 'off'}\n`,
  'show/device-certificate/status': deviceCertificate,
  'show/chassis/status': chassis,
};
