/** One attempt of a watch: what it is given, and how it ends when somebody ends it. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import type { StepContext } from '../kit';
import type { Carry } from './carry';
import type { Machine, ProbesReport } from './machine';
import type { ProbeServices } from './services';
import { monitoringSpec, type MonitoringPlan } from './spec';
import type { Rule } from './verdict';

export const callSchema = z.object({
  schema: z.literal(1),
  step: z.string(),
  plan: z.looseObject({ monitoring: monitoringSpec, hosts: z.record(z.string(), z.unknown()) }),
  input: z.object({
    serving: z.string().min(1),
    escapeTo: z.string().min(1),
    baseline: z.looseObject({ values: z.record(z.string(), z.number()) }).optional(),
  }),
  returnAfterObservedMs: z.number().min(0).optional(),
  run: z.unknown().optional(),
  firstLook: z.boolean().optional(),
  carry: z.unknown().optional(),
});
export type Call = z.output<typeof callSchema>;

export interface Watch {
  readonly call: Call;
  readonly plan: MonitoringPlan;
  readonly rules: readonly Rule[];
  readonly services: ProbeServices;
  readonly context: StepContext<MonitoringPlan>;
  readonly machine: Machine;
  readonly signal: AbortSignal;
  /** Time of this attempt, epoch milliseconds. */
  readonly now: () => number;
  readonly beat: (now: number, due: Carry['due']) => void;
}

const PAUSED =
  'nobody watches: this watch was paused from outside (temporal activity pause, or a pause in somebody’s web page). It is started again: a pause of the run itself is the signal pause, which lets the watch go on';
const RESET = 'this watch was reset from outside, and is started again with what it knew';

/**
 * The core cuts and reads what was seen. Paused or reset from outside, it reports too: the server takes a paused activity's
 * result, and would otherwise keep the next attempt back without a word to the run, or without what was known. For any other
 * end another attempt goes on, from the heartbeat.
 */
export function endReport(watch: Watch, now: number, due: Carry['due']): ProbesReport {
  const details = Context.current().cancellationDetails;
  if (details === undefined || details.cancelRequested) return watch.machine.cut(now);
  // Nobody has watched yet: a report would let traffic move.
  if (details.paused && watch.call.firstLook === true) throw ApplicationFailure.nonRetryable(PAUSED, 'WatchPaused');
  if (details.paused) return { ...watch.machine.ended(now, PAUSED), paused: true };
  if (details.reset) return watch.machine.ended(now, RESET);
  watch.beat(now, due);
  if (details.workerShutdown)
    throw ApplicationFailure.retryable('this worker shuts down; another one goes on watching', 'WorkerShutdown');
  throw watch.signal.reason;
}
