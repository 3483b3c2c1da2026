/** The command line on the real engine, with the real procedure over a modelled pair. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '../../client/exit';
import type { RunState } from '../../client/run';
import type { OpeningView } from '../../workflows/contract';
import { testEngine, type TestEngine } from '../support/engine-run';
import { goodWorld } from '../support/model-world';
import { hitless, type Ran } from './fixtures/command';
import { pairWorker, type PairOptions, type PairWorker } from './fixtures/world';

jest.setTimeout(120_000);

describe('hitless on the real engine', () => {
  let engine: TestEngine;
  const open: PairWorker[] = [];
  beforeAll(async () => void (engine = await testEngine()), 900_000);
  afterEach(async () => {
    for (const worker of open.splice(0)) {
      await engine.client.workflow
        .getHandle(`upgrade-${worker.cluster}`)
        .terminate()
        .catch(() => undefined);
      await worker.stop();
    }
  });
  afterAll(() => engine.close());

  const pair = async (options?: PairOptions): Promise<PairWorker> => {
    const worker = await pairWorker(engine, options);
    open.push(worker);
    return worker;
  };
  const state = (ran: Ran): RunState => ran.json as RunState;
  const status = async (fw: PairWorker): Promise<RunState> => state(await fw.hitless('status', fw.cluster, '--json'));
  const asked = async (worker: PairWorker, id: string): Promise<OpeningView> => {
    for (;;) {
      const found = (await status(worker)).status?.waitingFor.find((o) => o.id.startsWith(id));
      if (found !== undefined) return found;
      await sleep(50);
    }
  };

  it('starts, shows, approves to the end', async () => {
    const fw = await pair();
    const { cluster } = fw;
    const started = await fw.hitless('start', cluster, '2.0', '--requested-by', 'rita');
    expect(started.err).toContain(
      `upgrade-${cluster} has started: http://ui.example/namespaces/default/workflows/upgrade-${cluster}/`,
    );
    expect(started).toMatchObject({ code: 0, out: `Look at it: hitless status ${cluster} --watch\n` });

    await asked(fw, 'start');
    const shown = await fw.hitless('status', cluster);
    expect(shown.code).toBe(exitCodes.waiting);
    expect(shown.out).toContain(`WAITING FOR PEOPLE\nstart#1  Upgrade ${cluster} from 1.0 to 2.0?`);
    expect(shown.out).toContain(`hitless approve ${cluster} start#1`);

    expect(await fw.hitless('approve', cluster)).toMatchObject({
      code: 0,
      out: 'approve: counted; start#1 is closed\n',
    });
    await asked(fw, 'return');
    expect((await fw.hitless('approve', cluster, 'return#1', '--comment', 'fine')).code).toBe(0);
    await asked(fw, 'finish');
    const approved = await fw.hitless('approve', cluster, '--json');
    expect(approved.json).toEqual({ outcome: 'closed', opening: 'finish#1' });

    const watched = await fw.hitless('status', cluster, '--watch');
    expect(watched.out).toContain(`${cluster} → 2.0: UPGRADED`);
    expect(watched.code).toBe(0);
    const ended = await fw.hitless('status', cluster, '--json');
    expect(state(ended)).toMatchObject({ execution: 'completed', report: { ending: 'Completed' } });
    expect(state(ended).report?.answers.map((a) => [a.opening, a.by])).toEqual([
      ['start#1', 'ann'],
      ['return#1', 'ann'],
      ['finish#1', 'ann'],
    ]);
  });

  it('follows a run to its end, in words', async () => {
    const fw = await pair({ policy: { gates: {} } });
    const ran = await fw.hitless('start', fw.cluster, '2.0', '--follow');
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/^\d\d:\d\d:\d\dZ \d+\/\d+ (running|done): /m);
    expect(ran.out).toContain('UPGRADED');
    expect(ran.out).toContain('serving');
  });

  it('waits until people are asked, and says so by its exit code', async () => {
    const fw = await pair();
    const ran = await fw.hitless('start', fw.cluster, '2.0', '--wait');
    expect(ran.code).toBe(exitCodes.waiting);
    expect(ran.out).toContain('start#1');
  });

  it('refuses a second start, with a link to the first', async () => {
    const fw = await pair();
    await fw.hitless('start', fw.cluster, '2.0');
    const second = await fw.hitless('start', fw.cluster, '2.0');
    expect(second.code).toBe(1);
    expect(second.err).toBe(
      `hitless: an upgrade of ${fw.cluster} is running already; a cluster has one at a time, so nothing was started\n` +
        `  → hitless status ${fw.cluster}, or http://ui.example/namespaces/default/workflows/upgrade-${fw.cluster}\n`,
    );
    expect((await fw.hitless('start', fw.cluster, '2.0', '--json')).json).toMatchObject({
      error: { exitCode: 1, details: { workflowId: `upgrade-${fw.cluster}` } },
    });
  });

  it('tells at once that the input is wrong, the cluster unknown, or the plan another one', async () => {
    const fw = await pair();
    const release = await fw.hitless('start', fw.cluster, '9.9');
    expect(release.code).toBe(exitCodes.usage);
    expect(release.err).toContain('there is no release "9.9"');
    expect((await fw.hitless('start', fw.cluster, '0.0')).code).toBe(exitCodes.notFound);
    const other = await fw.hitless('start', fw.cluster, '2.0', '--expect-plan', '0123456789ab');
    expect(other.code).toBe(1);
    expect(other.err).toContain('nothing was touched');
    const wrong = await fw.hitless('start', 'Not_A_Name', '2.0', '--expect-plan', 'xyz');
    expect(wrong.code).toBe(exitCodes.usage);
    expect(wrong.err).toContain('cluster:');
    expect(wrong.err).toContain('expectPlan:');
  });

  it('counts people, and says why somebody doesn’t count', async () => {
    const gate = { from: ['ann', 'bob', 'rita'], count: 2, notRequester: true };
    const fw = await pair({ policy: { gates: { start: gate } } });
    await fw.hitless('start', fw.cluster, '2.0', '--requested-by', 'rita');
    await asked(fw, 'start');
    const eve = await fw.hitless('approve', fw.cluster, '--by', 'eve');
    expect(eve.code).toBe(1);
    expect(eve.out).toContain('approve: refused: eve isn’t among'.replace('’', "'"));
    const rita = await fw.as('rita', 'approve', fw.cluster, '--json');
    expect(rita).toMatchObject({ code: 1 });
    expect(rita.json).toMatchObject({
      outcome: 'refused',
      why: expect.stringContaining('rita requested this upgrade') as string,
    });
    const ann = await fw.hitless('approve', fw.cluster);
    expect(ann.out).toContain('approve: counted, more are needed: 1 of 2\n');
    expect(ann.out).toContain('so far ann: approve');
    expect((await fw.hitless('approve', fw.cluster)).out).toContain('has already answered');
    expect((await fw.as('bob', 'approve', fw.cluster)).out).toContain('start#1 is closed');
    // Each of the three was told at once, and the run has nothing of it.
    expect((await status(fw)).status?.refused).toEqual([]);
  });

  it('answers only what was looked at', async () => {
    const fw = await pair();
    await fw.hitless('start', fw.cluster, '2.0');
    const { digest } = await asked(fw, 'start');
    const stale = await fw.hitless('approve', fw.cluster, '--digest', 'aaaaaaaaaaaa');
    expect(stale.code).toBe(1);
    expect(stale.err).toContain(`the digest of start#1 is ${digest}, not aaaaaaaaaaaa`);
    expect((await fw.hitless('approve', fw.cluster, 'return#1')).err).toContain(
      'return#1 isn’t open'.replace('’', "'"),
    );
    expect((await fw.hitless('decide', fw.cluster, 'retry')).err).toContain('there is nothing to retry');
    expect((await fw.hitless('approve', fw.cluster, '--digest', digest)).code).toBe(0);
  });

  it('a rejection leads to a hold, which decide answers', async () => {
    const fw = await pair({ policy: { gates: { return: { count: 1 } } } });
    await fw.hitless('start', fw.cluster, '2.0');
    await asked(fw, 'return');
    expect((await fw.hitless('reject', fw.cluster, '--comment', 'not today')).out).toContain('return#1 is closed');
    const hold = await asked(fw, 'hold');
    expect(hold.question).toContain('not today');
    const decided = await fw.hitless('decide', fw.cluster, hold.id, 'roll-back', '--to', 'start');
    expect(decided.out).toContain(`${hold.id} is closed`);
    const ended = await fw.hitless('status', fw.cluster, '--watch');
    expect(ended.code).toBe(1);
    expect(ended.out).toContain('ROLLED BACK');
    expect(fw.world.nodes['fw1']?.release).toBe('1.0');
    const again = await fw.hitless('approve', fw.cluster);
    expect(again).toMatchObject({ code: exitCodes.notFound });
    expect(again.err).toContain('the last one has ended (failed)');
  });

  it('pauses, resumes, switches back, cancels', async () => {
    const fw = await pair();
    await fw.hitless('start', fw.cluster, '2.0');
    await asked(fw, 'start');
    const early = await fw.hitless('switch-back', fw.cluster, '--reason', 'errors');
    expect(early).toMatchObject({ code: 1, out: expect.stringContaining('switch-back: refused') as string });
    expect((await fw.hitless('resume', fw.cluster, '--reason', 'x')).out).toContain('refused: nothing is paused');
    expect(await fw.hitless('pause', fw.cluster, '--reason', 'storm')).toMatchObject({
      code: 0,
      out: 'pause: accepted\n',
    });
    expect((await asked(fw, 'pause')).question).toContain('storm');
    // The pause is no question for approve.
    expect((await fw.hitless('approve', fw.cluster)).code).toBe(0);
    expect((await fw.hitless('resume', fw.cluster, '--reason', 'over')).code).toBe(0);
    await asked(fw, 'return');
    const cancelled = await fw.hitless('cancel', fw.cluster, '--by', 'olga', '--reason', 'the window is over');
    expect(cancelled).toMatchObject({
      code: 0,
      out: expect.stringContaining('What was changed is undone first') as string,
    });
    const ended = await fw.hitless('status', fw.cluster, '--watch');
    expect(ended.code).toBe(1);
    expect(ended.out).toContain('CANCELLED');
    expect(ended.out).toMatch(/Cancelled by olga, \S+ \S+: the window is over/);
    expect(fw.world.serving).toBe('fw1');
  });

  it('without a worker: shows what the server knows, keeps what it is told', async () => {
    const fw = await pair();
    await fw.hitless('start', fw.cluster, '2.0');
    const { digest } = await asked(fw, 'start');
    await fw.stop();
    const shown = await fw.hitless('status', fw.cluster);
    expect(shown.out).toContain('NO WORKER ANSWERS');
    expect(shown.out).toContain('waiting for  start#1');
    expect(shown.code).toBe(0);

    const blind = await fw.hitless('approve', fw.cluster);
    expect(blind.code).toBe(1);
    expect(blind.err).toContain('can’t be read'.replace('’', "'"));
    expect(blind.err).toContain('--digest');
    const recorded = await fw.hitless('approve', fw.cluster, 'start#1', '--digest', digest);
    expect(recorded).toMatchObject({
      code: 0,
      out: expect.stringContaining('approve: recorded, not yet read') as string,
    });
    await fw.begin();
    expect((await asked(fw, 'return')).id).toBe('return#1');
  });

  it('says that nobody has taken up a run yet', async () => {
    const fw = await pair();
    await fw.stop();
    const ran = await fw.hitless('start', fw.cluster, '2.0');
    expect(ran).toMatchObject({ code: 0, err: expect.stringContaining('has started') as string });
    expect(ran.out).toContain('No worker has taken it up yet');
  });

  it('plans and checks without touching anything', async () => {
    const fw = await pair();
    const check = await fw.hitless('check', fw.cluster);
    expect(check).toMatchObject({ code: 0, out: expect.stringContaining(`${fw.cluster} is ready`) as string });
    const plan = await fw.hitless('plan', fw.cluster, '2.0');
    expect(plan.out).toContain('  1  look       Check that the pair is ready');
    expect(plan.out).toMatch(
      /step +Move traffic to fw2\n +fw1 +.usr.bin.pair.moveTraffic\n +border: route-map FROM-FW2\n +-100\n +\+110/,
    );
    const digest = /--expect-plan ([0-9a-f]{12})/.exec(plan.out)?.[1];
    expect(fw.world.acts).toEqual([]);
    expect((await fw.hitless('start', fw.cluster, '2.0', '--expect-plan', digest!)).code).toBe(0);
    // Also beside a running upgrade.
    expect((await fw.hitless('plan', fw.cluster, '2.0', '--json')).json).toMatchObject({ readiness: { ready: true } });
  });

  it('lists what is not ready', async () => {
    const fw = await pair({
      mischief: { ...goodWorld, fault: (activity) => (activity === 'readiness' ? 'permanent' : 'none') },
    });
    const check = await fw.hitless('check', fw.cluster, '2.0');
    expect(check).toMatchObject({ code: 1, err: '' });
    expect(check.out).toContain(`${fw.cluster} is NOT READY, one fault; nothing was changed`);
    expect((await fw.hitless('plan', fw.cluster, '2.0')).code).toBe(1);
  });

  it('doesn’t begin a dry run that nobody would do', async () => {
    const ran = await hitless({ TEMPORAL_ADDRESS: engine.engine.address }, ['check', 'fw-x', '--task-queue', 'nobody']);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('no worker polls the task queue "nobody"');
  });

  it('a cluster that was never upgraded has no run', async () => {
    const ran = await hitless({ TEMPORAL_ADDRESS: engine.engine.address }, ['status', 'fw-never']);
    expect(ran.code).toBe(exitCodes.notFound);
    expect(ran.err).toContain('there is no run upgrade-fw-never');
  });

  it('a run that somebody terminated is shown as such', async () => {
    const fw = await pair();
    await fw.hitless('start', fw.cluster, '2.0');
    await asked(fw, 'start');
    await engine.client.workflow.getHandle(`upgrade-${fw.cluster}`).terminate('oops');
    const shown = await fw.hitless('status', fw.cluster);
    expect(shown.code).toBe(1);
    expect(shown.out).toContain('nothing was undone');
  });

  it('a namespace that isn’t there', async () => {
    const ran = await hitless({ TEMPORAL_ADDRESS: engine.engine.address, TEMPORAL_NAMESPACE: 'nowhere' }, [
      'status',
      'fw-x',
    ]);
    expect(ran).toMatchObject({
      code: exitCodes.unreachable,
      err: expect.stringContaining('Temporal server') as string,
    });
    expect(ran.err).toContain('no namespace "nowhere"');
    expect(ran.err).toContain('TEMPORAL_NAMESPACE');
  });
});
