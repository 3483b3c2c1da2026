/** What Temporal knows of an attempt of an activity, as steps, checks, guards and watches are told it. */
import type { Info } from '@temporalio/activity';
import type { StepContext } from './step';

export const attemptOf = (info: Info): Pick<StepContext, 'run' | 'attempt' | 'call'> => ({
  run: { workflowId: info.workflowExecution?.workflowId ?? '', runId: info.workflowExecution?.runId ?? '' },
  attempt: info.attempt,
  call: { number: Number(info.activityId), scheduledAtMs: info.currentAttemptScheduledTimestampMs },
});
