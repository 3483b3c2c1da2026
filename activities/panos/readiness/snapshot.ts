/**
 * What passes through one member, small enough for a workflow's history: at most 4 KiB of JSON whatever the device's size.
 * Names are kept while they are few; of many, short marks are kept, which tell that one is missing but not which.
 */
import { createHash } from 'node:crypto';
import type { Reader } from '../api';
import type { HaState } from '../ha';
import { isServing } from '../ha';
import { readSystem } from '../system';

import {
  advancedRoutes,
  arpCount,
  fibCount,
  legacyRoutes,
  parseInterfaces,
  parseLicences,
  parseMtus,
  parseSessionStats,
  parseTunnels,
  type RouteCounts,
} from './parse';
import { COMMANDS, haOf, peersOf, stateText } from './read';

/** Budgets of characters of JSON; together with all the rest they stay below 4 KiB. */
const NAMES_CHARS = 420;
const COUNTS_CHARS = 640;
/** Marks of four characters: 24 bits of a hash. */
const MARK_CHARS = 4;

/** A set of names. With neither names nor marks there are too many: only the digest tells a change. */
export interface NameSet {
  readonly count: number;
  readonly digest: string;
  readonly names?: readonly string[];
  readonly marks?: string;
}

export interface Snapshot {
  readonly schema: 1;
  readonly device: string;
  readonly release: string;
  readonly content: string;
  readonly state: HaState;
  readonly serving: boolean;
  /** Hardware interfaces that are up. */
  readonly interfaces: NameSet;
  /** As `ethernet1/1=1500`. */
  readonly mtu: NameSet;
  /** Active IPSec tunnels. */
  readonly tunnels: NameSet;
  /** Licences that are valid. */
  readonly licences: NameSet;
  readonly routes: RouteCounts;
  readonly fib: number;
  readonly bgp: {
    /** Peers that are configured, whatever their state. */
    readonly peers: number;
    readonly established: NameSet;
    readonly accepted: number;
    /** Accepted prefixes by peer, while they are few. */
    readonly acceptedBy?: Readonly<Record<string, number>>;
  };
  readonly arp: number;
  readonly sessions: { readonly active: number; readonly tcp: number; readonly udp: number; readonly kbps: number };
}

const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');
export const markOf = (name: string): string => hash(name).slice(0, MARK_CHARS);

/** Pure. */
export function nameSet(unsorted: readonly string[]): NameSet {
  const names = [...new Set(unsorted)].sort();
  const set = { count: names.length, digest: hash(names.join('\n')).slice(0, 12) };
  if (JSON.stringify(names).length <= NAMES_CHARS) return { ...set, names };
  return names.length * MARK_CHARS <= NAMES_CHARS ? { ...set, marks: names.map(markOf).join('') } : set;
}

/** Reads one member. @throws what the device's reading throws; nothing is left out silently */
export async function readSnapshot(device: Reader): Promise<Snapshot> {
  const { version, contentVersion, advancedRouting } = await readSystem(device);
  const { state } = await haOf(device);
  const engine = advancedRouting ? 'advanced-routing' : 'routing';
  const routes = await device.table(
    `<show><${engine}><route></route></${engine}></show>`,
    advancedRouting ? advancedRoutes : legacyRoutes,
  );
  const fib = await device.table(`<show><${engine}><fib></fib></${engine}></show>`, fibCount);
  const peers = await peersOf(device);
  const up = peers.filter((peer) => peer.state === 'Established');
  const acceptedBy = Object.fromEntries(up.map(({ name, acceptedPrefixes }) => [name, acceptedPrefixes]));
  const { active, tcp, udp, kbps } = parseSessionStats(await device.op(COMMANDS.sessionInfo));
  const mtus = parseMtus(await stateText(device, 'sw.dev.interface.config'));
  const hardware = parseInterfaces(await device.op('<show><interface>hardware</interface></show>'));
  const tunnels = parseTunnels(await device.op(COMMANDS.tunnels));
  const licences = parseLicences(await device.op(COMMANDS.licences));
  return {
    schema: 1,
    device: device.name,
    release: version,
    content: contentVersion,
    state,
    serving: isServing(state),
    interfaces: nameSet(hardware.filter((i) => i.up).map(({ name }) => name)),
    mtu: nameSet([...mtus].map(([name, mtu]) => `${name}=${mtu}`)),
    tunnels: nameSet(tunnels.filter((tunnel) => tunnel.state === 'active').map(({ name }) => name)),
    licences: nameSet(licences.filter(({ expired }) => !expired).map(({ feature }) => feature)),
    routes,
    fib,
    bgp: {
      peers: peers.length,
      established: nameSet(up.map(({ name }) => name)),
      accepted: up.reduce((sum, { acceptedPrefixes }) => sum + acceptedPrefixes, 0),
      ...(JSON.stringify(acceptedBy).length <= COUNTS_CHARS ? { acceptedBy } : {}),
    },
    arp: await device.table(COMMANDS.arp, arpCount),
    sessions: { active, tcp, udp, kbps },
  };
}
