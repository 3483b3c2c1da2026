/**
 * What people read first of a run: what has happened, in one sentence, and what each answer would do. Pure, of the state
 * alone; live details, `hitless status` and report all take their words from here.
 */
import type { Ending, WaitView } from '../contract';
import { isPaused, openOpenings, savepoint, undoable, type ItemState, type Opening, type State } from './state';
import { clock, isCounted, place, quoted, serving, stepName, stop } from './phrases';
import { shortLine } from './text';
import type { PlanBase, Remedied } from './types';

/** Longest reason within a sentence, in characters; the whole one stands with the step or the question. */
const WHY_CHARS = 240;
/** Longest sentence: it must leave room on the page for what is asked. */
const SENTENCE_CHARS = 500;

/** Where a run is, in words for people; the search attribute keeps the name of the phase. */
export function doing(state: State): string {
  const { phase, ending } = state;
  if (ending !== undefined) return endingWords[ending.ending];
  const words: Record<State['phase'], string> = {
    forward: 'going forward',
    'undoing-step': 'undoing a step that failed',
    escaping: 'moving traffic away',
    mending: 'putting right what was lost',
    held: 'held: people decide',
    'rolling-back': 'rolling back',
    ended: 'ended',
  };
  const waits = openOpenings(state).some(({ kind }) => kind === 'gate' || kind === 'task');
  const word = phase === 'forward' && waits ? 'waiting for people' : words[phase];
  return isPaused(state) ? `${word}, paused` : word;
}

const endingWords: Readonly<Record<Ending, string>> = {
  Completed: 'upgraded',
  RolledBack: 'rolled back',
  Stopped: 'stopped',
  Cancelled: 'cancelled',
};

/** What has happened, in one sentence. */
export function headline(state: State, plan: Pick<PlanBase, 'version'>, wait?: WaitView): string {
  return shortLine(sentenceOf(state, plan, wait), SENTENCE_CHARS);
}

function sentenceOf(state: State, plan: Pick<PlanBase, 'version'>, wait?: WaitView): string {
  if (state.ending !== undefined) return endingSentence(state, plan);
  const open = openOpenings(state);
  const asked = (['hold', 'task', 'gate', 'pause'] as const)
    .map((kind) => open.find((o) => o.kind === kind))
    .find((o) => o !== undefined);
  if (asked === undefined) return underWay(state, wait);
  const paused = asked.kind !== 'pause' && isPaused(state) ? ' It is paused, too.' : '';
  switch (asked.kind) {
    case 'hold':
      return `${onHold(state, asked)}${paused}`;
    case 'task':
      return `Something is to be done by hand: ${stop(shortLine(asked.question, WHY_CHARS))}${paused}`;
    case 'gate':
      return `Waiting for approval: ${stop(shortLine(asked.question, WHY_CHARS))}${paused}`;
    case 'pause':
      return `${stop(shortLine(asked.question, WHY_CHARS))} ${underWay(state, wait)}`;
  }
}

/** Nobody is asked anything. */
function underWay(state: State, wait?: WaitView): string {
  const why = causeOf(state);
  switch (state.phase) {
    case 'escaping':
      return `${why ?? 'Traffic must move'}; traffic is being moved away now.`;
    case 'mending':
      return `${lossOf(state) ?? 'Something that must stay as it is was lost'}; it is being put right now.`;
    case 'undoing-step':
      return `${why ?? 'A step failed'}; what it began is being undone.`;
    case 'rolling-back': {
      const undoing = state.items.find((i) => i.state === 'undoing');
      const now = undoing === undefined ? '' : `: undoing ${quoted(undoing)} now`;
      const because = state.requests.cancel !== undefined || state.cancelled ? 'cancelled' : why;
      return `Rolling back${now}${because === undefined ? '' : ` (${because})`}.`;
    }
    case 'forward':
    case 'held':
    case 'ended':
      return forwardSentence(state, wait);
  }
}

