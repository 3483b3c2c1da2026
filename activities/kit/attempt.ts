/** What Temporal and the core know of an attempt of an activity, as steps, checks, guards and watches are told it. */
import type { Info } from '@temporalio/activity';
import { z } from 'zod';
import { permanent } from './errors';
import type { CallRun, StepContext } from './step';

const callRun: z.ZodType<CallRun> = z.object({
  firstRunId: z.string().min(1),
  link: z.int().min(0),
  number: z.int().min(0),
  executing: z.string().min(1),
  adopted: z.array(z.string().min(1)).min(1).optional(),
  goesOn: z.literal(true).optional(),
});

/**
 * Hosts know a chain of runs by its first one and order calls by a number that grows over links and resets: Temporal's own
 * run ID and activity ID start over with each. A core that says neither (before core-2) has runs of one link.
 *
 * @throws WasReset if the workflow takes itself for another run than the one that Temporal runs: it has been reset and must
 * learn first what the part that was thrown away had done. Call this before anything is touched.
 */
export function attemptOf(info: Info, call: { readonly run?: unknown }): Pick<StepContext, 'run' | 'attempt' | 'call'> {
  const { attempt, currentAttemptScheduledTimestampMs: scheduledAtMs } = info;
  const { workflowId = '', runId = '' } = info.workflowExecution ?? {};
  if (call.run === undefined)
    return { run: { workflowId, runId }, attempt, call: { number: Number(info.activityId), scheduledAtMs } };
  const parsed = callRun.safeParse(call.run);
  if (!parsed.success)
    throw permanent('InvalidInput', `the call doesn’t say which run it belongs to: ${z.prettifyError(parsed.error)}`);
  const { firstRunId, number, executing, adopted, goesOn } = parsed.data;
  if (executing !== runId)
    throw permanent(
      'WasReset',
      `run ${executing} of ${workflowId} was reset, and goes on as run ${runId}: what ${executing} had done after the reset point is to be found out first. Nothing was touched.`,
      { executing: runId, expected: executing },
    );
  const run = {
    workflowId,
    runId: firstRunId,
    ...(adopted === undefined ? {} : { adopted }),
    ...(goesOn === undefined ? {} : { goesOn }),
  };
  return { run, attempt, call: { number, scheduledAtMs } };
}
