/** Workflow tasks that fail: a run that no worker can take further, although workers are there. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { eventsBackward, isoOf, type HistoryEvent } from './history';

export interface FailingTasks {
  /** How often the same task has been tried. */
  readonly attempt: number;
  /** When the task was first given out. */
  readonly since?: string;
  /** The server's name of what went wrong, in words: "workflow worker unhandled failure". */
  readonly cause: string;
  /** What the worker said. */
  readonly message?: string;
  /** The worker that said it. */
  readonly by?: string;
}

/** What a worker says may be a stack of megabytes. */
const MESSAGE_CHARS = 600;
/** Messages that came since the task failed lie above it in the history. */
const EVENTS_LOOKED_AT = 12_000;
const SCHEDULE_TO_START = 2;
const { WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW: RESET } = temporal.api.enums.v1.WorkflowTaskFailedCause;

const clip = (text: string): string => (text.length <= MESSAGE_CHARS ? text : `${text.slice(0, MESSAGE_CHARS - 1)}…`);

/** `WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE` → `payloads too large`. */
const words = (cause: number): string =>
  (temporal.api.enums.v1.WorkflowTaskFailedCause[cause] ?? `cause ${cause}`)
    .replace('WORKFLOW_TASK_FAILED_CAUSE_', '')
    .replaceAll('_', ' ')
    .toLowerCase();

type Failed = Pick<FailingTasks, 'cause' | 'message' | 'by'>;

/** What an event tells of a failed task; "fine" if it tells that tasks are done, undefined if it tells nothing. */
function toldBy(event: HistoryEvent): Failed | 'fine' | undefined {
  const { workflowTaskFailedEventAttributes: failed, workflowTaskTimedOutEventAttributes: late } = event;
  if (event.workflowTaskCompletedEventAttributes != null) return 'fine';
  if (failed != null) {
    const cause = Number(failed.cause ?? 0);
    // Where a reset cut the history off: it began anew there.
    if (cause === Number(RESET)) return 'fine';
    return {
      cause: words(cause),
      ...(failed.failure?.message != null && { message: clip(failed.failure.message) }),
      ...(failed.identity != null && failed.identity !== '' && { by: failed.identity }),
    };
  }
  // A task that its worker's own queue gave back is no fault: the worker has gone.
  if (late == null || Number(late.timeoutType ?? 0) === SCHEDULE_TO_START) return undefined;
  return { cause: 'a worker took it and never answered: it died, or it hangs' };
}

/** What is wrong with the workflow tasks of a running run; undefined if the last one was done, or is only new. */
export async function failingTasks(
  client: Client,
  { workflowId, runId, raw }: WorkflowExecutionDescription,
): Promise<FailingTasks | undefined> {
  const pending = raw.pendingWorkflowTask;
  const attempt = pending?.attempt ?? 0;
  if (pending == null || attempt < 2) return undefined;
  let left = EVENTS_LOOKED_AT;
  for await (const event of eventsBackward(client, { workflowId, runId })) {
    const told = toldBy(event);
    if (told === 'fine' || left-- <= 0) return undefined;
    if (told === undefined) continue;
    const since = isoOf(pending.originalScheduledTime ?? event.eventTime);
    return { attempt, ...(since !== undefined && { since }), ...told };
  }
  return undefined;
}

/** One sentence for people. */
export const failingSentence = ({ attempt, cause, message }: FailingTasks): string =>
  `its workflow tasks fail (attempt ${attempt}): ${cause}${message === undefined ? '' : `: ${message}`}`;
