import type { ExecResult, Host } from '../../../activities/kit/host';
import { ScriptedHost } from '../support/local-host';
import { checkSudo, parseRules, sudoRefusal } from '../../../activities/ssh/sudo';

describe('what sudo says', () => {
  test.each([
    ['sudo: a password is required\n', 'password'],
    ["Sorry, user hitless is not allowed to execute '/usr/bin/id' as root on fw1.\n", 'isn’t allowed'],
    ['hitless is not in the sudoers file.\n', 'sudoers file'],
    ['sudo: sorry, you must have a tty to run sudo\n', 'terminal'],
    ['>>> /etc/sudoers: syntax error near line 1 <<<\nsudo: no valid sudoers sources found, quitting\n', 'broken'],
    ['sudo: unable to initialize policy plugin\n', 'broken'],
    ['sudo: unable to open /etc/sudoers: Permission denied\n', 'broken'],
    ['sudo: interactive authentication is required\n', 'password'],
    ["sudo-rs: Sorry, user hitless is not allowed to execute '/usr/bin/id' as root on fw1.\n", 'isn’t allowed'],
    ["sudo: I'm sorry hitless. I'm afraid I can't do that\n", 'isn’t allowed'],
  ])('%j', (stderr, why) => {
    expect(sudoRefusal(1, stderr)).toContain(why);
    expect(sudoRefusal(0, stderr)).toBeUndefined();
  });

  test('what a command says is not taken for a refusal', () => {
    expect(sudoRefusal(1, 'the tool said: sudo: a password is required\n')).toBeUndefined();
    expect(sudoRefusal(1, 'sudo: /usr/bin/none: command not found\n')).toBeUndefined();
    expect(sudoRefusal(1, 'grep: no such file')).toBeUndefined();
  });

  test.each([
    'sudo: unable to resolve host fw1: Temporary failure in name resolution',
    'sudo: unable to send audit message: Operation not permitted',
    'sudo: unable to stat /etc/sudoers.d/old: No such file or directory',
    '/etc/sudoers.d/x:1:9: syntax error\nsudo: error in /etc/sudoers.d/x near line 1',
  ])('a warning is none: the command ran, and failed by itself (%s)', (warning) => {
    expect(sudoRefusal(1, `${warning}\n`)).toBeUndefined();
  });
});

const LISTING = `Matching Defaults entries for hitless on fw1:
    env_reset, mail_badpass

User hitless may run the following commands on fw1:
    (ALL : ALL) ALL
    (root) NOPASSWD: /usr/bin/vtysh -c show*, /usr/bin/systemctl restart frr,
        /usr/bin/tee -- /etc/a\\,b, /usr/bin/id ""
    (root) /usr/bin/systemctl restart frr
`;

/** A host whose sudo knows this listing and permits everything that begins with /usr. */
const host = (listing: string, code = 0): Host =>
  ({
    name: 'fw1',
    exec: async (argv: readonly string[]): Promise<ExecResult> => {
      const result = { stdout: '', stderr: '', ms: 1 };
      if (argv.at(-1) === '-l')
        return { ...result, code, stdout: listing, stderr: code ? 'sudo: a password is required' : '' };
      return { ...result, code: argv.includes('/opt/none') ? 1 : 0, stderr: 'sudo: /opt/none: command not found' };
    },
  }) as unknown as Host;

describe('checkSudo', () => {
  test('the last rule that matches decides about the password', async () => {
    const faults = await checkSudo(host(LISTING), [
      { argv: ['/usr/bin/vtysh', '-c', 'show ip bgp'] },
      { argv: ['/usr/bin/vtysh', '-c', 'clear ip bgp'] },
      { argv: ['/usr/bin/systemctl', 'restart', 'frr'] },
      { argv: ['/usr/bin/tee', '--', '/etc/a,b'] },
      { argv: ['/usr/bin/id'] },
      { argv: ['/usr/bin/id', '-u'] },
      { argv: ['/opt/none'] },
    ]);
    expect(faults.map((f) => f.what)).toEqual([
      `sudo asks for a password for "/usr/bin/vtysh -c 'clear ip bgp'"`,
      'sudo asks for a password for "/usr/bin/systemctl restart frr"',
      'sudo asks for a password for "/usr/bin/id -u"',
      'sudo can’t run "/opt/none": there is no such command on the host',
    ]);
    expect(faults.every((f) => f.where === 'fw1' && f.next?.includes('--sudoers'))).toBe(true);
  });

  test('one fault where sudo doesn’t work at all; nothing asked where nothing is needed', async () => {
    expect(await checkSudo(host('', 1), [{ argv: ['/usr/bin/id'] }, { argv: ['/usr/bin/ls'] }])).toHaveLength(1);
    expect(await checkSudo(host('', 1), [])).toEqual([]);
  });

  test('a shell that complains of a locale isn’t a host without sudo; a shell that finds none says so by its code', async () => {
    const warning = 'bash: warning: setlocale: LC_ALL: cannot change locale (en_US.UTF-8): No such file or directory\n';
    const on = (code: number, stderr: string) =>
      new ScriptedHost('fw1', (command) => (command.endsWith(' -l') ? { code, stdout: LISTING, stderr } : ''));
    expect(await checkSudo(on(0, warning), [{ argv: ['/usr/bin/vtysh', '-c', 'show ip bgp'] }])).toEqual([]);
    expect(
      await checkSudo(on(127, 'bash: line 1: /usr/bin/sudo: No such file or directory\n'), [{ argv: ['/bin/id'] }]),
    ).toMatchObject([{ what: '/usr/bin/sudo isn’t there' }]);
  });

  test('root is never asked for a password, whatever Debian’s rules say', async () => {
    const listing = 'User root may run the following commands on fw1:\n    (ALL : ALL) ALL\n';
    expect(await checkSudo(host(listing), [{ argv: ['/usr/bin/id'] }])).toEqual([]);
    expect(await checkSudo(host(listing.replace('root', 'rooty')), [{ argv: ['/usr/bin/id'] }])).toHaveLength(1);
  });

  test('rules: tags hold for what follows, users as listed', () => {
    const rules = parseRules('    (root, postgres) NOPASSWD: /bin/a, PASSWD: /bin/b, /bin/c [0-9]x\n');
    expect(rules.map((r) => r.password)).toEqual([false, true, true]);
    expect(rules[0]?.users).toEqual(['root', 'postgres']);
    expect(rules[2]?.covers('/bin/c 5x')).toBe(true);
    expect(rules[2]?.covers('/bin/c 55x')).toBe(false);
  });
});
