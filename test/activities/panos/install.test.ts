/** Installing, restarting, and the ways back from every half of them. */
import type { Fault } from '../../../simulators/panos';
import { Bench, INSTALL, RESTART, failureOf } from './support/bench';

const input = { node: 'fw-b', version: '10.2.9' };
type Options = NonNullable<Parameters<typeof Bench.start>[0]>;

/** fw-b suspended, with the image. */
async function staged(options: Options = {}): Promise<Bench> {
  const bench = await Bench.start({ ...options, pair: { downloaded: ['10.2.9'], ...options.pair } });
  await bench.step('suspend', { node: 'fw-b' });
  return bench;
}
/** …and installed. */
async function installed(options: Options = {}): Promise<{ bench: Bench; before: unknown }> {
  const bench = await staged(options);
  return { bench, before: await bench.step('install', input) };
}
const running = (bench: Bench): string => bench.device('fw-b').software.running;
/** What it would run after a power cut. */
const boots = (bench: Bench): string => bench.device('fw-b').software.nextBoot ?? running(bench);
/** The other one was left alone, and serves. */
const untouched = (bench: Bench): void => {
  expect(bench.device('fw-a').serving).toBe(true);
  expect(bench.done.filter((line) => /^fw-a (request|commit|config set)/.test(line))).toEqual([]);
};

describe('a restart', () => {
  it.each([
    ['drop', 'none'],
    ['drop', 'done'],
    ['hang', 'none'],
    ['hang', 'done'],
    ['refuse', 'none'],
  ] as const)('whose reply is lost (%s, effect %s) takes place once', async (how, effect) => {
    const { bench } = await installed();
    bench.fault({ kind: 'request', how, effect, operation: RESTART, device: 1 });
    await bench.step('restart', input);
    expect(bench.count('fw-b', RESTART)).toBe(1);
    expect(running(bench)).toBe('10.2.9');
    untouched(bench);
  });

  it.each(['success', 'no-output', 'drop'] as const)('is answered in one way or another (%s)', async (restartReply) => {
    const { bench } = await installed({ pair: { restartReply }, attempts: 1 });
    await bench.step('restart', input);
    expect(running(bench)).toBe('10.2.9');
  });

  it('that the device refuses is told at once, and not waited for', async () => {
    const { bench } = await installed();
    bench.fault({ kind: 'error', code: 17, message: 'A restart is not possible now', operation: RESTART, device: 1 });
    const from = bench.runtime.now();
    const error = await failureOf(bench.step('restart', input));
    expect(error).toMatchObject({ type: 'CommandFailed' });
    expect(error.message).toContain('A restart is not possible now');
    expect(bench.runtime.now() - from).toBeLessThan(60_000);
  });

  it.each(['before', 'after'] as const)('when the worker dies %s it was asked for', async (when) => {
    const { bench } = await installed();
    bench.dieAt(RESTART, when);
    await bench.step('restart', input);
    expect(bench.count('fw-b', RESTART)).toBe(1);
    expect(running(bench)).toBe('10.2.9');
  });

  it('waits for a device that answers 403 for a long time while it starts', async () => {
    const { bench } = await installed({ pair: { durations: { startingMs: 1_500_000 } } });
    await bench.step('restart', input);
    expect(running(bench)).toBe('10.2.9');
    expect(bench.count('fw-b', RESTART)).toBe(1);
  });

  it.each([
    [
      { kind: 'boot-loop' },
      'NotBack',
      /^fw-b didn’t come back.*started 3 times.*console\. Somebody must look at fw-b\. Now: fw-b is initial, runs 10\.2\.9; fw-a serves, without a standby until this is decided\. Roll back waits until fw-b is up, and brings it back into HA with 10\.2\.3$/,
    ],
    [
      { kind: 'boots-old-version' },
      'WrongRelease',
      /^fw-b has restarted with 10\.2\.3, not with 10\.2\.9.*debug swm.*Retry doesn’t restart it again.*Now: fw-b is .*, runs 10\.2\.3; fw-a serves.*Roll back .* back into HA with 10\.2\.3$/,
    ],
    [
      { kind: 'job', how: 'fail', type: 'AutoCom', details: ['Error: vsys1 is not valid'] },
      'NotHealthy',
      /^the AutoCommit of fw-b failed: Error: vsys1 is not valid\. Its configuration.*Now: fw-b .*runs 10\.2\.9; fw-a serves, without a standby/,
    ],
    [
      { kind: 'boot-stuck', phase: 'starting' },
      'NotBack',
      /^fw-b didn’t come back.*403.*fw-a serves, without a standby/,
    ],
    [{ kind: 'boot-stuck', phase: 'down' }, 'NotBack', /^fw-b didn’t come back.*refuse/],
  ] as const)('that ends badly (%j): %s', async (fault, type, message) => {
    const { bench } = await installed();
    bench.fault({ ...fault, device: 1 } as never);
    const error = await failureOf(bench.step('restart', input));
    expect(error).toMatchObject({ type, nonRetryable: true });
    expect(error.message).toMatch(message);
    expect(bench.count('fw-b', RESTART)).toBe(1);
    untouched(bench);
  });

  it('tells what the AutoCommit of the new release warns of, in a few lines', async () => {
    const { bench } = await installed();
    const before = await bench.observe('restart', input);
    bench.device('fw-b').facts.autoCommitWarnings = ['a is deprecated', 'b', 'c', 'd', 'e'];
    const { summary } = await bench.act('restart', input, before);
    expect(summary).toBe(
      'fw-b has restarted and runs 10.2.9; its AutoCommit warns: a is deprecated; b; c; and 2 more (show jobs)',
    );
  });

  it('of a device that has restarted by itself: nothing is left to do', async () => {
    const { bench } = await installed();
    bench.fault({ kind: 'crash', device: 1 });
    await bench.pass(600_000);
    await bench.step('restart', input);
    expect(bench.count('fw-b', RESTART)).toBe(0);
    expect(running(bench)).toBe('10.2.9');
  });

  it('is refused while the other doesn’t serve, and nothing was sent', async () => {
    const { bench } = await installed();
    bench.fault({ kind: 'dataplane-down', device: 0 });
    const error = await failureOf(bench.step('restart', input));
    expect(error).toMatchObject({ type: 'GuardRefused', nonRetryable: false });
    expect(error.message).toMatch(/^fw-b was not restarted: .*fw-a is non-functional.*Nothing was done\. Now: /);
    expect(bench.count('fw-b', RESTART)).toBe(0);
  });
});

