/** What a run knows of one of its items: what the body said when it last came by, or what a history told. Pure. */
import type { Failure, State } from './state';
import type { Action, StepOptions, Waivable } from './types';

/** What undoes an item, and under which options; throws for one that never ran, which is a fault of the code. */
export function actionOf(
  state: State,
  item: number,
): { readonly action: Action<'step'>; readonly options: StepOptions } {
  const entry = state.items[item];
  const known = entry?.known;
  if (known?.action !== undefined) return { action: known.action, options: known.options ?? {} };
  // Known from a history alone: as the recorded list has it.
  const action = entry?.item.action;
  if (entry?.inherited !== true || action === undefined) throw new Error(`step ${item} is to be undone but never ran`);
  return { action: { type: action, input: entry.item.input }, options: {} };
}

/** What going over the failure of a check would mean; undefined where that isn't offered. */
export function goOnMeans(state: State, item: number): string | undefined {
  const goOn = state.items[item]?.known?.check?.goOn;
  return goOn !== undefined && failureOf(state, item)?.type === goOn.on ? goOn.means : undefined;
}

/** Names of the faults that people may waive; undefined where that isn't offered. */
export function waivableOf(state: State, item: number): readonly string[] | undefined {
  const waive = state.items[item]?.known?.check?.waive;
  const failure = failureOf(state, item);
  if (waive === undefined || failure?.type !== waive.on) return undefined;
  const { waivable } = (failure.details ?? {}) as Partial<Waivable>;
  // A failure, too, may come from outside.
  return Array.isArray(waivable) ? waivable.map(String) : undefined;
}

function failureOf(state: State, item: number): Failure | undefined {
  const entry = state.items[item];
  return entry?.state === 'failed' ? entry.failure : undefined;
}
