/**
 * Ways to move traffic, behind one shape: `prefer` does what they have in common (guard, verification, putting back).
 */
import { permanent, type ChangedSincePlan, type Fault, type Preview } from '../kit';
import type { RouterReading } from './driver';

/** Where traffic is to go, and how that is to be written down. */
export type Goal =
  /** To this node, by the values of the plan. */
  | { readonly kind: 'role'; readonly node: string }
  /** As it was when the plan was made. */
  | { readonly kind: 'restore'; readonly node: string }
  /** As it was when the step began. */
  | { readonly kind: 'undo' };

/** What a method must know to put back what it found. Plain data, without secrets. */
export type SteeringState = Readonly<Record<string, unknown>>;

export interface Move {
  /** Nothing is left to do on any device; what routers then choose is another question. */
  readonly done: boolean;
  /** What is to be seen by people beside the result: what others changed but doesn't stop this move. */
  readonly remarks: readonly string[];
  readonly preview: Preview;
  /** Makes the move. The guard has been checked, on these readings. */
  make(readings: readonly RouterReading[]): Promise<void>;
  /** After verification: what was only on trial stays, also over a restart. */
  keep(): Promise<void>;
}

export interface Steering<State extends SteeringState = SteeringState> {
  /** The vacated node can take over again as it is; if not, a verified move doesn't show an escape. */
  readonly keepsEscape: boolean;
  /** The target may be shut by this method itself, and is opened before it is looked at whether it is able to serve. */
  readonly opensTarget: boolean;
  observe(): Promise<State>;
  /**
   * How what was observed differs from the plan. `isFirst`: nothing of this run has changed it yet; later the states that the
   * run itself writes are known too. Reads nothing of what it judges.
   */
  changedSincePlan(before: State, isFirst: boolean): Promise<readonly ChangedSincePlan[]>;
  /**
   * Reads the devices and renders the move. `urgent` (an escape) goes over what others changed, and says so.
   * @throws ForeignChange, NotReady
   */
  plan(goal: Goal, before: State, readings: readonly RouterReading[], urgent: boolean): Promise<Move>;
  /** What keeps this method from working, for the readiness check. */
  faults(): Promise<Fault[]>;
  /**
   * What others changed of what this method writes or relies on. `serving` is who serves now, if exactly one does;
   * `originally` who did when the plan was made. Reads only.
   */
  changed(serving: string | undefined, originally: string): Promise<readonly string[]>;
  /** What would keep an urgent move from working, besides what the routers say of its target. Reads only. */
  escapeFaults(): Promise<Fault[]>;
}

export const foreignChange = (where: string, differences: readonly string[], what: string) =>
  permanent(
    'ForeignChange',
    `${where}: somebody else changed what this run relies on. ${what} Found: ${differences.join('; ')}. Nothing was changed by this attempt. Next: find out who did (another run? a configuration manager?), put it right, then retry or roll back.`,
    { where, differences },
  );
