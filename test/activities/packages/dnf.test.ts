import { SCRIPT_FAILED, exchangeScript, partCommands, spec as specOf } from '../../../activities/packages/dnf/commands';
import { dnfFailure, dnfReason } from '../../../activities/packages/dnf/failure';
import { lookArguments, parseAnswer } from '../../../activities/packages/dnf/look';
import {
  changesOf,
  failedRepositories,
  installedOf,
  leftovers,
  lockedNames,
  parseAbsent,
  parseChangedAt,
  parseEditedConffiles,
  parseQuery,
} from '../../../activities/packages/dnf/parse';

/** Texts below were printed by dnf 4.14.0 and rpm 4.18.0, LC_ALL=C. */
describe('rpm --query', () => {
  const text = [
    'gate\tnoarch\t0\t2.0\t1.el9\t12',
    'gate-lib\tnoarch\t0\t1.0\t1.el9\t7',
    'gate-lib\tnoarch\t0\t2.0\t1.el9\t9',
    'bind\tx86_64\t32\t9.16.23\t14.el9\t3',
    'glibc\tx86_64\t0\t2.34\t100.el9\t1',
    'glibc\ti686\t0\t2.34\t100.el9\t2',
    'package nothing is not installed',
  ].join('\n');
  const packages = parseQuery(text, 'x86_64');

  test('versions as dnf has them: epochs but 0; foreign architectures in the name', () => {
    expect(packages.map((p) => `${p.name} ${p.version}`)).toEqual([
      'gate 2.0-1.el9',
      'gate-lib 1.0-1.el9',
      'gate-lib 2.0-1.el9',
      'bind 32:9.16.23-14.el9',
      'glibc 2.34-100.el9',
      'glibc.i686 2.34-100.el9',
    ]);
    expect(parseAbsent(text)).toEqual(['nothing']);
  });

  test('of two of one name the one installed later counts, and is damaged; so is what was cut off', () => {
    const found = installedOf(packages, ['gate', '']);
    expect(found.get('gate-lib')).toEqual({
      ...{ name: 'gate-lib', version: '2.0-1.el9', architecture: 'noarch' },
      ...{ state: 'damaged', detail: 'installed beside 1.0-1.el9' },
    });
    expect(found.get('gate')).toMatchObject({
      state: 'damaged',
      detail: expect.stringContaining('did not end well') as string,
    });
    expect(found.get('glibc.i686')).toMatchObject({ state: 'whole', detail: '' });
    expect(leftovers(packages).map((p) => p.label)).toEqual(['gate-lib-1.0-1.el9.noarch']);
  });
});

test('rpm --verify: edited configuration files, other files left out', () =>
  expect(
    parseEditedConffiles(
      [
        'S.5....T.  c /etc/gate/gate.conf',
        '..5......  c /etc/gate/spaced name.conf',
        '.......T.  c /etc/gate/touched.conf',
        'S.5....T.    /usr/sbin/tampered',
        'missing   c /etc/gate/gone.conf',
      ].join('\n'),
    ),
  ).toEqual(['/etc/gate/gate.conf', '/etc/gate/spaced name.conf']));

test.each([
  ['gate-0:1.0-1.el9.*', ['gate']],
  ['gate-lib-2.0-1.el9.*', ['gate-lib']],
  ['!gate-0:1.0-1.el9.*', []],
  ['gate*-0:1.0-1.el9.*', ['gate', 'gate-lib']],
  ['gate', ['gate']],
])('a version lock %s holds %j', (lock, held) => expect(lockedNames([lock], ['gate', 'gate-lib'])).toEqual(held));

test('changes of a transaction: upgrades, what comes, what goes', () =>
  expect(changesOf({ gate: '1-1', old: '3-1' }, { gate: '2-1', fresh: '1-1' })).toEqual([
    { name: 'fresh', to: '1-1' },
    { name: 'gate', from: '1-1', to: '2-1' },
    { name: 'old', from: '3-1' },
  ]));

test('repositories that did not answer, each once', () => {
  const error = "Error: Failed to download metadata for repo 'lab': Cannot download repomd.xml: All mirrors were tried";
  expect(
    failedRepositories(`Errors during downloading metadata for repository 'lab':\n  - Curl error (7)\n${error}`),
  ).toEqual(['lab']);
  expect(failedRepositories('Metadata cache created.')).toEqual([]);
});

test('times of files', () =>
  expect([...parseChangedAt('1795398459.123456789 /a b/c\nstat: cannot statx "/x": No such file')]).toEqual([
    ['/a b/c', 1795398459.1234567],
  ]));

