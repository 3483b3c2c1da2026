import { describeMissing, missingFrom, packageMissing } from '../../../activities/packages/missing';
import { parentsOf, parseRoom, roomFaults } from '../../../activities/packages/room';
import { failureType } from '../../../activities/kit';

describe('room', () => {
  const MIB = 1024 * 1024;
  test('reads df, without its heading', () =>
    expect(parseRoom(`     Avail Mounted on\n${5 * MIB} /\n 10 /var/with space\n`)).toEqual([
      { freeBytes: 5 * MIB, target: '/' },
      { freeBytes: 10, target: '/var/with space' },
    ]));
  test('a directory that is still to be made lies where its deepest existing parent does', () =>
    expect(parentsOf('/var/lib/hitless')).toEqual(['/', '/var', '/var/lib', '/var/lib/hitless']));
  test('one fault for each file system, packages counted packed and unpacked', () => {
    const rooms = ['/', '/', '/var'].map((target) => ({ target, freeBytes: 100 * MIB }));
    expect(roomFaults('fw1', rooms, { minFreeMb: 100, packageBytes: 0 })).toEqual([]);
    expect(roomFaults('fw1', rooms, { minFreeMb: 40, packageBytes: 10 * MIB })).toEqual([]);
    const faults = roomFaults('fw1', rooms, { minFreeMb: 41, packageBytes: 10 * MIB });
    expect(faults.map((f) => f.what)).toEqual([
      '/ has 100 MiB free, 101 are needed',
      '/var has 100 MiB free, 101 are needed',
    ]);
  });
});

describe('missing packages', () => {
  const offers = new Map([['frr', ['9.1', '8.4']]]);
  const missing = missingFrom([{ frr: '8.4', nft: '1' }, { frr: '8.3' }, { frr: '8.3' }], offers);
  test('each once, with what there is instead', () =>
    expect(missing.map(describeMissing)).toEqual([
      'nft 1 (no repository of the host knows this package)',
      'frr 8.3 (there is 9.1, 8.4)',
    ]));
  test('many versions are counted, not listed', () =>
    expect(describeMissing({ name: 'x', version: '0', offered: Array.from({ length: 30 }, (_, i) => `${i}`) })).toMatch(
      /there is 0, 1, 2, 3, 4, 5, 6, 7, … 30 in all/,
    ));
  test('final, unless a repository was silent', () => {
    expect(packageMissing('fw1', missing, [])).toMatchObject({ nonRetryable: true, type: 'PackageMissing' });
    const silent = packageMissing('fw1', missing, ['http://repo/InRelease']);
    expect(failureType(silent)).toBe('CommandFailedRetryable');
    expect(silent.message).toContain('http://repo/InRelease');
  });
});
