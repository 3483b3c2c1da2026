/** Bringing the standby's session state up to date: the full form for steps, the light one for watches. */
import { failureType, messageOf, type Host, type StepContext } from '../kit';
import { takeOwnership, type OwnedHost } from '../ownership';
import { comparing, drained, untilInSync } from './comparing';
import { describeDifference, differenceFault, type FlowDifference } from './compare';
import { statusFaults, type SyncStatus } from './daemon';
import { driverOf, hostNameOf, hostOf, type StateSync } from './driver';
import { assertIdle, assertServing, type Served } from './serving';
import type { StateSyncPlan } from './spec';

/** What looks need; acts need the whole context, for they take ownership of the hosts first. */
type Context = Pick<StepContext<StateSyncPlan>, 'plan' | 'host' | 'pause' | 'progress' | 'signal'>;

export interface Direction {
  /** Node that serves. */
  readonly from: string;
  readonly to: string;
}

export interface Reseeded {
  readonly difference: FlowDifference;
  /** What the guard saw. */
  readonly forwarded: Served;
  /** Messages lost and sent again, both nodes, during this reseed. */
  readonly lost: number;
  /** Messages still queued at the end. */
  readonly queued: number;
  /** Flows that the receiving node's daemon still speaks for; 0 after a release. */
  readonly owned: number;
  /** True if flows that only the other node had were taken over first (external cache, just after a shift). */
  readonly adopted: boolean;
}

/**
 * Ownership, guard, send, commit, release, compare until stable, refresh. May be repeated at any time: everything is set,
 * nothing toggled.
 * @throws OwnedByAnother, GuardRefused, VerifyFailed, CommandFailedRetryable, CommandFailed
 */
export async function reseedFully(
  context: StepContext<StateSyncPlan>,
  { from, to }: Direction,
  release: boolean,
): Promise<Reseeded> {
  const { stateSync: spec } = context.plan;
  const sync = driverOf(context.plan);
  // A stale attempt of a lost worker mustn't send when the other node serves by now.
  const [sender, receiver] = await Promise.all([ownedHost(context, from), ownedHost(context, to)]);
  const comparison = await comparing(context, sync, spec, sender.unowned, receiver.unowned);
  context.progress(`checking that ${from} serves and ${to} doesn’t`);
  const [forwarded] = await Promise.all([
    assertServing(context, sender.unowned, receiver.unowned, spec.guard),
    // Already now, for flows must have been seen a while ago to be compared.
    comparison.readSender(),
  ]);
  const usual = await sync.queued(sender.unowned);
  const figures = () => Promise.all([sync.figures(sender.unowned), sync.figures(receiver.unowned)]);
  const [sendingBefore, receivingBefore] = await figures();
  const send = async (): Promise<void> => {
    await sync.send(sender);
    await drained(context, sync, sender.unowned, usual);
    await sync.commit(receiver);
  };
  const adopted = await adopt(context, sync, sender, receiver.unowned);
  context.progress(`sending the sessions of ${from} to ${to}`);
  await send();
  // As soon as the sender speaks for the flows (before that nobody would tell of those that end), whatever comes of the
  // comparison: what expires in the receiver's kernel, its daemon would delete in that of the node that serves (facts §12).
  // To give up flows tells the other node nothing.
  if (release) await sync.release(receiver);
  const difference = await untilInSync(context, comparison, spec, { from, to }, send);
  // Once more before a move, for the comparison took seconds: a flow that spoke in them has a fresh timer on the sender alone,
  // and may expire on the receiver before it speaks again (seen with timeouts of twice the silence).
  if (!release || (difference.late ?? 0) > 0) await send();
  // And of what committing may have made its own since.
  if (release) await sync.release(receiver);
  const [sending, receiving] = await figures();
  return {
    difference,
    forwarded,
    lost: Math.max(0, sending.lost + receiving.lost - sendingBefore.lost - receivingBefore.lost),
    queued: await sync.queued(sender.unowned),
    owned: receiving.owned,
    adopted,
  };
}

const ownedHost = async (context: StepContext<StateSyncPlan>, node: string) =>
  (await takeOwnership(context, hostNameOf(context.plan, node))).host;

/**
 * With an external cache, what was opened between the last commit and the shift is in the new node's cache alone, and its
 * packets are refused: it is committed late (facts §6 H: sessions then go on), once, and what is left of the cache is
 * dropped, for a later commit of it would bring closed flows back. Only when the other node knows flows that this one
 * doesn't: a commit replaces entries, which a node in full service shouldn't suffer without need.
 */
async function adopt(context: Context, sync: StateSync, serving: OwnedHost, other: Host): Promise<boolean> {
  const { stateSync: spec } = context.plan;
  const held = await sync.held(serving.unowned, () => false);
  if (held === undefined) return false;
  let adopted = false;
  if (held.table.size > 0) {
    // The other way round: what does the node that serves lack?
    const reverse = await comparing(context, sync, { ...spec, ignoreYoungerThanMs: 0 }, other, serving.unowned);
    const difference = await reverse.difference();
    if (difference.missing > 0) {
      context.progress(`${serving.name} takes over ${difference.missing} flows that only ${other.name} has`);
      await sync.commit(serving);
      adopted = true;
    }
  }
  await sync.forgetOther(serving);
  return adopted;
}

