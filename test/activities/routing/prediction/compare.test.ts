/** Each rule by which a router prefers one path to another, by itself: everything else is alike. */
import { compare, steps, type Step } from '../../../../activities/routing/prediction/compare';
import { decide, isTie } from '../../../../activities/routing/prediction/decide';
import { defaultSettings, type BgpPath, type DecisionSettings } from '../../../../activities/routing/prediction/model';
import { pathOf } from './paths';

const sequence = (...list: number[]) => ({ type: 'sequence' as const, list });
const other = { from: '10.0.4.1', routerId: '10.0.0.2' };

type Given = Partial<BgpPath>;
const rules: [Step, better: Given, worse: Given, why: string, settings?: Partial<DecisionSettings>][] = [
  ['LLGR stale', {}, { communities: ['llgr-stale'], weight: 9 }, 'LLGR stale fresh before LLGR stale'],
  ['weight', { weight: 5 }, { weight: 0, localPreference: 900 }, 'weight 5 > 0'],
  ['local preference', { localPreference: 110 }, { asPath: [] }, 'local preference 110 > 100'],
  ['local preference', {}, { localPreference: 110 }, 'local preference 120 > 110', { defaultLocalPreference: 120 }],
  [
    'locally originated',
    { local: 'network', peerType: 'local', from: '', asPath: [sequence(1, 2, 3)] },
    {},
    'locally originated its own before received',
  ],
  ['AS path', { asPath: [sequence(65_100)], origin: 'EGP' }, {}, 'AS path length 1 < 2'],
  ['AS path', { asPath: [{ type: 'set', list: [1, 2, 3] }] }, {}, 'AS path length 1 < 2'],
  [
    'AS path',
    { asPath: [{ type: 'confederation sequence', list: [1, 2, 3] }, sequence(65_100)] },
    {},
    'AS path length 1 < 2',
  ],
  [
    'AS path',
    {},
    {
      asPath: [
        { type: 'confederation sequence', list: [1, 2] },
        { type: 'confederation set', list: [3, 4] },
      ],
    },
    'AS path length 2 < 3',
    { asPathConfederation: true },
  ],
  ['origin', {}, { origin: 'incomplete', med: 0 }, 'origin IGP before incomplete', { alwaysCompareMed: true }],
  [
    'origin',
    { origin: 'EGP', asPath: [sequence(1, 2, 3)] },
    { origin: 'incomplete' },
    'origin EGP before incomplete',
    { asPathIgnore: true },
  ],
  ['MED', { med: 5 }, { med: 10, igpMetric: 0 }, 'MED 5 < 10'],
  ['MED', {}, { med: 10 }, 'MED 0 < 10'],
  ['MED', { med: 10 }, {}, 'MED 10 < 4294967295', { medMissingAsWorst: true }],
  ['MED', { med: 5 }, { med: 10, asPath: [sequence(65_101, 65_000)] }, 'MED 5 < 10', { alwaysCompareMed: true }],
  ['peer type', {}, { peerType: 'internal', igpMetric: 0, med: 0 }, 'peer type eBGP before iBGP'],
  [
    'confederation',
    { peerType: 'confederation', igpMetric: 9 },
    { peerType: 'internal' },
    'confederation confederation eBGP before iBGP',
    { confederation: true },
  ],
  ['IGP metric', { igpMetric: 10 }, { igpMetric: 20 }, 'IGP metric 10 < 20'],
  [
    'cluster list',
    { peerType: 'internal', clusterListLength: 1, routerId: '10.0.0.9' },
    { peerType: 'internal', clusterListLength: 2 },
    'cluster list 1 < 2',
    { equalClusterLength: true },
  ],
  ['age', { selected: true, routerId: '10.0.0.9' }, {}, 'age: the older path is kept'],
  ['router ID', {}, { selected: true }, 'router ID 10.0.0.1 < 10.0.0.2', { compareRouterId: true }],
  ['router ID', { originatorId: '10.0.0.0', routerId: '10.0.0.9' }, {}, 'router ID 10.0.0.0 < 10.0.0.2'],
  [
    'cluster list (late)',
    { clusterListLength: 1 },
    { clusterListLength: 2, routerId: '10.0.0.1' },
    'cluster list 1 < 2',
  ],
  ['stale', {}, { stale: true, routerId: '10.0.0.1' }, 'stale fresh before stale'],
  ['neighbor address', {}, { routerId: '10.0.0.1' }, 'neighbor address 10.0.3.1 < 10.0.4.1'],
];

