import { aptFailure, aptReason } from '../../../activities/packages/apt/failure';
import {
  failedSources,
  parseEditedConffiles,
  parseInstalled,
  parseMadison,
  parseOffered,
  parseSimulation,
} from '../../../activities/packages/apt/parse';
import { isPresent, isWhole, parseSums } from '../../../activities/packages/package';

/** Texts below were printed by apt 2.6.1 and dpkg 1.21.22 (Debian 12), LC_ALL=C. */
describe('dpkg-query', () => {
  const installed = parseInstalled(
    [
      'alpha\tall\t1:1.0\tii ',
      'frr\tamd64\t8.4.4-1.1~deb12u1\thi ',
      'slow\tall\t2.0\tiF ',
      'beta\tall\t0.5\trc ',
      'broken\tamd64\t1\tiHR',
      'libc6\ti386\t2.36-9\tii ',
      'libc6\tamd64\t2.36-9\tii ',
      'never\t\t\tun ',
      '',
    ].join('\n'),
    'amd64',
  );
  const state = (name: string): [boolean, boolean, boolean] => {
    const found = installed.get(name);
    return [isPresent(found), isWhole(found), found?.held === true];
  };
  test.each([
    ['alpha', [true, true, false]],
    ['frr', [true, true, true]],
    ['slow', [true, false, false]],
    ['beta', [false, false, false]],
    ['broken', [true, false, false]],
    ['never', [false, false, false]],
    ['libc6:i386', [true, true, false]],
  ])('%s is present, configured, held: %j', (name, expected) => expect(state(name)).toEqual(expected));
  test('keeps version and architecture', () =>
    expect(installed.get('frr')).toEqual({
      name: 'frr',
      version: '8.4.4-1.1~deb12u1',
      architecture: 'amd64',
      ...{ state: 'whole', detail: '', held: true },
    }));
});

test('madison: versions newest first, sources left out', () => {
  const text = [
    '       frr | 8.4.4-1.1~deb12u2 | http://deb.debian.org/debian bookworm/main amd64 Packages',
    '       frr | 8.4.4-1.1~deb12u2 | http://security.debian.org bookworm-security/main amd64 Packages',
    '       frr | 8.4.4-1.1~deb12u1 | http://10.0.0.1 ./ Packages',
    '       frr | 8.4.4-1.1~deb12u2 | http://deb.debian.org/debian bookworm/main Sources',
    'conntrackd | 1:1.4.7-1+b2 | http://deb.debian.org/debian bookworm/main amd64 Packages',
  ].join('\n');
  expect(Object.fromEntries(parseMadison(text))).toEqual({
    frr: ['8.4.4-1.1~deb12u2', '8.4.4-1.1~deb12u1'],
    conntrackd: ['1:1.4.7-1+b2'],
  });
});

test('download --print-uris: name and version out of the quoted file name, digest of the metadata', () => {
  const sha = '37f525b2b098aa96971c17b037b40e40b48f37e78b8f4a4db9ed364e744df8cc';
  const text = [
    `'http://deb.debian.org/debian/pool/main/f/frr/frr_8.4.4-1.1%7edeb12u2_amd64.deb' frr_8.4.4-1.1~deb12u2_amd64.deb 3854556 SHA256:${sha}`,
    `'file:/srv/repo/./alpha_2.0_all.deb' alpha_1%3a2.0_all.deb 696 MD5Sum:84e1e5258bddbeaf0d128c34fdba72cb`,
    `'http://x/libc6_2.36-9_i386.deb' libc6_2.36-9_i386.deb 1 SHA256:${sha}`,
  ].join('\n');
  const [frr, alpha, libc] = parseOffered(text, 'amd64');
  expect(frr).toEqual({
    name: 'frr',
    version: '8.4.4-1.1~deb12u2',
    uri: 'http://deb.debian.org/debian/pool/main/f/frr/frr_8.4.4-1.1%7edeb12u2_amd64.deb',
    file: 'frr_8.4.4-1.1~deb12u2_amd64.deb',
    sizeBytes: 3_854_556,
    sha256: sha,
  });
  expect(alpha).toMatchObject({ name: 'alpha', version: '1:2.0', file: 'alpha_1%3a2.0_all.deb' });
  expect(alpha).not.toHaveProperty('sha256');
  expect(libc?.name).toBe('libc6:i386');
});

