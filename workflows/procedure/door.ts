/**
 * The one door into a run's state: every event passes it, and comes out bounded. Whoever put a text or a list in (people by
 * messages, devices by errors, the program by time), no status, report, failure, question, live detail or memo can become
 * larger than its readers can take (design, promise 0). Pure, and cheap: what is dropped isn't read.
 */
import type { Event } from './events';
import type { Failure, Opening, RefusedState } from './state';
import { boundQuestion, clipText, seen } from './text';
import type { WatchReport } from './types';

/** Characters of a sentence that a device or a driver wrote. */
const SENTENCE_CHARS = 1_000;
const WORD_CHARS = 128;
/** Characters of what a person says for a reason. */
const COMMENT_CHARS = 1_000;
const REFUSAL_CHARS = 300;
/** Faults that can be waived by name. */
const NAMES = 64;
/** Bytes (as JSON, roughly) of what a failure carries beside its sentence, and of what a watch carries for itself. */
const DETAILS_CHARS = 32 * 1024;
const CARRY_CHARS = 256 * 1024;
const NODES = 64;
const NODE_FACTS = 16;
/** What one activity may hand to a later step. Temporal itself takes 2 MB. */
const RESULT_CHARS = 1024 * 1024;

/** Longest texts and lists of what is kept of the past; older entries are counted. */
export const kept = { refused: 10, openings: 40, answers: 64, escapes: 20, remedies: 20 } as const;

const sentence = (text: unknown): string => clipText(seen(String(text).slice(0, 4 * SENTENCE_CHARS)), SENTENCE_CHARS);
const word = (text: unknown): string => clipText(seen(String(text).slice(0, 4 * WORD_CHARS)), WORD_CHARS);
const comment = (text: string): string => clipText(seen(text.slice(0, 4 * COMMENT_CHARS)), COMMENT_CHARS);

/**
 * How large a value is as JSON, counted up to a limit: `Infinity` beyond it, or where it is nested too deep to be printed. It
 * doesn't recurse, so nothing that can be sent can overflow it.
 */
export function sizeWithin(value: unknown, limit: number, depthLimit = 64): number {
  let size = 0;
  const left: [value: unknown, depth: number][] = [[value, 0]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [at, depth] = next;
    if (typeof at === 'string') size += at.length + 2;
    else if (typeof at !== 'object' || at === null) size += 5;
    else {
      if (depth >= depthLimit) return Infinity;
      size += 2;
      for (const key in at) {
        size += Array.isArray(at) ? 1 : key.length + 4;
        if (size > limit) return Infinity;
        left.push([(at as Record<string, unknown>)[key], depth + 1]);
      }
    }
    if (size > limit) return Infinity;
  }
  return size;
}

/** A value as it came, if it is small; nothing otherwise. */
const small = <T>(value: T, limit: number): T | undefined =>
  sizeWithin(value, limit) === Infinity ? undefined : value;

const fact = (value: unknown): string | number | boolean =>
  typeof value === 'number' || typeof value === 'boolean' ? value : clipText(seen(String(value).slice(0, 800)), 200);

/** What is said of nodes: so many, so many facts of each, each one short. */
function nodesIn(nodes: unknown): Record<string, Record<string, string | number | boolean>> {
  const bounded: Record<string, Record<string, string | number | boolean>> = {};
  if (typeof nodes !== 'object' || nodes === null) return bounded;
  for (const [name, facts] of Object.entries(nodes).slice(0, NODES)) {
    if (typeof facts !== 'object' || facts === null) continue;
    bounded[word(name)] = Object.fromEntries(
      Object.entries(facts as Record<string, unknown>)
        .slice(0, NODE_FACTS)
        .map(([key, value]) => [word(key), fact(value)]),
    );
  }
  return bounded;
}

/** An activity's result: whole where it is small enough, else what people are told of it. */
function result(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return small(value, RESULT_CHARS);
  const whole = small(value as Record<string, unknown>, RESULT_CHARS) ?? { tooLarge: true };
  const { summary, nodes } = value as { summary?: unknown; nodes?: unknown };
  return {
    ...whole,
    ...(typeof summary === 'string' ? { summary: sentence(summary) } : {}),
    ...(nodes === undefined ? {} : { nodes: nodesIn(nodes) }),
  };
}

function failure({ type, message, details }: Failure): Failure {
  const told = details === undefined ? undefined : (small(details, DETAILS_CHARS) ?? namesAlone(details));
  return { type: word(type), message: sentence(message), ...(told === undefined ? {} : { details: told }) };
}

/** Of details that are too large, what decides: the names that may be waived, and what is known of nodes. */
function namesAlone(details: unknown): unknown {
  const { waivable, nodes } = (details ?? {}) as { waivable?: unknown; nodes?: unknown };
  return {
    ...(Array.isArray(waivable) ? { waivable: waivable.slice(0, NAMES).map(word) } : {}),
    ...(nodes === undefined ? {} : { nodes: nodesIn(nodes) }),
    tooLarge: true,
  };
}

