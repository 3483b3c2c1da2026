/** Starting an upgrade, and dry runs of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { z } from 'zod';
import {
  defaultKind,
  defaultTaskQueue,
  planInput,
  planWorkflowIdOf,
  startInput,
  workflowIdOf,
  workflowTypes,
  type ClusterKind,
  type PlanInput,
  type PlanView,
  type StartInput,
} from '../workflows/contract';
import { ClientError, exitCodes } from './exit';
import { failureOf } from './outcome';
import { deepLink, type Engine } from './run';
import { newestPoll, WEDGED_HELP } from './server-view';
import { failingSentence, failingTasks } from './tasks';

export interface StartOptions {
  readonly kind?: ClusterKind;
  readonly taskQueue?: string;
}

export interface Started {
  readonly workflowId: string;
  /** The first run: it may continue as new, under the same workflow ID. */
  readonly runId: string;
  readonly link?: string;
}

/** Longest time that a dry run may take; one whose worker died doesn't stay open for ever. */
const PLAN_TIMEOUT_MS = 15 * 60_000;

/** @throws ClientError usage, with every fault and its path. */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((i) => `${i.path.length === 0 ? 'input' : i.path.join('.')}: ${i.message}`);
  throw new ClientError(exitCodes.usage, faults.join('\n'));
}

/**
 * Starts the upgrade of a cluster. One at a time: a second one is refused by the server itself, wherever it comes from.
 * @throws ClientError usage (input), failed (one is running already).
 */
export async function startUpgrade(engine: Engine, input: StartInput, options: StartOptions = {}): Promise<Started> {
  const checked = parseInput(startInput, input);
  const workflowId = workflowIdOf(checked.cluster);
  try {
    const handle = await engine.client.workflow.start(workflowTypes[options.kind ?? defaultKind].upgrade, {
      workflowId,
      taskQueue: options.taskQueue ?? defaultTaskQueue,
      args: [checked],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `Upgrade ${checked.cluster} to ${checked.version}`,
    });
    return started(engine, workflowId, handle.firstExecutionRunId);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const link = deepLink(engine, workflowId);
    throw new ClientError(
      exitCodes.failed,
      `an upgrade of ${checked.cluster} is running already; a cluster has one at a time, so nothing was started`,
      `hitless status ${checked.cluster}${link === undefined ? '' : `, or ${link}`}`,
      { workflowId, ...(link !== undefined && { link }) },
    );
  }
}

function started(engine: Engine, workflowId: string, runId: string): Started {
  const link = deepLink(engine, workflowId, runId);
  return { workflowId, runId, ...(link !== undefined && { link }) };
}

/**
 * Runs a dry run to its end: resolves the plan, reads the devices, changes nothing. Beside a running upgrade if need be.
 * @throws ClientError usage (input, inventory), notFound (no such cluster), failed (another dry run, no worker, a fault).
 */
export async function planUpgrade(engine: Engine, input: PlanInput, options: StartOptions = {}): Promise<PlanView> {
  const checked = parseInput(planInput, input);
  const { client } = engine;
  const taskQueue = options.taskQueue ?? defaultTaskQueue;
  await needWorker(engine, taskQueue);
  const workflowId = planWorkflowIdOf(checked.cluster);
  let handle: WorkflowHandle;
  try {
    handle = await client.workflow.start(workflowTypes[options.kind ?? defaultKind].plan, {
      workflowId,
      taskQueue,
      args: [checked],
      workflowIdConflictPolicy: 'FAIL',
      workflowRunTimeout: PLAN_TIMEOUT_MS,
      staticSummary: `Dry run: upgrade ${checked.cluster}${checked.version === undefined ? '' : ` to ${checked.version}`}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new ClientError(
      exitCodes.failed,
      `a dry run of ${checked.cluster} is under way already`,
      `try again in a moment, or look at ${deepLink(engine, workflowId) ?? workflowId}`,
    );
  }
  try {
    return (await resultOf(engine, handle)) as PlanView;
  } catch (error) {
    throw error instanceof WorkflowFailedError ? failedRun(error) : error;
  }
}

const LOOK_MS = 2_000;
/** A task that failed once may be done by another worker. */
const STUCK_ATTEMPTS = 3;

/** The result of a dry run; one whose workflow tasks fail has none, and is ended, as it stands in the way of the next. */
async function resultOf({ client }: Engine, handle: WorkflowHandle): Promise<unknown> {
  const looking = new AbortController();
  const stuck = async (): Promise<never> => {
    for (;;) {
      await sleep(LOOK_MS, undefined, { signal: looking.signal });
      // Trouble with the server is told by the waiting for the result.
      const tasks = await handle
        .describe()
        .then((description) => failingTasks(client, description))
        .catch(() => undefined);
      if (tasks === undefined || tasks.attempt < STUCK_ATTEMPTS || looking.signal.aborted) continue;
      throw new ClientError(exitCodes.failed, `the dry run came to nothing: ${failingSentence(tasks)}`, WEDGED_NEXT, {
        tasks,
      });
    }
  };
  try {
    return await Promise.race([handle.result(), stuck()]);
  } catch (error) {
    if (error instanceof ClientError) await handle.terminate('a dry run whose workflow tasks fail');
    throw error;
  } finally {
    looking.abort();
  }
}

const WEDGED_NEXT = `nothing was changed; see ${WEDGED_HELP}`;

/** A worker that has only just started hasn't polled yet. */
const WORKER_TIMEOUT_MS = 5_000;
const WORKER_POLL_MS = 500;

async function needWorker(engine: Engine, taskQueue: string): Promise<void> {
  const deadline = Date.now() + WORKER_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if ((await newestPoll(engine.client, taskQueue)) !== undefined) return;
    await sleep(WORKER_POLL_MS);
  }
  throw new ClientError(
    exitCodes.failed,
    `no worker polls the task queue "${taskQueue}" at ${engine.address}, so nobody could read the devices; nothing was started`,
    'start one with: hitless worker',
  );
}

/** A run that ended with a failure, as a fault of this command: what is wrong with the input is told from what failed. */
export function failedRun(error: WorkflowFailedError): ClientError {
  const { type, message, details } = failureOf(error.cause);
  return new ClientError(exitCodeOf({ type, details }), message, undefined, {
    type,
    ...(details !== undefined && { details }),
  });
}

/** Faults of input and inventory are "usage"; an unknown cluster is told apart by what resolvePlan puts in the details. */
export function exitCodeOf(failure: { readonly type: string; readonly details?: unknown }) {
  if (failure.type !== 'InvalidInput') return exitCodes.failed;
  const details = Array.isArray(failure.details) ? (failure.details as unknown[]) : [];
  const isUnknown = details.some((d) => typeof d === 'object' && d !== null && 'unknownCluster' in d);
  return isUnknown ? exitCodes.notFound : exitCodes.usage;
}
