/**
 * FRR's running configuration as text: finding what this run owns, rendering what it is to be, telling what somebody else
 * changed. Pure. Owned are, in the route-map entries that the plan names, `set local-preference` on the way in and
 * `set as-path prepend` on the way out; every other line of these entries (match, community …) is kept as it is.
 */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Fault } from '../../kit';
import type { Target } from '../driver';
import type { PolicySpec, Preference } from '../spec';
import { instanceAs, isInstance, plainAs } from './instance';

export { isInstance };

/** One entry of a route-map, as the configuration shows it. */
export interface Entry {
  readonly name: string;
  readonly action: string;
  readonly sequence: number;
  /** Its lines, trimmed, without the closing `exit`. */
  readonly lines: readonly string[];
}

/** An entry that the plan owns values of, and what it is for. */
export interface Owned {
  readonly name: string;
  readonly sequence: number;
  readonly direction: 'in' | 'out';
  readonly node: string;
}

const OWNED_LINE = { in: /^set local-preference\b/, out: /^set as-path prepend\b/ } as const;
const REMOVE = { in: 'no set local-preference', out: 'no set as-path prepend' } as const;

export const ownedOf = (policy: PolicySpec): Owned[] =>
  Object.entries(policy.routeMaps).flatMap(([node, maps]) =>
    (['in', 'out'] as const).flatMap((direction) => maps[direction].map((e) => ({ ...e, direction, node }))),
  );

const keyOf = (e: { readonly name: string; readonly sequence: number }): string => `${e.name} ${e.sequence}`;

/** A line at the left margin with the indented lines below it. */
interface Block {
  readonly head: string;
  readonly lines: readonly string[];
}

/** Closes the part of a BGP instance that is about one address family. */
export const FAMILY_END = 'exit-address-family';

/**
 * `!` and `exit` (which newer releases print and older ones don't) only close blocks. FAMILY_END is left out as well, unless it
 * is asked for: plans hold digests of what is returned without it.
 */
export function blocksOf(config: string, { familyEnds = false }: { readonly familyEnds?: boolean } = {}): Block[] {
  const blocks: { head: string; lines: string[] }[] = [];
  for (const line of config.split('\n').map((l) => l.trimEnd())) {
    if (line === '' || /^(!|exit$|end$|exit-vrf$|Building configuration|Current configuration)/.test(line)) continue;
    if (!line.startsWith(' ')) blocks.push({ head: line, lines: [] });
    else if (!/^\s*!/.test(line) && (familyEnds || line.trim() !== FAMILY_END)) blocks.at(-1)?.lines.push(line.trim());
  }
  return blocks;
}

export function entriesOf(config: string): Entry[] {
  return blocksOf(config).flatMap(({ head, lines }) => {
    const match = /^route-map (\S+) (permit|deny) (\d+)$/.exec(head);
    if (match === null) return [];
    const [, name = '', action = '', sequence = ''] = match;
    return [{ name, action, sequence: Number(sequence), lines }];
  });
}

const render = (e: Entry): string =>
  [`route-map ${e.name} ${e.action} ${e.sequence}`, ...e.lines.map((l) => ` ${l}`), 'exit'].join('\n');

/** The owned entries alone, in the plan's order, exactly as the configuration shows them. */
export function ownedText(config: string, owned: readonly Owned[]): string {
  const entries = new Map(entriesOf(config).map((e) => [keyOf(e), e]));
  const found = [...new Set(owned.map(keyOf))].flatMap((key) => entries.get(key) ?? []);
  return found.map((e) => `${render(e)}\n`).join('');
}

/** The order of set lines in an entry means nothing, and depends on FRR's release. */
export const sameOwned = (a: string, b: string): boolean => normal(a) === normal(b);
const normal = (text: string): string =>
  entriesOf(text)
    .map((e) => render({ ...e, lines: [...e.lines].sort() }))
    .join('\n');

/** The owned values alone, one line for each owned entry that is there: what a start with this configuration would make effective. */
export function ownedValues(config: string, owned: readonly Owned[]): string[] {
  const entries = new Map(entriesOf(config).map((e) => [keyOf(e), e]));
  return owned.flatMap((o) => {
    const entry = entries.get(keyOf(o));
    if (entry === undefined) return [];
    const values = entry.lines.filter((l) => OWNED_LINE[o.direction].test(l)).map(plainAs);
    return [[keyOf(o), o.direction, entry.action, ...values].join(' ')];
  });
}

/** Values of the total policy for one node. */
export function preferenceFor(policy: PolicySpec, target: Target, node: string): Preference | undefined {
  if (target.kind === 'text') return undefined;
  if (target.kind === 'equal') return policy.equal;
  return node === target.node ? policy.preferred : policy.other;
}

