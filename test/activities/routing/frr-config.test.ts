/** Route-map entries as text: what is owned changes, everything else stays, and other people's hands are seen. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  blankSecrets,
  canonical,
  configFaults,
  diffOf,
  foreignLines,
  intendedText,
  ownedOf,
  ownedText,
  reliedLines,
  restLines,
  sameOwned,
  stanzas,
} from '../../../activities/routing/frr/config';
import { instanceAs, isInstance, plainAs } from '../../../activities/routing/frr/instance';
import type { PolicySpec } from '../../../activities/routing/spec';

const config = readFileSync(join(__dirname, 'fixtures', 'running-config.txt'), 'utf8');
const entry = (name: string, sequence = 10) => [{ name, sequence }];
const policy: PolicySpec = {
  localAs: 65200,
  routeMaps: {
    fw1: { in: entry('FROM-FW1'), out: entry('TO-FW1') },
    fw2: { in: entry('FROM-FW2'), out: entry('TO-FW2') },
  },
  preferred: { localPreference: 110, prepend: 0 },
  other: { localPreference: 100, prepend: 2 },
  equal: { localPreference: 100, prepend: 1, holdMs: 500 },
  inboundAfterMs: 100,
};
const owned = ownedOf(policy);
const scope = { owned, neighbors: ['10.0.3.1', '10.0.4.1'] };
const original = ownedText(config, owned);
const role = (node: string, now = original): string => intendedText(policy, { kind: 'prefer', node }, now);
const equal = intendedText(policy, { kind: 'equal' }, original);

/** FRR as far as route-map entries go: `vtysh -c` lines, in order. */
function apply(text: string, lines: readonly string[]): string {
  const entries = new Map(
    [...text.matchAll(/^(route-map \S+ \S+ \d+)\n((?: .*\n)*)exit$/gm)].map((m) => [
      m[1]!,
      m[2]!.split('\n').flatMap((l) => l.trim() || []),
    ]),
  );
  let current = '';
  for (const line of lines) {
    if (line.startsWith('route-map ')) entries.set((current = line), entries.get(line) ?? []);
    else if (line.startsWith('no '))
      entries.set(
        current,
        entries.get(current)!.filter((l) => !l.startsWith(line.slice(3))),
      );
    else if (line.startsWith('set ')) {
      const kind = line.startsWith('set as-path') ? 'set as-path prepend' : 'set local-preference';
      entries.set(current, [...entries.get(current)!.filter((l) => !l.startsWith(kind)), line].sort());
    }
  }
  return [...entries].map(([head, own]) => `${[head, ...own.map((l) => ` ${l}`), 'exit'].join('\n')}\n`).join('');
}

test('owned entries are found, in the plan’s order, as they are shown', () => {
  expect(original).toBe(
    [
      'route-map FROM-FW1 permit 10\n set community 65200:1 additive\nexit',
      'route-map TO-FW1 permit 10\nexit',
      'route-map FROM-FW2 permit 10\n set local-preference 90\nexit',
      'route-map TO-FW2 permit 10\n set as-path prepend 65200\nexit\n',
    ].join('\n'),
  );
});

test('the total policy sets every owned value, keeps every other line, and depends on the target alone', () => {
  expect(role('fw2')).toBe(
    [
      'route-map FROM-FW1 permit 10\n set community 65200:1 additive\n set local-preference 100\nexit',
      'route-map TO-FW1 permit 10\n set as-path prepend 65200 65200\nexit',
      'route-map FROM-FW2 permit 10\n set local-preference 110\nexit',
      'route-map TO-FW2 permit 10\nexit\n',
    ].join('\n'),
  );
  expect(role('fw2', role('fw1'))).toBe(role('fw2'));
  expect(stanzas(owned, role('fw2'))).toEqual([
    ...['route-map FROM-FW1 permit 10', 'set local-preference 100', 'exit'],
    ...['route-map TO-FW1 permit 10', 'set as-path prepend 65200 65200', 'exit'],
    ...['route-map FROM-FW2 permit 10', 'set local-preference 110', 'exit'],
    ...['route-map TO-FW2 permit 10', 'no set as-path prepend', 'exit'],
  ]);
});

