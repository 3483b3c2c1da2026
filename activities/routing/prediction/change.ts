/** A planned change as a sequence of steps, and what one does to what routers show of each other. Pure. */
import type { Family } from '../spec';
import { runOf, withRun } from './as-path';
import type { BgpPath, RouterModel, Session, Table } from './model';
import type { Policies } from './policy';

/** What happens at one instant. */
export type ChangeStep =
  /** The policies of `PlannedChange.after` take effect towards one neighbor, in one direction (a soft clear). */
  | {
      readonly kind: 'policy';
      readonly router: string;
      readonly neighbor: string;
      readonly family: Family;
      readonly direction: 'in' | 'out';
    }
  /** The session goes down, and what came by it is gone. */
  | { readonly kind: 'session down'; readonly router: string; readonly neighbor: string };

export interface PlannedChange {
  /** For each router whose policies change, all of its policies as they will be. */
  readonly after: ReadonlyMap<string, Policies>;
  /** In the order in which they take effect. */
  readonly steps: readonly ChangeStep[];
}

/** Two routers of one side that send a destination to each other. */
export interface Loop {
  readonly between: readonly [string, string];
  readonly prefix: string;
}

export const tableKey = ({ family, prefix }: Pick<Table, 'family' | 'prefix'>): string => `${family} ${prefix}`;

export const effectKey = (s: { router: string; neighbor: string; family: Family; direction: 'in' | 'out' }): string =>
  `${s.router} ${s.neighbor} ${s.family} ${s.direction}`;

export const sessionWith = (router: RouterModel, neighbor: string, family: Family): Session | undefined =>
  router.sessions.find((s) => s.neighbor === neighbor && s.family === family);

/** The address by which one router knows another one of its AS. */
export const addressAt = (router: RouterModel, other: RouterModel): string | undefined =>
  router.sessions.find((s) => s.type === 'internal' && s.established && s.routerId === other.routerId)?.neighbor;

/** What decides about them is the same; next hops and metrics are the receiver's. */
export const sameAnnouncements = (a: readonly BgpPath[], b: readonly BgpPath[]): boolean => {
  const essence = (p: BgpPath): string =>
    JSON.stringify([p.node, p.asPath, p.origin, p.med, p.localPreference ?? 100, p.eligible, p.weight]);
  return JSON.stringify(a.map(essence).sort()) === JSON.stringify(b.map(essence).sort());
};

/** A path with another number of copies of the AS of the router beyond the node. */
export function lengthened(
  path: BgpPath,
  { router, localAs }: RouterModel,
  old: number | undefined,
  now: number | undefined,
): BgpPath[] {
  const hidden = (why: string): BgpPath[] => [{ ...path, unknown: { ...path.unknown, 'AS path': why } }];
  if (old === undefined || now === undefined) return hidden(`what ${router} puts in front of it can’t be told`);
  if (old === Infinity) return now === Infinity ? [path] : hidden(`${router} announced nothing there before, and will`);
  if (now === Infinity) return [];
  const run = runOf(path.asPath, localAs);
  if (run?.count !== old + 1)
    return hidden(
      `it shows AS ${localAs} ${run?.count ?? 0} times, where ${router} announces it ${old + 1} times: the node has it from elsewhere, or changes it`,
    );
  return [{ ...path, asPath: withRun(path.asPath, localAs, now + 1) ?? path.asPath }];
}
