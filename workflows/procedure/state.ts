/**
 * The state of a run; events (events.ts) change it (reduce.ts). Status, live details, search attributes and the report are
 * views of this state; nothing else remembers anything.
 */
import type { Ending, PlannedItem } from '../contract';
import type { Action, CheckOptions, Identity, StepOptions, Waived, WatchReport, WatchSpec } from './types';

/** Where a run is. Every phase has its sentence, shown to people. */
export const phases = {
  forward: 'Going forward through the steps of the procedure.',
  'undoing-step': 'A step failed: undoing what it began, back to the last state verified as serving.',
  escaping: 'Moving traffic away at once.',
  mending: 'Something that must stay as it is was lost: putting it right at once.',
  held: 'Waiting for people: see what is asked.',
  'rolling-back': 'Undoing the steps, the last one first.',
  ended: 'The run has ended.',
} as const;
export type Phase = keyof typeof phases;

export interface Failure {
  readonly type: string;
  readonly message: string;
  readonly details?: unknown;
}

export interface ItemState {
  readonly item: PlannedItem;
  /**
   * `pending` also after an escape took its effect back; `cut`: interrupted, what it did by then is unknown;
   * `undone`: taken back and verified; `skipped`: a person said to leave its failed undo.
   */
  readonly state: 'pending' | 'running' | 'done' | 'failed' | 'cut' | 'undoing' | 'undone' | 'undo-failed' | 'skipped';
  /** What was there before the step first acted; kept until the step has been undone. */
  readonly before?: { readonly value: unknown };
  readonly result?: unknown;
  readonly failure?: Failure;
  /** What came of its undo; the result of what was undone stays, for people. */
  readonly undo?: { readonly at: number; readonly result?: unknown };
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** What the body said of it when it last came by: what an undo or a question after a failure needs. */
  readonly known?: {
    readonly action?: Action<'step'>;
    readonly options?: StepOptions;
    readonly check?: Pick<CheckOptions, 'goOn' | 'waive'>;
  };
  /** Its before was recorded before a reset of this run, or by the run before it. */
  readonly inherited?: boolean;
  /** Of a wait: how much is needed, and the mark on the watch's clock (or the wall's) where it began. */
  readonly wait?: { readonly neededMs: number; readonly fromMs: number; readonly watch?: number };
}

export interface Opening {
  readonly id: string;
  readonly kind: 'gate' | 'hold' | 'task' | 'pause';
  readonly question: string;
  readonly choices: readonly string[];
  readonly digest: string;
  readonly openedAt: number;
  readonly expiresAt?: number;
  readonly onExpiry?: string;
  readonly from?: readonly string[];
  /** Faults that the choice `waive` must name. */
  readonly waivable?: readonly string[];
  readonly needed: number;
  readonly notRequester: boolean;
  readonly answers: readonly Answer[];
  /** Set once: what came of it. */
  readonly outcome?: {
    readonly choice: string;
    readonly to?: 'savepoint' | 'start';
    readonly by: readonly string[];
    readonly comment?: string;
  };
}

export interface Answer {
  readonly at: number;
  readonly by: string;
  readonly choice: string;
  readonly to?: 'savepoint' | 'start';
  readonly comment?: string;
}

export interface WatchState {
  readonly item: number;
  readonly since: number;
  /** `waiting`: nobody has watched yet, as nothing has been reported. */
  readonly state: 'waiting' | 'watching' | 'blind' | 'regression' | 'ended';
  readonly report?: WatchReport;
  /** When the last report came; without one, when the watch began. */
  readonly heardAt: number;
  readonly why?: string;
  /** True until it is ended by the procedure: also after it found what it looks for. */
  readonly on: boolean;
  readonly spec: WatchSpec;
  /** Runs when it finds what it looks for. */
  readonly answer: Action<'step'>;
  /** What its activity handed on for the next one. */
  readonly carry?: unknown;
  readonly observedMs: number;
  /** How far a wait needs it to observe. */
  readonly goalMs?: number;
  /** Observed time when that goal was set. */
  readonly aimedAtMs?: number;
  /** How often in a row it couldn't run. */
  readonly blindTimes: number;
}

