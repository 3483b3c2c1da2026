import { defineStep, messageOf, type Outcome } from '../kit';
import { releaseOwnership, type OwnedPlan } from './index';

/**
 * The end of a run, however it ends: its owner files on the hosts of its procedure are released, so that the next run starts
 * from what it finds. A host that doesn't answer keeps its file, which the next run adopts or asks about.
 */
export const releaseStep = <Plan extends OwnedPlan>(hostsOf: (plan: Plan) => readonly string[]) =>
  defineStep<Record<never, never>, Record<never, never>, Outcome, Plan>({
    observe: () => Promise.resolve({}),
    async act(context) {
      const hosts = [...new Set(hostsOf(context.plan))];
      const results = await Promise.allSettled(hosts.map((host) => releaseOwnership(context, host)));
      context.signal.throwIfAborted();
      const kept = results.flatMap((r, i) => (r.status === 'rejected' ? [`${hosts[i]}: ${messageOf(r.reason)}`] : []));
      return {
        summary: kept.length === 0 ? 'nothing is held on any host' : `still held: ${kept.join('; ')}`,
        changed: true,
      };
    },
    undo: () => Promise.resolve({ summary: 'the next run takes what it needs', changed: false }),
    preview: () => Promise.resolve({ commands: [], differences: [] }),
  });
