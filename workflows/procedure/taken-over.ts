/** What a run does with what histories told of the part before a reset, or of the run before it. Pure. */
import type { ItemState, State } from './state';
import type { Event } from './events';
import { stepKey } from './wire';

type TakenOverEvent = Extract<Event, { type: 'taken-over' }>;

/** The state with the *befores* that were found there; what can't be undone is named. */
export function takeOver(state: State, { inherited, at, isFirm = false }: TakenOverEvent): State {
  const { from, runId, earlierRunId, by, steps, unknown, adopted = [] } = inherited;
  const found = new Map(steps.filter((s) => !s.undone).map((s) => [s.step, s]));
  const lost: string[] = unknown === undefined ? [] : [unknown];
  let taken = 0;
  let last = -1;
  const items = state.items.map((entry, index): ItemState => {
    const key = stepKey(index, entry.item.name);
    const step = entry.item.kind === 'step' ? found.get(key) : undefined;
    found.delete(key);
    if (step !== undefined) last = index;
    if (step !== undefined && entry.item.kept === true) return entry;
    // A before that this run has recorded itself is the older one, or the same.
    if (step === undefined || entry.before !== undefined) return entry;
    if (step.tooLarge === true || !('before' in step)) {
      if (step.acted) lost.push(`${entry.item.name}: what was there before isn't known`);
      return entry;
    }
    taken++;
    return { ...entry, before: { value: step.before }, inherited: true };
  });
  // An escape or a remedy has no before of its own, and none is needed: what it moved is looked at anew.
  for (const { step, item, acted } of found.values())
    if (acted && item !== undefined) lost.push(`${step}: this run has no such step`);
  const { identity } = state;
  return {
    ...state,
    items,
    ...(identity === undefined
      ? {}
      : {
          identity: {
            ...identity,
            executing: runId,
            calls: Math.max(identity.calls, inherited.lastCall),
            // Who can't undo all of it must not take its hosts for undoable.
            ...(adopted.length === 0 || lost.length > 0 ? {} : { adopted }),
          },
        }),
    // What was begun behind it was begun for good, whoever goes on.
    noReturnBehind:
      state.noReturnBehind ||
      (isFirm && items.slice(0, Math.max(0, last)).some(({ item }) => item.kind === 'no-return')),
    resetCount: state.resetCount + (from === 'reset' ? 1 : 0),
    takenOver: [
      ...state.takenOver.slice(-9),
      {
        at,
        from,
        runId: earlierRunId,
        ...(by === undefined ? {} : { by }),
        steps: taken,
        ...(lost.length === 0 ? {} : { lost: lost.join('; ') }),
      },
    ],
  };
}
