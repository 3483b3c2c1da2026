import { failureType } from '../../../activities/kit/errors';
import type { Host } from '../../../activities/kit/host';
import { forgetJob, runJob, sudoToRunJob } from '../../../activities/jobs';
import { stopUnitsOfRun, takeOwnership } from '../../../activities/ownership';
import { checkSudo, sudoToRead, sudoToWrite, sudoersCommand } from '../../../activities/ssh';
import { describeLab } from '../../lab/describe-lab';
import { waitFor } from '../../lab';
import { OneHost, RUN_A, RUN_B, failureOf } from '../support/one-host';

jest.setTimeout(240_000);

const EVERYTHING = 'hitless ALL=(ALL:ALL) NOPASSWD: ALL\n';
const sh = (script: string): string[] => ['/bin/sh', '-c', script];

describeLab('a booted host, logged in to as a user with sudo', () => {
  let one: OneHost;
  let host: Host;
  beforeAll(async () => {
    one = await OneHost.start();
    host = await one.connect();
  });
  afterAll(() => one?.down());
  afterEach(() => one?.machine.setSudoers(EVERYTHING));
  const allow = (...commands: string[]): Promise<void> =>
    one.machine.setSudoers(commands.map((c) => `hitless ALL=(root) NOPASSWD: ${c}\n`).join(''));

  describe('sudo', () => {
    test('as root, as another user, and not at all', async () => {
      expect((await host.exec(['/usr/bin/id', '-un'], { sudo: true })).stdout).toBe('root\n');
      expect((await host.exec(['/usr/bin/id', '-un'], { sudo: 'frr' })).stdout).toBe('frr\n');
      expect((await host.exec(['/usr/bin/id', '-un'])).stdout).toBe('hitless\n');
    });

    test('a command that isn’t listed: SudoRefused, permanent, whatever exit codes are welcome', async () => {
      await allow('/usr/bin/id ""');
      expect((await host.exec(['/usr/bin/id'], { sudo: true })).stdout).toContain('uid=0');
      const failure = await failureOf(host.exec(['/usr/bin/id', '-u'], { sudo: true, okCodes: 'any' }));
      expect(failureType(failure)).toBe('SudoRefused');
      expect(failure.nonRetryable).toBe(true);
      expect(failure.message).toMatch(/fw1: sudo refused "sudo \/usr\/bin\/id -u" for hitless.*--sudoers/);
      expect(failureType(await failureOf(host.exec(['/usr/bin/id'], { sudo: 'frr' })))).toBe('SudoRefused');
    });

    test('no rule at all, a password that would be needed, a broken file', async () => {
      await one.machine.setSudoers('# nothing\n');
      expect(failureType(await failureOf(host.exec(['/usr/bin/id'], { sudo: true })))).toBe('SudoRefused');
      expect(await checkSudo(host, [{ argv: ['/usr/bin/id'] }])).toHaveLength(1);
      await one.machine.setSudoers('hitless ALL=(root) /usr/bin/id\n');
      expect(failureType(await failureOf(host.exec(['/usr/bin/id'], { sudo: true })))).toBe('SudoRefused');
    });

    test('permission is asked for without running anything', async () => {
      await one.machine.setSudoers(
        [
          'hitless ALL=(root) NOPASSWD: /usr/bin/touch /tmp/allowed',
          `hitless ALL=(root) NOPASSWD: ${sudoersCommand(['/usr/bin/touch', '/tmp/a b,c:d=e'])}`,
          'hitless ALL=(root) PASSWD: /usr/bin/touch /tmp/password',
          'hitless ALL=(frr) NOPASSWD: /usr/bin/touch',
          '',
        ].join('\n'),
      );
      const faults = await checkSudo(host, [
        { argv: ['/usr/bin/touch', '/tmp/allowed'] },
        { argv: ['/usr/bin/touch', '/tmp/a b,c:d=e'] },
        { argv: ['/usr/bin/touch', '/tmp/anything'], as: 'frr' },
        { argv: ['/usr/bin/touch', '/tmp/refused'] },
        { argv: ['/usr/bin/touch', '/tmp/password'] },
        { argv: ['/usr/bin/no-such-command'] },
      ]);
      expect(faults.map((f) => f.what)).toEqual([
        'sudo can’t run "/usr/bin/touch /tmp/refused": it isn’t allowed',
        'sudo asks for a password for "/usr/bin/touch /tmp/password"',
        expect.stringContaining('sudo can’t run "/usr/bin/no-such-command"'),
      ]);
      expect((await one.machine.tryExec('ls /tmp/allowed /tmp/password')).code).not.toBe(0);
      await host.exec(['/usr/bin/touch', '/tmp/a b,c:d=e'], { sudo: true });
    });
  });

  describe('what the printed sudoers lines allow is enough, and not more', () => {
    test('a file of root that the login may not even see', async () => {
      const path = '/etc/frr/secret.conf';
      await one.machine.exec(`printf old > ${path}; chown frr:frr ${path}; chmod 640 ${path}; chmod 750 /etc/frr`);
      await allow(...sudoToRead(path), ...sudoToWrite(path));
      expect(await host.readFile(path, { sudo: true })).toBe('old');
      await host.writeFile(path, 'new ä\n', { sudo: true });
      expect(
        await one.machine.exec(`stat -c '%U:%G %a' ${path}; cat ${path}; ls -A /etc/frr | grep -c hitless-new || true`),
      ).toBe('frr:frr 640\nnew ä\n0\n');
      await one.machine.exec(`rm ${path}`);
      await host.writeFile(path, 'created\n', { sudo: true });
      expect(await one.machine.exec(`stat -c '%U:%G %a' ${path}`)).toBe('root:root 644\n');
      expect(failureType(await failureOf(host.readFile('/etc/shadow', { sudo: true })))).toBe('SudoRefused');
      expect(failureType(await failureOf(host.writeFile(`${path}2`, 'x', { sudo: true })))).toBe('SudoRefused');
    });

    test('arguments of all kinds, each as it is and not as a pattern', async () => {
      const args = [
        'a b',
        '"',
        "it's",
        '#1',
        '!x',
        '^x$',
        '*',
        '[ab]',
        '?',
        '\\',
        '$HOME',
        '%h',
        '~',
        '@x',
        'a,b:c=d',
        '(;&|)',
      ];
      await allow(...args.map((arg) => sudoersCommand(['/usr/bin/printf', '%s', arg])));
      for (const arg of args)
        expect((await host.exec(['/usr/bin/printf', '%s', arg], { sudo: true })).stdout).toBe(arg);
      for (const arg of ['x', 'a', 'b', '', 'xx', '%u'])
        expect(failureType(await failureOf(host.exec(['/usr/bin/printf', '%s', arg], { sudo: true })))).toBe(
          'SudoRefused',
        );
    });

    test('a job', async () => {
      const job = {
        name: 'install',
        argv: sh('echo "$@" done: 1,2=3'),
        env: { DEBIAN_FRONTEND: 'noninteractive', OPTIONS: 'a=b,c' },
        timeoutMs: 600_000,
      };
      await allow(...sudoToRunJob(job));
      const context = one.attempt({ runId: RUN_B, scheduledAtMs: 1_000_000 });
      const owned = (await takeOwnership(context, 'fw1')).host;
      expect(await runJob(context, owned, job)).toMatchObject({ outcome: 'done', code: 0, log: 'done: 1,2=3\n' });
      await forgetJob(context, owned, 'install');
      const other = runJob(context, owned, { ...job, argv: sh('id') });
      expect(failureType(await failureOf(other))).toBe('SudoRefused');
      expect(failureType(await failureOf(runJob(context, owned, { ...job, name: 'stage' })))).toBe('SudoRefused');
      // Whatever was refused has left no trace that a repeat would take for a lost job.
      expect(await runJob(context, owned, job)).toMatchObject({ outcome: 'done', code: 0, reattached: false });
    });
  });

  describe('ownership and units', () => {
    test('taking ownership waits for what still runs, of this run and of the one before; or stops it', async () => {
      const cluster = 'fw-units';
      const first = one.attempt({ cluster, runId: RUN_A, call: 1 });
      const { host: a } = await takeOwnership(first, 'fw1', { baseline: 1 });
      const start = async (context: typeof first, on: Host, name: string): Promise<void> => {
        void runJob(context, on, { name, argv: sh(`touch /tmp/${name}; sleep 3600; touch /tmp/${name}-over`) }).catch(
          () => undefined,
        );
        await waitFor(name, async () => (await one.machine.tryExec(`test -e /tmp/${name}`)).code === 0 || undefined, {
          timeoutMs: 30_000,
          intervalMs: 50,
        });
        context.cut();
      };
      await start(first, a, 'unit-a');
      const second = one.attempt({ cluster, runId: RUN_B, call: 1, scheduledAtMs: 2_000_000 });
      const work = takeOwnership(second, 'fw1', { baseline: 1 });
      await waitFor('the next run to wait', async () => second.notes.length > 0 || undefined, {
        timeoutMs: 30_000,
        intervalMs: 50,
      });
      expect(second.notes[0]).toContain('hitless-aaaaaaaa-unit-a.service');
      await one.machine.exec('systemctl stop hitless-aaaaaaaa-unit-a.service');
      const { host: b, adoptedFrom } = await work;
      expect(adoptedFrom?.runId).toBe(RUN_A);
      await start(second, b, 'unit-b');
      const third = one.attempt({ cluster, runId: RUN_B, call: 2, scheduledAtMs: 2_001_000 });
      await takeOwnership(third, 'fw1', { units: 'stop' });
      expect(third.ran).toContain('sudo /usr/bin/systemctl stop -- hitless-bbbbbbbb-unit-b.service');
      expect((await one.machine.tryExec('ls /tmp/unit-a-over /tmp/unit-b-over')).code).not.toBe(0);
    });

    test('single units may be spared when the others of the run are stopped', async () => {
      const cluster = 'fw-spared';
      const context = one.attempt({ cluster, call: 50 });
      const { host: owned } = await takeOwnership(context, 'fw1');
      for (const name of ['keep', 'end'])
        await one.machine.exec(`systemd-run -q --unit=hitless-aaaaaaaa-${name} sleep 3600`);
      await one.machine.exec('systemd-run -q --unit=hitless-cccccccc-other sleep 3600');
      await stopUnitsOfRun(context, owned, { mode: 'stop', except: ['keep'] });
      const left = await one.machine.exec("systemctl list-units --plain --no-legend 'hitless-*' --state=running");
      expect(left).toContain('hitless-aaaaaaaa-keep');
      expect(left).toContain('hitless-cccccccc-other');
      expect(left).not.toContain('hitless-aaaaaaaa-end');
      await one.machine.exec('systemctl stop hitless-aaaaaaaa-keep hitless-cccccccc-other');
    });
  });

  describe('login', () => {
    test('a password, refused and accepted, by reference only', async () => {
      await one.machine.exec(
        'echo hitless:correct-horse | chpasswd; echo PasswordAuthentication yes > /etc/ssh/sshd_config.d/a.conf; systemctl restart ssh',
      );
      process.env['HITLESS_LAB_PASSWORD'] = 'wrong-horse';
      const credentials = { password: 'env:HITLESS_LAB_PASSWORD' };
      const by = async (): Promise<string> =>
        (await (await one.connect(undefined, { credentials })).exec(['/usr/bin/id', '-un'])).stdout;
      const failure = await failureOf(by());
      expect(failureType(failure)).toBe('AuthenticationFailed');
      expect(JSON.stringify([failure.message, failure.details])).not.toContain('wrong-horse');
      process.env['HITLESS_LAB_PASSWORD'] = 'correct-horse';
      expect(await by()).toBe('hitless\n');
      delete process.env['HITLESS_LAB_PASSWORD'];
    });

    test('while the host boots or goes down nobody is let in: that is retryable, and what it said is told', async () => {
      await one.machine.exec('echo "System is going down." > /run/nologin');
      // Another spec, so another connection.
      const fresh = (): Promise<Host> =>
        one.connect(undefined, { credentials: [`file:${one.lab.sshKeyPath}`, 'agent'] });
      const failure = await failureOf((await fresh()).exec(['/usr/bin/true']));
      expect(failureType(failure)).toBe('Unreachable');
      expect(failure.nonRetryable).toBe(false);
      expect(failure.message).toContain('System is going down');
      await one.machine.exec('rm /run/nologin');
      await (await fresh()).exec(['/usr/bin/true']);
    });

    test('through a reboot one and the same object reaches the host again', async () => {
      const before = await host.bootId();
      await one.machine.reboot();
      const after = await waitFor('the host by SSH', () => host.bootId().catch(() => undefined), {
        timeoutMs: 60_000,
        intervalMs: 200,
      });
      expect(after).not.toBe(before);
    });
  });
});
