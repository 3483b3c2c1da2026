import { originalOf, type FlowTable } from './flows';

/** Flows shown by name in evidence; the rest is counted. */
const SAMPLES = 5;

export interface FlowReadings {
  /** Flows of the sending node, read so long before `receiver` that what is in it isn't on its way any more. */
  readonly before: FlowTable;
  /** Flows of the receiving node. */
  readonly receiver: FlowTable;
  /** Flows of the sending node, read after `receiver`: what has ended meanwhile isn't missing. */
  readonly after: FlowTable;
}

export interface FlowDifference {
  /** Flows compared: those that the sending node had before and after. */
  readonly flows: number;
  /** Of these, not on the receiving node, or translated differently there. */
  readonly missing: number;
  /** Of the missing, those that the receiving node has with other addresses or ports in the reply (NAT). */
  readonly translatedDifferently: number;
  /** On both, but expiring on the receiving node more than `agedMs` earlier: not refreshed. */
  readonly aged: number;
  /** On the receiving node alone. Harmless to what lives; a new connection that reuses such a flow's ports may be refused. */
  readonly extra: number;
  /** Seconds until the first of the compared flows expires on the receiving node, if nothing refreshes it. */
  readonly firstExpiryS?: number;
  readonly samples: readonly string[];
}

/**
 * What the receiving node lacks, by the two kernels' own entries, not by what a daemon says of itself (facts §5: its
 * counters aren't gauges). A flow counts only if the sending node had it before and still has it after the receiving
 * node was read; so neither a flow that was just opened nor one that was just closed is a difference.
 */
export function compareFlows({ before, receiver, after }: FlowReadings, agedMs: number): FlowDifference {
  const samples: string[] = [];
  const absent: string[] = [];
  let flows = 0;
  let aged = 0;
  let firstExpiryS = Infinity;
  for (const key of before.keys()) {
    if (!after.has(key)) continue;
    flows += 1;
    if (!receiver.has(key)) {
      absent.push(key);
      continue;
    }
    const here = receiver.get(key);
    if (here === undefined) continue;
    firstExpiryS = Math.min(firstExpiryS, here);
    // Both readings of the sender, for a packet between them resets its timer.
    const there = Math.min(before.get(key) ?? 0, after.get(key) ?? 0);
    if ((there - here) * 1_000 <= agedMs) continue;
    aged += 1;
    if (aged <= SAMPLES) samples.push(`expires in ${here} s, on the sending node in ${there} s: ${key}`);
  }
  let translatedDifferently = 0;
  if (absent.length > 0) {
    const originals = new Set<string>();
    for (const key of receiver.keys()) originals.add(originalOf(key));
    absent.forEach((key, index) => {
      const translated = originals.has(originalOf(key));
      if (translated) translatedDifferently += 1;
      if (index < SAMPLES) samples.push(`${translated ? 'translated differently' : 'missing'}: ${key}`);
    });
  }
  let extra = 0;
  for (const key of receiver.keys()) if (!before.has(key) && !after.has(key)) extra += 1;
  return {
    flows,
    missing: absent.length,
    translatedDifferently,
    aged,
    extra,
    ...(Number.isFinite(firstExpiryS) ? { firstExpiryS } : {}),
    samples,
  };
}

export interface FlowTolerance {
  readonly missing: number;
  readonly missingPercent: number;
}

/** Undefined if the receiving node is in sync within the tolerance, else why not. */
export function differenceFault(difference: FlowDifference, tolerance: FlowTolerance): string | undefined {
  const { flows, missing, aged, translatedDifferently } = difference;
  const allowed = Math.max(tolerance.missing, Math.floor((flows * tolerance.missingPercent) / 100));
  if (missing + aged <= allowed) return undefined;
  const parts = [
    ...(missing > 0 ? [`${missing} of ${flows} flows are missing`] : []),
    ...(translatedDifferently > 0 ? [`${translatedDifferently} of them because they are translated differently`] : []),
    ...(aged > 0 ? [`${aged} of ${flows} flows would expire too early`] : []),
  ];
  return `${parts.join(', ')} (tolerated: ${allowed})`;
}

/** One line for people. */
export function describeDifference(d: FlowDifference): string {
  if (d.flows === 0) return 'no established flow to compare';
  const bad = [
    ...(d.missing > 0 ? [`${d.missing} missing`] : []),
    ...(d.aged > 0 ? [`${d.aged} not refreshed`] : []),
    ...(d.extra > 0 ? [`${d.extra} only there`] : []),
  ];
  return `${d.flows} flows${bad.length > 0 ? `, ${bad.join(', ')}` : ', none missing'}`;
}
