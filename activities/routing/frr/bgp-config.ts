/**
 * What a running configuration says about how FRR chooses paths and what its sessions do to them, in the words of
 * prediction/. Pure. Forms of FRR 7.5 to 10.7.
 */
import { isIP } from 'node:net';
import type { Family } from '../spec';
import { defaultSettings, type DecisionSettings } from '../prediction/model';
import {
  bitsOf,
  type Amount,
  type Match,
  type Policies,
  type PolicyEntry,
  type PrefixRule,
  type SetAction,
} from '../prediction/policy';
import { blocksOf, canonical } from './config';

/** A BGP instance: its lines, and those of each address family. */
export interface Instance {
  readonly localAs: number;
  readonly lines: readonly string[];
  readonly families: Readonly<Partial<Record<Family, readonly string[]>>>;
  readonly release?: readonly [number, number];
  /** `frr defaults datacenter`, whose defaults differ. */
  readonly datacenter: boolean;
}

export function instanceIn(config: string, vrf?: string): Instance | undefined {
  const blocks = blocksOf(config);
  const heads = /^router bgp (\S+)(?: vrf (\S+))?(?: as-notation \S+)?$/;
  const block = blocks.find(({ head }) => {
    const match = heads.exec(head);
    return match !== null && match[2] === vrf;
  });
  const localAs = asNumber(heads.exec(block?.head ?? '')?.[1] ?? '');
  if (block === undefined || localAs === undefined) return undefined;
  const families: Partial<Record<Family, string[]>> = {};
  const lines: string[] = [];
  let section = lines;
  for (const line of block.lines) {
    const family = /^address-family (.*)$/.exec(line)?.[1];
    if (family === undefined) section.push(line);
    else if (family === 'ipv4 unicast' || family === 'ipv6 unicast') section = families[family] ??= [];
    else section = [];
  }
  const version = /^frr version (\d+)\.(\d+)/m.exec(config);
  return {
    localAs,
    lines,
    families,
    ...(version === null ? {} : { release: [Number(version[1]), Number(version[2])] as const }),
    datacenter: /^frr defaults datacenter$/m.test(config),
  };
}

/** "65546", or "1.10" with another AS notation. */
function asNumber(text: string): number | undefined {
  const match = /^(?:(\d+)\.)?(\d+)$/.exec(text);
  return match === null ? undefined : Number(match[1] ?? 0) * 65_536 + Number(match[2]);
}

export function settingsOf(instance: Instance, family: Family): DecisionSettings {
  const { lines, families, release, datacenter } = instance;
  const has = (pattern: RegExp): boolean => lines.some((l) => pattern.test(l));
  const numberOf = (from: readonly string[], pattern: RegExp): number | undefined => {
    const found = from.flatMap((l) => pattern.exec(l)?.[1] ?? [])[0];
    return found === undefined ? undefined : Number(found);
  };
  const section = families[family] ?? [];
  const { maximumPaths, defaultLocalPreference } = defaultSettings;
  return {
    defaultLocalPreference: numberOf(lines, /^bgp default local-preference (\d+)$/) ?? defaultLocalPreference,
    alwaysCompareMed: has(/^bgp always-compare-med$/),
    deterministicMed: datacenter ? !has(/^no bgp deterministic-med$/) : has(/^bgp deterministic-med$/),
    medConfederation: has(/^bgp bestpath med\b.*\bconfed\b/),
    medMissingAsWorst: has(/^bgp bestpath med\b.*\bmissing-as-worst\b/),
    compareRouterId: has(/^bgp bestpath compare-routerid$/),
    asPathIgnore: has(/^bgp bestpath as-path ignore$/),
    asPathConfederation: has(/^bgp bestpath as-path confed$/),
    multipathRelax: has(/^bgp bestpath as-path multipath-relax\b/),
    peerTypeRelax: has(/^bgp bestpath peer-type multipath-relax$/),
    confederation: has(/^bgp confederation identifier /),
    maximumPaths: {
      external: numberOf(section, /^maximum-paths (\d+)$/) ?? maximumPaths.external,
      internal: numberOf(section, /^maximum-paths ibgp (\d+)\b/) ?? maximumPaths.internal,
    },
    equalClusterLength: section.some((l) => /^maximum-paths ibgp \d+ equal-cluster-length$/.test(l)),
    compareAigp: has(/^bgp bestpath aigp$/),
    ...(release === undefined ? {} : { release }),
  };
}

