/**
 * The plan of a run that was ended half-way, taken over by the next one. What a plan reads from devices (roles, releases, the
 * routing) can't be read again once a run has changed it: steps would get other names, and would take what that run made for
 * what was there before. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Fault } from '../activities/kit';
import { fields } from './carried-steps';
import type { StepTrace } from './step-ledger';

type Fields = Readonly<Record<string, unknown>>;

/** Parts of a plan that are read from devices, where the inventory doesn't give them (as `mode` of an X-Road cluster). */
const OBSERVED = ['roles', 'releases', 'found', 'hops', 'mode', 'routed'];
/** …and of its section `routing`. */
const OBSERVED_ROUTING = ['original', 'predicted'];
/** What isn't from the inventory: all that is left to compare where that is the same by its digest. */
const ASKED = ['schema', 'procedure', 'procedureRevision', 'cluster', 'version', 'mode'];
/** Whoever asks for it; what a plan was taken over from; a digest over parts that are compared one by one. */
const BESIDE = ['requestedBy', 'resumedFrom', 'inventoryDigest'];
/** Families of steps that a rollback leaves as they are: what they did stands in no plan's way. */
export const KEPT_ACTIONS: readonly string[] = ['packages.stage', 'panos.backup', 'panos.images'];

const MOST_SHOWN = 8;
const VALUE_CHARS = 60;

/** Steps that changed something which hasn't been undone; what a rollback leaves doesn't count. */
export const changesLeft = (steps: readonly StepTrace[]): readonly StepTrace[] =>
  steps.filter(({ acted, undone, action }) => acted && !undone && !KEPT_ACTIONS.includes(action));

/**
 * The frozen plan as the next run's, by what the inventory and the caller say now; or what of that differs, as faults.
 * `resolved` is the part of a plan that is known before devices are asked; its version is "" where a check asks for none.
 */
export function resumedPlan(
  resolved: object,
  frozen: object,
  firstRunId: string,
): { readonly plan: object } | { readonly differences: readonly Fault[] } {
  const now = asJson(resolved);
  const then = asJson(frozen);
  // A check of a cluster names neither.
  const unasked = now['version'] === '' ? ['version', ...('mode' in now ? ['mode'] : [])] : [];
  const observed = OBSERVED.filter((name) => !(name in now));
  const isSameEntry = 'inventoryDigest' in now && now['inventoryDigest'] === then['inventoryDigest'];
  const given = (plan: Fields): Fields => {
    const { routing } = plan;
    const entry = routing === undefined ? plan : { ...plan, routing: without(fields(routing), OBSERVED_ROUTING) };
    const compared = without(entry, [...BESIDE, ...unasked, ...observed]);
    return isSameEntry
      ? Object.fromEntries(Object.entries(compared).filter(([name]) => ASKED.includes(name)))
      : compared;
  };
  const differences = differing(given(then), given(now));
  if (differences.length > 0) return { differences };
  const { requestedBy } = now;
  return {
    plan: {
      ...without(then, ['requestedBy']),
      ...(requestedBy === undefined ? {} : { requestedBy }),
      resumedFrom: firstRunId,
    },
  };
}

/**
 * What of a cluster isn't as the ended run had found it, told by a plan that was made from devices anew: empty if people have
 * put it right by hand, or have brought all of it to another release.
 */
export function notPutRight(frozen: object, fresh: object): readonly Fault[] {
  const [then, now] = [asJson(frozen), asJson(fresh)];
  const from = (plan: Fields): unknown => fields(plan['releases'])['from'];
  if (from(then) !== from(now)) return [];
  const found = (plan: Fields): Fields => ({
    roles: plan['roles'],
    found: plan['found'],
    routed: plan['routed'],
    routing: fields(plan['routing'])['original'],
  });
  return differing(found(then), found(now));
}

const asJson = (value: object): Fields => JSON.parse(JSON.stringify(value)) as Fields;

const without = (value: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

/** Leaves that differ, by their paths; the first few. */
function differing(then: Fields, now: Fields): Fault[] {
  const faults: Fault[] = [];
  const walk = (path: readonly string[], was: unknown, is: unknown): void => {
    if (isDeepStrictEqual(was, is)) return;
    const [a, b] = [fields(was), fields(is)];
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
    const isBranch = isBranching(was) && isBranching(is) && names.length > 0;
    if (isBranch) for (const name of names) walk([...path, name], a[name], b[name]);
    else faults.push({ where: path.join('.'), what: `was ${told(was)}, is ${told(is)}` });
  };
  walk([], then, now);
  const more = faults.length - MOST_SHOWN;
  return more <= 0
    ? faults
    : [...faults.slice(0, MOST_SHOWN), { where: 'the plan', what: `differs in ${more} more places` }];
}

const isBranching = (value: unknown): boolean => typeof value === 'object' && value !== null;

function told(value: unknown): string {
  if (value === undefined) return 'left out';
  const text = JSON.stringify(value);
  return text.length > VALUE_CHARS ? `${text.slice(0, VALUE_CHARS)}…` : text;
}
