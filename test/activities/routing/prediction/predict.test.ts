/** Whole networks: what a move would end in, as was seen of real ones (findings/networks.md), before it is made. */
import { attachedIn, type Session as AttachedSession } from '../../../../activities/routing/frr/attached';
import { ownedOf, intendedText, ownedText, type Owned } from '../../../../activities/routing/frr/config';
import { modelOf, policySteps, predictionCommands, withOwned } from '../../../../activities/routing/frr/prediction';
import type { RouterModel } from '../../../../activities/routing/prediction/model';
import { movesOf } from '../../../../activities/routing/predicting';
import { predict, unlike, type Prediction } from '../../../../activities/routing/prediction/predict';
import type { ChangeStep } from '../../../../activities/routing/prediction/change';
import type { Target } from '../../../../activities/routing/driver';
import { routingSpec, type RouterSpec } from '../../../../activities/routing/spec';
import { prefixJson, summaryJson, type ShownPath } from './paths';

const OUT = '0.0.0.0/0';
const IN = '10.99.0.0/24';

interface Router {
  readonly name: string;
  readonly spec: RouterSpec;
  readonly config: string;
  readonly routerId: string;
  readonly as: number;
  readonly peers: Readonly<Record<string, number>>;
  readonly paths: readonly ShownPath[];
  /** Router IDs of neighbors, as `show bgp neighbors X json` tells them. */
  readonly ids?: Readonly<Record<string, string>>;
}

const spec = (given: object): RouterSpec => {
  const parsed = routingSpec.parse({
    steering: { method: 'session-shutdown', nodes: { fw1: sessions, fw2: sessions } },
    routers: {
      it: { host: 'h', platform: 'frr', ...given },
      beyond: { ...beyond, side: (given as RouterSpec).side === 'inside' ? 'outside' : 'inside' },
    },
  });
  return parsed.routers['it'] as RouterSpec;
};
const sessions = { localAs: 1, neighbors: ['10.1.1.1'] };
const beyond = {
  host: 'b',
  platform: 'frr',
  families: {
    'ipv4 unicast': { destinations: [OUT], paths: { fw1: { neighbor: '10.1.1.1' }, fw2: { neighbor: '10.1.1.2' } } },
  },
};
const family = (destination: string, fw1: object, fw2: object) => ({
  'ipv4 unicast': { destinations: [destination], paths: { fw1, fw2 } },
});

function modelFrom({ name, spec: s, config, routerId, as, peers, paths, ids = {} }: Router): RouterModel {
  const documents = new Map<string, unknown>(
    predictionCommands(s).map((c) => [
      c,
      c === 'show bgp neighbors json'
        ? Object.fromEntries(Object.entries(ids).map(([address, remoteRouterId]) => [address, { remoteRouterId }]))
        : c.includes('summary')
          ? summaryJson(routerId, as, peers)
          : prefixJson(s.families['ipv4 unicast']?.destinations[0] ?? '', paths),
    ]),
  );
  expect(Object.keys(peers)).toEqual(expect.arrayContaining(Object.keys(ids)));
  return modelOf(name, s, config, documents);
}

function moved(steering: Router, others: readonly Router[], target: Target, to: string, all = true): Prediction {
  const policy = steering.spec.policy;
  if (policy === undefined) throw new Error('no policy');
  const intended = intendedText(policy, target, ownedText(steering.config, ownedOf(policy)));
  const routers = [steering, ...others].map(modelFrom);
  const named = Object.values(steering.spec.families['ipv4 unicast']?.paths ?? {}).flatMap((p) => p.neighbor ?? []);
  const addresses = all ? Object.keys(steering.peers).filter((a) => steering.peers[a] !== steering.as) : named;
  const steps = policySteps(
    steering.name,
    addresses.map((address) => ({ family: 'ipv4 unicast', address })),
  );
  return predict(routers, { after: new Map([[steering.name, withOwned(steering.config, intended)]]), steps }, to);
}

