import { failureType } from '../../../activities/kit/errors';
import { forgetJob, jobFailure, runJob, unitName, type JobResult } from '../../../activities/jobs';
import { takeOwnership } from '../../../activities/ownership';
import { describeLab } from '../../lab/describe-lab';
import { waitFor } from '../../lab';
import { OneHost, RUN_A, failureOf, type Attempt, type AttemptOptions } from '../support/one-host';

jest.setTimeout(240_000);

const sh = (script: string): string[] => ['/bin/sh', '-c', script];

describeLab('jobs on a booted host', () => {
  let one: OneHost;
  let calls = 0;
  beforeAll(async () => {
    one = await OneHost.start();
  });
  // A test that failed in the middle mustn't leave a job that all others would wait for.
  afterEach(() => one.machine.exec("systemctl stop 'hitless-*'"));
  afterAll(() => one?.down());

  /** A new call, or another attempt of one. */
  const attempt = (options: AttemptOptions = {}): Attempt => one.attempt({ call: ++calls, ...options });
  const again = (of: Attempt, options: AttemptOptions = {}): Attempt =>
    one.attempt({ call: of.call.number, attempt: of.attempt + 1, ...options });
  const run = async (context: Attempt, name: string, script: string, more: object = {}): Promise<JobResult> => {
    const { host } = await takeOwnership(context, 'fw1');
    return runJob(context, host, { name, argv: sh(script), ...more });
  };
  const begun = (path: string): Promise<unknown> =>
    waitFor(path, async () => (await one.machine.tryExec(`test -s ${path}`)).code === 0 || undefined, {
      timeoutMs: 30_000,
      intervalMs: 50,
    });
  const lines = async (path: string): Promise<string[]> =>
    (await one.machine.exec(`cat ${path} 2>/dev/null || true`)).split('\n').filter((l) => l !== '');

  test('exit code, output of both kinds, arguments and environment as given', async () => {
    const script = 'printf "%s|" "$0" "$@"; echo " $GREETING $(id -un)"; echo problem >&2; exit 7';
    const context = attempt();
    const { host } = await takeOwnership(context, 'fw1');
    const args = ['$HOME', '%h', '${X}', 'a b', "it's", '"', '\\', '100%', ''];
    const job = await runJob(context, host, {
      name: 'args',
      argv: [...sh(script), ...args],
      env: { GREETING: 'hello  $you %h' },
    });
    expect(job).toMatchObject({ outcome: 'done', code: 7, timedOut: false, reattached: false });
    expect(job.log).toBe(`${args.join('|')}| hello  $you %h root\nproblem\n`);
    expect(await one.machine.exec(`cat ${job.logPath}`)).toBe(job.log);
    const failure = jobFailure(host, 'args', job);
    expect(failureType(failure)).toBe('CommandFailed');
    expect(failure.message).toMatch(/fw1: args ended with exit code 7[^]*problem[^]*\/var\/log\/hitless/);
  });

  test('a repeat of the call gets the same result; the next call runs it anew, and its log begins where it began', async () => {
    const context = attempt();
    const script = 'echo run >> /tmp/anew; echo line $(wc -l < /tmp/anew)';
    expect(await run(context, 'anew', script)).toMatchObject({ code: 0, reattached: false, log: 'line 1\n' });
    expect(await run(again(context), 'anew', script)).toMatchObject({ code: 0, reattached: true, log: 'line 1\n' });
    expect(await lines('/tmp/anew')).toHaveLength(1);
    expect(await run(attempt(), 'anew', script)).toMatchObject({ reattached: false, log: 'line 2\n' });
  });

  test('a failed job, too, until it is forgotten', async () => {
    const context = attempt();
    const script = 'echo run >> /tmp/failed; exit 3';
    expect(await run(context, 'failed', script)).toMatchObject({ code: 3 });
    const second = again(context);
    expect(await run(second, 'failed', script)).toMatchObject({ code: 3, reattached: true });
    const { host } = await takeOwnership(second, 'fw1');
    await forgetJob(second, host, 'failed');
    await forgetJob(second, host, 'failed');
    expect(await run(again(second), 'failed', script)).toMatchObject({ code: 3, reattached: false });
    expect(await lines('/tmp/failed')).toHaveLength(2);
  });

  test('the connection is cut while it runs: the second attempt re-attaches, and it ran once', async () => {
    const context = attempt();
    const script = 'echo run >> /tmp/once; while [ ! -e /tmp/once-go ]; do sleep 0.1; done; echo over >> /tmp/once';
    const first = run(context, 'once', script);
    void first.catch(() => undefined);
    await begun('/tmp/once');
    context.cut();
    await failureOf(first);
    // Gone already, where the cut was quicker.
    await one.machine.exec('pkill -KILL -u hitless sshd; true');
    one.nextWorker();
    const second = again(context);
    // It waits in takeOwnership, for what still runs comes before any guard.
    const work = run(second, 'once', script);
    await waitFor('the second attempt to wait', async () => second.notes.length > 0 || undefined, {
      timeoutMs: 30_000,
      intervalMs: 50,
    });
    expect(second.notes[0]).toContain(unitName(RUN_A, 'once'));
    await one.machine.exec('touch /tmp/once-go');
    expect(await work).toMatchObject({ outcome: 'done', code: 0, reattached: true });
    expect(await lines('/tmp/once')).toEqual(['run', 'over']);
  });

  test('sshd away for a while in the middle doesn’t fail the attempt', async () => {
    const context = attempt();
    const work = run(
      context,
      'away',
      'echo run > /tmp/away; while [ ! -e /tmp/away-go ]; do sleep 0.1; done; echo over',
    );
    await begun('/tmp/away');
    await one.machine.exec('systemctl stop ssh.socket ssh.service 2>/dev/null; pkill -KILL -u hitless sshd; true');
    await waitFor(
      'the attempt to notice',
      async () => context.notes.some((n) => n.includes('can’t be reached')) || undefined,
      {
        timeoutMs: 60_000,
        intervalMs: 100,
      },
    );
    await one.machine.exec('systemctl start ssh.service; touch /tmp/away-go');
    expect(await work).toMatchObject({ outcome: 'done', code: 0, reattached: false, log: 'over\n' });
  });

  test('progress shows the last line of the output', async () => {
    const context = attempt();
    const work = run(context, 'talk', 'echo Unpacking frr; while [ ! -e /tmp/talk-go ]; do sleep 0.1; done');
    await waitFor('progress', async () => context.notes.some((n) => n.includes('Unpacking frr')) || undefined, {
      timeoutMs: 60_000,
      intervalMs: 100,
    });
    await one.machine.exec('touch /tmp/talk-go');
    await work;
  });

  test('a job that takes too long is ended by systemd, not by us', async () => {
    const job = await run(attempt(), 'slow', 'sleep 3600', { timeoutMs: 1_000 });
    expect(job).toMatchObject({ outcome: 'done', timedOut: true });
    expect(job.outcome === 'done' && job.code).not.toBe(0);
  });

  test('a program that isn’t there', async () => {
    const context = attempt();
    const { host } = await takeOwnership(context, 'fw1');
    const outcome = await runJob(context, host, { name: 'none', argv: ['/usr/bin/no-such-program'] }).catch(
      (error: Error) => error,
    );
    if (outcome instanceof Error) expect(failureType(outcome)).toBe('CommandFailed');
    else expect(outcome).toMatchObject({ outcome: 'done', code: 203 });
    expect(failureType(await failureOf(runJob(context, host, { name: 'x', argv: ['relative'] })))).toBe('InvalidInput');
  });

  test('a job of an earlier call that still runs is awaited, then the guard has to be checked again', async () => {
    const context = attempt();
    const script = 'echo run >> /tmp/foreign; while [ ! -e /tmp/foreign-go ]; do sleep 0.1; done';
    const first = run(context, 'foreign', script);
    void first.catch(() => undefined);
    await begun('/tmp/foreign');
    context.cut();
    const undo = attempt();
    // Without taking ownership first, which would wait: runJob must notice by itself.
    const host = await undo.host('fw1');
    const work = failureOf(runJob(undo, host, { name: 'foreign', argv: sh('echo undone >> /tmp/foreign') }));
    await waitFor('the undo to wait', async () => undo.notes.some((n) => n.includes('earlier call')) || undefined, {
      timeoutMs: 60_000,
      intervalMs: 100,
    });
    await one.machine.exec('touch /tmp/foreign-go');
    expect(failureType(await work)).toBe('Busy');
    expect(await lines('/tmp/foreign')).toEqual(['run']);
    const second = again(undo);
    expect(await run(second, 'foreign', 'echo undone >> /tmp/foreign')).toMatchObject({ code: 0, reattached: false });
    expect(await lines('/tmp/foreign')).toEqual(['run', 'undone']);
  });

  test('a stale attempt can’t start a job', async () => {
    const stale = attempt();
    const { host } = await takeOwnership(stale, 'fw1');
    await takeOwnership(again(stale), 'fw1');
    const failure = await failureOf(runJob(stale, host, { name: 'stale', argv: sh('echo run > /tmp/stale') }));
    expect(failureType(failure)).toBe('OwnedByAnother');
    expect(await lines('/tmp/stale')).toEqual([]);
  });

  test('a reboot in the middle: lost, told apart from an end, until forgotten', async () => {
    const context = attempt();
    const script = 'echo run >> /var/tmp/lost; [ -e /var/tmp/lost-go ] || sleep 3600';
    const work = run(context, 'lost', script, { unreachableMs: 60_000 });
    await begun('/var/tmp/lost');
    await one.machine.exec('sync');
    await one.machine.reboot();
    const lost = await work;
    expect(lost).toMatchObject({ outcome: 'lost', rebooted: true });
    expect(jobFailure(await context.host('fw1'), 'lost', lost).message).toContain('rebooted in the middle');
    expect(await run(again(context), 'lost', script)).toMatchObject({ outcome: 'lost' });
    const second = again(context);
    const { host } = await takeOwnership(second, 'fw1');
    await forgetJob(second, host, 'lost');
    await one.machine.exec('touch /var/tmp/lost-go');
    expect(await run(again(second), 'lost', script)).toMatchObject({ outcome: 'done', code: 0, reattached: false });
    expect(await lines('/var/tmp/lost')).toHaveLength(2);
  });
});
