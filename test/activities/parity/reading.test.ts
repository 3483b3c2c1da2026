import { globbed, withoutIgnored } from '../../../activities/parity/facts';
import { readInterfaces, readRoutes, readRules } from '../../../activities/parity/network';
import { ELEMENTS_LIMIT, readRuleset, RulesetReader } from '../../../activities/parity/nftables';
import { pickSysctls, readUnits, serviceFaults } from '../../../activities/parity/reading';
import { paritySpec } from '../../../activities/parity/spec';
import { ADDRESSES, ROUTES_4, ROUTES_6, RULES, RULESET, RULESET_WITH_STATE, UNITS } from './fixtures';

describe('a large set', () => {
  const setOf = (elements: readonly number[]): string =>
    `table ip t {\n\tset s {\n\t\telements = { ${elements.map((n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`).join(',\n\t\t\t     ')} }\n\t}\n}\n`;
  const numbers = Array.from({ length: 5 * ELEMENTS_LIMIT }, (_, n) => n);

  // Looked through again with each of its lines it would take minutes.
  it('is told by a digest, whatever the order', () => {
    const lines = readRuleset(setOf(numbers))['ip t set s'];
    expect(lines).toEqual([expect.stringMatching(/^100000 elements, whatever their order: [0-9a-f]{64}$/)]);
    expect(readRuleset(setOf([...numbers].reverse()))['ip t set s']).toEqual(lines);
    expect(readRuleset(setOf([...numbers.slice(1), 1 << 20]))['ip t set s']).not.toEqual(lines);
  });

  it('that isn’t so large is listed, in whatever pieces it comes', () => {
    const text = setOf(numbers.slice(0, ELEMENTS_LIMIT));
    const reader = new RulesetReader();
    for (let at = 0; at < text.length; at += 1_000) reader.write(text.slice(at, at + 1_000));
    reader.end();
    expect(reader.ruleset).toEqual(readRuleset(text));
    expect(reader.ruleset['ip t set s']).toHaveLength(ELEMENTS_LIMIT);
  });
});

describe('a ruleset', () => {
  const ruleset = readRuleset(RULESET);

  it('is read by table and object', () => {
    expect(Object.keys(ruleset)).toEqual(
      expect.arrayContaining([
        'inet filter',
        'inet filter chain forward',
        'inet filter set good',
        'ip nat chain post',
        'inet x map m',
        'inet x quota q',
        'inet x ct helper ftp-standard',
        'inet x chain later',
        'netdev nd chain i',
      ]),
    );
    expect(ruleset['inet filter chain forward']?.slice(0, 3)).toEqual([
      'type filter hook forward priority filter; policy drop;',
      'ct state invalid counter drop comment "invalid"',
      'ct state established,related counter accept',
    ]);
    expect(ruleset['inet x chain later']).toEqual([]);
  });

  it('has the elements of sets and maps one a line, sorted, also where they are folded', () => {
    expect(ruleset['inet x set manual']).toEqual([
      'type ipv4_addr . inet_service',
      'flags timeout',
      'element 10.1.1.1 . 80 timeout 1d',
      'element 10.1.1.2 . 443',
    ]);
    expect(ruleset['inet x set big']).toHaveLength(9);
    expect(ruleset['inet x map m']).toContain('element 8080 : jump sub');
  });

  it('doesn’t take braces in a comment for structure', () => {
    expect(ruleset['inet x chain pre']?.at(-1)).toBe('iifname "wan" oifname { "dc", "wan" } accept comment "a } { c"');
    expect(
      readRuleset('table ip t {\n\tset s {\n\t\telements = { 10.0.0.1 comment "a, } b",\n\t\t\t 10.0.0.2 }\n\t}\n}\n'),
    ).toEqual({
      'ip t': [],
      'ip t set s': ['element 10.0.0.1 comment "a, } b"', 'element 10.0.0.2'],
    });
  });

  it('leaves out what packets put into a set', () => {
    expect(RULESET).toContain('10.99.0.1');
    expect(JSON.stringify(ruleset)).not.toContain('10.99.0.1');
  });

  it('has flags and comments of a table, and no remarks of nft', () => {
    expect(
      readRuleset(
        '# Warning: table ip filter is managed by iptables-nft, do not touch!\ntable ip t {\n\tflags dormant\n}\n',
      ),
    ).toEqual({
      'ip t': ['flags dormant'],
    });
  });

  it('needs -s: without it counters are read as rules', () => {
    expect(readRuleset(RULESET_WITH_STATE)).not.toEqual(ruleset);
  });
});

describe('what iproute2 prints', () => {
  it('becomes routes by family, table and destination, without those of other origin', () => {
    const routes = readRoutes(ROUTES_4, 'ipv4', ['kernel', 'boot', 'static']);
    expect(routes).toEqual({
      'ipv4 table 77 10.57.0.0/16': ['via fd00:1::1 dev wan proto static'],
      'ipv4 10.8.0.1': ['via 10.9.1.1 dev wan proto boot'],
      'ipv4 10.8.1.1': ['via 10.9.3.1 dev dc proto boot'],
      'ipv4 10.9.1.0/24': ['dev wan proto kernel src 10.9.1.2'],
      'ipv4 10.9.3.0/24': ['dev dc proto kernel src 10.9.3.2'],
      'ipv4 10.9.9.0/24': ['dev sync0 proto kernel src 10.9.9.1'],
      'ipv4 10.55.0.0/16': ['via 10.9.1.1 dev wan weight 1 via 10.9.3.1 dev dc weight 1 proto boot'],
      'ipv4 10.56.0.0/16': ['blackhole proto boot'],
    });
    expect(Object.keys(readRoutes(ROUTES_6, 'ipv6', ['kernel', 'boot']))).toEqual([
      'ipv6 fd00:1::/64',
      'ipv6 fd00:3::/64',
      'ipv6 fd00:8::1',
      'ipv6 fd00:8:1::1',
    ]);
    expect(readRoutes(ROUTES_4, 'ipv4', ['bgp'])).toEqual({});
    expect(readRoutes('', 'ipv6', ['kernel'])).toEqual({});
  });

  it('becomes policy routing in order', () => {
    expect(readRules(RULES)[1]).toBe('priority 32765 src 10.5.0.0 srclen 16 fwmark 0x3 table 77');
  });

  it('becomes interfaces, without link-local addresses', () => {
    const { lines, addresses } = readInterfaces(ADDRESSES);
    expect(lines['wan']).toEqual(['mtu 1500', 'up', 'carrier', 'address 10.9.1.2/24', 'address fd00:1::2/64']);
    expect(addresses).toContainEqual({ interface: 'lo', address: '192.0.2.1', length: 32 });
    expect(addresses.some((a) => a.address.startsWith('fe80'))).toBe(false);
  });
});

describe('sysctls, units, patterns', () => {
  it('picks sysctls by pattern, and says which are absent', () => {
    const text =
      'net.ipv4.ip_forward = 1\nnet.ipv4.tcp_rmem = 4096\t131072\t6291456\nnet.ipv4.conf.all.rp_filter = 0\n';
    expect(
      pickSysctls(text, ['net.ipv4.ip_forward', 'net.ipv4.tcp_*', 'net.ipv4.conf.*.rp_filter', 'net.none']),
    ).toEqual({
      'net.ipv4.ip_forward': ['1'],
      'net.ipv4.tcp_rmem': ['4096 131072 6291456'],
      'net.ipv4.conf.all.rp_filter': ['0'],
      'net.none': ['(absent)'],
    });
  });

  it('finds units that don’t run or wouldn’t come back', () => {
    const units = readUnits(UNITS, ['ssh.service', 'nftables.service', 'nosuch.service']);
    expect(serviceFaults('fw1', units).map((f) => f.what)).toEqual([
      'nftables.service is inactive, it must run',
      'nftables.service would not come back after a reboot (disabled)',
      'nosuch.service is inactive, it must run',
      'nosuch.service would not come back after a reboot (no unit file)',
    ]);
  });

  it('ignores by section and path', () => {
    expect(withoutIgnored({ ruleset: { 'inet a chain b': [], 'inet c chain d': [] } }, ['ruleset/inet a*'])).toEqual({
      ruleset: { 'inet c chain d': [] },
    });
    expect(globbed('a.b*')('axb')).toBe(false);
  });

  it('leaves a parsed section as it is', () => {
    const spec = paritySpec.parse({ services: ['nftables.service'], settleTimeoutMs: '2m' });
    expect(spec.settleTimeoutMs).toBe(120_000);
    expect(paritySpec.parse(spec)).toEqual(spec);
    expect(paritySpec.safeParse({ services: ['nftables'] }).success).toBe(false);
  });
});
