/** Random BGP neighbors, announcements and settings, all from one seed: so that a failure comes again. */
import type { Segment } from '../../../../activities/routing/prediction/as-path';
import type { PeerType } from '../../../../activities/routing/prediction/model';
import { METRICS, ROUTER } from './frr-alone';
import type { Announcement } from './speaker';

export class Random {
  constructor(private state: number) {}

  /** mulberry32: evenly in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
  of<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T;
  }
}

export interface Neighbor {
  readonly address: string;
  readonly as: number;
  readonly type: PeerType;
  readonly routerId: string;
  readonly addPath: boolean;
}

export interface Scenario {
  /** For names that no other scenario has. */
  readonly name: string;
  readonly localAs: number;
  readonly neighbors: readonly Neighbor[];
  readonly prefixes: readonly string[];
  readonly announcements: ReadonlyMap<string, readonly Announcement[]>;
  /** Lines of `router bgp`, and of its address family. */
  readonly lines: readonly string[];
  readonly familyLines: readonly string[];
}

const ADDRESSES = [11, 12, 13, 14, 15].map((n) => `10.90.0.${n}`);

export function scenario(random: Random, name: string, count: number): Scenario {
  const confederation = random.chance(0.35);
  const localAs = confederation ? 65_010 : 65_200;
  const types: PeerType[] = confederation
    ? ['external', 'external', 'confederation', 'confederation', 'internal']
    : ['external', 'external', 'external', 'internal', 'internal'];
  const ases = confederation ? [65_001, 65_002, 65_011, 65_012, localAs] : [65_001, 65_001, 65_002, localAs, localAs];
  const many = random.of([0, 1, 2, 3, 4]);
  const neighbors = ADDRESSES.map((address, i): Neighbor => ({
    address,
    as: ases[i] ?? 0,
    type: types[i] ?? 'external',
    routerId: `10.99.${Math.floor(random.next() * 250)}.${i + 1}`,
    addPath: i === many,
  }));
  // In which order they come up decides about ages.
  neighbors.sort(() => random.next() - 0.5);
  const prefixes = Array.from({ length: count }, (_, i) => `10.${200 + (i >> 8)}.${i & 255}.0/24`);
  const announcements = new Map<string, Announcement[]>(neighbors.map((n) => [n.address, []]));
  for (const prefix of prefixes) announce(random, prefix, neighbors, announcements);
  const lines = [
    ...(confederation ? ['bgp confederation identifier 65000', 'bgp confederation peers 65011 65012'] : []),
    ...(random.chance(0.3) ? ['bgp always-compare-med'] : []),
    ...(random.chance(0.4) ? ['bgp deterministic-med'] : []),
    ...medLine(random),
    ...(random.chance(0.3) ? ['bgp bestpath compare-routerid'] : []),
    ...random.of([[], [], ['bgp bestpath as-path ignore'], ['bgp bestpath as-path confed']]),
    ...(random.chance(0.3) ? ['bgp bestpath as-path multipath-relax'] : []),
    ...(random.chance(0.2) ? ['bgp bestpath peer-type multipath-relax'] : []),
    ...(random.chance(0.3) ? ['bgp default local-preference 110'] : []),
  ];
  const familyLines = [
    ...random.of([[], [], ['maximum-paths 1'], ['maximum-paths 2']]),
    ...random.of([[], [], ['maximum-paths ibgp 1'], ['maximum-paths ibgp 8 equal-cluster-length']]),
  ];
  return { name, localAs, neighbors, prefixes, announcements, lines, familyLines };
}

function medLine(random: Random): string[] {
  const words = [...(random.chance(0.3) ? ['confed'] : []), ...(random.chance(0.3) ? ['missing-as-worst'] : [])];
  return words.length > 0 ? [`bgp bestpath med ${words.join(' ')}`] : [];
}

/**
 * Attributes vary rarely, each by itself: most decisions are then made late, and every step has its turn.
 */
