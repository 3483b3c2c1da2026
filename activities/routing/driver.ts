/**
 * What a router's platform must be able to do, and what it tells in words that don't depend on the platform. A new
 * platform is one file that implements `RouterDriver` and one line in drivers.ts; test/activities/routing/kit.ts checks it.
 */
import type { Fault } from '../kit';
import type { PlannedChange } from './prediction/change';
import type { RouterModel } from './prediction/model';
import type { Family, OriginalRouting } from './spec';

/** One way to a destination that a router knows. */
export interface Path {
  /** The node that it leads through; undefined if it isn't one of the plan's. */
  readonly node?: string;
  /** BGP neighbor that it was learnt from. */
  readonly from: string;
  readonly nextHops: readonly string[];
  /** Could be used: next hop reachable, not filtered. */
  readonly valid: boolean;
  /** Is used: the best path, or one of several over which the router spreads traffic. */
  readonly used: boolean;
  /** Undefined where the route has none, and counts as the router's default. */
  readonly localPreference?: number;
  readonly asPathLength: number;
}

/** What one router does with one destination. */
export interface DestinationReading {
  readonly family: Family;
  readonly prefix: string;
  readonly paths: readonly Path[];
  /** Next hops that the forwarding table really uses; empty if there is no such route. */
  readonly forwarding: readonly string[];
}

/** One BGP session with a node. */
export interface SessionReading {
  readonly family: Family;
  readonly node: string;
  readonly neighbor: string;
  /** "Established", or the state as the platform names it, or "missing". */
  readonly state: string;
  readonly prefixesReceived: number;
  readonly prefixesSent: number;
  /** End-of-RIB was received: the neighbor has sent all that it has (RFC 4724 §2). Undefined if it can't be told. */
  readonly endOfRib?: boolean;
  /** The neighbor asks that its routes be kept while it restarts (RFC 4724): packets would be sent to a node that is down. */
  readonly keepsRoutesOnRestart: boolean;
  readonly routeMapIn?: string;
  readonly routeMapOut?: string;
  /** The router keeps what the neighbor sent, so that a new inbound policy takes effect without asking it again. */
  readonly keepsReceivedRoutes: boolean;
}

export interface RouterReading {
  readonly router: string;
  readonly side: 'inside' | 'outside';
  readonly destinations: readonly DestinationReading[];
  readonly sessions: readonly SessionReading[];
  /** Copies of the own AS in front of what is announced to each node; one list entry per announced prefix. */
  readonly prepends: Readonly<Record<string, readonly number[]>>;
}

/** The configuration, as far as this run owns it or relies on it. Secrets never leave the driver. */
export interface ConfigReading extends OriginalRouting {
  /** What keeps the driver from changing anything safely: entries missing, a timer in the way … */
  readonly faults: readonly Fault[];
  /** What else uses what is owned, and would move with it: a fault of the check, and no reason to leave traffic where it is. */
  readonly unnamed?: readonly Fault[];
  /** What is saved for the next start differs from what runs; undefined if it can't be told. */
  readonly unsaved?: boolean;
}

/** What the owned part is to be. */
export type Target =
  | { readonly kind: 'prefer'; readonly node: string }
  /** Both nodes alike, for a moment on the way (facts §12, micro-loops). */
  | { readonly kind: 'equal' }
  /** As it was: text that `config()` returned before. */
  | { readonly kind: 'text'; readonly owned: string };

/** A change of the owned part, rendered but not made. */
export interface Change {
  /** The owned part as it will be. */
  readonly owned: string;
  /** Unified difference to what runs now; empty if nothing is left to do. */
  readonly diff: string;
  /** Exact commands, in order. */
  readonly commands: readonly string[];
}

/** One router, read for a prediction. */
export interface Predictable {
  readonly model: RouterModel;
  /** How it would change if the owned part became this. */
  change(target: Target): PlannedChange;
}

/**
 * Every member may be repeated at any time. Exit codes prove nothing: what changes something reads it back.
 */
export interface RouterDriver {
  readonly platform: string;
  /** What a prediction is made from; reads only. Left out by a platform that can't tell. */
  readonly predictable?: () => Promise<Predictable>;
  /** Routes and sessions, at one moment. */
  read(): Promise<RouterReading>;
  config(): Promise<ConfigReading>;
  /** Renders the *total* policy: every owned value, not only those that differ (facts §0.1). Changes nothing. */
  plan(target: Target, now: ConfigReading): Change;
  /** Lines of the owned part that stand in none of the known states: somebody else wrote them. Pure. */
  foreign(owned: string, known: readonly string[]): readonly string[];
  /** Tells whether the routes and announcements show what the owned part says, or it isn't in effect yet. Pure. */
  inEffect(reading: RouterReading, owned: string): boolean;
  /**
   * Makes it so, as one change, and in effect when it returns or shortly after. A platform that can, lets the device
   * take it back by itself unless `confirm` is called within `revertAfterMs`; the others ignore that.
   * @throws VerifyFailed (transient) if the configuration read back isn't the one intended; nothing is in effect then.
   */
  shift(change: Change, options: { readonly revertAfterMs: number }): Promise<void>;
  /** After verification: makes the last shift stay. Nothing to do on platforms without a timer. */
  confirm(): Promise<void>;
  /** Puts the owned part back to text that `config()` returned before. As `shift`, but never waits for a confirmation. */
  restore(before: { readonly owned: string }): Promise<void>;
  /** Saves the running configuration for the next start. */
  persist(): Promise<void>;
  /** What `persist` runs. */
  readonly persistCommands: readonly string[];
  /** Argument vectors of everything that the driver runs as root. `original` is owned text that it may have to restore. */
  sudo(original?: string): readonly (readonly string[])[];
  /** Likewise, what it runs where it may: refused, it can't tell something, and goes on. Older plans have no rule for it. */
  readonly sudoIfAllowed: readonly (readonly string[])[];
}
