import { differences } from '../../../activities/parity/difference';
import { differenceFaults } from '../../../activities/parity/faults';
import type { Facts, OwnAddress } from '../../../activities/parity/facts';
import { namingOf, numberOf, renamer } from '../../../activities/parity/naming';
import { readRuleset } from '../../../activities/parity/nftables';
import { changedSince, digestOf, takeSnapshot } from '../../../activities/parity/snapshot';
import { RULESET } from './fixtures';

const own = (name: string, address: string, length: number): OwnAddress => ({ interface: name, address, length });
/** Two firewalls in networks of their own, joined by one that they share, with one address that both hold. */
const fw1 = [
  own('lo', '192.0.2.1', 32),
  own('wan', '10.9.1.2', 24),
  own('wan', 'fd00:1::2', 64),
  own('sync', '10.9.9.1', 24),
];
const fw2 = [
  own('lo', '192.0.2.1', 32),
  own('wan', '10.9.2.2', 24),
  own('wan', 'fd00:2::2', 64),
  own('sync', '10.9.9.2', 24),
];
const naming = [namingOf(fw1, fw2), namingOf(fw2, fw1)] as const;
const rename = [renamer(naming[0], {}), renamer(naming[1], {})] as const;
const faultsOf = (a: Facts, b: Facts) =>
  differenceFaults(differences(a, b, ...rename), 'fw1/fw2', { here: 'fw1', there: 'fw2' }, 'do').map(
    (f) => `${f.where}: ${f.what}`,
  );

describe('names for what differs by design', () => {
  it.each([
    ['10.9.1.2', '‹own wan›'],
    ['10.9.2.2', '‹other’s wan›'],
    ['10.9.1.1', '‹wan+1›'],
    ['10.9.2.7', '‹other’s wan+7›'],
    ['10.9.1.0', '‹wan network›'],
    ['10.9.9.1', '‹own sync›'],
    ['10.9.9.2', '‹other’s sync›'],
    ['10.9.9.9', undefined],
    ['192.0.2.1', undefined],
    ['10.20.0.1', undefined],
    ['fd00:1::1', '‹wan+1›'],
    ['fd00:1:0:0::2', '‹own wan›'],
    ['fd00:9::1', undefined],
  ])('%s is %s', (address, name) => {
    expect(naming[0](address)).toBe(name);
  });

  it('reads addresses in every form', () => {
    expect(numberOf('1.2.3.4')).toBe(0x01020304n);
    expect(numberOf('::ffff:1.2.3.4')).toBe(0xffff01020304n);
    expect(numberOf('::')).toBe(0n);
    expect(numberOf('fe80::1%wan')).toBe((0xfe80n << 112n) + 1n);
    expect(numberOf('1:2:3:4:5:6:7:8')).toBe(0x00010002000300040005000600070008n);
  });

  it('replaces whole addresses and texts only, and sorts an anonymous set by names', () => {
    const text = renamer(naming[0], { eth7: 'uplink' });
    expect(text('10.9.1.2 10.9.1.20 110.9.1.2 10.9.1.2.3 10.9.1.0/24')).toBe(
      '‹own wan› ‹wan+20› 110.9.1.2 10.9.1.2.3 ‹wan network›/24',
    );
    expect(text('iif eth7 eth77 oif "eth7.5"')).toBe('iif uplink eth77 oif "eth7.5"');
    expect(text('ip saddr { 10.9.1.2, 10.9.1.1 } accept')).toBe('ip saddr { ‹own wan›, ‹wan+1› } accept');
    expect(rename[1]('ip saddr { 10.9.2.1, 10.9.2.2 } accept')).toBe('ip saddr { ‹own wan›, ‹wan+1› } accept');
    expect(text('ether saddr 02:00:00:00:00:01 accept')).toBe('ether saddr 02:00:00:00:00:01 accept');
  });
});

