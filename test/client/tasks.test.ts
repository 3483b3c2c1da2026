/** Why a run gives no status, told from what the server knows; without a server. */
import {
  QueryNotRegisteredError,
  ServiceError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { chainOf } from '../../client/chain';
import { unanswered } from '../../client/failures';
import type { HistoryEvent } from '../../client/history';
import { silenceOf } from '../../client/server-view';
import { failingTasks, type FailingTasks } from '../../client/tasks';

const PAGE = 500;
const at = { seconds: 1_795_000_000, nanos: 0 };

/** A server with this history, the newest event first. */
function serverWith(newestFirst: readonly HistoryEvent[]): { readonly client: Client; readonly pages: () => number } {
  let pages = 0;
  const client = {
    options: { namespace: 'default' },
    workflowService: {
      getWorkflowExecutionHistoryReverse: ({ nextPageToken }: { nextPageToken?: Uint8Array }) => {
        pages++;
        const from = nextPageToken === undefined ? 0 : Number(Buffer.from(nextPageToken).toString());
        return Promise.resolve({
          history: { events: newestFirst.slice(from, from + PAGE) },
          nextPageToken: from + PAGE < newestFirst.length ? Buffer.from(String(from + PAGE)) : new Uint8Array(),
        });
      },
    },
  };
  return { client: client as unknown as Client, pages: () => pages };
}
const described = (attempt?: number): WorkflowExecutionDescription =>
  ({
    workflowId: 'w',
    runId: 'r',
    raw: attempt === undefined ? {} : { pendingWorkflowTask: { attempt, originalScheduledTime: at } },
  }) as unknown as WorkflowExecutionDescription;

const failed = (cause: number, message: string): HistoryEvent => ({
  workflowTaskFailedEventAttributes: { cause, failure: { message }, identity: '12@worker' },
});
const late = (timeoutType: number): HistoryEvent => ({ workflowTaskTimedOutEventAttributes: { timeoutType } });
const signal: HistoryEvent = { workflowExecutionSignaledEventAttributes: {} };
const done: HistoryEvent = { workflowTaskCompletedEventAttributes: {} };
const { WorkflowTaskFailedCause: causes } = temporal.api.enums.v1;
const UNHANDLED = Number(causes.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE);
const RESET = Number(causes.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW);
const [START_TO_CLOSE, SCHEDULE_TO_START] = [1, 2];

describe('failing workflow tasks', () => {
  it('no task, or one that is only new: nothing is read', async () => {
    const { client, pages } = serverWith([failed(UNHANDLED, 'x')]);
    expect(await failingTasks(client, described())).toBeUndefined();
    expect(await failingTasks(client, described(1))).toBeUndefined();
    expect(pages()).toBe(0);
  });

  it('the cause is found below the messages that came since', async () => {
    const { client } = serverWith([
      ...Array<HistoryEvent>(8_000).fill(signal),
      failed(UNHANDLED, 'Maximum call stack'),
    ]);
    expect(await failingTasks(client, described(14))).toEqual({
      attempt: 14,
      since: '2026-11-18T11:06:40.000Z',
      cause: 'workflow worker unhandled failure',
      message: 'Maximum call stack',
      by: '12@worker',
    });
  });

  it('a history of any length is not read to its end', async () => {
    const { client, pages } = serverWith(Array<HistoryEvent>(50_000).fill(signal));
    expect(await failingTasks(client, described(14))).toBeUndefined();
    expect(pages()).toBeLessThan(30);
  });

  it('a worker that dies of a task, or hangs on it', async () => {
    const { client } = serverWith([signal, late(START_TO_CLOSE), done]);
    expect((await failingTasks(client, described(3)))?.cause).toContain('never answered');
  });

  it.each([
    ['a worker that has gone gave its task back', [late(SCHEDULE_TO_START), done, failed(UNHANDLED, 'long ago')]],
    ['it was mended since', [done, failed(UNHANDLED, 'long ago')]],
    ['a reset cut the history off', [failed(RESET, 'reset'), failed(UNHANDLED, 'before the reset')]],
  ])('none: %s', async (_, events) => {
    expect(await failingTasks(serverWith(events).client, described(2))).toBeUndefined();
  });

  it('what a worker says is bounded', async () => {
    const { client } = serverWith([failed(UNHANDLED, 'x'.repeat(1_000_000))]);
    expect((await failingTasks(client, described(2)))?.message?.length).toBeLessThan(1_000);
  });
});

describe('which silence it is', () => {
  const nowMs = Date.parse('2026-11-22T10:00:00.000Z');
  const fresh = { at: '2026-11-22T09:59:58.000Z', by: 'w' };
  const old = { at: '2026-11-22T09:57:00.000Z', by: 'w' };
  const tasks: FailingTasks = { attempt: 2, cause: 'x' };
  it.each([
    [undefined, undefined, 'no-worker'],
    [undefined, tasks, 'no-worker'],
    [old, tasks, 'no-worker'],
    [fresh, undefined, 'no-answer'],
    [fresh, tasks, 'tasks-fail'],
  ])('polled %j, tasks %j: %s', (lastPoll, failing, silence) => {
    expect(silenceOf(lastPoll, failing, nowMs)).toBe(silence);
  });

  const grpc = (code: number, details: string): Error =>
    new ServiceError('Failed to query Workflow', {
      cause: Object.assign(new Error(details), { code, details, metadata: {} }),
    });
  it.each([
    ['an answer that the server refuses', new QueryNotRegisteredError('Blob data size exceeds limit.', 3), 'too-large'],
    ['an answer that gRPC refuses', grpc(8, 'grpc: received message larger than max (9 vs. 4)'), 'too-large'],
    ['too many queries', grpc(8, 'query buffer is full'), undefined],
    ['a query that isn’t there', new QueryNotRegisteredError('Workflow did not register a handler', 3), 'no-query'],
    ['a deadline', grpc(4, 'Deadline exceeded'), undefined],
  ])('%s', (_, error, silence) => {
    expect(unanswered(error)).toMatchObject({ why: expect.any(String) as string });
    expect(unanswered(error)?.silence).toBe(silence);
  });
  it('a fault of the server is none', () => {
    expect(unanswered(grpc(14, 'unavailable'))).toBeUndefined();
    expect(unanswered(new Error('bug'))).toBeUndefined();
  });
});

describe('the chain of runs', () => {
  const notFound = Object.assign(new Error('gone'), { code: 5, details: 'gone', metadata: {} });
  /** A server that still has these runs, each with the one that it continued. */
  const having = (runs: Readonly<Record<string, { continued?: string; written?: string }>>): Client =>
    ({
      options: { namespace: 'default' },
      workflowService: {
        getWorkflowExecutionHistory: ({ execution }: { execution: { runId: string } }) => {
          const run = runs[execution.runId];
          if (run === undefined) return Promise.reject(notFound);
          const { continued = '', written = execution.runId } = run;
          const started = { continuedExecutionRunId: continued, originalExecutionRunId: written };
          return Promise.resolve({ history: { events: [{ workflowExecutionStartedEventAttributes: started }] } });
        },
      },
    }) as unknown as Client;
  const chain = (runs: Parameters<typeof having>[0], runId: string) =>
    chainOf(having(runs), { workflowId: 'w', runId });

  it('from the first to the newest, a reset told', async () => {
    const runs = { a: {}, b: { continued: 'a' }, c: { continued: 'b', written: 'x' } };
    expect(await chain(runs, 'c')).toEqual({
      links: [{ runId: 'a' }, { runId: 'b' }, { runId: 'c', resetOf: 'x' }],
      isWhole: true,
    });
  });
  it('says that older links are gone', async () => {
    expect(await chain({ b: { continued: 'a' } }, 'b')).toEqual({ links: [{ runId: 'b' }], isWhole: false });
  });
  it('ends, whatever the server says', async () => {
    const circle = await chain({ a: { continued: 'b' }, b: { continued: 'a' } }, 'a');
    expect(circle.links).toHaveLength(2);
  });
});
