/** The rolling upgrade of an X-Road cluster whose packages dnf and rpm manage, with RHEL's ways. */
import { observe } from '../lab';
import { describeLab } from '../lab/describe-lab';
import { pauseState } from '../lab/xroad/by-hand';
import { XRoadSite, noViolation } from './xroad-support';

jest.setTimeout(900_000);

const OLD = '7.7.0-1.el9';
const NEW = '7.8.0-1.el9';

describeLab('a rolling upgrade of an X-Road cluster by dnf', () => {
  let site: XRoadSite;
  beforeAll(async () => {
    site = await XRoadSite.ready({ packages: 'dnf', secondaries: 1 });
  }, 900_000);
  afterAll(() => site?.close());

  it('needs no more of sudo than the file that plan --sudoers prints', async () => {
    expect(await site.releases()).toEqual([OLD, OLD]);
    expect(await site.allowOnlyPrinted(NEW)).toEqual(['lb', 'ss1', 'ss2']);
  });

  it('fails no message of 100 a second', async () => {
    const { services } = site.lab.description;
    const traffic = await site.lab.startTraffic({ perSecond: 100 });
    const observer = observe(site.lab);
    await site.begin(NEW);
    await site.approve('start');
    await site.approve('secondaries');
    const { report, failure } = await site.ended();
    expect(failure?.message).toBeUndefined();
    expect(report?.ending).toBe('Completed');
    noViolation(await observer.stop());
    const measured = await traffic.stop();
    expect(measured).toMatchObject({ failed: 0, faults: [], answered: measured.sent });
    expect(measured.sent).toBeGreaterThan(1_000);
    expect(await site.releases()).toEqual([NEW, NEW]);
    for (const node of site.lab.description.roles.nodes)
      expect((await site.lab.host(node).exec(`systemctl is-active ${services.join(' ')}`)).trim().split('\n')).toEqual(
        services.map(() => 'active'),
      );
  });

  it('migrates on the primary alone, after dnf’s transaction', async () => {
    const { primary, secondaries } = site.lab.description.roles;
    const said = async (node: string): Promise<string> =>
      site.lab.host(node).exec('cat /var/log/hitless/*install*.log');
    expect(await said(secondaries[0]!)).toContain('Skipping database setup on cluster slave node');
    expect(await said(primary)).not.toContain('Skipping database setup');
    const last = 'select max(id) from serverconf.databasechangelog where id ~ $$^[0-9]$$';
    for (const node of [primary, ...secondaries]) expect(await site.lab.sql(node, last)).toBe('004-add-tps-cost');
  });
});

describeLab('a migration of rpms that fails', () => {
  let site: XRoadSite;
  beforeAll(async () => {
    site = await XRoadSite.ready({ packages: 'dnf', secondaries: 1 });
    await site.lab.sql('ss1', 'alter table serverconf.service add column tps_cost integer'); // in its way
  }, 900_000);
  afterAll(() => site?.close());

  it('is found although dnf ended well: a hold, with the secondary paused and serving', () =>
    site.observed(async () => {
      await site.begin(NEW);
      await site.approve('start');
      const hold = await site.holds(/ss1 has the packages of 7\.8\.0-1\.el9, and not all is well/);
      expect(hold.question).toContain('Running database migrations failed');
      expect(hold.choices).toEqual(['retry', 'stop']);
      expect(await site.releases()).toEqual([NEW, OLD]);
      expect(await pauseState(site.lab, 'ss2')).toBe('paused');
      expect((await site.lab.health('ss2')).status).toBe(200);
      expect((await site.lab.health('ss1')).status).toBe(0);
    }));

  it('is mended by hand, and the run goes on', async () => {
    const { question } = await site.holds(/migrations failed/);
    const log = /(\/var\/log\/hitless\/\S+\.log) says/.exec(question)?.[1];
    await site.lab.sql('ss1', 'alter table serverconf.service drop column tps_cost');
    await site.lab.host('ss1').exec(`/usr/share/xroad/scripts/setup_serverconf_db.sh && mv ${log} ${log}.seen`);
    await site.say('hold', 'retry');
    await site.asked('secondaries');
    await site.lab.waitServing();
    expect(await site.releases()).toEqual([NEW, OLD]);
  });
});
