/** What the watch of an X-Road cluster asks: whether the others could carry the messages of the node that is watched. */
import { formatFaults, messageOf, type StepContext } from '../kit';
import type { ProbeServices } from '../probes';
import { othersFaults } from './guards';
import type { XroadPlan } from './plan';

/** The registry of activities knows no plan types; what is registered for a kind of cluster gets that kind's plans. */
const ofCluster = (context: unknown): StepContext<XroadPlan> => context as StepContext<XroadPlan>;

export const xroadProbes: Pick<Required<ProbeServices>, 'escapeReady'> = {
  /** The way out of a bad release is to take its node out of service: the others must be able to carry its messages. */
  async escapeReady(context, { serving }) {
    try {
      const faults = await othersFaults(ofCluster(context), serving);
      return faults.length === 0 ? { ready: true } : { ready: false, why: formatFaults(faults) };
    } catch (error) {
      context.signal.throwIfAborted();
      return { ready: false, why: messageOf(error) };
    }
  },
};