/** What is configured for a neighbor in a family, its own lines before those of its peer-group. */
export interface NeighborConfig {
  readonly group?: string;
  readonly routeMapIn?: string;
  readonly routeMapOut?: string;
  readonly weight: number;
  readonly announcesAll: boolean;
  readonly nextHopSelf: boolean;
  readonly unmodelled: readonly string[];
}

/** Changes what is announced or accepted, and isn't modelled. */
const UNMODELLED =
  /^(?:allowas-in|as-override|attribute-unchanged|advertise-map|addpath-tx-best(?:path|-selected)|default-originate|distribute-list|filter-list|local-as|prefix-list|remove-private-AS|route-reflector-client|route-server-client|unsuppress-map)\b/;

export function neighborConfig(instance: Instance, family: Family, neighbor: string): NeighborConfig {
  const name = canonical(neighbor);
  const linesOf = (of: string): string[] =>
    [...instance.lines, ...(instance.families[family] ?? [])].flatMap((l) => {
      const match = /^neighbor (\S+) (.*)$/.exec(l);
      return match?.[1] !== undefined && canonical(match[1]) === of ? [match[2] ?? ''] : [];
    });
  const own = linesOf(name);
  const group =
    own.flatMap((l) => /^(?:interface )?(?:v6only )?peer-group (\S+)$/.exec(l)?.[1] ?? [])[0] ??
    (own.length === 0 ? groupOfRange(instance, name) : undefined);
  const all = [...own, ...(group === undefined ? [] : linesOf(group))];
  const first = (pattern: RegExp): string | undefined => all.flatMap((l) => pattern.exec(l)?.[1] ?? [])[0];
  const routeMapIn = first(/^route-map (\S+) in$/);
  const routeMapOut = first(/^route-map (\S+) out$/);
  return {
    ...(group === undefined ? {} : { group }),
    ...(routeMapIn === undefined ? {} : { routeMapIn }),
    ...(routeMapOut === undefined ? {} : { routeMapOut }),
    weight: Number(first(/^weight (\d+)$/) ?? 0),
    announcesAll: all.includes('addpath-tx-all-paths'),
    nextHopSelf: all.some((l) => /^next-hop-self\b/.test(l)),
    unmodelled: all.filter((l) => UNMODELLED.test(l)),
  };
}

/** A neighbor that isn't configured by itself: `bgp listen range P peer-group G`, the longest that it is in. */
function groupOfRange({ lines }: Instance, neighbor: string): string | undefined {
  if (isIP(neighbor) === 0) return undefined;
  return lines
    .flatMap((l) => {
      const match = /^bgp listen range (\S+)\/(\d+) peer-group (\S+)$/.exec(l);
      const [, network = '', length = '', group = ''] = match ?? [];
      return match !== null &&
        isIP(network) === isIP(neighbor) &&
        bitsOf(network).slice(0, Number(length)) === bitsOf(neighbor).slice(0, Number(length))
        ? [{ length: Number(length), group }]
        : [];
    })
    .sort((a, b) => b.length - a.length)[0]?.group;
}

