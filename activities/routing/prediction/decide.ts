/** What one router does with one destination, and why. Pure. */
import { sameNeighborAs } from './as-path';
import { compare, isTieBreak, steps, type Comparison, type Step } from './compare';
import { nameOf, type BgpPath, type DecisionSettings } from './model';

export type Decision =
  | {
      readonly kind: 'decided';
      readonly best: BgpPath;
      /** All that carry traffic: the best one, and those that the router spreads traffic over with it. */
      readonly used: readonly BgpPath[];
      /** The path that came closest of those that lead elsewhere; undefined if there is none. */
      readonly rival?: BgpPath;
      /** What decided against the rival; undefined without one. */
      readonly step?: Step;
      /** "local preference 110 > 100"; "the only path". */
      readonly why: string;
    }
  | { readonly kind: 'no path' }
  | { readonly kind: 'cannot tell'; readonly why: string };

/**
 * From FRR 10.1 on paths are kept in a sorted list (bgp_best_selection()), and only one that changes is put in its place
 * again: deterministic-med no longer decides, and a circle leaves an order that outlives it. Undefined: can't be told.
 */
export const keepsSorted = ({ release }: DecisionSettings): boolean | undefined =>
  release === undefined ? undefined : release[0] > 10 || (release[0] === 10 && release[1] >= 1);

/**
 * The best path, what carries traffic beside it, and why it is the best.
 * A path that beats every other one in pairs wins in whatever order they came. Where there is none – MEDs of different
 * neighbor ASes form a circle – deterministic-med decides on releases that heed it, and nothing can be told on others.
 */
export function decide(paths: readonly BgpPath[], settings: DecisionSettings): Decision {
  const able = paths.filter((p) => p.eligible);
  const hidden = able.find((p) => p.unknown.presence !== undefined);
  if (able.length === 0) return { kind: 'no path' };
  if (hidden !== undefined && able.length === 1) return { kind: 'cannot tell', why: hidden.unknown.presence ?? '' };
  if (keepsSorted(settings) !== false && formsCircle(able, settings)) return { kind: 'cannot tell', why: CIRCLE };
  const best = able.find((p) => able.every((q) => q === p || wins(p, q, settings)));
  if (best !== undefined) return described(best, able, settings);
  for (const [i, p] of able.entries())
    for (const q of able.slice(i + 1)) {
      const pair = compare(p, q, settings);
      // Both may still lose to a third, but then there would be a best one.
      if (pair.kind === 'cannot tell')
        return { kind: 'cannot tell', why: `${pair.why} (${nameOf(p)} or ${nameOf(q)})` };
    }
  if (settings.deterministicMed && keepsSorted(settings) === false) {
    const groups = byNeighborAs(able).map((group) => firstToWin(group, settings));
    const chosen = firstToWin(groups, settings);
    return described(chosen, able, settings);
  }
  const equal = able.find((p) => able.every((q) => q === p || !loses(p, q, settings)));
  if (equal !== undefined) return described(equal, able, settings);
  return { kind: 'cannot tell', why: CIRCLE };
}

const CIRCLE = 'MEDs of different neighbor ASes form a circle, so that the order of arrival decides';

/**
 * Whether there are three paths of which each is better than the next, all around. A tie between two of them counts as
 * either way: age decides it, and that was another one when the router last sorted them.
 */
export function formsCircle(paths: readonly BgpPath[], settings: DecisionSettings): boolean {
  if (settings.alwaysCompareMed) return false;
  const able = paths.filter((p) => p.eligible);
  const pairs = able.map((p) => able.map((q) => (q === p ? 'loses' : relation(p, q, settings))));
  const circle = (a: number, b: number, c: number): boolean => {
    const around = [pairs[a]?.[b], pairs[b]?.[c], pairs[c]?.[a]];
    return !around.includes('loses') && around.filter((r) => r === 'wins').length >= 2;
  };
  return able.some((_, a) =>
    able.some((__, b) => a !== b && able.some((___, c) => c !== b && c !== a && circle(a, b, c))),
  );
}

function relation(p: BgpPath, q: BgpPath, s: DecisionSettings): 'wins' | 'loses' | 'ties' {
  const pair = compare(p, q, s);
  if (pair.kind === 'cannot tell') return 'loses';
  return isTieBreak(pair.step) ? 'ties' : pair.winner === 'a' ? 'wins' : 'loses';
}

const wins = (p: BgpPath, q: BgpPath, s: DecisionSettings): boolean => {
  const { step, winner } = outcome(compare(p, q, s));
  return winner === 'a' && step !== 'order of arrival';
};
const loses = (p: BgpPath, q: BgpPath, s: DecisionSettings): boolean => {
  const { step, winner } = outcome(compare(p, q, s));
  return winner === 'b' && step !== 'order of arrival';
};
const outcome = (c: Comparison): { step?: Step; winner?: 'a' | 'b' } => (c.kind === 'decided' ? c : {});

function byNeighborAs(paths: readonly BgpPath[]): BgpPath[][] {
  const groups: BgpPath[][] = [];
  for (const path of paths) {
    const group = groups.find(([head]) => head !== undefined && sameNeighborAs(head.asPath, path.asPath));
    if (group === undefined) groups.push([path]);
    else group.push(path);
  }
  return groups;
}

/** One after the other, each against the best so far. */
const firstToWin = (paths: readonly BgpPath[], s: DecisionSettings): BgpPath =>
  paths.reduce((best, path) => (outcome(compare(path, best, s)).winner === 'a' ? path : best));

function described(best: BgpPath, able: readonly BgpPath[], settings: DecisionSettings): Decision {
  const others = able.filter((p) => p !== best);
  const limit = best.peerType === 'internal' ? settings.maximumPaths.internal : settings.maximumPaths.external;
  const together = others.filter((p) => {
    const pair = compare(p, best, settings);
    return pair.kind === 'decided' && pair.multipath && !sameHops(p, best);
  });
  const used = limit > 1 ? [best, ...together] : [best];
  if (used.length > limit && new Set(used.map((p) => p.node)).size > 1)
    return {
      kind: 'cannot tell',
      why: `${used.length} paths are equal and ${limit} may carry traffic: which of them isn’t modelled`,
    };
  const elsewhere = others.filter((p) => p.node !== best.node || p.node === undefined);
  const closest = elsewhere
    .map((p) => ({ p, pair: compare(best, p, settings) }))
    .sort((x, y) => rank(y.pair) - rank(x.pair))[0];
  return {
    kind: 'decided',
    best,
    used: used.slice(0, Math.max(1, limit)),
    ...(closest === undefined || closest.pair.kind === 'cannot tell'
      ? { why: others.length === 0 ? 'the only path' : 'the only node' }
      : { rival: closest.p, step: closest.pair.step, why: closest.pair.why }),
  };
}

const rank = (pair: Comparison): number => (pair.kind === 'decided' ? steps.indexOf(pair.step) : -1);
const sameHops = (a: BgpPath, b: BgpPath): boolean => a.nextHops.length > 0 && a.nextHops.join() === b.nextHops.join();

/** Whether a decision rests on something that says nothing about policy, with a rival that leads elsewhere. */
export const isTie = (decision: Decision): boolean =>
  decision.kind === 'decided' && decision.step !== undefined && isTieBreak(decision.step);
