/**
 * Exit codes of the `hitless` command; they are part of its interface (`hitless --help` prints them).
 */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 4,
  waiting: 5,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeHelp: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'done; for status: under way and nobody is asked anything, or completed',
  failed: 'refused or failed; for status and start: ended otherwise than upgraded',
  usage: 'wrong usage, or invalid input or inventory; nothing was started or touched',
  notFound: 'no such cluster, or no run of it',
  unreachable: 'the Temporal server can’t be reached',
  waiting: 'for status and start --wait: the run waits for people; hitless status says for what',
};

/** A fault told to people (message, what to do next) and to scripts (exit code, details in the JSON). */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  constructor(
    readonly code: ExitCode,
    message: string,
    readonly next?: string,
    /** Goes into the JSON output as it is. */
    readonly details?: unknown,
  ) {
    super(message);
  }
}