/** The owned entries as they are to be: every owned value is set or absent, whatever it was; all else stays. */
export function intendedText(policy: PolicySpec, target: Target, now: string): string {
  if (target.kind === 'text') return target.owned;
  const entries = new Map(entriesOf(now).map((e) => [keyOf(e), e]));
  for (const o of ownedOf(policy)) {
    const entry = entries.get(keyOf(o));
    const values = preferenceFor(policy, target, o.node);
    if (entry === undefined || values === undefined) continue;
    entries.set(keyOf(o), { ...entry, lines: place(entry.lines, o.direction, lineOf(policy, o.direction, values)) });
  }
  return [...entries.values()].map((e) => `${render(e)}\n`).join('');
}

function lineOf(policy: PolicySpec, direction: 'in' | 'out', values: Preference): string | undefined {
  if (direction === 'in') return `set local-preference ${values.localPreference}`;
  if (values.prepend === 0) return undefined;
  return `set as-path prepend ${Array<number>(values.prepend).fill(policy.localAs).join(' ')}`;
}

/** FRR shows match before set, and set lines in alphabetical order (8.4): put it where it will be shown. */
function place(lines: readonly string[], direction: 'in' | 'out', line: string | undefined): string[] {
  const rest = lines.filter((l) => !OWNED_LINE[direction].test(l));
  if (line === undefined) return rest;
  const after = rest.findIndex((l) => (l.startsWith('set ') && l > line) || /^(call|on-match|continue)\b/.test(l));
  return after < 0 ? [...rest, line] : [...rest.slice(0, after), line, ...rest.slice(after)];
}

/**
 * Configuration lines that lead to `intended` from whatever there is: each owned value of each entry, changed or not.
 * Removing what isn't there makes FRR say "Can't find rule", which does no harm; a policy that isn't total does (facts §0.1).
 */
export function stanzas(owned: readonly Owned[], intended: string): string[] {
  const entries = new Map(entriesOf(intended).map((e) => [keyOf(e), e]));
  return owned.flatMap((o) => {
    const entry = entries.get(keyOf(o));
    if (entry === undefined) return [];
    const own = entry.lines.filter((l) => OWNED_LINE[o.direction].test(l));
    return [
      `route-map ${entry.name} ${entry.action} ${entry.sequence}`,
      ...(own.length > 0 ? own : [REMOVE[o.direction]]),
      'exit',
    ];
  });
}

/** Lines that stand in one list and not in another. */
function missingIn(lines: readonly string[], other: readonly string[]): string[] {
  const known = new Set(other);
  return lines.filter((line) => !known.has(line));
}

/** Difference of the owned entries for people; empty if there is none. */
export function diffOf(now: string, intended: string): string {
  const before = new Map(entriesOf(now).map((e) => [keyOf(e), e]));
  return entriesOf(intended)
    .flatMap((to) => {
      const from = before.get(keyOf(to)) ?? { ...to, lines: [] };
      const gone = missingIn(from.lines, to.lines);
      const come = missingIn(to.lines, from.lines);
      if (gone.length + come.length === 0) return [];
      return [
        ` route-map ${to.name} ${to.action} ${to.sequence}`,
        ...gone.map((l) => `- ${l}`),
        ...come.map((l) => `+ ${l}`),
      ];
    })
    .join('\n');
}

/**
 * What stands in the owned entries and in none of the known states. A mixture of known states isn't foreign: a shift
 * that was cut leaves one. Known states differ in owned lines alone, so other lines are held against the first.
 */
export function foreignLines(owned: readonly Owned[], now: string, known: readonly string[]): string[] {
  const directions = new Map(owned.map((o) => [keyOf(o), o.direction]));
  const states = known.map((text) => new Map(entriesOf(text).map((e) => [keyOf(e), e])));
  const current = new Map(entriesOf(now).map((e) => [keyOf(e), e]));
  const found: string[] = [];
  for (const [key, direction] of directions) {
    const versions = states.flatMap((s) => s.get(key) ?? []);
    const [reference] = versions;
    const entry = current.get(key);
    if (reference === undefined) continue;
    if (entry === undefined) {
      found.push(`route-map ${key} is gone`);
      continue;
    }
    const own = (e: Entry): string => e.lines.filter((l) => OWNED_LINE[direction].test(l)).join(', ');
    const rest = (e: Entry): string[] => e.lines.filter((l) => !OWNED_LINE[direction].test(l));
    const title = `route-map ${key}`;
    if (entry.action !== reference.action) found.push(`${title} is ${entry.action}, was ${reference.action}`);
    for (const line of missingIn(rest(entry), reference.lines)) found.push(`${title} has "${line}"`);
    for (const line of missingIn(rest(reference), entry.lines)) found.push(`${title} lacks "${line}"`);
    if (!versions.some((v) => own(v) === own(entry)))
      found.push(
        `${title} has ${own(entry) === '' ? `no "${OWNED_LINE[direction].source.slice(1, -2)}"` : `"${own(entry)}"`}, which this run never wrote (it knows ${[...new Set(versions.map((v) => own(v) || 'none'))].join(' / ')})`,
      );
  }
  return found;
}

export interface ConfigScope {
  readonly vrf?: string;
  /** Neighbors of this plan on the router. */
  readonly neighbors: readonly string[];
  readonly owned: readonly Owned[];
}

