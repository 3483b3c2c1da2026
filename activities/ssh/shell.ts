/**
 * What the login shell makes of a command line: sshd hands it every command. One that prints of itself puts words into every
 * answer that is read here, one that reads quotes in a way of its own changes what is run; both are asked for once a
 * connection, before its first command. Pure.
 */
import { permanent } from '../kit/errors';
import { clipLine, label, type Target } from './errors';

/** Each shell that quotes otherwise than a POSIX shell says so: fish halves the backslash, tcsh takes `!` for history. */
const MARK = 'hitless!login\\\\shell';
const HALVED = 'hitless!login\\shell';

/** Without quoteCommand, so that what is asked doesn't change with it. It has no effect. */
export const SHELL_QUESTION = `printf '%s' '${MARK}'`;

const TALKS_NEXT = 'guard what prints (~/.bashrc, /etc/bash.bashrc, or what they read): [[ $- == *i* ]] && …';
const OTHER_SHELL_NEXT = 'give this user bash or dash (chsh -s /bin/bash)';

/**
 * Why commands can't be run through this shell, from its answer to SHELL_QUESTION; undefined if they can. Only what shows
 * clearly counts: a wrapper (ForceCommand) may refuse the question and still run the commands that it knows.
 */
export function shellFault(
  target: Pick<Target, 'name' | 'user'>,
  answer: { readonly code: number; readonly stdout: string; readonly stderr: string },
): { readonly what: string; readonly next: string } | undefined {
  const { code, stdout, stderr } = answer;
  const who = `the login shell of ${target.user} on ${target.name}`;
  const other = (name: string, how: string) => ({ what: `${who} is ${name}, which ${how}`, next: OTHER_SHELL_NEXT });
  const at = stdout.indexOf(MARK);
  if (at >= 0) {
    const [before, after] = [stdout.slice(0, at).trim(), stdout.slice(at + MARK.length).trim()];
    if (before !== '') return { what: `${who} prints “${clipLine(before)}” before each command`, next: TALKS_NEXT };
    return after === ''
      ? undefined
      : { what: `${who} prints “${clipLine(after)}” after each command`, next: TALKS_NEXT };
  }
  if (stdout.includes(HALVED)) return other('fish', 'quotes otherwise');
  if (code !== 0 && /: Event not found\.?$/m.test(stderr)) return other('tcsh or csh', 'quotes otherwise');
  // It answers with 1 or 2, by its release, on either output.
  if (code !== 0 && /^% (Unknown|Ambiguous) command/m.test(`${stdout}\n${stderr}`))
    return other('vtysh', 'knows a router’s commands only');
  return undefined;
}

/** Nothing but the question was run, and it does nothing. */
export const shellRefused = (target: Target, { what, next }: { readonly what: string; readonly next: string }): Error =>
  permanent('CommandFailed', `${label(target)}: ${what}. Nothing was run there. Next: ${next}.`, {
    host: target.name,
    user: target.user,
  });
