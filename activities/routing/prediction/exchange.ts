/** What a path is like at another router of the same AS, before that one's policy. Pure. */
import { sameAsPath } from './as-path';
import type { BgpPath, RouterModel, Session, Table } from './model';

export interface Exchange {
  readonly from: RouterModel;
  readonly to: RouterModel;
  /** The session between them, as the sender and as the receiver have it. */
  readonly out: Session;
  readonly into: Session;
  /** What the receiver held of the sender when it was read: next hops and metrics are taken from there. */
  readonly before: readonly BgpPath[];
  readonly table: Table;
}

/** @param i number of the path among those that are sent */
export function asReceived(p: BgpPath, i: number, { from, to, out, into, before, table }: Exchange): BgpPath {
  const alike = before.find((b) => sameAsPath(b.asPath, p.asPath) && b.node === p.node);
  const known = alike ?? (out.nextHopSelf ? before[0] : undefined);
  const { local: _, originatorId: __, ...rest } = p;
  return {
    ...rest,
    from: into.neighbor,
    pathId: alike?.pathId ?? (out.announcesAll ? 1_000 + i : 0),
    nextHops: known?.nextHops ?? p.nextHops,
    igpMetric: known?.igpMetric ?? 0,
    selected: false,
    weight: into.weight,
    localPreference: p.localPreference ?? from.settings[table.family]?.defaultLocalPreference ?? 100,
    peerType: 'internal',
    neighborAs: from.localAs,
    routerId: from.routerId,
    clusterListLength: 0,
    unknown: {
      ...p.unknown,
      ...(known === undefined ? { 'IGP metric': `${to.router} has not held this path of ${from.router} yet` } : {}),
    },
  };
}
