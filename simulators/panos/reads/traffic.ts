/** Sessions and load. Both follow the member that serves. */
import { ApiError } from './api-error';
import type { DeviceView } from '../view';
import type { Argument, Commands } from './command';
import { clockText, leaves } from './xml';

/** How many members' load this one carries: an active/active member that serves alone has both halves. */
const share = (view: DeviceView): number =>
  !view.serving ? 0 : view.haMode === 'active-active' && view.peerServing === false ? 2 : 1;

/** Sessions of mobile networks and SCTP: none here, but clients want the counters. */
const NEVER_SEEN = Object.fromEntries(
  ['gtpc', 'gtpu-active', 'gtpu-pending', 'http2-5gc', 'imsi', 'pfcpc', 'sctp-assoc', 'sctp-sess'].map((kind) => [
    `num-${kind}`,
    0,
  ]),
);

/** Settings that are the same on every simulated device, after what changes. */
const SESSION_SETTINGS = leaves({
  'age-accel-en': 'True',
  'age-accel-thresh': 80,
  'age-accel-tsf': 2,
  'age-scan-ssf': 8,
  'age-scan-thresh': 80,
  'age-scan-tmo': 10,
  'dis-def': 60,
  'dis-sctp': 30,
  'dis-tcp': 90,
  'dis-udp': 60,
  'hw-offload': 'True',
  'icmp-unreachable-rate': 200,
  'ipv6-fw': 'True',
  'max-pending-mcast': 0,
  'oor-action': 'drop',
  'strict-checksum': 'True',
  'tcp-cong-ctrl': 3,
  'tcp-reject-siw-thresh': 4,
  'tcp-nonsyn-rej': 'True',
  'tmo-5gcdelete': 15,
  'tmo-cp': 30,
  'tmo-def': 30,
  'tmo-icmp': 6,
  'tmo-sctp': 3_600,
  'tmo-sctpcookie': 60,
  'tmo-sctpinit': 5,
  'tmo-sctpshutdown': 60,
  'tmo-tcp': 3_600,
  'tmo-tcp-delayed-ack': 25,
  'tmo-tcp-unverif-rst': 30,
  'tmo-tcphalfclosed': 120,
  'tmo-tcphandshake': 10,
  'tmo-tcpinit': 5,
  'tmo-tcptimewait': 15,
  'tmo-udp': 30,
  'vardata-rate': 10_485_760,
  dp: '*.dp0',
});

function info(view: DeviceView): string {
  const { sessions } = view.facts;
  const carried = share(view);
  const active = sessions.active * carried;
  const udp = Math.floor(active / 4);
  return (
    leaves({
      'num-active': active,
      'num-max': sessions.max,
      'num-installed': active * 10,
      'num-tcp': active - udp,
      'num-udp': udp,
      'num-icmp': 0,
      'num-bcast': 0,
      'num-mcast': 0,
      'num-predict': 0,
      ...NEVER_SEEN,
      cps: sessions.cps * carried,
      kbps: sessions.kbps * carried,
      pps: sessions.pps * carried,
    }) + SESSION_SETTINGS
  );
}

function all(view: DeviceView): string {
  if (share(view) === 0) return '';
  return view.facts.sessions.listed
    .map(
      (session, index) =>
        `<entry>${leaves({
          dst: session.destination,
          xsource: session.source,
          source: session.source,
          xdst: session.destination,
          xsport: session.sourcePort,
          xdport: session.destinationPort,
          sport: session.sourcePort,
          dport: session.destinationPort,
          proto: session.protocol,
          from: 'trust',
          to: 'untrust',
          'start-time': clockText(view.now - 60_000),
          nat: 'False',
          srcnat: 'False',
          dstnat: 'False',
          proxy: 'False',
          'decrypt-mirror': 'False',
          state: 'ACTIVE',
          type: 'FLOW',
          'total-byte-count': 4_096,
          idx: 20 + index,
          'vsys-idx': 1,
          vsys: 'vsys1',
          application: session.application,
          'security-rule': 'outbound',
          ingress: session.ingress,
          egress: session.egress,
          flags: '',
        })}</entry>`,
    )
    .join('');
}

const MINUTE_MS = 60_000;

/**
 * `show running resource-monitor minute last N`: of each minute, the newest first, the load of the dataplane's cores and how
 * full the session table was. A minute before the boot shows 0. That it served then as it does now is assumed.
 */
function resourceMonitor(view: DeviceView, { text }: Argument): string {
  const minutes = Number(text);
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > 60)
    throw new ApiError(17, [` show -> running -> resource-monitor -> minute -> last '${text}' is invalid`]);
  const { cpu, sessions, pastLoad } = view.facts;
  const loads = Array.from({ length: minutes }, (_, ago) => {
    const end = view.now - ago * MINUTE_MS;
    if (end <= view.bootedAt) return { dataplanePercent: 0, sessions: 0 };
    const then = pastLoad.find(({ until }) => end <= until);
    return then ?? { dataplanePercent: cpu.dataplanePercent, sessions: sessions.active };
  });
  const percents = (of: (load: (typeof loads)[number]) => number): string =>
    loads.map((load) => Math.min(100, Math.round(of(load) * share(view)))).join(',');
  const value = percents(({ dataplanePercent }) => dataplanePercent);
  const cores = Array.from(
    { length: cpu.dataplaneCores },
    (_, core) => `<entry>${leaves({ coreid: core, value })}</entry>`,
  );
  const used = percents((load) => (100 * load.sessions) / sessions.max);
  const table = ['average', 'maximum'].map(
    (kind) => `<entry>${leaves({ name: `session (${kind})`, value: used })}</entry>`,
  );
  return `<resource-monitor><data-processors><dp0><minute><cpu-load-average>${cores.join('')}</cpu-load-average><resource-utilization>${table.join('')}</resource-utilization></minute></dp0></data-processors></resource-monitor>`;
}

export const traffic: Commands = {
  'show/session/info': info,
  'show/session/all': all,
  'show/running/resource-monitor/minute/last': resourceMonitor,
  'show/running/resource-monitor/minute': (view, argument) =>
    resourceMonitor(view, { ...argument, text: argument.text === '' ? '1' : argument.text }),
};