describe('failures of dnf', () => {
  test.each([
    ['busy', 200, 'RPMDB already locked by 12009\n  The application with PID 12009 is: dnf'],
    ['killed', 137, ''],
    ['script', SCRIPT_FAILED, 'Complete!'],
    ['script', 1, 'error: %prein(faulty-3-1.el9.noarch) scriptlet failed, exit status 1\nError: Transaction failed'],
    ['unmet', 1, 'Error: \n Problem: conflicting requests\n  - nothing provides gate-lib >= 2.0 needed by gate-2.0'],
    ['missing', 1, 'No package gate-lib-9 available.\nError: No package gate-lib-9 available.'],
    ['fetch', 1, 'Status code: 404 for http://10.0.0.1/gate.rpm'],
    ['full', 1, 'Error: Transaction test error:\n  At least 5MB more space needed on the / filesystem.'],
    ['other', 1, 'Error: something else'],
  ])('%s', (kind, code, output) => expect(dnfFailure(code, output)).toBe(kind));

  test('what each attempt said is said once', () => {
    const mirror = '[MIRROR] gate.rpm: Status code: 404 for http://10.0.0.1/gate.rpm (IP: 10.0.0.1)';
    const end = '[FAILED] gate.rpm: No more mirrors to try - All mirrors were already tried without success';
    expect(dnfReason([mirror, mirror, mirror, end, 'Last line'].join('\n'))).toBe(`${mirror}\n${end}`);
  });

  test('a script that failed is quoted', () =>
    expect(
      dnfReason(
        'Running transaction\n  Preparing        :      1/1 \n  Running scriptlet: faulty-3-1.el9.noarch    1/1 \nthe licence server refused this release\nerror: %prein(faulty-3-1.el9.noarch) scriptlet failed, exit status 1\n\nError in PREIN scriptlet in rpm package faulty\n  Verifying        : faulty     1/1 \nError: Transaction failed\n',
      ),
    ).toBe(
      [
        '  Running scriptlet: faulty-3-1.el9.noarch    1/1',
        'the licence server refused this release',
        'error: %prein(faulty-3-1.el9.noarch) scriptlet failed, exit status 1',
        'Error in PREIN scriptlet in rpm package faulty',
        'Error: Transaction failed',
      ].join('\n'),
    ));
});

describe('answers of the program that asks dnf', () => {
  test('are found among what plugins print; a refusal is told apart', () => {
    const text = 'Updating Subscription Management repositories.\nhitless-answer: {"locks": ["gate-0:1-1.*"]}\n';
    expect(parseAnswer('locks', text)).toEqual({ locks: ['gate-0:1-1.*'] });
    expect(parseAnswer('simulate', 'hitless-answer: {"failed": "unmet", "text": "no"}')).toEqual({
      ...{ failed: 'unmet', text: 'no' },
    });
    expect(() => parseAnswer('locks', 'nothing')).toThrow('dnf gave no answer');
  });
  test('the question is data, not program', () => {
    const names = ['"; import os'];
    const [, program, question] = lookArguments({ what: 'offers', cache: '/c', names });
    expect(program).not.toContain('import os;');
    expect(JSON.parse(question!)).toEqual({ what: 'offers', cache: '/c', names });
  });
});

describe('the exchange', () => {
  const d = { stage: '/s' };
  test('a package by name, version and foreign architecture', () => {
    expect(specOf('java-1.8.0-openjdk', '1:1.8.0-1.el9')).toBe('java-1.8.0-openjdk-1:1.8.0-1.el9');
    expect(specOf('glibc.i686', '2.34-1.el9')).toBe('glibc-2.34-1.el9.i686');
  });
  test('each kind of change has its command, and knows no repository', () => {
    const parts = { install: ['/s/a.rpm'], reinstall: ['/s/b.rpm'], remove: ['c'] };
    const verbs = partCommands(d, parts).map((argv) =>
      argv.slice(argv.findIndex((a) => /^(re)?install$|^remove$/.test(a))),
    );
    expect(verbs).toEqual([
      ['install', '/s/a.rpm'],
      ['reinstall', '/s/b.rpm'],
      ['remove', 'c'],
    ]);
    for (const argv of partCommands(d, parts)) expect(argv).toContain('--disablerepo=*');
    expect(partCommands(d, { install: [], reinstall: [], remove: [] })).toEqual([]);
  });
  test('names are put down before anything is changed, and gone after all has ended well', () => {
    const lines = exchangeScript(d, ['a', 'b'], { install: ['/s/a.rpm'], reinstall: [], remove: ['b'] }).split('\n');
    const at = (text: RegExp): number => lines.findIndex((line) => text.test(line));
    expect(at(/^printf .* a b >\/s\/dnf-unfinished$/)).toBeLessThan(at(/^run .* install /));
    expect(at(/^run .* install /)).toBeLessThan(at(/^run .* remove b$/));
    expect(at(/^run .* remove b$/)).toBeLessThan(at(/^\/usr\/bin\/rm -f -- \/s\/dnf-unfinished /));
  });
});
