import fc from 'fast-check';
import { extractNumber, fulfils, judge, median, parseCondition } from '../../../activities/probes/bounds';

test.each([
  ['<= 0.01', { operator: '<=', than: 0.01 }],
  ['>5', { operator: '>', than: 5 }],
  ['  ==  -1e3 ', { operator: '==', than: -1000 }],
  ['!= .5', { operator: '!=', than: 0.5 }],
])('condition %j', (text, expected) => expect(parseCondition(text)).toEqual(expected));

test.each(['0.01', '<', '=< 3', '<= 3 s', '<= x', '< 1 or > 3', ''])('%j is no condition', (text) =>
  expect(parseCondition(text)).toBeUndefined(),
);

test.each([
  ['<', 1, 2, true],
  ['<', 2, 2, false],
  ['<=', 2, 2, true],
  ['>', 3, 2, true],
  ['>', 2, 2, false],
  ['>=', 2, 2, true],
  ['==', 2, 2, true],
  ['==', 1, 2, false],
  ['!=', 1, 2, true],
  ['!=', 2, 2, false],
] as const)('%s: %d against %d is %s', (operator, value, than, expected) =>
  expect(fulfils(value, { operator, than })).toBe(expected),
);

test.each([
  ['sessions: 1234\n', '(\\d+)', 1234],
  ['a 1\nlost = 0.5 %\n', '^lost = ([\\d.]+)', 0.5],
  ['-3e2', '(-?\\d+e\\d)', -300],
  ['nothing here', '(\\d+)', undefined],
  ['x', '(x)', undefined],
  ['a', 'a(\\d*)', undefined],
])('number in %j by %j', (output, pattern, expected) => expect(extractNumber(output, pattern)).toBe(expected));

describe('bounds', () => {
  test.each([
    [5, { min: 5, max: 5 }, undefined, 'pass'],
    [4.99, { min: 5 }, undefined, 'fail'],
    [5.01, { max: 5 }, undefined, 'fail'],
    [80, { minPercent: 80 }, 100, 'pass'],
    [79, { minPercent: 80 }, 100, 'fail'],
    [121, { maxPercent: 120 }, 100, 'fail'],
    [1, { maxPercent: 120 }, 0, 'fail'],
    [100, { minPercent: 80 }, undefined, 'inconclusive'],
    [4, { min: 5, minPercent: 1 }, 100, 'fail'],
    // A value may fall below a negative baseline by a share of its size, not rise.
    [-110, { minPercent: 90 }, -100, 'pass'],
    [-111, { minPercent: 90 }, -100, 'fail'],
  ] as const)('%d within %j of baseline %s: %s', (value, bound, baseline, verdict) =>
    expect(judge(value, bound, baseline).verdict).toBe(verdict),
  );

  test('in the baseline’s own rounds only the absolute parts count', () => {
    expect(judge(3, { minPercent: 200 }, undefined, { isBaseline: true })).toEqual({ verdict: 'pass' });
    expect(judge(3, { minPercent: 200, max: 2 }, undefined, { isBaseline: true }).verdict).toBe('fail');
  });

  test('a value is within 100 % of itself', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), (value) => {
        expect(judge(value, { minPercent: 100, maxPercent: 100 }, value)).toEqual({ verdict: 'pass' });
      }),
    );
  });
});

test('the median is a value that occurred', () => {
  expect(median([])).toBeUndefined();
  expect(median([3])).toBe(3);
  expect(median([9, 1])).toBe(1);
  expect(median([9, 1, 5])).toBe(5);
});
