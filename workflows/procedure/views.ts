/** Status and report: views of the state, nothing kept beside it. */
import type { OpeningView, StatusView, StepView, WatchView } from '../contract';
import { DIGEST_CHARS } from './asks';
import { choicesOf } from './choices';
import { isCounted, stepName } from './phrases';
import { doing, headline } from './sentences';
import {
  isLeft,
  isPaused,
  openOpenings,
  summaryOf,
  type EscapeState,
  type ItemState,
  type Opening,
  type RemedyState,
  type State,
} from './state';
import type { PlanBase } from './types';

/** What a view needs of a run. */
export interface Viewed {
  readonly state: State;
  readonly plan: PlanBase;
  readonly planDigest: string;
  now(): number;
}

export const iso = (at: number): string => new Date(at).toISOString();

const openingView = (o: Opening, { state, plan }: Viewed): OpeningView => ({
  id: o.id,
  kind: o.kind,
  question: o.question,
  choices: o.choices,
  digest: o.digest.slice(0, DIGEST_CHARS),
  openedAt: iso(o.openedAt),
  answered: o.answers.map((a) => `${a.by}: ${a.choice}`),
  needed: o.needed,
  ...(o.expiresAt === undefined ? {} : { expiresAt: iso(o.expiresAt) }),
  ...(o.onExpiry === undefined ? {} : { onExpiry: o.onExpiry }),
  ...(o.from === undefined ? {} : { from: o.from }),
  ...(o.waivable === undefined ? {} : { waivable: o.waivable }),
  ...(o.notRequester && plan.requestedBy !== undefined ? { notFrom: plan.requestedBy } : {}),
  answers: choicesOf(state, o, plan),
});

/** What was under way when a regression, a word or a failure came: it is begun again, or never. */
const isDropped = ({ phase }: State, { item: { kind }, state }: ItemState): boolean =>
  state === 'running' && DROPPED.has(phase) && kind !== 'watch' && kind !== 'guard';
const DROPPED: ReadonlySet<State['phase']> = new Set(['escaping', 'mending', 'undoing-step', 'held']);

function stepViews(state: State): StepView[] {
  return state.items.filter(isCounted).map((entry, index) => {
    const summary = summaryOf(entry.result);
    const undone = summaryOf(entry.undo?.result);
    return {
      number: index + 1,
      name: stepName(entry),
      kind: entry.item.kind,
      state: isLeft(state, entry) || isDropped(state, entry) ? 'cut' : entry.state,
      ...(entry.startedAt === undefined ? {} : { startedAt: iso(entry.startedAt) }),
      ...(entry.endedAt === undefined ? {} : { endedAt: iso(entry.endedAt) }),
      ...(summary === undefined ? {} : { summary }),
      ...(entry.failure === undefined ? {} : { failure: `${entry.failure.type}: ${entry.failure.message}` }),
      ...(entry.undo === undefined
        ? {}
        : { undo: { at: iso(entry.undo.at), ...(undone === undefined ? {} : { summary: undone }) } }),
    };
  });
}

/** The step that people want to hear of: the one that is undone or failed, else the innermost under way, else the next. */
function current(state: State, steps: readonly StepView[]): StepView | undefined {
  const undoing = steps.find((s) => s.state === 'undoing');
  const { phase, stumble } = state;
  if (undoing !== undefined) return undoing;
  if (stumble !== undefined && phase !== 'forward')
    return steps[state.items.slice(0, stumble.item).filter(isCounted).length];
  const under = steps.filter((s) => s.state === 'running' || s.state === 'failed' || s.state === 'cut');
  return (
    under.findLast((s) => s.kind !== 'watch' && s.kind !== 'guard') ??
    steps.find((s) => s.state === 'pending') ??
    steps.at(-1)
  );
}

