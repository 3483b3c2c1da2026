/** Login shells that talk or quote otherwise are named before a command is run through them. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { failureType, messageOf } from '../../../activities/kit/errors';
import { createHosts } from '../../../activities/ssh';
import { commandLine } from '../../../activities/ssh/command';
import { shellFault, SHELL_QUESTION } from '../../../activities/ssh/shell';
import { Sshd, describeWithSshd, makeKey } from './support/sshd';

const target = { name: 'fw1', user: 'ops' };
const MARK = execFileSync('/bin/sh', ['-c', SHELL_QUESTION], { encoding: 'utf8' });
const answer = (stdout: string, code = 0, stderr = ''): { code: number; stdout: string; stderr: string } => ({
  code,
  stdout,
  stderr,
});

test.each([
  ['as dash, bash, zsh and mksh answer', answer(MARK)],
  ['a warning on the other output', answer(MARK, 0, 'bash: warning: setlocale: LC_ALL: cannot change locale (de_DE)')],
  ['a wrapper that refuses what it doesn’t know', answer('', 126, 'command not allowed')],
  ['a wrapper that says so where answers stand', answer('this key may only run backups\n', 1)],
  ['a forced command that runs something else', answer('', 0)],
  [
    'an account without a shell: its own message comes with the command',
    answer('This account is currently not available.\n', 1),
  ],
])('fine, or not clearly otherwise: %s', (_name, given) => {
  expect(shellFault(target, given)).toBeUndefined();
});

// fish 3.6.0, tcsh 6.24.07 and FRR 8.4.4 answered so.
test.each([
  [
    answer(`Welcome to fw1\n${MARK}`),
    'prints “Welcome to fw1” before each command',
    /^guard what prints .*\$- == \*i\*/,
  ],
  [answer(`${MARK}bye\n`), 'prints “bye” after each command', /^guard what prints/],
  [answer('hitless!login\\shell'), 'is fish, which quotes otherwise', /bash or dash/],
  [answer(`Welcome to fish\nhitless!login\\shell`), 'is fish, which quotes otherwise', /bash or dash/],
  [answer('', 1, 'login\\\\shell: Event not found.\n'), 'is tcsh or csh, which quotes otherwise', /bash or dash/],
  [answer('% Unknown command: printf …\n', 1), 'is vtysh, which knows a router’s commands only', /bash or dash/],
])('named: %j', (given, what, next) => {
  const fault = shellFault(target, given);
  expect(fault?.what).toBe(`the login shell of ops on fw1 ${what}`);
  expect(fault?.next).toMatch(next);
});

describeWithSshd('login shells behind a real sshd', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitless-shell-'));
    chmodSync(folder, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A host whose sshd runs `shell` with the command line as its last argument, and all that it ran. */
  const withShell = async (shell: string, use: (run: () => Promise<string>, ran: () => string) => Promise<void>) => {
    const [key, log, script] = ['key', 'log', 'shell'].map((name) => join(folder, `${Math.random()}-${name}`)) as [
      string,
      string,
      string,
    ];
    writeFileSync(log, '');
    writeFileSync(script, `#!/bin/sh\nprintf '%s\\n' "$SSH_ORIGINAL_COMMAND" >>${log}\n${shell}\n`, { mode: 0o755 });
    const sshd = await Sshd.start({ authorized: [makeKey(key)], config: [`ForceCommand ${script}`] });
    const hosts = createHosts();
    try {
      const { address, port, user, hostKey } = sshd;
      const spec = { address, port, user, credentials: `file:${key}`, hostKeys: [hostKey], root: 'none' };
      const host = await hosts.connect({ hosts: { fw1: spec } }, 'fw1', new AbortController().signal);
      const ran = (): string => execFileSync('cat', [log], { encoding: 'utf8' });
      await use(async () => (await host.exec(['/usr/bin/echo', 'hello'])).stdout, ran);
    } finally {
      hosts.close();
      await sshd.remove();
    }
  };
  const COMMAND = `${commandLine({ root: 'none' }, ['/usr/bin/echo', 'hello'])}\n`;

  test('a .bashrc that greets (findings, case 10): nothing but the question is run, and mending it is enough', async () => {
    const home = join(folder, 'home');
    mkdirSync(home);
    copyFileSync(resolve('test/cases/10-noisy-shell/bashrc'), join(home, '.bashrc'));
    // As sshd starts bash, which then reads ~/.bashrc.
    await withShell(`exec env -u SHLVL HOME=${home} bash -c "$SSH_ORIGINAL_COMMAND"`, async (run, ran) => {
      const failure = await run().catch((error: unknown) => error);
      expect(failureType(failure)).toBe('CommandFailed');
      expect(messageOf(failure)).toMatch(
        /^fw1 \(.*\): the login shell of \S+ on fw1 prints “Welcome to .*, authorised use only” before each command\. Nothing was run there\. Next: guard what prints .*\[\[ \$- == \*i\* \]\] && …\.$/,
      );
      expect(ran()).toBe(`${SHELL_QUESTION}\n`);
      writeFileSync(join(home, '.bashrc'), '[[ $- == *i* ]] && echo Welcome\n');
      expect(await run()).toBe('hello\n');
      expect(await run()).toBe('hello\n');
      expect(ran()).toBe(`${SHELL_QUESTION}\n${SHELL_QUESTION}\n${COMMAND}${COMMAND}`);
    });
  });

  test('a forced command that runs some commands only', async () => {
    const wrapper = `case "$SSH_ORIGINAL_COMMAND" in */usr/bin/echo*) exec sh -c "$SSH_ORIGINAL_COMMAND" ;; esac; echo refused; exit 1`;
    await withShell(wrapper, async (run) => expect(await run()).toBe('hello\n'));
  });
});
