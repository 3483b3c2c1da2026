/**
 * A new build must not wedge a running upgrade: before it polls, a worker replays the histories of all open runs of its
 * queue and refuses to start if one fails (design, promise 9).
 */
import { availableParallelism } from 'node:os';
import type { Client } from '@temporalio/client';
import { isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { Worker, type ReplayWorkerOptions, type WorkflowBundle } from '@temporalio/worker';
import { counted } from '../activities/kit';
import { knownTypes } from '../workflows/unknown-type';
import { payloadConverterPath } from './bundle';
import { taskFailure, thrown, type TaskFailure } from './core-failure';
import { continuedAs, coreRunId, isUntouched, standsStill, typeOf, type History } from './history';
import { failedLine, replayName } from './log';
import { ACTIVATION_TIMEOUT } from './plugin';
import { workerLog } from './runtime';
import { within } from './within';

export class ReplayRefused extends Error {
  override readonly name = 'ReplayRefused';
}

export interface OpenRun {
  readonly workflowId: string;
  readonly runId: string;
}

export interface ReplayOptions {
  /** Run or workflow IDs of runs that aren't replayed. */
  readonly leave?: readonly string[];
  /** What a person wants to know meanwhile. */
  readonly say?: (text: string) => void;
  readonly nowMs?: () => number;
}

/** A replay needs a core of its own; more at once would only cost memory. */
const LANES = Math.min(4, availableParallelism());
const FETCH_TIMEOUT_MS = 30_000;
/** Of one history; a long one takes seconds. */
const REPLAY_TIMEOUT_MS = 120_000;
const PROGRESS_MS = 5_000;
/** Lines about runs that stand still, at most. */
const STANDING_STILL = 20;

/** @throws ReplayRefused that names each run that this build can't go on with, and why. @returns how many it can. */
export async function replayOpenRuns(
  client: Client,
  taskQueue: string,
  workflowBundle: WorkflowBundle,
  { leave = [], say = () => undefined, nowMs = () => performance.now() }: ReplayOptions = {},
): Promise<number> {
  const open = await openRuns(client, taskQueue);
  const isLeft = (run: OpenRun): boolean => leave.some((name) => names(run, name));
  for (const name of leave)
    if (!open.some((run) => names(run, name))) say(`--leave ${name}: no such run is open on the queue ${taskQueue}.`);
  for (const run of open.filter(isLeft)) say(leftNotice(run));

  const queue = open.filter((run) => !isLeft(run));
  const failed: string[] = [];
  let total = queue.length;
  let replayed = 0;
  let standing = 0;
  let saidMs = nowMs();
  const judge = ({ run, history, failure }: Judged): void => {
    replayed++;
    if (failure !== undefined) {
      if (history !== undefined && isUntouched(history)) say(untouchedNotice(run, failure));
      else failed.push(refusalLine(run, history, failure));
    } else if (history !== undefined) {
      const next = continuedAs(history);
      if (next !== undefined) {
        queue.push({ workflowId: run.workflowId, runId: next });
        total++;
      }
      const still = standsStill(history);
      if (still !== undefined && standing++ < STANDING_STILL) say(failedLine(run, still));
    }
    if (nowMs() - saidMs < PROGRESS_MS) return;
    saidMs = nowMs();
    say(`Replaying open runs before polling: ${replayed} of ${total} …`);
  };
  const lanes = Math.min(LANES, queue.length);
  await Promise.all(Array.from({ length: lanes }, () => new Lane(client, workflowBundle, queue, judge).run()));
  if (failed.length === 0) return replayed;
  throw new ReplayRefused(
    `this build can't go on with ${failed.length} of ${counted(replayed, 'open run')}, so it doesn't start; they are left to the workers that run now. ` +
      `Start the build that they began with, or mend this one; --leave RUN_ID leaves one out of this check (docs/operations.md#leave):\n${failed.sort().join('\n')}`,
  );
}

const names = (run: OpenRun, name: string): boolean => run.workflowId === name || run.runId === name;

async function openRuns(client: Client, taskQueue: string): Promise<OpenRun[]> {
  const query = `ExecutionStatus = "Running" AND TaskQueue = "${taskQueue}"`;
  return client.withDeadline(Date.now() + FETCH_TIMEOUT_MS, async () => {
    const open: OpenRun[] = [];
    for await (const { workflowId, runId } of client.workflow.list({ query })) open.push({ workflowId, runId });
    return open;
  });
}

interface Judged {
  readonly run: OpenRun;
  readonly history?: History;
  readonly failure?: TaskFailure;
}

/** Replays one run after another; several lanes share the queue. A history is in memory only while it is replayed. */
class Lane {
  private current: { readonly run: OpenRun; readonly history: History } | undefined;

  constructor(
    private readonly client: Client,
    private readonly workflowBundle: WorkflowBundle,
    private readonly queue: OpenRun[],
    private readonly judge: (judged: Judged) => void,
  ) {}

  async run(): Promise<void> {
    // The SDK's replay would run workflow code in this very thread, without a limit of time; its types hide both options.
    const options: ReplayWorkerOptions & { debugMode: boolean; isolateExecutionTimeout: string } = {
      workflowBundle: this.workflowBundle,
      dataConverter: { payloadConverterPath },
      replayName,
      isolateExecutionTimeout: ACTIVATION_TIMEOUT,
      debugMode: false,
    };
    while (this.queue.length > 0) {
      try {
        await this.replayAll(Worker.runReplayHistories(options, this.histories()));
      } catch (error) {
        // What the SDK can't replay at all ends its worker; the others of the queue get a new one.
        if (this.current === undefined) throw error;
        this.judge({ ...this.current, failure: thrown(wordsOf(error)) });
        this.current = undefined;
      }
    }
  }

  private async replayAll(results: AsyncIterableIterator<{ readonly error?: Error | undefined }>): Promise<void> {
    for (;;) {
      const result = await within(REPLAY_TIMEOUT_MS, results.next(), 'the replay came to no end');
      if (result.done) return;
      if (this.current === undefined) throw new Error('a replay without a run');
      const { error } = result.value;
      // A line about it that is still on its way is in the refusal.
      if (error === undefined) workerLog.heed(coreRunId(this.current.history));
      this.judge({ ...this.current, ...(error !== undefined && { failure: taskFailure(error.message) }) });
      this.current = undefined;
    }
  }

  private async *histories(): AsyncGenerator<{ workflowId: string; history: History }> {
    for (let run = this.queue.shift(); run !== undefined; run = this.queue.shift()) {
      const history = await this.fetch(run);
      if (history === undefined) continue;
      this.current = { run, history };
      workerLog.ignore(coreRunId(history));
      yield { workflowId: run.workflowId, history };
    }
  }

  private async fetch(run: OpenRun): Promise<History | undefined> {
    try {
      return await this.client.withDeadline(Date.now() + FETCH_TIMEOUT_MS, () =>
        this.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory(),
      );
    } catch (error) {
      // It was deleted since the list was made.
      if (error instanceof WorkflowNotFoundError) return undefined;
      this.judge({ run, failure: thrown(`its history can't be fetched: ${wordsOf(error)}`) });
      return undefined;
    }
  }
}

const wordsOf = (error: unknown): string => {
  const cause = error instanceof ServiceError && isGrpcServiceError(error.cause) ? error.cause : error;
  if (isGrpcServiceError(cause)) return cause.details || cause.message;
  return cause instanceof Error ? cause.message : String(cause);
};

function refusalLine({ workflowId, runId }: OpenRun, history: History | undefined, failure: TaskFailure): string {
  if (history === undefined) return `- ${workflowId} (run ${runId}): ${failure.message}`;
  const type = typeOf(history);
  const lost = type === '' || knownTypes.includes(type) ? '' : ` This build has no workflow type ${type}.`;
  const length = history.events?.length ?? 0;
  const where = failure.event === undefined ? `, ${counted(length, 'event')}` : `, ${failure.event} of ${length}`;
  return `- ${workflowId} (${type || 'type unknown'}, run ${runId}${where}):${lost} ${failure.message}`;
}

const untouchedNotice = ({ workflowId, runId }: OpenRun, { message }: TaskFailure): string =>
  `${workflowId} (run ${runId}) can't be gone on with by this build: ${message}. It has touched nothing yet: terminate it, and start it again.`;

const leftNotice = ({ workflowId, runId }: OpenRun): string =>
  `${workflowId} (run ${runId}) is left out of the check. If this build can't go on with it, its workflow tasks fail here and are tried again until a build polls that can: ` +
  'it takes no step, hears no answer and makes no escape; an activity that is under way goes on to its end.';
