/** The state of a run as a pure function of what happened: the one place where it changes. */
import { kept } from './door';
import type { Event } from './events';
import { learn, without } from './patch';
import { itemChanged } from './reduce-item';
import { watchChanged } from './reduce-watch';
import type { EscapeState, Opening, State } from './state';
import { takeOver } from './taken-over';
import { votesWith } from './votes';

const patchOpening = (state: State, id: string, patch: (opening: Opening) => Opening): State => ({
  ...state,
  openings: state.openings.map((o) => (o.id === id ? patch(o) : o)),
});

/** What the next digest is taken over. */
const isEvidence = ({ type }: Event): boolean =>
  type === 'item-done' || type === 'undone' || type === 'item-failed' || type === 'watch-reported';

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

export function reduce(state: State, event: Event): State {
  const next = changed(state, event);
  if (!isEvidence(event)) return next;
  return { ...next, chain: { ...next.chain, pending: [...next.chain.pending, event] } };
}

function changed(state: State, event: Event): State {
  switch (event.type) {
    case 'entered':
    case 'item-started':
    case 'observed':
    case 'item-done':
    case 'item-failed':
    case 'item-cut':
    case 'undoing':
    case 'undone':
    case 'undo-failed':
    case 'undo-skipped':
    case 'wait-started':
      return itemChanged(state, event);
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
      return takeOver(state, event);
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
    case 'watch-aimed':
    case 'watch-reported':
    case 'watch-blind':
    case 'watch-ended':
      return watchChanged(state, event);
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
