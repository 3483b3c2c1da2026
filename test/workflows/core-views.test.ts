/** What people are shown of a run: the step that it is about, and what came of each, also after it was undone. */
import { reportView, statusView } from '../../workflows/procedure/views';
import { goodWorld } from '../support/model-world';
import { pairRun, type PairRun } from '../support/pair-run';

async function approve(run: PairRun, ...openings: string[]): Promise<void> {
  for (const id of openings) {
    await run.until(() => run.open() === id);
    run.answer('approve');
  }
}
const failing = (activity: string) => ({
  ...goodWorld,
  fault: (name: string) => (name === activity ? 'permanent' : 'none') as 'none',
});
const row = (view: { readonly steps: ReturnType<typeof statusView>['steps'] }, name: RegExp) =>
  view.steps.find((s) => name.test(s.name))!;

it('while people are asked after a failure, it is about the step that failed', async () => {
  const run = await pairRun(failing('install'));
  await approve(run, 'start#1');
  await run.until(() => run.open() === 'hold#1');
  const view = statusView(run.run);
  expect(view.step.name).toMatch(/^Install|^Upgrade/);
  expect(row(view, new RegExp(`^${view.step.name}$`)).failure).toBeDefined();
  expect(view.sentence).toMatch(/^Waiting for people/);
});

it('at a gate it says that it waits, and is about the gate', async () => {
  const run = await pairRun();
  await run.until(() => run.open() === 'start#1');
  const view = statusView(run.run);
  expect([view.step.name, view.phase]).toEqual(['Gate start', 'forward']);
  expect(view.sentence).toMatch(/^Waiting for people/);
});

it('a run that was rolled back still tells what its steps had done, who wanted it, and what was asked', async () => {
  const run = await pairRun();
  await approve(run, 'start#1');
  await run.until(() => run.open() === 'return#1');
  const moved = row(statusView(run.run), /^Move traffic to fw2/).summary;
  expect(moved).toBeDefined();
  run.answer('reject', { comment: 'not today' });
  await run.until(() => run.open() === 'hold#1');
  run.answer('roll-back');
  expect(await run.runtime.drive(run.ending)).toBe('RolledBack');
  const report = reportView(run.run);
  const step = row(report, /^Move traffic to fw2/);
  expect(step).toMatchObject({ state: 'undone', summary: moved });
  expect(Date.parse(step.undo!.at)).toBeGreaterThan(Date.parse(step.endedAt!));
  expect(report.steps.map((s) => s.state)).not.toContain('running');
  expect(report.watch?.escape).toBeUndefined();
  expect(report.answers.map((a) => a.question)).toContainEqual(expect.stringContaining('not today'));
});

it('traffic that was moved away is told with its reason, and the nodes with their age', async () => {
  const run = await pairRun({ ...goodWorld, sick: (n, _, now) => n.release === '2.0' && now > 2_000_000 });
  await approve(run, 'start#1', 'return#1');
  await run.until(() => run.open() === 'hold#1');
  const view = statusView(run.run);
  expect(view.escapes).toEqual([
    {
      at: expect.any(String) as string,
      why: expect.stringContaining('regression') as string,
      outcome: expect.any(String) as string,
    },
  ]);
  expect(Date.parse(view.nodesAsOf!)).toBeGreaterThanOrEqual(Date.parse(view.escapes![0]!.at));
});