test('what is kept of an entry: match, other set lines, call; lines go where FRR shows them', () => {
  const text =
    'route-map FROM-FW1 permit 10\n description kept\n match ip address prefix-list P\n set as-path prepend 1\n set metric 5\n call OTHER\nexit\n';
  const one = { ...policy, routeMaps: { fw1: { in: entry('FROM-FW1'), out: entry('X') } } };
  expect(intendedText(one, { kind: 'prefer', node: 'fw1' }, text)).toBe(
    'route-map FROM-FW1 permit 10\n description kept\n match ip address prefix-list P\n set as-path prepend 1\n set local-preference 110\n set metric 5\n call OTHER\nexit\n',
  );
});

test('`last-as` and relative values are replaced, and restored as they were', () => {
  const text = original
    .replace('set as-path prepend 65200', 'set as-path prepend last-as 2')
    .replace('set local-preference 90', 'set local-preference -10');
  expect(intendedText(policy, { kind: 'prefer', node: 'fw1' }, text)).toBe(role('fw1'));
  expect(stanzas(owned, text)).toEqual(
    expect.arrayContaining(['set as-path prepend last-as 2', 'set local-preference -10']),
  );
});

const states = fc.constantFrom(original, role('fw1'), role('fw2'), equal);

test('from any state to any other: the stanzas lead there, and cut anywhere they leave nothing foreign', () => {
  fc.assert(
    fc.property(states, states, fc.nat(20), (from, to, cut) => {
      const lines = stanzas(owned, to);
      expect(sameOwned(apply(from, lines), to)).toBe(true);
      const half = apply(from, lines.slice(0, cut));
      expect(foreignLines(owned, half, [from, to])).toEqual([]);
      expect(sameOwned(apply(half, lines), to)).toBe(true);
      expect(diffOf(to, to)).toBe('');
    }),
  );
});

