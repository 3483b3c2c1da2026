/**
 * Messages as Temporal Updates: the run says at once whether one counts, and a refusal leaves nothing in its history. They
 * need a worker; where none takes one in time, the signal that says the same is recorded instead.
 */
import {
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Accepted, UpdateName } from '../workflows/contract';

export interface Update {
  /** Names it for good: the server takes one of this ID once, and tells what came of it whenever it is asked. */
  readonly id: string;
  readonly workflowId: string;
  readonly name: UpdateName;
  readonly message: object;
}

/** `unheard`: nobody took it as far as we know. It may still be taken, unless the run has no handler for it. */
export type Heard =
  | { readonly kind: 'accepted'; readonly told: Accepted }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unheard' };

/** A worker has just answered a query when one is sent, so it is there and knows the run. */
const TAKEN_WITHIN_MS = 10_000;
/** The server knows what came of one that was taken; of another it says nothing for as long as we wait. */
const TOLD_WITHIN_MS = 2_000;

/** What the handler answers; a refusal of it, too, where the validator has let one through. */
type Answer = Accepted | { readonly accepted: false; readonly why: string };

/** @throws WorkflowNotFoundError if no such run is open. */
export const sendUpdate = (client: Client, { id, workflowId, name, message }: Update): Promise<Heard> =>
  heard(() =>
    client.withDeadline(Date.now() + TAKEN_WITHIN_MS, () =>
      // To the newest run of the chain, as signals: no run ID.
      client.workflow.getHandle(workflowId).executeUpdate<Answer, [object]>(name, { args: [message], updateId: id }),
    ),
  );

/** What came of one that nobody had taken in time. */
export const laterHeard = (client: Client, { id, workflowId }: Update): Promise<Heard> =>
  heard(() =>
    client.withDeadline(Date.now() + TOLD_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId).getUpdateHandle<Answer>(id).result(),
    ),
  ).catch((error: unknown) => {
    // The run, or the update: the server has one word for both.
    if (error instanceof WorkflowNotFoundError) return { kind: 'unheard' };
    throw error;
  });

async function heard(ask: () => Promise<Answer>): Promise<Heard> {
  try {
    const answer = await ask();
    return answer.accepted ? { kind: 'accepted', told: answer } : { kind: 'refused', why: answer.why };
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError)
      return isRefusal(error.cause) ? { kind: 'refused', why: error.cause.message } : { kind: 'unheard' };
    // Nobody took it in time; or the server doesn't take it: an older one, a limit, a rule of its own. It says so of signals itself.
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || error instanceof ServiceError)
      return { kind: 'unheard' };
    throw error;
  }
}

/** Else the SDK's own words: a run of an older build has no handler. */
const isRefusal = (cause: unknown): cause is ApplicationFailure =>
  cause instanceof ApplicationFailure && cause.type === 'Refused';
