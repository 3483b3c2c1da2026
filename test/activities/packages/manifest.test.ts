import type { Installed } from '../../../activities/packages/package';
import { differences, endsOf, isFresh, type Manifest, unwantedRemovals } from '../../../activities/packages/manifest';

const node = (packages: Record<string, string>): Map<string, Installed> =>
  new Map(
    Object.entries(packages).map(([name, text]) => {
      const [version = '', state = 'whole'] = text.split('|');
      const detail = state === 'whole' ? '' : `not configured (${state})`;
      return [name, { name, version, architecture: 'all', state: state as Installed['state'], detail }];
    }),
  );
const changes = [
  { name: 'frr', from: '1', to: '2' },
  { name: 'libyang', from: '5', to: '6' },
  { name: 'newdep', to: '1' },
  { name: 'olddep', from: '9' },
];
const ends = endsOf({ frr: '2', same: '3' }, { frr: '1', same: '3' }, changes);

describe('ends of an exchange', () => {
  test('going back restores all that going forward touches', () => {
    expect(ends.target).toEqual({ packages: { frr: '2', same: '3', libyang: '6', newdep: '1' }, absent: ['olddep'] });
    expect(ends.previous).toEqual({
      packages: { frr: '1', same: '3', libyang: '5', olddep: '9' },
      absent: ['newdep'],
    });
  });
  test('only removals that the release allows', () => {
    expect(unwantedRemovals(changes, [])).toEqual([{ name: 'olddep', from: '9' }]);
    expect(unwantedRemovals(changes, ['olddep'])).toEqual([]);
  });
});

describe('differences', () => {
  test('none when all is there', () =>
    expect(
      differences(ends.target, node({ frr: '2', same: '3', libyang: '6', newdep: '1', olddep: '9|removed' })),
    ).toEqual([]));
  test('names what is missing, wrong, half-configured and too much', () =>
    expect(
      differences(ends.target, node({ frr: '1', libyang: '6|unfinished', newdep: '1|removed', olddep: '9' })),
    ).toEqual([
      'frr is 1 instead of 2',
      'libyang 6 is not configured (unfinished)',
      'newdep is not installed instead of 1',
      'same is not installed instead of 3',
      'olddep 9 is still installed',
    ]));
});

describe('freshness of a manifest', () => {
  const manifest: Manifest = {
    schema: 1,
    release: '2.0',
    packages: ['frr 2', 'same 3', 'libyang 6', 'newdep 1'].map((text) => {
      const [name = '', version = ''] = text.split(' ');
      return { name, version, file: `${name}.deb`, sha256: 'a'.repeat(64), sizeBytes: 1, auto: false };
    }),
    absent: ['olddep'],
    exchange: { from: '1.0', to: '2.0', changes },
  };
  const exchange = { from: '1.0', to: '2.0' };
  const fresh = (packages: Record<string, string>, planned = { frr: '2', same: '3' }, of = exchange): boolean =>
    isFresh(manifest, of, planned, node(packages));
  const before = { frr: '1', same: '3', libyang: '5', olddep: '9' };
  const after = { frr: '2', same: '3', libyang: '6', newdep: '1' };

  test('fits before, after and in the middle of the exchange', () => {
    expect(fresh(before)).toBe(true);
    expect(fresh(after)).toBe(true);
    expect(fresh({ ...before, libyang: '6' })).toBe(true);
  });
  test('does not fit when somebody changed a touched package, or the plan is another', () => {
    expect(fresh({ ...before, libyang: '5.1' })).toBe(false);
    expect(fresh({ ...before, newdep: '0.9' })).toBe(false);
    expect(fresh(before, { frr: '3', same: '3' })).toBe(false);
    expect(fresh(before, undefined, { from: '1.1', to: '2.0' })).toBe(false);
  });
});
