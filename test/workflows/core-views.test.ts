/** What people are shown of a run: the step that it is about, and what came of each, also after it was undone. */
import type { ChoiceView, StatusView } from '../../workflows/contract';
import { details } from '../../workflows/procedure/details';
import { reportView } from '../../workflows/procedure/report';
import { statusView } from '../../workflows/procedure/views';
import { goodWorld } from '../support/model-world';
import { pairPlan, pairRun, type PairRun } from '../support/pair-run';
import { panosRun } from '../support/panos-run';

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
  expect(view.sentence).toMatch(
    /^Step 8 of 24, Upgrade fw1 to 2.0, FAILED \(what it began was undone\): install failed for good; traffic is on fw2, which runs 1.0 \(read \d\d:\d\dZ\)\.$/,
  );
});

it('at a gate it says that it waits, and is about the gate', async () => {
  const run = await pairRun();
  await run.until(() => run.open() === 'start#1');
  const view = statusView(run.run);
  expect([view.step.name, view.phase, view.doing]).toEqual(['Gate start', 'forward', 'waiting for people']);
  expect(view.sentence).toBe('Waiting for approval: Upgrade fw-dc1 from 1.0 to 2.0? Traffic moves to fw2 first.');
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
  expect(report.sentence).toBe(
    'Rolled back to the start: gate return was rejected by ann: not today; ann chose roll-back.',
  );
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

const sick = {
  ...goodWorld,
  sick: (n: { release: string }, _: string, now: number) => n.release === '2.0' && now > 2_000_000,
};
async function regressed(): Promise<PairRun> {
  const run = await pairRun(sick);
  await approve(run, 'start#1', 'return#1');
  await run.until(() => run.open() === 'hold#1');
  return run;
}
const answersOf = (view: StatusView): readonly ChoiceView[] => view.waitingFor[0]?.answers ?? [];

describe('what has happened, in one sentence', () => {
  it('a regression: which probe, and who serves now, on what', async () => {
    const run = await regressed();
    const view = statusView(run.run);
    expect(view.sentence).toMatch(/^REGRESSION: fw1 is sick; traffic is on fw2, which runs 1\.0 \(read 00:33Z\)\.$/);
    expect(view.doing).toBe('held: people decide');
    expect(view.wait).toBeUndefined();
    // Nothing is under way any more at the gate that it interrupted.
    expect(row(view, /^Gate finish/).state).toBe('cut');
  });

  it('going forward: the step, and how far a period is by what was reported, at whatever time it is asked', async () => {
    const run = await pairRun(undefined, pairPlan({}, 86_400_000));
    await approve(run, 'start#1', 'return#1');
    await run.until(() => run.run.state.items.some(({ item, state }) => item.kind === 'wait' && state === 'running'));
    const at = run.run.now();
    const view = statusView(run.run);
    expect(view.sentence).toMatch(/^Step 15 of 24: Monitoring period, 0 % as of \d\d:\d\dZ\.$/);
    expect(view.wait).toMatchObject({ counting: false, asOf: view.watch?.asOf });
    const later = statusView({ ...run.run, now: () => at + 40_000_000, state: run.run.state });
    expect(later.wait).toEqual(view.wait);
    expect(details(later)).toContain('Monitoring period: **0 %**, 0 ms of 1 d, 1 d left as of');
    await run.until(() => (run.run.state.watch?.report?.observedMs ?? 0) > 21_600_000);
    expect(statusView(run.run).sentence).toMatch(/Monitoring period, (2[4-9]|[3-9]\d) % as of/);
  });

  it('a pause, and what it is at', async () => {
    const run = await pairRun();
    await run.until(() => run.open() === 'start#1');
    run.runtime.send('pause', { by: 'bob', reason: 'storm' });
    expect(statusView(run.run).sentence).toMatch(/^Waiting for approval: .* It is paused, too\.$/);
    run.answer('approve');
    await run.until(() => statusView(run.run).waitingFor.length === 1);
    expect(statusView(run.run)).toMatchObject({
      sentence: 'Paused by bob: storm. Step 6 of 24: Move traffic to fw2.',
      doing: 'going forward, paused',
      phase: 'forward, paused',
    });
  });

  it('an undo that failed', async () => {
    const run = await pairRun({
      ...goodWorld,
      fault: (name) => (name === 'install' ? 'late' : name === 'install-undo' ? 'permanent' : 'none'),
    });
    await approve(run, 'start#1');
    await run.until(() => run.open() === 'hold#1');
    const view = statusView(run.run);
    expect(view.sentence).toMatch(
      /^Undoing “Upgrade fw1 to 2\.0” FAILED: install-undo failed for good\. Traffic is on fw2, which runs 1\.0/,
    );
    expect(answersOf(view).map(({ choice, means }) => [choice, means])).toEqual([
      ['retry', 'tries again to undo “Upgrade fw1 to 2.0”'],
      ['skip', 'leaves it as it is, NOT undone; people are asked what now; say why'],
      ['stop', 'ends the run as it stands: nothing is undone, nothing more is done'],
    ]);
  });

  it('traffic that could not be moved away', async () => {
    const moves = { count: 0 };
    const run = await pairRun({
      ...sick,
      fault: (name) => (name === 'move' && ++moves.count > 2 ? 'permanent' : 'none'),
    });
    await approve(run, 'start#1', 'return#1');
    await run.until(() => run.open() === 'hold#1');
    const view = statusView(run.run);
    expect(view.sentence).toMatch(
      /^REGRESSION: fw1 is sick; moving traffic away FAILED: move failed for good; traffic is on/,
    );
    expect(answersOf(view)[0]).toMatchObject({ choice: 'escape-again', means: 'tries again to move traffic away' });
  });

  it('a switch back, by whom and why', async () => {
    const run = await pairRun(undefined, pairPlan({}, 86_400_000));
    await approve(run, 'start#1', 'return#1');
    await run.until(() => run.run.state.items.some(({ item, state }) => item.kind === 'wait' && state === 'running'));
    run.runtime.send('switchBack', { by: 'bob', reason: 'users complain' });
    await run.until(() => run.open() === 'hold#1');
    expect(statusView(run.run).sentence).toMatch(/^Switched back: bob said: users complain; traffic is on fw2/);
  });

  it.each([
    [
      'stop',
      'Stopped',
      /^Stopped as it stands: REGRESSION: fw1 is sick; bob chose stop: enough\. Nothing more is done/,
    ],
    ['roll-back', 'RolledBack', /^Rolled back to gate return: REGRESSION: fw1 is sick; bob chose roll-back: enough\.$/],
  ])('the end by %s: why, and by whose word', async (choice, ending, sentence) => {
    const run = await regressed();
    run.answer(choice, { by: 'bob', comment: 'enough' });
    expect(await run.runtime.drive(run.ending)).toBe(ending);
    expect(reportView(run.run).sentence).toMatch(sentence);
    const page = details(statusView(run.run));
    // An ended run is at no step, and waits for nothing.
    expect(page).not.toMatch(/under way|to come|press R/);
    expect(page).toContain('not begun');
  });

  it('of a run that came to its end', async () => {
    const run = await pairRun();
    await approve(run, 'start#1', 'return#1', 'finish#1');
    expect(await run.runtime.drive(run.ending)).toBe('Completed');
    expect(reportView(run.run)).toMatchObject({
      sentence: expect.stringMatching(/^Upgraded: every node runs 2\.0; traffic is on fw1, which runs 2\.0/) as string,
      doing: 'upgraded',
    });
  });
});

describe('each choice', () => {
  it('has its own message, which the run takes as it stands but for the name; none is the default', async () => {
    const run = await regressed();
    const answers = answersOf(statusView(run.run));
    expect(answers.map(({ choice, to }) => [choice, to])).toEqual([
      ['roll-back', undefined],
      ['roll-back', 'start'],
      ['stop', undefined],
      ['retry', undefined],
    ]);
    expect(answers.map(({ means }) => means)).toEqual([
      'undoes “Move traffic back to fw1”, back to gate return, and ends the run',
      'undoes 5 steps, from “Move traffic back to fw1” to “Move traffic to fw2”, back to the start, and ends the run',
      'ends the run as it stands: nothing is undone, nothing more is done',
      'does it all again from “Move traffic back to fw1” on: TRAFFIC MOVES to what has just failed',
    ]);
    const [, toStart] = answers;
    run.runtime.send(toStart!.signal, { ...toStart!.message, by: 'bob' });
    expect(await run.runtime.drive(run.ending)).toBe('RolledBack');
    expect(run.run.state.refused).toEqual([]);
    expect(reportView(run.run).sentence).toMatch(/^Rolled back to the start: REGRESSION/);
  });

  it.each(['approve', 'reject'])('of a gate: %s', async (choice) => {
    const run = await pairRun();
    await run.until(() => run.open() === 'start#1');
    const found = answersOf(statusView(run.run)).find((a) => a.choice === choice);
    run.runtime.send(found!.signal, { ...found!.message, by: 'bob' });
    await run.until(() => run.open() !== 'start#1');
    expect(run.run.state.openings[0]?.outcome?.choice).toBe(choice);
  });

  it('of a pause', async () => {
    const run = await pairRun();
    await run.until(() => run.open() === 'start#1');
    run.runtime.send('pause', { by: 'bob', reason: 'storm' });
    const pause = statusView(run.run).waitingFor.find((o) => o.kind === 'pause');
    run.runtime.send('resume', { ...pause?.answers?.[0]?.message, by: 'bob' });
    expect(statusView(run.run).waitingFor.map((o) => o.id)).toEqual(['start#1']);
  });

  it('says what the policy makes of a rejection', async () => {
    const run = await pairRun(undefined, pairPlan({ gates: { start: { count: 1, onReject: 'stop' } } }));
    await run.until(() => run.open() === 'start#1');
    const [approves, rejects] = answersOf(statusView(run.run));
    expect(approves?.means).toBe('goes on; the next change is “Move traffic to fw2”');
    expect(rejects?.means).toMatch(/^ends the run as it stands/);
  });
});

describe('the page', () => {
  it('says first what has happened, then what is asked and how to answer, then where it stands', async () => {
    const run = await regressed();
    const page = details(statusView(run.run));
    const order = [
      '**REGRESSION: fw1 is sick; traffic is on fw2',
      'Z; press R to reload this page.',
      '**Waiting for people: hold\\#1**',
      'What now?',
      '"choice":"stop"}`',
      '| node | release | serving |',
      'Watch “Watch 2.0 on fw1”: **REGRESSION**',
      'Steps 1–15 done (last: Monitoring period, 00:10Z).',
      'Step 16 **cut off**: Gate finish.',
      'Steps 17–24 to come',
      'hitless status fw-dc1',
    ].map((part) => page.indexOf(part));
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    // Tables begin where a paragraph has ended.
    expect(page).toContain(':\n\n| node');
  });

  it('shows the last refusal above the fold, with how many there were', async () => {
    const run = await pairRun();
    await run.until(() => run.open() === 'start#1');
    for (let i = 0; i < 30; i++)
      run.runtime.send('approve', { opening: 'start#1', digest: '000000000000', by: `p${i} <img> [x](http://evil)` });
    const page = details(statusView(run.run));
    expect(page).toMatch(
      /\*\*Refused\*\* 1970-01-01 [\d:]+Z: approve by p29 \\<img\\> .*: the digest of .* \(30 refused in all\)/,
    );
    expect(page.indexOf('**Refused**')).toBeLessThan(page.indexOf('| node'));
  });

  it('keeps a long question’s end, and never cuts a word', async () => {
    const run = await panosRun();
    await run.until(() => run.open() === 'start#1');
    const view = statusView(run.run);
    const why = 'fw-b is non-functional (Dataplane down: brdagent exiting). '.repeat(60);
    const [o] = view.waitingFor;
    const page = details({ ...view, sentence: 'Held.', waitingFor: [{ ...o!, question: `${why}What now?` }] });
    expect(Buffer.byteLength(page)).toBeLessThan(2_500);
    expect(page).toMatch(/exiting\\\)\. …/);
  });
});
