/** What became of a run that has ended: its report, why it failed, who ended it. */
import { WorkflowFailedError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { reportMemo, type Report } from '../workflows/contract';
import { cancelledBy, type Cancelled } from './cancel';
import { closeEvent, firstEvent, isoOf } from './history';
import { isReport } from './report-shape';

export interface EndOfRun {
  /** Of an ended run. */
  readonly report?: Report;
  /** Of a cancelled run: who asked for it. */
  readonly cancelled?: Cancelled;
  /** Of a terminated run: who did it, as far as Temporal was told. */
  readonly terminated?: { readonly at?: string; readonly by: string; readonly reason?: string };
  /** Of an ended run that failed without a report, or beside it. */
  readonly failure?: { readonly type: string; readonly message: string; readonly details?: unknown };
}

/** Of exactly the run that was described: a later upgrade of the same cluster has the same workflow ID. */
export async function outcomeOf(client: Client, description: WorkflowExecutionDescription): Promise<EndOfRun> {
  const { workflowId, runId, status } = description;
  if (status.name === 'TERMINATED') return terminatedBy(client, { workflowId, runId });
  try {
    const result: unknown = await client.workflow.getHandle(workflowId, runId).result();
    return isReport(result) ? { report: result } : {};
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof CancelledFailure) {
      const report = description.memo?.[reportMemo];
      const cancelled = await cancelledBy(client, { workflowId, runId });
      const isOurs = isReport(report) && !(await isOfStart(client, description));
      return { ...(isOurs && { report }), ...(cancelled && { cancelled }) };
    }
    const found = failureOf(cause);
    const report = found.details?.find(isReport);
    return {
      failure: {
        type: found.type,
        message: found.message,
        ...(report === undefined && found.details !== undefined && { details: found.details }),
      },
      ...(report !== undefined && { report }),
    };
  }
}

/** Whoever starts a run may give it a memo of any name: what a run said itself came later. */
async function isOfStart(client: Client, { raw, workflowId, runId }: WorkflowExecutionDescription): Promise<boolean> {
  const started = await firstEvent(client, { workflowId, runId });
  const given = started?.workflowExecutionStartedEventAttributes?.memo?.fields?.[reportMemo]?.data;
  const now = raw.workflowExecutionInfo?.memo?.fields?.[reportMemo]?.data;
  return given != null && now != null && Buffer.from(given).equals(now);
}

async function terminatedBy(
  client: Client,
  execution: { readonly workflowId: string; readonly runId: string },
): Promise<EndOfRun> {
  const event = await closeEvent(client, execution);
  const { identity, reason } = event?.workflowExecutionTerminatedEventAttributes ?? {};
  const at = isoOf(event?.eventTime);
  return { terminated: { by: identity ?? '', ...(at !== undefined && { at }), ...(reason && { reason }) } };
}

/** The innermost application failure: what a wrapper adds ("Activity task failed") helps nobody. */
export function failureOf(error: unknown): {
  readonly type: string;
  readonly message: string;
  readonly details?: readonly unknown[];
} {
  let found: { type: string; message: string; details?: readonly unknown[] } | undefined;
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure)
      found = { type: at.type ?? 'Error', message: at.message, ...(at.details != null && { details: at.details }) };
    else found ??= { type: at.name, message: at.message };
  }
  return found ?? { type: 'Unknown', message: String(error) };
}
