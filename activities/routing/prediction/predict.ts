/**
 * What each router will do with each destination under a planned change, in each state on the way, and why. Pure. Its
 * scope: the paths that each router holds now, and the change. What depends on more than that is "can't tell", and says so.
 */
import type { Fault } from '../../kit';
import { isTie, type Decision } from './decide';
import { nameOf, type BgpPath, type RouterModel, type Table } from './model';
import { tableKey, type ChangeStep, type Loop, type PlannedChange } from './change';
import { Network } from './network';

/**
 * clear: all of it goes through one node, for a reason that a policy gave. split: it is spread over two. tie: one node, but
 * only by age, router ID or the like. elsewhere: through neither node.
 */
export type Verdict = 'clear' | 'split' | 'tie' | 'elsewhere' | 'no path' | 'cannot tell';

/** One destination on one router in one state. */
export interface Row {
  readonly router: string;
  readonly family: Table['family'];
  readonly prefix: string;
  readonly verdict: Verdict;
  /** The one node that traffic goes through; undefined where there isn't exactly one. */
  readonly node?: string;
  /** "border: 0.0.0.0/0 → fw2, local preference 110 > 100" */
  readonly sentence: string;
  readonly why: string;
}

export interface State {
  /** "now", or the step that led to it. */
  readonly after: ChangeStep | 'now';
  readonly rows: readonly Row[];
  /** Routers of a side that sent traffic to each other on the way to this state. */
  readonly loops: readonly Loop[];
}

export interface Prediction {
  /** First as it is now, last as it will be. */
  readonly states: readonly State[];
  /** What makes the change one that must not be made. */
  readonly faults: readonly Fault[];
  /** What can't be told, each with why: people may waive it by name. */
  readonly untold: readonly Fault[];
  /** One line for each router and destination, as it will be. */
  readonly lines: readonly string[];
  /** For a change that comes after this one. */
  readonly reached: readonly RouterModel[];
}

/**
 * @param target node that is to serve in the end; undefined on the way, where each router may use another one and only
 * loops are wrong
 */
export function predict(
  routers: readonly RouterModel[],
  change: PlannedChange,
  target: string | undefined,
): Prediction {
  const forward = statesOf(routers, change, false);
  const backward = statesOf(routers, change, true);
  const last = forward.states.at(-1)?.rows ?? [];
  const other = new Map((backward.states.at(-1)?.rows ?? []).map((r) => [rowKey(r), r]));
  const loops = [...forward.states, ...backward.states].flatMap((s) =>
    s.loops.map((loop) => ({ loop, after: s.after })),
  );
  const rows = last.map((row) => unlessOrderMatters(row, other.get(rowKey(row))));
  return {
    states: forward.states,
    faults: distinct([
      ...(target === undefined ? [] : rows.flatMap((row) => faultOf(row, target))),
      ...loops.map(({ loop, after }) => loopFault(loop, after)),
    ]),
    untold: distinct([
      ...rows.filter((r) => r.verdict === 'cannot tell').map((r) => ({ where: at(r), what: r.why })),
      ...[...forward.unsettled, ...backward.unsettled].map((where) => ({
        where,
        what: 'the routers would go on telling each other something new, without an end',
      })),
      ...routers.flatMap((r) => r.remarks.map((what) => ({ where: r.router, what }))),
    ]),
    lines: rows.map((r) => r.sentence),
    reached: forward.reached,
  };
}

function statesOf(
  routers: readonly RouterModel[],
  change: PlannedChange,
  reversed: boolean,
): { readonly states: State[]; readonly unsettled: readonly string[]; readonly reached: readonly RouterModel[] } {
  const network = new Network(routers, change, reversed);
  const states: State[] = [{ after: 'now', rows: rowsOf(network), loops: [] }];
  for (const step of change.steps) {
    const loops = network.make(step);
    states.push({ after: step, rows: rowsOf(network), loops });
  }
  return { states, unsettled: network.unsettled, reached: network.reached };
}

const rowsOf = (network: Network): Row[] =>
  network.routers.flatMap((r) => r.tables.map((t) => rowOf(r.router, t, network.decision(r.router, t))));

const rowKey = (row: Row): string => `${row.router} ${tableKey(row)}`;
const at = (row: Row): string => `${row.router} ${row.prefix}`;

