/** The counting itself: it must see what takes long, and agree with the real matcher. */
import fc from 'fast-check';
import { stepsOf } from './regex-steps';
import { TooMuchWork, workOf } from './work';

const growth = (expression: RegExp, text: (n: number) => string): number =>
  stepsOf(expression, text(256), 1e8).steps / stepsOf(expression, text(32), 1e8).steps;

test.each<[RegExp, (n: number) => string]>([
  [/(\d+) Malformed/, (n) => '1'.repeat(n)],
  [/^\s*x/m, (n) => '\n'.repeat(n)],
  [/Version '.*' was not/, (n) => "Version '".repeat(n)],
  [/\s+$/, (n) => `${' '.repeat(n)}x`],
  [/needs \d+\S* on/, (n) => `needs ${'1'.repeat(n)}`],
])('%s grows faster than its text', (expression, text) => expect(growth(expression, text)).toBeGreaterThan(30));

test.each<[RegExp, (n: number) => string]>([
  [/(?<!\d)(\d{1,20}) Malformed/, (n) => '1'.repeat(n)],
  [/^[ \t]*x/m, (n) => '\n'.repeat(n)],
  [/^(\S+) = (.*)$/s, (n) => `a = ${'b\u2028'.repeat(n)}`],
])('%s grows with it', (expression, text) => expect(growth(expression, text)).toBeLessThan(10));

test('finds what the real one finds', () => {
  const expressions = [
    /^(?:ab|a+)*?(\d{2,3})\b/m,
    /(?<!\\),\s*/,
    /(?=a.)[^b]{1,2}?c?/i,
    /^\s+\(([^)]*)\)\s+(.*)$/s,
    /[●*×\s]*(\S+\.\S+)/,
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...expressions),
      fc.stringMatching(/^[abc12 .,(\\)\n\u2028]{0,12}$/),
      (expression, text) => {
        const real = new RegExp(expression).exec(text);
        const { found } = stepsOf(expression, text, 1e6);
        expect(found).toEqual(real === null ? undefined : { at: real.index, length: real[0].length });
      },
    ),
    { seed: 9, numRuns: 1_000 },
  );
});

test('sees lists that are gone through for each of their members', () => {
  const list = Array.from({ length: 100 }, (_, i) => i);
  expect(workOf(() => list.filter((i) => list.indexOf(i) === i), 1e6)).toBeGreaterThan(4_900);
  expect(workOf(() => list.map((i) => i), 1e6)).toBeLessThan(200);
  expect(() => workOf(() => /(a+)+b/.test('a'.repeat(40)), 100_000)).toThrow(TooMuchWork);
  // And nothing is left behind.
  expect(Array.prototype.map.toString()).toContain('native code');
});
