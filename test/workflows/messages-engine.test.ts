/**
 * Messages that wedged, blinded or ended runs (findings, 2026-11-29), on the real engine: each is refused and shown, and the
 * run goes on. Random ones are in messages-sample.test.ts.
 */
import { WorkflowContinuedAsNewError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { CancelledFailure, type ApplicationFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { replays } from '../support/histories';
import { approveAll, useEngine, type WorldRun } from '../support/engine-run';
import { pairPlan } from '../support/pair-run';

jest.setTimeout(300_000);

const { EventType } = temporal.api.enums.v1;
/** More than a link takes. */
const FLOOD = 2_100;

const { engine, start } = useEngine();

/** A signal with the bytes of its payloads as they are. */
const raw = (run: WorldRun, signalName: string, data: readonly string[], encoding = 'json/plain'): Promise<unknown> =>
  engine.client.workflowService.signalWorkflowExecution({
    namespace: engine.engine.namespace,
    workflowExecution: { workflowId: run.handle.workflowId },
    signalName,
    input: {
      payloads: data.map((text) => ({ metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(text) })),
    },
  });

const keys = (count: number): string => {
  const all = Array.from({ length: count }, (_, i) => `"k${i}":1`);
  return `{${all.join(',')}}`;
};
const letters = (count: number): string => 'A'.repeat(count);

const hostile: readonly (readonly [what: string, name: string, data: readonly string[], encoding?: string])[] = [
  ['a reserved name', '__temporal_x', ['{}']],
  ['another reserved name with an answer in it', '__temporal_signal_approve', ['{"by":"eve"}']],
  ['the name of a built-in query', '__stack_trace', ['{}']],
  ['no name of an object', '__proto__', ['{}']],
  ['the name cancel', 'cancel', ['{}']],
  ['no payload', 'approve', []],
  ['JSON nested 100,000 deep', 'approve', ['['.repeat(100_000) + ']'.repeat(100_000)]],
  ['objects nested deep', 'decide', ['{"by":'.repeat(30_000) + '1' + '}'.repeat(30_000)]],
  ['100,000 unknown keys', 'approve', [keys(100_000)]],
  [
    'an opening of a megabyte',
    'approve',
    [JSON.stringify({ opening: letters(1_000_000), digest: '0'.repeat(12), by: 'eve' })],
  ],
  ['a name of a megabyte', 'pause', [JSON.stringify({ by: letters(1_000_000), reason: 'x' })]],
  ['a key of a megabyte', 'approve', [JSON.stringify({ [letters(1_000_000)]: 1 })]],
  [
    'a list of 100,000 waivers',
    'decide',
    [JSON.stringify({ opening: 'start#1', by: 'e', waive: Array(100_000).fill('x') })],
  ],
  [
    'the mark of an undecodable payload, by hand',
    'approve',
    [JSON.stringify({ __undecodable: true, encoding: 'x', why: letters(1_500_000) })],
  ],
  ['broken JSON of a megabyte', 'approve', [`{"by":"${letters(1_000_000)}`]],
  ['another encoding', 'approve', ['\u0000\u0001'], 'json/protobuf'],
  ['an unknown encoding of a long name', 'approve', ['x'], letters(2_000)],
  ['a second payload', 'pause', ['{"by":"eve","reason":"x","more":1}', '{"by":"eve","reason":"x"}']],
];

it('refuses and shows whatever anybody sends, takes the right answers, ends, and replays', async () => {
  const run = await start();
  await run.asked('start');
  for (const [, name, data, encoding] of hostile) await raw(run, name, data, encoding);
  const status = await run.status();
  expect(status.refusedCount).toBe(hostile.length);
  expect(status.waitingFor.map((o) => o.id)).toEqual(['start#1']);
  const text = JSON.stringify(status);
  expect(text.length).toBeLessThan(64_000);
  const report = await approveAll(run);
  expect(report.ending).toBe('Completed');
  expect(JSON.stringify(report).length).toBeLessThan(64_000);
  await replays(run.handle.workflowId, await run.handle.fetchHistory());
});

it('a signal named cancel is refused; Temporal’s cancellation is obeyed, whatever has been sent', async () => {
  const run = await start();
  await run.asked('start');
  await raw(run, 'cancel', ['{}']);
  expect((await run.status()).refused.at(-1)).toMatchObject({
    signal: 'cancel',
    why: expect.stringContaining('there is no signal "cancel"'),
  });
  for (let i = 0; i < 2; i++) await raw(run, 'approve', [keys(100_000)]);
  await run.handle.cancel();
  const error = (await run.handle.result().catch((e: unknown) => e)) as { cause?: unknown };
  expect(error.cause).toBeInstanceOf(CancelledFailure);
});

it('what a device says at length is bounded on its way into state, question and report', async () => {
  let calls = 0;
  const run = await start({
    activities: {
      'pair.ready.check': async () => {
        if (++calls > 2) return { summary: 'ready', nodes: {} };
        const { ApplicationFailure: Failure } = await import('@temporalio/common');
        throw Failure.nonRetryable(`device said: ${letters(900_000)}`, 'CommandFailed');
      },
    },
  });
  const hold = await run.asked('hold#1');
  expect(hold.question.length).toBeLessThan(700);
  expect(hold.question).toMatch(/What now\?$/);
  await run.answer('retry');
  await run.asked('hold#2');
  await run.answer('stop');
  const error = (await run.handle.result().catch((e: unknown) => e)) as { cause?: ApplicationFailure };
  expect(error.cause?.type).toBe('Stopped');
  expect(JSON.stringify(error.cause?.details).length).toBeLessThan(64_000);
});

describe('an Update', () => {
  const send = (handle: WorkflowHandle, name: string, input: unknown): Promise<unknown> =>
    handle.executeUpdate(name, { args: [input] });
  const refusal = async (work: Promise<unknown>): Promise<string> => {
    const error: unknown = await work.then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    return ((error as WorkflowUpdateFailedError).cause as Error).message;
  };

  it('is refused at once without a trace, or counts, and its sender is told', async () => {
    const run = await start({ plan: pairPlan({ pause: { count: 2 } }) });
    const { id, digest } = await run.asked('start');
    const before = (await run.handle.describe()).historyLength;
    expect(
      await refusal(send(run.handle, 'answer', { opening: id, digest: '0'.repeat(12), by: 'ann', choice: 'approve' })),
    ).toContain('the digest of start#1 is');
    expect(await refusal(send(run.handle, 'answer', [[[]]]))).toContain('expected object');
    expect(await refusal(send(run.handle, 'command', { command: 'stop', by: 'ann', reason: 'x' }))).toContain(
      'pause, resume, switchBack',
    );
    expect((await run.handle.describe()).historyLength).toBe(before);
    expect(await send(run.handle, 'command', { command: 'pause', by: 'ann', reason: 'wait' })).toMatchObject({
      accepted: true,
      isDecided: false,
      counted: 1,
      needed: 2,
    });
    expect(await refusal(send(run.handle, 'command', { command: 'pause', by: 'Ann ', reason: 'wait' }))).toContain(
      '1 of 2',
    );
    expect(await send(run.handle, 'command', { command: 'pause', by: 'bob', reason: 'wait' })).toMatchObject({
      isDecided: true,
    });
    expect(await send(run.handle, 'command', { command: 'resume', by: 'bob', reason: 'go' })).toMatchObject({
      isDecided: true,
    });
    expect(await send(run.handle, 'answer', { opening: id, digest, by: 'ann', choice: 'approve' })).toMatchObject({
      accepted: true,
      opening: id,
      isDecided: true,
    });
    expect((await approveAll(run, ['return', 'finish'])).ending).toBe('Completed');
    await replays(run.handle.workflowId, await run.handle.fetchHistory());
  });
});

/** Sends the same wrong answer so many times, a hundred at once. */
async function flood(run: WorldRun, opening: string, count: number): Promise<void> {
  const wrong = { opening, digest: '0'.repeat(12), by: 'bot' };
  for (let sent = 0; sent < count; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => run.handle.signal('approve', wrong)));
}

it('a flood of signals ends in a new link, in which the right answer counts and what was done is undone', async () => {
  const run = await start();
  await run.asked('start');
  await run.answer('approve');
  const { id, digest } = await run.asked('return');
  const first = (await run.handle.describe()).runId;
  await flood(run, id, FLOOD);
  // The link ends with the next one's beginning.
  const link = engine.client.workflow.getHandle(run.handle.workflowId, first, { followRuns: false });
  await expect(link.result()).rejects.toBeInstanceOf(WorkflowContinuedAsNewError);
  // The same question, by the same ID and digest, in another run of Temporal.
  expect(await run.asked('return')).toMatchObject({ id, digest });
  expect((await run.status()).refusedCount).toBe(FLOOD);
  await run.answer('reject');
  await run.asked('hold');
  await run.answer('roll-back', { to: 'start' });
  const error = (await run.handle.result().catch((e: unknown) => e)) as { cause?: ApplicationFailure };
  expect(error.cause?.type).toBe('RolledBack');
  expect(run.world.nodes['fw1']?.release).toBe('1.0');
  expect(run.world.serving).toBe('fw1');
  expect(run.world.broken).toEqual([]);
  const history = await run.handle.fetchHistory();
  const began = history.events?.[0];
  expect(began?.eventType).toBe(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  expect(began?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId).toBe(first);
  await replays(run.handle.workflowId, history);
});

// Minutes each, and the same as the flood above but for its size.
if (process.env['HITLESS_TEST_ALL'] === '1') {
  it('8,000 signals while no worker runs', async () => {
    const run = await start();
    const { id } = await run.asked('start');
    await run.worker.stop();
    await flood(run, id, 8_000);
    await run.worker.restart();
    expect((await approveAll(run)).ending).toBe('Completed');
    expect(run.world.broken).toEqual([]);
  });

  it('10,000 signals as fast as they can be sent', async () => {
    const run = await start();
    const { id } = await run.asked('start');
    await flood(run, id, 10_000);
    const report = await approveAll(run);
    expect(report).toMatchObject({ ending: 'Completed', refusedCount: 10_000 });
    expect(run.world.broken).toEqual([]);
  });
}