/** Something that overrules the forward way. Set by messages and watches, cleared when dealt with. */
export interface Requests {
  readonly regression?: { readonly watch: number; readonly why: string; readonly at: number };
  readonly switchBack?: { readonly by: string; readonly reason: string; readonly at: number };
  readonly cancel?: { readonly at: number };
  /** What a guard looks after isn't as it must be. */
  readonly lost?: { readonly guard: number; readonly why: string; readonly at: number };
}

/** A guard found something lost, and its remedy ran. */
export interface RemedyState {
  readonly why: string;
  readonly at: number;
  readonly result?: unknown;
  readonly failure?: Failure;
}

export interface EscapeState {
  readonly why: string;
  readonly at: number;
  readonly state: 'running' | 'done' | 'failed';
  readonly failure?: Failure;
  readonly result?: unknown;
  /** Item index from which a retry repeats everything. */
  readonly repeatFrom: number;
}

/** A message that couldn't be used. */
export interface RefusedState {
  readonly at: number;
  readonly signal: string;
  /** As the message itself said, if it did. */
  readonly by?: string;
  readonly why: string;
}

/** What people said who must be more than one for it to count. */
export interface Vote {
  readonly by: string;
  readonly reason: string;
  readonly at: number;
}

/** What recovery knows of itself; it goes on from here, also in another link of the chain. */
export interface RecoveryState {
  /** Why people are asked, in words for them. */
  readonly reason: string;
  /** The last escape isn't known to have worked: nothing else is offered before that. */
  readonly escapeFailed: boolean;
  /** An escape worked since the body last ran. */
  readonly escaped: boolean;
  /** Set by the first automatic escape: traffic doesn't flap by itself. */
  readonly escapedByItself: boolean;
  /** The stumble's own undo and its policy have been dealt with; an escape in between doesn't skip them. */
  readonly stumbleSettled: boolean;
  /** What the remedy couldn't put right; the way forward begins with it. */
  readonly unmended: NonNullable<Requests['lost']> | null;
  /** Cancel was said: whatever rollback is going on goes on to the start. */
  readonly cancelling: boolean;
  /** A rollback under way, and the item that it stops before. */
  readonly rollBack: { readonly floor: number } | null;
}

/** The run was reset by somebody, or took over from one that was ended from outside. */
export interface TakenOver {
  readonly at: number;
  readonly from: 'reset' | 'earlier run';
  readonly runId: string;
  readonly by?: string;
  /** Steps whose before was found there. */
  readonly steps: number;
  /** What can't be undone by this run, and why. */
  readonly lost?: string;
}

export interface State {
  readonly phase: Phase;
  readonly startedAt: number;
  readonly items: readonly ItemState[];
  readonly openings: readonly Opening[];
  readonly openingCounts: Readonly<Record<string, number>>;
  readonly watch?: WatchState;
  readonly guard?: WatchState;
  readonly requests: Requests;
  /** What dropped the body: a step that failed or a gate not passed. */
  readonly stumble?: { readonly item: number; readonly kind: 'failed' | 'rejected' | 'expired'; readonly why: string };
  readonly escapes: readonly EscapeState[];
  readonly remedies: readonly RemedyState[];
  /** How many there were in all; the newest are kept. */
  readonly escapeCount: number;
  readonly remedyCount: number;
  /** Answers to questions that have been dropped since: they stand in the history. */
  readonly answersDropped: number;
  readonly refused: readonly RefusedState[];
  readonly refusedCount: number;
  readonly votes: { readonly pause: readonly Vote[]; readonly switchBack: readonly Vote[] };
  readonly recovery: RecoveryState;
  /** What the signal switchBack does, or why it can't be obeyed; a watch's escape takes precedence. */
  readonly switchBack: Action<'step'> | string;
  /** Digest over the plan and all evidence so far, and what has happened since it was taken. */
  readonly chain: { readonly digest: string; readonly pending: readonly unknown[] };
  /** Who this run is over all its links; left out by runs of core 1. */
  readonly identity?: Identity;
  readonly takenOver: readonly TakenOver[];
  /** How often this run was reset. */
  readonly resetCount: number;
  readonly nodes: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;
  /** When somebody last said something of a node. */
  readonly nodesAt?: number;
  readonly noReturnBehind: boolean;
  /** Cancel works once per run. */
  readonly cancelled: boolean;
  readonly ending?: { readonly ending: Ending; readonly standing: string; readonly at: number };
}

