/**
 * The remedy for a pause that was lost: pauses again what isn't, and tells which node has run ahead of its code
 * by then (facts §6 A). A pause takes nothing away, so it is never wrong.
 */
import { defineStep, formatFaults, type Fault, type Outcome } from '../kit';
import { changelogOf } from './database';
import { packageFaults, readPackages } from './node';
import { hostOf, type XroadContext, type XroadPlan } from './plan';
import { waitingSecondaries } from './paused';
import { pauseReplay } from './replay';
import { pauseSync } from './sync';

/** What keeping paused came to; `attention` if a node replayed what its code doesn't know before it was paused again. */
export interface KeptPaused extends Outcome {
  readonly attention?: string;
}

/** Pauses replay and copying on those that wait, wherever they aren't. Nothing to undo: whoever paused first resumes. */
export const keepPaused = defineStep<Record<never, never>, Record<never, never>, KeptPaused, XroadPlan>({
  observe: () => Promise.resolve({}),
  async act(context) {
    const seen = await waitingSecondaries(context);
    const nodes = seen.flatMap(({ node, waits }) => (waits ? [node] : []));
    let changed = false;
    for (const node of nodes) {
      const replay = await pauseReplay.act(context, { node }, await pauseReplay.observe(context, { node }));
      const sync = await pauseSync.act(context, { node }, await pauseSync.observe(context, { node }));
      changed ||= replay.changed || sync.changed;
    }
    const ahead = (await Promise.all(nodes.map((node) => aheadFaults(context, node)))).flat();
    const who = nodes.length === 0 ? 'nobody waits any more' : `${nodes.join(', ')}: replay and copying are paused`;
    // One that is restarted in its own turn can't be looked at; the guard goes on looking.
    const hidden = seen.flatMap(({ unseen }) => (unseen === undefined ? [] : [`; couldn’t look at ${unseen}`]));
    return {
      summary: `${who}${changed ? ' again' : ''}${hidden.join('')}`,
      changed,
      ...(ahead.length === 0
        ? {}
        : { attention: `Everything is paused again, but not in time:\n${formatFaults(ahead)}` }),
    };
  },
  undo: () =>
    Promise.resolve({ summary: 'those that wait stay paused: who paused them first resumes', changed: false }),
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
      next: 'does it still serve? If not, bring the nodes before it through their turns, or upgrade it by hand after 7.2.3; then go on',
    },
  ];
}
