/** Each way back, on the lab: the network serves, the report says where it stands, and `decide` leads on from there. */
import { describeLab } from '../lab/describe-lab';
import { Site } from './support';

jest.setTimeout(900_000);

describeLab('ways back', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start();
    await site.writeInventory({ monitoring: '2m' });
    await site.startWorker();
  }, 900_000);
  afterAll(() => site?.close());

  it('a rejected return: a hold with traffic on the secondary, then everything undone under traffic', async () => {
    const before = await site.stand();
    const traffic = await site.lab.startTraffic({ sessions: 60, quietSessions: 10, udpPacketsPerSecond: 200 });
    await site.start();
    await site.approve('start');
    await site.say('return', 'reject', { comment: 'not tonight' });
    const hold = await site.asked('hold');
    expect(hold.question).toContain('not tonight');
    expect(await site.serving()).toBe('fw2');
    await site.say('hold', 'roll-back', { to: 'start' });
    const { failure, report } = await site.ended();
    expect(failure?.type).toBe('RolledBack');
    expect(report?.standing).toMatch(/fw1: .*release 1\.0/);
    expect(await site.stand()).toEqual(before);
    const { packets, sessions, newConnections } = await traffic.stop();
    expect({ lost: packets.lost, broken: sessions.faults, failed: newConnections.faults }).toEqual({
      lost: 0,
      broken: [],
      failed: [],
    });
  });

  it('a regression: traffic goes back at once to the previous release, then a hold', async () => {
    const before = await site.stand();
    await site.start();
    await site.approve('start');
    await site.approve('return');
    await site.until('the monitoring period', (s) => s.status?.wait !== undefined);
    expect(await site.serving()).toBe('fw1');
    // What a release that mistreats HTTP is like: only on fw1, and only for what the probes look at.
    await site.lab.host('fw1').exec('nft insert rule inet filter forward tcp dport 8080 drop');
    const hold = await site.asked('hold');
    expect(hold.question).toContain('regression');
    expect(await site.serving()).toBe('fw2');
    expect(await site.release('fw1')).toBe('2.0');
    await site.say('hold', 'roll-back', { to: 'start' });
    const { failure } = await site.ended();
    expect(failure?.type).toBe('RolledBack');
    expect(await site.stand()).toEqual(before);
  });
});
