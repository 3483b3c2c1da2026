/** Time of an attempt: what may be compared between workers whose clocks are wrong. */
import { attemptTime } from '../../../activities/kit';

const HOUR = 3_600_000;
const SCHEDULED = 1_800_000_000_000;

function clockAt(wallMs: number) {
  const now = { wallMs, monotonicMs: 5_000 };
  return { now, clock: { wallMs: () => now.wallMs, monotonicMs: () => now.monotonicMs } };
}

test.each([
  ['right', SCHEDULED, 0],
  ['right, and the attempt waited for a worker', SCHEDULED + 40_000, 40_000],
  ['hours behind', SCHEDULED - 3 * HOUR, 0],
  // No attempt waits that long: the clock isn't believed further.
  ['hours ahead', SCHEDULED + 3 * HOUR, 60_000],
])('begins at the server’s time, also where the worker’s clock is %s', (_, wallMs, waitedMs) => {
  const { now, clock } = clockAt(wallMs);
  const time = attemptTime(SCHEDULED, clock);
  expect(time()).toBe(SCHEDULED + waitedMs);
  now.monotonicMs += 1_000;
  expect(time()).toBe(SCHEDULED + waitedMs + 1_000);
});

test('goes on whatever the worker’s clock does', () => {
  const { now, clock } = clockAt(SCHEDULED);
  const time = attemptTime(SCHEDULED, clock);
  for (const wallMs of [SCHEDULED - 2 * HOUR, SCHEDULED + 5 * HOUR, 0]) {
    now.wallMs = wallMs;
    now.monotonicMs += 250;
  }
  expect(time()).toBe(SCHEDULED + 750);
});