/** What was going on when the forward way was left: nobody waits there any more. */
export const isLeft = ({ phase }: State, { item, state }: ItemState): boolean =>
  state === 'running' &&
  (phase === 'ended' || (phase === 'rolling-back' && item.kind !== 'guard' && item.kind !== 'watch'));

export const openOpenings = (state: State): readonly Opening[] => state.openings.filter((o) => o.outcome === undefined);
export const openingById = (state: State, id: string): Opening | undefined => state.openings.find((o) => o.id === id);
export const isPaused = (state: State): boolean => openOpenings(state).some((o) => o.kind === 'pause');

/** Index of the last gate passed, -1 if none: what is repeated after an escape begins there. */
export const lastGate = (state: State, before = Infinity): number => gatePassed(state, before, () => true);

/** Index of the last gate passed that a rollback stops at by default, -1 if none. */
export const savepoint = (state: State): number => gatePassed(state, Infinity, ({ passedOver }) => passedOver !== true);

function gatePassed(state: State, before: number, counts: (item: PlannedItem) => boolean): number {
  for (let i = Math.min(state.items.length, before) - 1; i >= 0; i--) {
    const entry = state.items[i];
    if (entry?.item.kind === 'gate' && entry.state === 'done' && counts(entry.item)) return i;
  }
  return -1;
}

/** The sentence that a result begins with, if it has one. */
export const summaryOf = (result: unknown): string | undefined =>
  typeof result === 'object' && result !== null && 'summary' in result && typeof result.summary === 'string'
    ? result.summary
    : undefined;

/** What people waived since the gate before item `index`, as sentences: whoever approves there must know. */
export const waivedSince = (state: State, index: number): readonly string[] =>
  state.items.slice(lastGate(state, index) + 1, index).flatMap(({ result }) => {
    const { waived, by, reason } = (result ?? {}) as Partial<Waived>;
    return !Array.isArray(waived) || !Array.isArray(by)
      ? []
      : [`Waived by ${by.join(', ')}: ${waived.join(', ')} (${reason}).`];
  });

/** Before the first gate: what this run goes on from, as sentences; whoever approves there must know. */
export const takenOverNotes = (state: State, index: number, resumedFrom?: string): readonly string[] =>
  lastGate(state, index) !== -1
    ? []
    : [
        ...state.takenOver.map(
          ({ from, runId, steps, lost }) =>
            `${from === 'reset' ? 'This run was reset' : `A run before this one (${runId || 'unknown'}) was ended from outside`}: what ${steps} of its steps had found is kept for undoing them${resumedFrom === undefined ? '' : ', and its plan is gone on with'}.${lost === undefined ? '' : ` Not known: ${lost}.`}`,
        ),
        ...(state.takenOver.length > 0 && state.noReturnBehind
          ? [
              'The point of no return is behind: nothing is undone any more, the upgrade can only be finished, or stopped as it stands.',
            ]
          : []),
      ];

/** Steps after `floor` that may have changed something, the last one first. */
export const undoable = (state: State, floor: number): readonly number[] =>
  state.items
    .map((entry, index) => ({ entry, index }))
    .filter(({ index }) => index > floor)
    .filter(({ entry: { item, state, before } }) => before !== undefined && item.kept !== true && state !== 'skipped')
    .map(({ index }) => index)
    .reverse();

/** Where the nodes stand, as the last readings had it: one sentence for the report. */
export const standingOf = ({ nodes }: State): string =>
  Object.entries(nodes)
    .map(
      ([node, facts]) =>
        `${node}: ${Object.entries(facts)
          .map(([k, v]) => (typeof v === 'boolean' ? `${v ? '' : 'not '}${k}` : `${k} ${v}`))
          .join(', ')}`,
    )
    .join('; ') || 'nothing was changed';
