/**
 * Questions to people and what becomes of what they say: pure functions. An answer names the opening and its digest; one
 * that doesn't fit is refused and shown, never kept for later.
 */
import type { z } from 'zod';
import { signals, type AnswerInput, type CommandInput, type DecideInput, type SignalName } from '../contract';
import type { Event } from './events';
import { NAME_TO_WRITE, nameFault, personKey } from './people';
import { votesWith } from './votes';
import { isPaused, openOpenings, openingById, type Opening, type State } from './state';
import { clipText, shortLine } from './text';
import type { Action, CommandPolicy, PlanBase } from './types';
import { isUndecodable } from './undecodable';

/** How many characters of a digest an answer must give. */
export const DIGEST_CHARS = 12;
/** Longest text of a refused message that is shown again. */
const SHOWN_CHARS = 200;
/** Faults of a message that are listed. */
const FAULTS_SHOWN = 8;
const FAULT_CHARS = 160;
/** No message has so many fields: a larger one isn't read at all. */
const FIELDS = 32;

/** What a message is judged by. */
export interface Asked {
  readonly state: State;
  readonly plan: PlanBase;
  /** When it came, epoch milliseconds. */
  readonly at: number;
  /** What switchBack does now, or why it can't be obeyed. */
  readonly switchBack: Action<'step'> | string;
  /** Runs of core 1 compare names as they are spelt, and one person's command is enough: as their histories have it. */
  readonly core: 1 | 2;
}

/** What a message does to the state and what its sender may be told, or why it is refused. */
export type Judged =
  | { readonly events: readonly Event[]; readonly told: Readonly<Record<string, unknown>> }
  | { readonly refusal: string };

/** A message as it came, checked: what it is, or why it is refused. */
export type Message =
  | {
      readonly name: 'approve' | 'reject' | 'decide';
      readonly answer: AnswerInput & Partial<Pick<DecideInput, 'choice' | 'to' | 'waive'>>;
    }
  | { readonly name: 'pause' | 'resume' | 'switchBack'; readonly command: CommandInput };

const isSignalName = (name: string): name is SignalName => Object.hasOwn(signals, name);