/** What a decision means for one destination. */
export function rowOf(router: string, { family, prefix }: Table, decision: Decision): Row {
  const base = { router, family, prefix };
  const head = `${router}: ${prefix}`;
  if (decision.kind === 'no path')
    return { ...base, verdict: 'no path', why: 'no usable path', sentence: `${head} → nowhere, no usable path` };
  if (decision.kind === 'cannot tell')
    return { ...base, verdict: 'cannot tell', why: decision.why, sentence: `${head} → can’t tell: ${decision.why}` };
  const { best, used, why, rival } = decision;
  const shown = [...new Set(used.map(placeOf))].join(' and ');
  if (new Set(used.map((p) => p.node)).size > 1)
    return {
      ...base,
      verdict: 'split',
      why: 'they are equal',
      sentence: `${head} is spread over ${shown}: they are equal`,
    };
  if (best.node === undefined) return { ...base, verdict: 'elsewhere', why, sentence: `${head} → ${shown}, ${why}` };
  const whole = { ...base, node: best.node, why };
  if (isTie(decision))
    return {
      ...whole,
      verdict: 'tie',
      sentence: `${head} → ${best.node}, a tie with ${rival === undefined ? 'another' : placeOf(rival)} that only ${why} decides`,
    };
  return { ...whole, verdict: 'clear', sentence: `${head} → ${best.node}, ${why}` };
}

/** "fw1 (10.77.5.2)"; "neither node (10.0.9.1)". */
const placeOf = (p: BgpPath): string => `${p.node ?? 'neither node'} (${nameOf(p)})`;

function unlessOrderMatters(row: Row, other: Row | undefined): Row {
  if (
    other === undefined ||
    row.verdict === 'cannot tell' ||
    (row.node === other.node && row.verdict === other.verdict)
  )
    return row;
  const why = `it depends on which router hears of the change first (${row.node ?? row.verdict} or ${other.node ?? other.verdict})`;
  const { node: _, ...rest } = row;
  return { ...rest, verdict: 'cannot tell', why, sentence: `${row.router}: ${row.prefix} → can’t tell: ${why}` };
}

const CURES: Readonly<Record<Exclude<Verdict, 'clear' | 'cannot tell'>, string>> = {
  split: 'choose values of preferred and other that differ from each other on every session with a node, named or not',
  tie: 'choose values of preferred and other that decide it, and see that they reach every session with a node',
  elsewhere: 'name the session that leads there, or give it a local preference below preferred.localPreference',
  'no path': 'see that the node announces the prefix, and that no policy keeps it out',
};

function faultOf(row: Row, target: string): Fault[] {
  if (row.verdict === 'cannot tell') return [];
  if (row.verdict !== 'clear')
    return [{ where: at(row), what: `after the move: ${row.sentence}`, next: CURES[row.verdict] }];
  if (row.node === target) return [];
  return [
    {
      where: at(row),
      what: `after the move traffic would still go through ${row.node ?? '?'}: ${row.why}`,
      next: `raise what is preferred towards ${target}, or lower what is preferred towards ${row.node ?? '?'}: ${row.why} decides`,
    },
  ];
}

function loopFault({ between, prefix }: Loop, after: ChangeStep | 'now'): Fault {
  const step = after === 'now' ? 'now' : shownStep(after);
  return {
    where: between.join(' and '),
    what: `${between.join(' and ')} would send ${prefix} to each other for a moment (${step}): packets are lost`,
    next: 'give policy.equal: values on the way between, with which every router uses its own exit',
  };
}

/** "once border’s routes to 10.0.3.1 have changed" */
export const shownStep = (step: ChangeStep): string =>
  step.kind === 'session down'
    ? `once the session of ${step.router} with ${step.neighbor} is down`
    : `once ${step.router}’s routes ${step.direction === 'in' ? 'from' : 'to'} ${step.neighbor} have changed`;

const distinct = (faults: readonly Fault[]): Fault[] => [
  ...new Map(faults.map((f) => [`${f.where} ${f.what}`, f])).values(),
];

/** Where what the routers do isn't what was predicted; empty if all is as it was said. For the look after a move. */
export function unlike(predicted: readonly Row[], seen: readonly Row[]): Fault[] {
  const now = new Map(seen.map((r) => [rowKey(r), r]));
  return predicted.flatMap((row) => {
    if (row.verdict === 'cannot tell') return [];
    const is = now.get(rowKey(row));
    if (is?.node === row.node && is?.verdict === row.verdict) return [];
    return [{ where: at(row), what: `predicted: ${row.sentence}; it is: ${is?.sentence ?? 'not read'}` }];
  });
}
