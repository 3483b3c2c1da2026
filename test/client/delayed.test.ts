/** A run that was started with a delay: nobody is at fault that it gives no status. */
import { renderRun } from '../../client/render/run';
import { beginsAt } from '../../client/server-view';

const start = new Date('2026-11-22T10:00:00.000Z');
const later = new Date('2026-11-22T11:00:00.000Z');
const run = (executionTime: Date | undefined, name: 'RUNNING' | 'TERMINATED' = 'RUNNING') => ({
  startTime: start,
  status: { code: 1 as const, name },
  ...(executionTime && { executionTime }),
});
const at = (r: ReturnType<typeof run>, now: Date): Date | undefined => beginsAt(r, now.getTime());

it('begins when its delay is over', () => {
  expect(at(run(later), start)).toEqual(later);
  expect(at(run(later), later)).toBeUndefined();
  expect(at(run(later, 'TERMINATED'), start)).toBeUndefined();
  expect(at(run(undefined), start)).toBeUndefined();
});

it('a clock of ours that is behind delays nobody', () =>
  expect(at(run(start), new Date('2026-11-22T09:00:00.000Z'))).toBeUndefined());

it('says so, and blames no worker', () => {
  const text = renderRun({
    cluster: 'fw-dc1',
    workflowId: 'upgrade-fw-dc1',
    runId: 'r',
    firstRunId: 'r',
    workflowType: 'upgradeFirewallPair',
    taskQueue: 'hitless',
    execution: 'running',
    startedAt: start.toISOString(),
    server: {
      silence: 'not-begun',
      why: 'it was started with a delay, and begins at 2026-11-22T11:00:00.000Z',
      taskQueue: 'hitless',
      pending: [],
    },
  });
  expect(text).toContain('IT HAS NOT BEGUN, and nothing has been touched.');
  expect(text).toContain('begins at 2026-11-22T11:00:00.000Z');
  expect(text).not.toContain('NO WORKER');
});
