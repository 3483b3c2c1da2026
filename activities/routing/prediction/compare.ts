/**
 * Which of two paths a router prefers, and why: RFC 4271 §9.1.2.2 in FRR's documented order ("Route Selection" of its
 * guide; bgp_path_info_cmp() of 7.5 to 10.7). Pure. Step 12 on are ties: what decides there says nothing about policy.
 */
import { isIP } from 'node:net';
import { confederationLengthOf, lengthOf, sameAsPath, sameNeighborAs } from './as-path';
import type { Attribute, BgpPath, DecisionSettings, Origin, PeerType } from './model';

/** In the order in which they are asked. */
export const steps = [
  'LLGR stale',
  'admin distance',
  'weight',
  'local preference',
  'locally originated',
  'AIGP',
  'AS path',
  'origin',
  'MED',
  'peer type',
  'confederation',
  'IGP metric',
  'cluster list',
  'age',
  'router ID',
  'cluster list (late)',
  'stale',
  'neighbor address',
  'order of arrival',
] as const;
export type Step = (typeof steps)[number];

/** Whoever wins by one of these wins by chance, as far as a policy is concerned. */
export const isTieBreak = (step: Step): boolean => steps.indexOf(step) >= steps.indexOf('age');

export type Comparison =
  | {
      readonly kind: 'decided';
      readonly winner: 'a' | 'b';
      readonly step: Step;
      /** From the winner's side: "local preference 110 > 100". */
      readonly why: string;
      /** Both may carry traffic together, if so many paths may. */
      readonly multipath: boolean;
    }
  | { readonly kind: 'cannot tell'; readonly why: string };

interface Verdict {
  readonly step: Step;
  /** Negative: a is preferred; 0: equal. */
  readonly order: number;
  readonly needs: readonly Attribute[];
  readonly values: readonly [a: number | string, b: number | string];
  /** The sign between winner and loser. */
  readonly sign: '>' | '<' | 'before';
}

const ORIGINS: readonly Origin[] = ['IGP', 'EGP', 'incomplete'];
const WORST_MED = 4_294_967_295;
const PEERS: Readonly<Record<PeerType, string>> = {
  external: 'eBGP',
  internal: 'iBGP',
  confederation: 'confederation eBGP',
  local: 'its own',
};

const less = (step: Step, needs: readonly Attribute[], a: number, b: number): Verdict => ({
  step,
  order: a - b,
  needs,
  values: [a, b],
  sign: '<',
});
const more = (step: Step, needs: readonly Attribute[], a: number, b: number): Verdict => ({
  ...less(step, needs, -a, -b),
  values: [a, b],
  sign: '>',
});
const first = (step: Step, needs: readonly Attribute[], a: boolean, b: boolean, words: [string, string]): Verdict => ({
  step,
  order: Number(b) - Number(a),
  needs,
  values: [words[a ? 0 : 1], words[b ? 0 : 1]],
  sign: 'before',
});

/** Steps up to the one after which two paths are equal for multipath, without peer type (which may be relaxed). */
function policySteps(a: BgpPath, b: BgpPath, s: DecisionSettings): Verdict[] {
  const preference = (p: BgpPath): number => p.localPreference ?? s.defaultLocalPreference;
  const length = (p: BgpPath): number =>
    lengthOf(p.asPath) + (s.asPathConfederation ? confederationLengthOf(p.asPath) : 0);
  return [
    first('LLGR stale', [], !isLlgrStale(a), !isLlgrStale(b), ['fresh', 'LLGR stale']),
    more('weight', ['weight'], a.weight, b.weight),
    more('local preference', ['local preference'], preference(a), preference(b)),
    first('locally originated', [], a.local !== undefined, b.local !== undefined, ['its own', 'received']),
    ...(s.asPathIgnore ? [] : [less('AS path', ['AS path'], length(a), length(b))]),
    {
      ...less('origin', ['origin'], ORIGINS.indexOf(a.origin), ORIGINS.indexOf(b.origin)),
      values: [a.origin, b.origin],
      sign: 'before',
    },
    ...(comparesMed(a, b, s) ? [less('MED', ['MED'], medOf(a, s), medOf(b, s))] : []),
  ];
}

