/** Waiting for devices: reading both members again until it is as it should be, with what stands in the way at the end. */
import { permanent, transient, type StepContext } from '../kit';
import { formatDuration } from '../kit/duration';
import { describePair, readPair, type PairReading } from './pair';
import type { PanosPlan, PanosServices } from './plan';

type Context = StepContext<Pick<PanosPlan, 'nodes' | 'panos'>>;

export interface WaitOptions {
  /** What went before may not have been ours: doing all of it again may help. */
  readonly mayPass?: boolean;
  /** In plain words, as "pa2 to be passive". */
  readonly what: string;
  readonly timeoutMs: number;
  /** So many looks in a row must be good; 1 if left out. */
  readonly looks?: number;
  /**
   * Why it isn't so yet; undefined once it is. May throw where waiting is of no use.
   */
  readonly missing: (reading: PairReading) => string | undefined;
}

/** @throws NotHealthy (permanent: it has had its time) with the state of both members */
export async function untilPair(context: Context, services: PanosServices, options: WaitOptions): Promise<PairReading> {
  const { what, timeoutMs, looks = 1, missing, mayPass = false } = options;
  const { pollMs } = context.plan.panos.timing;
  const until = services.now() + timeoutMs;
  for (let good = 0; ;) {
    const reading = await readPair(context, services);
    const why = missing(reading);
    good = why === undefined ? good + 1 : 0;
    if (good >= looks) return reading;
    if (services.now() > until)
      throw (mayPass ? failedForNow : failedForGood)(
        `waited ${formatDuration(timeoutMs)} for ${what}: ${why ?? 'it was so, but not for long enough'}. Now: ${describePair(reading)}`,
      );
    context.progress(`waiting for ${what}: ${why ?? `${good} of ${looks} looks`}`);
    await context.pause(pollMs);
  }
}

const failedForGood = (message: string): Error => permanent('NotHealthy', message);
const failedForNow = (message: string): Error => transient('VerifyFailed', message);
