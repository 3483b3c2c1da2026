import { describeLab, progress } from '../describe-lab';
import { run, startFirewallPairLab, waitFor, type FirewallPairLab } from '../index';

jest.setTimeout(240_000);

describeLab('the package repository of a lab', () => {
  let lab: FirewallPairLab;
  const fw2 = () => lab.host('fw2');
  const update = () => fw2().exec('apt-get update -q');
  const install = (packages: readonly string[], options = '--force-confold') =>
    fw2().tryExec(
      `DEBIAN_FRONTEND=noninteractive apt-get install -y -q --allow-downgrades -o Dpkg::Options::=${options} ${packages.join(' ')} </dev/null`,
    );

  beforeAll(async () => {
    lab = await startFirewallPairLab({}, progress);
  });
  afterAll(() => lab?.down());

  test('hosts have release 1.0, and 2.0 is on offer', async () => {
    expect(fw2().readFile('/etc/fw-release')).toBe('1.0\n');
    await update();
    const shown = await fw2().exec('apt-cache policy fw-release');
    expect(shown).toMatch(/Installed: 1\.0\n\s+Candidate: 2\.0\n/);
    expect(await fw2().exec('apt-get -s install fw-release')).toMatch(/Inst frr .*hitless1\.0.*hitless2\.0/);
  });

  test('a package taken out is unknown, or promised and not there', async () => {
    const version = lab.repo.versions('2.0')['conntrackd']!;
    await lab.repo.remove('conntrackd', version);
    await update();
    expect((await install([`conntrackd=${version}`])).stderr).toContain(
      `Version '${version}' for 'conntrackd' was not found`,
    );
    await lab.repo.putBack('conntrackd', version);
    await update();
    await lab.repo.remove('conntrackd', version, { keepInIndex: true });
    expect((await install([`conntrackd=${version}`])).stderr).toContain('404');
    await lab.repo.putBack('conntrackd', version);
  });

  test('can be out of reach', async () => {
    await lab.lab.setRepositoryReachable(false);
    expect((await fw2().tryExec('apt-get update -q 2>&1')).stdout).toContain('Connection refused');
    await lab.lab.setRepositoryReachable(true);
    await update();
  });

  test("a changed configuration file stops an unattended installation that doesn't say which to keep", async () => {
    const asked = await install(lab.repo.installArguments('2.0'), '--no-force-confold');
    expect(asked.code).not.toBe(0);
    expect(asked.stdout).toContain("Configuration file '/etc/conntrackd/conntrackd.conf'");
    expect(await fw2().exec('dpkg --audit')).toContain('conntrackd');
    await fw2().exec('DEBIAN_FRONTEND=noninteractive dpkg --force-confold --configure -a </dev/null');
    expect(await fw2().exec('dpkg --audit')).toBe('');
    expect(fw2().readFile('/etc/fw-release')).toBe('2.0\n');
  });

  test('a release that fails to install ends half-configured, and the way back is open', async () => {
    await lab.repo.publishFaulty('2.1');
    await update();
    const failed = await install(['fw-release=2.1']);
    expect(failed.code).toBe(100);
    expect(failed.stdout + failed.stderr).toContain('the licence server refused this release');
    expect(await fw2().exec('dpkg --audit')).toContain('fw-release');
    expect((await install(lab.repo.installArguments('2.0'))).code).toBe(0);
    expect(await fw2().exec('dpkg --audit')).toBe('');
  });

  test('a release that calls itself something else after the reboot', async () => {
    await lab.repo.publishFaulty('2.2');
    await update();
    expect((await install(['fw-release=2.2'])).code).toBe(0);
    expect(fw2().readFile('/etc/fw-release')).toBe('2.2\n');
    await fw2().reboot();
    await waitFor("the other partition's name", () => fw2().readFile('/etc/fw-release') === '1.9\n');
  });

  test('serves files below its directory and nothing else', async () => {
    const get = (path: string) =>
      run([
        'node',
        '-e',
        `fetch(process.argv[1]).then(async (r) => console.log(r.status, (await r.text()).length))`,
        lab.repo.url + path,
      ]);
    expect((await get('Packages')).stdout).toMatch(/^200 \d{4}/);
    expect((await get('..%2flab.json')).stdout).toMatch(/^404/);
    expect((await get('')).stdout).toMatch(/^404/);
  });
});
