/** Rulesets of one kernel, listed by nftables of Debian 12, Ubuntu 24.04, Debian 13 and sid (test/cases/05-nft-release). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { differences } from '../../../activities/parity/difference';
import { readRuleset } from '../../../activities/parity/nftables';
import { normalRule } from '../../../activities/parity/normal';
import { changedSince, takeSnapshot } from '../../../activities/parity/snapshot';
import { RULESET } from './fixtures';

const CASE = join(__dirname, '../../cases/05-nft-release');
const listed = (file: string) => ({ ruleset: readRuleset(readFileSync(join(CASE, file), 'utf8')) });
const rulesOf = (file: string): string[] => Object.values(listed(file).ruleset).flat();
const RELEASES = ['1.0.6', '1.0.9', '1.1.3', '1.1.7'];

describe('one ruleset, listed by two releases', () => {
  it('is one ruleset: the smallest', () => {
    const [old, late] = [listed('min-1.0.6.txt'), listed('min-1.1.3.txt')];
    expect(old).not.toEqual(late);
    expect(differences(old, late)).toEqual([]);
  });

  it.each(RELEASES.slice(1).map((release) => [release]))('is one ruleset: every statement, 1.0.6 and %s', (release) => {
    const [old, late] = [listed('all-1.0.6.txt'), listed(`all-${release}.txt`)];
    expect(old).not.toEqual(late);
    expect(differences(old, late)).toEqual([]);
  });

  it.each(RELEASES.slice(1).map((release) => [release]))(
    'is one ruleset: 569 made-up rules, 1.0.6 and %s',
    (release) => {
      const left = differences(listed('generated-1.0.6.txt'), listed(`generated-${release}.txt`));
      // 1.1 lists a mask with holes in raw payload as if it had none: two rules of these, which says more than the text does.
      expect(left.filter(({ here, there }) => !/@nh,\d+,\d+/.test(`${here} ${there}`))).toEqual([]);
      expect(left).toHaveLength(release.startsWith('1.1') ? 2 : 0);
    },
  );

  it('keeps apart what differs', () => {
    for (const file of ['all-1.0.6.txt', 'generated-1.0.6.txt', 'all-1.1.7.txt', 'generated-1.1.7.txt']) {
      const byNormal = new Map<string, Set<string>>();
      for (const rule of new Set(rulesOf(file))) {
        const normal = normalRule(rule);
        byNormal.set(normal, (byNormal.get(normal) ?? new Set()).add(rule));
      }
      // Numbers may be written in two ways, and nothing else in one listing means the same.
      const merged = [...byNormal.values()].filter((rules) => rules.size > 1).map((rules) => [...rules]);
      const loose = (rule: string) => rule.replace(/0x[0-9a-f]+|\b\d+\b/g, 'N');
      expect(merged.filter((rules) => new Set(rules.map(loose)).size > 1)).toEqual([]);
    }
  });

  it('isn’t another one by a digest alone', () => {
    const about = {};
    const before = takeSnapshot({ fw1: { facts: listed('all-1.0.6.txt'), about } }, 10);
    expect(before.kept).toEqual([]);
    expect(changedSince(before, 'fw1', listed('all-1.1.7.txt'))?.changedUnseen).toEqual([]);
    expect(changedSince(before, 'fw1', listed('min-1.1.3.txt'))?.changedUnseen).toEqual(['ruleset']);
  });
});

describe('the normal form', () => {
  it.each([
    ['limit rate 10/minute burst 5 packets accept', 'limit rate 10/minute accept'],
    ['limit rate 10/minute burst 50 packets accept', 'limit rate 10/minute burst 50 packets accept'],
    ['tcp flags syn / fin,syn drop', 'tcp flags & fin,syn == syn drop'],
    ['tcp flags & (fin | syn) != fin | syn drop', 'tcp flags & fin,syn != fin,syn drop'],
    ['tcp flags syn drop', 'tcp flags syn drop'],
    ['ip frag-off & 0x1fff != 0x0 drop', 'ip frag-off & 8191 != 0 drop'],
    ['policy = { established : 2h4m, close : 20s }', 'policy = { close : 20000ms, established : 7440000ms }'],
    ['devices = { "lan", "dc" }', 'devices = { dc, lan }'],
    ['icmpv6 code { no-route, admin-prohibited }', 'icmpv6 code { 0, 1 }'],
    ['fib saddr . iif check missing drop', 'fib saddr . iif oif missing drop'],
    // Somebody's words, addresses and names are left as they are.
    ['log prefix "0x10 rate 1/second burst 5 packets"', 'log prefix "0x10 rate 1/second burst 5 packets"'],
    ['ip6 saddr fd00:0:5d::1 jump x0x10', 'ip6 saddr fd00:0:5d::1 jump x0x10'],
    ['iifname { "wan", "a, b" } accept', 'iifname { "a, b", "wan" } accept'],
  ])('of “%s” is “%s”', (rule, normal) => {
    expect(normalRule(rule)).toBe(normal);
    expect(normalRule(normal)).toBe(normal);
  });

  it('is for comparing: people are shown what was printed', () => {
    const rules = (text: string) => ({ ruleset: { 'inet filter chain input': [text] } });
    expect(differences(rules('limit rate 9/minute burst 5 packets'), rules('limit rate 8/minute'))).toEqual([
      {
        section: 'ruleset',
        path: 'inet filter chain input',
        here: 'limit rate 9/minute burst 5 packets',
        there: 'limit rate 8/minute',
      },
    ]);
    expect(differences({ ruleset: readRuleset(RULESET) }, { ruleset: readRuleset(RULESET) })).toEqual([]);
  });
});
