/** What becomes of one flow of the node that serves, if the other node serves from now on. */

/** A flow as one reading of one node shows it: established TCP, or answered UDP. */
export interface FlowSeen {
  /** Seconds until the kernel forgets it if no packet comes; undefined where that isn't printed. */
  readonly timeoutS: number | undefined;
}

/** Undefined: the reading doesn't have it. */
export interface FlowReadingsOfOne {
  /** The sending node, so long before the others that what it had isn't on its way any more. */
  readonly before: FlowSeen | undefined;
  /** The receiving node. */
  readonly here: FlowSeen | undefined;
  /** The sending node, after the receiving one. */
  readonly after: FlowSeen | undefined;
}

export interface FlowLimits {
  /** A flow that expires so much earlier than on the sending node, at most, has been refreshed. */
  readonly agedMs: number;
  /** A flow that lives so long on the receiving node is safe there, however long it would live on the sending one. */
  readonly lifeNeededMs: number;
}

/**
 * `young`: opened just now, it may be on its way. `ended`: over by the time of the second reading. `missing`: its next packet
 * would be refused. `aged`: it would be forgotten before its next packet need have come.
 */
export type FlowVerdict = 'kept' | 'young' | 'ended' | 'missing' | 'aged';

/**
 * Timers of one flow may lie days apart and nothing is wrong: while data is unacknowledged the kernel lowers an established
 * flow from 432,000 s to 300 s (nf_conntrack_tcp_timeout_unacknowledged); a copy made in that moment counts down from
 * there, and the sender's goes back up with the acknowledgement. The copy's first packet renews it. So what counts is
 * whether the copy lives as long as it is needed; only below that, whether it is behind the sender's.
 */
export function judgeFlow({ before, here, after }: FlowReadingsOfOne, limits: FlowLimits): FlowVerdict {
  if (before === undefined) return 'young';
  if (after === undefined) return 'ended';
  if (here === undefined) return 'missing';
  if (here.timeoutS === undefined || here.timeoutS * 1_000 > limits.lifeNeededMs) return 'kept';
  // The smaller of the sender's two, for a packet between them resets its timer.
  const there = Math.min(before.timeoutS ?? 0, after.timeoutS ?? 0);
  return (there - here.timeoutS) * 1_000 > limits.agedMs ? 'aged' : 'kept';
}

export const isBehind = (verdict: FlowVerdict): boolean => verdict === 'missing' || verdict === 'aged';
