/** Events of a watch or guard: what it becomes by them. Pure. */
import type { WatchEvent } from './events';
import { learn, without } from './patch';
import type { State, WatchState } from './state';
import type { WatchReport } from './types';

const patchWatch = (state: State, role: 'watch' | 'guard', patch: (watch: WatchState) => WatchState): State => {
  const watch = state[role];
  return watch === undefined ? state : { ...state, [role]: patch(watch) };
};

const standsAs = ({ verdict, paused }: WatchReport): WatchState['state'] =>
  verdict === 'regression' ? 'regression' : paused === true ? 'blind' : 'watching';

/** What the activity carries for itself is of no use in status and report. */
const withoutCarry = ({ carry: _carry, ...report }: WatchReport): WatchReport => report;

export function watchChanged(state: State, event: WatchEvent): State {
  switch (event.type) {
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
  }
}
