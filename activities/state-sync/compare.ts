import { FlowTable } from './flow-table';
import { isBehind, judgeFlow, type FlowLimits } from './judge';

/** Flows shown by name in evidence; the rest is counted. */
const SAMPLES = 5;

export interface FlowReadings {
  /** Flows of the sending node, read so long before `receiver` that what is in it isn't on its way any more. */
  readonly before: FlowTable;
  /** Flows of the receiving node. */
  readonly receiver: FlowTable;
  /** Flows of the sending node, read after `receiver`: what has ended meanwhile isn't missing. */
  readonly after: FlowTable;
  /** Flows that the comparison before found behind. Without one, what is behind now counts as behind before. */
  readonly behindBefore?: FlowTable;
}

export interface FlowDifference {
  /** Flows compared: those that the sending node had before and after. */
  readonly flows: number;
  /** Of these, not on the receiving node, or translated differently there: now, and when it was compared before. */
  readonly missing: number;
  /** Of the missing, those that the receiving node has with other addresses or ports in the reply (NAT). */
  readonly translatedDifferently: number;
  /** On both, but expiring on the receiving node too early (judge.ts): now, and when it was compared before. */
  readonly aged: number;
  /** Missing or aged now, but not when it was compared before: in a busy table there are always some. They are sent again. */
  readonly late?: number;
  /** On the receiving node alone. Harmless to what lives; a new connection that reuses such a flow's ports may be refused. */
  readonly extra: number;
  /** Seconds until the first of the compared flows expires on the receiving node, if nothing refreshes it. */
  readonly firstExpiryS?: number;
  /** Some of the missing and the aged. */
  readonly samples: readonly string[];
}

/** Names some of what differs, while the sending node is read for the second time: a table keeps no texts. */
export class FlowSamples {
  readonly #aged: string[] = [];
  readonly #absent: string[] = [];

  constructor(
    private readonly readings: Omit<FlowReadings, 'after'>,
    private readonly limits: FlowLimits,
  ) {}

  readonly notice = (key: string, timeoutS: number | undefined): void => {
    if (this.#aged.length >= SAMPLES && this.#absent.length >= SAMPLES) return;
    const { receiver, behindBefore } = this.readings;
    const before = this.readings.before.entry(key);
    const here = receiver.entry(key);
    const verdict = judgeFlow({ before, here, after: { timeoutS } }, this.limits);
    const isNew = behindBefore !== undefined && behindBefore.entry(key) === undefined;
    if (!isBehind(verdict) || isNew) return;
    if (verdict === 'missing') {
      if (this.#absent.length >= SAMPLES) return;
      this.#absent.push(`${receiver.hasOriginal(key) ? 'translated differently' : 'missing'}: ${key}`);
    } else if (this.#aged.length < SAMPLES) {
      const there = Math.min(before?.timeoutS ?? 0, timeoutS ?? 0);
      this.#aged.push(`expires in ${here?.timeoutS ?? '?'} s, on the sending node in ${there} s: ${key}`);
    }
  };

  get all(): string[] {
    return [...this.#aged, ...this.#absent];
  }
}

export interface Comparison {
  readonly difference: FlowDifference;
  /** Flows missing or aged now, whether or not they were before. */
  readonly behind: FlowTable;
}

/**
 * What the receiving node lacks, by the two kernels' own entries, not by what a daemon says of itself (facts §5: its
 * counters aren't gauges). A flow counts only if the sending node had it before and still has it after the receiving
 * node was read, so neither a flow that was just opened nor one that was just closed is a difference; and only if it was
 * behind in the comparison before as well.
 */
export async function compareFlows(
  { before, receiver, after, behindBefore }: FlowReadings,
  limits: FlowLimits,
  samples: readonly string[],
): Promise<Comparison> {
  const behind = new FlowTable();
  const counts = { flows: 0, missing: 0, translatedDifferently: 0, aged: 0, late: 0, extra: 0 };
  let firstExpiryS = Infinity;
  await before.each((flow) => {
    const here = receiver.entry(flow);
    const verdict = judgeFlow({ before: flow, here, after: after.entry(flow) }, limits);
    if (verdict === 'ended') return;
    counts.flows += 1;
    if (here !== undefined) firstExpiryS = Math.min(firstExpiryS, here.timeoutS ?? Infinity);
    if (!isBehind(verdict)) return;
    behind.set(flow, undefined);
    if (behindBefore !== undefined && behindBefore.entry(flow) === undefined) counts.late += 1;
    else if (verdict === 'aged') counts.aged += 1;
    else {
      counts.missing += 1;
      if (receiver.hasOriginal(flow)) counts.translatedDifferently += 1;
    }
  });
  await receiver.each((flow) => {
    if (before.entry(flow) === undefined && after.entry(flow) === undefined) counts.extra += 1;
  });
  const expiry = Number.isFinite(firstExpiryS) ? { firstExpiryS } : {};
  return { difference: { ...counts, ...expiry, samples }, behind };
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
    ...((d.late ?? 0) > 0 ? [`${d.late} late`] : []),
    ...(d.extra > 0 ? [`${d.extra} only there`] : []),
  ];
  return `${d.flows} flows${bad.length > 0 ? `, ${bad.join(', ')}` : ', none missing'}`;
}
