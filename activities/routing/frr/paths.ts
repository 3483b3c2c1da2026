/**
 * `show bgp [vrf V] FAMILY P json`, read into the paths that a prediction is made from (prediction/model.ts). Pure. Field
 * names of FRR 7.5 to 10.7 (route_vty_out_detail()). A field that FRR leaves out where it has nothing to say has its
 * default; one that it always prints and that is missing makes its attribute one that can't be told.
 */
import { z } from 'zod';
import { shaped } from '../../kit';
import type { Segment } from '../prediction/as-path';
import type { Attribute, BgpPath, Origin, PeerType } from '../prediction/model';
import { canonical } from './config';

const segment = z.object({
  type: z.string(),
  /** Numbers; with another AS notation ("1.10") they are text. */
  list: z.array(z.union([z.number(), z.string()])),
});
const path = z.object({
  aspath: z.object({ segments: z.array(segment).optional(), length: z.number().optional() }).optional(),
  origin: z.string().optional(),
  metric: z.number().optional(),
  locPrf: z.number().optional(),
  weight: z.number().default(0),
  valid: z.boolean().optional(),
  removed: z.boolean().default(false),
  stale: z.boolean().default(false),
  sourced: z.boolean().default(false),
  local: z.boolean().default(false),
  aggregated: z.boolean().default(false),
  dampeningPenalty: z.number().optional(),
  importedFrom: z.string().optional(),
  nhVrfName: z.string().optional(),
  addpathRxId: z.number().default(0),
  originatorId: z.string().optional(),
  clusterList: z.object({ list: z.array(z.string()) }).optional(),
  community: z.object({ list: z.array(z.string()).default([]) }).optional(),
  multipath: z.boolean().default(false),
  bestpath: z.object({ overall: z.boolean().default(false), selectionReason: z.string().optional() }).prefault({}),
  nexthops: z
    .array(
      z.object({
        ip: z.string().optional(),
        metric: z.number().optional(),
        accessible: z.boolean().optional(),
        used: z.boolean().optional(),
      }),
    )
    .default([]),
  peer: z
    .object({
      peerId: z.string().optional(),
      routerId: z.string().optional(),
      interface: z.string().optional(),
      type: z.string().optional(),
    })
    .prefault({}),
});
const document = z.object({ paths: z.array(path).default([]) });
type Shown = z.output<typeof path>;

/** Who a path leads through, and by what it was told. */
export type NodeOf = (path: {
  readonly from: readonly string[];
  readonly nextHops: readonly string[];
  readonly routerId: string | undefined;
}) => Pick<BgpPath, 'node' | 'nodeBy'>;

export interface PathContext {
  readonly nodeOf: NodeOf;
  /** AS number of a neighbor; undefined if it isn't known. */
  readonly remoteAs: (from: string) => number | undefined;
}

/** What the router itself says of its choice, for holding a prediction against it. */
export interface Chosen {
  readonly best?: string;
  readonly used: readonly string[];
  /** "Local Pref", "AS Path"…: of the last two paths that FRR compared, and not always what made the best one win. */
  readonly reason?: string;
}

/** In FRR's own order. An absent prefix prints {}: no path. @throws UnexpectedOutput */
export const pathsOf = (json: unknown, context: PathContext): BgpPath[] =>
  shaped(document, json).paths.map((p) => pathOf(p, context));

/** Keys as `keyOf` makes them. @throws UnexpectedOutput */
export function chosenIn(json: unknown): Chosen {
  const { paths } = shaped(document, json);
  const best = paths.find((p) => p.bestpath.overall);
  return {
    ...(best === undefined ? {} : { best: keyOfShown(best) }),
    used: paths.filter((p) => p.bestpath.overall || p.multipath).map(keyOfShown),
    ...(best?.bestpath.selectionReason === undefined ? {} : { reason: best.bestpath.selectionReason }),
  };
}

/** Tells the paths of one destination on one router apart. */
export const keyOf = (path: Pick<BgpPath, 'from' | 'pathId'>): string => `${path.from}#${path.pathId}`;
const keyOfShown = (p: Shown): string => keyOf({ from: fromOf(p), pathId: p.addpathRxId });

const isOwn = (p: Shown): boolean => p.sourced || p.local || p.aggregated;
const fromOf = (p: Shown): string => (isOwn(p) ? '' : (p.peer.interface ?? canonical(p.peer.peerId ?? '')));

