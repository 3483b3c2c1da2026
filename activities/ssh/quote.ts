import { permanent } from '../kit/errors';

/** One argument for a POSIX shell. The few harmless ones stay bare, so that what is shown to people reads well. */
export function quoteArgument(argument: string): string {
  if (argument.includes('\0')) throw permanent('InvalidInput', 'a command argument holds a NUL byte');
  return /^[A-Za-z0-9_@%+:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/**
 * An argument vector as one command line: sshd hands the line to the login user's shell, which must split it into exactly
 * these arguments again.
 */
export const quoteCommand = (argv: readonly string[]): string => argv.map(quoteArgument).join(' ');

/** Part of a sudoers command that may be anything (also several arguments: sudo matches them as one text). */
export const ANYTHING = Symbol('anything');
/** Part of a sudoers argument: exactly these many lower-case hexadecimal digits. */
export const hexDigits = (count: number): SudoersPattern => ({ pattern: '[0-9a-f]'.repeat(count) });

/** The reader of the file takes one away, fnmatch the other. */
const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\\\\\' };

/** Text that is a pattern already. */
export interface SudoersPattern {
  readonly pattern: string;
}
export type SudoersPart = string | typeof ANYTHING | SudoersPattern;

/**
 * A command in the syntax of sudoers(5): literal text is escaped (`, : = \` and the wildcards), a list is one argument
 * put together from parts, ANYTHING becomes `*`. A command without arguments gets `""`, which allows none.
 */
export function sudoersCommand(argv: readonly (SudoersPart | readonly SudoersPart[])[]): string {
  const part = (p: SudoersPart): string =>
    typeof p === 'string'
      ? p.replace(/[\\,:=*?[\]!#^ ]/g, (c) => ESCAPED[c] ?? `\\${c}`)
      : p === ANYTHING
        ? '*'
        : p.pattern;
  const words = argv.map((argument) => (isList(argument) ? argument.map(part).join('') : part(argument)));
  return words.length === 1 ? `${words[0]} ""` : words.join(' ');
}

const isList = (value: SudoersPart | readonly SudoersPart[]): value is readonly SudoersPart[] => Array.isArray(value);
