import { describeLab } from '../../lab/describe-lab';
import { failureOf } from '../support/one-host';
import { EDITED, Node } from './node';
import type { InstallBefore, RestartBefore } from '../../../activities/packages';
import { failureType } from '../../../activities/kit';

jest.setTimeout(180_000);

/** In the order of an upgrade: each test goes on from where the one before left the node. */
describeLab('packages of a node, there and back', () => {
  let node: Node;
  const install = { node: 'fw1', release: '2.0', previous: '1.0' };
  const stage = { nodes: ['fw1', 'fw2'], releases: ['2.0', '1.0'] as const };
  const restart = { node: 'fw1', release: '2.0' };
  let before: InstallBefore;
  let beforeRestart: RestartBefore;
  let untouched: string;
  let marks: string;
  let setUpsBefore: number;
  /** All that an upgrade and its undo must leave as it was. */
  const state = (): Promise<string> =>
    node.machine.exec(
      `dpkg-query -W; apt-mark showauto; sha256sum ${EDITED} /etc/fw-release.d/defaults.conf /etc/fw-release /etc/frr/daemons`,
    );

  beforeAll(async () => {
    node = await Node.start(['fw1', 'fw2']);
    await node.addPacer();
    await node.allowOnly(node.plan());
    // Named to apt when 2.0 is installed, which would mark it as wanted by people.
    await node.machine.exec('apt-mark auto nftables');
    marks = await node.machine.exec('apt-mark showauto');
    setUpsBefore = await node.setUps('fw-release', '1.0');
    untouched = await state();
  });
  afterAll(() => node?.down());

  test('ready: both releases can be had, and looking changes nothing of the host’s own', async () => {
    const own = 'find /var/lib/apt /var/cache/apt /var/lib/dpkg -type f -not -name "lock*" | sort | xargs sha256sum';
    const was = await node.machine.exec(own);
    const { readable, installed } = node.activities;
    await readable.check(node.call(), { runs: { fw1: '1.0', fw2: '1.0' }, releases: ['2.0', '1.0'] });
    await installed.check(node.call(), { node: 'fw1', release: '1.0' });
    expect(await node.machine.exec(own)).toBe(was);
  });

  test('a dry run names files, changes and edited configuration before anything is staged', async () => {
    const observed = await node.activities.install.observe(node.call(), install);
    expect(observed).toMatchObject({ release: '1.0', edited: [EDITED], manifests: {} });
    const preview = await node.activities.install.preview(node.call(), install, observed);
    expect(preview.commands[0]?.command).toMatch(
      /^sudo \/usr\/bin\/apt-get .*--force-confold' install .*fw-release_2\.0_all\.deb/,
    );
    expect(preview.differences[0]?.diff).toContain('-fw-release 1.0\n+fw-release 2.0');
    expect(preview.differences[0]?.diff).toContain('+pacer-extra 1.0');
    expect(preview.differences[0]?.diff).toContain(`${EDITED} (edited here: kept)`);
    const staging = await node.activities.stage.preview(node.call(), stage, {});
    expect(staging.commands.map(({ host }) => host)).toEqual(['fw1', 'fw1', 'fw2', 'fw2']);
  });

  test('nothing is installed before it is staged', async () => {
    const observed = await node.activities.install.observe(node.call(), install);
    const failure = await failureOf(node.activities.install.act(node.call(), install, observed));
    expect(failureType(failure)).toBe('PackageMissing');
    expect(failure.message).toMatch(/fw1: 2\.0 isn’t staged.*\/var\/lib\/hitless\/stage\/fw-dc1\/2\.0/);
    expect(await state()).toBe(untouched);
  });

  test('both releases are staged on both nodes; again changes nothing', async () => {
    const first = await node.activities.stage.act(node.call(), stage, {});
    expect(first).toMatchObject({ changed: true });
    expect(Object.keys(first.staged)).toEqual(['fw1', 'fw2']);
    expect(first.staged['fw1']).toMatchObject({ '1.0': { packages: 6 }, '2.0': { packages: 7 } });
    const second = await node.activities.stage.act(node.call(), stage, {});
    expect(second).toEqual({ ...first, changed: false });
    expect(await state()).toBe(untouched);
  });

  test('a staged file that was damaged is fetched again', async () => {
    const file = `/var/lib/hitless/stage/fw-dc1/2.0/fw-release_2.0_all.deb`;
    const was = await node.machine.exec(`sha256sum ${file}`);
    await node.machine.exec(`echo rubbish >> ${file}`);
    expect(await node.activities.stage.act(node.call(), stage, {})).toMatchObject({ changed: true });
    expect(await node.machine.exec(`sha256sum ${file}`)).toBe(was);
  });

  test('from here on there is no repository, nor anything that apt knows of one', async () => {
    await node.lab.setRepositoryReachable(false);
    await node.machine.exec('rm -rf /var/lib/apt/lists/* /var/lib/hitless/stage/lists /etc/apt/sources.list.d/*');
    await node.activities.readable.check(node.call(), { runs: { fw1: '1.0', fw2: '1.0' }, releases: ['2.0', '1.0'] });
  });

  test('the guard is asked on every attempt, and refuses', async () => {
    before = await node.activities.install.observe(node.call(), install);
    node.serving = 'carries 12 packets a second';
    const asked = node.guarded;
    for (const context of [node.call(), node.call()])
      expect(failureType(await failureOf(node.activities.install.act(context, install, before)))).toBe('GuardRefused');
    expect(node.guarded).toBe(asked + 2);
    expect(await state()).toBe(untouched);
    node.serving = undefined;
  });

  test('2.0 is installed from the staged files; the edited configuration stays; again changes nothing', async () => {
    const outcome = await node.activities.install.act(node.call(), install, before);
    expect(outcome).toMatchObject({ changed: true, nodes: { fw1: { installed: '2.0' } } });
    expect(outcome.summary).toContain(`edited configuration files kept: ${EDITED}`);
    expect(await node.versions()).toEqual(node.packages('2.0'));
    expect(node.machine.readFile(EDITED)).toBe('# edited on this host\n');
    expect(node.machine.readFile('/etc/fw-release.d/defaults.conf')).toBe('# Defaults of release 2.0\n');
    expect(await node.activities.install.act(node.call(), install, before)).toMatchObject({ changed: false });
    expect(await node.setUps('fw-release', '2.0')).toBe(1);
    // What came along, and is wanted by nobody but the release's packages.
    expect(await node.machine.exec('dpkg-query -W pacer-lib pacer-extra')).toBe('pacer-extra\t1.0\npacer-lib\t2.0\n');
    const marked = (await node.machine.exec('apt-mark showauto')).trim().split('\n');
    expect(marked).toEqual([...marks.trim().split('\n'), 'pacer-extra'].sort());
  });

  test('the node reboots into it, once', async () => {
    beforeRestart = await node.activities.restart.observe(node.call(), restart);
    const outcome = await node.activities.restart.act(node.call(), restart, beforeRestart);
    expect(outcome).toMatchObject({ changed: true, nodes: { fw1: { release: '2.0' } } });
    const boot = await node.machine.bootId();
    expect(boot).not.toBe(beforeRestart.boot.bootId);
    expect(await node.activities.restart.act(node.call(), restart, beforeRestart)).toMatchObject({ changed: false });
    expect(await node.machine.bootId()).toBe(boot);
    await node.activities.installed.check(node.call(), { node: 'fw1', release: '2.0' });
    const mixed = { runs: { fw1: '2.0', fw2: '1.0' }, releases: ['2.0', '1.0'] as const };
    await node.activities.readable.check(node.call(), mixed);
  });

  test('undo: the release before, everything as it was, in a new boot; again changes nothing', async () => {
    const boot = await node.machine.bootId();
    expect(await node.activities.install.undo(node.call(), install, before)).toMatchObject({
      changed: true,
      nodes: { fw1: { installed: '1.0', release: '1.0' } },
    });
    expect(await state()).toBe(untouched);
    const next = await node.machine.bootId();
    expect(next).not.toBe(boot);
    expect(await node.activities.install.undo(node.call(), install, before)).toMatchObject({ changed: false });
    expect(await node.machine.bootId()).toBe(next);
    expect(await node.setUps('fw-release', '1.0')).toBe(setUpsBefore + 1);
  });
});
