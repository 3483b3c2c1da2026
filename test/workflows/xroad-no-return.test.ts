/** A start after a run of an X-Road cluster that was terminated behind its point of no return. */
import { xroadCluster } from '../../workflows/upgrade-xroad-cluster';
import { stepKey } from '../../workflows/procedure/wire';
import { clusterPlan, clusterRun, type ClusterRun } from '../support/cluster-run';
import { modelRun } from '../support/model-run';

/** What histories tell of it. */
const leftBy = ({ run }: ClusterRun) =>
  run.state.items.flatMap(({ item, before }, index) =>
    before === undefined
      ? []
      : [{ step: stepKey(index, item.name), item: index, before: before.value, acted: true, undone: false }],
  );

/** The same cluster, upgraded again after the run before was terminated at this gate. */
async function again(gate: string): Promise<ClusterRun> {
  const terminated = await clusterRun();
  for (let open = ''; open !== gate;) {
    await terminated.until(() => terminated.open() !== undefined);
    open = terminated.open() ?? '';
    if (open !== gate) terminated.answer('approve');
  }
  terminated.world.acts.splice(0);
  const run = await modelRun(terminated.world, xroadCluster, clusterPlan(), {
    inherited: { from: 'earlier run', runId: 'run-1', earlierRunId: 'old', lastCall: 0, steps: leftBy(terminated) },
  });
  await run.until(() => run.open() === 'start#1');
  return run;
}

it('has that point behind it: a cancel is a hold, and nothing is undone', async () => {
  const run = await again('secondaries#1');
  expect(run.run.state.openings.at(-1)?.question).toContain('The point of no return is behind: nothing is undone');
  run.runtime.cancel();
  await run.until(() => run.open() === 'hold#1');
  const { question, choices } = run.run.state.openings.at(-1)!;
  expect(question).toContain('cancel was asked for, but the point of no return is behind');
  expect(choices).toEqual(['retry', 'stop']);
  run.answer('stop');
  expect(await run.runtime.drive(run.ending)).toBe('Stopped');
  expect(run.world.acts.filter((act) => /undo/.test(act))).toEqual([]);
});

it('a rejection that means roll-back by policy is a hold, too', async () => {
  const run = await again('secondaries#1');
  run.answer('reject');
  await run.until(() => run.open() === 'hold#1');
  expect(run.run.state.openings.at(-1)?.choices).toEqual(['retry', 'stop']);
  expect(run.world.acts.filter((act) => /undo/.test(act))).toEqual([]);
});

it('and can be finished', async () => {
  const run = await again('secondaries#1');
  for (const gate of ['start#1', 'secondaries#1', 'next#1']) {
    await run.until(() => run.open() !== undefined && run.open() === gate);
    run.answer('approve');
  }
  expect(await run.runtime.drive(run.ending)).toBe('Completed');
  expect(run.world.broken).toEqual([]);
});
