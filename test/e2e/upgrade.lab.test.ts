/**
 * The whole upgrade on the lab under traffic, with the sudoers file that the product prints, and with its worker killed in
 * the middle of a package installation and in the middle of the monitoring period.
 */
import { describeLab } from '../lab/describe-lab';
import { Site } from './support';

jest.setTimeout(900_000);

/** A command probe on the client; fails now and then as soon as it is told to. */
const FLAP = '/var/tmp/flap';

describeLab('an upgrade on the lab', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start();
    const probe = {
      name: 'flapping',
      kind: 'command',
      from: 'client',
      intervalMs: '1s',
      argv: [FLAP],
      bound: { max: 0 },
    };
    await site.writeInventory({
      monitoring: '15s',
      change: (cluster) => (cluster['monitoring'] as { probes: unknown[] }).probes.push(probe),
    });
    // One round in three fails, which is less than the tolerance of three in five.
    const script = `#!/bin/sh\n[ -e ${FLAP}.on ] || { echo 0; exit; }\nn=$(cat ${FLAP}.n 2>/dev/null || echo 0)\necho $((n + 1)) >${FLAP}.n\necho $((n % 3 == 2))\n`;
    await site.lab.host('client').exec(`cat > ${FLAP} && chmod 755 ${FLAP}`, { input: script });
  }, 900_000);
  afterAll(() => site?.close());

  it('needs no more of sudo than the file that plan --sudoers prints', async () => {
    await site.startWorker();
    expect(await site.allowOnlyPrinted('2.0')).toEqual(['border', 'edge', 'fw1', 'fw2']);
  });

  it('keeps every session, though its worker is killed twice and a probe flaps', async () => {
    const traffic = await site.lab.startTraffic({ sessions: 100, quietSessions: 20, udpPacketsPerSecond: 500 });
    await site.start();
    await site.approve('start');
    // dpkg runs detached on the host: the installation goes on while no worker lives.
    await site.until('packages are installed', (s) => site.stepState(s, 'Upgrade fw1') === 'running');
    await site.lab.host('fw1').exec('until pgrep -x dpkg >/dev/null; do sleep 0.05; done');
    await site.killWorker();
    await site.startWorker();
    await site.lab.host('client').exec(`touch ${FLAP}.on`);
    await site.approve('return');
    // What a watch has seen since its last report is told under way only: progress counts what was reported.
    await site.until(
      'the monitoring period, and a probe that failed',
      (s) => s.status?.wait !== undefined && JSON.stringify(s.inHand ?? []).includes('flapping: failed'),
    );
    await site.killWorker();
    await site.startWorker();
    await site.approve('finish');
    const { report } = await site.ended();
    const { packets, sessions, newConnections } = await traffic.stop();
    expect(report?.ending).toBe('Completed');
    expect(report?.watch?.fail).toBeGreaterThan(0);
    expect([await site.release('fw1'), await site.release('fw2'), await site.serving()]).toEqual(['2.0', '2.0', 'fw1']);
    expect({ lost: packets.lost, broken: sessions.faults, failed: newConnections.faults }).toEqual({
      lost: 0,
      broken: [],
      failed: [],
    });
    // Once each, however often the worker died: 3 packages and the release itself.
    const log = await site.lab
      .host('fw1')
      .exec("grep -cE ' upgrade [^ ]+ [^ ]+ (.*hitless2[.]0|2[.]0)$' /var/log/dpkg.log");
    expect(Number(log)).toBe(4);
  });

  it('leaves a history that this build replays, below its budget', async () => {
    expect(await site.replayed('completed')).toBeLessThan(400);
  });
});
