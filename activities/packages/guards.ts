import type { AnyPlan, StepContext } from '../kit/step';

/**
 * How it is known that a node may be taken away from its users. What carries traffic differs by procedure, so whoever puts
 * the activities together names the measurement; packages never look at traffic themselves.
 */
export interface Guards {
  /**
   * Asked on every attempt, right before packages are exchanged or the node is rebooted.
   * @throws GuardRefused unless a measurement shows that no user traffic passes through the node and that another serves.
   */
  assertOutOfService(context: StepContext<AnyPlan>, node: string): Promise<void>;
}
