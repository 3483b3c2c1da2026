/**
 * The worker's log: one line for each thing worth knowing. What an activity failed with is in the history in full; a failed
 * workflow task is said once per run and cause, however often it is tried again, with what to do.
 */
import type { LogEntry } from '@temporalio/worker';
import { taskFailure, thrown, type TaskFailure } from './core-failure';

/** Tells the workflow ID of a run: the core knows only the run's. */
export type FindWorkflow = (runId: string) => Promise<string | undefined>;

interface Meta {
  readonly sdkComponent?: string;
  readonly taskQueue?: string;
  readonly workflowId?: string;
  readonly runId?: string;
  readonly activityType?: string;
  readonly attempt?: number;
  readonly failure?: string;
  readonly error?: unknown;
}

/** Runs whose failures are remembered, and causes of each: what is older may be said again. */
const RUNS = 1_000;
const CAUSES = 5;
/** What has no run of its own is said again after so long. */
const AGAIN_MS = 600_000;
/** What the SDK says of a local activity where none are registered. */
const OF_A_REPLAY = /^Local activity of type '[^']*' not registered on worker/;
/** Name of the replay's workers: what they log is in the refusal. */
export const replayName = 'hitless-replay';

export class WorkerLog {
  private readonly told = new Map<string, Set<string>>();
  private readonly toldAt = new Map<string, number>();
  private readonly finders = new Set<FindWorkflow>();
  /** Runs that are being replayed only. */
  private readonly ignored = new Set<string>();
  /** Runs whose replay has ended well, and of which a last line may still be on its way. */
  private readonly replayed = new Map<string, true>();

  constructor(private readonly write: (line: string) => void) {}

  /** Adds a way to find workflow IDs. @returns what removes it. */
  finds(find: FindWorkflow): () => void {
    this.finders.add(find);
    return () => void this.finders.delete(find);
  }

  /** What is said of this run is of its replay, whose failure is told elsewhere. */
  ignore(runId: string): void {
    this.ignored.add(runId);
  }

  /**
   * Its replay has ended well. If its history ends where the run waits for a local activity, as after a worker's death, the
   * core says a moment later that the replay couldn't do it: it has no activities, and needs none.
   */
  heed(runId: string): void {
    this.ignored.delete(runId);
    remember(this.replayed, runId, true);
  }

  /** Writes a line about an entry of the SDK's log, or drops it. */
  take(entry: LogEntry): void {
    const meta = (entry.meta ?? {}) as Meta;
    if (meta.taskQueue?.startsWith(replayName) || (meta.runId !== undefined && this.ignored.has(meta.runId))) return;
    if (meta.sdkComponent === 'core') this.takeCore(entry, meta);
    else this.takeWorker(entry, meta);
  }

  private takeWorker(entry: LogEntry, meta: Meta): void {
    const { message } = entry;
    if (message.startsWith('No workflows registered')) return;
    if (meta.runId !== undefined && isOfTask(message, meta.error)) {
      void this.tellFailed(entry, { runId: meta.runId, workflowId: meta.workflowId }, thrown(wordsOf(meta.error)));
      return;
    }
    const about = [
      meta.workflowId,
      meta.activityType,
      meta.attempt === undefined ? undefined : `attempt ${meta.attempt}`,
    ].filter(Boolean);
    const error = asError(meta.error);
    const why = error === undefined ? '' : `: ${named(error)}`;
    this.line(entry, `${message}${about.length === 0 ? '' : ` (${about.join(' ')})`}${why}`);
  }

  private takeCore(entry: LogEntry, meta: Meta): void {
    const { message, level } = entry;
    if (message === 'Failing workflow task' && meta.runId !== undefined)
      this.takeFailing(entry, meta.runId, taskFailure(meta.failure ?? ''));
    else if (message === 'Error while completing workflow activation')
      this.tellRefused(entry, taskFailure(String(meta.error)).message);
    // Of payloads that are too large the failed task says more, and an activity fails with it.
    else if (level === 'ERROR' && !message.includes('TMPRL1103')) this.lineAtTimes(entry, message, message);
  }

