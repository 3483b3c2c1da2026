import { describeLab, progress } from '../describe-lab';
import { startXRoadLab, waitFor, type XRoadLab } from '../index';
import {
  aptInstall,
  installMasked,
  pauseState,
  pauseSync,
  position,
  putBack,
  resumeFiles,
  stopServices,
  takeOut,
  upgradeRolling,
  upgradeSecondary,
} from './by-hand';
import { observe } from './observer';

jest.setTimeout(400_000);

const release = '7.8.0-1';
const changes = (lab: XRoadLab, node: string): Promise<string> =>
  lab.sql(
    node,
    "select string_agg(id || ' ' || exectype, ', ' order by orderexecuted) from serverconf.databasechangelog",
  );

describeLab('a rolling upgrade by hand, in the order of the guide', () => {
  let lab: XRoadLab;

  beforeAll(async () => {
    lab = await startXRoadLab({ syncPeriodSeconds: 5 }, progress);
  });
  afterAll(() => lab?.down());

  test('loses no message of 200 a second, some of which last 5 s', async () => {
    const before = await changes(lab, 'ss1');
    const traffic = await lab.startTraffic();
    const observer = observe(lab);
    await upgradeRolling(lab, release);
    expect(await observer.stop()).toMatchObject({ mostOut: 1, violations: [] });
    const report = await traffic.stop();
    expect(report).toMatchObject({ failed: 0, faults: [], answered: report.sent });
    expect(report.sent).toBeGreaterThan(2000);
    expect(report.long).toBeGreaterThan(20);
    expect(Object.keys(report.answeredBy)).toEqual(
      expect.arrayContaining(['ss1 7.8.0-1', 'ss2 7.8.0-1', 'ss3 7.7.0-1']),
    );

    expect(before).toBe(
      '001-baseline EXECUTED, 002-ui-users EXECUTED, 003-drop-unneeded-sequences EXECUTED, separate-admin-user EXECUTED',
    );
    const after = await changes(lab, 'ss1');
    expect(after).toBe(
      before.replace('separate-admin-user EXECUTED', '004-add-tps-cost EXECUTED, separate-admin-user RERAN'),
    );
    for (const node of lab.description.roles.nodes) {
      expect(await changes(lab, node)).toBe(after);
      expect(lab.host(node).readFile('/etc/xroad/conf.d/proxy.ini')).toContain('Defaults of X-Road 7.8.0-1');
      const versions = await lab
        .host(node)
        .exec("dpkg-query -W -f '${Version} ${db:Status-Abbrev}\\n' 'xroad-*' | sort -u");
      expect(versions).toBe('7.8.0-1 ii \n');
    }
    expect(await lab.streaming()).toEqual(['ss2', 'ss3']);
    expect(await pauseState(lab, 'ss2')).toBe('not paused');
  });
});