describe('an installation', () => {
  const fails = {
    kind: 'job',
    how: 'fail',
    type: 'SWInstall',
    device: 1,
    details: ['Error: no space'],
  } satisfies Fault;

  it('that fails is told with how things stand, and what rolling back does', async () => {
    const bench = await staged();
    bench.fault(fails);
    const error = await failureOf(bench.step('install', input));
    expect(error).toMatchObject({ type: 'CommandFailed', nonRetryable: true });
    expect(error.message).toMatch(
      /^fw-b: the installation of 10\.2\.9 failed \(job \d+\): Error: no space\. Now: fw-b is suspended \(User requested\), runs 10\.2\.3; fw-a serves, without a standby until this is decided\. Roll back brings fw-b back into HA with 10\.2\.3$/,
    );
  });

  it('…also where the other one doesn’t serve any more', async () => {
    const bench = await staged();
    bench.fault(fails, { kind: 'dataplane-down', device: 0, afterMs: 10_000 });
    const error = await failureOf(bench.step('install', input));
    expect(error.message).toMatch(/Now: fw-b is suspended .*; fw-a is non-functional \(Dataplane down/);
    expect(error.message).not.toContain('serves');
  });

  it('that fails while it is undone says how things stand, too', async () => {
    const { bench } = await installed();
    const before = await bench.step('restart', input);
    bench.fault(fails);
    const error = await failureOf(bench.undo('restart', input, before));
    expect(error.message).toMatch(/installation of 10\.2\.3 failed.*Now: fw-b is .*, runs 10\.2\.9; fw-a serves/);
    expect(error.message).not.toContain('Roll back');
  });
});

describe('undo of an installation', () => {
  it.each(['', 'the worker dies'])(
    'of a device that started the old release all the same: it goes on to do so %s',
    async (dies) => {
      const { bench } = await installed();
      const before = await bench.observe('restart', input);
      bench.fault({ kind: 'boots-old-version', device: 1 });
      expect(await failureOf(bench.act('restart', input, before))).toMatchObject({ type: 'WrongRelease' });
      bench.world.pair.faults.clear();
      if (dies !== '') bench.dieAt(INSTALL, 'after');
      await bench.undo('restart', input, before);
      expect([bench.count('fw-b', INSTALL), bench.count('fw-b', RESTART)]).toEqual([2, 1]);
      bench.fault({ kind: 'crash', device: 1 });
      await bench.pass(600_000);
      expect(running(bench)).toBe('10.2.3');
    },
  );

  it('before the restart: the old release boots; done again, nothing happens twice', async () => {
    const { bench, before } = await installed();
    expect(boots(bench)).toBe('10.2.9');
    expect(await bench.undo('install', input, before)).toMatchObject({ changed: true });
    expect(boots(bench)).toBe('10.2.3');
    expect(await bench.undo('install', input, before)).toMatchObject({ changed: false });
    expect(bench.count('fw-b', INSTALL)).toBe(2);
  });

  it.each(['before', 'after'] as const)('when the worker dies %s the device was told', async (when) => {
    const { bench, before } = await installed();
    bench.dieAt(INSTALL, when);
    await bench.undo('install', input, before);
    expect(boots(bench)).toBe('10.2.3');
    expect(bench.count('fw-b', INSTALL)).toBe(2);
  });

  it('while the job of the act still runs: that one is waited for, and then the old release installed', async () => {
    const bench = await staged();
    const before = await bench.observe('install', input);
    await bench.cutAt(INSTALL, 'install', input, before);
    await bench.undo('install', input, before);
    await bench.pass(600_000);
    expect(boots(bench)).toBe('10.2.3');
    expect(bench.count('fw-b', INSTALL)).toBe(2);
  });

  it('whose job shows up only after the act was cut: it is waited for', async () => {
    const bench = await staged();
    const before = await bench.observe('install', input);
    const { software } = bench.device('fw-b');
    bench.runtime.at(bench.runtime.now() + 7_000, () => void software.install('10.2.9', undefined, 'admin'));
    await bench.undo('install', input, before);
    await bench.pass(600_000);
    expect(boots(bench)).toBe('10.2.3');
    expect(bench.count('fw-b', INSTALL)).toBe(1);
  });

  it('after the device has restarted by itself: it gets the old release back', async () => {
    const { bench, before } = await installed();
    bench.fault({ kind: 'crash', device: 1 });
    await bench.pass(600_000);
    expect(running(bench)).toBe('10.2.9');
    await bench.undo('install', input, before);
    expect(running(bench)).toBe('10.2.3');
    untouched(bench);
  });
});

describe('undo of a restart', () => {
  it('gives the old release back, once', async () => {
    const { bench } = await installed();
    const before = await bench.step('restart', input);
    await bench.undo('restart', input, before);
    expect(running(bench)).toBe('10.2.3');
    await bench.undo('restart', input, before);
    expect(bench.count('fw-b', RESTART)).toBe(2);
  });

  it('of an act that was cut when it had asked: the device is waited for', async () => {
    const { bench } = await installed();
    const before = await bench.observe('restart', input);
    await bench.cutAt(RESTART, 'restart', input, before);
    await bench.undo('restart', input, before);
    await bench.pass(600_000);
    expect(running(bench)).toBe('10.2.3');
    untouched(bench);
  });

  it('of an act that was cut while the device was down', async () => {
    const { bench } = await installed();
    const before = await bench.observe('restart', input);
    await bench.cutAt(RESTART, 'restart', input, before);
    await bench.pass(30_000);
    expect(bench.device('fw-b').phase).toBe('down');
    await bench.undo('restart', input, before);
    expect(running(bench)).toBe('10.2.3');
  });

  it('after an AutoCommit that failed: it is given the old release all the same', async () => {
    const { bench } = await installed();
    bench.fault({ kind: 'job', how: 'fail', type: 'AutoCom', device: 1 });
    const before = await bench.observe('restart', input);
    await failureOf(bench.act('restart', input, before));
    await bench.undo('restart', input, before);
    expect(running(bench)).toBe('10.2.3');
  });

  it('days later, when the device’s list of jobs doesn’t go back to its boot', async () => {
    const { bench } = await installed();
    const before = await bench.step('restart', input);
    await bench.pass(3 * 24 * 3_600_000);
    const { jobs } = bench.device('fw-b');
    const list = jobs.list.bind(jobs);
    const restarted = (): boolean => bench.count('fw-b', RESTART) === 2;
    jobs.list = () => list().filter(({ type }) => restarted() || type !== 'AutoCom');
    await bench.undo('restart', input, before);
    expect(running(bench)).toBe('10.2.3');
  });

  it.each([INSTALL, RESTART])('when the worker dies after %s: nothing happens twice', async (operation) => {
    const { bench } = await installed();
    const before = await bench.step('restart', input);
    bench.dieAt(operation, 'after');
    await bench.undo('restart', input, before);
    expect(running(bench)).toBe('10.2.3');
    expect(bench.count('fw-b', INSTALL)).toBe(2);
    expect(bench.count('fw-b', RESTART)).toBe(2);
  });
});

describe('the way back over two hops', () => {
  const first = { node: 'fw-b', version: '10.2.9' };
  const second = { node: 'fw-b', version: '11.0.4' };

  it.each([undefined, INSTALL, RESTART])(
    'installs the first release where the second was installed and never ran (worker dies after %s)',
    async (operation) => {
      const bench = await Bench.start({ version: '11.0.4', pair: { downloaded: ['10.2.9', '11.0.0', '11.0.4'] } });
      await bench.step('suspend', { node: 'fw-b' });
      const toFirst = await bench.step('install', first);
      const running10 = await bench.step('restart', first);
      const toSecond = await bench.step('install', second);
      await bench.undo('install', second, toSecond);
      expect([running(bench), boots(bench)]).toEqual(['10.2.9', '10.2.9']);
      const counts = [bench.count('fw-b', INSTALL), bench.count('fw-b', RESTART)];
      if (operation !== undefined) bench.dieAt(operation, 'after');
      await bench.undo('restart', first, running10);
      expect(running(bench)).toBe('10.2.3');
      expect([bench.count('fw-b', INSTALL), bench.count('fw-b', RESTART)]).toEqual([counts[0]! + 1, counts[1]! + 1]);
      await bench.undo('install', first, toFirst);
      expect([running(bench), boots(bench)]).toEqual(['10.2.3', '10.2.3']);
      expect(bench.count('fw-b', INSTALL)).toBe(counts[0]! + 1);
    },
  );
});

describe('the way back across a feature release', () => {
  const up = { node: 'fw-b', version: '11.0.4' };
  const start = () =>
    Bench.start({ version: '11.0.4', pair: { downloaded: ['11.0.0', '11.0.4'] } }).then(async (bench) => {
      await bench.step('suspend', { node: 'fw-b' });
      return bench;
    });
  const SAVE = 'save config';
  const autoCommit = (bench: Bench) =>
    bench
      .device('fw-b')
      .jobs.list()
      .find(({ type }) => type === 'AutoCom')?.result;
  /** Names of configurations that installations asked for. */
  const loads = (bench: Bench): (string | undefined)[] => {
    const { software } = bench.device('fw-b');
    const named: (string | undefined)[] = [];
    const original = software.install.bind(software);
    software.install = (version, loadConfig, user) => {
      named.push(loadConfig);
      return original(version, loadConfig, user);
    };
    return named;
  };

  it('boots the configuration that was saved before the installation', async () => {
    const bench = await start();
    const named = loads(bench);
    await bench.step('install', up);
    expect([...bench.device('fw-b').config.saved.keys()]).toEqual(['hitless-89abcdef-10.2.3.xml']);
    const before = await bench.step('restart', up);
    expect(running(bench)).toBe('11.0.4');
    await bench.undo('restart', up, before);
    expect([running(bench), autoCommit(bench)]).toEqual(['10.2.3', 'OK']);
    expect(named).toEqual([undefined, 'hitless-89abcdef-10.2.3.xml']);
    untouched(bench);
  });

  it('by the run that saved it, though another one goes back, which took over what that had found', async () => {
    const bench = await start();
    const named = loads(bench);
    const beforeInstall = await bench.step('install', up);
    bench.world.runId = 'another-run-76543210';
    // Installed by the one, restarted by the other.
    const before = await bench.step('restart', up);
    await bench.undo('restart', up, before);
    expect([running(bench), autoCommit(bench)]).toEqual(['10.2.3', 'OK']);
    await bench.step('install', up);
    await bench.step('restart', up);
    bench.world.runId = 'a-third-run-fedcba98';
    await bench.undo('install', up, beforeInstall);
    expect([running(bench), autoCommit(bench)]).toEqual(['10.2.3', 'OK']);
    expect(named.filter((name) => name !== undefined)).toEqual([
      'hitless-76543210-10.2.3.xml',
      'hitless-89abcdef-10.2.3.xml',
    ]);
  });

  it('also where the device has restarted by itself after the installation', async () => {
    const bench = await start();
    const before = await bench.step('install', up);
    bench.fault({ kind: 'crash', device: 1 });
    await bench.pass(600_000);
    await bench.undo('install', up, before);
    expect([running(bench), autoCommit(bench)]).toEqual(['10.2.3', 'OK']);
  });

  it('but not where the newer release hasn’t run, nor within a feature release', async () => {
    const bench = await start();
    const named = loads(bench);
    const before = await bench.step('install', up);
    await bench.undo('install', up, before);
    expect([boots(bench), ...named]).toEqual(['10.2.3', undefined, undefined]);
    const { bench: same } = await installed();
    const within = loads(same);
    await same.undo('restart', input, await same.step('restart', input));
    expect([running(same), ...within]).toEqual(['10.2.3', undefined]);
  });

  it('is saved again by an attempt after one that died, and the release installed once', async () => {
    const bench = await start();
    bench.dieAt(INSTALL, 'before');
    await bench.step('install', up);
    expect([bench.count('fw-b', SAVE), bench.count('fw-b', INSTALL)]).toEqual([2, 1]);
  });
});
