/**
 * An upgrade is a chain of runs under one workflow ID: before its history grows too long a run continues as new. Whoever
 * follows an upgrade follows the chain, and knows it by the ID of its first run. Nothing here pins a run ID.
 */
import { isGrpcServiceError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { closeEvent, firstEvent, type Execution } from './history';

export interface Link {
  readonly runId: string;
  /** Set if this run came from a reset: the run whose history it began with. */
  readonly resetOf?: string;
}

export interface Chain {
  /** The oldest one first. */
  readonly links: readonly Link[];
  /** False where older links exist no more: the namespace's retention counts from the end of each link. */
  readonly isWhole: boolean;
}

const NOT_FOUND = 5;
const isForgotten = (error: unknown): boolean => isGrpcServiceError(error) && Number(error.code) === NOT_FOUND;

/** All runs that led to this one (by default the newest), for whoever reads the histories of an upgrade. */
export async function chainOf(client: Client, { workflowId, runId }: Execution): Promise<Chain> {
  const links: Link[] = [];
  const seen = new Set<string>();
  for (let at = runId; at !== '' && !seen.has(at);) {
    seen.add(at);
    let started;
    try {
      started = (await firstEvent(client, { workflowId, runId: at }))?.workflowExecutionStartedEventAttributes;
    } catch (error) {
      if (!isForgotten(error)) throw error;
    }
    if (started == null) return { links, isWhole: false };
    // A reset copies the beginning of a history, and with it the run ID that it was written under.
    const written = started.originalExecutionRunId ?? at;
    links.unshift({ runId: at, ...(written !== '' && written !== at && { resetOf: written }) });
    at = started.continuedExecutionRunId ?? '';
  }
  return { links, isWhole: true };
}

/** Of a run: the first one of its chain. */
export const firstRunIdOf = ({ raw, runId }: WorkflowExecutionDescription): string =>
  raw.workflowExecutionInfo?.firstRunId || runId;

/**
 * The newest run of a workflow ID, or the newest one of the chain that began with `firstRunId`: later upgrades of the same
 * cluster have the same workflow ID. @throws WorkflowNotFoundError.
 */
export async function describeNewest(
  client: Client,
  workflowId: string,
  firstRunId?: string,
): Promise<WorkflowExecutionDescription> {
  const newest = await client.workflow.getHandle(workflowId).describe();
  if (firstRunId === undefined || firstRunIdOf(newest) === firstRunId) return newest;
  const seen = new Set<string>();
  for (let runId = firstRunId; ;) {
    const link = await client.workflow.getHandle(workflowId, runId).describe();
    const next = seen.has(runId) ? undefined : await successorOf(client, link);
    if (next === undefined) return link;
    seen.add(runId);
    runId = next;
  }
}

/** The run that took over: the next one of the chain, or the one that a reset put in its place. */
async function successorOf(client: Client, link: WorkflowExecutionDescription): Promise<string | undefined> {
  const reset = link.raw.workflowExtendedInfo?.resetRunId;
  if (reset) return reset;
  if (link.status.name !== 'CONTINUED_AS_NEW') return undefined;
  const close = await closeEvent(client, { workflowId: link.workflowId, runId: link.runId });
  return close?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId || undefined;
}
