/**
 * What a change of policy does to a path that a router holds already. Pure. A router shows paths as its policy left them,
 * so the old policy is taken off before the new one is put on; what it overwrote can't be told.
 */
import { prepended, withoutFront } from './as-path';
import type { Attribute, BgpPath } from './model';
import { apply, type Assumption, type Outcome, type Policies, type SetAction } from './policy';

export interface Attached {
  readonly policies: Policies;
  /** Name of the policy; undefined: none is attached. */
  readonly name: string | undefined;
}

/** A path after a change, or why it can't be told. `undefined`: the new policy denies it. */
export type Changed =
  | { readonly kind: 'told'; readonly path: BgpPath | undefined }
  | { readonly kind: 'cannot tell'; readonly why: string };

/**
 * The path as it will be once `after` is in effect where `before` was.
 * @param assumed every way in which matches that aren't looked into may come out (policy.ts, assumptions())
 * @param weight what the neighbor's paths have before any policy
 */
export function reapplied(
  path: BgpPath,
  prefix: string,
  before: Attached,
  after: Attached,
  assumed: readonly Assumption[] | undefined,
  weight: number,
): Changed {
  if (assumed === undefined)
    return { kind: 'cannot tell', why: 'the policies have too many matches that aren’t looked into' };
  const possible = assumed
    .map((a) => ({
      old: apply(before.policies, before.name, prefix, a),
      now: apply(after.policies, after.name, prefix, a),
    }))
    // The router holds the path: the old policy let it in, with what it shows.
    .filter(({ old }) => old.result === 'permit' && shows(path, old.sets, weight));
  const results = new Map(
    possible.map(({ old, now }) => {
      const result = old.result === 'permit' ? changed(path, old.sets, now, weight) : undefined;
      return [JSON.stringify(result ?? 'denied'), result];
    }),
  );
  if (results.size === 0)
    return {
      kind: 'cannot tell',
      why: `what it holds isn’t what its policy (${before.name ?? 'none'}) makes: an edit that isn’t in effect yet, or something that isn’t modelled`,
    };
  if (results.size > 1)
    return {
      kind: 'cannot tell',
      why: `it depends on a match of ${after.name ?? before.name ?? ''} that isn’t looked into`,
    };
  return { kind: 'told', path: [...results.values()][0] };
}

/** The last action of a kind counts: later ones overwrite it. */
const last = <K extends SetAction['kind']>(sets: readonly SetAction[], kind: K) =>
  sets.filter((s): s is Extract<SetAction, { kind: K }> => s.kind === kind).at(-1);

/** Whether a path may have come out of these actions. */
function shows(path: BgpPath, sets: readonly SetAction[], weight: number): boolean {
  const preference = last(sets, 'local preference');
  const med = last(sets, 'MED');
  const origin = last(sets, 'origin');
  if ((last(sets, 'weight')?.to ?? weight) !== path.weight) return false;
  // Routes that are being drained have 0, whatever the policy sets (RFC 8326).
  const drained = path.communities.includes('graceful-shutdown');
  if (preference !== undefined && 'to' in preference && !drained && path.localPreference !== preference.to)
    return false;
  if (med !== undefined && 'to' in med && path.med !== med.to) return false;
  if (origin !== undefined && path.origin !== origin.to) return false;
  return withoutFront(path.asPath, frontOf(sets)) !== undefined || path.unknown['AS path'] !== undefined;
}

/** What the prepends of a policy put in front, the last action outermost. */
const frontOf = (sets: readonly SetAction[]): number[] =>
  sets.reduce<number[]>((front, s) => (s.kind === 'prepend' ? [...s.list, ...front] : front), []);

function changed(path: BgpPath, old: readonly SetAction[], now: Outcome, weight: number): BgpPath | undefined {
  if (now.result === 'deny') return undefined;
  const unknown: Partial<Record<Attribute, string>> = { ...path.unknown };
  const sets = now.sets;
  const hide = (attribute: Attribute, why: string): void => void (unknown[attribute] ??= why);
  for (const s of [...sets, ...old]) if (s.kind === 'unmodelled') hide(s.attribute, `"${s.line}" isn’t modelled`);
  const localPreference = numberAfter(path, 'local preference', path.localPreference, old, sets, hide);
  const med = numberAfter(path, 'MED', path.med, old, sets, hide);
  if (path.communities.includes('graceful-shutdown') && localPreference !== path.localPreference)
    hide('local preference', 'the path is marked for graceful shutdown, which overrides it');
  const origin = last(sets, 'origin')?.to;
  if (origin === undefined && last(old, 'origin') !== undefined) hide('origin', 'the old policy overwrote it');
  const { localPreference: _, med: __, ...rest } = path;
  return {
    ...rest,
    weight: last(sets, 'weight')?.to ?? weight,
    ...(localPreference === undefined ? {} : { localPreference }),
    ...(med === undefined ? {} : { med }),
    origin: origin ?? path.origin,
    asPath: asPathAfter(path, old, sets, hide),
    unknown,
  };
}

