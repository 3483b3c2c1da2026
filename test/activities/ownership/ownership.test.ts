import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureType } from '../../../activities/kit/errors';
import { releaseOwnership, takeOwnership } from '../../../activities/ownership';
import { createHosts, type Hosts } from '../../../activities/ssh';
import { Sshd, describeWithSshd, makeKey } from '../ssh/support/sshd';
import { RUN_A, RUN_B, attemptOn, failureOf, type Attempt, type AttemptOptions } from '../support/one-host';

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
};

describeWithSshd('ownership over a real sshd', () => {
  let root: string;
  let home: string;
  let sshd: Sshd;
  let hosts: Hosts;
  let homes = 0;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'hitless-owner-'));
    const key = makeKey(join(root, 'key'));
    // The login's home is one of ours, whoever runs the tests.
    const force = `ForceCommand cd "$(cat ${join(root, 'home')})" && exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"`;
    sshd = await Sshd.start({ authorized: [key], config: [force] });
    hosts = createHosts();
  });
  afterAll(async () => {
    hosts?.close();
    await sshd?.remove();
    rmSync(root, { recursive: true, force: true });
  });
  beforeEach(() => {
    home = join(root, `home-${++homes}`);
    mkdirSync(home);
    writeFileSync(join(root, 'home'), home);
  });

  const attempt = (options: AttemptOptions = {}): Attempt =>
    attemptOn(
      (signal) =>
        hosts.connect(
          {
            hosts: {
              fw1: {
                address: sshd.address,
                port: sshd.port,
                user: sshd.user,
                credentials: `file:${join(root, 'key')}`,
                hostKeys: [sshd.hostKey],
                root: 'none',
              },
            },
          },
          'fw1',
          signal,
        ),
      options,
    );
  /** Somebody stands in front of the lock that another command holds. */
  const waitsForLock = (): boolean =>
    sshd.sessions().some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('flock\0-w\0');
      } catch {
        return false;
      }
    });
  const record = (): Record<string, unknown> =>
    JSON.parse(readFileSync(join(home, '.hitless/fw-dc1.fw1.json'), 'utf8')) as Record<string, unknown>;

  test('the owner acts; the file tells who it is', async () => {
    const { host, baseline } = await takeOwnership(attempt(), 'fw1', { baseline: { release: '1.0' } });
    expect(baseline).toEqual({ release: '1.0' });
    await host.exec(['touch', 'acted']);
    await host.writeFile(join(home, 'file'), 'content\n');
    expect(await host.readFile(join(home, 'file'))).toBe('content\n');
    expect(readdirSync(home)).toEqual(expect.arrayContaining(['acted', 'file']));
    expect(record()).toMatchObject({
      owner: { runId: RUN_A, step: '03-install', call: 1, attempt: 1 },
      released: false,
    });
    expect((await host.exec(['sh', '-c', 'exit 91'], { okCodes: 'any' })).code).toBe(91);
    expect(failureType(await failureOf(host.exec(['sh', '-c', 'exit 91'])))).toBe('CommandFailed');
  });

  test('the evidence shows what was run, not the lock', async () => {
    const context = attempt();
    const { host } = await takeOwnership(context, 'fw1');
    await host.exec(['touch', 'acted']);
    expect(context.ran.at(-1)).toBe('touch acted');
  });

  test('a stale attempt can neither take ownership nor act, and changes nothing', async () => {
    const stale = await takeOwnership(attempt({ call: 3, attempt: 1 }), 'fw1');
    await takeOwnership(attempt({ call: 3, attempt: 2 }), 'fw1');
    const before = JSON.stringify(record());
    const failure = await failureOf(stale.host.exec(['touch', 'acted']));
    expect(failureType(failure)).toBe('OwnedByAnother');
    expect(failure.message).toMatch(/was not run.*call 3, attempt 2.*out of date/);
    expect(failureType(await failureOf(stale.host.writeFile(join(home, 'acted'), 'x')))).toBe('OwnedByAnother');
    expect(failureType(await failureOf(takeOwnership(attempt({ call: 2, attempt: 9 }), 'fw1')))).toBe('OwnedByAnother');
    expect(readdirSync(home)).toEqual(['.hitless']);
    expect(JSON.stringify(record())).toBe(before);
  });

  test('a command that is under way is ended before a later attempt takes over', async () => {
    const first = await takeOwnership(attempt({ attempt: 1 }), 'fw1');
    const work = first.host.exec([
      'sh',
      '-c',
      'echo begin >> log; while [ ! -e go ]; do sleep 0.05; done; echo end >> log',
    ]);
    await until(() => readdirSync(home).includes('log'));
    const second = takeOwnership(attempt({ attempt: 2 }), 'fw1').then(({ host }) =>
      host.exec(['sh', '-c', 'echo second >> log']),
    );
    await until(waitsForLock);
    writeFileSync(join(home, 'go'), '');
    await Promise.all([work, second]);
    expect(readFileSync(join(home, 'log'), 'utf8')).toBe('begin\nend\nsecond\n');
  });

  test('also when the connection of the first one was cut: the command goes on, and is waited for', async () => {
    const lost = attempt({ attempt: 1 });
    const first = await takeOwnership(lost, 'fw1');
    const work = failureOf(
      first.host.exec(['sh', '-c', 'echo begin >> log; while [ ! -e go ]; do sleep 0.05; done; echo end >> log']),
    );
    await until(() => readdirSync(home).includes('log'));
    sshd.dropConnections();
    expect(failureType(await work)).toBe('Unreachable');
    const second = takeOwnership(attempt({ attempt: 2 }), 'fw1').then(({ host }) =>
      host.exec(['sh', '-c', 'echo second >> log']),
    );
    await until(waitsForLock);
    writeFileSync(join(home, 'go'), '');
    await second;
    expect(readFileSync(join(home, 'log'), 'utf8')).toBe('begin\nend\nsecond\n');
  });

  test('a daemon that a command starts doesn’t keep the lock', async () => {
    const { host } = await takeOwnership(attempt({ attempt: 1 }), 'fw1');
    await host.exec(['sh', '-c', 'sleep 86.51 </dev/null >/dev/null 2>&1 & echo $! > pid']);
    await takeOwnership(attempt({ attempt: 2 }), 'fw1');
    process.kill(Number(readFileSync(join(home, 'pid'), 'utf8')));
  });

  test('many attempts at once: the last one owns, each of the others knows', async () => {
    const attempts = Array.from({ length: 6 }, (_, i) => attempt({ attempt: i + 1 }));
    const outcomes = await Promise.allSettled(attempts.map((a) => takeOwnership(a, 'fw1')));
    const last = outcomes.at(-1)!;
    expect(last.status).toBe('fulfilled');
    expect(record()).toMatchObject({ owner: { attempt: 6 } });
    for (const [i, one] of outcomes.entries()) {
      if (one.status === 'rejected') expect(['OwnedByAnother', 'Busy']).toContain(failureType(one.reason));
      else if (i < 5)
        expect(failureType(await failureOf(one.value.host.exec(['touch', 'acted'])))).toBe('OwnedByAnother');
    }
    expect(readdirSync(home)).not.toContain('acted');
  });

  test('a run that was terminated: equal baseline adopted, another one refused with both', async () => {
    await takeOwnership(attempt({ baseline: undefined } as AttemptOptions), 'fw1', { baseline: { release: '1.0' } });
    const next = (more: AttemptOptions = {}): Attempt =>
      attempt({ runId: RUN_B, call: 1, scheduledAtMs: 90_000, ...more });
    const failure = await failureOf(takeOwnership(next(), 'fw1', { baseline: { release: '2.0' } }));
    expect(failureType(failure)).toBe('OwnedByAnother');
    expect(failure.nonRetryable).toBe(true);
    expect(failure.message).toContain('{"release":"1.0"}');
    expect(failure.message).toContain('{"release":"2.0"}');
    expect(failure.message).toContain('~/.hitless/fw-dc1.fw1.json');
    const adopted = await takeOwnership(next(), 'fw1', { baseline: { release: '1.0' } });
    expect(adopted.adoptedFrom).toMatchObject({ runId: RUN_A });
    const back = await failureOf(takeOwnership(attempt({ call: 9, scheduledAtMs: 99_000 }), 'fw1'));
    expect(failureType(back)).toBe('OwnedByAnother');
    expect(back.message).toContain('succeeded by another');
  });

  test('a terminated run whose befores are known: its host is taken and let go of as it was left', async () => {
    await takeOwnership(attempt(), 'fw1', { baseline: { release: '1.0' } });
    const next = (at: number): Attempt => attempt({ runId: RUN_B, adopted: [RUN_A], scheduledAtMs: at });
    const { host, baseline, adoptedFrom } = await takeOwnership(next(90_000), 'fw1', { baseline: { release: '2.0' } });
    expect({ baseline, adoptedFrom }).toMatchObject({ baseline: { release: '1.0' }, adoptedFrom: { runId: RUN_A } });
    await host.exec(['touch', 'acted']);
    expect(record()).not.toHaveProperty('owner.adopted');
    await takeOwnership(attempt({ runId: RUN_A, call: 2, cluster: 'fw-dc2' }), 'fw1');
    // Nothing of this run has come to that host.
    await releaseOwnership(
      attempt({ runId: RUN_B, adopted: [RUN_A], cluster: 'fw-dc2', scheduledAtMs: 99_000 }),
      'fw1',
    );
    const other = JSON.parse(readFileSync(join(home, '.hitless/fw-dc2.fw1.json'), 'utf8')) as unknown;
    expect(other).toMatchObject({ released: true, owner: { runId: RUN_B }, succeeded: [RUN_A] });
  });

  test('after a release the next run starts from what it finds; a release by a stale attempt does nothing', async () => {
    const first = attempt({ attempt: 2 });
    const { host } = await takeOwnership(first, 'fw1', { baseline: 1 });
    await releaseOwnership(attempt({ attempt: 1 }), 'fw1');
    expect(record()).toMatchObject({ released: false });
    await releaseOwnership(first, 'fw1');
    await releaseOwnership(first, 'fw1');
    expect(record()).toMatchObject({ released: true, token: '' });
    expect(failureType(await failureOf(host.exec(['true'])))).toBe('OwnedByAnother');
    const next = await takeOwnership(attempt({ runId: RUN_B, scheduledAtMs: 90_000 }), 'fw1', { baseline: 2 });
    expect(next).toMatchObject({ baseline: 2 });
    await releaseOwnership(attempt(), 'fw1');
    expect(record()).toMatchObject({ released: false });
  });

  test('an owner that is later by the server’s clock: who, until when, and how to let go', async () => {
    await takeOwnership(attempt({ scheduledAtMs: 86_400_000 }), 'fw1');
    const next = attempt({ runId: RUN_B, call: 1, scheduledAtMs: 1_000 });
    const { message } = await failureOf(takeOwnership(next, 'fw1'));
    expect(message).toContain(`run ${RUN_A}, step 03-install, call 1, attempt 1 of upgrade-fw-dc1 owns it`);
    expect(message).toContain('refused until 1970-01-02T00:00:00.000Z');
    expect(message).toContain('move ~/.hitless/fw-dc1.fw1.json away, and retry');
    await releaseOwnership(attempt({ call: 2, scheduledAtMs: 86_400_000 }), 'fw1');
    expect(record()).toMatchObject({ released: true, owner: { call: 2 } });
    await takeOwnership(next, 'fw1');
    expect(record()).toMatchObject({ released: false, owner: { runId: RUN_B } });
  });

  test('a file that can’t be read is nobody’s permission', async () => {
    await takeOwnership(attempt(), 'fw1');
    for (const text of ['{', '{"schema":2}', 'null', '']) {
      writeFileSync(join(home, '.hitless/fw-dc1.fw1.json'), text);
      if (text === '') continue;
      const failure = await failureOf(takeOwnership(attempt(), 'fw1'));
      expect(failureType(failure)).toBe('OwnedByAnother');
      expect(failure.message).toContain('move the file away');
    }
  });

  test('a record that people put into lines of their own is still compared and replaced', async () => {
    await takeOwnership(attempt(), 'fw1');
    writeFileSync(join(home, '.hitless/fw-dc1.fw1.json'), JSON.stringify(record(), null, 2));
    await takeOwnership(attempt({ attempt: 2 }), 'fw1');
    expect(record()).toMatchObject({ owner: { attempt: 2 } });
  });

  test('the host set up anew in the middle: retryable, and the next attempt starts over', async () => {
    const { host } = await takeOwnership(attempt(), 'fw1');
    rmSync(join(home, '.hitless'), { recursive: true });
    expect(failureType(await failureOf(host.exec(['touch', 'acted'])))).toBe('Busy');
    const next = await takeOwnership(attempt({ attempt: 2 }), 'fw1');
    await next.host.exec(['touch', 'acted']);
    expect(readdirSync(home)).toContain('acted');
  });

  test('what has no place in the order is refused; so is a huge baseline', async () => {
    expect(failureType(await failureOf(takeOwnership(attempt({ call: NaN }), 'fw1')))).toBe('InvalidInput');
    const baseline = 'x'.repeat(10_000);
    expect(failureType(await failureOf(takeOwnership(attempt(), 'fw1', { baseline })))).toBe('InvalidInput');
  });
});