const POLICY = (preferred: [number, number], other: [number, number], equal?: [number, number]) => ({
  localAs: 65_200,
  routeMaps: Object.fromEntries(
    ['fw1', 'fw2'].map((n) => [
      n,
      { in: { name: `FROM-${n.toUpperCase()}`, sequence: 10 }, out: { name: `TO-${n.toUpperCase()}`, sequence: 10 } },
    ]),
  ),
  preferred: { localPreference: preferred[0], prepend: preferred[1] },
  other: { localPreference: other[0], prepend: other[1] },
  ...(equal === undefined ? {} : { equal: { localPreference: equal[0], prepend: equal[1] } }),
});

const MAPS = `route-map FROM-FW1 permit 10
 set local-preference 110
exit
route-map TO-FW1 permit 10
exit
route-map FROM-FW2 permit 10
 set local-preference 100
exit
route-map TO-FW2 permit 10
 set as-path prepend 65200 65200
exit
`;

const bgp = (as: number, neighbors: Readonly<Record<string, number>>, family: readonly string[]): string =>
  [
    'frr version 8.4.4',
    'frr defaults traditional',
    `router bgp ${as}`,
    ...Object.entries(neighbors).map(([a, n]) => ` neighbor ${a} remote-as ${n}`),
    ' !',
    ' address-family ipv4 unicast',
    ...family.map((l) => `  ${l}`),
    ' exit-address-family',
    'exit',
    '!',
    '',
  ].join('\n');

const FW1_ID = '10.77.3.2';
const FW2_ID = '10.77.4.2';
const LINKS = { '10.77.3.2': 65_100, '10.77.4.2': 65_100 };
const attached = (...pairs: [string, string][]): string[] =>
  pairs.flatMap(([a, n]) => [`neighbor ${a} route-map FROM-${n} in`, `neighbor ${a} route-map TO-${n} out`]);

function border(given: Partial<Router> = {}, policy: object = POLICY([110, 0], [100, 2])): Router {
  return {
    name: 'border',
    spec: spec({ side: 'inside', families: family(OUT, { neighbor: '10.77.3.2' }, { neighbor: '10.77.4.2' }), policy }),
    config: bgp(65_200, LINKS, ['maximum-paths 1', ...attached(['10.77.3.2', 'FW1'], ['10.77.4.2', 'FW2'])]) + MAPS,
    routerId: '10.77.3.1',
    as: 65_200,
    peers: LINKS,
    paths: [
      { from: '10.77.3.2', routerId: FW1_ID, as: [65_100, 65_000], localPreference: 110, best: true },
      { from: '10.77.4.2', routerId: FW2_ID, as: [65_100, 65_000], localPreference: 100 },
    ],
    ...given,
  };
}

const edge = (given: Partial<Router> = {}): Router => ({
  name: 'edge',
  spec: spec({ side: 'outside', families: family(IN, { neighbor: '10.77.1.2' }, { neighbor: '10.77.2.2' }) }),
  config: bgp(65_000, { '10.77.1.2': 65_100, '10.77.2.2': 65_100 }, []),
  routerId: '10.77.1.1',
  as: 65_000,
  peers: { '10.77.1.2': 65_100, '10.77.2.2': 65_100 },
  paths: [
    { from: '10.77.1.2', routerId: FW1_ID, as: [65_100, 65_200], best: true },
    { from: '10.77.2.2', routerId: FW2_ID, as: [65_100, 65_200, 65_200, 65_200] },
  ],
  ...given,
});

const toFw2: Target = { kind: 'prefer', node: 'fw2' };

test('a move that works, and why it does, on each router', () => {
  const { lines, faults, untold, states } = moved(border(), [edge()], toFw2, 'fw2');
  expect([lines, faults, untold]).toEqual([
    ['border: 0.0.0.0/0 → fw2, local preference 110 > 100', 'edge: 10.99.0.0/24 → fw2, AS path length 2 < 4'],
    [],
    [],
  ]);
  expect(states[0]?.rows.map((r) => r.sentence)).toEqual([
    'border: 0.0.0.0/0 → fw1, local preference 110 > 100',
    'edge: 10.99.0.0/24 → fw1, AS path length 2 < 4',
  ]);
  // On the way: fw1’s is longer already, fw2’s not yet shorter.
  expect(states.map(({ rows }) => rows.map((r) => r.verdict).join())).toEqual([
    'clear,clear',
    'clear,split',
    'clear,clear',
    'tie,clear',
    'clear,clear',
  ]);
});