function watchView(state: State, role: 'watch' | 'guard'): WatchView | undefined {
  const watch = state[role];
  if (watch === undefined) return undefined;
  const name = state.items[watch.item]?.item.name ?? '';
  const { report } = watch;
  return {
    name,
    since: iso(watch.since),
    state: watch.state,
    observedMs: report?.observedMs ?? 0,
    pass: report?.pass ?? 0,
    fail: report?.fail ?? 0,
    inconclusive: report?.inconclusive ?? 0,
    ...(report?.escape === undefined || watch.state === 'regression' || watch.state === 'ended'
      ? {}
      : { escape: report.escape }),
    ...(report?.owned === undefined || watch.state === 'ended' ? {} : { owned: report.owned }),
    ...(report === undefined ? {} : { asOf: iso(watch.heardAt) }),
    ...((watch.why ?? report?.last) === undefined ? {} : { last: watch.why ?? report?.last ?? '' }),
  };
}

/** Observed time of the wait that is on, as of the watch's last report (or now, where plain time is waited for). */
function waitView(state: State, now: number): StatusView['wait'] {
  // Where the way forward was left nothing is waited for, and nothing counts.
  if (state.phase !== 'forward') return undefined;
  const entry = state.items.find((i) => i.item.kind === 'wait' && i.state === 'running');
  if (entry?.wait === undefined) return undefined;
  const { neededMs, fromMs } = entry.wait;
  const watch = entry.wait.watch === undefined ? undefined : state.watch;
  const elapsed = watch === undefined ? now - fromMs : (watch.report?.observedMs ?? 0) - fromMs;
  return {
    name: entry.item.name,
    observedMs: Math.max(0, Math.min(elapsed, neededMs)),
    neededMs,
    asOf: iso(watch?.heardAt ?? now),
    counting: watch === undefined,
  };
}

const remedyView = ({ at, why, result, failure }: RemedyState) => ({
  at: iso(at),
  why,
  outcome: failure === undefined ? (summaryOf(result) ?? 'mended') : `FAILED: ${failure.message}`,
});

const escapeView = ({ at, why, state, result, failure }: EscapeState) => ({
  at: iso(at),
  why,
  outcome:
    state === 'running'
      ? 'traffic is being moved away'
      : failure === undefined
        ? (summaryOf(result) ?? 'traffic was moved away')
        : `FAILED: ${failure.message}`,
});

function votesView({ votes }: State, { policy }: PlanBase): Pick<StatusView, 'votes'> {
  const told = (['pause', 'switchBack'] as const)
    .filter((command) => votes[command].length > 0)
    .map((command) => ({
      command,
      by: votes[command].map((vote) => vote.by),
      needed: policy[command].count ?? 1,
    }));
  return told.length === 0 ? {} : { votes: told };
}

export function statusView(run: Viewed): StatusView {
  const { state, plan } = run;
  const steps = stepViews(state);
  const step = current(state, steps);
  const watch = watchView(state, 'watch');
  const guard = watchView(state, 'guard');
  const wait = waitView(state, run.now());
  return {
    cluster: plan.cluster,
    target: plan.version,
    phase: isPaused(state) ? `${state.phase}, paused` : state.phase,
    doing: doing(state),
    sentence: headline(state, plan, wait),
    asOf: iso(run.now()),
    ...(plan.requestedBy === undefined ? {} : { requestedBy: plan.requestedBy }),
    step: {
      number: step?.number ?? 0,
      of: steps.length,
      name: step?.name ?? '',
      ...(step?.startedAt === undefined ? {} : { since: step.startedAt }),
    },
    nodes: state.nodes,
    ...(state.nodesAt === undefined ? {} : { nodesAsOf: iso(state.nodesAt) }),
    waitingFor: openOpenings(state).map((o) => openingView(o, run)),
    steps,
    refused: state.refused.map((r) => ({ ...r, at: iso(r.at) })),
    refusedCount: state.refusedCount,
    ...votesView(state, plan),
    ...(state.takenOver.length === 0
      ? {}
      : { takenOver: state.takenOver.map((taken) => ({ ...taken, at: iso(taken.at) })) }),
    ...(state.identity === undefined || state.identity.link === 0 ? {} : { link: state.identity.link }),
    planDigest: run.planDigest,
    ...(watch === undefined ? {} : { watch }),
    ...(guard === undefined ? {} : { guard }),
    ...(state.remedies.length === 0 ? {} : { remedies: state.remedies.map(remedyView) }),
    ...(state.escapes.length === 0 ? {} : { escapes: state.escapes.map(escapeView) }),
    ...(wait === undefined ? {} : { wait }),
  };
}
