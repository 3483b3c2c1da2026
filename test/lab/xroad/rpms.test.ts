import { rpmVersion } from '../repo/rpm';
import { base } from '../rpm-host/packages';
import { releases, standInPackages } from './packages';
import { rpmRelease, standInRpms } from './rpms';

const of = (version: keyof typeof releases) => standInRpms(releases[version]);

test('a release has one version in one spelling, in its packages and in what they install', () => {
  const rpms = of('7.8.0-1');
  expect(rpmRelease(releases['7.8.0-1'])).toBe('7.8.0-1.el9');
  expect(rpms.map((rpm) => rpm.name)).toEqual(standInPackages);
  for (const rpm of rpms) {
    expect(rpmVersion(rpm)).toBe('7.8.0-1.el9');
    expect(rpm.files).toContainEqual({ path: `/usr/share/xroad/versions/${rpm.name}`, content: '7.8.0-1.el9\n' });
    for (const { path, content } of rpm.files ?? []) expect(`${path} ${content}`).not.toContain('@VERSION@');
  }
});

test('rpms require each other in that version, and nothing of what dpkg has', () => {
  const own = new Set([base.name, ...standInPackages.map((name) => `${name} = 7.7.0-1.el9`)]);
  for (const { preamble = [] } of of('7.7.0-1')) {
    expect(preamble).toContain('AutoReqProv: no');
    const required = preamble.filter((line) => line.startsWith('Requires: ')).map((line) => line.slice(10));
    expect(required.filter((each) => !own.has(each))).toEqual([]);
  }
});

test('a release has the changes of its schema, and no others', () => {
  const changes = (version: keyof typeof releases): string[] =>
    of(version)
      .flatMap(({ files = [] }) => files.map(({ path }) => path))
      .filter((path) => /\/db\/\w+\/\d/.test(path))
      .map((path) => path.replace(/.*\/db\/(\w+)\/(\d+).*/, '$1 $2'));
  expect(changes('7.8.0-1').filter((each) => !changes('7.7.0-1').includes(each))).toEqual([
    'serverconf 004',
    'messagelog 002',
  ]);
});

test('starting the proxy starts the management API, too', () => {
  const files = of('7.8.0-1').flatMap((rpm) => rpm.files ?? []);
  const unit = files.find(({ path }) => path === '/usr/lib/systemd/system/xroad-proxy.service');
  expect(unit?.content).toMatch(/^Wants=.* xroad-confclient\.service xroad-proxy-ui-api\.service$/m);
});