test('there and back: the second move is played from where the first one leads', () => {
  const here = border();
  const policy = here.spec.policy!;
  const owned = ownedText(here.config, ownedOf(policy));
  const change = (target: Target) => ({
    after: new Map([[here.name, withOwned(here.config, intendedText(policy, target, owned))]]),
    steps: policySteps(
      here.name,
      Object.keys(LINKS).map((address) => ({ family: 'ipv4 unicast' as const, address })),
    ),
  });
  const read = { models: [here, edge()].map(modelFrom), steering: { change } };
  const moves = movesOf(read, ['fw2', 'fw1'], false);
  expect(moves.map(({ faults, untold }) => [faults, untold])).toEqual([
    [[], []],
    [[], []],
  ]);
  expect(moves.map(({ lines }) => lines)).toEqual([
    ['border: 0.0.0.0/0 → fw2, local preference 110 > 100', 'edge: 10.99.0.0/24 → fw2, AS path length 2 < 4'],
    ['border: 0.0.0.0/0 → fw1, local preference 110 > 100', 'edge: 10.99.0.0/24 → fw1, AS path length 2 < 4'],
  ]);
});

describe('a second session with each node that the inventory doesn’t name', () => {
  const links = { ...LINKS, '10.77.5.2': 65_100, '10.77.6.2': 65_100 };
  const two = border({
    config:
      bgp(65_200, links, [
        'maximum-paths 1',
        ...attached(['10.77.3.2', 'FW1'], ['10.77.4.2', 'FW2'], ['10.77.5.2', 'FW1'], ['10.77.6.2', 'FW2']),
      ]) + MAPS,
    peers: links,
    paths: [
      { from: '10.77.3.2', routerId: FW1_ID, as: [65_100, 65_000], localPreference: 110, best: true },
      { from: '10.77.5.2', routerId: FW1_ID, as: [65_100, 65_000], localPreference: 110 },
      { from: '10.77.4.2', routerId: FW2_ID, as: [65_100, 65_000], localPreference: 100 },
      { from: '10.77.6.2', routerId: FW2_ID, as: [65_100, 65_000], localPreference: 100 },
    ],
  });

  test('ends in a tie on both sides, as it did for 32 s', () => {
    const { faults, lines } = moved(two, [edge()], toFw2, 'fw2', false);
    expect(lines).toEqual([
      expect.stringMatching(/^border: 0\.0\.0\.0\/0 → fw1, a tie with fw2 \(10\.77\.4\.2\) that only .* decides$/),
      'edge: 10.99.0.0/24 is spread over fw1 (10.77.1.2) and fw2 (10.77.2.2): they are equal',
    ]);
    expect(faults.map((f) => f.where)).toEqual(['border 0.0.0.0/0', 'edge 10.99.0.0/24']);
  });

  const unnamed = (config: string, owned: readonly Owned[], sessions: readonly AttachedSession[]): string[] => [
    ...new Set(
      attachedIn(config, 'border', { owned, sessions }).unnamed.flatMap(
        ({ what }) => /to neighbor (\S+) in/.exec(what)?.[1] ?? [],
      ),
    ),
  ];

  test('is seen, by its route-maps and by the router IDs', () => {
    const model = modelFrom(two);
    const policy = two.spec.policy;
    const named = [FW1_ID, FW2_ID].map((address) => ({ family: 'ipv4 unicast' as const, address }));
    const found = unnamed(two.config, policy === undefined ? [] : ownedOf(policy), named);
    expect(model.sessions.filter((s) => found.includes(s.neighbor)).map((s) => [s.neighbor, s.node, s.nodeBy])).toEqual(
      [
        ['10.77.5.2', 'fw1', 'router ID'],
        ['10.77.6.2', 'fw2', 'router ID'],
      ],
    );
    const byOther = model.tables.flatMap((t) => t.paths.filter((p) => p.nodeBy === 'router ID'));
    expect(byOther.map((p) => p.from)).toEqual(['10.77.5.2', '10.77.6.2']);
  });

  test('also by a peer-group', () => {
    const config =
      bgp(65_200, links, [
        'neighbor SECOND route-map FROM-FW1 in',
        ...attached(['10.77.3.2', 'FW1'], ['10.77.4.2', 'FW2']),
      ]).replace(
        ' neighbor 10.77.5.2 remote-as 65100',
        ' neighbor SECOND peer-group\n neighbor 10.77.5.2 remote-as 65100\n neighbor 10.77.5.2 peer-group SECOND',
      ) + MAPS;
    const owned = ownedOf(two.spec.policy!).filter(({ name }) => name === 'FROM-FW1');
    expect(unnamed(config, owned, [{ family: 'ipv4 unicast', address: FW1_ID }])).toEqual(['10.77.5.2']);
  });

  test('is a move like any other once all of them are told', () => {
    const { faults, lines } = moved(two, [edge()], toFw2, 'fw2');
    expect(faults).toEqual([]);
    expect(lines[0]).toBe('border: 0.0.0.0/0 → fw2, local preference 110 > 100');
  });

  test('two paths through one node are no split', () => {
    const spread = { ...two, config: two.config.replace('  maximum-paths 1\n', '') };
    expect(moved(spread, [edge()], toFw2, 'fw2').faults).toEqual([]);
  });
});

