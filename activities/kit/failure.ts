/**
 * The last door of an activity: what it failed with leaves without secrets, and small enough for Temporal. The server keeps
 * the last failure of an activity that is tried again in 4 KiB (limit.mutableStateActivityFailureSize); a larger one is
 * replaced there by "Failure exceeds size limit." and nothing else. A final one goes into the history as it is, so that a
 * readiness check may list many faults; that has a limit of ours.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { CompleteAsyncError } from '@temporalio/activity';
import { ends } from './clip';
import { redact, redactDeep } from './redact';

interface Budget {
  readonly messageBytes: number;
  readonly detailsBytes: number;
}
/** Together with stack, cause and what Temporal adds below 4 KiB. */
const RETRYABLE: Budget = { messageBytes: 1_400, detailsBytes: 1_400 };
const FINAL: Budget = { messageBytes: 3_000, detailsBytes: 24 * 1024 };
const TYPE_CHARS = 60;
const STACK_BYTES = 400;
const CAUSE_BYTES = 200;
/** What is longer isn't looked through: it is cut to far less. */
const LOOKED_AT_CHARS = 64 * 1024;
const SOURCE_DEPTH = 20;

const bytesOf = (text: string): number => Buffer.byteLength(text);
/** In JSON, as Temporal counts details. */
const sizeOf = (value: unknown): number => bytesOf(JSON.stringify(value) ?? '');

/** An activity that fails as Temporal can take it. */
export const leaving =
  <Args extends readonly never[], T>(activity: (...args: Args) => Promise<T>) =>
  async (...args: Args): Promise<T> => {
    try {
      return await activity(...args);
    } catch (error) {
      throw boundedFailure(error);
    }
  };

/** The failure that Temporal is given for what was thrown. What is no failure, as a cut, stays as it is. Pure. */
export function boundedFailure(error: unknown): unknown {
  if (error instanceof CancelledFailure || error instanceof CompleteAsyncError) return error;
  const known = error instanceof ApplicationFailure ? error : undefined;
  const { name, message, stack } = partsOf(error);
  const isFinal = known?.nonRetryable === true;
  const restMs = (known as { nextRetryDelay?: number | null } | undefined)?.nextRetryDelay ?? undefined;
  const budget = isFinal ? FINAL : RETRYABLE;
  const bounded = ApplicationFailure.create({
    message: shorten(redact(ends(message, LOOKED_AT_CHARS)), budget.messageBytes),
    type: (known?.type ?? name).slice(0, TYPE_CHARS),
    nonRetryable: isFinal,
    ...(restMs === undefined ? {} : { nextRetryDelay: restMs }),
    ...(known?.details == null ? {} : { details: boundDetails(known.details, budget.detailsBytes) }),
    ...causeOf(error),
  });
  bounded.stack = boundStack(bounded.name, stack);
  return bounded;
}

/** By shape: an error of another realm isn't an instance of this one's Error. */
function partsOf(error: unknown): { name: string; message: string; stack: string } {
  if (typeof error !== 'object' || error === null) return { name: 'Error', message: String(error), stack: '' };
  const { name, message, stack } = error as Partial<Record<'name' | 'message' | 'stack', unknown>>;
  const text = (value: unknown, or: string): string => (typeof value === 'string' ? value : or);
  return { name: text(name, 'Error'), message: text(message, 'an error without a message'), stack: text(stack, '') };
}

function causeOf(error: unknown): { cause?: Error } {
  const cause: unknown = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  if (typeof cause !== 'object' || cause === null) return {};
  const { name, message } = partsOf(cause);
  const bounded = ApplicationFailure.create({
    message: shorten(redact(ends(message, LOOKED_AT_CHARS)), CAUSE_BYTES),
    type: name.slice(0, TYPE_CHARS),
  });
  bounded.stack = '';
  return { cause: bounded };
}

/** Where it was thrown; the message that V8 repeats at its head is left out. */
function boundStack(name: string, stack: string): string {
  const frames = stack
    .slice(-LOOKED_AT_CHARS)
    .split('\n')
    .filter((line) => /^ {4}at /.test(line));
  const kept: string[] = [];
  let left = STACK_BYTES - bytesOf(name);
  for (const frame of frames.map(redact)) {
    left -= bytesOf(frame) + 1;
    if (left < 0) break;
    kept.push(frame);
  }
  return [name, ...kept].join('\n');
}

/** So many bytes of a text that may be longer, at the end of a character. Pure. */
function cutBytes(text: string, limit: number): string {
  if (bytesOf(text) <= limit) return text;
  let cut = text.slice(0, limit);
  while (bytesOf(cut) > limit) cut = cut.slice(0, Math.floor((cut.length * limit) / bytesOf(cut)) - 1);
  // Not in the middle of a pair of surrogates.
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}

const MORE = (count: number): string => `… and ${count} more; \`hitless check\` lists them all`;
const LEFT_OUT = ' […] ';

/**
 * A message of at most so many bytes: of a list whole lines, and how many more there are; of other text whole sentences,
 * what is left out in the middle, for what to do next stands at its end. Pure.
 */