test.each([
  [
    'set local-preference 90',
    'set local-preference 77',
    /FROM-FW2 10 has "set local-preference 77", which this run never wrote/,
  ],
  [' set local-preference 90\n', '', /FROM-FW2 10 has no "set local-preference"/],
  ['set local-preference 90', 'match metric 5\n set local-preference 90', /FROM-FW2 10 has "match metric 5"/],
  [' set community 65200:1 additive\n', '', /FROM-FW1 10 lacks "set community/],
  ['TO-FW1 permit', 'TO-FW1 deny', /TO-FW1 10 is deny, was permit/],
  ['route-map TO-FW1 permit 10\nexit', '', /TO-FW1 10 is gone/],
])('foreign: %j → %j', (from, to, message) => {
  const found = foreignLines(owned, original.replace(from, to), [original, role('fw1'), role('fw2')]);
  expect(found).toEqual([expect.stringMatching(message)]);
});

test('the rest is all but owned lines; relied on is what decides about the pair’s routes', () => {
  const text = config
    .replace(
      'route-map FROM-FW2 permit 10',
      'route-map FROM-FW2 permit 5\n match ip address prefix-list P\nexit\n!\nroute-map FROM-FW2 permit 10',
    )
    .replace('\nend', '\nip prefix-list P seq 5 permit any\nip prefix-list Q seq 5 permit any\nend')
    .replace(
      ' neighbor 10.0.3.1 remote-as',
      ' neighbor 10.9.9.9 remote-as 1\n neighbor PG peer-group\n neighbor PG password s3cret\n neighbor 10.0.4.1 peer-group PG\n neighbor 10.0.3.1 remote-as',
    );
  const relied = reliedLines(text, scope);
  expect(relied).toEqual(
    expect.arrayContaining([
      'router bgp 65200',
      ' neighbor PG password s3cret',
      ' neighbor 10.0.4.1 route-map TO-FW2 out',
      'route-map FROM-FW2 permit 5',
      ' match ip address prefix-list P',
      'ip prefix-list P seq 5 permit any',
      'bgp route-map delay-timer 0',
    ]),
  );
  for (const absent of ['10.9.9.9', 'prefix-list Q', 'set local-preference', 'as-path prepend', 'hostname'])
    expect(relied.join('\n')).not.toContain(absent);
  const moved = text
    .replace('set local-preference 90', 'set local-preference 110')
    .replace(' set as-path prepend 65200\n', '');
  expect(restLines(moved, owned)).toEqual(restLines(text, owned));
  expect(restLines(text.replace('Q seq 5', 'Q seq 6'), owned)).not.toEqual(restLines(text, owned));
  expect(blankSecrets(' neighbor PG password s3cret')).toBe(' neighbor PG password …');
});

describe('faults of the configuration', () => {
  const faults = (text: string): string[] => configFaults(text, 'border', policy, scope).map((f) => f.what);
  test('none', () => expect(faults(config)).toEqual([]));
  test.each([
    ['bgp route-map delay-timer 0\n', '', /delay-timer is 5 \(the default\)/],
    ['delay-timer 0', 'delay-timer 3', /delay-timer is 3/],
    ['route-map TO-FW2 permit 10', 'route-map TO-FW2 permit 20', /TO-FW2 10 \(to fw2\) doesn’t exist/],
    ['route-map TO-FW2 permit 10', 'route-map TO-FW2 deny 10', /TO-FW2 10 is deny/],
    ['router bgp 65200', 'router bgp 65201', /its AS number is 65201, the inventory says 65200/],
    ['router bgp 65200', 'router bgp 65200 vrf RED', /there is no BGP instance/],
  ])('%j → %j', (from, to, message) => {
    expect(faults(config.replace(from, to))).toEqual([expect.stringMatching(message)]);
  });
});

describe('every form of a BGP instance (FRR’s user guide, 7.5 to 10.5)', () => {
  test.each([
    ['router bgp 65200', undefined, '65200'],
    ['router bgp 65200 as-notation plain', undefined, '65200'],
    ['router bgp 0.65200 as-notation dot+', undefined, '65200'],
    ['router bgp 1.10 as-notation dot', undefined, '65546'],
    ['router bgp 65000.1', undefined, '4259840001'],
    ['router bgp 4259840001 vrf RED', 'RED', '4259840001'],
    ['router bgp 65000.1 vrf RED as-notation dot', 'RED', '4259840001'],
    ['router bgp 65200 vrf default', undefined, '65200'],
  ])('%s', (head, vrf, as) => {
    expect(isInstance(head, vrf)).toBe(true);
    expect(isInstance(head, 'BLUE')).toBe(false);
    expect(instanceAs(head)).toBe(as);
  });
  test.each(['router bgp 65200 view RED', 'router bgp 65200 vrf RED', 'router bgp', 'router ospf', 'bgp 65200'])(
    'not the default one: %s',
    (head) => expect(isInstance(head, undefined)).toBe(false),
  );
  test('as the inventory has it, and another', () => {
    const faults = (head: string) =>
      configFaults(config.replace('router bgp 65200', head), 'border', policy, scope).map((f) => f.what);
    expect(faults('router bgp 0.65200 as-notation dot+')).toEqual([]);
    expect(faults('router bgp 1.65200 as-notation dot')).toEqual(['its AS number is 130736, the inventory says 65200']);
    expect(reliedLines(config.replace('router bgp 65200', 'router bgp 0.65200 as-notation dot+'), scope)).toContain(
      ' neighbor 10.0.4.1 route-map TO-FW2 out',
    );
  });
  test('AS numbers of lines and paths; nothing else that has dots', () => {
    expect(plainAs('set as-path prepend 0.65200 65000.1')).toBe('set as-path prepend 65200 4259840001');
    const others = 'neighbor 10.0.3.1 remote-as 1; 10.0.0.0/8; fd00::1; set extcommunity rt 10.1.1.1:5; version 8.4.4';
    expect(plainAs(others)).toBe(others);
  });
});

test('where an entry goes on by another: owned values stay in front of it', () => {
  const lines = ['on-match next', 'on-match goto 20', 'continue', 'continue 20'];
  for (const line of lines) {
    const text = `route-map FROM-FW1 permit 10\n match ip address prefix-list P\n ${line}\nexit\n`;
    const one = { ...policy, routeMaps: { fw1: { in: entry('FROM-FW1'), out: entry('X') } } };
    expect(intendedText(one, { kind: 'prefer', node: 'fw1' }, text)).toBe(
      text.replace(` ${line}`, ` set local-preference 110\n ${line}`),
    );
    expect(foreignLines(ownedOf(one), text.replace(line, 'on-match goto 99'), [text])).toEqual([
      'route-map FROM-FW1 10 has "on-match goto 99"',
      `route-map FROM-FW1 10 lacks "${line}"`,
    ]);
  }
});

test('IPv6 addresses as FRR shows them', () => {
  expect(canonical('FD00:3:0:0::0001')).toBe('fd00:3::1');
  expect(canonical('10.0.3.1')).toBe('10.0.3.1');
  expect(canonical('eth0')).toBe('eth0');
});
