/**
 * Recording: the body runs against a context that does nothing, which gives the ordered list of steps, gates and watches.
 * It works because a body branches on the plan alone, never on what a step returned.
 */
import type { PlannedItem } from '../contract';
import type { Action, Body, Context, Given, PlanBase } from './types';

export async function record<P extends PlanBase>(body: Body<P>, plan: P): Promise<readonly PlannedItem[]> {
  const items: PlannedItem[] = [];
  const add = (item: PlannedItem): { given: number } => ({ given: items.push(item) - 1 });
  const named = (kind: 'step' | 'check', name: string, action: Action, kept?: boolean): Given<never> =>
    add({ kind, name, action: action.type, input: action.input, ...(kept ? { kept } : {}) });
  const context: Context<P> = {
    plan,
    check: async (name, action) => named('check', name, action),
    step: async (name, action, options = {}) => named('step', name, action, options.keep !== undefined),
    gate: async (id, question, { passedOver = false } = {}) => {
      if (plan.policy.gates[id] === undefined) return;
      add({ kind: 'gate', name: id, input: question, ...(passedOver ? { passedOver } : {}) });
    },
    watching: async (watch, _options, inner) => {
      add({ kind: 'watch', name: watch.name, action: watch.action.type, input: watch.action.input });
      await inner();
      add({ kind: 'watch-end', name: watch.name });
    },
    guarding: async (guard, _options, inner) => {
      add({ kind: 'guard', name: guard.name, action: guard.action.type, input: guard.action.input });
      await inner();
      add({ kind: 'guard-end', name: guard.name });
    },
    atLeast: async (name, ms) => {
      add({ kind: 'wait', name, input: { ms } });
    },
    pointOfNoReturn: async (why) => {
      add({ kind: 'no-return', name: why });
    },
    switchBackMeans: () => undefined,
  };
  await body(context);
  return items;
}

/** The list as it is compared: what is done, by what activity, under what name, and whether a rollback leaves it. */
export const listOf = (items: readonly PlannedItem[]): readonly string[] =>
  items.map(({ kind, name, action, kept, passedOver }) =>
    [kind, name, action, kept === true ? 'kept' : undefined, passedOver === true ? 'passed over' : undefined]
      .filter((part) => part !== undefined)
      .join(': '),
  );
