/** The first look of a step: what it finds, unless that isn't what people approved. */
import { permanent } from './errors';
import type { AnyPlan, ChangedSincePlan, StepContext, StepDefinition } from './step';

/**
 * What `observe` finds becomes what the step puts back later: a change that somebody made after the plan was resolved must
 * not slip into that.
 * @throws ForeignChange (permanent)
 */
export async function observed<Before>(
  step: Pick<StepDefinition<AnyPlan, Before, AnyPlan>, 'observe' | 'changedSincePlan'>,
  context: StepContext<AnyPlan>,
  input: unknown,
): Promise<Before> {
  const before = await step.observe(context, input);
  const changes = (await step.changedSincePlan?.(context, input, before)) ?? [];
  if (changes.length > 0) throw changedSincePlan(changes);
  return before;
}

const changedSincePlan = (changes: readonly ChangedSincePlan[]): Error =>
  permanent(
    'ForeignChange',
    `somebody changed what this run owns after the plan was made that people approved:\n${changes.map(told).join('\n')}\nNothing was changed by this step. Next: put it back as it was and retry; or roll back and start again, with a new plan that takes it as it is now.`,
    { changes },
  );

const told = ({ where, what, change }: ChangedSincePlan): string =>
  'diff' in change
    ? `- ${where}: ${what} (-: when the plan was made, +: now)\n${change.diff}`
    : `- ${where}: ${what} was ${change.was} when the plan was made, and is ${change.now} now`;
