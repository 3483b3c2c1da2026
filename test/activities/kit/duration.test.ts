import fc from 'fast-check';
import { duration, formatDuration, parseDuration } from '../../../activities/kit/duration';

describe('duration', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['3d', 259_200_000],
    ['1w', 604_800_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['1w2d3h4m5s6ms', 788_645_006],
    ['0.5s', 500],
    [' 10s ', 10_000],
    ['0s', 0],
    [1_500, 1_500],
  ])('%p is %p ms', (text, ms) => {
    expect(duration().parse(text)).toBe(ms);
  });

  test.each(['', 's', '5', '5 minutes', '-5s', '30m1h', '5m5m', '1h30', '1e3s', 'soon', '5M', '999999999999999w'])(
    '%p is refused with a message that shows how',
    (text) => {
      const result = duration().safeParse(text);
      expect(result.success).toBe(false);
      expect(result.error?.issues[0]?.message).toContain(JSON.stringify(text));
      expect(result.error?.issues[0]?.message).toContain('"30s"');
    },
  );

  test.each([-1, 1.5, NaN, Infinity, null, undefined, true, {}])('%p is refused', (value) => {
    const result = duration().safeParse(value);
    expect(result.error?.issues[0]?.message).toContain('"30s"');
  });

  test('a number without a unit is told so', () => {
    expect(duration().safeParse('30').error?.issues[0]?.message).toContain('without a unit');
  });

  test('parsing again changes nothing', () => {
    fc.assert(fc.property(fc.nat(), (ms) => duration().parse(duration().parse(ms)) === ms));
  });

  test.each([
    [0, '0 ms'],
    [300, '300 ms'],
    [999.9, '999 ms'],
    [45_000, '45 s'],
    [45_999, '45 s'],
    [60_000, '1 min'],
    [330_000, '5 min 30 s'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [183_600_000, '2 d 3 h'],
    [14 * 86_400_000, '14 d'],
  ])('%p ms is shown as %p', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('what is shown is never longer than what it is', () => {
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        const shown = formatDuration(ms).replaceAll('min', 'm').replaceAll(' ', '');
        return (parseDuration(shown) ?? Infinity) <= ms;
      }),
    );
  });
});