export function shorten(message: string, limitBytes: number): string {
  if (bytesOf(message) <= limitBytes) return message;
  const lines = message.split('\n');
  const items = lines.filter((line) => line.startsWith('- ')).length;
  if (items >= 2 && bytesOf(lines[0] ?? '') < limitBytes / 2) return shortenList(lines, limitBytes);
  const sentences = message.match(/[^]*?(?:[.;:!?](?=\s)\s*|\n|$)/g) ?? [message];
  const head = wholeOf(sentences, Math.floor((limitBytes * 2) / 3));
  const tail = wholeOf([...sentences].reverse(), limitBytes - bytesOf(head) - bytesOf(LEFT_OUT), true);
  // A sentence longer than that: to a space.
  const begin =
    head === ''
      ? cutBytes(message, Math.floor((limitBytes * 2) / 3))
          .replace(/\s\S{0,80}$/, '')
          .trimEnd()
      : head;
  const end = wholeOf([tail], limitBytes - bytesOf(begin) - bytesOf(LEFT_OUT));
  return `${begin.trimEnd()}${LEFT_OUT}${end.trimStart()}`.trimEnd();
}

function wholeOf(parts: readonly string[], limitBytes: number, fromBehind = false): string {
  const kept: string[] = [];
  let left = limitBytes;
  for (const part of parts) {
    left -= bytesOf(part);
    if (left < 0) break;
    kept.push(part);
  }
  return (fromBehind ? kept.reverse() : kept).join('');
}

const LINE_BYTES = 300;

function shortenList(lines: readonly string[], limitBytes: number): string {
  const kept: string[] = [];
  let left = limitBytes - bytesOf(MORE(lines.length)) - 1;
  for (const line of lines) {
    const shown = bytesOf(line) > LINE_BYTES ? `${cutBytes(line, LINE_BYTES)}…` : line;
    left -= bytesOf(shown) + 1;
    if (left < 0) break;
    kept.push(shown);
  }
  const isItem = (line: string): boolean => line.startsWith('- ');
  const more = lines.filter(isItem).length - kept.filter(isItem).length;
  return [...kept, ...(more > 0 ? [MORE(more)] : [])].join('\n');
}

function boundDetails(details: readonly unknown[], limitBytes: number): unknown[] {
  try {
    const [first, ...others] = redactDeep(details.map((detail) => clipDeep(detail, 0)));
    if (sizeOf([first, ...others]) <= limitBytes) return [first, ...others];
    return [fit(first, limitBytes - 2)];
  } catch {
    return [{ leftOut: 'details that have no JSON form' }];
  }
}

/** Texts of megabytes and trees without end are cut before anything else looks at them. */
function clipDeep(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.slice(0, LOOKED_AT_CHARS);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > SOURCE_DEPTH) return '…';
  if (Array.isArray(value)) return value.slice(0, 1_000).map((item) => clipDeep(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, 1_000)
      .map(([name, member]) => [name, clipDeep(member, depth + 1)]),
  );
}

/** Names that answers must repeat in full. */
const WHOLE = 'waivable';
const ITEM_BYTES = 700;

/** As much of a value as its JSON fits into so many bytes; what was left out of lists is counted. */
function fit(value: unknown, limitBytes: number): unknown {
  if (sizeOf(value) <= limitBytes) return value;
  if (typeof value === 'string') return `${cutBytes(value, Math.max(0, Math.floor(limitBytes / 2) - 8))}…`;
  if (Array.isArray(value)) return fitList(value, limitBytes).kept;
  if (typeof value !== 'object' || value === null) return null;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  // Small ones first: a host's name says more than the megabyte beside it.
  const order = ([name, member]: [string, unknown]): number => (name === WHOLE ? -1 : sizeOf(member));
  members.sort((a, b) => order(a) - order(b));
  const kept: Record<string, unknown> = {};
  let left = limitBytes - 2 - sizeOf({ leftOut: 1_000_000 });
  let leftOut = 0;
  for (const [name, member] of members) {
    const nameBytes = sizeOf(name) + 2;
    if (name !== WHOLE && left - nameBytes < 16) continue;
    if (Array.isArray(member) && name !== WHOLE && sizeOf(member) > left - nameBytes) {
      const list = fitList(member, left - nameBytes);
      kept[name] = list.kept;
      leftOut += member.length - list.kept.length;
    } else kept[name] = name === WHOLE ? member : fit(member, left - nameBytes);
    left -= nameBytes + sizeOf(kept[name]);
  }
  return { ...kept, ...(leftOut > 0 ? { leftOut } : {}) };
}

function fitList(list: readonly unknown[], limitBytes: number): { readonly kept: unknown[] } {
  const kept: unknown[] = [];
  let left = limitBytes - 2;
  for (const item of list) {
    const shown = fit(item, Math.min(left, ITEM_BYTES));
    left -= sizeOf(shown) + 1;
    if (left < 0) break;
    kept.push(shown);
  }
  return { kept };
}
