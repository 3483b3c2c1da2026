/** Which runs are asked about, and what happens where they can't be. */
import { afterReset, earlierRun, HistoryGone, resetFrom, type HistoryService } from '../../worker/histories';
import type { HistoryEvent } from '../../worker/history-notes';
import { HistoryBuilder } from '../support/history-builder';

const nothing = (): void => undefined;
const input = { workflowId: 'upgrade-fw', runId: 'now' };

/** Temporal with these runs, the oldest first; each page has three events. */
function temporal(...runs: readonly HistoryBuilder[]): HistoryService & { readonly read: string[] } {
  const read: string[] = [];
  const of = (runId: string): readonly HistoryEvent[] => {
    const run = runs.find((each) => each.runId === runId);
    if (run === undefined) throw new HistoryGone(`${runId} is gone`);
    return run.events;
  };
  return {
    read,
    async *pages(_workflowId, runId) {
      read.push(runId);
      const events = of(runId);
      for (let at = 0; at < events.length; at += 3) yield await Promise.resolve(events.slice(at, at + 3));
    },
    runs: () => Promise.resolve(runs.map(({ runId }, index) => ({ runId, startedAt: index * 1_000 }))),
    firstRunOf: (_workflowId, runId) =>
      Promise.resolve(of(runId)[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? ''),
  };
}

const now = new HistoryBuilder('now');
const halfDone = (runId = 'half'): HistoryBuilder => new HistoryBuilder(runId).step('a.b', '01-x', runId).terminated();

test('the first run of all comes after none', async () => {
  expect(await earlierRun(temporal(now), input, nothing)).toEqual({ clean: true });
});

test('the last run counts, and its own links don’t', async () => {
  const service = temporal(halfDone('older'), halfDone('newer'), now, now.continuedAs('link'));
  expect(await earlierRun(service, input, nothing)).toMatchObject({ clean: false, runId: 'newer' });
  expect(service.read).toEqual(['newer']);
});

test('a run that did nothing doesn’t hide what the one before it left behind', async () => {
  const idle = new HistoryBuilder('idle').terminated();
  const failed = new HistoryBuilder('failed');
  failed.add({ workflowExecutionFailedEventAttributes: { failure: { message: 'WrongWorkflowId' } } });
  const service = temporal(halfDone(), idle, failed, now);
  expect(await earlierRun(service, input, nothing)).toMatchObject({ clean: false, runId: 'half' });
  expect(await earlierRun(temporal(idle, now), input, nothing)).toEqual({ clean: true });
});

test('a run that was deleted can’t be told', async () => {
  const service = temporal(halfDone(), now);
  const runs = () => Promise.resolve([{ runId: 'deleted', startedAt: 5 }]);
  expect(await earlierRun({ ...service, runs }, input, nothing)).toEqual({ unknown: true, why: 'deleted is gone' });
});

test('a run that begins after a reset is told of which; one that was never reset isn’t', async () => {
  const base = halfDone('base');
  const second = base.reset(4, 'second').step('a.b', '01-x', 1);
  const third = second.reset(second.lastId, 'third');
  const service = temporal(base, second, third);
  expect(await resetFrom(service, 'upgrade-fw', 'base')).toBeUndefined();
  expect(await resetFrom(service, 'upgrade-fw', 'second')).toBe('base');
  // All that the first one did is news to it, and what the second did, too.
  expect(await resetFrom(service, 'upgrade-fw', 'third')).toBe('base');
});

test('a server that doesn’t answer is no answer: it is asked again', async () => {
  const service = temporal(halfDone(), now);
  const broken = { ...service, runs: () => Promise.reject(new Error('UNAVAILABLE')) };
  await expect(earlierRun(broken, input, nothing)).rejects.toThrow('UNAVAILABLE');
  const noPages: HistoryService = {
    ...service,
    pages: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('UNAVAILABLE')) }) }),
  };
  await expect(afterReset(noPages, { ...input, from: 'half' }, nothing)).rejects.toThrow('UNAVAILABLE');
});

test('it ends between two pages when it is cut', async () => {
  const service = temporal(halfDone(), now);
  let pages = 0;
  const cut = (): void => {
    if (++pages === 3) throw new Error('cut');
  };
  await expect(earlierRun(service, input, cut)).rejects.toThrow('cut');
});

test('a chain of resets without end isn’t read without end', async () => {
  let run = halfDone('reset-0');
  const all = [run];
  for (let n = 1; n <= 70; n++) all.push((run = run.reset(4, `reset-${n}`)));
  const service = temporal(...all);
  expect(await afterReset(service, { ...input, runId: 'reset-70', from: 'reset-0' }, nothing)).toEqual({
    unknown: true,
    why: expect.stringContaining('more than 64 runs hang together'),
  });
  expect(service.read).toHaveLength(64);
});
