/** Events of one item of the list: what it becomes by them. Pure. */
import type { ItemEvent } from './events';
import { learn, without } from './patch';
import type { ItemState, State } from './state';

const patchItem = (state: State, index: number, patch: (item: ItemState) => ItemState): State => ({
  ...state,
  items: state.items.map((item, i) => (i === index ? patch(item) : item)),
});

export function itemChanged(state: State, event: ItemEvent): State {
  switch (event.type) {
    case 'entered':
      return patchItem(state, event.item, (i) => ({ ...i, known: event.known }));
    case 'item-started':
      return patchItem(state, event.item, (i) => ({
        ...without(i, 'failure', 'endedAt', 'undo'),
        state: 'running',
        startedAt: event.at,
      }));
    case 'observed':
      return patchItem(state, event.item, (i) => ({ ...i, before: { value: event.before } }));
    case 'item-done':
      return learn(
        patchItem(state, event.item, (i) => ({
          ...without(i, 'failure'),
          state: 'done',
          endedAt: event.at,
          result: event.result,
        })),
        event.result,
        event.at,
      );
    case 'item-failed':
      return learn(
        patchItem(state, event.item, (i) => ({
          ...i,
          state: 'failed',
          endedAt: event.at,
          failure: event.failure,
        })),
        event.failure.details,
        event.at,
      );
    case 'item-cut':
      return patchItem(state, event.item, (i) => ({ ...i, state: 'cut', endedAt: event.at }));
    case 'undoing':
      return patchItem(state, event.item, (i) => ({ ...i, state: 'undoing' }));
    case 'undone':
      return learn(
        patchItem(state, event.item, (i) => ({
          ...without(i, 'before', 'inherited'),
          state: 'undone',
          endedAt: i.endedAt ?? event.at,
          undo: { at: event.at, result: event.result },
        })),
        event.result,
        event.at,
      );
    case 'undo-failed':
      return learn(
        patchItem(state, event.item, (i) => ({
          ...i,
          state: 'undo-failed',
          endedAt: event.at,
          failure: event.failure,
        })),
        event.failure.details,
        event.at,
      );
    case 'undo-skipped':
      // Its before stays: if people go on and roll back later, it is still what the step found.
      return patchItem(state, event.item, (i) => ({ ...i, state: 'skipped' }));
    case 'wait-started':
      return patchItem(state, event.item, (i) => ({
        ...i,
        state: 'running',
        startedAt: event.at,
        wait: {
          neededMs: event.neededMs,
          fromMs: event.fromMs,
          ...(event.watch === undefined ? {} : { watch: event.watch }),
        },
      }));
  }
}
