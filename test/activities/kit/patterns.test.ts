/** Patterns of other people: wildcards, and regular expressions. Each of the long ones would take a backtracking matcher years. */
import fc from 'fast-check';
import { glob, patternFault, patternOf } from '../../../activities/kit';
import { lockedNames } from '../../../activities/packages/dnf/parse';
import { releaseOf } from '../../../activities/packages/release';
import { globbed } from '../../../activities/parity/facts';
import { extractNumber } from '../../../activities/probes/bounds';
import { classifyCommand } from '../../../activities/probes/classify';
import { matchesHost, parseKnownHosts } from '../../../activities/ssh/known-hosts';
import { parseRules } from '../../../activities/ssh/sudo';

const long = 'a'.repeat(5_000);
const stars = `${'*a'.repeat(60)}*zz`;

describe('wildcards', () => {
  test.each([
    ['', '', true],
    ['*', 'anything', true],
    ['a*c', 'abbbc', true],
    ['a*c', 'abbb', false],
    ['*b*b', 'abab', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[]]x', ']x', true],
    ['[z-a]', 'z', false],
    ['[z-a]*', 'm', false],
    ['[a', '[a', false],
    ['[[:alpha:]]', 'a', false],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['a.c', 'abc', false],
  ])('%j on %j: %s', (pattern, text, matches) => expect(glob(pattern, { sets: true })(text)).toBe(matches));

  test('without sets brackets are brackets, and without ? it is one', () => {
    expect(glob('[x]:22')('[x]:22')).toBe(true);
    expect(glob('a?', { one: false })('ab')).toBe(false);
    expect(glob('FW*', { ignoreCase: true })('fw1')).toBe(true);
  });

  test('agree with a regular expression that means the same', () => {
    const pattern = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 }).map((c) => c.join(''));
    const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 10 }).map((c) => c.join(''));
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        expect(glob(p)(t)).toBe(new RegExp(`^${p.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(t));
      }),
      { seed: 9, numRuns: 2_000 },
    );
  });

  test('many of them end', () => {
    expect(glob(stars)(long)).toBe(false);
    expect(glob('*'.repeat(100_000) + 'zz')(long)).toBe(false);
    expect(globbed(stars)(long)).toBe(false);
    expect(lockedNames([`${stars}-0:1-1`, stars, '[z-a]-1-1', 'gate-0:1.0-1.el9.*'], ['gate', long])).toEqual(['gate']);
    expect(parseKnownHosts(`${stars} ssh-ed25519 AAAA`).map((entry) => matchesHost(entry, long))).toEqual([false]);
  });

  test('rules of sudo: many stars, sets that can’t be, and what is left unread, match nothing', () => {
    const rules = parseRules(
      ['*****zz', '*'.repeat(50_000), '/bin/[z-a]', '/bin/[', '/bin/[[:alpha:]]', '/bin/a*']
        .map((c) => `    (root) NOPASSWD: ${c}`)
        .join('\n'),
    );
    expect(rules.map(({ covers }) => covers(`/bin/${long}`))).toEqual([false, true, false, false, false, true]);
  });
});

describe('regular expressions', () => {
  test('of a command probe: no number of digits takes long', () => {
    expect(extractNumber('1'.repeat(2_000), '(\\d+)+ ms')).toBeUndefined();
    expect(extractNumber(`${'1'.repeat(40)}\n12 ms`, '(\\d+)+ ms')).toBe(12);
  });

  test('of a release', () => {
    const release = { file: '/etc/r', pattern: '^V=(a+)+$' };
    expect(releaseOf({ releases: {}, release }, `V=${long}!\nV=aa\r\n`)).toBe('aa');
    expect(() => releaseOf({ releases: {}, release: { ...release, pattern: '(?=a)(b)' } }, 'b')).toThrow(
      /software\.release\.pattern .*looks around.*Nothing was changed/,
    );
  });

  test('in a plan that is older than this rule: inconclusive, with why', () => {
    const probe = { argv: ['/bin/x'], okCodes: [0], pattern: '(a)\\1(\\d+)', bound: { min: 1 } };
    const seen = { code: 0, output: 'aa12', message: '', ms: 1 };
    expect(classifyCommand(probe, seen, undefined)).toEqual({
      verdict: 'inconclusive',
      why: expect.stringContaining('refers back to a group') as string,
    });
  });

  test('what they find is what JavaScript’s find', () => {
    for (const [pattern, text] of [
      ['^lost = ([\\d.]+)', 'a\nlost = 0.5 %'],
      ['(?<n>\\d+) ms', 'x 12 ms'],
      ['= [\\d.]+/([\\d.]+)/', 'rtt = 0.1/0.2/0.3'],
      ['(-?\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?)', 'a -3.5e2'],
      ['a(b)?c', 'ac'],
      ['\\/x\\/(.)', '/x/y'],
    ] as const)
      expect([pattern, patternOf(pattern).firstGroup(text)]).toEqual([
        pattern,
        new RegExp(pattern, 'm').exec(text)?.[1],
      ]);
    expect(patternOf('(a)|(b)').groups).toBe(2);
    expect(patternFault('(a')).toMatch(/^not a regular expression of RE2 .*missing closing \)/);
  });
});
