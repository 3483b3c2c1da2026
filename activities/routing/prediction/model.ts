/**
 * What is predicted from: the paths that each router holds, with every attribute that decides, and how the router is
 * told to choose. Driver-neutral; a platform's reader fills it in (frr/paths.ts, frr/bgp-config.ts). Nothing here does I/O.
 */
import type { Family } from '../spec';
import type { Segment } from './as-path';
import type { Policies } from './policy';

/** Attributes that a reader or a change may be unable to tell. A decision that reaches one can't be told either. */
export type Attribute =
  | 'weight'
  | 'local preference'
  | 'AS path'
  | 'origin'
  | 'MED'
  | 'peer type'
  | 'IGP metric'
  | 'router ID'
  | 'neighbor AS'
  | 'presence';

/** How the router came by a path, in the words of RFC 4271 and RFC 5065; `local`: its own. */
export type PeerType = 'external' | 'internal' | 'confederation' | 'local';
export type Origin = 'IGP' | 'EGP' | 'incomplete';

/** One path to one destination, as a router holds it after its inbound policy. */
export interface BgpPath {
  /** Node of the plan that it leads through; undefined: none of them. */
  readonly node?: string;
  /** How the node was told. By router ID: the inventory names another session with that node, not this one. */
  readonly nodeBy?: 'neighbor' | 'next hop' | 'router ID';
  /** Address of the neighbor that it came from, or the interface of an unnumbered one; empty for the router's own. */
  readonly from: string;
  /** ADD-PATH identifier that the neighbor gave it (RFC 7911); 0 without. */
  readonly pathId: number;
  readonly nextHops: readonly string[];
  /** Not filtered, not damped, next hop reachable: may be chosen at all. */
  readonly eligible: boolean;
  /** Is the best path now. Among paths that are equal up to age the router keeps it ("oldest external"). */
  readonly selected: boolean;
  readonly weight: number;
  /** Undefined: the path carries none, and counts as the router's default. */
  readonly localPreference?: number;
  /** Originated by the router itself: by `network`, by an aggregate, or by redistribution. */
  readonly local?: 'network' | 'aggregate' | 'redistributed';
  readonly asPath: readonly Segment[];
  readonly origin: Origin;
  /** Undefined: carries none (counts as 0, or as the worst by missing-as-worst). */
  readonly med?: number;
  readonly peerType: PeerType;
  /** AS number of the neighbor: what multipath compares where AS paths aren't relaxed. */
  readonly neighborAs?: number;
  /** Metric to the next hop. */
  readonly igpMetric: number;
  /** BGP identifier of the neighbor. */
  readonly routerId: string;
  /** ORIGINATOR_ID of a route reflector: stands for the router ID in the decision. */
  readonly originatorId?: string;
  readonly clusterListLength: number;
  /** Kept while its neighbor restarts (RFC 4724). */
  readonly stale: boolean;
  /** Communities as "65000:1" or their well-known names, where the reader knows them. */
  readonly communities: readonly string[];
  /** Attributes that can't be told, and why each. */
  readonly unknown: Readonly<Partial<Record<Attribute, string>>>;
}

/** How a router is configured to choose. The defaults are FRR's. */
export interface DecisionSettings {
  readonly defaultLocalPreference: number;
  readonly alwaysCompareMed: boolean;
  /** Paths of one neighbor AS are compared with each other first. */
  readonly deterministicMed: boolean;
  /** MED is also compared between paths from within the confederation. */
  readonly medConfederation: boolean;
  readonly medMissingAsWorst: boolean;
  readonly compareRouterId: boolean;
  readonly asPathIgnore: boolean;
  /** Confederation segments count in the length of AS paths. */
  readonly asPathConfederation: boolean;
  /** Paths of equal length are multipath whatever AS they come by. */
  readonly multipathRelax: boolean;
  /** External and internal paths may be multipath together. */
  readonly peerTypeRelax: boolean;
  readonly confederation: boolean;
  readonly maximumPaths: { readonly external: number; readonly internal: number };
  /** `maximum-paths ibgp N equal-cluster-length`: the length of cluster lists counts before multipath. */
  readonly equalClusterLength: boolean;
  /** RFC 7311's metric is compared: it isn't modelled, so nothing can be told. */
  readonly compareAigp: boolean;
  /** Release as [major, minor]; where it isn't known, what depends on it can't be told. */
  readonly release?: readonly [major: number, minor: number];
}

/** One BGP session of a router in one family, named by the inventory or not. */
export interface Session {
  readonly family: Family;
  readonly neighbor: string;
  readonly remoteAs?: number;
  readonly type: PeerType;
  readonly routerId?: string;
  readonly established: boolean;
  readonly node?: string;
  readonly nodeBy?: BgpPath['nodeBy'];
  readonly routeMapIn?: string;
  readonly routeMapOut?: string;
  /** `neighbor X weight N`: what a path gets before the route-map. */
  readonly weight: number;
  /** All paths are announced, not the best alone (RFC 7911). */
  readonly announcesAll: boolean;
  readonly nextHopSelf: boolean;
  /** What else is configured for it that changes announcements and isn't modelled, e.g. "filter-list F out". */
  readonly unmodelled: readonly string[];
}

export interface Table {
  readonly family: Family;
  readonly prefix: string;
  /** In the router's own order. */
  readonly paths: readonly BgpPath[];
}

/** One reading of one router. */
export interface RouterModel {
  readonly router: string;
  readonly side: 'inside' | 'outside';
  readonly localAs: number;
  readonly routerId: string;
  readonly settings: Readonly<Partial<Record<Family, DecisionSettings>>>;
  readonly sessions: readonly Session[];
  readonly policies: Policies;
  readonly tables: readonly Table[];
  /** Why something of it can't be told, in words for people. */
  readonly remarks: readonly string[];
}

/** FRR without a line of configuration on route selection. Debian builds it for 256 paths. */
export const defaultSettings: DecisionSettings = {
  defaultLocalPreference: 100,
  alwaysCompareMed: false,
  deterministicMed: false,
  medConfederation: false,
  medMissingAsWorst: false,
  compareRouterId: false,
  asPathIgnore: false,
  asPathConfederation: false,
  multipathRelax: false,
  peerTypeRelax: false,
  confederation: false,
  maximumPaths: { external: 256, internal: 256 },
  equalClusterLength: false,
  compareAigp: false,
};

/** "10.77.3.2", "10.77.3.2 (path 7)", "its own": a path in words. */
export const nameOf = (path: BgpPath): string =>
  path.from === '' ? 'its own' : path.pathId === 0 ? path.from : `${path.from} (path ${path.pathId})`;