type Hide = (attribute: Attribute, why: string) => void;
const LIMIT = 4_294_967_295;

/** Local preference or MED: what the new policy makes of what the path had before the old one. */
function numberAfter(
  path: BgpPath,
  kind: 'local preference' | 'MED',
  shown: number | undefined,
  old: readonly SetAction[],
  now: readonly SetAction[],
  hide: Hide,
): number | undefined {
  const own = (sets: readonly SetAction[]) =>
    sets.filter((s): s is Extract<SetAction, { kind: 'local preference' | 'MED' }> => s.kind === kind);
  const lastSet = own(now).findLastIndex((s) => 'to' in s);
  const added = own(now)
    .slice(lastSet + 1)
    .reduce((sum, s) => sum + ('by' in s ? s.by : 0), 0);
  const base = lastSet < 0 ? undefined : own(now)[lastSet];
  const limited = (n: number): number => Math.min(LIMIT, Math.max(0, n));
  if (base !== undefined && 'to' in base) return limited(base.to + added);
  const overwritten = own(old);
  const before = overwritten.length === 0 ? shown : undefined;
  const external = path.peerType === 'external' || path.peerType === 'local';
  // Routers of other ASes send no local preference.
  const known = overwritten.length === 0 || (kind === 'local preference' && external);
  if (!known) hide(kind, 'the old policy overwrote it');
  if (added === 0 && own(now).length === 0) return before;
  // FRR 10 also prints the worst MED for a path that has none (missing-as-worst), and adds to 0 then.
  if (before === undefined || before === LIMIT) hide(kind, 'the policy adds to what the path doesn’t show');
  return before === undefined ? undefined : limited(before + added);
}

function asPathAfter(
  path: BgpPath,
  old: readonly SetAction[],
  now: readonly SetAction[],
  hide: Hide,
): BgpPath['asPath'] {
  const lastAs = [...old, ...now].some((s) => s.kind === 'prepend last');
  const same = JSON.stringify(old.filter(isPrepend)) === JSON.stringify(now.filter(isPrepend));
  if (same) return path.asPath;
  if (old.some((s) => s.kind === 'prepend last')) {
    hide('AS path', 'the old policy prepends the last AS');
    return path.asPath;
  }
  const front = frontOf(old);
  const raw = withoutFront(path.asPath, front);
  if (raw === undefined) return path.asPath;
  if (front.length > 0 && path.peerType !== 'external')
    hide('AS path', 'confederation segments may have been lost when the old policy prepended');
  return now.reduce<BgpPath['asPath']>((as, s) => {
    if (s.kind === 'prepend') return prepended(as, s.list);
    if (s.kind !== 'prepend last') return as;
    const first = as[0]?.type === 'sequence' ? as[0].list[0] : undefined;
    if (first === undefined && lastAs) hide('AS path', 'there is no last AS to prepend');
    return first === undefined ? as : prepended(as, Array<number>(s.count).fill(first));
  }, raw);
}

const isPrepend = (s: SetAction): boolean => s.kind === 'prepend' || s.kind === 'prepend last';

/**
 * How many copies of an AS a policy puts in front of what it announces. Infinity: it announces nothing. Undefined: it
 * can't be told.
 */
export function prependsOf(
  attached: Attached,
  prefix: string,
  as: number,
  assumed: readonly Assumption[] | undefined,
): number | undefined {
  const counts = (assumed ?? []).map((a) => {
    const outcome = apply(attached.policies, attached.name, prefix, a);
    if (outcome.result === 'deny') return Infinity;
    const modelled = outcome.sets.every(
      (s) => s.kind !== 'prepend last' && !(s.kind === 'unmodelled' && s.attribute === 'AS path'),
    );
    const front = frontOf(outcome.sets);
    return modelled && front.every((n) => n === as) ? front.length : undefined;
  });
  return counts.every((n) => n === counts[0]) ? counts[0] : undefined;
}
