/** The state of a run as a pure function of what happened: the one place where it changes. */
import type { PlannedItem } from '../contract';
import type { EscapeState, Event, ItemState, Opening, State, WatchState } from './state';

/** How many refused messages are kept for people to see; the rest is counted. */
const REFUSED_KEPT = 10;

export const initialState = (items: readonly PlannedItem[], at: number): State => ({
  phase: 'forward',
  startedAt: at,
  items: items.map((item) => ({ item, state: 'pending' })),
  openings: [],
  openingCounts: {},
  requests: {},
  escapes: [],
  remedies: [],
  refused: [],
  refusedCount: 0,
  nodes: {},
  noReturnBehind: false,
  cancelled: false,
});

const without = <T extends object, K extends keyof T>(value: T, ...keys: K[]): Omit<T, K> => {
  const copy = { ...value };
  for (const key of keys) delete copy[key];
  return copy;
};

const patchItem = (state: State, index: number, patch: (item: ItemState) => ItemState): State => ({
  ...state,
  items: state.items.map((item, i) => (i === index ? patch(item) : item)),
});

const patchOpening = (state: State, id: string, patch: (opening: Opening) => Opening): State => ({
  ...state,
  openings: state.openings.map((o) => (o.id === id ? patch(o) : o)),
});

const patchWatch = (state: State, role: 'watch' | 'guard', patch: (watch: WatchState) => WatchState): State => {
  const watch = state[role];
  return watch === undefined ? state : { ...state, [role]: patch(watch) };
};

/** Nodes' facts that a step or watch reported are merged field by field: the newest word on each field stands. */
const learn = (state: State, result: unknown, at: number): State => {
  if (typeof result !== 'object' || result === null || !('nodes' in result)) return state;
  const nodes = { ...state.nodes };
  for (const [name, fields] of Object.entries(result.nodes as State['nodes']))
    nodes[name] = { ...nodes[name], ...fields };
  return { ...state, nodes, nodesAt: at };
};

export function reduce(state: State, event: Event): State {
  switch (event.type) {
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
      return patchItem(state, event.item, (i) => ({
        ...i,
        state: 'failed',
        endedAt: event.at,
        failure: event.failure,
      }));
    case 'item-cut':
      return patchItem(state, event.item, (i) => ({ ...i, state: 'cut', endedAt: event.at }));
    case 'undoing':
      return patchItem(state, event.item, (i) => ({ ...i, state: 'undoing' }));
    case 'undone':
      return learn(
        patchItem(state, event.item, (i) => ({
          ...without(i, 'before'),
          state: 'undone',
          endedAt: i.endedAt ?? event.at,
          undo: { at: event.at, result: event.result },
        })),
        event.result,
        event.at,
      );
    case 'undo-failed':
      return patchItem(state, event.item, (i) => ({
        ...i,
        state: 'undo-failed',
        endedAt: event.at,
        failure: event.failure,
      }));
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
    case 'stumbled':
      return { ...state, stumble: { item: event.item, kind: event.kind, why: event.why } };
    case 'recovered':
      return without(state, 'stumble');
    case 'opened':
      return {
        ...state,
        openings: [...state.openings, event.opening],
        openingCounts: { ...state.openingCounts, [event.ask]: (state.openingCounts[event.ask] ?? 0) + 1 },
      };
    case 'answered':
      return patchOpening(state, event.opening, (o) => ({ ...o, answers: [...o.answers, event.answer] }));
    case 'closed':
      return patchOpening(state, event.opening, (o) => ({ ...o, outcome: event.outcome }));
    case 'refused': {
      const { type: _, ...refused } = event;
      return {
        ...state,
        refused: [...state.refused, refused].slice(-REFUSED_KEPT),
        refusedCount: state.refusedCount + 1,
      };
    }
    case 'requested':
      // The first word stands until it is dealt with; a second regression doesn't overwrite why the first came.
      return { ...state, requests: { ...event.requests, ...state.requests } };
    case 'request-met':
      return { ...state, requests: without(state.requests, event.request) };
    case 'watch-started':
      return { ...state, [event.role]: { item: event.item, since: event.at, heardAt: event.at, state: 'watching' } };
    case 'watch-reported':
      return learn(
        patchWatch(state, event.role, (watch) => ({
          ...without(watch, 'why'),
          state: event.report.verdict === 'regression' ? 'regression' : 'watching',
          report: event.report,
          heardAt: event.at,
          ...(event.report.why === undefined ? {} : { why: event.report.why }),
        })),
        event.report,
        event.at,
      );
    case 'watch-blind':
      return patchWatch(state, event.role, (watch) => ({ ...watch, state: 'blind', why: event.why }));
    case 'watch-ended':
      return patchWatch(state, event.role, (watch) =>
        watch.state === 'regression' ? watch : { ...watch, state: 'ended' },
      );
    case 'remedied':
      return learn({ ...state, remedies: [...state.remedies, event.remedy] }, event.remedy.result, event.remedy.at);
    case 'escape-started':
      return {
        ...state,
        phase: 'escaping',
        escapes: [...state.escapes, { why: event.why, at: event.at, state: 'running', repeatFrom: event.repeatFrom }],
      };
    case 'escape-ended': {
      const escapes = state.escapes.map((e, i): EscapeState => {
        if (i !== state.escapes.length - 1) return e;
        return event.failure === undefined
          ? { ...e, state: 'done', result: event.result }
          : { ...e, state: 'failed', failure: event.failure };
      });
      return learn({ ...state, escapes }, event.result, event.at);
    }
    case 'repeat-from':
      // Befores stay: the first before is kept until its step has been undone.
      return {
        ...state,
        items: state.items.map((i, index) =>
          index < event.item
            ? i
            : { ...without(i, 'result', 'failure', 'undo', 'startedAt', 'endedAt', 'wait'), state: 'pending' },
        ),
      };
    case 'no-return':
      return { ...state, noReturnBehind: true };
    case 'cancel-spent':
      return { ...state, cancelled: true, requests: without(state.requests, 'cancel') };
    case 'phase':
      return { ...state, phase: event.phase };
    case 'ended':
      return { ...state, phase: 'ended', ending: { ending: event.ending, standing: event.standing, at: event.at } };
  }
}