/** Faults of a zod error with their paths, on one line of bounded length. */
export const faultsOf = (error: z.ZodError): string => {
  const faults = error.issues
    .slice(0, FAULTS_SHOWN)
    .map((i) =>
      shortLine(`${i.path.length === 0 ? '(whole)' : i.path.slice(0, 8).join('.')}: ${i.message}`, FAULT_CHARS),
    );
  const more = error.issues.length - faults.length;
  return [...faults, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
};

/** Never throws, whatever was sent. */
export function readMessage(name: string, raw: unknown): Message | { readonly refusal: string } {
  if (!isSignalName(name))
    return {
      refusal: `there is no signal "${shortLine(name, 64)}"; there are ${Object.keys(signals).join(', ')}`,
    };
  if (isUndecodable(raw))
    return {
      refusal: `the payload can't be read (${shortLine(raw.why, SHOWN_CHARS)}); send one JSON object with encoding json/plain`,
    };
  const fields = typeof raw === 'object' && raw !== null ? Object.keys(raw).length : 0;
  if (fields > FIELDS)
    return { refusal: `it has ${fields} fields, and no message has more than a few; got ${show(raw)}` };
  const parsed = signals[name].schema.safeParse(raw);
  if (!parsed.success) return { refusal: `${faultsOf(parsed.error)}; got ${show(raw)}` };
  switch (name) {
    case 'approve':
    case 'reject':
    case 'decide':
      return { name, answer: parsed.data as AnswerInput };
    case 'pause':
    case 'resume':
    case 'switchBack':
      return { name, command: parsed.data as CommandInput };
  }
}

/** The beginning of a value as JSON. It looks no deeper and no further than it shows, so nothing that can be sent can overflow it. */
export function show(raw: unknown): string {
  let text = '';
  const write = (value: unknown, depth: number): void => {
    if (text.length > SHOWN_CHARS) return;
    if (typeof value === 'string') text += JSON.stringify(value.slice(0, SHOWN_CHARS));
    else if (typeof value !== 'object' || value === null) text += String(value);
    else if (depth > 4) text += '…';
    else {
      const isList = Array.isArray(value);
      text += isList ? '[' : '{';
      let first = true;
      for (const key in value) {
        if (text.length > SHOWN_CHARS) break;
        text += `${first ? '' : ','}${isList ? '' : `${JSON.stringify(key.slice(0, SHOWN_CHARS))}:`}`;
        write((value as Record<string, unknown>)[key], depth + 1);
        first = false;
      }
      text += isList ? ']' : '}';
    }
  };
  if (raw === undefined) return 'nothing';
  write(raw, 0);
  return clipText(text, SHOWN_CHARS);
}

/** A message that isn't used, as it is shown: its sender as far as it says so. Never throws. */
export function refusedEvent(name: string, raw: unknown, why: string, at: number): Event {
  const by = typeof raw === 'object' && raw !== null && 'by' in raw ? raw.by : undefined;
  return {
    type: 'refused',
    signal: name,
    why,
    at,
    ...(typeof by === 'string' && by !== '' ? { by } : {}),
  };
}

/** Why a name can't be that of a person. */
export function faultOfName(name: string): string | undefined {
  // What the page shows in its place, copied as it is.
  if (personKey(name) === NAME_TO_WRITE) return `write your own name in place of "${NAME_TO_WRITE}"`;
  const fault = nameFault(name);
  return fault === undefined ? undefined : `the name ${fault}`;
}

type Rules = Pick<Asked, 'core'>;

const isSame = ({ core }: Rules, a: string, b: string): boolean =>
  core === 1 ? a === b : personKey(a) === personKey(b);
/** How many different people, however their names are spelt. */
const people = (rules: Rules, names: readonly string[]): readonly string[] =>
  names.filter((name, index) => names.findIndex((other) => isSame(rules, other, name)) === index);

/** Why this person may not say this, or undefined if they may. */
function refusalByPolicy(asked: Asked, by: string, policy: CommandPolicy): string | undefined {
  const { requestedBy } = asked.plan;
  if (policy.from !== undefined && !policy.from.some((name) => isSame(asked, name, by)))
    return `${by} isn't among those who may say this: ${policy.from.join(', ')}`;
  if (policy.notRequester === true && requestedBy !== undefined && isSame(asked, by, requestedBy))
    return `${by} requested this upgrade, and the policy asks for somebody else`;
  return undefined;
}

/** What an Update does: the signal that says the same, under the name that it carries. Never throws. */
export function judgeUpdate(asked: Asked, name: string, raw: unknown): Judged {
  if (name !== 'command' || typeof raw !== 'object' || raw === null || isUndecodable(raw))
    return judge(asked, 'decide', raw);
  const { command, ...rest } = raw as Record<string, unknown>;
  return command === 'pause' || command === 'resume' || command === 'switchBack'
    ? judge(asked, command, rest)
    : { refusal: `command: is one of pause, resume, switchBack; got ${show(raw)}` };
}

/** What a message does. Never throws. */
export function judge(asked: Asked, name: string, raw: unknown): Judged {
  if (asked.state.phase === 'ended') return { refusal: 'the run has ended' };
  const message = readMessage(name, raw);
  if ('refusal' in message) return message;
  const by = 'answer' in message ? message.answer.by : message.command.by;
  const fault = asked.core === 1 ? undefined : faultOfName(by);
  if (fault !== undefined) return { refusal: `by: ${fault}` };
  if ('answer' in message) return judgeAnswer(asked, message);
  if (message.name === 'resume') return judgeResume(asked, message.command);
  return judgeCommand(asked, message.name, message.command);
}

/** What an answer to an opening does to the state. */
function judgeAnswer(asked: Asked, message: Extract<Message, { answer: unknown }>): Judged {
  const { state, at } = asked;
  const { answer } = message;
  const opening = openingById(state, answer.opening);
  if (opening === undefined || opening.outcome !== undefined) return { refusal: notOpen(state, answer.opening) };
  if (!opening.digest.startsWith(answer.digest)) {
    return {
      refusal: `the digest of ${opening.id} is ${opening.digest.slice(0, DIGEST_CHARS)}, not ${answer.digest}: look at it again, then answer`,
    };
  }
  const choice = message.name === 'decide' ? (answer.choice ?? '') : message.name;
  if (!opening.choices.includes(choice))
    return { refusal: `${opening.id} can be answered with ${opening.choices.join(', ')}, not with ${choice}` };
  const policy: CommandPolicy = {
    ...(opening.from === undefined ? {} : { from: opening.from }),
    notRequester: opening.notRequester,
  };
  const why = refusalByPolicy(asked, answer.by, policy);
  if (why !== undefined) return { refusal: why };
  if (choice === 'skip' && (answer.comment ?? '') === '')
    return { refusal: 'skipping needs a reason: say it in the comment' };
  if (choice === 'waive') {
    const not = refusalToWaive(opening.waivable ?? [], answer);
    if (not !== undefined) return { refusal: not };
  }
  return answered(asked, opening, { at, choice, ...pickAnswer(answer) });
}

const pickAnswer = ({ by, to, comment }: AnswerInput & Partial<Pick<DecideInput, 'to'>>) => ({
  by,
  ...(to === undefined ? {} : { to }),
  ...(comment === undefined ? {} : { comment }),
});

function notOpen(state: State, id: string): string {
  const [, ask = '', number = ''] = /^(.*)#(\d+)$/.exec(id) ?? [];
  const opening = openingById(state, id);
  const wasAsked = Object.hasOwn(state.openingCounts, ask) && Number(number) <= (state.openingCounts[ask] ?? 0);
  const open = openOpenings(state).map((o) => o.id);
  const what =
    opening !== undefined
      ? `${id} is closed (${opening.outcome?.choice})`
      : wasAsked && Number(number) > 0
        ? `${id} has been closed for long`
        : `no question ${id} was ever asked`;
  return `${what}; open now: ${open.length === 0 ? 'nothing' : open.join(', ')}`;
}

/** An answer that may be given: it counts, and closes the opening if it is enough. */
function answered(rules: Rules, opening: Opening, given: Opening['answers'][number]): Judged {
  const { choice, by, to } = given;
  if (opening.answers.some((a) => isSame(rules, a.by, by) && a.choice === choice && a.to === to))
    return { refusal: `${by} has already answered ${opening.id} with ${choice}` };
  const same = [...opening.answers, given].filter((a) => a.choice === choice && a.to === to);
  const by_ = people(
    rules,
    same.map((a) => a.by),
  );
  const events: Event[] = [{ type: 'answered', opening: opening.id, answer: given }];
  const told = { opening: opening.id, choice, by, counted: by_.length, needed: opening.needed };
  // One rejection is enough: whoever may say yes may also say no.
  if (choice !== 'reject' && by_.length < opening.needed) return { events, told: { ...told, isDecided: false } };
  const outcome = {
    choice,
    by: by_,
    ...(to === undefined ? {} : { to }),
    ...(given.comment === undefined ? {} : { comment: given.comment }),
  };
  return {
    events: [...events, { type: 'closed', opening: opening.id, outcome }],
    told: { ...told, isDecided: true },
  };
}

/** Faults are waived by name and with a reason, all that are asked about: what nobody named nobody has looked at. */
function refusalToWaive(
  waivable: readonly string[],
  { waive = [], comment = '' }: Pick<DecideInput, 'waive' | 'comment'>,
): string | undefined {
  if (comment === '') return 'waiving needs a reason: say it in the comment';
  const left = waivable.filter((name) => !waive.includes(name));
  const unknown = waive.filter((name) => !waivable.includes(name));
  // A misspelt name is both: told first, as it is the reason for the other.
  const not = [
    unknown.length === 0
      ? ''
      : `unknown name in "waive": ${unknown.join(', ')}; what may be waived: ${waivable.join(', ')}`,
    left.length === 0
      ? ''
      : `not named in "waive": ${left.join(', ')}; name every fault that is waived, or have it mended`,
  ].filter((part) => part !== '');
  return not.length === 0 ? undefined : not.join('; ');
}

/** `resume` is the answer to the open pause, given without its ID. */
function judgeResume(asked: Asked, { by, reason }: CommandInput): Judged {
  const { state, plan, at } = asked;
  const pause = openOpenings(state).find((o) => o.kind === 'pause');
  if (pause === undefined) return { refusal: 'nothing is paused' };
  const why = refusalByPolicy(asked, by, plan.policy.resume);
  return why === undefined ? answered(asked, pause, { at, by, choice: 'resume', comment: reason }) : { refusal: why };
}

/** `pause` and `switchBack`: obeyed once as many different people have said so, within an hour, as the policy asks for. */
function judgeCommand(asked: Asked, command: 'pause' | 'switchBack', { by, reason }: CommandInput): Judged {
  const { state, plan, at, switchBack, core } = asked;
  const policy = plan.policy[command];
  const why = refusalByPolicy(asked, by, policy);
  if (why !== undefined) return { refusal: why };
  if (command === 'pause' && isPaused(state)) return { refusal: 'the run is paused already' };
  if (command === 'switchBack' && typeof switchBack === 'string') return { refusal: switchBack };
  const needed = core === 1 ? 1 : (policy.count ?? 1);
  const vote = { by, reason, at };
  const votes = needed === 1 ? [vote] : votesWith(state.votes[command], vote);
  const by_ = people(
    asked,
    votes.map((v) => v.by),
  );
  const told = { command, by, counted: by_.length, needed };
  if (needed > 1) {
    if (votes.slice(0, -1).some((v) => isSame(asked, v.by, by)))
      return { refusal: `${by} has said ${command} already: ${by_.length} of ${needed} so far` };
    if (by_.length < needed) return { events: [{ type: 'voted', command, vote }], told: { ...told, isDecided: false } };
  }
  const all = by_.join(', ');
  if (command === 'switchBack')
    return {
      events: [{ type: 'requested', requests: { switchBack: { by: all, reason, at } } }],
      told: { ...told, isDecided: true },
    };
  return { events: [pauseOpened(asked, { by: all, reason })], told: { ...told, isDecided: true } };
}

function pauseOpened({ state, plan, at, core }: Asked, { by, reason }: CommandInput): Event {
  const { from, count = 1, notRequester = false } = plan.policy.resume;
  return {
    type: 'opened',
    ask: 'pause',
    opening: {
      id: `pause#${(state.openingCounts['pause'] ?? 0) + 1}`,
      kind: 'pause',
      question: `Paused by ${by}: ${reason}`,
      choices: ['resume'],
      needed: core === 1 ? 1 : count,
      notRequester: core !== 1 && notRequester,
      ...(from === undefined ? {} : { from }),
      digest: state.chain.digest,
      openedAt: at,
      answers: [],
    },
  };
}

export const closedWith = (state: State, id: string): Opening['outcome'] => openingById(state, id)?.outcome;
