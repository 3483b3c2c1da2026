/**
 * What the next link of a chain begins with: the state, without what only people read and which stays in the history of this
 * link. Pure.
 */
import { sizeWithin } from './door';
import { summaryOf, type ItemState, type State } from './state';

/** Characters of JSON: above that a run stays in its link rather than lose something. */
const CARRIED_CHARS = 1_000_000;

/** The state as input of the next link. */
export interface Carried {
  readonly schema: 1;
  readonly state: State;
}

/** Items whose results a later step is given. */
function givenIn(value: unknown, found: Set<number>): Set<number> {
  if (typeof value !== 'object' || value === null) return found;
  const { given } = value as { readonly given?: unknown };
  if (typeof given === 'number') found.add(given);
  for (const part of Object.values(value)) givenIn(part, found);
  return found;
}

const told = (result: unknown): unknown => {
  const summary = summaryOf(result);
  const { waived, by, reason } = (result ?? {}) as Record<string, unknown>;
  return {
    ...(summary === undefined ? {} : { summary }),
    ...(waived === undefined ? {} : { waived, by, reason }),
  };
};

/** Commands and their outputs stay in the old link; their digest goes along in the chain. */
function withoutRan(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || !('ran' in result)) return result;
  const { ran: _, ...rest } = result;
  return rest;
}

/** Undefined if it is too large: nothing is left out that an undo or a later step needs. */
export function carried(state: State): Carried | undefined {
  const needed = givenIn(
    state.items.map((i) => i.item.input),
    new Set<number>(),
  );
  const items = state.items.map((entry, index): ItemState => {
    if (entry.result === undefined) return entry;
    return { ...entry, result: needed.has(index) ? withoutRan(entry.result) : told(entry.result) };
  });
  const escapes = state.escapes.map((e) => (e.result === undefined ? e : { ...e, result: told(e.result) }));
  const remedies = state.remedies.map((r) => (r.result === undefined ? r : { ...r, result: told(r.result) }));
  const next: State = { ...state, items, escapes, remedies };
  return sizeWithin(next, CARRIED_CHARS) === Infinity ? undefined : { schema: 1, state: next };
}