test('values that leave a tie are a fault: the literal method, prepends taken away and put nowhere', () => {
  const literal = MAPS.replace(' set as-path prepend 65200 65200\n', '');
  const after = withOwned('', literal.replace('local-preference 100', 'local-preference 120'));
  const routers = [border(), edge()].map(modelFrom);
  const steps = policySteps(
    'border',
    [FW1_ID, FW2_ID].map((address) => ({ family: 'ipv4 unicast', address })),
  );
  const prediction = predict(routers, { after: new Map([['border', after]]), steps }, 'fw2');
  expect(prediction.lines).toEqual([
    'border: 0.0.0.0/0 → fw2, local preference 120 > 110',
    'edge: 10.99.0.0/24 is spread over fw1 (10.77.1.2) and fw2 (10.77.2.2): they are equal',
  ]);
});

test('a path through neither node that is as good is a fault', () => {
  const more = { ...LINKS, '10.77.9.2': 65_300 };
  const third = { from: '10.77.9.2', routerId: '10.77.9.2', as: [65_300, 65_301], localPreference: 110 };
  const { faults } = moved(border({ peers: more, paths: [...border().paths, third] }), [edge()], toFw2, 'fw2');
  expect(faults).toEqual([
    expect.objectContaining({
      where: 'border 0.0.0.0/0',
      what: expect.stringContaining('neither node (10.77.9.2), age: the older path is kept'),
    }),
  ]);
});

describe('what can’t be told says so', () => {
  test('a node that changes AS paths, or has the prefix from elsewhere', () => {
    const [first, second] = edge().paths;
    const { untold } = moved(
      border(),
      [edge({ paths: [first, { ...second, as: [65_100, 65_200] }] as ShownPath[] })],
      toFw2,
      'fw2',
    );
    expect(untold).toEqual([
      {
        where: 'edge 10.99.0.0/24',
        what: expect.stringContaining('shows AS 65200 1 times, where border announces it 3 times'),
      },
    ]);
  });

  test('an edit that isn’t in effect', () => {
    const paths = border().paths.map((p) => ({ ...p, localPreference: 95 }));
    const { untold } = moved(border({ paths }), [edge()], toFw2, 'fw2');
    expect(untold).toEqual([
      { where: 'border 0.0.0.0/0', what: expect.stringContaining('an edit that isn’t in effect yet') },
    ]);
  });
});

test('a router that doesn’t do now what its rules say', () => {
  const paths = border().paths.map((p) => ({ ...p, best: p.best !== true }));
  const { untold, faults } = moved(border({ paths }), [edge()], toFw2, 'fw2');
  expect(faults).toEqual([]);
  expect(untold).toEqual([
    {
      where: 'border 0.0.0.0/0',
      what: '10.77.3.2 should be the best path now (local preference 110 > 100), and 10.77.4.2 is: something isn’t modelled, or it is changing',
    },
  ]);
});

