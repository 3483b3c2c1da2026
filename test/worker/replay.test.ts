/** The check before polling, on kept histories as they were while their runs were open. */
import { join } from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { workflowBundle } from '../../worker/bundle';
import type { History } from '../../worker/history';
import { useRuntime, workerLog } from '../../worker/runtime';
import { readHistory } from '../support/histories';
import { Servers } from '../client/fixtures/servers';
import { ReplayRefused, replayOpenRuns, type ReplayOptions } from '../../worker/replay';
import {
  changed,
  clientOf,
  forCluster,
  neverBegun,
  ofType,
  openHistory,
  type KnownRun,
} from './fixtures/open-histories';

jest.setTimeout(120_000);

const servers = new Servers();
let release: () => Promise<void>;
let connection: NativeConnection;
afterAll(async () => {
  await connection?.close();
  await servers.close();
  await release?.();
});
let panos: History;
let begun: History;
let firewall: History;
beforeAll(async () => {
  release = useRuntime();
  // As a worker has: with nothing else to do, the SDK would end its Runtime between two replays.
  connection = await NativeConnection.connect({ address: await servers.grpc(() => ({ code: 0 })) });
  await workflowBundle();
  [panos, begun, firewall] = await Promise.all([
    openHistory('panos-pair-completed', 6),
    openHistory('panos-pair-completed', 1),
    openHistory('firewall-pair-completed', 5),
  ]);
});

const run = (workflowId: string, history: History | Error, runId = `run-of-${workflowId}`): KnownRun => ({
  workflowId,
  runId,
  history: history instanceof Error || !history.events?.length ? history : forCluster(history, workflowId.slice(8)),
});

async function check(
  runs: readonly KnownRun[],
  options: Omit<ReplayOptions, 'say'> & { readonly hidden?: readonly KnownRun[] } = {},
): Promise<{ replayed?: number; refusal?: string; said: readonly string[] }> {
  const said: string[] = [];
  const { hidden = [], ...rest } = options;
  try {
    const replayed = await replayOpenRuns(clientOf(runs, hidden), 'hitless', await workflowBundle(), {
      // A busy machine would have it say how far it is.
      nowMs: () => 0,
      ...rest,
      say: (text) => said.push(text),
    });
    return { replayed, said };
  } catch (error) {
    if (!(error instanceof ReplayRefused)) throw error;
    return { refusal: error.message, said };
  }
}

/** As a build that schedules another activity there. */
const withOther = (history: History): History =>
  changed(history, (events) => {
    const scheduled = events.findLast((event) => event.activityTaskScheduledEventAttributes);
    scheduled!.activityTaskScheduledEventAttributes!.activityType = { name: 'panos.other' };
  });

it('goes on with open runs, and asks for those of its queue only', async () => {
  const client = clientOf([run('upgrade-pa', panos), run('upgrade-fw', firewall), run('upgrade-new', begun)]);
  expect(await replayOpenRuns(client, 'hitless', await workflowBundle())).toBe(3);
  expect(client.asked).toEqual(['ExecutionStatus = "Running" AND TaskQueue = "hitless"']);
});