test.each(rules)('%s: %j before %j', (step, better, worse, why, settings = {}) => {
  const a = pathOf(better);
  const b = pathOf({ ...other, nextHops: ['10.0.4.1'], ...worse });
  const s = { ...defaultSettings, ...settings };
  expect(compare(a, b, s)).toMatchObject({ kind: 'decided', winner: 'a', step, why });
  expect(compare(b, a, s)).toMatchObject({ kind: 'decided', winner: 'b', step, why });
});

test('rules are asked in the order in which they are listed: the earlier one wins over all later ones', () => {
  const decisive = rules.filter(([step]) => step !== 'LLGR stale' && step !== 'stale');
  for (const [early, better, worse, , s1 = {}] of decisive)
    for (const [late, b2, w2, , s2 = {}] of decisive) {
      // One attribute that both rules read has but one value.
      const shared = Object.keys({ ...better, ...worse }).some((k) => k in { ...b2, ...w2 });
      if (shared || steps.indexOf(early) >= steps.indexOf(late)) continue;
      const settings = { ...defaultSettings, ...s2, ...s1 };
      // The later rule favours the other path.
      const a = pathOf({ ...w2, ...better });
      const b = pathOf({ ...other, ...b2, ...worse });
      expect([early, late, compare(a, b, settings)]).toMatchObject([early, late, { winner: 'a', step: early }]);
    }
});

test('MEDs of different neighbor ASes are not compared, nor is IGP metric between eBGP and iBGP', () => {
  const b = pathOf({ ...other, med: 1, asPath: [sequence(65_101, 65_000)], neighborAs: 65_101, igpMetric: 5 });
  expect(compare(pathOf({ med: 50 }), b, defaultSettings)).toMatchObject({ winner: 'a', step: 'IGP metric' });
  expect(compare(pathOf({ igpMetric: 50 }), pathOf({ ...other, peerType: 'internal' }), defaultSettings)).toMatchObject(
    {
      winner: 'a',
      step: 'peer type',
    },
  );
});

test('what is equal up to age carries traffic together, as far as maximum-paths and relaxing go', () => {
  const a = pathOf({ selected: true, node: 'fw1' });
  const b = pathOf({ ...other, node: 'fw2', nextHops: ['10.0.4.1'] });
  const far = { ...b, asPath: [sequence(65_101, 65_000)], neighborAs: 65_101 };
  const used = (paths: BgpPath[], s: Partial<DecisionSettings> = {}) => {
    const decision = decide(paths, { ...defaultSettings, ...s });
    return decision.kind === 'decided' ? decision.used.map((p) => p.node) : decision;
  };
  expect(used([a, b])).toEqual(['fw1', 'fw2']);
  expect(used([a, b], { maximumPaths: { external: 1, internal: 256 } })).toEqual(['fw1']);
  expect(used([a, far])).toEqual(['fw1']);
  expect(used([a, far], { multipathRelax: true })).toEqual(['fw1', 'fw2']);
  const within = pathOf({ ...other, node: 'fw2', peerType: 'internal', nextHops: ['10.0.4.1'] });
  expect(used([a, within])).toEqual(['fw1']);
  expect(used([a, within], { peerTypeRelax: true, multipathRelax: true })).toEqual(['fw1', 'fw2']);
});

