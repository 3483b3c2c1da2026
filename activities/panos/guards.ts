/**
 * What must hold before a member is suspended, installed on or restarted: pure, over a reading of both members themselves.
 * Each returns why not, or nothing. Source: facts/pan-os.md, section 2, invariants 1, 3, 7, 9, and section 4.1.
 */
import { transient } from '../kit';
import { isServing, isSynced, leads } from './ha';
import { describeJobs, isBlocking } from './jobs';
import { answering, describe, describePair, type Answering, type Member, type PairReading } from './pair';
import { otherThan, type PanosPlan } from './plan';
import { featureDistance } from './releases';

type Plan = Pick<PanosPlan, 'nodes' | 'panos' | 'mode' | 'hops'>;

/** Reasons for which a pair never serves together, whatever its states say. */
const MISMATCH = /mismatch|too old|loop detected|Tentative loop/i;

/** A device counts who leaves the lead again within this time (facts, section 2, timers). */
const FLAP_WINDOW_S = 15 * 60;

/** Session state of the member is complete: it can take over without losing sessions. */
const isComplete = (member: Member): boolean => member.answers && isSynced(member);

/** Why a member couldn't carry the traffic at once if the other left. */
export function notAbleToServe(member: Member | undefined): string | undefined {
  if (member?.answers !== true) return describe(member);
  if (isServing(member.state)) return undefined;
  if (member.state !== 'passive') return describe(member);
  if (!isComplete(member)) return `${member.node} is passive, but its state-sync is ${member.stateSync || 'unknown'}`;
  return undefined;
}

export interface SuspendOptions {
  /** Away from a member that flaps is where an emergency, or the way back, must lead. */
  readonly ignoreFlaps?: boolean;
}

/** Why a member may not be suspended now; its suspension must never leave the pair without one that serves. */
export function mayNotSuspend(
  plan: Plan,
  reading: PairReading,
  node: string,
  { ignoreFlaps = false }: SuspendOptions = {},
): string | undefined {
  const other = otherThan(plan, node);
  const member = reading.members[node];
  const peer = reading.members[other];
  const why = notAbleToServe(peer);
  if (why !== undefined) return why;
  if (member?.answers !== true || peer?.answers !== true) return describe(member);
  // Split brain: whoever is suspended then, what the other sees isn't what it thinks it sees.
  if (!peer.peer.connected || !member.peer.connected)
    return `the HA links between ${node} and ${other} are down (${[...member.peer.down, ...peer.peer.down].join(', ') || 'no link is named'})`;
  if (isServing(member.state) && !isServing(peer.state)) {
    const apart = featureDistance(member.version, peer.version);
    const isFar =
      apart === undefined
        ? !isHop(plan, member.version, peer.version)
        : Math.abs(apart) > plan.panos.featureReleasesApart;
    if (isFar)
      return `${node} runs ${member.version} and ${other} ${peer.version}: too far apart to hand over to each other`;
    if (peer.reason !== undefined && MISMATCH.test(peer.reason)) return describe(peer);
  }
  return ignoreFlaps || !leads(member) ? undefined : mayFlap(member);
}

/** Two releases that people said a pair goes between: of a feature release that isn't known nobody else can tell. */
const isHop = ({ hops }: Pick<PanosPlan, 'hops'>, a: string, b: string): boolean =>
  a === b || hops.some(({ from, to }) => (from === a && to === b) || (from === b && to === a));

/**
 * Why one more failover might end in "loop detected", which suspends for good. Devices count preemptions and failures, and
 * don't tell when the last failovers were; so each time must be long enough that no more than max-flaps fit into the 15
 * minutes, whoever caused them.
 */
function mayFlap({ node, maxFlaps, flaps, state, stateDuration }: Answering): string | undefined {
  if (maxFlaps === 0) return undefined;
  if (flaps >= maxFlaps)
    return `${node} has flapped ${flaps} times within 15 minutes, of ${maxFlaps} allowed (max-flaps)`;
  const enoughS = Math.ceil(FLAP_WINDOW_S / maxFlaps);
  if (stateDuration === undefined || stateDuration >= enoughS) return undefined;
  return `${node} has been ${state} for only ${stateDuration} s: no more than ${maxFlaps} failovers (max-flaps) within 15 minutes means ${enoughS} s between two`;
}

/** Why an image may not be installed on a member, or it may not be restarted: it must pass no traffic, and the other must. */
export function mayNotTakeDown(plan: Plan, reading: PairReading, node: string): string | undefined {
  const other = otherThan(plan, node);
  const member = reading.members[node];
  const peer = reading.members[other];
  if (peer?.answers !== true || !isServing(peer.state)) return `the other doesn’t serve: ${describe(peer)}`;
  if (member?.answers !== true) return describe(member);
  if (isServing(member.state)) return `it serves: ${describe(member)}`;
  // What isn't suspended may begin to serve at any moment.
  if (plan.mode === 'active-active' && member.state !== 'suspended' && member.state !== 'non-functional')
    return `it isn’t suspended: ${describe(member)}`;
  if (peer.activeJobs.some((job) => isBlocking(job, ['SWInstall'])))
    return `${other} is being installed on: ${describeJobs(peer.activeJobs)}`;
  return undefined;
}

/** @throws GuardRefused (transient) with the state of both */
export function refuse(what: string, reading: PairReading, why: string): never {
  throw transient('GuardRefused', `${what}: ${why}. Nothing was done. Now: ${describePair(reading)}`);
}

/**
 * @throws GuardRefused (transient), also while a job runs on a member that doesn't serve; moving traffic away from one that
 * does, as in an emergency, waits for no job
 */
export function assertMaySuspend(plan: Plan, reading: PairReading, node: string, options: SuspendOptions = {}): void {
  const why = mayNotSuspend(plan, reading, node, options);
  if (why !== undefined) refuse(`${node} was not suspended`, reading, why);
  if (!isServing(answering(reading, node).state)) assertNoJobs(reading, node, 'suspended');
}

/** @throws GuardRefused (transient) */
export function assertMayTakeDown(plan: Plan, reading: PairReading, node: string, what: string): void {
  const why = mayNotTakeDown(plan, reading, node);
  if (why !== undefined) refuse(`${node} was not ${what}`, reading, why);
  assertNoJobs(reading, node, what);
}

function assertNoJobs(reading: PairReading, node: string, what: string): void {
  const { activeJobs } = answering(reading, node);
  if (activeJobs.length > 0) refuse(`${node} was not ${what}`, reading, `jobs run on it: ${describeJobs(activeJobs)}`);
}
