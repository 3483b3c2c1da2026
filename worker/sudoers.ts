/** Everything that a plan runs by sudo: for the sudoers files that people install, and for the check that they are there. */
import { sudoCommands as packages } from '../activities/packages';
import { sudoCommands as parity } from '../activities/parity';
import { sudoCommands as probes } from '../activities/probes';
import { sudoCommands as routing } from '../activities/routing';
import { sudoCommands as stateSync } from '../activities/state-sync';
import type { ResolvedPlan } from './inventory';

/** One command, in the syntax of sudoers(5). */
export interface SudoCommand {
  /** Name under `hosts`. */
  readonly host: string;
  readonly as: string;
  readonly command: string;
}

/** Pure: needs the static part of a plan only, so that it works before anybody can log in. */
export const sudoCommandsOf = (plan: ResolvedPlan): SudoCommand[] => [
  ...routing(plan),
  ...stateSync(plan),
  ...packages(plan),
  ...parity(plan),
  ...probes(plan.monitoring),
];
