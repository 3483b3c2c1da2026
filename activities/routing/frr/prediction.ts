/**
 * What a prediction needs of one FRR: which commands, and how their answers become a RouterModel. Pure. Bounded: prefixes
 * are asked for by name, sessions by the summary; nothing dumps a table.
 */
import { z } from 'zod';
import { shaped } from '../../kit';
import type { DecisionSettings, PeerType, RouterModel, Session, Table } from '../prediction/model';
import type { ChangeStep } from '../prediction/change';
import type { Policies } from '../prediction/policy';
import { neighborsOfPath } from '../neighbors';
import type { Family, RouterSpec } from '../spec';
import { instanceIn, neighborConfig, policiesIn, settingsOf, type Instance } from './bgp-config';
import { canonical } from './config';
import { pathsOf, type NodeOf } from './paths';
import { commandsFor } from './vtysh';

type Families = [Family, NonNullable<RouterSpec['families'][Family]>][];
const familiesOf = (spec: RouterSpec): Families => Object.entries(spec.families) as Families;

/**
 * All answers are JSON, and the running configuration is read beside them (vtysh.ts, runningConfig). Sessions are asked for
 * all in one, so that a sudoers file can name the question.
 */
export function predictionCommands(spec: RouterSpec): string[] {
  const command = commandsFor(spec.vrf);
  return [
    ...familiesOf(spec).flatMap(([family, { destinations }]) => [
      command.summary(family),
      ...destinations.map((p) => command.prefix(family, p)),
    ]),
    command.allNeighbors,
  ];
}

const neighbors = z.record(z.string(), z.unknown());
const neighbor = z.object({ remoteRouterId: z.string().optional() });

/**
 * Of the neighbors that the summary names: one that has sent no path shows its router ID nowhere else, and without it neither
 * a second session with a node nor a router of the own AS is recognised.
 */
function routerIdOf(shown: unknown): string | undefined {
  if (shown === undefined) return undefined;
  const id = shaped(neighbor, shown).remoteRouterId;
  return id === '0.0.0.0' ? undefined : id;
}

const summary = z.object({
  routerId: z.string().optional(),
  as: z.union([z.number(), z.string()]).optional(),
  peers: z
    .record(
      z.string(),
      z.object({ remoteAs: z.union([z.number(), z.string()]).optional(), state: z.string().default('') }),
    )
    .default({}),
});

/**
 * @param config the running configuration
 * @param documents answers to predictionCommands(), by command
 * @throws UnexpectedOutput
 */
export function modelOf(
  name: string,
  spec: RouterSpec,
  config: string,
  documents: ReadonlyMap<string, unknown>,
): RouterModel {
  const command = commandsFor(spec.vrf);
  const instance = instanceIn(config, spec.vrf);
  const remarks: string[] = instance === undefined ? ['its configuration has no BGP instance of that name'] : [];
  const sessions: Session[] = [];
  const tables: Table[] = [];
  const settings: Partial<Record<Family, DecisionSettings>> = {};
  const shown = shaped(neighbors, documents.get(command.allNeighbors));
  let routerId = '';
  for (const [family, { destinations }] of familiesOf(spec)) {
    const seen = shaped(summary, documents.get(command.summary(family)));
    routerId ||= seen.routerId ?? '';
    if (instance !== undefined) settings[family] = settingsOf(instance, family);
    const ases = new Map(
      Object.entries(seen.peers).flatMap(([a, p]) =>
        p.remoteAs === undefined ? [] : [[canonical(a), Number(p.remoteAs)]],
      ),
    );
    const remoteAs = (from: string): number | undefined => ases.get(from);
    // A first pass tells whose router ID is whose: a second session with a node is known by nothing else.
    const blind = destinations.map((p) =>
      pathsOf(documents.get(command.prefix(family, p)), { nodeOf: () => ({}), remoteAs }),
    );
    const ids = new Map(
      blind
        .flat()
        .filter((p) => p.from !== '')
        .map((p) => [p.from, p.routerId]),
    );
    for (const address of Object.keys(seen.peers)) {
      const id = routerIdOf(shown[address]);
      if (id !== undefined) ids.set(canonical(address), id);
    }
    const nodeOf = nodesOf(spec, family, ids);
    for (const prefix of destinations)
      tables.push({
        family,
        prefix,
        paths: pathsOf(documents.get(command.prefix(family, prefix)), { nodeOf, remoteAs }),
      });
    for (const [address, peer] of Object.entries(seen.peers))
      sessions.push(sessionOf(family, canonical(address), peer, instance, ids, nodeOf));
  }
  const strangers = sessions.filter((s) => s.established && s.type === 'internal' && s.routerId === undefined);
  for (const s of strangers)
    remarks.push(
      `its neighbor ${s.neighbor} of the same AS shows no router ID, so what that router will announce can’t be told`,
    );
  return {
    router: name,
    side: spec.side,
    localAs: instance?.localAs ?? 0,
    routerId,
    settings,
    sessions,
    policies: policiesIn(config),
    tables,
    remarks,
  };
}

