/** What FRR 8.4.4 prints (captured), read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { announcedPrepends, Documents, parseDocuments } from '../../../activities/routing/frr/documents';
import type { RouterReading } from '../../../activities/routing/driver';
import type { Owned } from '../../../activities/routing/frr/config';
import { forwardingOf, neighborOf, prefixDocument, summaryDocument } from '../../../activities/routing/frr/json';
import { inEffect } from '../../../activities/routing/frr/reading';

const fixture = (name: string): string => readFileSync(join(__dirname, 'fixtures', name), 'utf8');
const documents = (name: string): unknown[] => parseDocuments(fixture(name));

describe('documents', () => {
  test('one per daemon, one after the other without a separator', () => {
    expect(documents('route-map-documents.txt').map((d) => Object.keys(d as object))).toEqual([['ZEBRA'], ['BGP']]);
  });

  test('braces and quotes inside strings don’t count', () => {
    expect(parseDocuments('{"a":"}\\"{"}\n{}\n{"b":[1,{"c":2}]}')).toEqual([{ a: '}"{' }, {}, { b: [1, { c: 2 }] }]);
  });

  test.each([
    ['% VRF NIX not found\n', '% VRF NIX not found'],
    ['{}\n% Unknown command: show foo\n{}', '% Unknown command: show foo'],
    ['{"a":1', 'the output ends in the middle of a JSON document'],
    ['{"a":}', 'not JSON'],
  ])('anything else is named: %j', (output, message) => {
    expect(() => parseDocuments(output)).toThrow(message);
  });
});

describe('prefix and route', () => {
  test('IPv4: one best path, the forwarding table agrees', () => {
    const [prefix, route] = documents('prefix4.txt');
    const { paths } = prefixDocument.parse(prefix);
    expect(paths.map((p) => [p.peer.peerId, p.locPrf, p.bestpath.overall, p.multipath, p.valid])).toEqual([
      ['10.0.3.1', undefined, true, false, true],
      ['10.0.4.1', 90, false, false, true],
    ]);
    expect(forwardingOf(route)).toEqual(['10.0.3.1']);
  });

  test('IPv6: the link-local next hop that is really used is among the path’s', () => {
    const [prefix, route] = documents('prefix6.txt');
    const best = prefixDocument.parse(prefix).paths.find((p) => p.bestpath.overall);
    expect(best!.nexthops.map((h) => h.ip)).toEqual(expect.arrayContaining(forwardingOf(route)));
    expect(forwardingOf(route)).toEqual([expect.stringMatching(/^fe80::/)]);
  });

  test('a tie: two paths are used, and two next hops', () => {
    const [prefix, route] = documents('tie.txt');
    expect(prefixDocument.parse(prefix).paths.filter((p) => p.multipath)).toHaveLength(2);
    expect(forwardingOf(route)).toEqual(['10.0.1.2', '10.0.2.2']);
  });

  test('a recursive next hop stands for what it is resolved to', () => {
    const [prefix, route] = documents('recursive.txt');
    expect(
      prefixDocument.parse(prefix).paths.flatMap((p) => (p.bestpath.overall ? p.nexthops.map((h) => h.ip) : [])),
    ).toEqual(forwardingOf(route));
  });

  test('absent', () => {
    const [prefix, route] = documents('absent.txt');
    expect(prefixDocument.parse(prefix).paths).toEqual([]);
    expect(forwardingOf(route)).toEqual([]);
  });
});

test('summary', () => {
  const { peers } = summaryDocument.parse(documents('summary.txt')[0]);
  expect(peers['10.0.3.1']).toEqual({ state: 'Established', pfxRcd: 2, pfxSnt: 3 });
  expect(summaryDocument.parse({}).peers).toEqual({});
});

test('neighbors, also one that isn’t there', () => {
  const [known, unknown] = documents('neighbors.txt');
  expect(neighborOf(known, '10.0.4.1')).toMatchObject({
    gracefulRestartInfo: { remoteGrMode: 'Helper', endOfRibRecv: { ipv4Unicast: true } },
    addressFamilyInfo: {
      ipv4Unicast: { routeMapForIncomingAdvertisements: 'FROM-FW2', routeMapForOutgoingAdvertisements: 'TO-FW2' },
    },
  });
  expect(neighborOf(unknown, '10.0.99.1')).toBeUndefined();
});

test('copies of the own AS in front of what is announced, the one that every announcement gets not among them', () => {
  const prependsIn = (text: string): unknown => {
    const [reader, pieces] = [announcedPrepends(65200), text.match(/.{1,7}/gs) ?? []];
    for (const piece of pieces) reader.write(piece);
    return reader.end();
  };
  expect(prependsIn(fixture('advertised.txt'))).toEqual([1]);
  const two = { advertisedRoutes: { a: { path: '' }, b: { path: '65200 65200 65100' }, c: { path: '65100' } } };
  expect(prependsIn(JSON.stringify({ localAS: 65200, codes: { x: { path: '65200' } }, ...two }))).toEqual([0, 2]);
  expect(prependsIn('{"warning":"No such neighbor in this view/vrf"}')).toEqual([]);
  // Of an instance with `as-notation dot+` (FRR 8.5 and newer).
  const dotted = { advertisedRoutes: { a: { path: '0.65200 0.65200 1.10' }, b: { path: '1.10 0.65200' } } };
  expect(prependsIn(JSON.stringify(dotted))).toEqual([2, 0]);
});

describe('whether a policy is in effect', () => {
  const owned: Owned[] = [
    { name: 'IN', sequence: 10, direction: 'in', node: 'fw1' },
    { name: 'OUT', sequence: 10, direction: 'out', node: 'fw1' },
  ];
  const reading = (localPreference: number, prepends: number): RouterReading => ({
    router: 'border',
    side: 'inside',
    sessions: [],
    prepends: { fw1: [prepends] },
    destinations: [
      {
        family: 'ipv4 unicast',
        prefix: '0.0.0.0/0',
        forwarding: [],
        paths: [
          { node: 'fw1', from: '10.0.3.1', nextHops: [], valid: true, used: true, localPreference, asPathLength: 1 },
        ],
      },
    ],
  });
  const policy = (preference: string, prepend: string): string =>
    `route-map IN permit 10\n ${preference}\nexit\nroute-map OUT permit 10\n ${prepend}\nexit\n`;
  test.each([
    ['set local-preference 110', 'set as-path prepend 65200 65200', 110, 2, true],
    ['set local-preference 110', 'set as-path prepend 65200 65200', 100, 2, false],
    ['set local-preference 110', 'set as-path prepend 65200 65200', 110, 1, false],
    ['set local-preference 110', 'set as-path prepend 0.65200 1.10', 110, 2, true],
    ['set local-preference 110', 'description none', 110, 0, true],
    // The line alone doesn't tell what comes of it: what was there before the run may be so.
    ['set local-preference -10', 'set as-path prepend last-as 3', 90, 0, true],
    ['set local-preference +10', 'set as-path prepend 65200', 90, 0, false],
  ])('%s, %s: %i and %i copies', (preference, prepend, shown, copies, is) => {
    expect(inEffect(reading(shown, copies), policy(preference, prepend), owned)).toBe(is);
  });
});

test('documents come in pieces, and of a full table nothing is held', () => {
  const route = (i: number): string =>
    `"10.${i >> 8}.${i & 255}.0/24":{"path":"65200 65100","big":"${'x'.repeat(200)}"}`;
  const held: number[] = [];
  const documents = new Documents((index) => {
    const reader = index === 1 ? announcedPrepends(65200) : undefined;
    let text = '';
    return {
      write: (more) => (reader === undefined ? void (text += more) : (held.push(more.length), reader.write(more))),
      end: () => reader?.end() ?? (JSON.parse(text) as unknown),
    };
  });
  documents.write('{"a":"}\\"');
  documents.write('{"}\n{"advertisedRoutes":{');
  for (let i = 0; i < 5_000; i++) documents.write(`${i === 0 ? '' : ','}${route(i)}`);
  documents.write('}}{}');
  documents.end();
  expect(documents.found).toEqual([{ a: '}"{' }, [1], {}]);
  expect(Math.max(...held)).toBeLessThan(300);
});
