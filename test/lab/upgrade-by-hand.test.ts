import { describeLab, progress } from './describe-lab';
import {
  establishedFlows,
  installRelease,
  moveTraffic,
  reseed,
  settleAfterMove,
  startFirewallPairLab,
  waitFor,
  type FirewallPairLab,
} from './index';

jest.setTimeout(300_000);

describeLab('an upgrade by hand, as the documents tell it', () => {
  let lab: FirewallPairLab;

  beforeAll(async () => {
    lab = await startFirewallPairLab({}, progress);
  });
  afterAll(() => lab?.down());

  test('moving away, a new release with a reboot, and moving back lose nothing', async () => {
    const traffic = await lab.startTraffic({ quietSeconds: 20 });
    await reseed(lab, 'fw1');
    await moveTraffic(lab, 'fw2');
    await settleAfterMove(lab, 'fw1', 'fw2');
    await installRelease(lab, 'fw1', '2.0');
    expect(lab.host('fw1').readFile('/etc/fw-release')).toBe('2.0\n');
    // The maintainer's new conntrackd.conf was refused, the package's unedited file replaced.
    expect(lab.host('fw1').readFile('/etc/conntrackd/conntrackd.conf')).toContain('DisableExternalCache on');
    expect(lab.host('fw1').readFile('/etc/fw-release.d/defaults.conf')).toContain('release 2.0');
    await reseed(lab, 'fw2');
    await moveTraffic(lab, 'fw1');
    await settleAfterMove(lab, 'fw2', 'fw1');
    const report = await traffic.stop();
    expect(report.packets).toMatchObject({ lost: 0, overflowed: 0 });
    expect(report.packets.sent).toBeGreaterThan(10_000);
    expect(report.sessions).toMatchObject({ opened: 200, broken: 0, faults: [] });
    expect(report.newConnections).toMatchObject({ failed: 0, faults: [] });
    expect(report.newConnections.tried).toBeGreaterThan(100);
    const versions = await lab
      .host('fw1')
      .exec("dpkg-query -W -f '${Package}=${Version}\\n' frr conntrackd nftables fw-release");
    expect(versions.trim().split('\n').sort()).toEqual(lab.repo.installArguments('2.0').sort());
  });

  test('the way back to the previous release', async () => {
    await installRelease(lab, 'fw1', '1.0');
    expect(lab.host('fw1').readFile('/etc/fw-release')).toBe('1.0\n');
  });
});

describeLab('an upgrade by hand, with a step left out', () => {
  let lab: FirewallPairLab;

  beforeAll(async () => {
    lab = await startFirewallPairLab({ conntrack: { tcpEstablishedSeconds: 12 } }, progress);
  });
  afterAll(() => lab?.down());

  const sessions = { sessions: 60, quietSessions: 10, quietSeconds: 8, patienceSeconds: 5 };
  /** The standby's entries age from the last change of state, not from the last packet (facts/firewall-pair §0.3). */
  const standbyHasForgotten = (standby: string): Promise<true> =>
    waitFor(`${standby} to forget the sessions`, async () => (await establishedFlows(lab, standby)).size === 0);

  test('a standby that forgot the sessions loses none of them if it is reseeded before the move', async () => {
    const traffic = await lab.startTraffic({ ...sessions, newConnectionsPerSecond: 0 });
    await standbyHasForgotten('fw2');
    await reseed(lab, 'fw1');
    await moveTraffic(lab, 'fw2');
    const report = await traffic.stop();
    expect(report.sessions).toMatchObject({ opened: 60, broken: 0 });
    expect(report.packets.lost).toBe(0);
  });

  test('and loses them all if it is not', async () => {
    const traffic = await lab.startTraffic({ ...sessions, newConnectionsPerSecond: 0 });
    await standbyHasForgotten('fw1');
    await moveTraffic(lab, 'fw1');
    const report = await traffic.stop();
    expect(report.sessions).toMatchObject({ opened: 60, broken: 60 });
    expect(report.sessions.faults[0]).toMatch(/session \d+ to port 7\d\d\d: (no echo for|ECONN|closed)/);
  });
});
