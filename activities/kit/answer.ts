/**
 * Reading what a host answered: every parser of foreign text is called through `readAnswer`, so that an answer that can't be
 * read fails as what it is, by host and command, and not as whatever the parser stumbled over.
 */
import type { z } from 'zod';
import { clip } from './clip';
import { messageOf, transient } from './errors';
import { ApplicationFailure } from '@temporalio/common';

/** An answer isn't what was asked for. The message says what stands there instead, in one short line. */
export class UnexpectedOutput extends Error {
  override readonly name = 'UnexpectedOutput';
  constructor(message: string) {
    super(oneLine(message));
  }
}

const REASON_CHARS = 300;
/** Cut before spaces are looked for: messages may quote megabytes. */
const oneLine = (text: string): string => clip(clip(text, 2 * REASON_CHARS).replace(/\s+/g, ' '), REASON_CHARS);
const COMMAND_CHARS = 400;

/** What was asked of whom. */
export interface Asked {
  readonly host: string;
  readonly command: readonly string[] | string;
  /** What a readable answer is: "a list of network interfaces as JSON". */
  readonly expected: string;
}

/**
 * What `parse` makes of an answer.
 * @throws CommandFailedRetryable (transient) if it can't be read: a host that is shutting down, or is busy, cuts its answers
 *   short, so it is worth asking again; what stays unreadable is shown to people with host and command.
 */
export function readAnswer<T>({ host, command, expected }: Asked, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ApplicationFailure) throw error;
    const asked = typeof command === 'string' ? command : command.join(' ');
    const shown = clip(asked, COMMAND_CHARS);
    const program = asked.split(' ', 1)[0]?.split('/').at(-1) ?? '';
    const why = oneLine(messageOf(error)).replace(/\.$/, '');
    throw transient(
      'CommandFailedRetryable',
      `${host}: ${program} answered with something else than was asked for: ${why}. Expected: ${expected}. Asked: ${shown}. Next: this is tried again; if it stays so, run that on ${host} by hand, and see what it prints.`,
      { host, command: shown, expected },
    );
  }
}

/** Longest JSON that is parsed in one go, characters: the event loop stands still meanwhile. */
export const JSON_LIMIT_CHARS = 16 * 1024 * 1024;
/** No tool nests deeper; what walks through a value by recursion must not run out of stack. */
const JSON_LIMIT_DEPTH = 100;

/** A JSON text in the shape of a schema. @throws UnexpectedOutput */
export const jsonOf = <T>(schema: z.ZodType<T>, text: string): T => shaped(schema, parseJson(text));

/** @throws UnexpectedOutput for what isn't JSON, is too long, or nests too deep. */
export function parseJson(text: string): unknown {
  if (text.length > JSON_LIMIT_CHARS)
    throw new UnexpectedOutput(`${text.length} characters of JSON, ${JSON_LIMIT_CHARS} are the most`);
  if (depthOf(text) > JSON_LIMIT_DEPTH)
    throw new UnexpectedOutput(`JSON that nests deeper than ${JSON_LIMIT_DEPTH} levels`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UnexpectedOutput(text.trim() === '' ? 'nothing was printed' : `not JSON: ${messageOf(error)}`);
  }
}

/** A value in the shape of a schema. @throws UnexpectedOutput naming the first place that isn't. */
export function shaped<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.map(String).join('.') ?? '';
  throw new UnexpectedOutput(
    `JSON of another shape${place === '' ? '' : ` at ${clip(place, 100)}`}: ${issue?.message ?? ''}`,
  );
}

/** How deep brackets nest outside of strings. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === BACKSLASH) i += 1;
      else if (c === QUOTE) inString = false;
    } else if (c === QUOTE) inString = true;
    else if (c === BRACE || c === BRACKET) deepest = Math.max(deepest, ++depth);
    else if (c === BRACE + 2 || c === BRACKET + 2) depth -= 1;
  }
  return deepest;
}

const [QUOTE, BACKSLASH, BRACE, BRACKET] = [0x22, 0x5c, 0x7b, 0x5b];
