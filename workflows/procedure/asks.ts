/**
 * Questions to people and what becomes of the answers: pure functions. An answer names the opening and its digest; one
 * that doesn't fit is refused and shown, never kept for later.
 */
import type { z } from 'zod';
import { signals, type AnswerInput, type DecideInput, type CommandInput, type SignalName } from '../contract';
import { isUndecodable } from './undecodable';
import { openOpenings, openingById, type Event, type Opening, type State } from './state';
import type { CommandPolicy, PlanBase } from './types';

/** How many characters of a digest an answer must give. */
export const DIGEST_CHARS = 12;

/** Longest text of a refused message that is shown again. */
const SHOWN_CHARS = 200;

/** A signal as it came, checked: the message that it is, or why it is refused. */
export type Message =
  | {
      readonly name: 'approve' | 'reject' | 'decide';
      readonly answer: AnswerInput & Partial<Pick<DecideInput, 'choice' | 'to' | 'waive'>>;
    }
  | { readonly name: 'pause' | 'resume' | 'switchBack'; readonly command: CommandInput };

const isSignalName = (name: string): name is SignalName => Object.hasOwn(signals, name);

/** Every fault of a zod error with its path, on one line. */
export const faultsOf = (error: z.ZodError): string =>
  error.issues.map((i) => `${i.path.length === 0 ? '(whole)' : i.path.join('.')}: ${i.message}`).join('; ');

/** Never throws, whatever was sent. */
export function readMessage(name: string, raw: unknown): Message | { readonly refusal: string } {
  if (!isSignalName(name))
    return { refusal: `there is no signal "${name.slice(0, 64)}"; there are ${Object.keys(signals).join(', ')}` };
  if (isUndecodable(raw))
    return { refusal: `the payload can't be read (${raw.why}); send one JSON object with encoding json/plain` };
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

const show = (raw: unknown): string => {
  const text = JSON.stringify(raw) ?? 'nothing';
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
};

/** Who sent a message that is refused, as far as it says so. Never throws. */
export const senderOf = (raw: unknown): { by?: string } => {
  const by = typeof raw === 'object' && raw !== null && 'by' in raw ? raw.by : undefined;
  return typeof by === 'string' && by !== '' ? { by: by.slice(0, SHOWN_CHARS) } : {};
};

/** Why this person may not say this, or undefined if they may. */
export function refusalByPolicy(
  by: string,
  policy: CommandPolicy,
  requestedBy: string | undefined,
): string | undefined {
  if (policy.from !== undefined && !policy.from.includes(by))
    return `${by} isn't among those who may say this: ${policy.from.join(', ')}`;
  if (policy.notRequester === true && by === requestedBy)
    return `${by} requested this upgrade, and the policy asks for somebody else`;
  return undefined;
}

/** What an answer to an opening does to the state. */
export function judgeAnswer(
  state: State,
  message: Extract<Message, { answer: unknown }>,
  plan: PlanBase,
  now: number,
): Event[] {
  const { answer } = message;
  const refuse = (why: string): Event[] => [{ type: 'refused', signal: message.name, why, at: now }];
  const opening = openingById(state, answer.opening);
  if (opening === undefined || opening.outcome !== undefined) {
    const open = openOpenings(state).map((o) => o.id);
    const what =
      opening === undefined
        ? `no question ${answer.opening} was ever asked`
        : `${answer.opening} is closed (${opening.outcome?.choice})`;
    return refuse(`${what}; open now: ${open.length === 0 ? 'nothing' : open.join(', ')}`);
  }
  if (!opening.digest.startsWith(answer.digest)) {
    return refuse(
      `the digest of ${opening.id} is ${opening.digest.slice(0, DIGEST_CHARS)}, not ${answer.digest}: look at it again, then answer`,
    );
  }
  const choice = message.name === 'decide' ? (answer.choice ?? '') : message.name;
  if (!opening.choices.includes(choice))
    return refuse(`${opening.id} can be answered with ${opening.choices.join(', ')}, not with ${choice}`);
  const policy: CommandPolicy = {
    ...(opening.from === undefined ? {} : { from: opening.from }),
    notRequester: opening.notRequester,
  };
  const why = refusalByPolicy(answer.by, policy, plan.requestedBy);
  if (why !== undefined) return refuse(why);
  if (choice === 'skip' && (answer.comment ?? '') === '')
    return refuse('skipping needs a reason: say it in the comment');
  if (choice === 'waive') {
    const not = refusalToWaive(opening.waivable ?? [], answer);
    if (not !== undefined) return refuse(not);
  }
  if (opening.answers.some((a) => a.by === answer.by && a.choice === choice && a.to === answer.to)) {
    return refuse(`${answer.by} has already answered ${opening.id} with ${choice}`);
  }
  const given = {
    at: now,
    by: answer.by,
    choice,
    ...(answer.to === undefined ? {} : { to: answer.to }),
    ...(answer.comment === undefined ? {} : { comment: answer.comment }),
  };
  const same = [...opening.answers, given].filter((a) => a.choice === choice && a.to === given.to);
  const people = [...new Set(same.map((a) => a.by))];
  const answered: Event = { type: 'answered', opening: opening.id, answer: given };
  // One rejection is enough: whoever may say yes may also say no.
  if (choice !== 'reject' && people.length < opening.needed) return [answered];
  const outcome = {
    choice,
    by: people,
    ...(given.to === undefined ? {} : { to: given.to }),
    ...(given.comment === undefined ? {} : { comment: given.comment }),
  };
  return [answered, { type: 'closed', opening: opening.id, outcome }];
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
export function judgeResume(state: State, command: CommandInput, plan: PlanBase, now: number): Event[] {
  const refuse = (why: string): Event[] => [{ type: 'refused', signal: 'resume', why, at: now }];
  const pause = openOpenings(state).find((o) => o.kind === 'pause');
  if (pause === undefined) return refuse('nothing is paused');
  const why = refusalByPolicy(command.by, plan.policy.resume, plan.requestedBy);
  if (why !== undefined) return refuse(why);
  return [
    {
      type: 'answered',
      opening: pause.id,
      answer: { at: now, by: command.by, choice: 'resume', comment: command.reason },
    },
    { type: 'closed', opening: pause.id, outcome: { choice: 'resume', by: [command.by], comment: command.reason } },
  ];
}

export const closedWith = (state: State, id: string): Opening['outcome'] => openingById(state, id)?.outcome;
