import { describeLab } from '../../lab/describe-lab';
import { waitFor } from '../../lab';
import { failureOf } from '../support/one-host';
import { EDITED, Node } from './node';
import { failureType } from '../../../activities/kit';
import { unitName } from '../../../activities/jobs';
import { RUN_A } from '../support/one-host';

jest.setTimeout(240_000);

const install = { node: 'fw1', release: '2.0', previous: '1.0' };
const stage = { nodes: ['fw1'], releases: ['2.0', '1.0'] as const };
const ready = { runs: { fw1: '1.0' }, releases: ['2.0', '1.0'] as const };
const STAGED = '/var/lib/hitless/stage/fw-dc1';

describeLab('packages that can’t be had', () => {
  let node: Node;
  beforeAll(async () => {
    node = await Node.start();
  });
  afterAll(() => node?.down());
  beforeEach(() => node.machine.exec(`rm -rf ${STAGED}`));

  const planWith = (frr: string) => {
    const { repository } = node;
    return node.plan({
      releases: {
        '1.0': { packages: repository.versions('1.0') },
        '2.0': { packages: { ...repository.versions('2.0'), frr } },
      },
    });
  };

  test('a version that no repository has: which, on which host, and what there is', async () => {
    const plan = planWith('9.9-1');
    const failure = await failureOf(node.activities.stage.act(node.call(plan), stage, {}));
    expect(failureType(failure)).toBe('PackageMissing');
    const { frr } = node.repository.versions('1.0');
    expect(failure.message).toMatch(/^fw1 can’t get frr 9\.9-1 \(there is /);
    expect(failure.message).toContain(frr);
    const unready = await failureOf(node.activities.readable.check(node.call(plan), ready));
    expect(failureType(unready)).toBe('NotReady');
    expect(unready.message).toContain('fw1: can’t get frr 9.9-1');
  });

  test('a way back that is gone is missed before anything begins', async () => {
    const { frr } = node.repository.versions('1.0');
    await node.repository.remove('frr', frr!);
    try {
      const failure = await failureOf(node.activities.stage.act(node.call(), stage, {}));
      expect(failure.message).toContain(`can’t get frr ${frr}`);
    } finally {
      await node.repository.putBack('frr', frr!);
    }
  });

  test('a file that the index promises and the repository doesn’t have', async () => {
    const { nftables } = node.repository.versions('2.0');
    await node.repository.remove('nftables', nftables!, { keepInIndex: true });
    try {
      const failure = await failureOf(node.activities.stage.act(node.call(), stage, {}));
      expect(failureType(failure)).toBe('PackageMissing');
      expect(failure.message).toMatch(/404 +Not Found/);
    } finally {
      await node.repository.putBack('nftables', nftables!);
    }
    expect(await node.activities.stage.act(node.call(), stage, {})).toMatchObject({ changed: true });
  });

  test('a repository that doesn’t answer may come back: tried again, and a fault of readiness', async () => {
    await node.lab.setRepositoryReachable(false);
    try {
      const failure = await failureOf(node.activities.stage.act(node.call(), stage, {}));
      expect([failureType(failure), failure.nonRetryable]).toEqual(['CommandFailedRetryable', false]);
      const unready = await failureOf(node.activities.readable.check(node.call(), ready));
      expect(unready.message).toMatch(/fw1: http:\/\/\S+ didn’t answer → bring the repository back/);
    } finally {
      await node.lab.setRepositoryReachable(true);
    }
    await node.activities.readable.check(node.call(), ready);
  });

  test('a node that runs another release than the plan says', async () => {
    const failure = await failureOf(node.activities.stage.act(node.call(), { ...stage, releases: ['1.0', '2.0'] }, {}));
    expect(failureType(failure)).toBe('WrongRelease');
    expect(failure.message).toMatch(/fw1 should run 2\.0 now, but says 1\.0/);
    const unready = await failureOf(node.activities.readable.check(node.call(), { ...ready, runs: { fw1: '2.0' } }));
    expect(unready.message).toContain('fw1: runs 1.0 instead of 2.0');
  });

  test('a removal that nobody allowed, and packages that are held', async () => {
    const { machine } = node;
    // Its counterpart in the repository would have to go.
    await machine.exec(
      'mkdir -p /tmp/p/DEBIAN && printf "Package: site-monitor\\nVersion: 1\\nArchitecture: all\\nMaintainer: a\\nDescription: a\\nDepends: frr (= $(dpkg-query -W -f \'${Version}\' frr))\\n" > /tmp/p/DEBIAN/control && dpkg-deb -b /tmp/p /tmp/p.deb && dpkg -i /tmp/p.deb',
    );
    await machine.exec('apt-mark hold nftables');
    const failure = await failureOf(node.activities.readable.check(node.call(), ready));
    expect(failureType(failure)).toBe('NotReady');
    expect(failure.message).toContain('held at their version: nftables → apt-mark unhold nftables');
    expect(failure.message).toMatch(/held packages|installing 2\.0 would remove site-monitor 1/i);
    await machine.exec('apt-mark unhold nftables');
    const removal = await failureOf(node.activities.stage.act(node.call(), stage, {}));
    expect(removal.message).toMatch(/installing 2\.0 would remove site-monitor 1\..*mayRemove/);
    await machine.exec('dpkg -r site-monitor');
  });
});

describeLab('installations that go wrong', () => {
  let node: Node;
  let versions: Record<string, string>;
  beforeAll(async () => {
    node = await Node.start();
    await node.addPacer();
    versions = await node.versions();
    await node.activities.stage.act(node.call(), stage, {});
  });
  afterAll(() => node?.down());
  /** Each test begins and ends with 1.0. */
  const back = async (before: Awaited<ReturnType<typeof node.activities.install.observe>>): Promise<void> => {
    await node.activities.install.undo(node.call(quick()), install, before);
    expect(await node.versions()).toEqual(versions);
    expect(await node.machine.exec('dpkg --audit')).toBe('');
  };
  /** Without reboots, which other tests show. */
  const quick = (more: object = {}) => node.plan({ reboot: false, ...more });
  const observe = (plan = quick()) => node.activities.install.observe(node.call(plan), install);
  afterEach(async () => {
    await node.goOn();
    await node.machine.tryExec('systemctl stop holder');
    await node.machine.setSudoers('hitless ALL=(ALL:ALL) NOPASSWD: ALL\n');
  });
  test('the worker is lost in the middle: the next attempt finds the installation, which took place once', async () => {
    const before = await observe();
    const first = node.call(quick());
    await node.hold();
    const lost = failureOf(node.activities.install.act(first, install, before));
    await node.held();
    first.cut();
    await lost;
    node.nextWorker();
    const second = node.again(first);
    const work = node.activities.install.act(second, install, before);
    await waitFor('the second attempt to wait', () => second.notes.length > 0);
    expect(second.notes[0]).toContain(unitName(RUN_A, 'install'));
    await node.goOn();
    expect((await work).nodes).toMatchObject({ fw1: { installed: '2.0', release: '2.0' } });
    expect(await node.versions()).toEqual(node.packages('2.0'));
    for (const [name, version] of Object.entries(node.packages('2.0')))
      expect([name, await node.setUps(name, version)]).toEqual([name, 1]);
    await back(before);
  });

  test('dpkg is killed in the middle: the next attempt heals and finishes it', async () => {
    const before = await observe();
    const first = node.call(quick());
    await node.hold();
    const killed = failureOf(node.activities.install.act(first, install, before));
    await node.held();
    await node.machine.exec('kill -KILL $(pgrep -x dpkg)');
    await node.goOn();
    const failure = await killed;
    expect([failureType(failure), failure.nonRetryable]).toEqual(['CommandFailedRetryable', false]);
    await node.activities.install.act(node.again(first), install, before);
    expect(await node.versions()).toEqual(node.packages('2.0'));
    expect(await node.machine.exec('dpkg --audit')).toBe('');
    await back(before);
  });

  test('dpkg is killed in the middle, and there is no next attempt: undo', async () => {
    const before = await observe();
    await node.hold();
    const killed = failureOf(node.activities.install.act(node.call(quick()), install, before));
    await node.held();
    await node.machine.exec('kill -KILL $(pgrep -x dpkg)');
    await node.goOn();
    await killed;
    await back(before);
  });

  test('the power fails in the middle: the next attempts find the host, heal and finish it', async () => {
    const before = await observe();
    let context = node.call(quick());
    await node.hold();
    const first = failureOf(node.activities.install.act(context, install, before));
    await node.held();
    await node.machine.powerOff();
    // The attempt waits for the host; when it is back, the installation is gone, and what it did has to be looked at.
    await node.machine.start();
    await node.machine.waitBooted();
    expect(failureType(await first)).toBe('CommandFailedRetryable');
    context = node.again(context);
    await node.activities.install.act(context, install, before);
    expect(await node.versions()).toEqual(node.packages('2.0'));
    await back(before);
  });

  test('an edited configuration file is replaced where the plan says so, and put back by undo', async () => {
    const plan = quick({ conffiles: 'replace' });
    await node.allowOnly(plan);
    const edited = '# edited on this host\n';
    expect(node.machine.readFile(EDITED)).toBe(edited);
    const was = await node.machine.exec(`stat -c '%a %U:%G %y' ${EDITED}`);
    const before = await observe(plan);
    const outcome = await node.activities.install.act(node.call(plan), install, before);
    expect(outcome.summary).toContain(`replaced by those of the packages: ${EDITED}`);
    expect(node.machine.readFile(EDITED)).toContain('Since release 2.0');
    await node.activities.install.undo(node.call(plan), install, before);
    expect(node.machine.readFile(EDITED)).toBe(edited);
    expect(await node.machine.exec(`stat -c '%a %U:%G %y' ${EDITED}`)).toBe(was);
    expect(await node.versions()).toEqual(versions);
  });

  test('another package manager at work is waited for', async () => {
    const before = await observe();
    const { machine } = node;
    machine.writeFile({
      path: '/root/hold.pl',
      content: `use Fcntl;
open(my $lock, "+<", "/var/lib/dpkg/lock-frontend") or die;
my $range = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
fcntl($lock, F_SETLK, $range) or die;
open(my $held, ">", "/run/held") or die;
print $held "held";
close $held;
sleep 600;
`,
    });
    await machine.exec('systemd-run --quiet --unit=holder /usr/bin/perl /root/hold.pl');
    await waitFor('the lock', async () => (await machine.tryExec('test -s /run/held')).code === 0 || undefined);
    const failure = await failureOf(node.activities.install.act(node.call(quick()), install, before));
    expect([failureType(failure), failure.nonRetryable]).toEqual(['Busy', false]);
    expect(failure.message).toMatch(/fw1: another package manager is at work .*perl/);
    const unready = await failureOf(node.activities.readable.check(node.call(quick()), ready));
    expect(unready.message).toContain('fw1: apt can’t install');
    await machine.exec('systemctl stop holder');
    expect(await node.versions()).toEqual(versions);
  });

  test('packages held since readiness', async () => {
    const before = await observe();
    await node.machine.exec('apt-mark hold frr');
    const failure = await failureOf(node.activities.install.act(node.call(quick()), install, before));
    expect(failureType(failure)).toBe('CommandFailed');
    expect(failure.message).toMatch(/Held packages.*Next: .*apt-mark unhold/s);
    await node.machine.exec('apt-mark unhold frr');
    expect(await node.versions()).toEqual(versions);
  });

  test('a staged file that somebody changed is not installed', async () => {
    const before = await observe();
    const file = `${STAGED}/2.0/fw-release_2.0_all.deb`;
    await node.machine.exec(`cp -a ${file} /tmp/kept && echo rubbish >> ${file}`);
    const failure = await failureOf(node.activities.install.act(node.call(quick()), install, before));
    expect(failureType(failure)).toBe('DigestMismatch');
    expect(failure.message).toContain('fw-release_2.0_all.deb');
    await node.machine.exec(`mv /tmp/kept ${file}`);
    expect(await node.versions()).toEqual(versions);
  });

  test('a package whose script fails: its words, and a clean way back', async () => {
    await node.repository.publishFaulty('2.1');
    const faulty = { ...node.packages('2.0'), 'fw-release': '2.1' };
    const plan = quick({
      releases: { '1.0': { packages: versions }, '2.1': { packages: faulty } },
    });
    const input = { ...install, release: '2.1' };
    await node.activities.stage.act(node.call(plan), { nodes: ['fw1'], releases: ['2.1', '1.0'] }, {});
    const before = await node.activities.install.observe(node.call(plan), input);
    const failure = await failureOf(node.activities.install.act(node.call(plan), input, before));
    expect([failureType(failure), failure.nonRetryable]).toEqual(['CommandFailed', true]);
    expect(failure.message).toContain('the licence server refused this release');
    await node.activities.install.undo(node.call(plan), input, before);
    expect(await node.versions()).toEqual(versions);
    expect(await node.machine.exec('dpkg --audit')).toBe('');
    await node.machine.exec(`rm -rf ${STAGED}`);
    await node.activities.stage.act(node.call(), stage, {});
  });
});

describeLab('reboots that go wrong', () => {
  let node: Node;
  const restart = { node: 'fw1', release: '2.0' };
  beforeAll(async () => {
    node = await Node.start();
    await node.activities.stage.act(node.call(), stage, {});
  });
  afterAll(() => node?.down());

  test('a node is not rebooted into a release whose packages it lacks', async () => {
    const before = await node.activities.restart.observe(node.call(), restart);
    const failure = await failureOf(node.activities.restart.act(node.call(), restart, before));
    expect(failureType(failure)).toBe('VerifyFailed');
    expect(await node.machine.bootId()).toBe(before.boot.bootId);
  });

  test('a node that doesn’t come back; when it does, the next attempt finds it without another reboot', async () => {
    const plan = node.plan({ rebootTimeoutMs: '6s' });
    const beforeInstall = await node.activities.install.observe(node.call(), install);
    await node.machine.snapshot();
    await node.activities.install.act(node.call(), install, beforeInstall);
    const before = await node.activities.restart.observe(node.call(), restart);
    await node.machine.onNextReboot('stay-off');
    const first = node.call(plan);
    const failure = await failureOf(node.activities.restart.act(first, restart, before));
    expect(failureType(failure)).toBe('Unreachable');
    expect(failure.message).toMatch(/fw1 isn’t back \d+ s after its reboot.*look at its console/);
    await node.machine.start();
    const outcome = await node.activities.restart.act(node.again(first), restart, before);
    expect(outcome).toMatchObject({ changed: false, nodes: { fw1: { release: '2.0' } } });
  });

  test('a node that comes back as it was before is told apart, and named', async () => {
    const before = await node.activities.restart.observe(node.call(), restart);
    await node.machine.onNextReboot('restore-snapshot');
    const failure = await failureOf(node.activities.restart.act(node.call(), restart, before));
    expect([failureType(failure), failure.nonRetryable]).toEqual(['WrongRelease', true]);
    expect(failure.message).toMatch(/fw1 runs 1\.0 after its reboot, not 2\.0/);
  });
});
