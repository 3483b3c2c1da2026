import { describeLab, progress } from '../describe-lab';
import { startFirewallPairLab, waitFor, type FirewallPairLab, type TrafficReport } from '../index';

jest.setTimeout(240_000);

/** Traffic that never shows a fault would pass every upgrade: each fault is made here, and must be counted. */
describeLab('the traffic', () => {
  let lab: FirewallPairLab;
  beforeAll(async () => {
    lab = await startFirewallPairLab({}, progress);
  });
  afterAll(() => lab?.down());

  /** Runs traffic, lets `harm` do something to the firewall in use, and undoes it. */
  const harmed = async (rule: string, until: (report: TrafficReport) => boolean): Promise<TrafficReport> => {
    const fw1 = lab.host('fw1');
    const traffic = await lab.startTraffic({ sessions: 20, quietSessions: 4, quietSeconds: 3, patienceSeconds: 4 });
    await fw1.exec(
      `nft -f - <<'EOF'\ntable inet harm { chain forward { type filter hook forward priority -10; ${rule}; }; }\nEOF`,
    );
    await waitFor('the harm to show', () => {
      const report = traffic.snapshot();
      return report !== undefined && until(report);
    });
    await fw1.exec('nft delete table inet harm');
    return traffic.stop();
  };

  test('counts packets lost on the way to the server as such', async () => {
    const rule = 'meta l4proto udp iifname "wan0" numgen inc mod 10 == 0 drop';
    const { packets, sessions, newConnections } = await harmed(rule, (report) => report.packets.lost > 50);
    expect(packets.lostToServer).toBeGreaterThan(50);
    expect(packets).toMatchObject({ lostToClient: 0, lost: packets.lostToServer });
    expect(sessions.broken + newConnections.failed).toBe(0);
  });

  test('counts packets lost on the way back as such', async () => {
    const rule = 'meta l4proto udp iifname "dc0" numgen inc mod 10 == 0 drop';
    const { packets } = await harmed(rule, (report) => report.packets.lost > 50);
    expect(packets.lostToClient).toBeGreaterThan(50);
    expect(packets.lostToServer).toBe(0);
  });

  test('counts sessions that are reset and new connections that are refused', async () => {
    const rule = 'iifname "wan0" tcp dport 7000-7004 reject with tcp reset';
    const { packets, sessions, newConnections } = await harmed(rule, (report) => report.sessions.broken >= 10);
    expect(packets.lost).toBe(0);
    expect(sessions).toMatchObject({ opened: 20, broken: 10 });
    expect(sessions.faults.every((fault) => /port 700\d: ECONNRESET/.test(fault))).toBe(true);
    expect(newConnections.failed).toBeGreaterThan(0);
  });

  test('counts sessions that hang, the quiet ones too, and new connections that never open', async () => {
    const rule = 'iifname "wan0" tcp dport 7000-7104 drop';
    const { sessions, newConnections } = await harmed(rule, (report) => report.sessions.broken === 20);
    expect(sessions).toMatchObject({ opened: 20, broken: 20 });
    expect(sessions.faults.join()).toMatch(/no echo for/);
    expect(newConnections.failed).toBeGreaterThan(0);
  });

  test('a quiet session that died unnoticed is found at the end', async () => {
    const traffic = await lab.startTraffic({ sessions: 4, quietSessions: 4, quietSeconds: 600, patienceSeconds: 3 });
    await waitFor('all to have spoken', () => traffic.snapshot() !== undefined);
    await lab.host('fw1').exec('conntrack -D -p tcp --dport 7000 >/dev/null');
    const report = await traffic.stop();
    expect(report.sessions).toMatchObject({ opened: 4, broken: 1 });
    expect(report.sessions.faults[0]).toContain('quiet session 0 to port 7000');
  });

  test("a server that doesn't answer is an error at the start, not a zero", async () => {
    await expect(lab.startTraffic({ server: '10.20.0.77', patienceSeconds: 1 })).rejects.toThrow("didn't start");
  });
});