function forwardSentence(state: State, wait?: WaitView): string {
  const { watch } = state;
  const blind =
    watch?.state === 'blind' ? ` NOBODY WATCHES: ${stop(shortLine(watch.why ?? 'no reason given', WHY_CHARS))}` : '';
  const under = state.items.findLastIndex(
    ({ item, state: s }) => s === 'running' && item.kind !== 'watch' && item.kind !== 'guard',
  );
  const index = under === -1 ? state.items.findIndex((i) => i.state === 'pending') : under;
  const entry = state.items[index];
  if (entry === undefined) return `All steps are done.${blind}`;
  const far = wait === undefined ? '' : `, ${percent(wait)} % as of ${clock(Date.parse(wait.asOf))}`;
  return `${place(state, index)}: ${stop(`${shortLine(stepName(entry), WHY_CHARS)}${far}`)}${blind}`;
}

/** A person must decide. */
function onHold(state: State, hold: Opening): string {
  if (hold.choices.includes('skip')) {
    const failed = state.items.find((i) => i.state === 'undo-failed');
    const why = failed?.failure?.message;
    if (failed !== undefined)
      return `Undoing ${quoted(failed)} FAILED: ${stop(shortLine(why ?? 'no reason given', WHY_CHARS))}${capital(serving(state))}`;
  }
  const cause = causeOf(state) ?? lossOf(state);
  if (cause !== undefined) return `${cause}; ${serving(state)}.`;
  // What else may be asked has its reason in front of the question.
  return `Held: ${stop(shortLine(hold.question.replace(/\s*What now\?[^]*$/, ''), WHY_CHARS))}`;
}

/** Of what is needed, rounded down: nothing is promised early. */
export const percent = ({ observedMs, neededMs }: Pick<WaitView, 'observedMs' | 'neededMs'>): number =>
  neededMs === 0 ? 100 : Math.floor((100 * Math.min(observedMs, neededMs)) / neededMs);

