/** Histories as the server has them, event by event. */
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** One run of a workflow ID. A run that continued as new has another run ID under the same workflow ID. */
export interface Execution {
  readonly workflowId: string;
  readonly runId: string;
}

const PAGE = 500;
const CLOSE_EVENT = 2;

type RawTime = { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined;
export const isoOf = (time: RawTime): string | undefined =>
  time == null ? undefined : new Date(Number(time.seconds ?? 0) * 1_000 + (time.nanos ?? 0) / 1e6).toISOString();

/** The newest event first. The caller leaves the loop when it has seen enough. */
export async function* eventsBackward(client: Client, execution: Execution): AsyncGenerator<HistoryEvent> {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: client.options.namespace,
      execution,
      maximumPageSize: PAGE,
      ...(nextPageToken && { nextPageToken }),
    });
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
  } while (nextPageToken !== undefined);
}

/** The event that a run began with; @throws what the server says of a run that it has forgotten. */
export async function firstEvent(client: Client, execution: Execution): Promise<HistoryEvent | undefined> {
  const page = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution,
    maximumPageSize: 1,
  });
  return page.history?.events?.[0] ?? undefined;
}

/** The event that a run ended with. */
export async function closeEvent(client: Client, execution: Execution): Promise<HistoryEvent | undefined> {
  const page = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution,
    historyEventFilterType: CLOSE_EVENT,
  });
  return page.history?.events?.at(-1) ?? undefined;
}