test('a tie is named, by what decides it, and only against a path that leads elsewhere', () => {
  const single: Partial<DecisionSettings> = { maximumPaths: { external: 1, internal: 1 } };
  const settings = { ...defaultSettings, ...single };
  const a = pathOf({ selected: true, node: 'fw1' });
  const same = decide([a, pathOf({ ...other, node: 'fw1' })], settings);
  const elsewhere = decide([a, pathOf({ ...other, node: 'fw2' })], settings);
  expect([isTie(same), isTie(elsewhere)]).toEqual([false, true]);
  expect(elsewhere).toMatchObject({ best: { node: 'fw1' }, rival: { node: 'fw2' }, step: 'age' });
});

test('of several rivals the one that came closest is told', () => {
  const paths = [
    pathOf({ node: 'fw1', localPreference: 110 }),
    pathOf({ ...other, node: 'fw2', localPreference: 110, asPath: [sequence(1, 2, 3)] }),
    pathOf({ ...other, from: '10.0.5.1', localPreference: 90 }),
  ];
  expect(decide(paths, defaultSettings)).toMatchObject({ best: { node: 'fw1' }, why: 'AS path length 2 < 3' });
});

describe('MEDs that form a circle', () => {
  // a before b by IGP metric, b before c by IGP metric, c before a by MED: only a and c are of one AS.
  const a = pathOf({ med: 10, igpMetric: 1 });
  const b = pathOf({ ...other, asPath: [sequence(65_101, 65_000)], igpMetric: 2 });
  const c = pathOf({ from: '10.0.5.1', med: 5, igpMetric: 3, routerId: '10.0.0.3' });
  const settings = (deterministicMed: boolean, release: [number, number]): DecisionSettings => ({
    ...defaultSettings,
    deterministicMed,
    release,
  });

  test('can’t be told, for the order of arrival decides', () => {
    expect(decide([a, b, c], settings(false, [8, 4]))).toMatchObject({ kind: 'cannot tell' });
    // From 10.1 on FRR doesn’t heed deterministic-med.
    expect(decide([a, b, c], settings(true, [10, 3]))).toMatchObject({ kind: 'cannot tell' });
    expect(decide([a, b, c], { ...defaultSettings, deterministicMed: true })).toMatchObject({ kind: 'cannot tell' });
  });

  test('are broken by deterministic-med, in any order, on releases that heed it', () => {
    for (const paths of [
      [a, b, c],
      [c, b, a],
      [b, c, a],
    ])
      expect(decide(paths, settings(true, [8, 4]))).toMatchObject({ best: { from: '10.0.4.1' } });
  });
});

describe('what isn’t known', () => {
  test('matters only where the decision gets to it', () => {
    const hidden = pathOf({ ...other, unknown: { 'IGP metric': 'FRR didn’t print it' } });
    expect(decide([pathOf({ localPreference: 110 }), hidden], defaultSettings)).toMatchObject({ kind: 'decided' });
    expect(decide([pathOf(), hidden], defaultSettings)).toEqual({
      kind: 'cannot tell',
      why: 'IGP metric: FRR didn’t print it (10.0.3.1 or 10.0.4.1)',
    });
  });

  test('is said of AIGP and of redistributed routes from 10.6 on', () => {
    const own = pathOf({ from: '', local: 'redistributed', peerType: 'local', weight: 32_768 });
    const on = (release: [number, number]) => decide([own, pathOf(other)], { ...defaultSettings, release });
    expect(on([10, 3])).toMatchObject({ kind: 'decided', why: 'weight 32768 > 0' });
    expect(on([10, 6])).toMatchObject({ kind: 'cannot tell' });
    expect(decide([pathOf(), pathOf(other)], { ...defaultSettings, compareAigp: true })).toMatchObject({
      kind: 'cannot tell',
    });
  });

  test('nothing that may not be chosen is', () => {
    expect(decide([pathOf({ eligible: false })], defaultSettings)).toEqual({ kind: 'no path' });
    expect(decide([pathOf(), pathOf({ ...other, eligible: false, weight: 9 })], defaultSettings)).toMatchObject({
      why: 'the only path',
    });
  });
});