/** By the neighbor that the inventory names, by a next hop that it names, or by the router ID of a neighbor that it names. */
function nodesOf(spec: RouterSpec, family: Family, ids: ReadonlyMap<string, string>): NodeOf {
  const named = Object.entries(spec.families[family]?.paths ?? {}).map(([node, p]) => ({
    node,
    neighbors: neighborsOfPath(p).map(canonical),
    nextHops: p.nextHops.map(canonical),
  }));
  return ({ from, nextHops, routerId }) => {
    const byNeighbor = named.find((n) => n.neighbors.some((neighbor) => from.includes(neighbor)));
    if (byNeighbor !== undefined) return { node: byNeighbor.node, nodeBy: 'neighbor' };
    const byHop = named.find((n) => n.nextHops.some((hop) => nextHops.includes(hop)));
    if (byHop !== undefined) return { node: byHop.node, nodeBy: 'next hop' };
    const byId = named.find((n) =>
      n.neighbors.some((neighbor) => routerId !== undefined && ids.get(neighbor) === routerId),
    );
    return byId === undefined ? {} : { node: byId.node, nodeBy: 'router ID' };
  };
}

function sessionOf(
  family: Family,
  neighbor: string,
  peer: { readonly remoteAs?: number | string | undefined; readonly state: string },
  instance: Instance | undefined,
  ids: ReadonlyMap<string, string>,
  nodeOf: NodeOf,
): Session {
  const routerId = ids.get(neighbor);
  const remoteAs = peer.remoteAs === undefined ? undefined : Number(peer.remoteAs);
  const config = instance === undefined ? undefined : neighborConfig(instance, family, neighbor);
  return {
    family,
    neighbor,
    ...(remoteAs === undefined ? {} : { remoteAs }),
    type: typeOf(instance, remoteAs),
    ...(routerId === undefined ? {} : { routerId }),
    established: peer.state === 'Established',
    ...nodeOf({ from: [neighbor], nextHops: [], routerId }),
    ...(config?.routeMapIn === undefined ? {} : { routeMapIn: config.routeMapIn }),
    ...(config?.routeMapOut === undefined ? {} : { routeMapOut: config.routeMapOut }),
    weight: config?.weight ?? 0,
    announcesAll: config?.announcesAll ?? false,
    nextHopSelf: config?.nextHopSelf ?? false,
    unmodelled: config?.unmodelled ?? [],
  };
}

function typeOf(instance: Instance | undefined, remoteAs: number | undefined): PeerType {
  if (instance === undefined || remoteAs === undefined) return 'external';
  if (remoteAs === instance.localAs) return 'internal';
  const members = instance.lines.flatMap((l) => /^bgp confederation peers (.*)$/.exec(l)?.[1]?.split(' ') ?? []);
  return members.includes(String(remoteAs)) ? 'confederation' : 'external';
}

/** All policies of a router, with owned entries as they will be (config.ts, intendedText()). */
export function withOwned(config: string, intended: string): Policies {
  const now = policiesIn(config);
  const routeMaps = new Map(now.routeMaps);
  for (const [name, entries] of policiesIn(intended).routeMaps) {
    const sequences = entries.map((e) => e.sequence);
    const kept = (routeMaps.get(name) ?? []).filter((e) => !sequences.includes(e.sequence));
    routeMaps.set(
      name,
      [...kept, ...entries].sort((a, b) => a.sequence - b.sequence),
    );
  }
  return { ...now, routeMaps };
}

/** The order in which driver.ts makes an edited policy take effect: all that is announced first, then all that comes in. */
export const policySteps = (
  router: string,
  neighbors: readonly { readonly family: Family; readonly address: string }[],
): ChangeStep[] =>
  (['out', 'in'] as const).flatMap((direction) =>
    neighbors.map(({ family, address }): ChangeStep => ({
      kind: 'policy',
      router,
      neighbor: address,
      family,
      direction,
    })),
  );
