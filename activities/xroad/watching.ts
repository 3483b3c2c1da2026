/** What the watch of an X-Road cluster asks: whether those whose turn is to come are still paused, and whether others serve. */
import { formatFaults, messageOf, type StepContext } from '../kit';
import type { ProbeServices } from '../probes';
import { othersFaults } from './guards';
import { lookAtPaused } from './paused';
import type { XroadPlan } from './plan';

type Asked = Pick<Required<ProbeServices>, 'stateSync' | 'escapeReady'>;

/** The registry of activities knows no plan types; what is registered for a kind of cluster gets that kind's plans. */
const ofCluster = (context: unknown): StepContext<XroadPlan> => context as StepContext<XroadPlan>;

export const xroadProbes: Asked = {
  /** A probe of kind `state-sync`: nodes that still run the previous release mustn't replay the new one's schema. */
  async stateSync(context, _probe, watched) {
    const waiting = watched?.waiting ?? [];
    // Before anything was paused, and after the last node's turn, there is nothing to be kept.
    return waiting.length === 0 ? { verdict: 'pass' } : lookAtPaused(ofCluster(context), waiting);
  },

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