function report(from: WatchReport): WatchReport {
  const { escape, owned, carry, why, last, ...rest } = from;
  const small_ = carry === undefined ? undefined : small(carry, CARRY_CHARS);
  return {
    ...(result(rest) as WatchReport),
    ...(why === undefined ? {} : { why: sentence(why) }),
    ...(last === undefined ? {} : { last: sentence(last) }),
    ...(escape === undefined
      ? {}
      : { escape: { ...escape, ...(escape.why === undefined ? {} : { why: sentence(escape.why) }) } }),
    ...(owned === undefined
      ? {}
      : { owned: { ...owned, ...(owned.why === undefined ? {} : { why: sentence(owned.why) }) } }),
    ...(small_ === undefined ? {} : { carry: small_ }),
  };
}

const opening = (o: Opening): Opening => ({
  ...o,
  question: boundQuestion(o.question),
  choices: o.choices.slice(0, 16).map(word),
  ...(o.from === undefined ? {} : { from: o.from.slice(0, NAMES).map(word) }),
  ...(o.waivable === undefined ? {} : { waivable: o.waivable.slice(0, NAMES).map(word) }),
});

const refused = ({ at, signal, by, why }: RefusedState): RefusedState => ({
  at,
  signal: clipText(seen(signal.slice(0, 256)), 64),
  why: clipText(seen(why.slice(0, 4 * REFUSAL_CHARS)), REFUSAL_CHARS),
  ...(by === undefined ? {} : { by: clipText(seen(by.slice(0, 512)), WORD_CHARS) }),
});

/** Said by a person: who, and why. */
const said = <T extends { readonly by: string; readonly reason: string }>(request: T): T => ({
  ...request,
  by: word(request.by),
  reason: comment(request.reason),
});

/** An event as it may enter the state. */
export function bounded(event: Event): Event {
  switch (event.type) {
    case 'item-done':
    case 'undone':
      return event.result === undefined ? event : { ...event, result: result(event.result) };
    case 'item-failed':
    case 'undo-failed':
      return { ...event, failure: failure(event.failure) };
    case 'stumbled':
      return { ...event, why: sentence(event.why) };
    case 'opened':
      return { ...event, opening: opening(event.opening) };
    case 'answered': {
      const { comment: why, ...answer } = event.answer;
      return {
        ...event,
        answer: { ...answer, by: word(answer.by), ...(why === undefined ? {} : { comment: comment(why) }) },
      };
    }
    case 'closed': {
      const { comment: why, ...outcome } = event.outcome;
      return {
        ...event,
        outcome: {
          ...outcome,
          by: outcome.by.slice(0, kept.answers).map(word),
          ...(why === undefined ? {} : { comment: comment(why) }),
        },
      };
    }
    case 'refused':
      return { type: 'refused', ...refused(event) };
    case 'voted':
      return { ...event, vote: said(event.vote) };
    case 'requested': {
      const { regression, switchBack, lost, cancel } = event.requests;
      return {
        ...event,
        requests: {
          ...(regression === undefined ? {} : { regression: { ...regression, why: sentence(regression.why) } }),
          ...(switchBack === undefined ? {} : { switchBack: said(switchBack) }),
          ...(lost === undefined ? {} : { lost: { ...lost, why: sentence(lost.why) } }),
          ...(cancel === undefined ? {} : { cancel }),
        },
      };
    }
    case 'watch-reported':
      return { ...event, report: report(event.report) };
    case 'watch-blind': {
      const { beaten, ...rest } = event;
      const handedOn = beaten === undefined ? {} : { beaten: { ...beaten, carry: small(beaten.carry, CARRY_CHARS) } };
      return { ...rest, why: sentence(event.why), ...handedOn };
    }
    case 'remedied':
      return {
        ...event,
        remedy: {
          ...event.remedy,
          why: sentence(event.remedy.why),
          ...(event.remedy.result === undefined ? {} : { result: result(event.remedy.result) }),
          ...(event.remedy.failure === undefined ? {} : { failure: failure(event.remedy.failure) }),
        },
      };
    case 'escape-started':
      return { ...event, why: sentence(event.why) };
    case 'escape-ended':
      return {
        ...event,
        ...(event.result === undefined ? {} : { result: result(event.result) }),
        ...(event.failure === undefined ? {} : { failure: failure(event.failure) }),
      };
    case 'recovering':
      return event.recovery.reason === undefined
        ? event
        : { ...event, recovery: { ...event.recovery, reason: sentence(event.recovery.reason) } };
    case 'taken-over': {
      const { by, unknown, ...inherited } = event.inherited;
      return {
        ...event,
        inherited: {
          ...inherited,
          ...(by === undefined ? {} : { by: word(by) }),
          ...(unknown === undefined ? {} : { unknown: sentence(unknown) }),
        },
      };
    }
    case 'ended':
      return { ...event, standing: clipText(seen(event.standing.slice(0, 8_000)), 2_000) };
    default:
      return event;
  }
}
