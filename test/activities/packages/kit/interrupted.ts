/** Tests of a driver of packages: installations that are cut, refused or fail. For every platform. */
import { unitName } from '../../../../activities/jobs';
import { failureType } from '../../../../activities/kit';
import { waitFor } from '../../../lab';
import { RUN_A, failureOf } from '../../support/one-host';
import { EDIT, Node } from './node';
import type { Platform } from './platform';
import { STAGED, install, ready, stage } from './inputs';

export function installationsThatGoWrong(platform: Platform): void {
  const { commands, main, telling, says } = platform;
  const edited = Object.keys(platform.edited);
  let node: Node;
  let versions: Record<string, string>;
  beforeAll(async () => {
    node = await Node.start(platform);
    await node.addPacer();
    versions = await node.versions();
    await node.activities.stage.act(node.call(), stage, {});
  });
  afterAll(() => node?.down());
  /** Each test begins and ends with 1.0. */
  const back = async (before: Awaited<ReturnType<typeof node.activities.install.observe>>): Promise<void> => {
    await node.activities.install.undo(node.call(quick()), install, before);
    expect(await node.versions()).toEqual(versions);
    expect((await node.machine.exec(commands.broken)).trim()).toBe('');
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

  test('the package manager is killed in the middle: the next attempt heals and finishes it', async () => {
    const before = await observe();
    const first = node.call(quick());
    await node.hold();
    const killed = failureOf(node.activities.install.act(first, install, before));
    await node.held();
    await node.machine.exec(commands.kill);
    await node.goOn();
    const failure = await killed;
    expect([failureType(failure), failure.nonRetryable]).toEqual(['CommandFailedRetryable', false]);
    await node.activities.install.act(node.again(first), install, before);
    expect(await node.versions()).toEqual(node.packages('2.0'));
    expect((await node.machine.exec(commands.broken)).trim()).toBe('');
    await back(before);
  });

  test('the package manager is killed in the middle, and there is no next attempt: undo', async () => {
    const before = await observe();
    await node.hold();
    const killed = failureOf(node.activities.install.act(node.call(quick()), install, before));
    await node.held();
    await node.machine.exec(commands.kill);
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
    for (const path of edited) expect(node.machine.readFile(path)).toBe(EDIT);
    const stat = `stat -c '%n %a %U:%G %y' ${edited.join(' ')}`;
    const was = await node.machine.exec(stat);
    const before = await observe(plan);
    const outcome = await node.activities.install.act(node.call(plan), install, before);
    expect(outcome.summary).toContain(`replaced by those of the packages: ${edited.join(', ')}`);
    for (const path of edited) expect(node.machine.readFile(path)).toContain(platform.edited[path]);
    await node.activities.install.undo(node.call(plan), install, before);
    for (const path of edited) expect(node.machine.readFile(path)).toBe(EDIT);
    expect(await node.machine.exec(stat)).toBe(was);
    expect(await node.versions()).toEqual(versions);
  });

  test('another package manager at work is waited for', async () => {
    const before = await observe();
    const { machine } = node;
    machine.writeFile({
      path: '/root/hold.pl',
      content: `use Fcntl;
open(my $lock, "+<", "${platform.lock}") or die;
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
    expect(unready.message).toContain(`fw1: ${platform.driver} can’t install`);
    await machine.exec('systemctl stop holder');
    expect(await node.versions()).toEqual(versions);
  });

  test('packages held since readiness', async () => {
    const before = await observe();
    await node.machine.exec(commands.hold(main));
    const failure = await failureOf(node.activities.install.act(node.call(quick()), install, before));
    expect(failureType(failure)).toBe('CommandFailed');
    expect(failure.message).toMatch(says.held);
    await node.machine.exec(commands.unhold(main));
    expect(await node.versions()).toEqual(versions);
  });

  test('a staged file that somebody changed is not installed', async () => {
    const before = await observe();
    const name = platform.fileOf(telling, node.packages('2.0')[telling]!);
    const file = `${STAGED}/2.0/${name}`;
    await node.machine.exec(`cp -a ${file} /tmp/kept && echo rubbish >> ${file}`);
    const failure = await failureOf(node.activities.install.act(node.call(quick()), install, before));
    expect(failureType(failure)).toBe('DigestMismatch');
    expect(failure.message).toContain(name);
    await node.machine.exec(`mv /tmp/kept ${file}`);
    expect(await node.versions()).toEqual(versions);
  });

  test.each(platform.faulty)('a package whose script fails (%s): its words, and a clean way back', async (release) => {
    await platform.publishFaulty(node.lab);
    const faulty = { ...node.packages('2.0'), [telling]: platform.versionOf(release) };
    const plan = quick({
      releases: { '1.0': { packages: versions }, [release]: { packages: faulty } },
    });
    const input = { ...install, release };
    await node.activities.stage.act(node.call(plan), { nodes: ['fw1'], releases: [release, '1.0'] }, {});
    const before = await node.activities.install.observe(node.call(plan), input);
    const failure = await failureOf(node.activities.install.act(node.call(plan), input, before));
    expect([failureType(failure), failure.nonRetryable]).toEqual(['CommandFailed', true]);
    expect(failure.message).toContain('the licence server refused this release');
    // Also where the package manager itself takes it for installed: tried again without its cause gone, it fails again.
    const again = await failureOf(node.activities.install.act(node.call(plan), input, before));
    expect(again.message).toContain('the licence server refused this release');
    await node.activities.install.undo(node.call(plan), input, before);
    expect(await node.versions()).toEqual(versions);
    expect((await node.machine.exec(commands.broken)).trim()).toBe('');
    await node.machine.exec(`rm -rf ${STAGED}`);
    await node.activities.stage.act(node.call(), stage, {});
  });
}
