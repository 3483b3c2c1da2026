/** What the watch of a PAN-OS pair asks of its devices: BGP sessions of the member that serves, and whether the way back would work. */
import { messageOf, type StepContext } from '../kit';
import type { ProbeAnswers } from '../probes';
import { notAbleToServe } from './guards';
import { describe, readMember, readPair, type Member } from './pair';
import type { PanosPlan, PanosServices } from './plan';
import { peersOf } from './readiness';
import { USER_REQUESTED } from './states';

/** The registry of activities knows no plan types; what is registered for a kind of cluster gets that kind's plans. */
const ofPair = (context: unknown): StepContext<PanosPlan> => context as StepContext<PanosPlan>;

/** Why a member couldn't be brought to serve again. One that was suspended by us is made functional first. */
export function notAbleToReturn(member: Member | undefined): string | undefined {
  if (member?.answers === true && member.state === 'suspended' && member.reason === USER_REQUESTED) return undefined;
  return notAbleToServe(member);
}

export const panosProbes = (
  services: PanosServices,
): Pick<Required<ProbeAnswers>, 'bgp' | 'stateSync' | 'escapeReady'> => ({
  /** `router` names a device of the pair. A member that doesn't serve has no sessions: that is no verdict. */
  async bgp(context, probe) {
    const device = services.device(ofPair(context), probe.router);
    try {
      const peers = await peersOf(device);
      const watched = peers.filter(({ name }) => probe.peers === undefined || probe.peers.includes(name));
      const down = watched.filter(({ state }) => state !== 'Established');
      if (watched.length === 0) return { verdict: 'inconclusive', why: `${probe.router} has none of these peers` };
      if (down.length === 0) return { verdict: 'pass', value: watched.length };
      return { verdict: 'fail', why: down.map(({ name, state }) => `${probe.router} ${name}: ${state}`).join('; ') };
    } catch (error) {
      context.signal.throwIfAborted();
      return { verdict: 'inconclusive', why: messageOf(error) };
    }
  },

  /** HA itself: the member that is to serve does so, by its own word. */
  async stateSync(context, _probe, watched) {
    const asked = ofPair(context);
    const node = watched?.serving ?? asked.plan.roles.active;
    const member = await readMember(asked, services, node);
    if (!member.answers) return { verdict: 'inconclusive', why: member.why };
    const leads = member.state === 'active' || member.state === 'active-primary';
    return leads ? { verdict: 'pass' } : { verdict: 'fail', why: describe(member) };
  },

  async escapeReady(context, { escapeTo }) {
    try {
      const why = notAbleToReturn((await readPair(ofPair(context), services)).members[escapeTo]);
      return why === undefined ? { ready: true } : { ready: false, why };
    } catch (error) {
      context.signal.throwIfAborted();
      return { ready: false, why: messageOf(error) };
    }
  },
});