const isLlgrStale = (p: BgpPath): boolean => p.communities.includes('llgr-stale');
const medOf = (p: BgpPath, s: DecisionSettings): number => p.med ?? (s.medMissingAsWorst ? WORST_MED : 0);

/** MEDs of different neighbor ASes mean nothing to each other. */
export function comparesMed(a: BgpPath, b: BgpPath, s: DecisionSettings): boolean {
  const hops = lengthOf(a.asPath) + lengthOf(b.asPath);
  const confederations = confederationLengthOf(a.asPath) > 0 && confederationLengthOf(b.asPath) > 0;
  return (
    s.alwaysCompareMed ||
    (s.medConfederation && confederations && hops === 0) ||
    sameNeighborAs(a.asPath, b.asPath) ||
    hops === 0
  );
}

const external = (p: BgpPath): boolean => p.peerType === 'external';
const within = (p: BgpPath): boolean => p.peerType === 'internal' || p.peerType === 'confederation';

/** Peer types, each a step; the router's own paths take no part. */
function peerSteps(a: BgpPath, b: BgpPath, s: DecisionSettings): Verdict[] {
  const words: [string, string] = [PEERS[a.peerType], PEERS[b.peerType]];
  const verdict = (step: Step, order: number): Verdict => ({ step, order, needs: [], values: words, sign: 'before' });
  const outer = external(a) && within(b) ? -1 : external(b) && within(a) ? 1 : 0;
  const confederation = (p: BgpPath, q: BgpPath): boolean =>
    s.confederation && p.peerType === 'confederation' && q.peerType === 'internal';
  return [
    { ...verdict('peer type', outer), needs: ['peer type'] },
    verdict('confederation', confederation(a, b) ? -1 : confederation(b, a) ? 1 : 0),
  ];
}

function metricSteps(a: BgpPath, b: BgpPath, s: DecisionSettings): Verdict[] {
  const reflected = a.peerType === 'internal' && b.peerType === 'internal' && s.equalClusterLength;
  return [
    less('IGP metric', ['IGP metric'], a.igpMetric, b.igpMetric),
    ...(reflected ? [less('cluster list', [], a.clusterListLength, b.clusterListLength)] : []),
  ];
}

/** Where nothing of policy is left to decide. */
function tieSteps(a: BgpPath, b: BgpPath, s: DecisionSettings): Verdict[] {
  const aged = !s.compareRouterId && external(a) && external(b);
  const id = (p: BgpPath): string => p.originatorId ?? p.routerId;
  const received = a.from !== '' && b.from !== '';
  return [
    ...(aged ? [first('age', [], a.selected, b.selected, ['the older path', 'newer'])] : []),
    {
      ...less(
        'router ID',
        a.originatorId !== undefined && b.originatorId !== undefined ? [] : ['router ID'],
        number(id(a)),
        number(id(b)),
      ),
      values: [id(a), id(b)],
    },
    less('cluster list (late)', [], a.clusterListLength, b.clusterListLength),
    first('stale', [], !a.stale, !b.stale, ['fresh', 'stale']),
    ...(received ? addressStep(a, b) : []),
  ];
}

/** FRR before 10.3's later patches compares IPv6 neighbors by memcmp() and takes only ±1 for an answer: order of arrival. */
function addressStep(a: BgpPath, b: BgpPath): Verdict[] {
  if (isIP(a.from) !== 4 || isIP(b.from) !== 4) return [];
  return [{ ...less('neighbor address', [], number(a.from), number(b.from)), values: [a.from, b.from] }];
}

const number = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number.parseInt(part, 10), 0);