test('a session that goes down takes its paths with it', () => {
  const steps: ChangeStep[] = [
    { kind: 'session down', router: 'border', neighbor: '10.77.3.2' },
    { kind: 'session down', router: 'edge', neighbor: '10.77.1.2' },
  ];
  const routers = [border(), edge()].map(modelFrom);
  const change = { after: new Map(), steps };
  expect(predict(routers, change, 'fw2')).toMatchObject({
    faults: [],
    lines: ['border: 0.0.0.0/0 → fw2, the only path', 'edge: 10.99.0.0/24 → fw2, the only path'],
  });
  const alone = modelFrom(border({ paths: border().paths.slice(0, 1) }));
  expect(predict([alone], { after: new Map(), steps }, 'fw2').faults).toEqual([
    expect.objectContaining({ what: expect.stringContaining('no usable path') }),
  ]);
});

test('what came of a move is held against what was predicted', () => {
  const { states } = moved(border(), [edge()], toFw2, 'fw2');
  const [now, last] = [states[0]?.rows ?? [], states.at(-1)?.rows ?? []];
  expect(unlike(last, last)).toEqual([]);
  expect(unlike(last, now).map((f) => f.what)).toEqual([
    'predicted: border: 0.0.0.0/0 → fw2, local preference 110 > 100; it is: border: 0.0.0.0/0 → fw1, local preference 110 > 100',
    'predicted: edge: 10.99.0.0/24 → fw2, AS path length 2 < 4; it is: edge: 10.99.0.0/24 → fw1, AS path length 2 < 4',
  ]);
});

describe('two leaves with iBGP between them, each with one node', () => {
  // leafa has fw1, leafb has fw2 and the policy; each shows the other all of its paths.
  const A = '10.77.8.1';
  const B = '10.77.8.2';
  const ibgp = (other: string): string[] => [
    `neighbor ${other} addpath-tx-all-paths`,
    `neighbor ${other} next-hop-self`,
  ];
  const leafa = (serving: string): Router => ({
    name: 'leafa',
    spec: spec({ side: 'inside', families: family(OUT, { neighbor: FW1_ID }, { nextHops: [B] }) }),
    config: bgp(65_200, { [FW1_ID]: 65_100, [B]: 65_200 }, ibgp(B)),
    routerId: A,
    as: 65_200,
    peers: { [FW1_ID]: 65_100, [B]: 65_200 },
    paths: [
      { from: FW1_ID, routerId: FW1_ID, as: [65_100, 65_000], best: serving === 'fw1' },
      {
        from: B,
        routerId: B,
        as: [65_100, 65_000],
        localPreference: serving === 'fw1' ? 90 : 110,
        type: 'internal',
        best: serving === 'fw2',
      },
    ],
  });
  const leafb = (serving: string): Router => {
    const preference = serving === 'fw1' ? 90 : 110;
    return {
      name: 'leafb',
      spec: spec({
        side: 'inside',
        families: family(OUT, { nextHops: [A] }, { neighbor: FW2_ID }),
        policy: {
          ...POLICY([110, 0], [90, 3], [100, 1]),
          routeMaps: { fw2: { in: { name: 'IN', sequence: 10 }, out: { name: 'OUT', sequence: 10 } } },
        },
      }),
      config:
        bgp(65_200, { [FW2_ID]: 65_100, [A]: 65_200 }, [
          ...ibgp(A),
          `neighbor ${FW2_ID} route-map IN in`,
          `neighbor ${FW2_ID} route-map OUT out`,
        ]) + `route-map IN permit 10\n set local-preference ${preference}\nexit\nroute-map OUT permit 10\nexit\n`,
      routerId: B,
      as: 65_200,
      peers: { [FW2_ID]: 65_100, [A]: 65_200 },
      paths: [
        { from: FW2_ID, routerId: FW2_ID, as: [65_100, 65_000], localPreference: preference, best: serving === 'fw2' },
        { from: A, routerId: A, as: [65_100, 65_000], localPreference: 100, type: 'internal', best: serving === 'fw1' },
      ],
    };
  };

  test('the way there is clean', () => {
    const { faults, untold, lines } = moved(leafb('fw1'), [leafa('fw1')], toFw2, 'fw2');
    expect([faults, untold]).toEqual([[], []]);
    expect(lines).toEqual([
      'leafb: 0.0.0.0/0 → fw2, local preference 110 > 100',
      'leafa: 0.0.0.0/0 → fw2, local preference 110 > 100',
    ]);
  });

  test('the way back loops without values on the way', () => {
    const { faults, lines } = moved(leafb('fw2'), [leafa('fw2')], { kind: 'prefer', node: 'fw1' }, 'fw1');
    expect(lines).toEqual([
      'leafb: 0.0.0.0/0 → fw1, local preference 100 > 90',
      'leafa: 0.0.0.0/0 → fw1, local preference 100 > 90',
    ]);
    expect(faults).toEqual([
      expect.objectContaining({
        where: 'leafa and leafb',
        what: 'leafa and leafb would send 0.0.0.0/0 to each other for a moment (once leafb’s routes from 10.77.4.2 have changed): packets are lost',
        next: expect.stringContaining('policy.equal'),
      }),
    ]);
  });

  test('with them each uses its own exit first, and nothing loops', () => {
    const equal = moved(leafb('fw2'), [leafa('fw2')], { kind: 'equal' }, 'fw1');
    expect(equal.faults.filter((f) => f.where === 'leafa and leafb')).toEqual([]);
    expect(equal.states.at(-1)?.rows.map((r) => r.node)).toEqual(['fw2', 'fw1']);
  });
});

