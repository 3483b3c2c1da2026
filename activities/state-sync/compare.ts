import type { FlowTable } from './flow-table';

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

/** How `here` expires too early; undefined if it doesn't. Both readings of the sender, for a packet between them resets its timer. */
function aging(before: number | undefined, after: number | undefined, here: number | undefined, agedMs: number) {
  if (here === undefined) return undefined;
  const there = Math.min(before ?? 0, after ?? 0);
  return (there - here) * 1_000 <= agedMs ? undefined : { here, there };
}

/** Names some of what differs, while the sending node is read for the second time: a table keeps no texts. */
export class FlowSamples {
  readonly #aged: string[] = [];
  readonly #absent: string[] = [];

  constructor(
    private readonly before: FlowTable,
    private readonly receiver: FlowTable,
    private readonly agedMs: number,
  ) {}

  readonly notice = (key: string, timeoutS: number | undefined): void => {
    if (this.#aged.length >= SAMPLES && this.#absent.length >= SAMPLES) return;
    const before = this.before.entry(key);
    if (before === undefined) return;
    const receiver = this.receiver.entry(key);
    if (receiver === undefined) {
      if (this.#absent.length >= SAMPLES) return;
      const what = this.receiver.hasOriginal(key) ? 'translated differently' : 'missing';
      this.#absent.push(`${what}: ${key}`);
      return;
    }
    const aged = aging(before.timeoutS, timeoutS, receiver.timeoutS, this.agedMs);
    if (aged !== undefined && this.#aged.length < SAMPLES)
      this.#aged.push(`expires in ${aged.here} s, on the sending node in ${aged.there} s: ${key}`);
  };

  get all(): string[] {
    return [...this.#aged, ...this.#absent];
  }
}

/**
 * What the receiving node lacks, by the two kernels' own entries, not by what a daemon says of itself (facts §5: its
 * counters aren't gauges). A flow counts only if the sending node had it before and still has it after the receiving
 * node was read; so neither a flow that was just opened nor one that was just closed is a difference.
 */
export async function compareFlows(
  { before, receiver, after }: FlowReadings,
  agedMs: number,
  samples: readonly string[],
): Promise<FlowDifference> {
  let flows = 0;
  let missing = 0;
  let translatedDifferently = 0;
  let aged = 0;
  let extra = 0;
  let firstExpiryS = Infinity;
  await before.each((flow) => {
    const later = after.entry(flow);
    if (later === undefined) return;
    flows += 1;
    const here = receiver.entry(flow);
    if (here === undefined) {
      missing += 1;
      if (receiver.hasOriginal(flow)) translatedDifferently += 1;
      return;
    }
    firstExpiryS = Math.min(firstExpiryS, here.timeoutS ?? Infinity);
    if (aging(flow.timeoutS, later.timeoutS, here.timeoutS, agedMs) !== undefined) aged += 1;
  });
  await receiver.each((flow) => {
    if (before.entry(flow) === undefined && after.entry(flow) === undefined) extra += 1;
  });
  return {
    flows,
    missing,
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
