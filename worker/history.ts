/** What the replay check reads out of a history. Pure. */
import { temporal } from '@temporalio/proto';
import { thrown, type TaskFailure } from './core-failure';

export type History = temporal.api.history.v1.IHistory;

const { EventType, WorkflowTaskFailedCause } = temporal.api.enums.v1;
const eventsOf = (history: History): readonly temporal.api.history.v1.IHistoryEvent[] => history.events ?? [];

export const typeOf = (history: History): string =>
  eventsOf(history)[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '';

/** The run ID by which the SDK's core speaks of it while it is replayed. */
export const coreRunId = (history: History): string =>
  eventsOf(history)[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId ?? '';

/**
 * Whether nothing can have been touched yet: no plan has been resolved, and nothing but that was asked of a worker. A run
 * that goes on from another one is never untouched.
 */
export function isUntouched(history: History): boolean {
  const [started] = eventsOf(history);
  const attributes = started?.workflowExecutionStartedEventAttributes;
  if (!attributes || attributes.continuedExecutionRunId) return false;
  return !eventsOf(history).some(
    ({ eventType, activityTaskScheduledEventAttributes: scheduled }) =>
      eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED ||
      eventType === EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED ||
      eventType === EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED ||
      (scheduled != null && scheduled.activityType?.name !== 'plan.resolve'),
  );
}

/** The run that goes on where this one was closed for its length. */
export const continuedAs = (history: History): string | undefined =>
  eventsOf(history).at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;

/** The server's own ways of having a task done again. */
const BENIGN = /RESET_|UNHANDLED_COMMAND|UNHANDLED_UPDATE|FORCE_CLOSE|FAILOVER|PAUSE_REQUESTED/;

/** Why the newest workflow task failed, if none has been completed since: the run stands still. */
export function standsStill(history: History): TaskFailure | undefined {
  for (const event of eventsOf(history).toReversed()) {
    if (event.workflowTaskCompletedEventAttributes) return undefined;
    const failed = event.workflowTaskFailedEventAttributes;
    if (!failed) continue;
    const name = WorkflowTaskFailedCause[failed.cause ?? 0] ?? 'WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED';
    if (BENIGN.test(name)) return undefined;
    return { ...thrown(failed.failure?.message ?? ''), cause: pascal(name.replace('WORKFLOW_TASK_FAILED_CAUSE_', '')) };
  }
  return undefined;
}

/** `NON_DETERMINISTIC_ERROR` → `NonDeterministicError`, as Temporal's own tools write it. */
const pascal = (name: string): string =>
  name
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
