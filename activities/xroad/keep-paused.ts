/**
 * What a watch's escape does when a pause was lost: pauses again what isn't, and tells which node has run ahead of its code
 * by then (facts §6 A). A pause takes nothing away, so it is never wrong.
 */
import { defineStep, formatFaults, permanent, type Fault, type Outcome } from '../kit';
import { changelogOf } from './database';
import { packageFaults, readPackages } from './node';
import { hostOf, type XroadContext, type XroadPlan } from './plan';
import { pauseReplay } from './replay';
import { pauseSync } from './sync';

export interface KeepPausedInput {
  /** Secondaries whose own turn hasn't come yet. */
  readonly nodes: readonly string[];
}

/** Pauses replay and copying wherever they aren't. Nothing to undo: whoever paused first resumes. */
export const keepPaused = defineStep<KeepPausedInput, Record<never, never>, Outcome, XroadPlan>({
  observe: () => Promise.resolve({}),
  async act(context, { nodes }) {
    let changed = false;
    for (const node of nodes) {
      const replay = await pauseReplay.act(context, { node }, await pauseReplay.observe(context, { node }));
      const sync = await pauseSync.act(context, { node }, await pauseSync.observe(context, { node }));
      changed ||= replay.changed || sync.changed;
    }
    const ahead = (await Promise.all(nodes.map((node) => aheadFaults(context, node)))).flat();
    if (ahead.length > 0)
      throw permanent(
        'PointOfNoReturn',
        `everything is paused again, and not in time:\n${formatFaults(ahead)}\nThe other nodes serve.`,
        { faults: ahead },
      );
    return { summary: `${nodes.join(', ')}: replay and copying are paused${changed ? ' again' : ''}`, changed };
  },
  undo: (_context, { nodes }) =>
    Promise.resolve({ summary: `${nodes.join(', ')} stay paused: who paused them first resumes them`, changed: false }),
  preview: () => Promise.resolve({ commands: [], differences: [] }),
});

/** The node replayed a schema that its code doesn't know. */
async function aheadFaults(context: XroadContext, node: string): Promise<Fault[]> {
  const { plan } = context;
  const host = await hostOf(context, node);
  if (packageFaults(plan, plan.releases.to, await readPackages(plan, host)).length === 0) return [];
  const { digest, changes } = await changelogOf(plan, host);
  if (digest === plan.found[node]?.schema) return [];
  return [
    {
      where: node,
      what: `runs ${plan.releases.from} on a schema of ${changes} changes, which is newer`,
      next: 'take it out of service at once, and upgrade it next',
    },
  ];
}
