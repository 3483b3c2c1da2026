import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gapsBeforeResets, stepsOf, tellAfterReset, tellEarlierRun } from '../../worker/earlier-run';
import { BEFORE_LIMIT_BYTES } from '../../worker/carried-steps';
import { notesOf, type Note } from '../../worker/history-notes';
import type { Histories } from '../../worker/step-ledger';
import { encrypted, HistoryBuilder } from '../support/history-builder';
import { readHistory } from '../support/histories';

const histories = (...built: readonly HistoryBuilder[]): Map<string, readonly Note[]> =>
  new Map(built.map(({ runId, events }) => [runId, notesOf(events)]));

/** A pair that was moved and whose first node was upgraded. */
const half = (runId = 'base'): { readonly base: HistoryBuilder; readonly moved: number } => {
  const base = new HistoryBuilder(runId).step('packages.stage', '02-stage', { staged: [] }, 1);
  const moved = base.lastId;
  base.step('pair.moveTraffic', '06-move', { serving: 'fw1' }, 3);
  base.step('packages.install', '08-install', { release: '1.0' }, 5);
  return { base, moved };
};

describe('what steps a history tells of', () => {
  const directory = join(__dirname, '../histories');
  const kept = readdirSync(directory).filter((name) => name.endsWith('.binpb.gz'));

  test.each(kept)('%s can be told', async (name) => {
    const { events = [] } = await readHistory(join(directory, name));
    const steps = stepsOf(events ?? []);
    expect(new Set(steps.map(({ step }) => step)).size).toBe(steps.length);
    expect(steps.filter(({ undone, before }) => undone && before !== undefined)).toEqual([]);
    const told = tellEarlierRun(new Map([['', notesOf(events ?? [])]]), '');
    // Of a run that was reset the other history isn't kept.
    if ('unknown' in told) expect(told.why).toMatch(/has not ended|can’t be read/);
    else expect(told.steps).toEqual(steps);
    if (!('unknown' in told) && steps.length > 0) expect(name).toContain(told.plan?.procedure);
  });

  const whole = kept.filter((name) => /^[a-z-]+-completed\.0\.1\.0\./.test(name));
  test.each(whole)('%s: each step of its plan was observed and acted, in order', async (name) => {
    const { events = [] } = await readHistory(join(directory, name));
    const steps = stepsOf(events ?? []);
    const items = steps.filter((step) => step.item !== undefined);
    expect(items.length).toBeGreaterThan(8);
    for (const { before, observed, acted, undone } of items)
      expect({ observed, acted, undone, before: typeof before }).toEqual({
        ...{ observed: true, acted: true, undone: false, before: 'object' },
      });
    const order = items.map(({ item }) => item ?? -1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    // The end lets go of the hosts, beside the list.
    expect(steps.at(-1)).toMatchObject({ step: expect.stringMatching(/^\d+-escape$/), observed: false, acted: true });
  });

  test('a remedy and an escape stand beside the list', async () => {
    const { events = [] } = await readHistory(join(directory, 'x-road-cluster-mended.0.1.0.binpb.gz'));
    const remedy = stepsOf(events ?? []).find(({ step }) => step.endsWith('-remedy'));
    expect(remedy).toMatchObject({ action: 'xroad.keepPaused', observed: false, acted: true });
    expect(remedy).not.toHaveProperty('item');
  });

  test('the first before counts until the step has been undone', () => {
    const built = new HistoryBuilder('a').step('a.b', '01-x', 'first').step('a.b', '01-x', 'second');
    expect(stepsOf(built.events)).toEqual([
      { item: 0, step: '01-x', action: 'a.b', before: 'first', observed: true, acted: true, undone: false },
    ]);
    built.undo('a.b', '01-x');
    expect(stepsOf(built.events)).toEqual([
      { item: 0, step: '01-x', action: 'a.b', observed: true, acted: true, undone: true },
    ]);
    built.step('a.b', '01-x', 'third');
    expect(stepsOf(built.events)).toMatchObject([{ before: 'third', undone: false, acted: true }]);
  });

  test('an observe without an act, and an act under way', () => {
    const built = new HistoryBuilder('a');
    built.answer(built.call('a.b.observe', '01-x'), null);
    built.call('a.b.observe', '02-y');
    built.answer(built.call('a.b.observe', '03-z'), { is: 1 });
    built.call('a.b.act', '03-z');
    expect(stepsOf(built.events)).toEqual([
      { item: 0, step: '01-x', action: 'a.b', before: null, observed: true, acted: false, undone: false },
      { item: 2, step: '03-z', action: 'a.b', before: { is: 1 }, observed: true, acted: true, undone: false },
    ]);
  });

  test('what is too large is left out, one by one and all together', () => {
    const built = new HistoryBuilder('a').step('a.b', '01-x', 'x'.repeat(BEFORE_LIMIT_BYTES));
    for (let n = 2; n <= 7; n++) built.step('a.b', `0${n}-y`, 'y'.repeat(BEFORE_LIMIT_BYTES - 10));
    const steps = stepsOf(built.events);
    expect(steps.map(({ tooLarge = false }) => tooLarge)).toEqual([true, false, false, false, false, true, true]);
    expect(JSON.stringify(steps).length).toBeLessThan(1_100_000);
  });

  test('a continued run knows what its input carried', () => {
    const item = (name: string) => ({ kind: 'step', name, action: 'a.b' });
    const items = [
      { item: { kind: 'check', name: 'Ready' }, state: 'done' },
      { item: item('Move it'), state: 'done', before: { value: { serving: 'fw1' } } },
      { item: item('Stage'), state: 'undone' },
      { item: item('Not yet'), state: 'pending' },
    ];
    const next = new HistoryBuilder('a').continuedAs('b', { continued: { state: { items } } });
    next.step('a.b', '05-more', 7);
    expect(stepsOf(next.events)).toEqual([
      {
        ...{ item: 1, step: '02-move-it', action: 'a.b', before: { serving: 'fw1' } },
        ...{ observed: true, acted: true, undone: false },
      },
      { item: 2, step: '03-stage', action: 'a.b', observed: false, acted: true, undone: true },
      { item: 4, step: '05-more', action: 'a.b', before: 7, observed: true, acted: true, undone: false },
    ]);
  });
});

describe('after a reset', () => {
  test('the befores of what was thrown away, and no others', () => {
    const { base, moved } = half();
    const next = base.reset(moved, 'new', (run) => run.signal());
    expect(tellAfterReset(histories(base, next), 'new', 'base')).toEqual({
      runId: 'new',
      lastCall: 6,
      steps: [
        expect.objectContaining({ step: '06-move', before: { serving: 'fw1' }, acted: true, undone: false }),
        expect.objectContaining({ step: '08-install', before: { release: '1.0' } }),
      ],
      resetAt: expect.stringMatching(/^1970-01-01T/),
      reason: 'by hand',
      adopted: [],
    });
  });

  test('what was undone there is told, also of steps from before the reset point', () => {
    const base = new HistoryBuilder('base').step('a.b', '01-x', 1, 1);
    const at = base.lastId;
    base.undo('a.b', '01-x', 7);
    const next = base.reset(at, 'new');
    expect(tellAfterReset(histories(base, next), 'new', 'base')).toMatchObject({
      lastCall: 7,
      steps: [{ step: '01-x', undone: true }],
    });
  });

  test('a call that was under way at the reset point and ended after it', () => {
    const base = new HistoryBuilder('base');
    const call = base.call('a.b.observe', '01-x', { number: 1 });
    const at = base.task().lastId;
    base.answer(call, 'found');
    const next = base.reset(at, 'new');
    expect(tellAfterReset(histories(base, next), 'new', 'base')).toMatchObject({
      steps: [{ before: 'found', acted: false }],
    });
  });

  test('the numbers of calls of a run from before core-2 are those of its activities', () => {
    const base = new HistoryBuilder('base').step('a.b', '01-x', 1).step('a.b', '02-y', 2);
    const next = base.reset(4, 'new');
    expect(tellAfterReset(histories(base, next), 'new', 'base')).toMatchObject({ lastCall: 4 });
  });

  test('reset twice: what the workflow learned after the first time isn’t told again, the rest is', () => {
    const { base, moved } = half();
    const second = base.reset(moved, 'second', (run) => run.signal());
    const learned = second.signal().task().lastId;
    second.step('packages.install', '09-other', 'b', 7);
    const third = second.reset(learned, 'third', (run) => run.signal());
    const all = histories(base, second, third);
    expect(tellAfterReset(all, 'third', 'second')).toMatchObject({
      lastCall: 8,
      steps: [{ step: '09-other' }],
    });
    expect(tellAfterReset(all, 'third', 'base')).toMatchObject({
      steps: [{ step: '06-move' }, { step: '08-install' }, { step: '09-other' }],
    });
  });

  test('what it had been left by an earlier run is told with its own, where that part was thrown away', () => {
    const base = new HistoryBuilder('base');
    const steps = [{ step: '01-x', action: 'a.b', before: 'first', observed: true, acted: true, undone: false }];
    base.answer(base.call('core.earlierRun', ''), { clean: false, firstRunId: 'a', adopted: ['a', 'z'], steps });
    base.step('a.b', '02-y', 2, 5);
    const next = base.reset(4, 'new');
    expect(tellAfterReset(histories(base, next), 'new', 'base')).toMatchObject({
      lastCall: 6,
      adopted: ['a', 'z'],
      steps: [
        { step: '01-x', before: 'first' },
        { step: '02-y', before: 2 },
      ],
    });
  });

  test('reset twice, to before the first reset point: both parts, the older before first', () => {
    const { base, moved } = half();
    const second = base.reset(moved, 'second').step('pair.moveTraffic', '06-move', { serving: 'fw2' }, 7);
    const third = second.reset(4, 'third');
    expect(tellAfterReset(histories(base, second, third), 'third', 'base')).toMatchObject({
      lastCall: 8,
      steps: [
        { step: '02-stage', before: { staged: [] } },
        { step: '06-move', before: { serving: 'fw1' } },
        { step: '08-install', before: { release: '1.0' } },
      ],
    });
  });

  test('an older link was reset: the links after it were thrown away with it', () => {
    const first = new HistoryBuilder('first').step('a.b', '01-x', 1, 1);
    const at = first.lastId;
    const items = [{ item: { kind: 'step', name: 'x', action: 'a.b' }, state: 'done', before: { value: 1 } }];
    const second = first
      .continuedAs('second', { continued: { state: { items } } })
      .step('a.b', '02-y', 2, 3)
      .terminated('history-resetter');
    const next = new HistoryBuilder('first').step('a.b', '01-x', 1, 1).reset(at, 'next');
    expect(tellAfterReset(histories(first, second, next), 'next', 'first')).toMatchObject({
      lastCall: 4,
      steps: [{ step: '02-y', before: 2 }],
    });
    expect(gapsBeforeResets(histories(first, second, next), 'next')).toEqual([]);
  });

  test('nobody knows what happened where a history is gone, encrypted, or isn’t that of a reset', () => {
    const { base, moved } = half();
    base.step('a.b', '09-z', encrypted, 9);
    const next = base.reset(moved, 'new');
    const unknown = (all: Parameters<typeof tellAfterReset>[0], from = 'base') => tellAfterReset(all, 'new', from);
    expect(unknown(histories(base, next))).toMatchObject({ unknown: true, why: expect.stringContaining('encrypted') });
    expect(
      unknown(
        new Map<string, readonly Note[] | { missing: string }>([...histories(next), ['base', { missing: 'deleted' }]]),
      ),
    ).toEqual({
      unknown: true,
      why: 'the history of run base can’t be read: deleted',
    });
    expect(unknown(histories(base, next), 'new')).toMatchObject({
      unknown: true,
      why: expect.stringMatching(/shows no reset/),
    });
    const dark = new HistoryBuilder('base');
    dark.call('a.b.act', '01-x', { input: encrypted });
    expect(unknown(histories(dark, dark.reset(4, 'new')))).toMatchObject({ unknown: true });
  });

  test('what was thrown away and is known already may be gone', () => {
    const { base, moved } = half();
    const second = base.reset(moved, 'second');
    const learned = second.lastId;
    second.step('a.b', '09-z', 9, 7);
    const third = second.reset(learned, 'third');
    const all: Histories = new Map<string, readonly Note[] | { missing: string }>([
      ...histories(second, third),
      ['base', { missing: 'deleted' }],
    ]);
    expect(tellAfterReset(all, 'third', 'second')).toMatchObject({ steps: [{ step: '09-z', before: 9 }] });
  });

  test('between the end of a run and its reset others may have been at work', () => {
    const ended = new HistoryBuilder('base').step('a.b', '01-x', 1, 1).at(2_000).terminated();
    const next = new HistoryBuilder('base').step('a.b', '01-x', 1, 1).at(5_000).reset(4, 'new');
    const all = histories(ended, next);
    expect(gapsBeforeResets(all, 'new')).toEqual([{ from: 2_000_000, to: 5_001_000 }]);
    expect(gapsBeforeResets(all, 'new', 'base')).toHaveLength(1);
    expect(gapsBeforeResets(all, 'new', 'new')).toEqual([]);
  });
});

describe('an earlier run', () => {
  const told = (built: HistoryBuilder) => tellEarlierRun(histories(built), built.runId);

  test('that was terminated half-way left this behind', () => {
    expect(told(half().base.terminated())).toMatchObject({
      clean: false,
      runId: 'base',
      firstRunId: 'base',
      adopted: ['base'],
      ended: 'TERMINATED',
      by: 'alice@desk',
      reason: 'by hand',
      plan: { cluster: 'fw', procedure: 'firewall-pair', version: '2.0' },
      lastCall: 6,
      steps: [{ step: '02-stage' }, { step: '06-move' }, { step: '08-install' }],
    });
  });

  test('left nothing behind that it didn’t undo, or that it never did', () => {
    const undone = new HistoryBuilder('a').step('a.b', '01-x', 1).undo('a.b', '01-x').terminated();
    expect(told(undone)).toMatchObject({ clean: true, steps: [{ undone: true }] });
    expect(told(new HistoryBuilder('a').terminated())).toMatchObject({ clean: true, steps: [] });
  });

  test('that failed with a report has said how it stands; without one it hasn’t', () => {
    const failed = (details: unknown): HistoryBuilder => {
      const built = half().base;
      const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(details)) };
      const applicationFailureInfo = { type: 'Stopped', details: { payloads: [payload] } };
      built.add({
        workflowExecutionFailedEventAttributes: { failure: { message: 'as it is', applicationFailureInfo } },
      });
      return built;
    };
    expect(told(failed({ ending: 'Stopped' }))).toMatchObject({ clean: true, report: 'Stopped' });
    expect(told(failed({}))).toMatchObject({ clean: false, ended: 'FAILED' });
  });

  /** Told at its start that a run before it had left the step behind. */
  const toldOf = (step: string, before: unknown): HistoryBuilder => {
    const built = new HistoryBuilder('b');
    const steps = [
      { step, action: 'a.b', before, observed: true, acted: true, undone: false },
      { step: '09-undone', action: 'a.b', observed: true, acted: true, undone: true },
    ];
    return built.answer(built.call('core.earlierRun', ''), { clean: false, steps });
  };

  test('leaves behind what it was left, until it has undone it or looked for itself', () => {
    const left = { step: '01-x', before: 'first', acted: true, undone: false };
    expect(told(toldOf('01-x', 'first').terminated())).toMatchObject({ clean: false, steps: [left] });
    const cancelled = toldOf('01-x', 'first');
    cancelled.add({ workflowExecutionCanceledEventAttributes: {} });
    expect(told(cancelled)).toMatchObject({ clean: false, steps: [left] });
    const completed = toldOf('01-x', 'first');
    completed.add({ workflowExecutionCompletedEventAttributes: {} });
    expect(told(completed)).toMatchObject({ clean: true });
    const adopted = toldOf('01-x', 'first');
    adopted.call('a.b.act', '01-x');
    expect(told(adopted.terminated())).toMatchObject({ clean: false, steps: [left] });
    // What it took over is its own: its report says how that stands.
    const takenOver = toldOf('01-x', 'first');
    takenOver.call('a.b.act', '01-x');
    takenOver.add({ workflowExecutionCanceledEventAttributes: {} });
    expect(told(takenOver)).toMatchObject({ clean: true });
    const undone = toldOf('01-x', 'first').undo('a.b', '01-x').terminated();
    expect(told(undone)).toMatchObject({ clean: true, steps: [{ step: '01-x', undone: true }] });
    const ownLook = toldOf('01-x', 'first').step('a.b', '01-x', 'own').terminated();
    expect(told(ownLook)).toMatchObject({ clean: false, steps: [{ step: '01-x', before: 'own' }] });
  });

  describe('whose hosts the next one adopts', () => {
    const left = { step: '01-x', action: 'a.b', before: 1, observed: true, acted: true, undone: false };
    const answered = (answer: unknown, run = new HistoryBuilder('b')): HistoryBuilder =>
      run.answer(run.call('core.earlierRun', ''), answer).terminated();

    test('its own, and those that it had taken over in turn; of a build that told the first run alone, too', () => {
      const chain = { clean: false, firstRunId: 'a', adopted: ['a', 'before-a'], steps: [left] };
      expect(told(answered(chain))).toMatchObject({ clean: false, adopted: ['b', 'a', 'before-a'] });
      const { adopted: _, ...older } = chain;
      expect(told(answered(older))).toMatchObject({ adopted: ['b', 'a'] });
    });

    test('not of a run that was clean, or that couldn’t be told', () => {
      for (const answer of [{ clean: true, firstRunId: 'a', steps: [] }, { unknown: true, why: 'gone' }, null, 'x'])
        expect(told(answered(answer))).toMatchObject({ adopted: ['b'] });
      const odd = { clean: false, firstRunId: 7, adopted: [null, '', 'c'], steps: [left] };
      expect(told(answered(odd))).toMatchObject({ adopted: ['b', 'c'] });
    });

    test('over a link: as its input says', () => {
      const identity = { firstRunId: 'b', adopted: ['a'] };
      const items = [{ item: { kind: 'step', name: 'X', action: 'a.b' }, state: 'pending', before: { value: 1 } }];
      const state = (more: object) => ({ continued: { state: { items, ...more } } });
      const link = (more: object): HistoryBuilder =>
        new HistoryBuilder('b').continuedAs('b-2', state(more)).terminated();
      expect(told(link({ identity }))).toMatchObject({ firstRunId: 'b', adopted: ['b', 'a'] });
      expect(told(link({}))).toMatchObject({ adopted: ['b'] });
    });

    test('hosts know a run by its first one, also after a reset; before core-2 by the one that Temporal ran', () => {
      const twice = (number?: number) => {
        const base = new HistoryBuilder('base').step('a.b', '01-x', 1, number);
        const next = base.reset(4, 'next').step('a.b', '01-x', 1, number).terminated();
        return tellEarlierRun(histories(base, next), 'next');
      };
      expect(twice(1)).toMatchObject({ adopted: ['base'] });
      expect(twice()).toMatchObject({ adopted: ['base', 'next'] });
    });

    test('not more than every call can name', () => {
      const adopted = Array.from({ length: 40 }, (_, i) => `run-${i}`);
      const told16 = told(answered({ clean: false, firstRunId: 'a', adopted, steps: [left] }));
      expect(told16).toMatchObject({ adopted: ['b', 'a', ...adopted.slice(0, 14)] });
    });
  });

  test('that was reset before it was terminated left both parts behind', () => {
    const { base, moved } = half();
    const second = base.reset(moved, 'second').step('pair.moveTraffic', '06-move', { serving: 'fw2' }, 7).terminated();
    expect(tellEarlierRun(histories(base, second), 'second')).toMatchObject({
      clean: false,
      steps: [{ step: '02-stage' }, { step: '06-move', before: { serving: 'fw1' } }, { step: '08-install' }],
    });
  });

  test('nobody knows what a run left behind that goes on, or was continued with what can’t be read', () => {
    expect(told(half().base)).toEqual({ unknown: true, why: 'run base has not ended' });
    const dark = new HistoryBuilder('a').continuedAs('b', encrypted).terminated();
    expect(told(dark)).toMatchObject({ unknown: true, why: expect.stringMatching(/continued with can’t be read/) });
  });
});