const capital = (text: string): string => ` ${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** The last escape, as long as nothing has been begun again since. */
export function standingEscape({ escapes, items }: State): State['escapes'][number] | undefined {
  const last = escapes.at(-1);
  if (last === undefined) return undefined;
  const since = items.slice(last.repeatFrom).some(({ startedAt }) => startedAt !== undefined && startedAt > last.at);
  return since ? undefined : last;
}

/** Why the forward way was left, without a full stop; undefined if it wasn't. */
export function causeOf(state: State): string | undefined {
  const escape = standingEscape(state);
  const { stumble, watch, requests } = state;
  if (escape !== undefined) {
    const failed = escape.failure === undefined ? '' : `; moving traffic away FAILED: ${brief(escape.failure.message)}`;
    return `${escapeWhy(escape.why)}${failed}`;
  }
  if (requests.switchBack !== undefined)
    return `Switching back, as ${brief(requests.switchBack.by)} said: ${brief(requests.switchBack.reason)}`;
  if (watch?.state === 'regression')
    return `REGRESSION: ${brief(watch.why ?? 'a probe failed')}; traffic was NOT moved by itself`;
  if (stumble !== undefined) {
    const entry = state.items[stumble.item];
    const why = brief(stumble.why);
    if (stumble.kind !== 'failed' || entry === undefined) return `${why.charAt(0).toUpperCase()}${why.slice(1)}`;
    const undone = entry.state === 'undone' ? ' (what it began was undone)' : '';
    return `${place(state, stumble.item)}, ${brief(entry.item.name)}, FAILED${undone}: ${why}`;
  }
  if (state.cancelled && state.noReturnBehind)
    return 'Cancel was asked for, but the point of no return is behind: it can only be finished, or stopped as it stands';
  return undefined;
}

/** How the reason of an escape begins that a watch asked for. */
export const REGRESSION = 'regression: ';
const escapeWhy = (why: string): string =>
  why.startsWith(REGRESSION) ? `REGRESSION: ${brief(why.slice(REGRESSION.length))}` : `Switched back: ${brief(why)}`;

/** A reason in the middle of a sentence. */
const brief = (text: string): string => shortLine(text, WHY_CHARS).replace(/[.\s]+$/, '');

/** What a guard found that its remedy couldn't put right, but told. */
const isTold = ({ result }: State['remedies'][number]): boolean =>
  (result as Partial<Remedied> | undefined)?.onlyTells === true;

/** What people must know of a run that went through to its end all the same. */
function onTheWay({ remedies }: State): string {
  const told = remedies.filter(isTold);
  return told.length === 0 ? '' : ` On the way: ${brief(told.map(({ why }) => why).join('; '))}.`;
}

/** What a guard found lost, and what came of it. */
function lossOf({ requests, remedies }: State): string | undefined {
  if (requests.lost !== undefined) return `LOST: ${brief(requests.lost.why)}`;
  const last = remedies.at(-1);
  if (last === undefined) return undefined;
  if (isTold(last)) return `CHANGED: ${brief(last.why)}`;
  return last.failure === undefined
    ? `LOST, and put right: ${brief(last.why)}`
    : `LOST: ${brief(last.why)}; putting it right FAILED: ${brief(last.failure.message)}`;
}

// ---- endings -------------------------------------------------------------------------------------------------------------

/** How a run ended: why, and by whose word. */
function endingSentence(state: State, { version }: Pick<PlanBase, 'version'>): string {
  const cause = causeOf(state);
  const because = cause === undefined ? '' : `: ${lower(cause)}`;
  switch (state.ending?.ending) {
    case 'Completed':
      return `Upgraded: every node runs ${brief(version)}; ${serving(state)}.${onTheWay(state)}`;
    case 'RolledBack':
      return `Rolled back ${backTo(state)}${because}${said(state, 'roll-back')}.${left(state)}`;
    case 'Cancelled':
      return `Cancelled: ${undoneOf(state)}${because === '' ? '' : ` (${cause})`}.${left(state)}`;
    case 'Stopped':
    case undefined:
      return `Stopped as it stands${because}${said(state, 'stop')}. Nothing more is done by this run.`;
  }
}

/** A run that was reset, or began after another, may know nothing of a part of what was done: it claims no more than it knows. */
const undoneOf = ({ takenOver }: State): string => {
  const lost = takenOver.flatMap((taken) => taken.lost ?? []);
  return lost.length === 0
    ? 'everything that this run had changed was undone'
    : `what this run knew of was undone, NOT undone by it: ${brief(lost.join('; '))}`;
};

const lower = (text: string): string =>
  /^[A-Z]{2}/.test(text) ? text : `${text.charAt(0).toLowerCase()}${text.slice(1)}`;

/** Where a rollback went: the last gate passed, or the start if nothing before that gate has changed anything. */
function backTo(state: State): string {
  const floor = lastChoice(state, 'roll-back')?.to === 'start' ? -1 : savepoint(state);
  const gate = state.items[floor];
  return gate === undefined || !changedBefore(state, floor) ? 'to the start' : `to gate ${gate.item.name}`;
}

const changedBefore = (state: State, floor: number): boolean => undoable(state, -1).some((index) => index < floor);

type Outcome = NonNullable<Opening['outcome']>;
const lastChoice = (state: State, choice: string): Outcome | undefined =>
  state.openings.findLast((o) => o.outcome?.choice === choice)?.outcome;

function said(state: State, choice: string): string {
  const outcome = lastChoice(state, choice);
  if (outcome === undefined || outcome.by.length === 0) return '';
  const comment = outcome.comment === undefined ? '' : `: ${brief(outcome.comment)}`;
  return `; ${brief(outcome.by.join(', '))} chose ${choice}${comment}`;
}

/** What people said to leave as it is, although its undo had failed. */
function left(state: State): string {
  const names = state.items.filter((i): i is ItemState => isCounted(i) && i.state === 'skipped').map(quoted);
  return names.length === 0 ? '' : ` NOT undone, as people said: ${brief(names.join(', '))}.`;
}
