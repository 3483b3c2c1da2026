import fc from 'fast-check';
import {
  compareReleases,
  featureDistance,
  parseRelease,
  pathBetween,
  type Release,
} from '../../../activities/panos/releases';

const available = [
  '10.1.0',
  '10.1.9',
  '10.2.0',
  '10.2.3',
  '10.2.10',
  '10.2.9-h4',
  '11.0.0',
  '11.0.4',
  '11.1.0',
  '11.1.4',
  '12.1.2',
  '12.1.4',
];
const images = [...available, '10.1.2'].map((version) => ({ version, sizeMb: 0 }));
const options = { images, featureReleasesApart: 1 };
const release = fc
  .tuple(fc.constantFrom('9.1', '10.0', '10.1', '10.2', '11.0'), fc.nat(20), fc.nat(5))
  .map(([feature, maintenance, hotfix]) => `${feature}.${maintenance}${hotfix === 0 ? '' : `-h${hotfix}`}`);
const parsed = (text: string): Release => parseRelease(text)!;

it('compares numbers as numbers, and hotfixes after the plain release', () => {
  const sorted = ['10.2.10', '10.2.9-h4', '10.2.9', '9.1.3', '10.2.9-h10'].sort((a, b) =>
    compareReleases(parsed(a), parsed(b)),
  );
  expect(sorted).toEqual(['9.1.3', '10.2.9', '10.2.9-h4', '10.2.9-h10', '10.2.10']);
});

