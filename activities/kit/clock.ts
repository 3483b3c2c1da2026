/**
 * The two clocks of a worker. What waits and measures goes by the one that never steps; the wall's is for people to read, and
 * may jump by hours in either direction at any time (NTP, a resumed virtual machine, somebody's `date -s`).
 */
export interface Clock {
  /** Milliseconds since some moment: comparable within this process only. */
  readonly monotonicMs: () => number;
  /** Epoch milliseconds, as far as this machine knows. */
  readonly wallMs: () => number;
}

export const workerClock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/** An attempt that waits longer for a worker times out (workflows/procedure/runtime.ts), and is a new call then. */
const LONGEST_PICKUP_MS = 60_000;

/**
 * Time of one attempt, epoch milliseconds: it begins at the server's clock, which is the same for all workers, and goes on
 * with the one that never steps. The worker's own clock only says how long the attempt waited to be taken up, as far as it
 * can be believed: so attempts on different workers stay comparable within that, however wrong their clocks are.
 */
export function attemptTime(scheduledAtMs: number, clock: Clock): () => number {
  const waitedMs = Math.min(Math.max(0, clock.wallMs() - scheduledAtMs), LONGEST_PICKUP_MS);
  const beganMs = clock.monotonicMs();
  return () => scheduledAtMs + waitedMs + Math.round(clock.monotonicMs() - beganMs);
}