export interface SyncHealth {
  /** inconclusive: it couldn't be looked at, which is no verdict on the pair. */
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly why?: string;
  /** One line for people. */
  readonly summary: string;
  readonly difference?: FlowDifference;
  /** Messages found missing so far, by node: handed to the next look, which tells whether they rise. */
  readonly lost?: Readonly<Record<string, number>>;
}

/**
 * The periodic reseed of a watch: guard, send, one comparison, a second one of what is behind. With an external cache nothing is committed, for what
 * is committed to a standby's kernel stays there until it expires, closed or not. Throws nothing but the cut.
 */
export function reseedOnce(context: Context, { from, to }: Direction): Promise<SyncHealth> {
  return judged(context, async () => {
    const { stateSync: spec } = context.plan;
    const sync = driverOf(context.plan);
    const [sender, receiver] = await Promise.all([hostOf(context, from), hostOf(context, to)]);
    await assertServing(context, sender, receiver, spec.guard, 1);
    const of = spec.variant === 'external-cache' ? 'held' : 'kernel';
    const comparison = await comparing(context, sync, spec, sender, receiver, of);
    await comparison.readSender();
    const usual = await sync.queued(sender);
    const sendAndCompare = async (): Promise<FlowDifference> => {
      await sync.send(sender);
      await drained(context, sync, sender, usual);
      return comparison.difference();
    };
    let difference = await sendAndCompare();
    if (differenceFault(difference, spec.tolerance) !== undefined) difference = await sendAndCompare();
    const why = differenceFault(difference, spec.tolerance);
    const summary = `sessions of ${from} on ${to}: ${describeDifference(difference)}`;
    return why === undefined
      ? { verdict: 'pass', summary, difference }
      : { verdict: 'fail', why: `${to} doesn’t have the sessions of ${from}: ${why}`, summary, difference };
  });
}

/**
 * Whether copying works, by the daemons alone: cheap enough for every minute, and no proof that state is in sync.
 * Lost messages are repaired by the protocol; that they rise while nobody reseeds is shown, not judged.
 */
export function health(
  context: Context,
  { from, to }: Direction,
  previous?: Readonly<Record<string, number>>,
): Promise<SyncHealth> {
  return judged(context, async () => {
    const { stateSync: spec } = context.plan;
    const sync = driverOf(context.plan);
    const statuses: [string, SyncStatus][] = [];
    for (const node of [from, to]) statuses.push([node, await sync.status(await hostOf(context, node))]);
    const faults = statuses.flatMap(([node, s]) => statusFaults(s, spec.variant).map((fault) => `${node}: ${fault}`));
    const lost = Object.fromEntries(statuses.map(([node, s]) => [node, s.answers ? s.lost : 0]));
    const rising = Object.entries(lost).filter(([node, count]) => count > (previous?.[node] ?? count));
    const shown = rising.map(([node, count]) => `${node} missed ${count - (previous?.[node] ?? count)} messages`);
    const summary = ['state sync daemons answer, link is up', ...shown].join('; ');
    return faults.length === 0
      ? { verdict: 'pass', summary, lost }
      : { verdict: 'fail', why: faults.join('; '), summary: faults.join('; '), lost };
  });
}

async function judged(context: Context, look: () => Promise<SyncHealth>): Promise<SyncHealth> {
  try {
    return await look();
  } catch (error) {
    if (context.signal.aborted) throw error;
    const why = messageOf(error);
    // A silent daemon is a finding about the pair; a host that can't be reached, or a guard in doubt, isn't.
    const fails = ['CommandFailed', 'CommandFailedRetryable', 'VerifyFailed'].includes(failureType(error) ?? '');
    return { verdict: fails ? 'fail' : 'inconclusive', why, summary: why };
  }
}

/**
 * Makes `node` able to serve with what it has: commits an external cache; with direct injection it is able already.
 * For the moment before traffic moves there without a fresh reseed, as when the other node fails. Returns the flows
 * that it holds and doesn't have in its kernel afterwards.
 * @throws GuardRefused (transient) if the node serves already.
 */
export async function commitBeforeServing(
  context: StepContext<StateSyncPlan>,
  node: string,
): Promise<{ committed: boolean; lacking: number }> {
  const { stateSync: spec } = context.plan;
  if (spec.variant === 'direct') return { committed: false, lacking: 0 };
  const sync = driverOf(context.plan);
  const host = await ownedHost(context, node);
  await assertIdle(context, host.unowned, spec.guard, `committing the external cache of ${node}`);
  await sync.commit(host);
  const held = await sync.held(host.unowned, () => false);
  const kernel = await sync.flows(host.unowned, 'original', () => false);
  let lacking = 0;
  await held?.table.each((flow) => {
    if (kernel.table.entry(flow) === undefined) lacking += 1;
  });
  return { committed: true, lacking };
}
