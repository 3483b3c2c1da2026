/** What keeps an upgrade of an X-Road cluster from beginning, and a cancel before the point of no return: all is as before. */
import { waitFor } from '../lab';
import { describeLab } from '../lab/describe-lab';
import { pauseState } from '../lab/xroad/by-hand';
import { NEW, OLD, XRoadSite, cutReplication, idlePool } from './xroad-support';

jest.setTimeout(300_000);

describeLab('an X-Road cluster that must not be upgraded', () => {
  let site: XRoadSite;
  let before: string;
  beforeAll(async () => {
    site = await XRoadSite.ready({ secondaries: 1, pooledConnections: true }, ({ xroad }) => {
      xroad.drain['timeoutMs'] = '8s';
    });
    before = await site.stand();
  }, 900_000);
  afterEach(async () => {
    await site.lab.waitServing();
    expect(await site.stand()).toBe(before);
  });
  afterAll(() => site?.close());

  const proxyOption = async (expression: string): Promise<void> => {
    await site.lab
      .host('ss2')
      .exec(`sed -i '${expression}' /etc/xroad/conf.d/local.ini; systemctl restart xroad-proxy`);
  };

  it('a node without a health port: maintenance mode could not be set, though it answers 200', async () => {
    // Its own file comes from the primary every few seconds.
    const { flag } = site.lab.description.sync;
    await site.lab.host('ss2').exec(`touch ${flag}`);
    await proxyOption('s/^health-check-port=.*/health-check-port=0/');
    await waitFor('the proxy', async () => (await site.lab.maintenance('ss2', true)).startsWith('No HealthCheckPort'));
    const said = await site.observed(() => site.refused());
    expect(said).toMatch(/ss2[^\n]*has no health check port \(local\.ini/);
    await proxyOption('s/^health-check-port=.*/health-check-port=5588/');
    await site.lab.host('ss2').exec(`rm ${flag}; systemctl start ${site.lab.description.sync.service}`);
  });

  it('a node in maintenance mode already: somebody is at work there', async () => {
    await site.lab.maintenance('ss2', true);
    const said = await site.observed(() => site.refused());
    expect(said).toMatch(/ss2[^\n]*in maintenance mode/);
    await site.lab.maintenance('ss2', false);
  });

  it('a unit that copies the configuration whatever the flag says', async () => {
    const { service } = site.lab.description.sync;
    const unit = `/etc/systemd/system/${service}`;
    const host = site.lab.host('ss2');
    const text = host.readFile(unit);
    await host.exec(`sed -i '/^ExecStartPre=/d' ${unit}; systemctl daemon-reload`);
    const said = await site.observed(() => site.refused());
    expect(said).toMatch(/ss2[^\n]*xroad-sync\.service doesn’t test for \/var\/tmp\/xroad\/sync-disabled/);
    await host.exec(`cat > ${unit}; systemctl daemon-reload`, { input: text });
  });

  it('a database that receives nothing, although all that it received is replayed', async () => {
    const cut = await cutReplication(site.lab);
    await site.lab.sql(
      'ss1',
      "insert into serverconf.ui_user values ('mallory'); delete from serverconf.ui_user where name = 'mallory'",
    );
    const guide = 'select pg_last_wal_replay_lsn() = pg_last_wal_receive_lsn()';
    expect(await site.lab.sql('ss2', guide)).toBe('t');
    const said = await site.observed(() => site.refused());
    expect(said).toMatch(/ss2[^\n]*receives nothing from the primary/);
    await cut.restore();
  });

  it('a unit that was changed after the check: the step that proves the pause fails, and all is rolled back', async () => {
    const { service } = site.lab.description.sync;
    const unit = `/etc/systemd/system/${service}`;
    const host = site.lab.host('ss2');
    const text = host.readFile(unit);
    await site.observed(async () => {
      await site.begin(NEW);
      await site.asked('start');
      await host.exec(`sed -i '/^ExecStartPre=/d' ${unit}; systemctl daemon-reload`);
      await site.approve('start');
      const hold = await site.holds(/ss2 copied the configuration although \S+ is there/);
      // The half-done step was undone by itself; what was done before it waits for an answer.
      expect((await host.tryExec(`test -e ${site.lab.description.sync.flag}`)).code).toBe(1);
      expect(await pauseState(site.lab, 'ss2')).toBe('paused');
      expect(hold.choices).toEqual(['retry', 'roll-back', 'stop']);
      await site.say('hold', 'roll-back', { to: 'start' });
      const { failure, report } = await site.ended();
      expect(failure?.type).toBe('RolledBack');
      expect(report?.standing).toContain('ss2: ');
    });
    await host.exec(`cat > ${unit}; systemctl daemon-reload`, { input: text });
  });

  it('cancelled before the point of no return, at a drain that doesn’t end: everything is undone, nothing was lost', async () => {
    const { lab } = site;
    const pool = await idlePool(lab);
    await site.observed(async () => {
      await site.begin(NEW);
      await site.approve('start');
      const hold = await site.holds(/ss1 still has 2 connections/);
      expect(hold.question).toContain('10.60.0.5 → :8080 × 2');
      expect(hold.choices).toEqual(['retry', 'go-on', 'roll-back', 'stop']);
      await site.cancel();
      const { execution, report } = await site.ended();
      expect({ execution, ending: report?.ending }).toEqual({ execution: 'cancelled', ending: 'Cancelled' });
    });
    expect(await site.releases()).toEqual([OLD, OLD]);
    const kept = await lab.host('client').exec(`ss -Htn state established 'dport = :8080' | wc -l`);
    expect(Number(kept)).toBe(4);
    await pool.close();
  });
});