function announce(
  random: Random,
  prefix: string,
  neighbors: readonly Neighbor[],
  into: ReadonlyMap<string, Announcement[]>,
): void {
  const rarely = random.of([0, 0.1, 0.3]);
  const vary = <T>(base: T, others: readonly T[]): T => (random.chance(rarely) ? random.of(others) : base);
  const tail = random.of([[], [65_100], [65_100, 65_101]]);
  const preference = random.of([100, 110]);
  const med = random.of([undefined, 0, 5, 10]);
  const metric = random.of(METRICS);
  for (const [i, n] of neighbors.entries()) {
    if (random.chance(0.2)) continue;
    for (const pathId of n.addPath && random.chance(0.5) ? [1, 2] : [n.addPath ? 1 : 0]) {
      const rest = vary(tail, [[], [65_100], [65_102], [65_100, 65_103]]);
      const reachable = !random.chance(0.03);
      const inside = n.type !== 'external';
      const localPreference = vary(preference, [90, 100, 110]);
      const own = vary(med, [undefined, 0, 5, 10, 20]);
      into.get(n.address)?.push({
        prefix,
        pathId,
        asPath: asPathOf(random, n, rest),
        origin: vary<Announcement['origin']>('IGP', ['IGP', 'EGP', 'incomplete']),
        nextHop: reachable ? `10.91.${vary<number>(metric, METRICS)}.${10 + i * 4 + pathId}` : `10.92.0.${i + 1}`,
        ...(own === undefined ? {} : { med: own }),
        ...(inside ? { localPreference } : {}),
        ...(n.type === 'internal' && random.chance(0.25) ? { originatorId: `10.99.100.${random.of([1, 2, 3])}` } : {}),
        ...(n.type === 'internal' && random.chance(0.25)
          ? { clusterList: random.of([['10.98.0.1'], ['10.98.0.1', '10.98.0.2']]) }
          : {}),
        ...(random.chance(0.02) ? { communities: [[65_535, 6]] as const } : {}),
      });
    }
  }
}

function asPathOf(random: Random, { as, type }: Neighbor, rest: readonly number[]): Segment[] {
  const sequence: Segment[] = rest.length === 0 ? [] : [{ type: 'sequence', list: rest }];
  const set: Segment[] = random.chance(0.08) ? [{ type: 'set', list: [65_105, 65_106].slice(random.of([0, 1])) }] : [];
  switch (type) {
    case 'external':
      return [{ type: 'sequence', list: [as, ...rest] }, ...set];
    case 'confederation': {
      const members = random.chance(0.2) ? [as, 65_012 === as ? 65_011 : 65_012] : [as];
      return [{ type: 'confederation sequence', list: members }, ...sequence, ...set];
    }
    default: {
      const first = random.of([65_001, 65_001, 65_002]);
      const path: Segment[] = random.chance(0.1) ? [] : [{ type: 'sequence', list: [first, ...rest] }];
      return [...path, ...set];
    }
  }
}

/** Name of the route-map on what a neighbor announces. */
export const mapOf = (s: Scenario, n: Neighbor): string => `${s.name}-${n.address}`;

/** The configuration before anybody has dialled. */
export function configurationOf(s: Scenario, own: readonly string[]): string[] {
  const neighbor = (n: Neighbor): string[] => [
    `neighbor ${n.address} remote-as ${n.as}`,
    `neighbor ${n.address} passive`,
    ...(n.type === 'internal' ? [] : [`neighbor ${n.address} ebgp-multihop 2`]),
  ];
  return [
    'bgp route-map delay-timer 0',
    ...['route-map OWN permit 10', 'set weight 0', 'exit'],
    `router bgp ${s.localAs}`,
    `bgp router-id ${ROUTER}`,
    'no bgp ebgp-requires-policy',
    'no bgp network import-check',
    ...s.lines,
    ...s.neighbors.flatMap(neighbor),
    'address-family ipv4 unicast',
    ...s.familyLines,
    ...own.map((prefix) => `network ${prefix} route-map OWN`),
    ...s.neighbors.flatMap((n) => [`neighbor ${n.address} route-map ${mapOf(s, n)} in`]),
    'exit-address-family',
    'exit',
  ];
}