/** Route-maps and prefix-lists of a configuration. */
export function policiesIn(config: string): Policies {
  const routeMaps = new Map<string, PolicyEntry[]>();
  const prefixLists = new Map<string, PrefixRule[]>();
  for (const { head, lines } of blocksOf(config)) {
    const map = /^route-map (\S+) (permit|deny) (\d+)$/.exec(head);
    if (map !== null) {
      const [, name = '', action, sequence] = map;
      routeMaps.set(name, [...(routeMaps.get(name) ?? []), entryOf(lines, action === 'permit', Number(sequence))]);
    }
    const list = /^ip(?:v6)? prefix-list (\S+) seq (\d+) (permit|deny) (\S+)(?: ge (\d+))?(?: le (\d+))?$/.exec(head);
    if (list !== null) {
      const [, name = '', sequence, action, prefix = '', ge, le] = list;
      const rule: PrefixRule = {
        sequence: Number(sequence),
        action: action === 'permit' ? 'permit' : 'deny',
        prefix,
        ...(ge === undefined ? {} : { ge: Number(ge) }),
        ...(le === undefined ? {} : { le: Number(le) }),
      };
      prefixLists.set(name, [...(prefixLists.get(name) ?? []), rule]);
    }
  }
  for (const entries of [...routeMaps.values(), ...prefixLists.values()])
    (entries as { sequence: number }[]).sort((a, b) => a.sequence - b.sequence);
  return { routeMaps, prefixLists };
}

function entryOf(lines: readonly string[], permit: boolean, sequence: number): PolicyEntry {
  const call = lines.flatMap((l) => /^call (\S+)$/.exec(l)?.[1] ?? [])[0];
  const goto = lines.flatMap((l) => /^(?:on-match goto|continue) (\d+)$/.exec(l)?.[1] ?? [])[0];
  const next = lines.some((l) => /^(?:on-match next|continue)$/.test(l));
  return {
    sequence,
    action: permit ? 'permit' : 'deny',
    matches: lines.filter((l) => l.startsWith('match ')).map(matchOf),
    sets: lines.filter((l) => l.startsWith('set ')).flatMap(setOf),
    ...(call === undefined ? {} : { call }),
    ...(goto !== undefined ? { onMatch: Number(goto) } : next ? { onMatch: 'next' } : {}),
  };
}

function matchOf(line: string): Match {
  const name = /^match ip(?:v6)? address prefix-list (\S+)$/.exec(line)?.[1];
  return name === undefined ? { kind: 'other', line } : { kind: 'prefix list', name };
}

const ORIGINS = { igp: 'IGP', egp: 'EGP', incomplete: 'incomplete' } as const;

/** What doesn't decide (community, tag, src …) is left out. */
function setOf(line: string): SetAction[] {
  const [, first = '', ...others] = line.split(' ');
  const isTwo = first === 'as-path' || first === 'ip' || first === 'ipv6';
  const what = isTwo ? `${first} ${others[0] ?? ''}` : first;
  const text = others.slice(isTwo ? 1 : 0).join(' ');
  const unmodelled = (attribute: Extract<SetAction, { kind: 'unmodelled' }>['attribute']): SetAction[] => [
    { kind: 'unmodelled', attribute, line },
  ];
  const number = (kind: 'local preference' | 'MED'): SetAction[] => {
    const match = /^([+-]?)(\d+)$/.exec(text);
    if (match === null) return unmodelled(kind);
    const value = Number(match[2]);
    const amount: Amount = match[1] === '' ? { to: value } : { by: match[1] === '-' ? -value : value };
    return kind === 'MED' ? [{ kind, ...amount }] : [{ kind, ...amount }];
  };
  switch (what) {
    case 'local-preference':
      return number('local preference');
    case 'metric':
      return number('MED');
    case 'aigp-metric':
      return [];
    case 'weight':
      return [{ kind: 'weight', to: Number(text) }];
    case 'origin':
      return text in ORIGINS ? [{ kind: 'origin', to: ORIGINS[text as keyof typeof ORIGINS] }] : unmodelled('origin');
    case 'as-path prepend': {
      const last = /^last-as (\d+)$/.exec(text)?.[1];
      if (last !== undefined) return [{ kind: 'prepend last', count: Number(last) }];
      const list = text.split(/\s+/).map(asNumber);
      return list.includes(undefined) ? unmodelled('AS path') : [{ kind: 'prepend', list: list as number[] }];
    }
    case 'as-path exclude':
    case 'as-path replace':
      return unmodelled('AS path');
    case 'ip next-hop':
    case 'ipv6 next-hop':
      return unmodelled('IGP metric');
    default:
      return [];
  }
}
