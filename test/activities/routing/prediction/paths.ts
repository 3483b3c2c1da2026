/** Hand-made paths and FRR answers for the tests of the prediction. */
import type { BgpPath } from '../../../../activities/routing/prediction/model';

/** An external path that is like every other one but for what is given. */
export const pathOf = (given: Partial<BgpPath> = {}): BgpPath => ({
  from: '10.0.3.1',
  pathId: 0,
  nextHops: [given.from ?? '10.0.3.1'],
  eligible: true,
  selected: false,
  weight: 0,
  asPath: [{ type: 'sequence', list: [65_100, 65_000] }],
  origin: 'IGP',
  peerType: 'external',
  neighborAs: 65_100,
  igpMetric: 0,
  routerId: '10.0.0.1',
  clusterListLength: 0,
  stale: false,
  communities: [],
  unknown: {},
  ...given,
});

export interface ShownPath {
  readonly from: string;
  readonly routerId: string;
  readonly as: readonly number[];
  readonly localPreference?: number;
  readonly best?: boolean;
  readonly type?: 'external' | 'internal';
  readonly nextHop?: string;
}

/** As FRR 8.4 prints a prefix. */
export const prefixJson = (prefix: string, paths: readonly ShownPath[]): unknown => ({
  prefix,
  paths: paths.map((p) => ({
    aspath: {
      string: p.as.join(' '),
      segments: p.as.length === 0 ? [] : [{ type: 'as-sequence', list: p.as }],
      length: p.as.length,
    },
    origin: 'IGP',
    ...(p.localPreference === undefined ? {} : { locPrf: p.localPreference }),
    valid: true,
    ...(p.best === true ? { bestpath: { overall: true, selectionReason: 'AS Path' } } : {}),
    nexthops: [{ ip: p.nextHop ?? p.from, afi: 'ipv4', metric: 0, accessible: true, used: true }],
    peer: { peerId: p.from, routerId: p.routerId, type: p.type ?? 'external' },
  })),
});

/** As FRR prints `show bgp ipv4 unicast summary json`: neighbors and their AS numbers. */
export const summaryJson = (routerId: string, as: number, peers: Readonly<Record<string, number>>): unknown => ({
  routerId,
  as,
  peers: Object.fromEntries(
    Object.entries(peers).map(([a, remoteAs]) => [a, { remoteAs, state: 'Established', pfxRcd: 1 }]),
  ),
});