  private takeFailing(entry: LogEntry, runId: string, failure: TaskFailure): void {
    // Once: a worker that lacks it says so at each try.
    if (OF_A_REPLAY.test(failure.message) && this.replayed.delete(runId)) return;
    void this.tellFailed(entry, { runId }, failure);
  }

  private async tellFailed(entry: LogEntry, run: FailedRun, failure: TaskFailure): Promise<void> {
    // Numbers aside: times, events and lengths differ from attempt to attempt.
    if (!this.isNew(run.runId, failure.message.replace(/\d+/g, '#').slice(0, 200))) return;
    const workflowId = run.workflowId ?? (await this.workflowOf(run.runId));
    this.line(entry, failedLine({ ...run, workflowId }, failure), 'ERROR');
  }

  /** The server didn't take what a workflow task brought; which run's it was the SDK doesn't say. */
  private tellRefused(entry: LogEntry, why: string): void {
    if (why.includes('TMPRL1103')) return;
    this.lineAtTimes(
      entry,
      `refused ${why}`,
      `the server refuses what a workflow task brought, so its run stands still: ${why}. See docs/operations.md#wedged-runs`,
      'ERROR',
    );
  }

  private async workflowOf(runId: string): Promise<string | undefined> {
    for (const find of this.finders) {
      const found = await find(runId).catch(() => undefined);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private isNew(runId: string, cause: string): boolean {
    const causes = this.told.get(runId) ?? new Set();
    if (causes.has(cause) || causes.size >= CAUSES) return false;
    causes.add(cause);
    remember(this.told, runId, causes);
    return true;
  }

  private lineAtTimes(entry: LogEntry, key: string, text: string, level?: string): void {
    const atMs = Number(entry.timestampNanos / 1_000_000n);
    const last = this.toldAt.get(key);
    if (last !== undefined && atMs - last < AGAIN_MS) return;
    remember(this.toldAt, key, atMs);
    this.line(entry, text, level);
  }

  private line({ timestampNanos, level }: LogEntry, text: string, as: string = level): void {
    const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    this.write(`${time} ${as} ${printable(text)}\n`);
  }
}

export interface FailedRun {
  readonly runId: string;
  readonly workflowId?: string | undefined;
}

/** What a person reads of a run whose workflow task failed. */
export function failedLine({ workflowId, runId }: FailedRun, { cause, message }: TaskFailure): string {
  const cluster = /^upgrade-(.+)$/.exec(workflowId ?? '')?.[1];
  const status = cluster === undefined ? '' : `hitless status ${cluster}; `;
  return (
    `${workflowId ?? 'a run'} stands still: its workflow task failed (run ${runId}, ${cause}): ${message.replace(/\.$/, '')}. ` +
    `It is tried again and again. Next: ${status}docs/operations.md#wedged-runs`
  );
}

/**
 * Whether a line is about a workflow task that failed. "Workflow failed" is said of runs that end so, too; the SDK throws an
 * error of the code in one place, which is the only trace of that here: names of errors are lost on their way out.
 */
const isOfTask = (message: string, error: unknown): boolean =>
  message === 'Failed to process Workflow Activation' ||
  (message === 'Workflow failed' && /throw this\.workflowTaskError/.test(asError(error)?.stack ?? ''));

/** By its shape: it comes out of the workflow's sandbox, whose Error is another one. */
const asError = (error: unknown): Error | undefined =>
  typeof error === 'object' && error !== null && 'message' in error && 'name' in error ? (error as Error) : undefined;

const wordsOf = (error: unknown): string => asError(error)?.message ?? String(error);

const named = ({ name, message }: Error): string =>
  `${name === 'Error' ? '' : `${name}: `}${message.split('\n').slice(0, 4).join(' ')}`;

/** Keeps the newest. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next().value;
  if (map.size > RUNS && oldest !== undefined) map.delete(oldest);
}

/** One line, with nothing in it that a terminal would obey. */
const printable = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+/g, ' ');
