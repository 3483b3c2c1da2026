/** What of the SDK's log becomes a line. On the engine: log.engine.test.ts. */
import type { LogEntry } from '@temporalio/worker';
import { taskFailure, thrown } from '../../worker/core-failure';
import { replayName, WorkerLog } from '../../worker/log';

const at = (ms: number): Pick<LogEntry, 'timestampNanos'> => ({ timestampNanos: BigInt(ms) * 1_000_000n });
const failing = (runId: string, message: string, ms = 0): LogEntry => ({
  ...at(ms),
  level: 'WARN',
  message: 'Failing workflow task',
  meta: {
    sdkComponent: 'core',
    runId,
    failure: `Failure { failure: Some(Failure { message: ${JSON.stringify(message)}, source: "", failure_info: None }), force_cause: NonDeterministicError }`,
  },
});

function logOf(): { readonly log: WorkerLog; readonly lines: string[] } {
  const lines: string[] = [];
  return { log: new WorkerLog((line) => lines.push(line)), lines };
}
/** Lines about runs are written once their workflow has been looked for. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

it('a failed task is said once per run and cause, numbers aside', async () => {
  const { log, lines } = logOf();
  log.finds(async (runId) => (runId === 'r1' ? 'upgrade-fw' : undefined));
  for (let event = 1; event <= 20; event++) log.take(failing('r1', `event ${event} doesn't fit`, event));
  log.take(failing('r1', 'something else'));
  log.take(failing('r2', 'something else'));
  await settled();
  expect(lines).toEqual([
    "1970-01-01T00:00:00.001Z ERROR upgrade-fw stands still: its workflow task failed (run r1, NonDeterministicError): event 1 doesn't fit. It is tried again and again. Next: hitless status fw; docs/operations.md#wedged-runs\n",
    expect.stringContaining(
      'upgrade-fw stands still: its workflow task failed (run r1, NonDeterministicError): something else',
    ),
    expect.stringContaining(
      'a run stands still: its workflow task failed (run r2, NonDeterministicError): something else',
    ),
  ]);
});

it('a run that fails with another text each time is said five times', async () => {
  const { log, lines } = logOf();
  for (const letter of 'abcdefghijklmnopqrstuvwxyz') log.take(failing('r1', `cause ${letter}`));
  await settled();
  expect(lines).toHaveLength(5);
});

it('remembers a thousand runs, and forgets the oldest', async () => {
  const { log, lines } = logOf();
  for (let run = 0; run < 1_001; run++) log.take(failing(`r${run}`, 'no'));
  log.take(failing('r1000', 'no'));
  log.take(failing('r0', 'no'));
  await settled();
  expect(lines).toHaveLength(1_002);
});

it('a replay that ends before a local activity is no alarm; a worker that lacks the activity is', async () => {
  const { log, lines } = logOf();
  const lacking = failing('r1', "Local activity of type 'core.digest' not registered on worker");
  log.ignore('r1');
  log.heed('r1');
  // It comes after the replay's end.
  log.take(lacking);
  await settled();
  expect(lines).toEqual([]);
  log.take(lacking);
  log.take(failing('r2', "Local activity of type 'core.digest' not registered on worker"));
  await settled();
  expect(lines).toEqual([expect.stringContaining('(run r1'), expect.stringContaining('(run r2')]);
});

it('a workflow that can’t be looked for is told by its run', async () => {
  const { log, lines } = logOf();
  log.finds(() => Promise.reject(new Error('the server is away')));
  log.take(failing('r1', 'no'));
  await settled();
  expect(lines).toEqual([expect.stringContaining('a run stands still: its workflow task failed (run r1')]);
});

it('drops what the core warns of otherwise, and what replays say', async () => {
  const { log, lines } = logOf();
  const core = { sdkComponent: 'core' };
  log.take({ ...at(0), level: 'WARN', message: 'gRPC call poll retried 5 times', meta: core });
  log.take({ ...at(0), level: 'WARN', message: 'Activity failed', meta: { taskQueue: `${replayName}-1` } });
  log.ignore('r1');
  log.take(failing('r1', 'no'));
  await settled();
  expect(lines).toEqual([]);
  log.heed('r1');
  log.take(failing('r1', 'no'));
  await settled();
  expect(lines).toHaveLength(1);
});

it('the same error of the core is said again after ten minutes', () => {
  const { log, lines } = logOf();
  for (const ms of [0, 1, 599_999, 600_000, 600_001])
    log.take({ ...at(ms), level: 'ERROR', message: 'out of luck', meta: { sdkComponent: 'core' } });
  expect(lines).toEqual([
    '1970-01-01T00:00:00.000Z ERROR out of luck\n',
    '1970-01-01T00:10:00.000Z ERROR out of luck\n',
  ]);
});

it('failures of activities are told as ever, in one line', () => {
  const { log, lines } = logOf();
  const meta = { workflowId: 'upgrade-fw', activityType: 'a.act', attempt: 3, error: new Error('no\nway\u001b[31m') };
  log.take({ ...at(0), level: 'WARN', message: 'Activity failed', meta });
  expect(lines).toEqual(['1970-01-01T00:00:00.000Z WARN Activity failed (upgrade-fw a.act attempt 3): no way [31m\n']);
});

describe('what the core says of a failure', () => {
  it('Rust’s escapes are undone, long texts cut', () => {
    const text =
      'Failure { failure: Some(Failure { message: "a \\"b\\"\\n\\u{1f600} \\\\", source: "x" }), force_cause: Unspecified }';
    expect(taskFailure(text)).toEqual({ cause: 'WorkflowWorkerUnhandledFailure', message: 'a "b" 😀 \\' });
    expect(taskFailure(`message: "${'x'.repeat(100_000)}"`).message).toHaveLength(601);
    expect(thrown('x'.repeat(100_000)).message).toHaveLength(601);
  });

  it('the event that doesn’t fit', () => {
    const text =
      'x message: "No command scheduled for event HistoryEvent(id: 5, TimerStarted)", force_cause: NonDeterministicError }';
    expect(taskFailure(text)).toMatchObject({ cause: 'NonDeterministicError', event: 'event 5 (TimerStarted)' });
  });

  it('what isn’t in this form is told as it is', () => {
    expect(taskFailure('something new')).toEqual({ cause: 'WorkflowWorkerUnhandledFailure', message: 'something new' });
  });
});