function pathOf(p: Shown, { nodeOf, remoteAs }: PathContext): BgpPath {
  const unknown: Partial<Record<Attribute, string>> = {};
  const missing = (attribute: Attribute, field: string): undefined => {
    unknown[attribute] = `FRR didn’t print "${field}"`;
    return undefined;
  };
  const own = isOwn(p);
  const from = fromOf(p);
  const nextHops = p.nexthops.flatMap((hop) => (hop.ip === undefined ? [] : [canonical(hop.ip)]));
  // Of a global and a link-local next hop (IPv6), only the former has a metric.
  const igpMetric = p.nexthops.find((hop) => hop.metric !== undefined)?.metric;
  const neighborAs = own ? undefined : remoteAs(from);
  if (!own && neighborAs === undefined) unknown['neighbor AS'] = `the AS of neighbor ${from} isn’t known`;
  if (p.importedFrom !== undefined || p.nhVrfName !== undefined)
    unknown.presence = 'the path is imported from another VRF, and compared by what it is there';
  if (p.dampeningPenalty !== undefined) unknown.presence = 'route flap damping may suppress the path or not';
  const peer = own ? 'local' : peerType(p.peer.type);
  const { node, nodeBy } = nodeOf({
    from: [p.peer.interface, p.peer.peerId].flatMap((x) => (x === undefined || own ? [] : [canonical(x)])),
    nextHops,
    routerId: own ? undefined : p.peer.routerId,
  });
  const segments = segmentsOf(p);
  const origin = originOf(p.origin);
  return {
    ...(node === undefined ? {} : { node }),
    ...(nodeBy === undefined ? {} : { nodeBy }),
    from,
    pathId: p.addpathRxId,
    nextHops,
    eligible: (p.valid ?? false) && !p.removed && p.nexthops.every((hop) => hop.accessible ?? true),
    selected: p.bestpath.overall,
    weight: p.weight,
    ...(p.locPrf === undefined ? {} : { localPreference: p.locPrf }),
    ...(own ? { local: p.aggregated ? 'aggregate' : p.local ? 'network' : 'redistributed' } : {}),
    asPath: segments ?? missing('AS path', 'aspath.segments') ?? [],
    origin: origin ?? missing('origin', 'origin') ?? 'incomplete',
    ...(p.metric === undefined ? {} : { med: p.metric }),
    peerType: peer ?? missing('peer type', 'peer.type') ?? 'external',
    ...(neighborAs === undefined ? {} : { neighborAs }),
    igpMetric: igpMetric ?? (own ? 0 : (missing('IGP metric', 'nexthops[].metric') ?? 0)),
    routerId: p.peer.routerId ?? missing('router ID', 'peer.routerId') ?? '0.0.0.0',
    ...(p.originatorId === undefined ? {} : { originatorId: p.originatorId }),
    clusterListLength: p.clusterList?.list.length ?? 0,
    stale: p.stale,
    communities: (p.community?.list ?? []).map((c) => COMMUNITIES[c] ?? c),
    unknown,
  };
}

/** FRR's JSON has its own spelling of the well-known ones. */
const COMMUNITIES: Readonly<Record<string, string>> = {
  llgrStale: 'llgr-stale',
  gracefulShutdown: 'graceful-shutdown',
};

const SEGMENTS: Readonly<Record<string, Segment['type']>> = {
  'as-sequence': 'sequence',
  'as-set': 'set',
  'as-confed-sequence': 'confederation sequence',
  'as-confed-set': 'confederation set',
};

function segmentsOf({ aspath }: Shown): Segment[] | undefined {
  const segments = aspath?.segments?.flatMap((s): Segment[] => {
    const type = SEGMENTS[s.type];
    const list = s.list.map(asNumber);
    return type === undefined || list.some(Number.isNaN) ? [] : [{ type, list }];
  });
  return segments?.length === aspath?.segments?.length ? segments : undefined;
}

/** 65546, "65546", or "1.10" as `bgp as-notation dot` prints it. */
function asNumber(as: number | string): number {
  const [high, low] = String(as).split('.').map(Number);
  return low === undefined ? (high ?? Number.NaN) : (high ?? Number.NaN) * 65_536 + low;
}

const originOf = (text: string | undefined): Origin | undefined =>
  text === 'IGP' || text === 'EGP' || text === 'incomplete' ? text : undefined;

function peerType(type: string | undefined): PeerType | undefined {
  switch (type) {
    case 'external':
      return 'external';
    case 'internal':
    case 'confed-internal':
      return 'internal';
    case 'confed-external':
      return 'confederation';
    default:
      // "external (oad)" (RFC 9815's draft) loses to other external ones: not modelled.
      return undefined;
  }
}
