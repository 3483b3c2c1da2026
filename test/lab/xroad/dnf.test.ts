/** The stand-ins as rpms behave as RHEL's do (facts/x-road.md 5.2 to 5.4). */
import { describeLab, progress } from '../describe-lab';
import { startXRoadLab, waitFor, type XRoadLab } from '../index';

jest.setTimeout(400_000);

const release = '7.8.0-1.el9';

/** Every package of the release, by dnf as a person runs it. @throws Error if dnf fails. */
async function dnfInstall(lab: XRoadLab, node: string): Promise<string> {
  const specs = Object.entries(lab.description.repository.releases[release]!).map(([name, v]) => `${name}-${v}`);
  return lab.host(node).exec(`dnf -y install ${specs.join(' ')} </dev/null 2>&1`);
}

async function states(lab: XRoadLab, node: string): Promise<Record<string, string>> {
  const { services } = lab.description;
  const { stdout } = await lab.host(node).tryExec(`systemctl is-active ${services.join(' ')}`);
  const shown = stdout.trim().split('\n');
  return Object.fromEntries(services.map((unit, index) => [unit, shown[index] ?? '']));
}

const signerPid = (lab: XRoadLab, node: string): Promise<string> =>
  lab.host(node).exec('systemctl show -p MainPID --value xroad-signer');
const NO_JOBS = 'No jobs running.\n';

describeLab('an upgrade with dnf alone', () => {
  let lab: XRoadLab;

  beforeAll(async () => {
    lab = await startXRoadLab({ packages: 'dnf', secondaries: 1 }, progress);
  });
  afterAll(() => lab?.down());

  test('restarts what ran, leaves stopped what was stopped, and skips the database of a secondary', async () => {
    // The proxy last, and what its start would start.
    await lab.host('ss2').exec('systemctl stop xroad-proxy.service xroad-monitor.service');
    const before = await states(lab, 'ss2');
    const pid = await signerPid(lab, 'ss2');
    expect(new Set(Object.values(before))).toEqual(new Set(['active', 'inactive']));
    const said = await dnfInstall(lab, 'ss2');
    expect(said).toContain('Skipping database setup on cluster slave node');
    // Its message log is its own.
    expect(lab.host('ss2').readFile('/usr/share/xroad/versions/xroad-addon-messagelog')).toBe(`${release}\n`);
    const messagelog = 'runuser -u postgres -- psql -XtAq -p 5432 messagelog';
    const newest = "select max(id) from messagelog.databasechangelog where id ~ '^[0-9]'";
    expect((await lab.host('ss2').exec(messagelog, { input: newest })).trim()).toBe('002-add-archive-digest');
    await waitFor('the signer to be restarted', async () => (await signerPid(lab, 'ss2')) !== pid);
    await waitFor('all jobs to be done', async () => (await lab.host('ss2').exec('systemctl list-jobs')) === NO_JOBS);
    expect(await states(lab, 'ss2')).toEqual(before);
  });

  test('starts nothing on a stopped node, and a migration that fails fails nothing', async () => {
    const { services } = lab.description;
    await lab.host('ss1').exec(`systemctl stop ${services.join(' ')}`);
    await lab.sql('ss1', 'alter table serverconf.service add column tps_cost integer'); // in the way of the migration
    const said = await dnfInstall(lab, 'ss1');
    expect(said).toMatch(
      /column "tps_cost" of relation "service" already exists[^]*Running database migrations failed/,
    );
    expect(said).not.toContain('scriptlet failed');
    expect(said.trimEnd()).toMatch(/Complete!$/);
    expect(new Set(Object.values(await states(lab, 'ss1')))).toEqual(new Set(['inactive']));
    await lab.sql('ss1', 'alter table serverconf.service drop column tps_cost');
    await lab.host('ss1').exec('/usr/share/xroad/scripts/setup_serverconf_db.sh');
    const changes = "select count(*) from serverconf.databasechangelog where id = '004-add-tps-cost'";
    expect(await lab.sql('ss1', changes)).toBe('1');
  });
});
