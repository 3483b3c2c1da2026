/** A run goes on in another link of its chain, and after a reset, with all that decides (findings, 2026-11-29). */
import { CallFailed } from '../../workflows/procedure/types';
import { goodWorld } from '../support/model-world';
import { pairRun, type PairRun } from '../support/pair-run';

/** The server suggests another link from the next moment on at which this is asked, once. */
function nextLink(run: PairRun): void {
  const from = run.run.state.identity?.link ?? 0;
  run.runtime.isHistoryLong = () => (run.run.state.identity?.link ?? 0) === from;
}
const linked = (run: PairRun, number: number): Promise<void> =>
  run.until(() => run.run.state.identity?.link === number);

it('at a gate: the same question, by the same ID and digest, and everything that was done before is undone', async () => {
  const run = await pairRun();
  await run.until(() => run.open() === 'start#1');
  run.answer('approve');
  await run.until(() => run.open() === 'return#1');
  const before = run.run.state.openings.at(-1)!;
  const calls = run.run.state.identity?.calls ?? 0;
  nextLink(run);
  await linked(run, 1);
  await run.until(() => run.open() === 'return#1');
  expect(run.run.state.openings.at(-1)).toEqual(before);
  run.answer('reject');
  await run.until(() => run.open() === 'hold#1');
  nextLink(run);
  await linked(run, 2);
  await run.until(() => run.open() === 'hold#1');
  expect(run.run.state.identity?.calls).toBeGreaterThanOrEqual(calls);
  run.answer('roll-back', { to: 'start' });
  expect(await run.runtime.drive(run.ending)).toBe('RolledBack');
  expect([run.world.serving, run.world.nodes['fw1']?.release]).toEqual(['fw1', '1.0']);
  expect(run.world.broken).toEqual([]);
});

it('in the monitoring period: observed time goes along, and a regression after it escapes', async () => {
  let sick = false;
  const run = await pairRun({ ...goodWorld, sick: (n) => sick && n.release === '2.0' });
  for (const gate of ['start#1', 'return#1']) {
    await run.until(() => run.open() === gate);
    run.answer('approve');
  }
  await run.until(() => (run.run.state.watch?.observedMs ?? 0) > 120_000);
  const observedMs = run.run.state.watch?.observedMs ?? 0;
  nextLink(run);
  await linked(run, 1);
  expect(run.run.state.watch).toMatchObject({ on: true });
  expect(run.run.state.watch?.observedMs).toBeGreaterThanOrEqual(observedMs);
  sick = true;
  await run.until(() => run.open() === 'hold#1');
  expect(run.world.serving).toBe('fw2');
  expect(run.run.state.openings.at(-1)?.question).toContain('regression');
  expect(run.world.broken).toEqual([]);
});

it('never while something is in flight', async () => {
  const run = await pairRun();
  await run.until(() => run.open() === 'start#1');
  run.runtime.isHistoryLong = () => run.run.state.items.some((i) => i.state === 'running' && i.item.kind === 'step');
  run.answer('approve');
  await run.until(() => run.open() === 'return#1');
  expect(run.run.state.identity?.link).toBe(0);
});

it.each([
  ['no worker takes it up', () => Promise.reject(new CallFailed('Timeout:SCHEDULE_TO_START', 'no worker took it up'))],
  ['it is paused from outside while nobody has it', async () => ({ heldBack: true, why: 'paused from outside' })],
])('traffic isn’t moved before somebody has watched; people are asked (%s)', async (_, unseen) => {
  const run = await pairRun();
  const watch = run.world.activities['probes.watch.check'];
  let isThere = false;
  const activities = (run.runtime as unknown as { activities: Record<string, typeof watch> }).activities;
  activities['probes.watch.check'] = async (input, context) => {
    if (!isThere) return unseen();
    return watch!(input, context);
  };
  for (const gate of ['start#1', 'return#1']) {
    await run.until(() => run.open() === gate);
    run.answer('approve');
  }
  await run.until(() => run.open() === 'hold#1');
  expect(run.run.state.openings.at(-1)?.question).toContain('nobody watches');
  expect(run.run.state.watch?.state).toBe('blind');
  expect(run.runtime.published?.phase).toBe('held, nobody watches');
  expect(run.world.serving).toBe('fw2');
  isThere = true;
  run.answer('retry');
  await run.until(() => run.open() === 'finish#1');
  expect(run.world.serving).toBe('fw1');
  run.answer('approve');
  expect(await run.runtime.drive(run.ending)).toBe('Completed');
});