describe('two edges beyond the nodes, with iBGP between them', () => {
  const [A, B] = ['10.78.0.1', '10.78.0.2'];
  const edgeOf = (
    name: string,
    own: string,
    other: string,
    node: 'fw1' | 'fw2',
    paths: readonly ShownPath[],
  ): Router => {
    const neighbor = node === 'fw1' ? '10.77.1.2' : '10.77.2.2';
    const hops = { nextHops: [other] };
    return {
      name,
      spec: spec({
        side: 'outside',
        families: family(IN, node === 'fw1' ? { neighbor } : hops, node === 'fw2' ? { neighbor } : hops),
      }),
      config: bgp(65_000, { [neighbor]: 65_100, [other]: 65_000 }, [`neighbor ${other} next-hop-self`]),
      routerId: own,
      as: 65_000,
      peers: { [neighbor]: 65_100, [other]: 65_000 },
      ids: { [other]: other },
      paths,
    };
  };
  /** `first`: copies of the leaves' AS by way of fw1, which no change touches. */
  const edges = (first: number): Router[] => {
    const one = [65_100, ...Array<number>(first).fill(65_200)];
    const two = [65_100, 65_200, 65_200, 65_200];
    return [
      edgeOf('edgea', A, B, 'fw1', [{ from: '10.77.1.2', routerId: FW1_ID, as: one, best: true }]),
      edgeOf('edgeb', B, A, 'fw2', [
        { from: A, routerId: A, as: one, localPreference: 100, type: 'internal', best: true },
        { from: '10.77.2.2', routerId: FW2_ID, as: two },
      ]),
    ];
  };
  const other = border({
    config: border().config.replace(
      'neighbor 10.77.3.2 route-map TO-FW1 out',
      'neighbor 10.77.3.2 route-map FIXED out',
    ),
  });
  const withFixed = (copies: number): Router => ({
    ...other,
    config: `${other.config}route-map FIXED permit 10\n${copies > 1 ? ` set as-path prepend ${'65200 '.repeat(copies - 1).trim()}\n` : ''}exit\n`,
  });

  test('hear of the new path from each other, one that they don’t hold yet', () => {
    const { faults, untold, lines } = moved(withFixed(2), edges(2), toFw2, 'fw2');
    expect([faults, untold]).toEqual([[], []]);
    expect(lines.slice(1)).toEqual([
      'edgea: 10.99.0.0/24 → fw2, AS path length 2 < 3',
      'edgeb: 10.99.0.0/24 → fw2, the only path',
    ]);
  });

  test('can’t be told where one doesn’t know who the other is', () => {
    const [one, two] = edges(2).map(({ ids: _, ...rest }) => rest) as [Router, Router];
    expect(moved(withFixed(2), [one, two], toFw2, 'fw2').untold).toEqual([
      { where: 'edgea', what: expect.stringContaining('10.78.0.2 of the same AS shows no router ID') },
    ]);
  });

  test('each go through their own node where both announcements are alike', () => {
    const { faults } = moved(withFixed(1), edges(1), toFw2, 'fw2');
    expect(faults).toEqual([
      expect.objectContaining({
        where: 'edgea 10.99.0.0/24',
        what: 'after the move traffic would still go through fw1: peer type eBGP before iBGP',
      }),
    ]);
  });
});
