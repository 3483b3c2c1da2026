/** A worker that dies at every boundary of every step, procedure by procedure: nothing is lost, nothing is done twice. */
import { observe } from '../lab';
import { describeLab } from '../lab/describe-lab';
import { KillMatrix } from './kill-matrix';
import { Site } from './support';
import { XRoadSite } from './xroad-support';

jest.setTimeout(3_600_000);

describeLab('a worker that dies at every boundary of an X-Road cluster’s upgrade', () => {
  let site: XRoadSite;
  let matrix: KillMatrix | undefined;
  beforeAll(async () => {
    site = await XRoadSite.start({ syncPeriodSeconds: 5, secondaries: 1 });
    await site.writeInventory();
  }, 900_000);
  afterAll(async () => {
    await matrix?.stop();
    await site?.close();
  });

  it('fails no message, and upgrades every package once', async () => {
    const { nodes } = site.lab.description.roles;
    const traffic = await site.lab.startTraffic();
    const observer = observe(site.lab);
    matrix = await KillMatrix.begin(site);
    await site.begin('7.8.0-1');
    await site.approve('start');
    await site.approve('secondaries');
    const { report, failure } = await site.ended();
    const [missed, seen, messages] = [await matrix.end(), await observer.stop(), await traffic.stop()];
    expect(failure?.message).toBeUndefined();
    expect(report?.ending).toBe('Completed');
    expect(missed).toEqual([]);
    expect(seen).toMatchObject({ mostOut: 1, violations: [] });
    expect(messages).toMatchObject({ failed: 0, faults: [] });
    for (const node of nodes) {
      expect(await site.release(node)).toBe('7.8.0-1');
      const log = await site.lab
        .host(node)
        .exec("grep -E ' upgrade xroad-' /var/log/dpkg.log | awk '{print $4}' | sort");
      const upgraded = log.trim().split('\n');
      expect(upgraded).toEqual([...new Set(upgraded)]);
    }
  });
});

describeLab('a worker that dies at every boundary of a firewall pair’s upgrade', () => {
  let site: Site;
  let matrix: KillMatrix | undefined;
  beforeAll(async () => {
    site = await Site.start();
    await site.writeInventory({ monitoring: '10s' });
  }, 900_000);
  afterAll(async () => {
    await matrix?.stop();
    await site?.close();
  });

  it('breaks no session, and upgrades every package once', async () => {
    const traffic = await site.lab.startTraffic({ sessions: 60, quietSessions: 10, udpPacketsPerSecond: 200 });
    matrix = await KillMatrix.begin(site);
    await site.start();
    for (const gate of ['start', 'return', 'finish']) await site.approve(gate);
    const { report, failure } = await site.ended();
    const missed = await matrix.end();
    const { packets, sessions, newConnections } = await traffic.stop();
    expect(failure?.message).toBeUndefined();
    expect(report?.ending).toBe('Completed');
    expect(missed).toEqual([]);
    expect({ lost: packets.lost, broken: sessions.faults, failed: newConnections.faults }).toEqual({
      lost: 0,
      broken: [],
      failed: [],
    });
    for (const node of ['fw1', 'fw2']) {
      expect(await site.release(node)).toBe('2.0');
      const log = await site.lab
        .host(node)
        .exec("grep -cE ' upgrade [^ ]+ [^ ]+ (.*hitless2[.]0|2[.]0)$' /var/log/dpkg.log");
      expect(Number(log)).toBe(4);
    }
  });
});