describeLab('an upgrade by hand in a wrong order', () => {
  let lab: XRoadLab;

  beforeAll(async () => {
    lab = await startXRoadLab({ syncPeriodSeconds: 5 }, progress);
    await Promise.all(lab.description.roles.secondaries.map((node) => pauseSync(lab, node)));
  });
  afterAll(() => lab?.down());

  test("a migration that fails doesn't fail the packages, and the new proxy says so", async () => {
    // Really in its way: the column is there already.
    await lab.sql('ss1', 'alter table serverconf.service add column tps_cost integer');
    await takeOut(lab, 'ss1');
    await stopServices(lab, 'ss1');
    const said = await installMasked(lab, 'ss1', release); // throws if apt-get fails
    expect(said).toMatch(
      /column "tps_cost" of relation "service" already exists[^]*Running database migrations failed/,
    );
    expect(await changes(lab, 'ss1')).not.toContain('004');
    await lab.host('ss1').exec('systemctl start xroad-proxy');
    await waitFor('the proxy to refuse', async () => {
      const { status, body } = await lab.health('ss1');
      return status === 500 && body === 'Server Conf database did not respond as expected\n';
    });
    expect(lab.host('ss1').readFile('/var/log/xroad/proxy.log')).toContain(
      'ERROR serverconf has schema 3, and 7.8.0-1 needs 4',
    );
    await stopServices(lab, 'ss1');
    await lab.sql('ss1', 'alter table serverconf.service drop column tps_cost');
    // A migration that was killed leaves the lock behind.
    await lab.sql('ss1', "update serverconf.databasechangeloglock set locked = true, lockedby = 'ghost'");
    const locked = await lab
      .host('ss1')
      .tryExec('XROAD_LOCK_SECONDS=1 /usr/share/xroad/scripts/setup_serverconf_db.sh');
    expect(locked.code).toBe(1);
    expect(locked.stderr).toMatch(
      /Could not acquire change log lock\.  Currently locked by ghost[^]*migrations failed/,
    );
    await lab.sql('ss1', 'update serverconf.databasechangeloglock set locked = false');
    await lab.host('ss1').exec('/usr/share/xroad/scripts/setup_serverconf_db.sh');
    expect(await changes(lab, 'ss1')).toContain('004-add-tps-cost EXECUTED');
    await putBack(lab, 'ss1');
  });

  test('replay resumed before the services stop: the old proxy refuses, and messages fail', async () => {
    expect(lab.repo.versions(release)['xroad-proxy']).toBe(release);
    const traffic = await lab.startTraffic();
    const observer = observe(lab, 100);
    await lab.sql('ss2', 'select pg_wal_replay_resume()');
    await waitFor('messages to fail', () => (traffic.snapshot()?.failed ?? 0) > 0);
    const report = await traffic.stop();
    expect(report.faults[0]).toMatch(/serverconf has schema 4, newer than the 3 that 7\.7\.0-1 knows"$/);
    expect(await lab.health('ss2')).toEqual({
      status: 500,
      body: 'Server Conf database did not respond as expected\n',
    });
    await waitFor('HAProxy to take it out', async () => {
      return (await lab.servers()).every(({ server, status }) =>
        server === 'ss2' ? status === 'DOWN' : status === 'UP',
      );
    });
    const { violations } = await observer.stop();
    expect(violations).toEqual([expect.stringMatching(/ss2 replays schema 4 while its proxy of 7\.7\.0-1 runs$/)]);
  });

  test('files before packages: the old proxy refuses, and messages fail', async () => {
    const traffic = await lab.startTraffic();
    await resumeFiles(lab, 'ss3');
    await waitFor('messages to fail', () => (traffic.snapshot()?.failed ?? 0) > 0);
    const report = await traffic.stop();
    expect(report.faults[0]).toMatch(/keyconf\.xml has format 7\.8, newer than 7\.7\.0-1"$/);
    await waitFor('ss3 to be ill', async () => (await lab.health('ss3')).status === 500);
    // Which one depends on how old the proxy's copy of the key is (300 s).
    const bodies = [
      'Getting OCSP response for authentication key failed.\n',
      'No authentication key available. Signer might be down.\n',
    ];
    expect(bodies).toContain((await lab.health('ss3')).body);
  });

  test('packages on a stopped node start its services by themselves, and before replay these find an old schema', async () => {
    await stopServices(lab, 'ss3');
    await aptInstall(lab, 'ss3', release);
    const state = await lab.host('ss3').exec(`systemctl is-active ${lab.description.services.join(' ')}`);
    expect(new Set(state.trim().split('\n'))).toEqual(new Set(['active']));
    await waitFor('ss3 to refuse', async () =>
      (await lab.health('ss3')).body.startsWith('Server Conf database did not'),
    );
    expect(await pauseState(lab, 'ss3')).toBe('paused');
  });

  test('both nodes are mended by going on in the right order', async () => {
    const upTo = await position(lab);
    for (const node of ['ss2', 'ss3']) await upgradeSecondary(lab, node, release, upTo);
    await lab.waitServing();
  });
});

describeLab('an upgrade with apt-get alone', () => {
  let lab: XRoadLab;

  beforeAll(async () => {
    lab = await startXRoadLab({ syncPeriodSeconds: 5 }, progress);
  });
  afterAll(() => lab?.down());

  test('loses messages', async () => {
    const traffic = await lab.startTraffic();
    for (const node of lab.description.roles.nodes) {
      await aptInstall(lab, node, release);
      await lab.waitServing([node]);
    }
    const report = await traffic.stop();
    expect(report.failed).toBeGreaterThan(0);
    await lab.waitServing();
  });
});
