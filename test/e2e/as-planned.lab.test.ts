/** What people approved is what is run, on the lab: one plan is one digest, and a change by hand after it is named. */
import { describeLab } from '../lab/describe-lab';
import { CLUSTER, Site } from './support';

jest.setTimeout(300_000);

describeLab('a plan', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start();
    await site.writeInventory();
    await site.startWorker();
  }, 900_000);
  afterAll(() => site?.close());

  /** Changes what the run owns on the router, as somebody at its console does. */
  const byHand = async (map: string, preference: number): Promise<void> => {
    const lines = ['configure terminal', `route-map ${map} permit 10`, `set local-preference ${preference}`, 'end'];
    await site.lab.host('border').exec(['vtysh', ...lines.flatMap((line) => ['-c', `'${line}'`])].join(' '));
  };

  it('has one digest while traffic flows, is started by it, and a change by hand before the first step is named', async () => {
    const traffic = await site.lab.startTraffic({ sessions: 20, quietSessions: 5, udpPacketsPerSecond: 100 });
    const planned = async (): Promise<string | undefined> =>
      /--expect-plan ([0-9a-f]{12})/.exec((await site.cli('plan', CLUSTER, '2.0')).stdout)?.[1];
    const digest = await planned();
    expect(digest).toMatch(/^[0-9a-f]{12}$/);
    expect(await planned()).toBe(digest);
    const before = await site.border();
    const [, map = '', was = ''] = /^route-map (FROM-\S+) permit 10\n set local-preference (\d+)$/m.exec(before) ?? [];

    const { code } = await site.cli('start', CLUSTER, '2.0', '--expect-plan', digest!);
    expect(code).toBe(0);
    await site.asked('start');
    await byHand(map, 137);
    await site.approve('start');
    const { question } = await site.asked('hold');
    expect(question).toMatch(/somebody changed what this run owns after the plan was made/);
    expect(question).toMatch(`border: the route-map entries that carry the roles`);
    expect(question).toMatch('+ set local-preference 137');

    await byHand(map, Number(was));
    await site.say('hold', 'retry');
    await site.asked('return');
    await site.say('return', 'reject');
    await site.say('hold', 'roll-back', { to: 'start' });
    expect((await site.ended()).failure?.type).toBe('RolledBack');
    expect(await site.border()).toBe(before);
    expect((await traffic.stop()).sessions.faults).toEqual([]);
  });
});
