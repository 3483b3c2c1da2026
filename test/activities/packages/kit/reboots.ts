/** Tests of a driver of packages: reboots. For every platform. */
import { failureType } from '../../../../activities/kit';
import { failureOf } from '../../support/one-host';
import { Node } from './node';
import type { Platform } from './platform';
import { install, stage } from './inputs';

export function rebootsThatGoWrong(platform: Platform): void {
  let node: Node;
  const restart = { node: 'fw1', release: '2.0' };
  beforeAll(async () => {
    node = await Node.start(platform);
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
}