test('simulation: upgrades, downgrades, new packages, removals', () => {
  const text = [
    'Reading package lists...',
    'Inst libalpha [1.0-1] (1.1-1 localhost [all])',
    'Inst beta (0.5 local-deb [all])',
    'Inst frr [8.4.4-1.1~deb12u2] (8.4.4-1.1~deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) []',
    'Inst libc6:i386 [2.36-8] (2.36-9 Debian:12.15/oldstable [i386]) [libc6:amd64 ]',
    'Remv quagga [1.2.4-4] []',
    'Purg zebra [1.0]',
    'Conf libalpha (1.1-1 localhost [all])',
  ].join('\n');
  expect(parseSimulation(text)).toEqual([
    { name: 'libalpha', from: '1.0-1', to: '1.1-1' },
    { name: 'beta', to: '0.5' },
    { name: 'frr', from: '8.4.4-1.1~deb12u2', to: '8.4.4-1.1~deb12u1' },
    { name: 'libc6:i386', from: '2.36-8', to: '2.36-9' },
    { name: 'quagga', from: '1.2.4-4' },
    { name: 'zebra', from: '1.0' },
  ]);
});

test('dpkg --verify: edited and deleted configuration files, other files left out', () => {
  const text = [
    '??5?????? c /etc/alpha/alpha.conf',
    '??5??????   /usr/sbin/tampered',
    'missing   c /etc/alpha/gone.conf',
    'missing     /usr/share/doc/x',
  ].join('\n');
  expect(parseEditedConffiles(text)).toEqual({ edited: ['/etc/alpha/alpha.conf'], deleted: ['/etc/alpha/gone.conf'] });
});

test('sha256sum', () => {
  const sha = 'ab'.repeat(32);
  expect([...parseSums(`${sha}  /a/b_1%3a1_all.deb\n${sha} */c\nsha256sum: /d: No such file or directory`)]).toEqual([
    ['/a/b_1%3a1_all.deb', sha],
    ['/c', sha],
  ]);
});

test('sources that failed are named once', () =>
  expect(
    failedSources(
      'W: Failed to fetch http://10.0.0.1/repo/./InRelease  Could not connect\nE: Failed to fetch file:/srv/repo/./Packages  File not found\nW: Some index files failed',
    ),
  ).toEqual(['http://10.0.0.1/repo/./InRelease', 'file:/srv/repo/./Packages']));

describe('failures of apt', () => {
  test.each([
    [
      'busy',
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 27618 (dpkg)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?',
    ],
    [
      'held',
      'The following held packages will be changed:\n  alpha\nE: Held packages were changed and -y was used without --allow-change-held-packages.',
    ],
    [
      'unmet',
      'The following packages have unmet dependencies:\n gamma : Depends: nothing-such but it is not installable\nE: Unable to correct problems, you have held broken packages.',
    ],
    ['missing', "E: Version '3.0' for 'gamma' was not found"],
    ['missing', 'E: Unable to locate package gommo'],
    ['interrupted', "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem."],
    ['full', "E: You don't have enough free space in /var/cache/apt/archives/."],
    ['fetch', 'E: Failed to fetch http://x/a.deb  404  Not Found'],
    ['killed', 'E: Sub-process /usr/bin/dpkg received signal 9.'],
    ['killed', 'E: Sub-process /usr/bin/dpkg exited unexpectedly'],
    ['other', 'dpkg: error processing package alpha (--configure):'],
  ])('%s', (kind, output) => expect(aptFailure(output)).toBe(kind));

  test('the reason is the telling lines, without progress noise', () => {
    const output =
      'Reading package lists...\n(Reading database ... 5%\r(Reading database ... 100%\nThe following packages have unmet dependencies:\n gamma : Depends: nothing-such but it is not installable\nE: Unable to correct problems, you have held broken packages.\n';
    expect(aptReason(output)).toBe(
      ' gamma : Depends: nothing-such but it is not installable\nE: Unable to correct problems, you have held broken packages.',
    );
    expect(aptReason('one\n\ntwo\n', 1)).toBe('two');
  });
  test('a script that failed is quoted', () => {
    const output =
      'Unpacking fw-release (2.1) ...\nSetting up fw-release (2.1) ...\nfw-release: the licence server refused this release\ndpkg: error processing package fw-release (--configure):\n installed fw-release package post-installation script subprocess returned error exit status 1\nErrors were encountered while processing:\n fw-release\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n';
    expect(aptReason(output)).toMatch(
      /^Setting up fw-release \(2\.1\) \.\.\.\nfw-release: the licence server refused this release\ndpkg: error processing .*\n.* exit status 1\n/,
    );
  });
});
