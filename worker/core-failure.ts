/** Reads what the SDK's core says about a failed workflow task. It comes as Rust's debug output. Pure. */

export interface TaskFailure {
  /** As the history names it, but for its prefix: `NonDeterministicError`, `PayloadsTooLarge`, … */
  readonly cause: string;
  readonly message: string;
  /** The event of history that didn't fit: `event 5 (ActivityTaskScheduled)`. */
  readonly event?: string;
}

/** What the core calls the cause of an error that workflow code threw. */
const THROWN = 'Unspecified';
const UNHANDLED = 'WorkflowWorkerUnhandledFailure';
const MESSAGE_CHARS = 600;

/** Of an error whose text is at hand. */
export const thrown = (message: string): TaskFailure => ({ cause: UNHANDLED, message: clipped(message) });

/** From `Failure { failure: Some(Failure { message: "…", …, force_cause: NonDeterministicError }`. */
export function taskFailure(text: string): TaskFailure {
  const quoted = /message: "((?:[^"\\]|\\.)*)"/s.exec(text)?.[1];
  const cause = /force_cause: (\w+) ?\}?\s*$/.exec(text)?.[1] ?? UNHANDLED;
  const message = clipped(quoted === undefined ? text : unescaped(quoted));
  const [, id, type] = /HistoryEvent\(id: (\d+), (\w+)\)/.exec(message) ?? [];
  return {
    cause: cause === THROWN ? UNHANDLED : cause,
    message,
    ...(id !== undefined && { event: `event ${id} (${type})` }),
  };
}

const clipped = (text: string): string => {
  const line = text.trim().replace(/\s*\n\s*/g, ' ');
  return line.length <= MESSAGE_CHARS ? line : `${line.slice(0, MESSAGE_CHARS)}…`;
};

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };

/** Undoes Rust's `escape_debug`. */
const unescaped = (text: string): string =>
  text.replace(/\\(?:u\{([0-9a-f]{1,6})\}|(.))/gs, (whole, code: string | undefined, letter: string | undefined) => {
    if (letter !== undefined) return escapes[letter] ?? letter;
    const point = Number.parseInt(code ?? '', 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
