/**
 * Which node serves, whether another could, told from what the routers say. Pure. The predicate of facts/firewall-pair §6:
 * exactly one best path, through the same node, on every router, and forwarding tables that agree; a tie is a fault, for
 * the two directions of a session then go different ways and every session hangs (§0.1).
 */
import type { Fault } from '../kit';
import type { DestinationReading, RouterReading, SessionReading } from './driver';

export interface Serving {
  /** The one node that all traffic is sent through; undefined if there isn't exactly one. */
  readonly node?: string;
  /** Why not. */
  readonly faults: readonly Fault[];
  /** One line per router and destination: "border 0.0.0.0/0 → fw1 (10.0.3.1)". */
  readonly table: readonly string[];
}

export function whoServes(readings: readonly RouterReading[]): Serving {
  const faults: Fault[] = [];
  const table: string[] = [];
  const chosen = new Map<string, string[]>();
  for (const reading of readings) {
    for (const destination of reading.destinations) {
      const at = `${reading.router} ${destination.prefix}`;
      const choice = choiceOf(destination);
      table.push(`${at} → ${choice.shown}`);
      if (choice.fault !== undefined) faults.push({ where: at, what: choice.fault });
      if (choice.node !== undefined) chosen.set(choice.node, [...(chosen.get(choice.node) ?? []), at]);
    }
  }
  if (chosen.size > 1)
    faults.push({
      where: 'routing',
      what: `traffic is split: ${[...chosen].map(([node, at]) => `${at.join(', ')} → ${node}`).join('; ')}`,
    });
  const [node] = [...chosen.keys()];
  return { ...(faults.length === 0 && node !== undefined ? { node } : {}), faults, table };
}

function choiceOf(destination: DestinationReading): { node?: string; shown: string; fault?: string } {
  const used = destination.paths.filter((p) => p.used);
  const shown = used.map((p) => `${p.node ?? 'neither node'} (${p.nextHops[0] ?? p.from})`).join(' and ') || 'nowhere';
  const [best] = used;
  if (best === undefined) return { shown, fault: 'there is no route' };
  // Several links to one node are one way; a tie is between two nodes.
  if (used.some((p) => p.node !== best.node))
    return { shown, fault: `traffic is spread over ${shown}: a tie of routes` };
  const { node } = best;
  if (node === undefined)
    return {
      shown,
      fault: `the best path leads to ${best.nextHops.join(', ')} (from ${best.from}), which is neither node`,
    };
  if (destination.forwarding.length === 0)
    return { shown, fault: `the best path leads through ${node}, but the forwarding table has no route` };
  const hops = used.flatMap((p) => p.nextHops);
  if (destination.forwarding.some((hop) => !hops.includes(hop)))
    return {
      shown,
      fault: `BGP chose ${node} (${hops.join(', ')}), but the forwarding table uses ${destination.forwarding.join(', ')}`,
    };
  return { node, shown };
}

/** Routers on which the node isn't ready to take over: no session, no routes, no valid path. Empty if it could serve now. */
export function notAble(readings: readonly RouterReading[], node: string): Fault[] {
  return readings.flatMap((reading) => {
    const mine = reading.sessions.filter((s) => s.node === node);
    const families = new Set(mine.map((s) => s.family));
    return [
      ...mine.flatMap((s) => sessionFault(reading.router, s)),
      ...reading.destinations
        // Only a router with a session of its own is sure to see the path: others may be told of the best one alone.
        .filter((d) => families.has(d.family) && !d.paths.some((p) => p.node === node && p.valid))
        .map((d) => ({ where: `${reading.router} ${d.prefix}`, what: `no valid path through ${node}` })),
    ];
  });
}

function sessionFault(router: string, s: SessionReading): Fault[] {
  const where = `${router} ${s.neighbor} (${s.node}, ${s.family})`;
  if (s.state !== 'Established') return [{ where, what: `the BGP session is ${s.state}` }];
  if (s.prefixesReceived === 0) return [{ where, what: 'the BGP session is up, but no prefix has come' }];
  if (s.endOfRib === false) return [{ where, what: 'the neighbor has not sent all of its routes yet (no End-of-RIB)' }];
  return [];
}

/** What is missing of "all traffic through `node`, and the others could take over" (`escape`). Empty if it is so. */
export function unmet(
  readings: readonly RouterReading[],
  node: string,
  nodes: readonly string[],
  escape: boolean,
): Fault[] {
  const serving = whoServes(readings);
  if (serving.faults.length > 0) return [...serving.faults];
  if (serving.node !== node) return [{ where: 'routing', what: `${serving.node ?? 'no node'} serves, not ${node}` }];
  return escape ? nodes.filter((n) => n !== node).flatMap((other) => notAble(readings, other)) : [];
}
