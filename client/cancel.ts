/** Cancelling a run, and who did it: the workflow isn't told, the server's history is. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { chainOf } from './chain';
import { eventsBackward, isoOf, type Execution } from './history';
import { personIn, personVia } from './identity';

export interface CancelRequest {
  readonly by: string;
  readonly reason?: string;
}

export interface Cancelled extends CancelRequest {
  readonly at: string;
  /** User, host and process that sent it. */
  readonly via?: string;
}

/** Reaches whichever run of the chain is the newest, and no later upgrade. */
export async function requestCancel(
  client: Client,
  { workflowId, firstRunId }: { readonly workflowId: string; readonly firstRunId: string },
  { by, reason }: CancelRequest,
): Promise<void> {
  await client.workflowService.requestCancelWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId },
    firstExecutionRunId: firstRunId,
    identity: personVia(by),
    requestId: randomUUID(),
    ...(reason !== undefined && { reason }),
  });
}

/** Who asked for the end of a cancelled run: the last one who did. The name is what the caller says of itself. */
export async function cancelledBy(client: Client, execution: Execution): Promise<Cancelled | undefined> {
  const { workflowId } = execution;
  const asked = await requestIn(client, execution);
  if (asked !== undefined) return asked;
  // A run may have gone on for long after it was asked to end: in a hold.
  const { links } = await chainOf(client, execution);
  for (const { runId } of links.slice(0, -1).reverse()) {
    const earlier = await requestIn(client, { workflowId, runId });
    if (earlier !== undefined) return earlier;
  }
  return undefined;
}

async function requestIn(client: Client, execution: Execution): Promise<Cancelled | undefined> {
  for await (const event of eventsBackward(client, execution)) {
    const asked = event.workflowExecutionCancelRequestedEventAttributes;
    if (asked == null) continue;
    return {
      at: isoOf(event.eventTime) ?? '',
      ...personIn(asked.identity ?? ''),
      ...(asked.cause != null && asked.cause !== '' && { reason: asked.cause }),
    };
  }
  return undefined;
}
