import type { Fault, Host, StepContext } from '../kit';
import { comparing, unacknowledged } from './comparing';
import { differenceFault, type FlowDifference } from './compare';
import { statusFaults } from './daemon';
import { driverFor, driverOf, hostOf, type StateSync } from './driver';
import type { InSyncInput } from './index';
import type { StateSyncPlan, StateSyncSpec } from './spec';

/** Shortest timeouts after which the kernel forgets a flow that isn't refreshed, by protocol. */
const TIMEOUTS = {
  tcp: '/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established',
  udp: '/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream',
} as const;

/**
 * All that speaks against copying state from `from` to `to`. How much the standby lacks now is judged leniently, for
 * entries that aren't refreshed age there (facts §0.3) and the reseed before the first shift brings them back: only TCP,
 * and only when so much is missing that copying can't be working.
 */
export async function syncFaults(
  context: StepContext<StateSyncPlan>,
  { from, to, reseedEveryMs }: InSyncInput,
): Promise<{ readonly faults: readonly Fault[]; readonly difference?: FlowDifference }> {
  const { stateSync: spec } = context.plan;
  const sync = driverOf(context.plan);
  const [sender, receiver] = await Promise.all([hostOf(context, from), hostOf(context, to)]);
  const faults: Fault[] = [];
  for (const node of [sender, receiver]) {
    const status = await sync.status(node);
    for (const what of statusFaults(status, spec.variant)) faults.push({ where: node.name, what });
    faults.push(...(await timeoutFaults(node, spec, reseedEveryMs)), ...(await sendBackFaults(node, sync, spec)));
  }
  if (faults.length > 0) return { faults };
  faults.push(...(await trafficFaults(context, sync, sender, receiver)));
  const offloaded = await sync.offloaded(sender);
  if (offloaded > 0)
    faults.push({
      where: sender.name,
      what: `${offloaded} flows are offloaded (nftables flowtable): the kernel doesn’t show their state, so a copy of it can’t be complete`,
      next: 'take the flowtable out of the ruleset before upgrading',
    });
  const of = spec.variant === 'external-cache' ? 'held' : 'kernel';
  const tcpOnly = { ...spec, protocols: ['tcp' as const] };
  const comparison = await comparing(context, driverFor(tcpOnly), tcpOnly, sender, receiver, of);
  const difference = await comparison.difference();
  const unsynced = differenceFault({ ...difference, aged: 0 }, { missing: 0, missingPercent: spec.unsyncedPercent });
  if (unsynced !== undefined)
    faults.push({
      where: receiver.name,
      what: `doesn’t get the sessions of ${from}: of established TCP ${unsynced}`,
      next: 'look at conntrackd’s log on both nodes; restarting the receiving node’s daemon helps where it is stuck (facts §5)',
    });
  return { faults, difference };
}

async function timeoutFaults(node: Host, spec: StateSyncSpec, reseedEveryMs?: number): Promise<Fault[]> {
  if (reseedEveryMs === undefined) return [];
  const faults: Fault[] = [];
  for (const protocol of spec.protocols) {
    const seconds = Number((await node.readFile(TIMEOUTS[protocol])).trim());
    if (seconds * 1_000 > reseedEveryMs) continue;
    faults.push({
      where: node.name,
      what: `forgets quiet ${protocol.toUpperCase()} flows after ${seconds} s (${TIMEOUTS[protocol]}), but they are refreshed on the standby every ${reseedEveryMs / 1_000} s only`,
      next: 'reseed more often (monitoring.reseedEvery) or raise the timeout',
    });
  }
  return faults;
}

/**
 * A bulk update of some thousand flows is enough to overrun the event buffer of the daemon that receives it. Its copies,
 * sent back 30 s later as new flows, replaced every live flow of the serving node, and 20 of 20 quiet sessions broke.
 */
async function sendBackFaults(node: Host, sync: StateSync, spec: StateSyncSpec): Promise<Fault[]> {
  const seconds = await sync.sendsBackAfterS(node);
  if (seconds === undefined) return [];
  return [
    {
      where: node.name,
      what: `as standby it would replace the sessions of the serving node by its own older copies, ${seconds} s after a bulk update has overrun its event buffer (NetlinkOverrunResync in ${spec.config})`,
      next: 'set “NetlinkOverrunResync Off” in section General on both nodes and restart conntrackd, the standby’s first',
    },
  ];
}

/** Lost messages mustn't rise and queues must drain while nobody reseeds. */
async function trafficFaults(
  context: StepContext<StateSyncPlan>,
  sync: StateSync,
  sender: Host,
  receiver: Host,
): Promise<Fault[]> {
  const { stateSync: spec } = context.plan;
  const before = [await sync.status(sender), await sync.status(receiver)];
  const queued = await unacknowledged(context, sync, sender);
  await context.pause(spec.guard.sampleMs);
  const after = [await sync.status(sender), await sync.status(receiver)];
  const faults: Fault[] = [];
  if (queued !== undefined)
    faults.push({ where: sender.name, what: `${queued} messages are queued, and ${receiver.name} acknowledges none` });
  [sender, receiver].forEach((node, index) => {
    const [a, b] = [before[index], after[index]];
    if (a?.answers !== true || b?.answers !== true) return;
    const lost = b.lost - a.lost;
    const malformed = b.malformed - a.malformed;
    if (lost > 0)
      faults.push({
        where: node.name,
        what: `misses messages of the other node: ${lost} in ${spec.guard.sampleMs} ms`,
      });
    if (malformed > 0)
      faults.push({
        where: node.name,
        what: `gets malformed messages from the other node: ${malformed} in ${spec.guard.sampleMs} ms`,
        next: 'compare the versions and configurations of conntrackd on both nodes',
      });
  });
  return faults;
}
