/** Reading two nodes' flows in the order that makes their difference mean something, and judging it. */
import { permanent, transient, type Host, type StepContext } from '../kit';
import { compareFlows, describeDifference, differenceFault, FlowSamples, type FlowDifference } from './compare';
import { IDLE_QUEUE } from './daemon';
import type { FlowDump, Notice, StateSync } from './driver';
import type { FlowTable } from './flow-table';
import type { Identity } from './flows';
import { ignoring, ownAddresses } from './ignored';
import { limitsOf, type StateSyncPlan, type StateSyncSpec } from './spec';

type Pauses = Pick<StepContext<StateSyncPlan>, 'pause' | 'progress'>;

export interface Comparing {
  /** Reads the sending node once more, so that later comparisons have something to be younger than. */
  readSender(): Promise<void>;
  /** One comparison; counts what the one before found behind, too. Waits until the oldest reading of the sender is old enough. */
  difference(): Promise<FlowDifference>;
}

/** Compares what `from` serves with what `to` holds: in its kernel, or (`of: 'held'`) in what would become its kernel's. */
export async function comparing(
  pauses: Pauses,
  sync: StateSync,
  spec: StateSyncSpec,
  from: Host,
  to: Host,
  of: 'kernel' | 'held' = 'kernel',
): Promise<Comparing> {
  const ignore = ignoring([...spec.ignoreAddresses, ...(await ownAddresses([from, to]))]);
  // What is held outside the kernel is listed by its original direction alone.
  const identity: Identity = of === 'held' ? 'original' : 'both';
  const limits = limitsOf(spec);
  const readings: { at: number; table: FlowTable }[] = [];
  let behindBefore: FlowTable | undefined;
  const read = async (notice?: Notice): Promise<FlowTable> => {
    const at = performance.now();
    const table = whole(from, await sync.flows(from, identity, ignore, notice));
    readings.push({ at, table });
    return table;
  };
  const readSender = async (): Promise<void> => void (await read());
  const readReceiver = async (): Promise<FlowTable> => {
    const held = of === 'held' ? await sync.held(to, ignore) : undefined;
    return whole(to, held ?? (await sync.flows(to, identity, ignore)));
  };
  return {
    readSender,
    async difference() {
      if (readings.length === 0) await readSender();
      const age = performance.now() - (readings[0]?.at ?? 0);
      if (age < spec.ignoreYoungerThanMs) await pauses.pause(spec.ignoreYoungerThanMs - age);
      const now = performance.now();
      // The newest reading that is old enough: older ones are dropped, they would only hide flows that came since.
      while (readings[1] !== undefined && now - readings[1].at >= spec.ignoreYoungerThanMs) readings.shift();
      const before = readings[0]?.table;
      if (before === undefined) throw new Error('the sender was read before');
      const receiver = await readReceiver();
      const earlier = behindBefore === undefined ? {} : { behindBefore };
      const samples = new FlowSamples({ before, receiver, ...earlier }, limits);
      const after = await read(samples.notice);
      const { difference, behind } = await compareFlows({ before, receiver, after, ...earlier }, limits, samples.all);
      behindBefore = behind;
      return difference;
    },
  };
}

function whole(node: Host, { table, unreadable }: FlowDump): FlowTable {
  if (unreadable.length > 0)
    throw permanent(
      'CommandFailed',
      `${node.name} lists flows in a form not known here, so they can’t be compared: “${unreadable.join('”, “')}”`,
    );
  return table;
}

/**
 * Compares until the difference was within the tolerance `stableReads` times in a row. `again` is called after each
 * comparison that found something behind: it sends it once more.
 * @throws VerifyFailed (transient) when that took longer than settleTimeoutMs.
 */
export async function untilInSync(
  pauses: Pauses,
  comparison: Comparing,
  spec: StateSyncSpec,
  names: { readonly from: string; readonly to: string },
  again: () => Promise<void> = () => Promise.resolve(),
): Promise<FlowDifference> {
  const startedAt = performance.now();
  for (let inARow = 0; ;) {
    const difference = await comparison.difference();
    const fault = differenceFault(difference, spec.tolerance);
    inARow = fault === undefined ? inARow + 1 : 0;
    if (inARow >= spec.stableReads) return difference;
    pauses.progress(`comparing the sessions of ${names.from} and ${names.to}: ${describeDifference(difference)}`);
    if (fault !== undefined && performance.now() - startedAt > spec.settleTimeoutMs)
      throw transient('VerifyFailed', notInSync(names, fault, difference), difference);
    if (fault !== undefined || (difference.late ?? 0) > 0) await again();
    await pauses.pause(spec.pollIntervalMs);
  }
}

function notInSync(names: { readonly from: string; readonly to: string }, fault: string, { samples }: FlowDifference) {
  const [first] = samples;
  return `${names.to} doesn’t have the sessions of ${names.from}: ${fault}, comparison after comparison${first === undefined ? '' : `, as “${first}”`}. It must not serve; look at conntrackd’s log on both nodes. If so many don’t matter: stateSync.tolerance in the inventory`;
}

/** Looks at a queue so often: what has arrived is acknowledged within a second. */
const QUEUE_LOOKS = 20;
const QUEUE_INTERVAL_MS = 250;
/** conntrackd's default ACKWindowSize: so many messages may wait for their acknowledgement without being late. */
const ACK_WINDOW = 300;

/**
 * Waits until what was sent is on its way, some seconds at most: whether all arrived is for the comparison to say. On a busy
 * node the queue never gets empty, for new messages come while it waits; and what the window holds is on the wire, for the
 * other node acknowledges a window at a time, seconds later.
 */
export async function drained(
  pauses: Pauses,
  sync: StateSync,
  from: Host,
  usual: number,
  looks: number = QUEUE_LOOKS,
): Promise<void> {
  for (let look = 1; ; look += 1) {
    const queued = await sync.queued(from);
    if (queued <= Math.max(ACK_WINDOW, 2 * usual) || look >= looks) return;
    pauses.progress(`${from.name} is sending sessions, ${queued} messages queued`);
    await pauses.pause(QUEUE_INTERVAL_MS);
  }
}

/** Messages that wait, if their number only grows: then nobody acknowledges them. Undefined if it is seen to shrink. */
export async function unacknowledged(pauses: Pauses, sync: StateSync, from: Host): Promise<number | undefined> {
  let before = 0;
  for (let look = 0; look < QUEUE_LOOKS; look += 1) {
    const queued = await sync.queued(from);
    if (queued <= IDLE_QUEUE || queued < before) return undefined;
    before = queued;
    await pauses.pause(QUEUE_INTERVAL_MS);
  }
  return before;
}