/** Compares two paths of one destination. Symmetric but for the order of arrival, where `a` counts as the later one. */
export function compare(a: BgpPath, b: BgpPath, settings: DecisionSettings): Comparison {
  const gone = a.unknown.presence ?? b.unknown.presence;
  if (gone !== undefined) return { kind: 'cannot tell', why: gone };
  const distance = comparesDistance(a, b, settings);
  if (distance !== undefined) return { kind: 'cannot tell', why: distance };
  if (settings.compareAigp) return { kind: 'cannot tell', why: 'bgp bestpath aigp is on: it isn’t modelled' };
  if (isLlgrStale(a) && isLlgrStale(b))
    return { kind: 'cannot tell', why: 'both paths are LLGR stale: the order of arrival decides before anything else' };
  const policy = firstOf(policySteps(a, b, settings), a, b);
  if (policy !== undefined) return policy;
  const peers = firstOf(peerSteps(a, b, settings), a, b);
  if (peers?.kind === 'cannot tell' || (peers !== undefined && !settings.peerTypeRelax)) return peers;
  const metric = firstOf(metricSteps(a, b, settings), a, b);
  if (metric?.kind === 'cannot tell') return metric;
  // Relaxed peer types: the type still decides, but both may carry traffic where metrics are equal.
  if (metric !== undefined) return peers ?? metric;
  const multipath = areMultipath(a, b, settings);
  if (multipath.kind === 'cannot tell') return multipath;
  const tie = peers ?? firstOf(tieSteps(a, b, settings), a, b);
  if (tie === undefined)
    return {
      kind: 'decided',
      winner: 'a',
      step: 'order of arrival',
      why: 'order of arrival',
      multipath: multipath.yes,
    };
  return tie.kind === 'cannot tell' ? tie : { ...tie, multipath: multipath.yes };
}

function firstOf(verdicts: readonly Verdict[], a: BgpPath, b: BgpPath): Comparison | undefined {
  for (const { step, order, needs, values, sign } of verdicts) {
    for (const attribute of needs) {
      const why = a.unknown[attribute] ?? b.unknown[attribute];
      if (why !== undefined) return { kind: 'cannot tell', why: `${attribute}: ${why}` };
    }
    if (order === 0) continue;
    const [own, other] = order < 0 ? values : [values[1], values[0]];
    const winner = order < 0 ? 'a' : 'b';
    return { kind: 'decided', winner, step, why: shown(step, own, other, sign), multipath: false };
  }
  return undefined;
}

function shown(step: Step, own: number | string, other: number | string, sign: Verdict['sign']): string {
  if (step === 'AS path') return `AS path length ${own} < ${other}`;
  if (step === 'age') return 'age: the older path is kept';
  return sign === 'before'
    ? `${step} ${own} before ${other}`
    : `${step.replace(' (late)', '')} ${own} ${sign} ${other}`;
}

/** Whether both are as good up to where multipath is decided. */
function areMultipath(
  a: BgpPath,
  b: BgpPath,
  s: DecisionSettings,
): { readonly kind: 'told'; readonly yes: boolean } | { readonly kind: 'cannot tell'; readonly why: string } {
  if (s.multipathRelax) return { kind: 'told', yes: true };
  if (a.peerType === 'internal') {
    const why = a.unknown['AS path'] ?? b.unknown['AS path'];
    if (why !== undefined) return { kind: 'cannot tell', why: `AS path: ${why}` };
    return { kind: 'told', yes: sameAsPath(a.asPath, b.asPath) };
  }
  const why = a.unknown['neighbor AS'] ?? b.unknown['neighbor AS'];
  if (why !== undefined && Math.max(s.maximumPaths.external, s.maximumPaths.internal) > 1)
    return { kind: 'cannot tell', why: `neighbor AS: ${why}` };
  return { kind: 'told', yes: a.neighborAs === b.neighborAs };
}

/** From 10.6 on a redistributed route and a received one are first compared by administrative distance. */
function comparesDistance(a: BgpPath, b: BgpPath, { release }: DecisionSettings): string | undefined {
  const mixed = (a.local === 'redistributed') !== (b.local === 'redistributed');
  const older = release !== undefined && (release[0] < 10 || (release[0] === 10 && release[1] < 6));
  return mixed && !older
    ? 'admin distance: a redistributed route is compared by its distance from FRR 10.6 on, which isn’t read'
    : undefined;
}
