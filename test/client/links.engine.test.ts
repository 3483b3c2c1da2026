/** What clients make of runs that continue as new, get stuck, say too much, were ended or reset; on the real engine. */
import { hostname, userInfo } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { chainOf } from '../../client/chain';
import type { Listing } from '../../client/list';
import { readRun, type Engine, type RunState } from '../../client/run';
import { Heard } from './fixtures/heard';
import { links, until, type Links } from './fixtures/links';

jest.setTimeout(40_000);

describe('clients on the real engine', () => {
  let on: Links;
  let engine: Engine;
  beforeAll(async () => {
    on = await links();
    engine = { client: on.engine.client, address: on.engine.engine.address };
  }, 900_000);
  afterAll(() => on.close());

  const status = async (cluster: string): Promise<RunState> =>
    (await on.hitless('status', cluster, '--json')).json as RunState;
  const sentence = (cluster: string, text: string): Promise<RunState> =>
    until(async () => {
      const state = await status(cluster);
      return state.status?.sentence === text ? state : undefined;
    });
  const read = (handle: WorkflowHandle, firstRunId?: string): Promise<RunState> =>
    readRun(
      engine,
      handle.workflowId.replace('upgrade-', ''),
      handle.workflowId,
      firstRunId === undefined ? {} : { firstRunId },
    );

  it('follows a run that continues as new, to its end; answers reach the newest link', async () => {
    const run = await on.start('fw-chain');
    const heard = new Heard();
    const watching = on.heard(heard.hear, 'status', 'fw-chain', '--watch');
    await heard.until('link 1');
    await run.signal('order', 'next');
    await sentence('fw-chain', 'link 2');
    const second = await status('fw-chain');
    expect(second.firstRunId).not.toBe(second.runId);
    expect((await on.hitless('approve', 'fw-chain')).out).toContain('approve: counted, more are needed');
    await run.signal('order', 'next');
    await sentence('fw-chain', 'link 3');
    await run.signal('order', 'end');
    const watched = await watching;
    expect(watched).toMatchObject({ code: 0 });
    expect(watched.out).toContain('ended in link 3');
    expect(watched.out).toContain('It stands so: ann');
    // Without a terminal the whole of it is printed once, then what is new.
    expect(watched.out.match(/^fw-chain → 2.0: held/gm)).toHaveLength(1);
    expect(watched.out).toMatch(/^\d\d:\d\d:\d\dZ start#1: ann \(1 given, 9 needed\)$/m);

    const { runId, firstRunId } = await status('fw-chain');
    const chain = await chainOf(on.engine.client, { workflowId: 'upgrade-fw-chain', runId });
    expect(chain).toMatchObject({ isWhole: true });
    expect(chain.links).toHaveLength(3);
    expect([chain.links[0]?.runId, chain.links[2]?.runId]).toEqual([firstRunId, runId]);

    // A later upgrade of the same cluster isn't taken for this one.
    const later = await on.start('fw-chain');
    expect(await read(run, firstRunId)).toMatchObject({ runId, execution: 'completed' });
    expect(await read(run)).toMatchObject({ execution: 'running', firstRunId: (await later.describe()).runId });
    await later.terminate();
  });

  it('reads a history of many megabytes', async () => {
    const run = await on.start('fw-large');
    await sentence('fw-large', 'link 1');
    for (let n = 0; n < 40; n++) await run.signal('note', 'x'.repeat(175_000));
    expect((await on.hitless('cancel', 'fw-large', '--by', 'olga', '--reason', 'late')).code).toBe(0);
    await run.signal('order', 'cancelled');
    const ended = await on.hitless('status', 'fw-large', '--watch');
    expect(ended.out).toMatch(/Cancelled by olga, \S+ \S+: late/);
  });

  it('tells who cancelled, also where the run continued as new since', async () => {
    const run = await on.start('fw-cancel');
    await sentence('fw-cancel', 'link 1');
    expect((await on.hitless('cancel', 'fw-cancel', '--by', 'olga', '--reason', 'late')).code).toBe(0);
    await run.signal('order', 'next');
    await sentence('fw-cancel', 'link 2');
    await run.signal('order', 'cancelled');
    const ended = await on.hitless('status', 'fw-cancel', '--watch');
    expect(ended.out).toMatch(/Cancelled by olga, \S+ \S+: late \(sent as \S+@\S+ \(pid \d+\)\)/);
    expect((await status('fw-cancel')).cancelled).toMatchObject({ by: 'olga', reason: 'late' });
  });

  it('says that workflow tasks fail, with the cause; what is sent is recorded', async () => {
    const run = await on.start('fw-stuck');
    await sentence('fw-stuck', 'link 1');
    await run.signal('order', 'wedge');
    const stuck = await until(async () => {
      const state = await status('fw-stuck');
      return state.server?.tasks === undefined ? undefined : state;
    });
    expect(stuck.server).toMatchObject({
      silence: 'tasks-fail',
      tasks: {
        cause: 'workflow worker unhandled failure',
        message: expect.stringContaining('reserved prefix') as string,
        since: expect.stringMatching(/^\d{4}-/) as string,
      },
    });
    const shown = await on.hitless('status', 'fw-stuck');
    expect(shown.out).toContain('THE RUN IS STUCK');
    expect(shown.out).toContain("Cannot use signal name: '__temporal_x', with reserved prefix");
    expect(shown.out).toMatch(/attempt \d+, since \d{4}-/);
    expect(shown.out).toContain('docs/operations.md#wedged-runs');
    expect(shown.out).not.toContain('NO WORKER ANSWERS');
    // What the server knows is still shown.
    expect(shown.out).toContain('waiting for  start#1');

    const blind = await on.hitless('approve', 'fw-stuck');
    expect(blind).toMatchObject({ code: 1 });
    expect(blind.err).toContain('its workflow tasks fail');
    const recorded = await on.hitless('approve', 'fw-stuck', 'start#1', '--digest', '0123456789ab');
    expect(recorded.out).toContain('recorded, not yet read: its workflow tasks fail');
    const listed = (await on.hitless('list', '--json')).json as Listing;
    expect(listed.runs.find(({ cluster }) => cluster === 'fw-stuck')).toMatchObject({
      trouble: expect.stringContaining('STUCK: its workflow tasks fail') as string,
      waitingFor: ['start#1'],
    });
    await run.terminate();
  });

  it('a dry run that no worker can do is ended, with the cause', async () => {
    const ran = await on.hitless('check', 'fw-dry', '--task-queue', 'links');
    expect(ran).toMatchObject({ code: 1 });
    expect(ran.err).toContain('the dry run came to nothing: its workflow tasks fail');
    expect(ran.err).toContain('this build is broken');
    const { status: ended } = await engine.client.workflow.getHandle('plan-fw-dry').describe();
    expect(ended.name).toBe('TERMINATED');
  });

  it('says that a type is none that the worker has', async () => {
    const run = await on.start('fw-typo', {}, 'upgradeFirewalPair');
    const state = await until(async () => {
      const seen = await status('fw-typo');
      return seen.server?.tasks === undefined ? undefined : seen;
    });
    expect(state.server?.why).toContain('upgradeFirewalPair');
    await run.terminate();
  });

  it('says that a status is too large; the run can still be answered and cancelled', async () => {
    const run = await on.start('fw-large');
    await sentence('fw-large', 'link 1');
    await run.signal('order', 'swell');
    const shown = await on.hitless('status', 'fw-large');
    expect(shown.out).toContain('ITS STATUS CANNOT BE CARRIED');
    expect(shown.out).toContain('waiting for  start#1');
    expect(shown.out).not.toContain('no upgrade of this program');
    expect((await on.hitless('approve', 'fw-large', 'start#1', '--digest', '0123456789ab')).code).toBe(0);
    expect((await on.hitless('cancel', 'fw-large')).code).toBe(0);
    await run.terminate();
  });

  it('says that a run is another program’s', async () => {
    const run = await on.start('fw-other', {}, 'payInvoices');
    const shown = await on.hitless('status', 'fw-other');
    expect(shown).toMatchObject({ code: 1 });
    expect(shown.err).toContain('is no upgrade of this program: its type is "payInvoices"');
    expect(shown.err).toContain('upgradePanosPair');
    await run.terminate();
  });

  it('says who terminated a run, and why', async () => {
    const run = await on.start('fw-killed');
    await run.terminate('we gave up');
    const shown = await on.hitless('status', 'fw-killed');
    expect(shown.code).toBe(1);
    expect(shown.out).toMatch(/\S+ terminated it in Temporal, \S+ \S+ \(we gave up\): nothing was undone/);
  });

  it('says that a run was reset, and stays with it', async () => {
    const { client } = on.engine;
    const run = await on.start('fw-reset');
    const first = await sentence('fw-reset', 'link 1');
    await client.workflowService.resetWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId: run.workflowId, runId: first.runId },
      workflowTaskFinishEventId: 4 as never,
      requestId: randomUUID(),
      reason: 'try again',
    });
    const state = await sentence('fw-reset', 'link 1');
    expect(state.runId).not.toBe(first.runId);
    expect(await read(run, first.runId)).toMatchObject({ runId: state.runId, execution: 'running' });
    const { links: chain } = await chainOf(client, { workflowId: run.workflowId, runId: state.runId });
    expect(chain).toEqual([{ runId: state.runId, resetOf: first.runId }]);
    expect((await on.hitless('status', 'fw-reset')).out).toMatch(/^RESET \d{4}-.*: it runs again/m);
    await run.terminate();
  });

  it('messages carry the user of the system, and the answer says as whom it was sent', async () => {
    const identity = new RegExp(`^${userInfo().username}@${hostname()} \\(pid ${process.pid}\\)$`);
    const run = await on.start('fw-who');
    await sentence('fw-who', 'link 1');
    const told = await on.hitless('approve', 'fw-who', '--by', 'bob');
    expect(told.err).toContain(`sent as bob, by ${userInfo().username}@${hostname()}`);
    const { events = [] } = await run.fetchHistory();
    const signal = events?.find(({ workflowExecutionSignaledEventAttributes: s }) => s != null);
    expect(signal?.workflowExecutionSignaledEventAttributes?.identity).toMatch(identity);
    await run.terminate();
    expect((await on.hitless('start', 'fw-who', '2.0', '--task-queue', 'links')).code).toBe(0);
    const started = (await run.fetchHistory()).events?.[0]?.workflowExecutionStartedEventAttributes;
    expect(started?.identity).toMatch(identity);
    await engine.client.workflow.getHandle(run.workflowId).terminate();
  });

  it('lists what is open, then what has ended; who waits comes first', async () => {
    const [waits, goes, fails] = [
      await on.start('l-b-waits'),
      await on.start('l-a-goes', { waiting: false }),
      await on.start('l-c-fails'),
    ];
    await fails.signal('order', 'fail');
    await fails.result().catch(() => undefined);
    const of = ({ runs }: Listing) => runs.filter(({ cluster }) => cluster.startsWith('l-'));
    const listing = await until(async () => {
      const found = (await on.hitless('list', '--json')).json as Listing;
      return of(found).length === 3 && of(found).every((r) => r.phase !== undefined) ? found : undefined;
    });
    expect(of(listing)).toMatchObject([
      {
        cluster: 'l-b-waits',
        execution: 'running',
        target: '2.0',
        waitingFor: ['start#1'],
        status: { step: { number: 1, of: 2, name: 'Wait' }, waitingFor: [{ openedAt: '2026-11-22T10:00:00.000Z' }] },
      },
      { cluster: 'l-a-goes', execution: 'running', waitingFor: [] },
      { cluster: 'l-c-fails', execution: 'failed', ending: 'RolledBack', waitingFor: [] },
    ]);
    const text = (await on.hitless('list')).out;
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toMatch(/^l-b-waits +2\.0 +held +1\/2 Wait +start#1: anyone +\d+ \w+$/m);
    expect(text).toMatch(/^l-c-fails +2\.0 +ROLLED BACK/m);
    const waiting = (await on.hitless('list', '--waiting', '--json')).json as Listing;
    expect(of(waiting).map(({ cluster }) => cluster)).toEqual(['l-b-waits']);
    const none = (await on.hitless('list', '--days', '0', '--json')).json as Listing;
    expect(of(none).map(({ cluster }) => cluster)).toEqual(['l-b-waits', 'l-a-goes']);
    await waits.terminate();
    await goes.terminate();
  });
});
