/** Differences that people waive by name in an upgrade of a firewall pair; a plan of a build before has no such question. */
import type { FirewallPairPlan } from '../../activities/firewall-pair';
import { record } from '../../workflows/procedure';
import { CallFailed } from '../../workflows/procedure/types';
import { firewallPair } from '../../workflows/upgrade-firewall-pair';
import type { MemoryActivity } from '../support/memory-runtime';
import { modelRun } from '../support/model-run';
import { goodWorld } from '../support/model-world';
import { pairPlan } from '../support/pair-run';
import { PairWorld } from '../support/pair-world';

interface Asked {
  readonly input: { readonly waivers?: readonly { readonly waived?: readonly string[] }[] };
}

/** A world whose checks find one difference each, of a name of its own, and note the names that they are told. */
function differing() {
  const world = new PairWorld(goodWorld);
  const told: (readonly string[])[] = [];
  const find = async ({ input: { waivers = [] } }: Asked, what: string): Promise<unknown> => {
    const waived = waivers.flatMap((one) => one.waived ?? []);
    told.push(waived);
    // The last one meets nothing new: it must be told of all that came before.
    if (told.length === 5) return { summary: 'fine', waived };
    throw new CallFailed('Waivable', 'differs', { waivable: [`${what}#${told.length}`], faults: [] });
  };
  const activities: Readonly<Record<string, MemoryActivity>> = {
    ...world.activities,
    'pair.ready.check': (call: Asked) => find(call, 'ready'),
    'parity.unchanged.check': (call: Asked) => find(call, 'unchanged'),
  };
  return { told, world: Object.assign(world, { activities }) };
}

const runOf = async (plan: FirewallPairPlan) => {
  const { told, world } = differing();
  const model = await modelRun(world, firewallPair, plan);
  return { told, model, asked: () => model.run.state.openings.at(-1) };
};

test('what is waived at one check holds at all that come after it', async () => {
  const { told, model, asked } = await runOf({ ...pairPlan(), waivers: true });
  let ended = false;
  const ending = model.ending.finally(() => (ended = true));
  for (;;) {
    await model.until(() => model.open() !== undefined || ended);
    if (ended) break;
    const opening = asked();
    if (opening?.kind === 'gate')
      model.runtime.send('approve', { opening: opening.id, digest: opening.digest.slice(0, 12), by: 'ann' });
    else model.answer('waive');
  }
  expect(await ending).toBe('Completed');
  expect(told).toEqual([
    [],
    ['ready#1'],
    ['ready#1', 'unchanged#2'],
    ['ready#1', 'unchanged#2', 'ready#3'],
    ['ready#1', 'unchanged#2', 'ready#3', 'unchanged#4'],
  ]);
});

test('a plan of a build before asks what it asked, of checks that are told nothing more', async () => {
  const { model, asked } = await runOf(pairPlan());
  await model.until(() => model.open() !== undefined);
  expect(asked()?.choices).toEqual(['retry', 'roll-back', 'stop']);
  expect(JSON.stringify(await record(firewallPair, pairPlan()))).not.toContain('waivers');
});
