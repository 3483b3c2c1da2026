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
  /** "open": kept while the run goes on. Otherwise how it ends: "Completed", or the type of its failure. */
  readonly ends: string;
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
