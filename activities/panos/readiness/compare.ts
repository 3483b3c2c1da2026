/** What is different now from what was before: by counts within thresholds, and by names that are missing. Pure. */
import { newestContent } from '../content';
import { markOf, type NameSet, type Snapshot } from './snapshot';
import type { Thresholds } from './spec';

export interface Difference {
  /** What differs, as `interfaces` or `routes of bgp`. */
  readonly of: string;
  /** In plain words, with both values. */
  readonly what: string;
}

/**
 * Differences that matter, none if all is as before. `before` and `after` may be of two members: after a failover the new
 * one must carry what the old one did. Interfaces, tunnels, BGP peers, MTUs or licences that are gone always count; more
 * of them don’t, but where they are so many that only a change is known. Release and roles aren't compared: they are meant to change.
 */
export function compareSnapshots(before: Snapshot, after: Snapshot, thresholds: Thresholds): Difference[] {
  const protocols = [...new Set([...Object.keys(before.routes), ...Object.keys(after.routes)])].sort();
  return [
    ...missing('interfaces', 'up', before.interfaces, after.interfaces),
    ...missing('tunnels', 'active', before.tunnels, after.tunnels),
    ...missing('BGP peers', 'Established', before.bgp.established, after.bgp.established),
    ...missing('licences', 'valid', before.licences, after.licences),
    ...missing('MTUs', 'as before', before.mtu, after.mtu),
    ...protocols.flatMap((protocol) =>
      fewer(
        `routes of ${protocol}`,
        before.routes[protocol] ?? 0,
        after.routes[protocol] ?? 0,
        thresholds.routesPercent,
      ),
    ),
    ...fewer('forwarding entries', before.fib, after.fib, thresholds.fibPercent),
    ...prefixes(before.bgp, after.bgp, thresholds.bgpPrefixesPercent),
    ...lost('ARP entries', before.arp, after.arp, thresholds.arpLossPercent, thresholds.arpFloor),
    ...lost(
      'sessions',
      before.sessions.active,
      after.sessions.active,
      thresholds.sessionLossPercent,
      thresholds.sessionFloor,
    ),
    // Scheduled updates go on while people think: newer content is none.
    ...(newestContent([entry(before.content), entry(after.content)]) === after.content
      ? []
      : [{ of: 'content', what: `content is ${after.content}, and was ${before.content}` }]),
  ];
}

function missing(of: string, good: string, before: NameSet, after: NameSet): Difference[] {
  if (before.digest === after.digest) return [];
  const told = (what: string): Difference[] => [{ of, what }];
  if (before.names !== undefined && (after.names ?? after.marks) !== undefined) {
    const kept = new Set(after.names ?? marksIn(after));
    const gone = before.names.filter((name) => !kept.has(after.names === undefined ? markOf(name) : name));
    return gone.length === 0 ? [] : told(`${of} not ${good} any more: ${gone.join(', ')}`);
  }
  if (before.marks !== undefined && (after.names ?? after.marks) !== undefined) {
    const kept = new Set(after.names?.map(markOf) ?? marksIn(after));
    const gone = marksIn(before).filter((mark) => !kept.has(mark)).length;
    return gone === 0
      ? []
      : told(`${gone} of ${before.count} ${of} not ${good} any more (so many that their names weren’t kept)`);
  }
  // Of very many only the digest was kept, and it is another one.
  return told(
    `${of} ${good} are others than before: ${after.count}, and were ${before.count} (so many that their names weren’t kept)`,
  );
}

const marksIn = ({ marks = '' }: NameSet): string[] => marks.match(/.{4}/g) ?? [];

const percentOf = (difference: number, whole: number): number => (whole === 0 ? 0 : (100 * difference) / whole);

/** A change in either direction, in percent of the larger value. */
function changed(of: string, before: number, after: number, percent: number): Difference[] {
  const change = percentOf(Math.abs(after - before), Math.max(before, after));
  return change <= percent
    ? []
    : [{ of, what: `${of}: ${after}, and were ${before} (${change.toFixed(0)} %; ${percent} % are allowed)` }];
}

/** Less than before, in percent; more is no harm. */
const fewer = (of: string, before: number, after: number, percent: number): Difference[] =>
  after >= before ? [] : changed(of, before, after, percent);

/** Less than before, where there were enough for percents. */
function lost(of: string, before: number, after: number, percent: number, floor: number): Difference[] {
  return before < floor || after >= before ? [] : changed(of, before, after, percent);
}

/** By peer where both know it; a peer that isn't Established any more is told as missing already. */
function prefixes(before: Snapshot['bgp'], after: Snapshot['bgp'], percent: number): Difference[] {
  if (before.acceptedBy === undefined || after.acceptedBy === undefined)
    return changed('prefixes accepted from BGP peers', before.accepted, after.accepted, percent);
  return Object.entries(before.acceptedBy).flatMap(([peer, count]) => {
    const now = after.acceptedBy?.[peer];
    return now === undefined ? [] : changed(`prefixes accepted from ${peer}`, count, now, percent);
  });
}

const entry = (version: string) => ({ version, downloaded: false, current: false });
