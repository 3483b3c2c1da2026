/** What the watch of a PAN-OS pair asks of its devices: BGP sessions of the member that serves, and whether the way back would work. */
import { messageOf, type StepContext } from '../kit';
import type { Measurement, ProbeAnswers } from '../probes';
import { notAbleToServe } from './guards';
import { isServing } from './ha';
import { describe, describePair, readPair, servingMembers, type Member, type PairReading } from './pair';
import type { PanosPlan, PanosServices } from './plan';
import { owned, preemptsBack } from './owned';
import { peersOf } from './readiness';
import { isBack, USER_REQUESTED } from './states';

/** The registry of activities knows no plan types; what is registered for a kind of cluster gets that kind's plans. */
const ofPair = (context: unknown): StepContext<PanosPlan> => context as StepContext<PanosPlan>;

/** Why a member couldn't be brought to serve again. One that was suspended by us is made functional first. */
export function notAbleToReturn(member: Member | undefined): string | undefined {
  if (member?.answers === true && member.state === 'suspended' && member.reason === USER_REQUESTED) return undefined;
  return notAbleToServe(member);
}

/** Within this time of a change the other one may still be about to take over. */
const TAKEOVER_S = 5;

/** Whether nobody serves, by the word of both, and longer than a failover takes. Pure. */
export const isCertainlyDown = ({ members }: PairReading): boolean =>
  Object.values(members).every(
    (member) => member.answers && !isServing(member.state) && (member.stateDuration ?? 0) >= TAKEOVER_S,
  );

/** HA isn't as it must be. What both say is certain isn't left to the tolerance: whoever could serve should do so at once. */
const failed = (reading: PairReading): Measurement => ({
  verdict: 'fail',
  why: describePair(reading),
  ...(isCertainlyDown(reading) ? { certain: true } : {}),
});

export const panosProbes = (
  services: PanosServices,
): Pick<Required<ProbeAnswers>, 'bgp' | 'stateSync' | 'escapeReady' | 'owned'> => ({
  /**
   * `router` names a device of an active/active pair, whose sessions are its own. Those of an active/passive pair move with
   * the role: whichever device serves is asked. One that doesn't serve has none, which is no verdict.
   */
  async bgp(context, probe) {
    const asked = ofPair(context);
    try {
      const [serving] = servingMembers(await readPair(asked, services)).filter(
        ({ node }) => asked.plan.mode === 'active-passive' || node === probe.router,
      );
      if (serving === undefined) return { verdict: 'inconclusive', why: `${probe.router} doesn’t serve` };
      const peers = await peersOf(services.device(asked, serving.node));
      const watched = peers.filter(({ name }) => probe.peers === undefined || probe.peers.includes(name));
      const down = watched.filter(({ state }) => state !== 'Established');
      if (watched.length === 0) return { verdict: 'inconclusive', why: `${serving.node} has none of these peers` };
      if (down.length === 0) return { verdict: 'pass', value: watched.length };
      return { verdict: 'fail', why: down.map(({ name, state }) => `${serving.node} ${name}: ${state}`).join('; ') };
    } catch (error) {
      context.signal.throwIfAborted();
      return { verdict: 'inconclusive', why: messageOf(error) };
    }
  },

  /** HA itself: the member that is watched leads, by its own word; before and after the watch, one of them does. */
  async stateSync(context, _probe, watched) {
    const asked = ofPair(context);
    const reading = await readPair(asked, services);
    const [leads] = servingMembers(reading).filter(({ state }) => state !== 'active-secondary');
    if (watched === undefined) return leads === undefined ? failed(reading) : { verdict: 'pass' };
    if (leads?.node === watched.serving) return { verdict: 'pass' };
    const member = reading.members[watched.serving];
    if (member?.answers !== true) return { verdict: 'inconclusive', why: describe(member) };
    // The watch begins before traffic has moved: until then the other one leads, and this one is well.
    if (leads?.node === watched.escapeTo && isBack(asked.plan, member))
      return { verdict: 'inconclusive', why: `${watched.escapeTo} leads still` };
    return failed(reading);
  },

  owned: (context, watched) => owned(ofPair(context), services, watched),

  async escapeReady(context, watched) {
    try {
      const reading = await readPair(ofPair(context), services);
      const why =
        notAbleToReturn(reading.members[watched.escapeTo]) ?? preemptsBack(ofPair(context).plan, reading, watched);
      return why === undefined ? { ready: true } : { ready: false, why };
    } catch (error) {
      context.signal.throwIfAborted();
      return { ready: false, why: messageOf(error) };
    }
  },
});