const without = (block: Block, owned: readonly Owned[]): Block => {
  const mine = owned.filter(
    (o) => block.head.startsWith(`route-map ${o.name} `) && block.head.endsWith(` ${o.sequence}`),
  );
  return { ...block, lines: block.lines.filter((l) => !mine.some((o) => OWNED_LINE[o.direction].test(l))) };
};

/** All of the configuration but the owned lines. */
export const restLines = (config: string, owned: readonly Owned[]): string[] =>
  blocksOf(config).flatMap((b) => {
    const { head, lines } = without(b, owned);
    return [head, ...lines.map((l) => ` ${l}`)];
  });

/**
 * The part of it that decides about the pair's routes: the BGP instance without other neighbors, the owned route-maps
 * with all their entries, the lists that they refer to.
 */
export function reliedLines(config: string, scope: ConfigScope): string[] {
  const blocks = blocksOf(config).map((b) => without(b, scope.owned));
  const bgp = blocks.find((b) => isInstance(b.head, scope.vrf));
  const groups = new Set(
    (bgp?.lines ?? []).flatMap((l) => {
      const match = /^neighbor (\S+) peer-group (\S+)$/.exec(l);
      return match?.[1] !== undefined && scope.neighbors.includes(match[1]) ? [match[2]] : [];
    }),
  );
  const ours = (line: string): boolean => {
    const neighbor = /^(?:no )?neighbor (\S+)/.exec(line)?.[1];
    return neighbor === undefined || scope.neighbors.includes(neighbor) || groups.has(neighbor);
  };
  const maps = blocks.filter((b) => scope.owned.some((o) => b.head.startsWith(`route-map ${o.name} `)));
  const references = new Set(
    maps.flatMap((b) => b.lines).flatMap((l) => (l.startsWith('match ') ? l.split(' ').slice(2) : [])),
  );
  const lists = blocks.filter((b) => references.has(LIST.exec(b.head)?.[1] ?? ''));
  return [
    ...(bgp === undefined ? [] : [bgp.head, ...bgp.lines.filter(ours).map((l) => ` ${l}`)]),
    ...maps.flatMap((b) => [b.head, ...b.lines.map((l) => ` ${l}`)]),
    ...lists.map((b) => b.head),
    ...blocks.filter((b) => b.head.startsWith('bgp route-map delay-timer')).map((b) => b.head),
  ];
}

/** "ip prefix-list NAME seq …", "bgp community-list standard NAME …": the name. */
const LIST =
  /^(?:ip|ipv6|bgp) (?:prefix-list|access-list|as-path access-list|(?:ext|large-)?community-list(?: standard| expanded)?) (\S+)/;

/** `neighbor X password …`: the plan is shown to people. */
export const blankSecrets = (line: string): string => line.replace(/\b(password|key-chain|key)(\s+\d+)? .*$/s, '$1 …');

export const sha256 = (lines: readonly string[]): string => createHash('sha256').update(lines.join('\n')).digest('hex');

/** What keeps a shift on this router from being safe. */
export function configFaults(config: string, router: string, policy: PolicySpec, scope: ConfigScope): Fault[] {
  const faults: Fault[] = [];
  const entries = entriesOf(config);
  for (const o of scope.owned) {
    const entry = entries.find((e) => keyOf(e) === keyOf(o));
    const title = `route-map ${keyOf(o)}`;
    if (entry === undefined)
      faults.push({
        where: router,
        what: `${title} (${o.direction === 'in' ? 'from' : 'to'} ${o.node}) doesn’t exist`,
        next: `create it ("route-map ${o.name} permit ${o.sequence}") and attach it, or correct the inventory`,
      });
    else if (entry.action !== 'permit')
      faults.push({
        where: router,
        what: `${title} is ${entry.action}: it sets nothing`,
        next: 'correct the inventory',
      });
  }
  const blocks = blocksOf(config);
  const timer = blocks
    .find((b) => b.head.startsWith('bgp route-map delay-timer '))
    ?.head.split(' ')
    .at(-1);
  // By default bgpd applies an edited route-map by itself after 5 s, half written or not (facts §0.5).
  if (timer !== '0')
    faults.push({
      where: router,
      what: `bgp route-map delay-timer is ${timer ?? '5 (the default)'}: an edited policy would take effect by itself before it is read back`,
      next: 'vtysh -c "configure terminal" -c "bgp route-map delay-timer 0" -c "end" -c "write memory"',
    });
  const instance = blocks.find((b) => isInstance(b.head, scope.vrf));
  const as = instanceAs(instance?.head ?? '');
  if (as !== String(policy.localAs))
    faults.push({
      where: router,
      what:
        as === undefined
          ? `there is no BGP instance${scope.vrf === undefined ? '' : ` in VRF ${scope.vrf}`}`
          : `its AS number is ${as}, the inventory says ${policy.localAs}`,
      next: 'correct the inventory',
    });
  return faults;
}

/** Addresses may be written in several ways; FRR shows IPv6 in lower case and shortest. */
export const canonical = (address: string): string =>
  isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
