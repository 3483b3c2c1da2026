/** The state of a run as a pure function of what happened: the one place where it changes. */
import type { PlannedItem } from '../contract';
import { kept } from './door';
import type { EscapeState, Event, ItemState, Opening, RecoveryState, State, Vote, WatchState } from './state';
import type { Identity, Inherited, WatchReport } from './types';
import { stepKey } from './wire';

/** A word that needs others to count is forgotten after this time. */
const VOTE_MS = 3_600_000;

export const noRecovery: RecoveryState = {
  reason: '',
  escapeFailed: false,
  escaped: false,
  escapedByItself: false,
  stumbleSettled: false,
  unmended: null,
  cancelling: false,
  rollBack: null,
};

export const initialState = (
  items: readonly PlannedItem[],
  at: number,
  planDigest: string,
  identity?: Identity,
): State => ({
  phase: 'forward',
  startedAt: at,
  items: items.map((item) => ({ item, state: 'pending' })),
  openings: [],
  openingCounts: {},
  requests: {},
  escapes: [],
  remedies: [],
  escapeCount: 0,
  remedyCount: 0,
  answersDropped: 0,
  refused: [],
  refusedCount: 0,
  votes: { pause: [], switchBack: [] },
  recovery: noRecovery,
  switchBack: 'traffic has not been moved yet, there is nothing to switch back',
  chain: { digest: planDigest, pending: [] },
  ...(identity === undefined ? {} : { identity }),
  takenOver: [],
  resetCount: 0,
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

/** What the next digest is taken over. */
const isEvidence = ({ type }: Event): boolean =>
  type === 'item-done' || type === 'undone' || type === 'item-failed' || type === 'watch-reported';

/** Votes that still count, with a new one. */
export const votesWith = (votes: readonly Vote[], vote: Vote): readonly Vote[] => [
  ...votes.filter(({ at }) => vote.at - at < VOTE_MS),
  vote,
];

/** The newest openings, and all that are open; answers of those that are dropped are counted. */
function dropOld(state: State): State {
  const over = state.openings.length - kept.openings;
  if (over <= 0) return state;
  const dropped = state.openings.filter((o, index) => index < over && o.outcome !== undefined);
  if (dropped.length === 0) return state;
  return {
    ...state,
    openings: state.openings.filter((o) => !dropped.includes(o)),
    answersDropped: state.answersDropped + dropped.reduce((sum, o) => sum + o.answers.length, 0),
  };
}

const standsAs = ({ verdict, paused }: WatchReport): WatchState['state'] =>
  verdict === 'regression' ? 'regression' : paused === true ? 'blind' : 'watching';

/** What the activity carries for itself is of no use in status and report. */
const withoutCarry = ({ carry: _carry, ...report }: WatchReport): WatchReport => report;

function takeOver(state: State, inherited: Inherited, at: number): State {
  const { from, runId, earlierRunId, by, steps, unknown, adopted = [] } = inherited;
  const found = new Map(steps.filter((s) => !s.undone).map((s) => [s.step, s]));
  const lost: string[] = unknown === undefined ? [] : [unknown];
  let taken = 0;
  let lastActed = -1;
  const items = state.items.map((entry, index): ItemState => {
    const key = stepKey(index, entry.item.name);
    const step = entry.item.kind === 'step' ? found.get(key) : undefined;
    found.delete(key);
    if (step?.acted === true) lastActed = index;
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
    noReturnBehind:
      state.noReturnBehind || items.slice(0, Math.max(0, lastActed)).some(({ item }) => item.kind === 'no-return'),
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

export function reduce(state: State, event: Event): State {
  const next = changed(state, event);
  if (!isEvidence(event)) return next;
  return { ...next, chain: { ...next.chain, pending: [...next.chain.pending, event] } };
}

function changed(state: State, event: Event): State {
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
    case 'stumbled':
      return { ...state, stumble: { item: event.item, kind: event.kind, why: event.why } };
    case 'recovered':
      return without(state, 'stumble');
    case 'opened':
      return dropOld({
        ...state,
        openings: [...state.openings, event.opening],
        openingCounts: { ...state.openingCounts, [event.ask]: (state.openingCounts[event.ask] ?? 0) + 1 },
        ...(event.ask === 'pause' ? { votes: { ...state.votes, pause: [] } } : {}),
      });
    case 'answered':
      return patchOpening(state, event.opening, (o) => ({
        ...o,
        answers: [...o.answers, event.answer].slice(-kept.answers),
      }));
    case 'voted':
      return {
        ...state,
        votes: { ...state.votes, [event.command]: votesWith(state.votes[event.command], event.vote) },
      };
    case 'switch-back-means':
      return { ...state, switchBack: event.means };
    case 'recovering':
      return { ...state, recovery: { ...state.recovery, ...event.recovery } };
    case 'called':
      return state.identity === undefined
        ? state
        : { ...state, identity: { ...state.identity, calls: state.identity.calls + 1 } };
    case 'chained':
      return { ...state, chain: { digest: event.digest, pending: state.chain.pending.slice(event.taken) } };
    case 'taken-over':
      return takeOver(state, event.inherited, event.at);
    case 'closed':
      return patchOpening(state, event.opening, (o) => ({ ...o, outcome: event.outcome }));
    case 'refused': {
      const { type: _, ...refused } = event;
      return {
        ...state,
        refused: [...state.refused, refused].slice(-kept.refused),
        refusedCount: state.refusedCount + 1,
      };
    }
    case 'requested':
      // The first word stands until it is dealt with; a second regression doesn't overwrite why the first came.
      return {
        ...state,
        requests: { ...event.requests, ...state.requests },
        ...(event.requests.switchBack === undefined ? {} : { votes: { ...state.votes, switchBack: [] } }),
      };
    case 'request-met':
      return { ...state, requests: without(state.requests, event.request) };
    case 'watch-started':
      return {
        ...state,
        [event.role]: {
          item: event.item,
          since: event.at,
          heardAt: event.at,
          state: 'waiting',
          on: true,
          spec: event.spec,
          answer: event.answer,
          observedMs: 0,
          blindTimes: 0,
        } satisfies WatchState,
      };
    case 'watch-aimed':
      return patchWatch(state, event.role, (watch) => ({
        ...watch,
        goalMs: event.goalMs,
        aimedAtMs: watch.observedMs,
      }));
    case 'watch-reported':
      return learn(
        patchWatch(state, event.role, (watch) => ({
          ...without(watch, 'why', 'carry'),
          state: standsAs(event.report),
          report: withoutCarry(event.report),
          heardAt: event.at,
          observedMs: event.report.observedMs,
          blindTimes: 0,
          ...(event.report.carry === undefined ? {} : { carry: event.report.carry }),
          ...(event.report.why === undefined ? {} : { why: event.report.why }),
        })),
        event.report,
        event.at,
      );
    case 'watch-blind':
      return patchWatch(state, event.role, (watch) => ({
        ...watch,
        state: 'blind',
        why: event.why,
        blindTimes: watch.blindTimes + 1,
        ...(event.beaten === undefined
          ? {}
          : { carry: event.beaten.carry, observedMs: Math.max(watch.observedMs, event.beaten.observedMs) }),
      }));
    case 'watch-ended':
      return patchWatch(state, event.role, (watch) => ({
        ...watch,
        on: false,
        state: watch.state === 'regression' ? 'regression' : 'ended',
      }));
    case 'remedied':
      return learn(
        {
          ...state,
          remedies: [...state.remedies, event.remedy].slice(-kept.remedies),
          remedyCount: state.remedyCount + 1,
        },
        event.remedy.result,
        event.remedy.at,
      );
    case 'escape-started':
      return {
        ...state,
        phase: 'escaping',
        escapes: [
          ...state.escapes,
          { why: event.why, at: event.at, state: 'running' as const, repeatFrom: event.repeatFrom },
        ].slice(-kept.escapes),
        escapeCount: state.escapeCount + 1,
      };
    case 'escape-ended': {
      const escapes = state.escapes.map((e, i): EscapeState => {
        if (i !== state.escapes.length - 1) return e;
        return event.failure === undefined
          ? { ...e, state: 'done', result: event.result }
          : { ...e, state: 'failed', failure: event.failure };
      });
      return learn({ ...state, escapes }, event.result ?? event.failure?.details, event.at);
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
