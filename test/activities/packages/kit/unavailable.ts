/** Tests of a driver of packages: what can't be had. For every platform. */
import { failureType } from '../../../../activities/kit';
import { failureOf } from '../../support/one-host';
import { Node } from './node';
import type { Platform } from './platform';
import { STAGED, ready, stage } from './inputs';

export function packagesThatCantBeHad(platform: Platform): void {
  const { commands, main, other, says } = platform;
  let node: Node;
  beforeAll(async () => {
    node = await Node.start(platform);
  });
  afterAll(() => node?.down());
  beforeEach(() => node.machine.exec(`rm -rf ${STAGED}`));

  const planWith = (packages: Record<string, string>) =>
    node.plan({
      releases: {
        '1.0': { packages: node.packages('1.0') },
        '2.0': { packages: { ...node.packages('2.0'), ...packages } },
      },
    });

  test('a version that no repository has: which, on which host, and what there is', async () => {
    const plan = planWith({ [main]: '9.9-1' });
    const failure = await failureOf(node.activities.stage.act(node.call(plan), stage, {}));
    expect(failureType(failure)).toBe('PackageMissing');
    expect(failure.message).toMatch(new RegExp(`^fw1 can’t get ${main} 9\\.9-1 \\(there is `));
    expect(failure.message).toContain(node.packages('1.0')[main]);
    const unready = await failureOf(node.activities.readable.check(node.call(plan), ready));
    expect(failureType(unready)).toBe('NotReady');
    expect(unready.message).toContain(`fw1: can’t get ${main} 9.9-1`);
  });

  const { withdraw } = platform;
  if (withdraw !== undefined)
    test('a way back that is gone is missed before anything begins', async () => {
      const version = node.packages('1.0')[main]!;
      await withdraw(node.lab, main, version);
      try {
        const failure = await failureOf(node.activities.stage.act(node.call(), stage, {}));
        expect(failure.message).toContain(`can’t get ${main} ${version}`);
      } finally {
        await platform.putBack(node.lab, main, version);
      }
    });

  test('a file that the index promises and the repository doesn’t have', async () => {
    const version = node.packages('2.0')[other]!;
    await platform.takeAway(node.lab, other, version);
    try {
      const failure = await failureOf(node.activities.stage.act(node.call(), stage, {}));
      expect(failureType(failure)).toBe('PackageMissing');
      expect(failure.message).toMatch(says.missing);
    } finally {
      await platform.putBack(node.lab, other, version);
    }
    expect(await node.activities.stage.act(node.call(), stage, {})).toMatchObject({ changed: true });
  });

  const { signatures } = platform;
  if (signatures !== undefined)
    test('packages that should be signed, and aren’t, are not staged', async () => {
      await node.machine.exec(signatures.demand);
      try {
        const failure = await failureOf(node.activities.stage.act(node.call(), stage, {}));
        expect(failureType(failure)).toBe('DigestMismatch');
        expect(failure.message).toMatch(/fw1: the repository’s packages must be signed .*SIGNATURES NOT OK/);
      } finally {
        await node.machine.exec(signatures.waive);
      }
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
    await platform.addMonitor(machine);
    await machine.exec(commands.hold(other));
    const failure = await failureOf(node.activities.readable.check(node.call(), ready));
    expect(failureType(failure)).toBe('NotReady');
    expect(failure.message).toContain(`held at their version: ${other} → ${says.unhold} ${other}`);
    await machine.exec(commands.unhold(other));
    const removal = await failureOf(node.activities.stage.act(node.call(), stage, {}));
    expect(removal.message).toMatch(/installing 2\.0 would remove site-monitor 1.*mayRemove/);
    await platform.removeMonitor(machine);
  });
}
