/** What a scenario is: a row of the tables beside this file. */
import type { ClusterKind } from '../../../workflows/contract';
import type { GatePolicy, PlanBase, Policy } from '../../../workflows/procedure';
import type { KeptRun, Setting } from './run';
import type { Call, Parts } from './stage';
import type { Turn, Turns } from './script';

export interface Scenario {
  /** Part of the file's name. */
  readonly what: string;
  readonly kinds: readonly ClusterKind[];
  readonly setting?: (parts: Parts) => Setting;
  readonly play: (run: KeptRun, parts: Parts) => Promise<void>;
  readonly ends: Ends;
  /** What is kept is the first run of its chain, not the last one: it ends as that does, or as "ContinuedAsNew". */
  readonly isFirst?: true;
  /** The server suggests another link of the chain after few events. */
  readonly isShortLinked?: true;
}

/**
 * "open": kept while the run goes on. Otherwise how it ends: "Completed", "Cancelled", or the type of its failure. Where that
 * isn't the same in all releases: by the first release that ends so ("0.2.0"). A scenario isn't there before the first of them,
 * nor from one on that has "none".
 */
export type Ends = string | Readonly<Record<string, string>>;

/** How a run of this release ends; undefined if the scenario isn't there for it. */
export function endsIn(ends: Ends, release: string): string | undefined {
  if (typeof ends === 'string') return ends;
  const from = Object.keys(ends)
    .filter((first) => compareReleases(first, release) <= 0)
    .sort(compareReleases)
    .at(-1);
  const end = from === undefined ? 'none' : ends[from];
  return end === 'none' ? undefined : end;
}

/** Of what only runs that began by the rules `core-2` have. */
export const core2 = (end: string): Ends => ({ '0.2.0': end });

const numbers = (release: string): readonly number[] => release.split('.').map(Number);
export function compareReleases(a: string, b: string): number {
  const other = numbers(b);
  return (
    numbers(a)
      .map((n, i) => n - (other[i] ?? 0))
      .find((difference) => difference !== 0) ?? 0
  );
}

export const EVERY: readonly ClusterKind[] = ['firewall-pair', 'x-road-cluster', 'panos-pair'];
export const FIREWALLS: readonly ClusterKind[] = ['firewall-pair', 'panos-pair'];
export const XROAD: readonly ClusterKind[] = ['x-road-cluster'];
export const PANOS: readonly ClusterKind[] = ['panos-pair'];

export const A_DAY_MS = 24 * 3_600_000;

/** A failure for good. */
export const fails = (message = 'exit code 1: no space left on device', type = 'CommandFailed'): Turn => ({
  fails: type,
  message,
});

/** Turns of one call, after those before it. */
export const at = ({ activity, number }: Call, ...turns: readonly Turn[]): Turns => ({
  [activity]: [...Array.from({ length: number - 1 }, () => 'ok' as const), ...turns],
});

export const monitoring =
  (periodMs: number) =>
  (plan: PlanBase): PlanBase =>
    ({ ...plan, monitoring: { periodMs } }) as PlanBase;

export const policy =
  (change: Partial<Policy>) =>
  (plan: PlanBase): PlanBase => ({ ...plan, policy: { ...plan.policy, ...change } });

export const gate =
  (name: string, change: Partial<GatePolicy>) =>
  (plan: PlanBase): PlanBase => {
    const { gates } = plan.policy;
    return policy({ gates: { ...gates, [name]: { count: 1, ...gates[name], ...change } } })(plan);
  };

export const aFailedStep = ({ step }: Parts): Setting => ({ turns: { [`${step}.act`]: [fails()] } });

export const toHold = async (run: KeptRun): Promise<void> => {
  await run.approve('start');
  await run.asked('hold');
};
