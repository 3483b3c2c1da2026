/** Tests of a driver of packages: a whole exchange. For every platform. */
import { failureType } from '../../../../activities/kit';
import type { InstallBefore, RestartBefore } from '../../../../activities/packages';
import { failureOf } from '../../support/one-host';
import { EDIT, Node } from './node';
import type { Platform } from './platform';

/** In the order of an upgrade: each test goes on from where the one before left the node. */
export function packagesThereAndBack(platform: Platform): void {
  const { commands, defaults, other, telling, releaseFile, says } = platform;
  const edited = Object.keys(platform.edited);
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
    node.machine.exec(`${commands.all}; ${commands.marks}; sha256sum ${[...edited, defaults, releaseFile].join(' ')}`);

  beforeAll(async () => {
    node = await Node.start(platform, ['fw1', 'fw2']);
    await node.addPacer();
    await node.allowOnly(node.plan());
    // Named to the package manager when 2.0 is installed, which would mark it as wanted by people.
    await node.machine.exec(commands.markOther);
    marks = await node.machine.exec(commands.marks);
    expect(marks.split('\n')).toContain(other);
    setUpsBefore = await node.setUps(telling, node.packages('1.0')[telling]!);
    untouched = await state();
  });
  afterAll(() => node?.down());

  test('ready: both releases can be had, and looking changes nothing of the host’s own', async () => {
    const was = await node.machine.exec(commands.own);
    const { readable, installed } = node.activities;
    await readable.check(node.call(), { runs: { fw1: '1.0', fw2: '1.0' }, releases: ['2.0', '1.0'] });
    await installed.check(node.call(), { node: 'fw1', release: '1.0' });
    expect(await node.machine.exec(commands.own)).toBe(was);
  });

  test('a dry run names files, changes and edited configuration before anything is staged', async () => {
    const observed = await node.activities.install.observe(node.call(), install);
    expect(observed).toMatchObject({ release: '1.0', edited, manifests: {} });
    const preview = await node.activities.install.preview(node.call(), install, observed);
    expect(preview.commands[0]?.command).toMatch(says.installing);
    const version = (release: '1.0' | '2.0') => node.packages(release)[telling];
    expect(preview.differences[0]?.diff).toContain(`-${telling} ${version('1.0')}\n+${telling} ${version('2.0')}`);
    expect(preview.differences[0]?.diff).toContain(`+pacer-extra ${platform.versionOf('1.0')}`);
    for (const path of edited) expect(preview.differences[0]?.diff).toContain(`${path} (edited here: kept)`);
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
    // pacer needs a library, and its 2.0 something more.
    const count = Object.keys(node.packages('1.0')).length;
    expect(first).toMatchObject({ changed: true });
    expect(Object.keys(first.staged)).toEqual(['fw1', 'fw2']);
    expect(first.staged['fw1']).toMatchObject({ '1.0': { packages: count + 1 }, '2.0': { packages: count + 2 } });
    const second = await node.activities.stage.act(node.call(), stage, {});
    expect(second).toEqual({ ...first, changed: false });
    expect(await state()).toBe(untouched);
  });

  test('a staged file that was damaged is fetched again', async () => {
    const file = `/var/lib/hitless/stage/fw-dc1/2.0/${platform.fileOf(telling, node.packages('2.0')[telling]!)}`;
    const was = await node.machine.exec(`sha256sum ${file}`);
    await node.machine.exec(`echo rubbish >> ${file}`);
    expect(await node.activities.stage.act(node.call(), stage, {})).toMatchObject({ changed: true });
    expect(await node.machine.exec(`sha256sum ${file}`)).toBe(was);
  });

  test('from here on there is no repository, nor anything that is known of one', async () => {
    await node.lab.setRepositoryReachable(false);
    await node.machine.exec(commands.forget);
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
    expect(outcome.summary).toContain(`edited configuration files kept: ${edited.join(', ')}`);
    expect(await node.versions()).toEqual(node.packages('2.0'));
    for (const path of edited) expect(node.machine.readFile(path)).toBe(EDIT);
    expect(node.machine.readFile(defaults)).toBe('# Defaults of release 2.0\n');
    expect(await node.activities.install.act(node.call(), install, before)).toMatchObject({ changed: false });
    expect(await node.setUps(telling, node.packages('2.0')[telling]!)).toBe(1);
    // What came along, and is wanted by nobody but the release's packages.
    const { versionOf } = platform;
    expect(await node.versions(['pacer-lib', 'pacer-extra'])).toEqual({
      'pacer-extra': versionOf('1.0'),
      'pacer-lib': versionOf('2.0'),
    });
    const marked = (await node.machine.exec(commands.marks)).trim().split('\n');
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
    expect(await node.setUps(telling, node.packages('1.0')[telling]!)).toBe(setUpsBefore + 1);
  });
}
