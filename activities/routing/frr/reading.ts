/** What a router's answers mean: routes, sessions and announcements in the words of driver.ts. Pure. */
import { shaped } from '../../kit';
import type { DestinationReading, Path, RouterReading, SessionReading } from '../driver';
import { neighborsOfPath } from '../neighbors';
import type { Family, RouterSpec } from '../spec';
import { canonical, entriesOf, type Owned } from './config';
import { announcedPrepends, type DocumentReader } from './documents';
import { forwardingOf, neighborOf, prefixDocument, summaryDocument, type PrefixDocument } from './json';
import { commandsFor, jsonFamily } from './vtysh';

export interface Neighbor {
  readonly family: Family;
  readonly node: string;
  readonly address: string;
}

const familiesOf = (spec: RouterSpec) =>
  Object.entries(spec.families) as [Family, NonNullable<RouterSpec['families'][Family]>][];

export const neighborsOf = (spec: RouterSpec): Neighbor[] =>
  familiesOf(spec).flatMap(([family, { paths }]) =>
    Object.entries(paths).flatMap(([node, path]) =>
      neighborsOfPath(path).map((neighbor) => ({ family, node, address: canonical(neighbor) })),
    ),
  );

/** The node that a path leads through, by the neighbor that it was learnt from, else by its next hop. */
export function nodeOfPath(
  spec: RouterSpec,
  family: Family,
  path: PrefixDocument['paths'][number],
): string | undefined {
  const from = [path.peer.peerId, path.peer.interface];
  const hops = path.nexthops.map((h) => h.ip);
  return Object.entries(spec.families[family]?.paths ?? {}).find(
    ([, path]) =>
      neighborsOfPath(path).some((neighbor) => from.includes(canonical(neighbor))) ||
      path.nextHops.some((hop) => hops.includes(canonical(hop))),
  )?.[0];
}

export function readCommands(spec: RouterSpec, neighbors: readonly Neighbor[], steered: readonly Neighbor[]): string[] {
  const command = commandsFor(spec.vrf);
  return [
    ...new Set([
      ...familiesOf(spec).flatMap(([family, { destinations }]) => [
        command.summary(family),
        ...destinations.flatMap((p) => [command.prefix(family, p), command.route(family, p)]),
      ]),
      ...neighbors.map((n) => command.neighbor(n.address)),
      ...steered.map((n) => command.advertised(n.family, n.address)),
    ]),
  ];
}

/** For what may be a full table: of it the prepends alone are kept. */
export const readersOf = (
  spec: RouterSpec,
  steered: readonly Neighbor[],
): ReadonlyMap<string, () => DocumentReader & { end(): number[] }> =>
  new Map(
    steered.map((n) => [
      commandsFor(spec.vrf).advertised(n.family, n.address),
      () => announcedPrepends(spec.policy?.localAs ?? 0),
    ]),
  );

/** `documents` are whole, but for what readersOf reads. @throws UnexpectedOutput */
export function readingOf(
  name: string,
  spec: RouterSpec,
  neighbors: readonly Neighbor[],
  steered: readonly Neighbor[],
  documents: ReadonlyMap<string, unknown>,
): RouterReading {
  const command = commandsFor(spec.vrf);
  const destinations = familiesOf(spec).flatMap(([family, section]) =>
    section.destinations.map((prefix): DestinationReading => {
      const { paths } = shaped(prefixDocument, documents.get(command.prefix(family, prefix)));
      const forwarding = forwardingOf(documents.get(command.route(family, prefix)));
      return { family, prefix, paths: paths.map((p) => pathOf(spec, family, p)), forwarding };
    }),
  );
  const sessions = neighbors.map((n): SessionReading => {
    const peer = shaped(summaryDocument, documents.get(command.summary(n.family))).peers[n.address];
    const info = neighborOf(documents.get(command.neighbor(n.address)), n.address);
    const family = info?.addressFamilyInfo[jsonFamily(n.family)];
    const endOfRib = info?.gracefulRestartInfo?.endOfRibRecv?.[jsonFamily(n.family)];
    return {
      family: n.family,
      node: n.node,
      neighbor: n.address,
      state: info?.adminShutDown === true ? 'Idle (shut down by configuration)' : (peer?.state ?? 'missing'),
      prefixesReceived: peer?.pfxRcd ?? 0,
      prefixesSent: peer?.pfxSnt ?? 0,
      ...(endOfRib === undefined ? {} : { endOfRib }),
      keepsRoutesOnRestart: info?.gracefulRestartInfo?.remoteGrMode?.startsWith('Restart') ?? false,
      ...(family?.routeMapForIncomingAdvertisements === undefined
        ? {}
        : { routeMapIn: family.routeMapForIncomingAdvertisements }),
      ...(family?.routeMapForOutgoingAdvertisements === undefined
        ? {}
        : { routeMapOut: family.routeMapForOutgoingAdvertisements }),
      keepsReceivedRoutes: family?.inboundSoftConfigPermit ?? false,
    };
  });
  const prepends: Record<string, number[]> = {};
  for (const n of steered)
    (prepends[n.node] ??= []).push(...(documents.get(command.advertised(n.family, n.address)) as number[]));
  return { router: name, side: spec.side, destinations, sessions, prepends };
}

function pathOf(spec: RouterSpec, family: Family, path: PrefixDocument['paths'][number]): Path {
  const node = nodeOfPath(spec, family, path);
  return {
    ...(node === undefined ? {} : { node }),
    from: path.peer.peerId,
    nextHops: path.nexthops.flatMap((h) => h.ip ?? []),
    valid: path.valid && path.nexthops.every((h) => h.accessible),
    used: path.bestpath.overall || path.multipath,
    ...(path.locPrf === undefined ? {} : { localPreference: path.locPrf }),
    asPathLength: path.aspath.length,
  };
}

/** A value that isn't told by the line alone: relative to what was learnt, or copies of somebody else's AS. */
const ANY = 'any';
type Value = number | typeof ANY | undefined;

const preferenceOf = (lines: readonly string[]): Value => {
  const [value] = lines.flatMap((l) => /^set local-preference (\S+)$/.exec(l)?.[1] ?? []);
  return value === undefined ? undefined : /^\d+$/.test(value) ? Number(value) : ANY;
};

const prependOf = (lines: readonly string[]): Value => {
  const [copies] = lines.flatMap((l) => /^set as-path prepend (.+)$/.exec(l)?.[1]?.trim() ?? []);
  if (copies === undefined) return 0;
  // AS numbers may be in dotted notation.
  return /^\d[\d. ]*$/.test(copies) ? copies.split(/\s+/).length : ANY;
};

/** The values that the owned entries set for a node, as they would show in its routes and announcements. */
export function inEffect(reading: RouterReading, text: string, owned: readonly Owned[]): boolean {
  const entries = entriesOf(text);
  const valuesOf = (node: string, direction: 'in' | 'out'): Value[] =>
    owned
      .filter((o) => o.node === node && o.direction === direction)
      .map((o) => entries.find((e) => e.name === o.name && e.sequence === o.sequence)?.lines ?? [])
      .map(direction === 'in' ? preferenceOf : prependOf);
  return [...new Set(owned.map((o) => o.node))].every((node) => {
    const preferences = valuesOf(node, 'in');
    const prepends = valuesOf(node, 'out');
    const paths = reading.destinations.flatMap((d) => d.paths.filter((p) => p.node === node));
    return (
      (preferences.includes(ANY) || paths.every((p) => preferences.includes(p.localPreference))) &&
      (prepends.includes(ANY) || (reading.prepends[node] ?? []).every((count) => prepends.includes(count)))
    );
  });
}
