/**
 * Watches and guards that somebody paused (`temporal activity pause`, a Web UI) while no worker had them in hand: resting
 * between two rounds, or waiting for another attempt. The server keeps such an attempt back without a word to anybody, and no
 * timeout of it goes on. So each worker asks the server for them and ends them, as one that is paused in hand ends itself
 * (activities/probes/watch.ts): its run shows that nobody watches, and begins to watch again.
 *
 * The worker asks, and not the run: a timer and a look are six events of history, so a look a minute would cost 260,000 in 30
 * days, and an activity that looks can be paused like the one that it looks after. Nothing changes for histories, either.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ActivityNotFoundError, type Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { Runtime } from '@temporalio/worker';
import { messageOf } from '../activities/kit';
import type { HeldBack } from '../workflows/procedure/watch-loop';
import { fields } from './carried-steps';
import { decoded } from './history-notes';
import { watchQueueOf } from './inventory';

type Pending = temporal.api.workflow.v1.IPendingActivityInfo;

/** Where it is in its run, and what is handed in for it. */
export interface PausedWatch {
  readonly activityId: string;
  readonly answer: HeldBack;
}

interface Run {
  readonly workflowId: string;
  readonly runId: string;
}

/** A pause is shown within a minute, also on a busy machine. */
const EVERY_MS = 20_000;
/** Runs that are asked for side by side. */
const AT_ONCE = 8;
const { PENDING_ACTIVITY_STATE_PAUSED } = temporal.api.enums.v1.PendingActivityState;
const MANUAL_CHARS = 200;

/** Those of a run that are paused, and that no worker has in hand: one that has notices it by itself. Pure. */
export const pausedWatches = (pending: readonly Pending[], taskQueue: string): PausedWatch[] =>
  pending
    .filter((activity) => activity.state === PENDING_ACTIVITY_STATE_PAUSED && isOnWatchQueue(activity, taskQueue))
    .map((activity) => ({
      activityId: activity.activityId ?? '',
      answer: { heldBack: true, why: whyOf(activity), ...beatenIn(activity) },
    }));

/** The queue of its watches, or that of one of its sites. */
function isOnWatchQueue({ activityOptions }: Pending, taskQueue: string): boolean {
  const queue = activityOptions?.taskQueue?.name ?? '';
  return queue.startsWith(taskQueue) && queue.endsWith(watchQueueOf(''));
}

function whyOf({ pauseInfo }: Pending): string {
  const { identity, reason } = pauseInfo?.manual ?? {};
  const by = identity ? ` by ${identity.slice(0, MANUAL_CHARS)}` : '';
  const because = reason ? ` (${reason.slice(0, MANUAL_CHARS)})` : '';
  return `nobody watches: this watch was paused from outside${by}${because}, while no worker had it in hand. It is started again: a pause of the run itself is the signal pause, which lets the watch go on`;
}

/** What its last heartbeat told, for the core to judge; nothing where no attempt has told anything. */
function beatenIn({ heartbeatDetails }: Pending): Pick<HeldBack, 'carry' | 'observedMs'> {
  const { carry, observedMs } = fields(decoded(heartbeatDetails?.payloads?.[0]));
  return { ...(carry === undefined ? {} : { carry }), ...(observedMs === undefined ? {} : { observedMs }) };
}

/** Asks once. @returns how many were ended. */
export async function endPausedWatches(client: Client, taskQueue: string): Promise<number> {
  const query = `ExecutionStatus = "Running" AND TaskQueue = ${JSON.stringify(taskQueue)}`;
  const runs: Run[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query })) runs.push({ workflowId, runId });
  let ended = 0;
  for (let at = 0; at < runs.length; at += AT_ONCE)
    await Promise.all(
      runs.slice(at, at + AT_ONCE).map(async (run) => {
        const { workflowId, runId } = run;
        const { pendingActivities } = await client.workflowService.describeWorkflowExecution({
          namespace: client.options.namespace,
          execution: { workflowId, runId },
        });
        for (const watch of pausedWatches(pendingActivities ?? [], taskQueue))
          if (await handIn(client, run, watch)) ended++;
      }),
    );
  return ended;
}

/**
 * The server takes an answer for an activity that nobody has begun, and no failure of it. False if another one was quicker, or
 * its run has ended it.
 */
async function handIn(client: Client, run: Run, { activityId, answer }: PausedWatch): Promise<boolean> {
  try {
    await client.activity.complete({ ...run, activityId }, answer);
    return true;
  } catch (error) {
    if (error instanceof ActivityNotFoundError) return false;
    throw error;
  }
}

/** Asks again and again, until told to stop. What goes wrong is in the log, and asked for again. */
export function lookForPausedWatches(client: Client, taskQueue: string, everyMs = EVERY_MS): { stop(): Promise<void> } {
  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted) {
      await endPausedWatches(client, taskQueue).catch((error: unknown) => {
        if (over.signal.aborted) return;
        Runtime.instance().logger.warn(
          `it can't be told whether a watch of the queue ${taskQueue} was paused from outside (${messageOf(error)}); asked again in ${everyMs / 1_000} s`,
        );
      });
      await sleep(everyMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: () => {
      over.abort();
      return looking;
    },
  };
}