describe('differences', () => {
  const chain = 'inet filter chain forward';

  it('aren’t found between nodes that differ by design alone', () => {
    const node = (net: string): Facts => ({
      ruleset: { [chain]: ['policy drop;', `ip saddr ${net}.1 accept`, 'ip saddr { 10.9.1.1, 10.9.2.1 } accept'] },
      routes: {
        [`ipv4 ${net}.0/24`]: [`dev wan proto kernel src ${net}.2`],
        'ipv4 0.0.0.0/0': [`via ${net}.1 dev wan`],
      },
    });
    expect(faultsOf(node('10.9.1'), node('10.9.2'))).toEqual([]);
  });

  it('are found where a neighbor is another one', () => {
    expect(
      faultsOf({ routes: { default: ['via 10.9.1.1 dev wan'] } }, { routes: { default: ['via 10.9.2.9 dev wan'] } }),
    ).toEqual(['fw1/fw2 route default: fw1 has “via 10.9.1.1 dev wan”, fw2 has “via 10.9.2.9 dev wan”']);
  });

  it('are shown rule by rule: changed, missing, moved', () => {
    const rules = (...lines: string[]): Facts => ({ ruleset: { [chain]: ['policy drop;', ...lines, 'counter drop'] } });
    expect(faultsOf(rules('a', 'tcp dport 22 accept', 'c'), rules('a', 'tcp dport 23 accept', 'c'))).toEqual([
      'fw1/fw2 ruleset inet filter chain forward: fw1 has “tcp dport 22 accept”, fw2 has “tcp dport 23 accept”',
    ]);
    expect(faultsOf(rules('a', 'b'), rules('a', 'b', 'c'))).toEqual([
      'fw1/fw2 ruleset inet filter chain forward: fw1 has nothing there, fw2 has “c”',
    ]);
    expect(faultsOf(rules('a', 'b'), rules('b', 'a'))).toHaveLength(1);
  });

  it('are shown for what only one has, whole', () => {
    expect(faultsOf({ ruleset: { 'ip t set s': ['flags interval', 'element 10.0.0.0/8'] } }, { ruleset: {} })).toEqual([
      'fw1/fw2 ruleset ip t set s: fw1 has “flags interval · element 10.0.0.0/8”, fw2 has nothing there',
    ]);
    expect(faultsOf({ ruleset: {} }, { ruleset: { 'ip t chain c': [] } })).toHaveLength(1);
  });

  it('are counted beyond what people can read', () => {
    const many = (offset: number): Facts => ({
      sysctls: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`net.x${i}`, [String(i + offset)]])),
    });
    const faults = faultsOf(many(0), many(1));
    expect(faults).toHaveLength(41);
    expect(faults.at(-1)).toBe('fw1/fw2 sysctl: 60 more differences');
  });

  it('are found in chains too long to look for the order', () => {
    const long = (extra: string): Facts => ({
      ruleset: {
        [chain]: [
          `${extra}first`,
          ...Array.from({ length: 2_500 }, (_, i) => `${i % 2 ? extra : ''}${i}`),
          `${extra}last`,
        ],
      },
    });
    expect(differences(long('x '), long('y ')).length).toBe(1_252);
  });
});

describe('a snapshot', () => {
  const facts: Facts = { ruleset: readRuleset(RULESET), sysctls: { 'net.ipv4.ip_forward': ['1'] } };
  const changed: Facts = { ...facts, sysctls: { 'net.ipv4.ip_forward': ['0'] } };

  it('shows what changed since, after a way through JSON', () => {
    const snapshot = JSON.parse(
      JSON.stringify(takeSnapshot({ a: { facts, about: {} }, b: { facts, about: {} } })),
    ) as ReturnType<typeof takeSnapshot>;
    expect(snapshot.kept).toEqual(['ruleset', 'sysctls']);
    expect(changedSince(snapshot, 'a', facts)).toEqual({ differences: [], changedUnseen: [] });
    expect(changedSince(snapshot, 'b', changed)?.differences).toEqual([
      { section: 'sysctls', path: 'net.ipv4.ip_forward', here: '0', there: '1' },
    ]);
    expect(changedSince(snapshot, 'c', facts)).toBeUndefined();
  });

  it('keeps two nodes that are alike in hardly more than one', () => {
    const [one, two] = [
      takeSnapshot({ a: { facts, about: {} } }),
      takeSnapshot({ a: { facts, about: {} }, b: { facts, about: {} } }),
    ];
    expect(two.text.length).toBeLessThan(one.text.length * 1.3);
  });

  it('drops the largest text where there is too much of it, and still tells that it changed', () => {
    const snapshot = takeSnapshot({ a: { facts, about: {} } }, 200);
    expect(snapshot.kept).toEqual(['sysctls']);
    expect(snapshot.text.length).toBeLessThanOrEqual(200);
    const other: Facts = { ...changed, ruleset: { ...facts.ruleset, 'ip new chain c': [] } };
    expect(changedSince(snapshot, 'a', other)).toMatchObject({
      changedUnseen: ['ruleset'],
      differences: [{ section: 'sysctls' }],
    });
    expect(takeSnapshot({ a: { facts, about: {} } }, 10).kept).toEqual([]);
  });

  it('doesn’t depend on the order of keys', () => {
    expect(digestOf({ a: ['1'], b: ['2'] })).toBe(digestOf({ b: ['2'], a: ['1'] }));
    expect(digestOf({ a: ['1', '2'] })).not.toBe(digestOf({ a: ['2', '1'] }));
  });
});
