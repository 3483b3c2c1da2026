/** conntrackd with its external cache: nothing is in the standby's kernel until it is committed (facts §5, §6 H and R5). */
import {
  commitBeforeServing,
  inSync,
  prepareToServe,
  reseed,
  reseedOnce,
  stateSyncSpec,
  sudoCommands,
} from '../../../activities/state-sync';
import { establishedFlows, moveTraffic, startFirewallPairLab, type FirewallPairLab } from '../../lab';
import { describeLab, progress } from '../../lab/describe-lab';
import { benchOf, failureOf, sudoersOf, type BasePlan, type Bench } from './support';

jest.setTimeout(300_000); // a cold start builds the image

const forward = { from: 'fw1', to: 'fw2' };
const back = { from: 'fw2', to: 'fw1' };

describeLab('conntrackd with an external cache', () => {
  let lab: FirewallPairLab;
  let bench: Bench<BasePlan & { stateSync: ReturnType<typeof stateSyncSpec.parse> }>;

  beforeAll(async () => {
    lab = await startFirewallPairLab({ stateSync: 'external-cache' }, progress);
    bench = benchOf(lab, { stateSync: stateSyncSpec.parse({ driver: 'conntrackd', variant: 'external-cache' }) });
    for (const node of ['fw1', 'fw2']) await lab.host(node).setSudoers(sudoersOf(sudoCommands(bench.plan), node));
  });
  afterAll(async () => {
    bench?.close();
    await lab?.down();
  });

  const act = (direction: typeof forward) =>
    reseed.observe(bench.context(), direction).then((before) => reseed.act(bench.context(), direction, before));
  const traffic = () =>
    lab.startTraffic({
      sessions: 60,
      quietSessions: 6,
      quietSeconds: 10,
      newConnectionsPerSecond: 10,
      patienceSeconds: 12,
    });

  test('a reseed commits before the move, adopts after it what came in between, and loses no session', async () => {
    const running = await traffic();
    expect((await inSync.check(bench.context(), forward)).difference).toMatchObject({ missing: 0 });
    expect((await establishedFlows(lab, 'fw2')).size).toBe(0);
    expect((await act(forward)).difference).toMatchObject({ missing: 0 });
    expect((await establishedFlows(lab, 'fw2')).size).toBeGreaterThanOrEqual(60);
    await moveTraffic(lab, 'fw2');
    expect((await act(back)).difference).toMatchObject({ missing: 0 });
    await moveTraffic(lab, 'fw1');
    expect(await act(forward)).toMatchObject({ owned: 0 });
    const report = await running.stop();
    expect(report.sessions).toMatchObject({ opened: 60, broken: 0, faults: [] });
  });

  test('the watch’s reseed keeps the cache fresh and commits nothing; an escape commits first', async () => {
    const running = await traffic();
    const flows = async () => (await establishedFlows(lab, 'fw2')).size;
    const before = await flows();
    expect(await reseedOnce(bench.context(), forward)).toMatchObject({ verdict: 'pass', difference: { missing: 0 } });
    expect(await flows()).toBeLessThanOrEqual(before);
    const prepared = await prepareToServe.act(
      bench.context(),
      { node: 'fw2' },
      await prepareToServe.observe(bench.context(), { node: 'fw2' }),
    );
    expect(prepared).toMatchObject({ changed: true, lacking: 0 });
    await moveTraffic(lab, 'fw2');
    // On a node that serves it would put old state over what it has.
    expect(await failureOf(commitBeforeServing(bench.context(), 'fw2'))).toMatchObject({ type: 'GuardRefused' });
    const report = await running.stop();
    expect(report.sessions).toMatchObject({ opened: 60, broken: 0, faults: [] });
  });
});