it('neither refuses a run whose worker died in a local activity, nor raises an alarm over it', async () => {
  const { events = [] } = await readHistory(join(__dirname, '../histories/firewall-pair-completed.0.2.0.binpb.gz'));
  const resolved = events!.findIndex((event) => event.activityTaskCompletedEventAttributes);
  const died = { events: events!.slice(0, resolved + 1) };
  const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const taken = jest.spyOn(workerLog, 'take');
  try {
    expect(await check([run('upgrade-fw', died)])).toEqual({ replayed: 1, said: [] });
    // What the core says of it comes later.
    while (!taken.mock.calls.some(([{ meta }]) => /core\.freeze' not registered/.test(String(meta?.['failure']))))
      await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setImmediate(resolve));
    expect(written.mock.calls).toEqual([]);
  } finally {
    taken.mockRestore();
    written.mockRestore();
  }
});

it('refuses a run that this build would go on with otherwise: named with run, event and cause', async () => {
  const { refusal } = await check([
    run('upgrade-a', panos),
    run('upgrade-b', withOther(panos)),
    run('upgrade-c', firewall),
  ]);
  expect(refusal).toContain("can't go on with 1 of 3 open runs");
  expect(refusal).toMatch(
    /^- upgrade-b \(upgradePanosPair, run run-of-upgrade-b, \d+ events\): \[TMPRL1100\] Nondeterminism error: .*panos\.other/m,
  );
  expect(refusal).not.toMatch(/upgrade-a|upgrade-c/);
  expect(refusal).toContain('--leave RUN_ID');
});

it('refuses a run of a type that this build lost', async () => {
  const { refusal } = await check([run('upgrade-lost', ofType(panos, 'upgradeLostPair'))]);
  expect(refusal).toContain(
    '- upgrade-lost (upgradeLostPair, run run-of-upgrade-lost, event 5 (ActivityTaskScheduled) of',
  );
  expect(refusal).toContain('This build has no workflow type upgradeLostPair.');
});

it('is not held up by a run that never resolved a plan', async () => {
  const mistyped = neverBegun(ofType(begun, 'upgradePanOSPair'), 'no such function is exported');
  const lost = ofType(begun, 'upgradeLostPair');
  const { replayed, said } = await check([
    run('upgrade-m', mistyped),
    run('upgrade-l', lost),
    run('upgrade-pa', panos),
  ]);
  expect(replayed).toBe(3);
  expect(said).toContainEqual(
    expect.stringMatching(
      /^upgrade-l \(run run-of-upgrade-l\) can't be gone on with .* has touched nothing yet: terminate it/,
    ),
  );
});

it('names a run that stands still already, with the cause', async () => {
  const { replayed, said } = await check([run('upgrade-still', neverBegun(panos, 'out of paper.'))]);
  expect(replayed).toBe(1);
  expect(said).toEqual([
    'upgrade-still stands still: its workflow task failed (run run-of-upgrade-still, WorkflowWorkerUnhandledFailure): out of paper. It is tried again and again. Next: hitless status still; docs/operations.md#wedged-runs',
  ]);
});

it('names a run whose history can’t be had; one that was deleted meanwhile doesn’t count', async () => {
  const { refusal } = await check([run('upgrade-a', new Error('blob store is away')), run('upgrade-pa', panos)]);
  expect(refusal).toContain("- upgrade-a (run run-of-upgrade-a): its history can't be fetched: blob store is away");
  expect(refusal).not.toContain('upgrade-pa');
  const gone = new WorkflowNotFoundError('gone', 'upgrade-g', undefined);
  expect(await check([run('upgrade-g', gone), run('upgrade-pa', panos)])).toEqual({ replayed: 1, said: [] });
});

it('goes on after a history that can’t be replayed at all', async () => {
  const { refusal } = await check([
    run('upgrade-a', { events: [] }),
    run('upgrade-b', panos),
    run('upgrade-c', firewall),
  ]);
  expect(refusal).toContain("can't go on with 1 of 3 open runs");
  expect(refusal).toMatch(/^- upgrade-a \(type unknown, run run-of-upgrade-a, 0 events\):/m);
});

describe('--leave', () => {
  const broken = (): KnownRun => run('upgrade-b', withOther(panos), '0198-b');

  it.each([['0198-b'], ['upgrade-b']])('leaves out %s, and says what that means', async (name) => {
    const { replayed, said } = await check([run('upgrade-a', panos), broken()], { leave: [name] });
    expect(replayed).toBe(1);
    expect(said).toEqual([
      expect.stringMatching(
        /^upgrade-b \(run 0198-b\) is left out of the check\. .*its workflow tasks fail here and are tried again.*takes no step, hears no answer and makes no escape/,
      ),
    ]);
  });

  it('leaves the others in, and says which ID fits no open run', async () => {
    const { refusal, said } = await check([broken(), run('upgrade-c', withOther(firewall))], {
      leave: ['upgrade-b', 'upgrade-x'],
    });
    expect(refusal).toContain("can't go on with 1 of 1 open run,");
    expect(refusal).toContain('- upgrade-c ');
    expect(said[0]).toBe('--leave upgrade-x: no such run is open on the queue hitless.');
  });
});

it('says how far it is, every five seconds', async () => {
  const runs = Array.from({ length: 4 }, (_, index) => run(`upgrade-${index}`, begun));
  const quick = await check(runs);
  expect(quick).toEqual({ replayed: 4, said: [] });
  let ms = 0;
  const slow = await check(runs, { nowMs: () => (ms += 2_500) });
  expect(slow.said[0]).toMatch(/^Replaying open runs before polling: \d of 4 …$/);
});
