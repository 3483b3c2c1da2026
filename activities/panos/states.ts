/** Changing a member's HA state and seeing it through: suspend, functional, and what both lead to. */
import { permanent, type StepContext } from '../kit';
import type { PanosDevice } from './api';
import { assertMaySuspend, type SuspendOptions } from './guards';
import { describeState, isServing, isSynced } from './ha';
import { answering, describe, readPair, type Answering, type Member, type PairReading } from './pair';
import { otherThan, type PanosPlan, type PanosServices } from './plan';
import { haLeaf } from './readiness';
import { untilPair } from './wait';

const SUSPEND = '<request><high-availability><state><suspend></suspend></state></high-availability></request>';
const FUNCTIONAL = '<request><high-availability><state><functional></functional></state></high-availability></request>';
const TENTATIVE_HOLD_S = 60;
/** Reason of a suspension by an administrator or by us. */
export const USER_REQUESTED = 'User requested';

type Context = StepContext<PanosPlan>;

/**
 * Suspends a member after reading both; the other serves afterwards. Safe to repeat.
 * @throws GuardRefused (transient), NotHealthy
 */
export async function suspendMember(
  context: Context,
  services: PanosServices,
  node: string,
  options: SuspendOptions = {},
): Promise<PairReading> {
  const { plan } = context;
  const other = otherThan(plan, node);
  const device = services.device(context, node);
  const reading = await readPair(context, services);
  if (answering(reading, node).state !== 'suspended') {
    assertMaySuspend(plan, reading, node, options);
    await device.request(SUSPEND);
  }
  return untilPair(context, services, {
    what: `${node} to be suspended and ${other} to serve`,
    timeoutMs: plan.panos.timing.stateTimeoutMs,
    missing: ({ members }) => {
      const [member, peer] = [members[node], members[other]];
      if (member?.answers !== true || member.state !== 'suspended') return describe(member);
      if (peer?.answers !== true || !isServing(peer.state)) return describe(peer);
      if (plan.mode === 'active-active' && peer.state !== 'active-primary') return describe(peer);
      return peer.peer.state === 'suspended' ? undefined : `${other} still sees ${node} ${peer.peer.state}`;
    },
  });
}

/** Whether a member is where a healthy one ends up beside one that serves. */
export const isBack = (plan: Pick<PanosPlan, 'mode'>, member: Member | undefined): boolean =>
  member?.answers === true &&
  (plan.mode === 'active-passive'
    ? member.state === 'passive' || member.state === 'active'
    : member.state === 'active-secondary' || member.state === 'active-primary');

export interface ReturnOptions {
  /** Traffic is where it must be, and people wait: it isn't waited for longer than a change of state takes. */
  readonly urgent?: boolean;
}

/** So often in a row a member must be silent before it is taken for gone: one reply may be lost. */
const SILENT_LOOKS = 2;

/** What a member says that doesn't come back by itself, or not soon; undefined if it may. Pure. */
export function staysAway(member: Member | undefined, silentLooks = SILENT_LOOKS): string | undefined {
  if (member?.answers !== true)
    return silentLooks < SILENT_LOOKS ? undefined : 'look at its console: it is brought back once it answers';
  if (member.state === 'non-functional')
    return 'it is back by itself once the cause of that is gone, which somebody must look for';
  if (isSuspendedForCause(member)) return 'making it functional doesn’t cure that: its cause must be found first';
  return undefined;
}

/**
 * Brings a member back into HA: `functional` where an administrator (or we) suspended it, then waits until it is passive or
 * active-secondary (active where nobody serves) with its sessions synchronized. Tentative is normal for its hold time.
 * @throws NotHealthy (permanent) for a suspension that `functional` doesn't cure, or if it doesn't come back in time
 */
export async function returnToHa(
  context: Context,
  services: PanosServices,
  node: string,
  { urgent = false }: ReturnOptions = {},
): Promise<PairReading> {
  const { plan } = context;
  const { rejoinTimeoutMs, stateTimeoutMs, settledLooks } = plan.panos.timing;
  const timeoutMs = urgent ? stateTimeoutMs : rejoinTimeoutMs;
  const other = otherThan(plan, node);
  const device = services.device(context, node);
  let silentLooks = 0;
  const mayBeCured = ({ members }: PairReading): string | undefined => {
    const member = members[node];
    silentLooks = member?.answers === true ? 0 : silentLooks + 1;
    const why = urgent ? staysAway(member, silentLooks) : undefined;
    if (why !== undefined) throw permanent('NotHealthy', why);
    if (member?.answers !== true) return describe(member);
    if (member.state === 'initial' || member.state === 'unknown') return describe(member);
    assertCurable(node, member);
    return undefined;
  };
  const settled = await untilPair(context, services, {
    what: `${node} to have settled after its start`,
    timeoutMs,
    missing: mayBeCured,
  });
  const holdMs = plan.mode === 'active-active' && !urgent ? await tentativeHoldMs(device) : 0;
  if (answering(settled, node).state === 'suspended') await device.request(FUNCTIONAL);
  return untilPair(context, services, {
    what: `${node} to be back in HA`,
    timeoutMs: timeoutMs + holdMs,
    looks: urgent ? 1 : settledLooks,
    missing: (reading) => {
      const member = reading.members[node];
      const peer = reading.members[other];
      const why = mayBeCured(reading);
      if (why !== undefined) return why;
      if (!isBack(plan, member)) return describe(member);
      const complete = member?.answers === true && isSynced(member);
      // Nobody serves beside it: there are no sessions to wait for.
      const alone = peer?.answers !== true || !isServing(peer.state);
      if (!alone && !complete) return describe(member);
      return member?.answers === true && !alone && !member.peer.connected
        ? `its HA links are down: ${member.peer.down.join(', ')}`
        : undefined;
    },
  });
}

/** Active/active: how long it is tentative, synchronization apart. The vendor's default where nothing is configured. */
async function tentativeHoldMs(device: PanosDevice): Promise<number> {
  const seconds = Number((await haLeaf(device, 'mode/active-active/tentative-hold-time')) ?? TENTATIVE_HOLD_S);
  return 1_000 * (Number.isFinite(seconds) ? seconds : TENTATIVE_HOLD_S);
}

type Suspension = Pick<Answering, 'state' | 'reason'>;

/** Suspended by something else than a person or us. */
const isSuspendedForCause = ({ state, reason }: Suspension): boolean =>
  state === 'suspended' && reason !== USER_REQUESTED;

/** @throws NotHealthy (permanent) for a suspension that `functional` doesn’t cure: somebody must look into it */
export function assertCurable(node: string, member: Suspension): void {
  if (!isSuspendedForCause(member)) return;
  throw permanent(
    'NotHealthy',
    `${node} is ${member.state} (${member.reason ?? 'no reason given'}): making it functional doesn’t cure that. Its cause must be found first; the other member was not touched`,
  );
}

export { describeState };
