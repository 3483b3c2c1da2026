import type { ApplicationFailure } from '@temporalio/common';
import type { Fault } from '../kit/errors';
import { permanent } from '../kit/errors';
import { glob } from '../kit/glob';
import type { Host } from '../kit/host';
import { clipLine } from './errors';
import { quoteCommand } from './quote';

export const SUDO = '/usr/bin/sudo';

/**
 * What sudo itself says when it refuses; commands behind it say other things. Read under LC_ALL=C. sudo-rs puts its name before
 * all of it. What sudo says besides and goes on is none: that it can't resolve the host's own name (as on a firewall whose DNS
 * is out of reach), send an audit message or read a file of rules that it then leaves out.
 */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/^sudo: a password is required/m, 'it asks for a password'],
  [/^sudo(-rs)?: interactive authentication is required/m, 'it asks for a password'],
  [/^sudo: a terminal is required to read the password/m, 'it asks for a password'],
  [/^sudo: sorry, you must have a tty to run sudo/m, 'it demands a terminal (Defaults requiretty)'],
  [/^(sudo(-rs)?: )?Sorry, user \S+ is not allowed to execute /m, 'the command isn’t allowed'],
  [/^(sudo(-rs)?: )?Sorry, user \S+ may not run /m, 'the user may not use sudo on this host'],
  [/^sudo(-rs)?: I'm sorry \S+\. I'm afraid I can't do that/m, 'the command isn’t allowed'],
  [/^\S+ is not in the sudoers file/m, 'the user isn’t in the sudoers file'],
  [/^\S+ is not allowed to run sudo on /m, 'the user may not use sudo on this host'],
  [/^sudo(-rs)?: (sorry, )?you are not allowed to /m, 'an option of the command isn’t allowed'],
  [
    /^sudo: (unable to (initialize|load|open|find|get|read|allocate)\b|error in .*\bplugin|no valid sudoers)/m,
    'its configuration is broken',
  ],
  [/^sudo(-rs)?: invalid configuration/m, 'its configuration is broken'],
  [/^sudo: account validation failure/m, 'the account isn’t valid (expired?)'],
];

/** Why sudo refused, or undefined if it was the command itself that failed. */
export function sudoRefusal(code: number, stderr: string): string | undefined {
  if (code !== 1) return undefined;
  return REFUSALS.find(([pattern]) => pattern.test(stderr))?.[1];
}

export const sudoRefused = (
  host: string,
  user: string,
  command: string,
  why: string,
  stderr: string,
): ApplicationFailure =>
  permanent(
    'SudoRefused',
    `${host}: sudo refused "${clipLine(command)}" for ${user}: ${why} (${clipLine(stderr)}). The command was not run. Next: install the sudoers file that \`hitless plan --sudoers\` prints, and look for later rules that override it.`,
    { host, user, command: clipLine(command, 1_000) },
  );

/** A command that a plan needs to run by sudo, with arguments as they will be. */
export interface SudoNeed {
  readonly argv: readonly string[];
  /** root if left out. */
  readonly as?: string;
}

/**
 * Asks the host whether sudo would run these commands without a password; nothing is run. Returns one fault per command
 * that it wouldn't run. `sudo -l COMMAND` knows of permission but not of passwords, so those are looked for on their own.
 */
export async function checkSudo(host: Host, needs: readonly SudoNeed[]): Promise<Fault[]> {
  if (needs.length === 0) return [];
  const faults: Fault[] = [];
  const next = 'install the sudoers file that `hitless plan --sudoers` prints';
  const list = await host.exec([SUDO, '-n', '-l'], { okCodes: 'any' });
  // The shell's own code: what it prints besides may be about something else, as a locale that the host doesn't have.
  if (list.code === 127)
    return [
      { where: host.name, what: `${SUDO} isn’t there`, next: 'install sudo, or log in as root with `root: none`' },
    ];
  if (list.code !== 0)
    return [{ where: host.name, what: `sudo doesn’t work without a password: ${clipLine(list.stderr)}`, next }];
  const rules = parseRules(list.stdout);
  // sudo never asks root for a password, whatever the rules say.
  const isRoot = /^User root may run /m.test(list.stdout);
  for (const { argv, as = 'root' } of needs) {
    const shown = `${as === 'root' ? '' : `-u ${as} `}${quoteCommand(argv)}`;
    const asked = await host.exec([SUDO, '-n', '-l', '-u', as, '--', ...argv], { okCodes: 'any' });
    if (asked.code !== 0) {
      const why = /command not found/.test(asked.stderr) ? 'there is no such command on the host' : 'it isn’t allowed';
      faults.push({ where: host.name, what: `sudo can’t run "${clipLine(shown)}": ${why}`, next });
    } else if (!isRoot && lastRule(rules, argv, as)?.password === true) {
      faults.push({ where: host.name, what: `sudo asks for a password for "${clipLine(shown)}"`, next });
    }
  }
  return faults;
}

interface Rule {
  readonly users: readonly string[];
  readonly password: boolean;
  /** Whether it speaks of this command, given as one line. A rule that can't be read speaks of none. */
  readonly covers: (command: string) => boolean;
}

/** Rules as `sudo -l` lists them: `    (root) NOPASSWD: /usr/bin/a, /usr/bin/b *`. Tags hold for what follows on the line. */
export function parseRules(listing: string): Rule[] {
  const rules: Rule[] = [];
  // A long rule is folded; folded lines are indented deeper.
  const lines = listing.replace(/\n {8,}/g, ' ').split('\n');
  for (const line of lines) {
    const match = /^\s+\(([^)]*)\)\s+(.*)$/s.exec(line);
    if (match === null) continue;
    const users = ((match[1] ?? '').split(':')[0] ?? '').split(',').map((u) => u.trim());
    let password = true;
    for (const item of (match[2] ?? '').split(/(?<!\\),\s*/)) {
      const [, tags = '', command = ''] = /^((?:[A-Z_]+:\s*)*)(.*)$/s.exec(item.trim()) ?? [];
      if (/\bNOPASSWD:/.test(tags)) password = false;
      else if (/\bPASSWD:/.test(tags)) password = true;
      rules.push({ users, password, covers: covering(command) });
    }
  }
  return rules;
}

/** The last rule that speaks of the command decides, as in sudoers(5). */
function lastRule(rules: readonly Rule[], argv: readonly string[], as: string): Rule | undefined {
  const text = argv.join(' ');
  return rules.findLast((r) => (r.users.includes('ALL') || r.users.includes(as)) && r.covers(text));
}

/** fnmatch(3) without FNM_PATHNAME, as sudo uses it for arguments. */
function covering(command: string): (text: string) => boolean {
  if (command === 'ALL') return () => true;
  if (command.endsWith(' ""')) return glob(command.slice(0, -3), { sets: true });
  const asWritten = glob(command, { sets: true });
  if (/\s/.test(command)) return asWritten;
  // Without arguments in the rule any are allowed.
  const withArguments = glob(`${command} *`, { sets: true });
  return (text) => asWritten(text) || withArguments(text);
}
