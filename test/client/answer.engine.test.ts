/** Answers and commands as Updates, on the real engine: what their senders are told, and what the history keeps. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
  type WorkflowClient,
  type WorkflowHandle,
} from '@temporalio/client';
import { answer, command } from '../../client/answer';
import { exitCodes } from '../../client/exit';
import type { Engine, RunState } from '../../client/run';
import type { OpeningView } from '../../workflows/contract';
import { testEngine, type TestEngine } from '../support/engine-run';
import { pairWorker, type PairOptions, type PairWorker } from './fixtures/world';

jest.setTimeout(120_000);

describe('hitless says it by Update', () => {
  let engine: TestEngine;
  const open: PairWorker[] = [];
  beforeAll(async () => void (engine = await testEngine()), 900_000);
  afterEach(async () => {
    for (const worker of open.splice(0)) {
      await handleOf(worker)
        .terminate()
        .catch(() => undefined);
      await worker.stop();
    }
  });
  afterAll(() => engine.close());

  /** A run that asks whether to begin. */
  const asking = async (options?: PairOptions): Promise<PairWorker & { readonly opening: OpeningView }> => {
    const worker = await pairWorker(engine, options);
    open.push(worker);
    await worker.hitless('start', worker.cluster, '2.0');
    for (;;) {
      const [opening] = (await status(worker)).status?.waitingFor ?? [];
      if (opening !== undefined) return { ...worker, opening };
      await sleep(50);
    }
  };
  const status = async (fw: PairWorker): Promise<RunState> =>
    (await fw.hitless('status', fw.cluster, '--json')).json as RunState;
  const handleOf = ({ cluster }: PairWorker): WorkflowHandle => engine.client.workflow.getHandle(`upgrade-${cluster}`);
  /** What its history has of people. */
  const told = async (fw: PairWorker): Promise<string[]> => {
    const { events } = await handleOf(fw).fetchHistory();
    return (events ?? []).flatMap((event) => {
      if (event.workflowExecutionSignaledEventAttributes != null) return ['signal'];
      if (event.workflowExecutionUpdateAcceptedEventAttributes != null) return ['update'];
      return [];
    });
  };

  /** The same engine for a client whose Updates are answered too late, or never arrive. */
  const late = (arrives: boolean): Engine => {
    const handle = (workflowId: string): WorkflowHandle => {
      const real = engine.client.workflow.getHandle(workflowId);
      const executeUpdate = async (name: string, options: never): Promise<never> => {
        if (arrives) await real.executeUpdate(name, options);
        throw new WorkflowUpdateRPCTimeoutOrCancelledError('late');
      };
      return { ...real, executeUpdate: executeUpdate };
    };
    const workflow = Object.create(engine.client.workflow, { getHandle: { value: handle } }) as WorkflowClient;
    const client = Object.create(engine.client, { workflow: { value: workflow } }) as Client;
    return { client, address: engine.engine.address };
  };

  it('a refusal is shown at once and leaves nothing in the history', async () => {
    const gate = { from: ['ann'], count: 1 };
    const fw = await asking({ policy: { gates: { start: gate } } });
    const { historyLength } = await handleOf(fw).describe();
    const eve = await fw.as('eve', 'approve', fw.cluster, '--json');
    expect(eve.code).toBe(exitCodes.failed);
    expect(eve.json).toEqual({ outcome: 'refused', why: expect.stringContaining("eve isn't among") as string });
    const resumed = await fw.hitless('resume', fw.cluster, '--reason', 'x');
    expect(resumed).toMatchObject({ code: exitCodes.failed, out: 'resume: refused: nothing is paused\n' });
    expect((await handleOf(fw).describe()).historyLength).toBe(historyLength);
    expect((await status(fw)).status?.refused).toEqual([]);
    expect(await told(fw)).toEqual([]);
  });

  it('a command that needs more people says how many', async () => {
    const fw = await asking({ policy: { pause: { count: 2 } } });
    const ann = await fw.hitless('pause', fw.cluster, '--reason', 'storm');
    expect(ann).toMatchObject({ code: 0, out: 'pause: counted, more are needed: 1 of 2\n' });
    const again = await fw.hitless('pause', fw.cluster, '--reason', 'storm');
    expect(again).toMatchObject({ code: 1, out: expect.stringContaining('1 of 2') as string });
    const bob = await fw.as('bob', 'pause', fw.cluster, '--reason', 'storm', '--json');
    expect(bob.json).toEqual({ outcome: 'accepted' });
    expect((await status(fw)).status?.waitingFor.at(-1)?.question).toContain('ann, bob');
    expect(await told(fw)).toEqual(['update', 'update']);
  });

  it('an Update that was taken after all is no refusal of the signal that followed', async () => {
    const fw = await asking();
    const pause = () => command(late(true), fw.cluster, 'pause', { by: 'ann', reason: 'storm' });
    expect(await pause()).toEqual({ kind: 'accepted' });
    // A refusal that comes in time needs no signal.
    expect(await pause()).toEqual({ kind: 'refused', why: 'the run is paused already' });
    const approved = await answer(late(true), fw.cluster, { verb: 'approve', by: 'ann' });
    expect(approved).toEqual({ kind: 'closed', opening: 'start#1' });
    expect(await told(fw)).toEqual(['update', 'signal', 'update', 'signal']);
  });

  it('one that never arrived is said again as a signal', async () => {
    const gate = { count: 2 };
    const fw = await asking({ policy: { gates: { start: gate } } });
    const say = (by: string) => answer(late(false), fw.cluster, { verb: 'approve', by });
    expect(await say('ann')).toMatchObject({ kind: 'counted', opening: { answered: ['ann: approve'], needed: 2 } });
    expect(await say('ann')).toMatchObject({ kind: 'refused', why: expect.stringContaining('already') as string });
    expect(await say('bob')).toEqual({ kind: 'closed', opening: 'start#1' });
    expect(await told(fw)).toEqual(['signal', 'signal', 'signal']);
  });

  it('without a worker the signal is recorded, and read once one is back', async () => {
    const fw = await asking();
    await fw.stop();
    const recorded = await fw.hitless('approve', fw.cluster, 'start#1', '--digest', fw.opening.digest, '--json');
    expect(recorded).toMatchObject({ code: 0, json: { outcome: 'recorded' } });
    expect(await told(fw)).toEqual(['signal']);
    await fw.begin();
    while ((await status(fw)).status?.waitingFor[0]?.id !== 'return#1') await sleep(50);
  });

  it('the history says who sent it', async () => {
    const fw = await asking();
    expect((await fw.hitless('approve', fw.cluster, '--by', 'bob')).code).toBe(0);
    const { events } = await handleOf(fw).fetchHistory();
    const update = events?.find(({ workflowExecutionUpdateAcceptedEventAttributes: u }) => u != null);
    const { acceptedRequest } = update?.workflowExecutionUpdateAcceptedEventAttributes ?? {};
    expect(acceptedRequest?.meta?.identity).toContain(`(pid ${process.pid})`);
  });
});