it('orders all releases, one way only', () => {
  fc.assert(
    fc.property(release, release, release, (a, b, c) => {
      const order = (x: string, y: string): number => Math.sign(compareReleases(parsed(x), parsed(y)));
      expect(order(a, b)).toBe(0 - order(b, a));
      if (order(a, b) <= 0 && order(b, c) <= 0) expect(order(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});

it('knows what no release is', () => {
  for (const text of ['10.2', '10.2.x', 'latest', '10.2.3-c1', '']) expect(parseRelease(text)).toBeUndefined();
});

const hopsOf = (from: string, to: string): unknown => {
  const result = pathBetween(from, to, options);
  return 'hops' in result ? result.hops : result.faults;
};

it('stays in a feature release without a base image', () => {
  expect(hopsOf('10.2.3', '10.2.10')).toEqual([
    { from: '10.2.3', to: '10.2.10', images: ['10.2.10'], wayBack: ['10.2.3'] },
  ]);
});

it('brings the base image first, and those of the way back', () => {
  expect(hopsOf('10.1.9', '10.2.3')).toEqual([
    { from: '10.1.9', to: '10.2.3', images: ['10.2.0', '10.2.3'], wayBack: ['10.1.0', '10.1.9'] },
  ]);
  expect(hopsOf('10.1.9', '10.2.0')).toEqual([
    { from: '10.1.9', to: '10.2.0', images: ['10.2.0'], wayBack: ['10.1.0', '10.1.9'] },
  ]);
});

it('stops at the newest release of each feature release in between', () => {
  expect(hopsOf('10.1.9', '11.1.4')).toMatchObject([
    { from: '10.1.9', to: '10.2.10', images: ['10.2.0', '10.2.10'] },
    { from: '10.2.10', to: '11.0.4', images: ['11.0.0', '11.0.4'] },
    { from: '11.0.4', to: '11.1.4', images: ['11.1.0', '11.1.4'] },
  ]);
});

it('skips feature releases where the pair may be further apart', () => {
  const path = pathBetween('10.1.9', '11.1.4', { ...options, featureReleasesApart: 2 });
  expect(path).toMatchObject({ hops: [{ to: '11.0.4' }, { to: '11.1.4' }] });
});

it('takes 12.1.2 for the base of 12.1', () => {
  const path = pathBetween('11.1.4', '12.1.4', { ...options, featureReleasesApart: 2 });
  expect(path).toMatchObject({ hops: [{ images: ['12.1.2', '12.1.4'] }] });
});

describe('of a feature release that came later', () => {
  // 12.2 as its device lists it: the first image is a large one, and isn't .0.
  const later = [
    { version: '12.2.3', sizeMb: 520 },
    { version: '12.2.3-h1', sizeMb: 522 },
    { version: '12.2.2', sizeMb: 1_180 },
    { version: '12.1.2', sizeMb: 1_100 },
    { version: '12.1.4', sizeMb: 500 },
  ];
  const at = { images: later, featureReleasesApart: 1 };

  it('upgrades within it', () => {
    expect(pathBetween('12.2.2', '12.2.3', at)).toEqual({
      hops: [{ from: '12.2.2', to: '12.2.3', images: ['12.2.3'], wayBack: ['12.2.2'] }],
    });
    expect(pathBetween('12.2.3', '12.2.3-h1', at)).toMatchObject({ hops: [{ images: ['12.2.3-h1'] }] });
  });

  it('goes along a path that people name, with the base image that the device’s list shows', () => {
    expect(pathBetween('12.1.4', '12.2.3', { ...at, path: ['12.2.3'] })).toEqual({
      hops: [{ from: '12.1.4', to: '12.2.3', images: ['12.2.2', '12.2.3'], wayBack: ['12.1.2', '12.1.4'] }],
    });
    // Sizes of files aren't known: the first of them.
    const files = later.map((image) => ({ ...image, sizeMb: 0 }));
    expect(pathBetween('12.1.4', '12.2.3', { ...at, images: files, path: ['12.2.3'] })).toMatchObject({
      hops: [{ images: ['12.2.2', '12.2.3'] }],
    });
  });
});

it('says what limits the way back, where it is crossed', () => {
  const limits = (from: string, to: string): readonly string[] => {
    const result = pathBetween(from, to, { ...options, featureReleasesApart: 4 });
    return 'hops' in result ? result.hops.flatMap((hop) => hop.wayBackLimits ?? []) : result.faults;
  };
  expect(limits('10.1.9', '10.2.3')).toEqual([]);
  expect(limits('10.1.2', '10.2.3')).toEqual([expect.stringMatching(/10\.1\.3 or a later 10\.1 only/)]);
  expect(limits('10.2.3', '11.1.4')).toEqual([]);
  expect(limits('11.1.4', '12.1.4')).toEqual([expect.stringMatching(/30 shared objects/)]);
  expect(limits('10.2.3', '10.2.10')).toEqual([]);
});

it.each([
  ['10.2.3', '10.2.3', undefined, /run 10.2.3 already/],
  ['10.2.3', '10.1.9', undefined, /older/],
  ['10.2.3', '10.2.11', undefined, /image 10.2.11 can’t be had/],
  ['10.1.7', '10.2.3', undefined, /image 10.1.7 can’t be had, without which there is no way back/],
  ['10.2.3', '10.2.9', undefined, /^image 10.2.9 can’t be had; the nearest that can: 10.2.3, 10.2.9-h4, 10.2.10$/],
  [
    '11.0.4',
    '11.2.1',
    undefined,
    /^image 11.2.0 can’t be had \(2 feature releases away: 11.0.4 → 11.1.4 → 11.2.1\); no release of 11.2 can; the newest that can: 12.1.4$/m,
  ],
  ['10.1.9', '11.0.4', ['11.0.4'], /2 feature releases/],
  ['10.1.9', '11.0.4', ['10.2.10'], /path ends at 10.2.10/],
  ['10.1.9', '11.0.4', ['11.0.4', '10.2.3', '11.0.4'], /10.2.3 doesn’t come after 11.0.4/],
  ['7.1.1', '10.2.3', undefined, /isn’t known.*panos\.path/],
  ['12.1.4', '12.2.3', undefined, /isn’t known.*panos\.path/],
])('refuses the way from %s to %s (%j)', (from, to, path, why) => {
  const result = pathBetween(from, to, { ...options, ...(path === undefined ? {} : { path }) });
  expect('faults' in result && result.faults.join('\n')).toMatch(why);
});

it('never makes a hop that is wider than the pair may be apart', () => {
  fc.assert(
    fc.property(release, release, fc.integer({ min: 1, max: 3 }), (from, to, featureReleasesApart) => {
      const result = pathBetween(from, to, {
        images: [...available, from, to, '9.1.0', '10.0.0', '10.0.5'].map((version) => ({ version, sizeMb: 0 })),
        featureReleasesApart,
      });
      if ('faults' in result) return;
      expect(result.hops.at(-1)?.to).toBe(to);
      for (const hop of result.hops)
        expect(featureDistance(hop.from, hop.to)).toBeLessThanOrEqual(featureReleasesApart);
    }),
  );
});
