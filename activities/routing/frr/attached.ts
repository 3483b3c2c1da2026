/**
 * Where a configuration uses route-maps that this run owns entries of. Whatever uses one moves with it: a session that the
 * inventory doesn't name would keep the old policy until it is cleared, and traffic would be split meanwhile (findings,
 * networks.md, 0: a tie for 32 s). Pure.
 */
import type { Fault } from '../../kit';
import type { Family } from '../spec';
import { FAMILY_END, blocksOf, canonical, type Owned } from './config';
import { isInstance } from './instance';

/** A BGP session of the plan: one neighbor in one address family. */
export interface Session {
  readonly family: Family;
  readonly address: string;
}

export interface Attached {
  /** As the configuration has it: "neighbor 10.77.5.2 in, ipv4 unicast: FROM-FW1". Sorted. */
  readonly uses: readonly string[];
  /** Those among them that no session of the plan accounts for. */
  readonly unnamed: readonly Fault[];
}

/** Outside the parts of a family, as older releases and people write it, lines are about this one. */
const DEFAULT_FAMILY = 'ipv4 unicast';
/** Unicast may be left out. */
const FAMILY = /^address-family (.+)$/;
const familyOf = (line: string): string | undefined =>
  line === FAMILY_END ? DEFAULT_FAMILY : FAMILY.exec(line)?.[1]?.replace(/^(ipv[46])$/, '$1 unicast');
const ATTACHED = /^neighbor (\S+) route-map (\S+) (in|out)$/;
/** Everything else that names a route-map: default-originate, networks, redistribution, aggregates, table-map, call, other daemons. */
const NAMES =
  /(?:\broute-map(?: vpn (?:import|export))?|^call|\btable-map|\b(?:un)?suppress-map|\badvertise-map|\bexist-map|\bnon-exist-map) (\S+)/g;

interface Use {
  readonly map: string;
  readonly line: string;
  /** Where it stands. */
  readonly block: string;
  readonly family: string;
  readonly neighbor?: string;
  readonly direction?: string;
}

function usesOf(config: string, maps: ReadonlySet<string>): Use[] {
  return blocksOf(config, { familyEnds: true }).flatMap(({ head, lines }) => {
    let family = DEFAULT_FAMILY;
    return [head, ...lines].flatMap((line, at): Use[] => {
      family = familyOf(line) ?? family;
      const isDefinition = at === 0 && head.startsWith('route-map ');
      if (isDefinition) return [];
      const [, neighbor, map, direction] = ATTACHED.exec(line) ?? [];
      const where = { line, block: head, family };
      if (neighbor !== undefined && map !== undefined && direction !== undefined)
        return maps.has(map) ? [{ ...where, map, neighbor, direction }] : [];
      return [...line.matchAll(NAMES)].flatMap(([, name = '']) => (maps.has(name) ? [{ ...where, map: name }] : []));
    });
  });
}

/** Neighbors of a peer-group, and ranges that neighbors of it may come from. */
function membersOf(
  lines: readonly string[],
  group: string,
): { readonly neighbors: string[]; readonly ranges: string[] } {
  const of = (pattern: RegExp): string[] =>
    lines.flatMap((line) => {
      const [, member, name] = pattern.exec(line) ?? [];
      return member !== undefined && name === group ? [member] : [];
    });
  return {
    neighbors: [
      ...of(/^neighbor (\S+) peer-group (\S+)$/),
      // Unnumbered ones say it with their interface.
      ...of(/^neighbor (\S+) interface (?:v6only )?peer-group (\S+)$/),
    ],
    ranges: of(/^bgp listen range (\S+) peer-group (\S+)$/),
  };
}

/** `sessions` are those of the nodes whose route-maps are owned. */
export function attachedIn(
  config: string,
  router: string,
  {
    vrf,
    owned,
    sessions,
  }: { readonly vrf?: string; readonly owned: readonly Owned[]; readonly sessions: readonly Session[] },
): Attached {
  const maps = new Set(owned.map((o) => o.name));
  const uses = usesOf(config, maps);
  const instance = blocksOf(config).find(({ head }) => isInstance(head, vrf));
  const isNamed = (neighbor: string, family: string): boolean =>
    sessions.some((s) => s.family === family && s.address === canonical(neighbor));
  const unnamed = uses.flatMap((use): Fault[] => {
    const { map, neighbor, direction, family, block, line } = use;
    if (neighbor === undefined || block !== instance?.head)
      return [
        {
          where: router,
          what: `route-map ${map} carries the roles, and is used elsewhere, too (“${line}” in “${block}”): that would change with them`,
          next: 'give that use a route-map of its own',
        },
      ];
    const group = membersOf(instance.lines, neighbor);
    const members = group.neighbors.length + group.ranges.length > 0 ? group.neighbors : [neighbor];
    return [
      ...members
        .filter((member) => !isNamed(member, family))
        .map((member) => ({
          where: router,
          what: `route-map ${map} carries the roles, and is attached ${direction} to neighbor ${member} in ${family}, too${member === neighbor ? '' : ` (by peer-group ${neighbor})`}, which the inventory doesn’t name: that session would keep the old policy, and traffic be split`,
          next: `add ${member} to the node’s \`neighbor\` under families."${family}" of this router, or give it a route-map of its own`,
        })),
      ...group.ranges.map((range) => ({
        where: router,
        what: `route-map ${map} carries the roles, and is attached ${direction} by peer-group ${neighbor} to whoever connects from ${range}: sessions that the inventory can’t name`,
        next: 'give them a peer-group and a route-map of their own',
      })),
    ];
  });
  return {
    uses: [...new Set(uses.map((use) => shown(use)))].sort(),
    unnamed: [...new Map(unnamed.map((fault) => [fault.what, fault])).values()],
  };
}

const shown = ({ map, neighbor, direction, family, block, line }: Use): string =>
  neighbor === undefined ? `${block}: ${line}` : `neighbor ${neighbor} ${direction}, ${family} (${block}): ${map}`;
