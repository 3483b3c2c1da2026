import { describeLab, progress } from '../describe-lab';
import { startXRoadLab, waitFor, type XRoadLab } from '../index';
import { installMasked, pauseSync, position, putBack, stopServices, takeOut, upgradeSecondary } from './by-hand';
import { observe } from './observer';

jest.setTimeout(400_000);

const release = '7.8.0-1';

/** Beside upgrade-by-hand.test.ts: what must not be done even in an otherwise good order, and what shows that it was. */
describeLab('an upgrade by hand that goes too far', () => {
  let lab: XRoadLab;

  beforeAll(async () => {
    lab = await startXRoadLab({ syncPeriodSeconds: 5, secondaries: 1 }, progress);
  });
  afterAll(() => lab?.down());

  const failing = async (work: () => Promise<void>) => {
    const traffic = await lab.startTraffic({ perSecond: 100 });
    const observer = observe(lab, 100);
    await work();
    await waitFor('messages to fail', () => (traffic.snapshot()?.failed ?? 0) > 0);
    const { violations } = await observer.stop();
    return { violations, ...(await traffic.stop()) };
  };

  test('two nodes at once, each of them drained and stopped in order: nobody is left to serve', async () => {
    const { violations, failed, faults } = await failing(async () => {
      await Promise.all(['ss1', 'ss2'].map((node) => takeOut(lab, node)));
      await Promise.all(['ss1', 'ss2'].map((node) => stopServices(lab, node)));
    });
    expect(failed).toBeGreaterThan(0);
    expect(faults[0]).toMatch(/closed without an answer|ECONNRE/);
    expect(violations).toEqual([expect.stringMatching(/out of service at once: ss1, ss2$/)]);
    await Promise.all(['ss1', 'ss2'].map((node) => putBack(lab, node)));
  });

  test('a pause taken back after the point of no return: old code that serves alone gets the new schema', async () => {
    await pauseSync(lab, 'ss2');
    await takeOut(lab, 'ss1');
    await stopServices(lab, 'ss1');
    await installMasked(lab, 'ss1', release);
    // As somebody does who undoes step after step, the last one excepted, which can't be undone.
    const { violations, failed, faults } = await failing(async () => {
      await lab.sql('ss2', 'select pg_wal_replay_resume()');
      await waitFor('HAProxy to have nobody left', async () => (await lab.servers()).every((s) => s.status !== 'UP'));
    });
    expect(failed).toBeGreaterThan(0);
    expect(faults[0]).toMatch(/serverconf has schema 4, newer than the 3 that 7\.7\.0-1 knows"$/);
    // Which of the two is seen first is chance.
    expect(violations.map((violation) => violation.replace(/^.*? s: /, '')).sort()).toEqual([
      'out of service at once: ss1, ss2',
      'ss2 replays schema 4 while its proxy of 7.7.0-1 runs',
    ]);
    await putBack(lab, 'ss1');
    await upgradeSecondary(lab, 'ss2', release, await position(lab));
    await lab.waitServing();
  });
});
