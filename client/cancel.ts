/** Cancelling a run, and who did it: the workflow isn't told, the server's history is. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';

export interface CancelRequest {
  readonly by: string;
  readonly reason?: string;
}

export interface Cancelled extends CancelRequest {
  readonly at: string;
}

interface Execution {
  readonly workflowId: string;
  readonly runId: string;
}

const PAGE = 500;

export async function requestCancel(
  client: Client,
  workflowExecution: Execution,
  { by, reason }: CancelRequest,
): Promise<void> {
  await client.workflowService.requestCancelWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution,
    identity: by,
    requestId: randomUUID(),
    ...(reason !== undefined && { reason }),
  });
}

/** Who asked for the end of a cancelled run: the last one who did. The name is what the caller says of itself. */
export async function cancelledBy(client: Client, execution: Execution): Promise<Cancelled | undefined> {
  const { namespace } = client.options;
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace,
      execution,
      maximumPageSize: PAGE,
      ...(nextPageToken && { nextPageToken }),
    });
    for (const { eventTime, workflowExecutionCancelRequestedEventAttributes: asked } of page.history?.events ?? []) {
      if (asked == null) continue;
      return {
        at: new Date(Number(eventTime?.seconds ?? 0) * 1_000).toISOString(),
        by: asked.identity ?? '',
        ...(asked.cause != null && asked.cause !== '' && { reason: asked.cause }),
      };
    }
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
  } while (nextPageToken !== undefined);
  return undefined;
}
