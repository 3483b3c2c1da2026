/**
 * Routing policies, and what one does to one path. Pure. The semantics are FRR's (route_map_apply()): sets come before a
 * call, a called map that denies denies, and an entry that doesn't match *after* `on-match next` turns the answer into deny.
 */
import { isIP } from 'node:net';

/** `by`: added to what the path has; negative: taken from it. Never below 0 nor above what fits. */
export type Amount = { readonly to: number } | { readonly by: number };

export type SetAction =
  | { readonly kind: 'weight'; readonly to: number }
  | ({ readonly kind: 'local preference' } & Amount)
  | ({ readonly kind: 'MED' } & Amount)
  | { readonly kind: 'origin'; readonly to: 'IGP' | 'EGP' | 'incomplete' }
  | { readonly kind: 'prepend'; readonly list: readonly number[] }
  /** The leftmost AS of the path, so many times. */
  | { readonly kind: 'prepend last'; readonly count: number }
  /** Changes this attribute in a way that isn't modelled. */
  | {
      readonly kind: 'unmodelled';
      readonly attribute: 'AS path' | 'IGP metric' | 'MED' | 'local preference' | 'origin';
      readonly line: string;
    };

export type Match =
  | { readonly kind: 'prefix list'; readonly name: string }
  /** Not looked into: it may match or not. */
  | { readonly kind: 'other'; readonly line: string };

export interface PolicyEntry {
  readonly sequence: number;
  readonly action: 'permit' | 'deny';
  readonly matches: readonly Match[];
  readonly sets: readonly SetAction[];
  readonly call?: string;
  /** Where it goes on after a match; undefined: nowhere. A number: the first entry from that one on. */
  readonly onMatch?: 'next' | number;
}

export interface PrefixRule {
  readonly sequence: number;
  readonly action: 'permit' | 'deny';
  /** "any", or as "10.0.0.0/8". */
  readonly prefix: string;
  readonly ge?: number;
  readonly le?: number;
}

export interface Policies {
  readonly routeMaps: ReadonlyMap<string, readonly PolicyEntry[]>;
  readonly prefixLists: ReadonlyMap<string, readonly PrefixRule[]>;
}

export const noPolicies: Policies = { routeMaps: new Map(), prefixLists: new Map() };

/** What a policy does, if the matches that aren't looked into are as assumed. */
export type Outcome = { readonly result: 'deny' } | { readonly result: 'permit'; readonly sets: readonly SetAction[] };

/** Lines that aren't looked into, and whether each matches. */
export type Assumption = ReadonlyMap<string, boolean>;

const CALL_LIMIT = 20;

/** Undefined name: no policy, nothing is changed. A policy that doesn't exist denies everything. */
export function apply(policies: Policies, name: string | undefined, prefix: string, assumed: Assumption): Outcome {
  if (name === undefined) return { result: 'permit', sets: [] };
  const sets: SetAction[] = [];
  return run(policies, name, prefix, assumed, sets, 0) ? { result: 'permit', sets } : { result: 'deny' };
}

function run(
  policies: Policies,
  name: string,
  prefix: string,
  assumed: Assumption,
  sets: SetAction[],
  depth: number,
): boolean {
  const entries = policies.routeMaps.get(name);
  if (entries === undefined || depth > CALL_LIMIT) return false;
  let permitted = false;
  let from = 0;
  for (const entry of entries) {
    if (entry.sequence < from) continue;
    if (!entry.matches.every((m) => matches(policies, m, prefix, assumed))) {
      permitted = false;
      continue;
    }
    if (entry.action === 'deny') return false;
    permitted = true;
    sets.push(...entry.sets);
    if (entry.call !== undefined) {
      // A call to a policy that doesn't exist is passed over.
      const exists = policies.routeMaps.has(entry.call);
      if (exists && !run(policies, entry.call, prefix, assumed, sets, depth + 1)) return false;
    }
    if (entry.onMatch === undefined) return true;
    if (entry.onMatch !== 'next') from = entry.onMatch;
  }
  return permitted;
}

function matches(policies: Policies, match: Match, prefix: string, assumed: Assumption): boolean {
  if (match.kind === 'other') return assumed.get(match.line) ?? false;
  const rules = policies.prefixLists.get(match.name);
  if (rules === undefined) return false;
  const [base = '', length = ''] = prefix.split('/');
  const rule = rules.find((r) => covers(r, base, Number(length)));
  return rule?.action === 'permit';
}

function covers(rule: PrefixRule, base: string, length: number): boolean {
  if (rule.prefix === 'any') return true;
  const [network = '', own = ''] = rule.prefix.split('/');
  if (isIP(network) !== isIP(base)) return false;
  const wanted = Number(own);
  const from = rule.ge ?? wanted;
  const to = rule.le ?? (rule.ge === undefined ? wanted : isIP(base) === 4 ? 32 : 128);
  return (
    length >= from &&
    length <= to &&
    length >= wanted &&
    bitsOf(network).slice(0, wanted) === bitsOf(base).slice(0, wanted)
  );
}

/** An address as its bits, "0000101000…". */
export function bitsOf(address: string): string {
  if (isIP(address) === 4)
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  const [left = '', right = ''] = address.split('::');
  const groups = (text: string): string[] => text.split(':').filter((g) => g !== '');
  const zeros = address.includes('::') ? 8 - groups(left).length - groups(right).length : 0;
  return [...groups(left), ...Array<string>(Math.max(0, zeros)).fill('0'), ...groups(right)]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('');
}

/** With more unknown lines than this, nothing is told: each doubles the cases. */
const UNKNOWN_LIMIT = 8;

/** Every way in which the lines that aren't looked into may match; undefined if there are too many of them. */
export function assumptions(
  policies: readonly Policies[],
  names: readonly (string | undefined)[],
): Assumption[] | undefined {
  const lines = new Set<string>();
  const seen = new Set<string>();
  const queue = names.flatMap((n) => n ?? []);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const entry of policies.flatMap((p) => p.routeMaps.get(name) ?? [])) {
      for (const match of entry.matches) if (match.kind === 'other') lines.add(match.line);
      if (entry.call !== undefined) queue.push(entry.call);
    }
  }
  if (lines.size > UNKNOWN_LIMIT) return undefined;
  return [...lines].reduce<Assumption[]>(
    (all, line) => all.flatMap((a) => [new Map([...a, [line, false]]), new Map([...a, [line, true]])]),
    [new Map()],
  );
}
