import { releaseOf, isReadableBeforeReboot } from '../../../activities/packages/release';
import { softwareSpec, type SoftwareSpec } from '../../../activities/packages/spec';

const section = (change: object = {}): Record<string, unknown> => ({
  driver: 'apt',
  releases: {
    '1.0': { packages: { frr: '8.4.4-1.1~deb12u1', 'fw-release': '1.0' } },
    '2.0': { packages: { frr: '8.4.4-1.1~deb12u1+fw2', 'fw-release': '2.0' } },
  },
  release: { package: 'fw-release' },
  ...change,
});
const parse = (change: object = {}): SoftwareSpec => softwareSpec.parse(section(change));
const faults = (change: object): string[] =>
  (softwareSpec.safeParse(section(change)).error?.issues ?? []).map((i) => `${i.path.join('.')}: ${i.message}`);

describe('section software', () => {
  test('has defaults, reads durations, and parsing a parsed one changes nothing', () => {
    const parsed = parse({ rebootTimeoutMs: '2m' });
    expect(parsed).toMatchObject({
      conffiles: 'keep',
      reboot: true,
      rebootTimeoutMs: 120_000,
      minFreeMb: 512,
      units: [],
    });
    expect(softwareSpec.parse(parsed)).toEqual(parsed);
  });

  test.each([
    [
      'a version range',
      { releases: { '1.0': { packages: { frr: '>= 8' } } }, release: { file: '/etc/r', pattern: '(.*)' } },
      /exact version/,
    ],
    [
      'an option as package',
      { releases: { '1.0': { packages: { '--force': '1' } } }, release: { file: '/etc/r', pattern: '(.*)' } },
      /releases\.1\.0\.packages/,
    ],
    [
      'a release that climbs out of the stage',
      { releases: { '../x': { packages: { frr: '1' } } }, release: { file: '/etc/r', pattern: '(.*)' } },
      /releases\.\.\.\/x/,
    ],
    [
      'no package',
      { releases: { '1.0': { packages: {} } }, release: { file: '/etc/r', pattern: '(.*)' } },
      /at least one package/,
    ],
    ['a pattern without group', { release: { file: '/etc/release', pattern: '^x$' } }, /group around the release/],
    ['a broken pattern', { release: { file: '/etc/release', pattern: '(' } }, /not a regular expression/],
    ['an unknown way to read the release', { release: { files: '/etc/release' } }, /one of {package/],
    [
      'a release that lacks the telling package',
      { releases: { '1.0': { packages: { frr: '1' } } } },
      /lacks fw-release/,
    ],
    ['an unknown field', { rebot: true }, /rebot/],
  ])('refuses %s', (_, change, message) => expect(faults(change).join('\n')).toMatch(message));

  test('refuses two releases that the telling package does not tell apart', () => {
    const twin = { packages: { 'fw-release': '1.0' } };
    expect(faults({ releases: { '1.0': twin, '1.1': twin } })).toEqual([
      "releases.1.1.packages: fw-release is 1.0 here as in 1.0: the two can't be told apart",
    ]);
  });
});

describe('releaseOf', () => {
  test('names the release whose list holds the version of the telling package', () => {
    expect(releaseOf(parse(), '2.0')).toBe('2.0');
    expect(releaseOf(parse({ releases: { aurora: { packages: { 'fw-release': '7:1' } } } }), '7:1')).toBe('aurora');
  });
  test('shows a version that no release explains, and nothing for nothing', () => {
    expect(releaseOf(parse(), '1.5')).toBe('fw-release 1.5');
    expect(releaseOf(parse(), undefined)).toBeUndefined();
  });
  test('takes the first group of the pattern, on any line', () => {
    const spec = parse({ release: { file: '/etc/os-release', pattern: '^VERSION_ID="?([^"]+)"?$' } });
    expect(releaseOf(spec, 'NAME=Debian\nVERSION_ID="12"\n')).toBe('12');
    expect(releaseOf(spec, 'NAME=Debian\n')).toBeUndefined();
  });
  test('what a command answers proves nothing before a reboot that is still to come', () => {
    const command = { command: ['/bin/uname', '-r'], root: false, pattern: '(.*)' };
    expect(isReadableBeforeReboot(command, true)).toBe(false);
    expect(isReadableBeforeReboot(command, false)).toBe(true);
    expect(isReadableBeforeReboot({ package: 'fw-release' }, true)).toBe(true);
  });
});
