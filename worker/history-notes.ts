/**
 * What of a history matters for knowing what a run did on devices, as small notes: pages of events are read, noted and
 * forgotten. Pure.
 */
import type { temporal } from '@temporalio/proto';
import { isUndecodable } from '../workflows/procedure/undecodable';
import {
  BEFORE_LIMIT_BYTES,
  carriedOf,
  fields,
  leftOf,
  planNameOf,
  type Before,
  type Carried,
  type PlanName,
} from './carried-steps';
import { payloadConverter } from './payload-converter';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Payload = temporal.api.common.v1.IPayload;
type Attributes<Name extends keyof HistoryEvent> = NonNullable<HistoryEvent[Name]>;

const verbs = ['observe', 'act', 'undo'] as const;
export type Verb = (typeof verbs)[number];

export type Ending = 'COMPLETED' | 'FAILED' | 'CANCELED' | 'TERMINATED' | 'TIMED_OUT' | 'CONTINUED_AS_NEW';

interface Started {
  readonly kind: 'started';
  readonly firstRunId: string;
  /** It was continued from another. */
  readonly continued: boolean;
  /** Of a continued run; undefined if its input can't be read. */
  readonly carried?: Carried;
}
export interface Scheduled {
  readonly kind: 'call';
  readonly number: number;
  /** Undefined for checks and watches, which leave nothing behind. */
  readonly verb?: Verb;
  /** Family of the activity, as `routing.prefer`. */
  readonly action: string;
  readonly step: string;
  /** The first run of its chain, by which hosts know the call's run since core-2. */
  readonly firstRunId?: string;
  readonly plan?: PlanName;
}
export interface Ended {
  readonly kind: 'ended';
  readonly how: Ending;
  readonly at: number;
  readonly by?: string;
  readonly reason?: string;
  /** The server ended it because it, or an older run of this workflow, was reset. */
  readonly forReset?: true;
  /** Run that it was continued as. */
  readonly next?: string;
  /** What the report says that the run has ended as. */
  readonly report?: string;
}
/** From here on the history is that of run `now`; what `base` did from the same event on was thrown away. */
export interface Reset {
  readonly kind: 'reset';
  readonly base: string;
  readonly now: string;
  readonly at: number;
  readonly reason: string;
  /** Where the server says who somebody is. */
  readonly by?: string;
}
/** Something that may matter, and of which nobody can tell what it is. */
interface Unreadable {
  readonly kind: 'unreadable';
  readonly what: string;
}
export type Note = { readonly id: number } & (
  | Started
  | Scheduled
  | Ended
  | Reset
  /** `before` is that of an observe, `left` what the run was told that an earlier one had left behind. */
  | { readonly kind: 'answered'; readonly call: number; readonly before?: Before; readonly left?: Carried }
  | Unreadable
);

/** By the server's enumeration of causes. */
const RESET_WORKFLOW = 20;
/** Identity with which the server ends a run for a reset. */
const RESETTER = 'history-resetter';

/** Notes the events of one history, in their order. */
export function noteTaker(): (event: HistoryEvent) => Note | undefined {
  const calls: Calls = { observes: new Set(), questions: new Set() };
  return (event) => {
    const note = noteOf(event, calls);
    if (note?.kind === 'call' && note.verb === 'observe') calls.observes.add(note.id);
    if (event.activityTaskScheduledEventAttributes?.activityType?.name === 'core.earlierRun')
      calls.questions.add(Number(event.eventId));
    return note;
  };
}

export function notesOf(events: readonly HistoryEvent[]): Note[] {
  const take = noteTaker();
  return events.flatMap((event) => take(event) ?? []);
}

/** Calls whose answers matter. */
interface Calls {
  readonly observes: Set<number>;
  /** What an earlier run left behind. */
  readonly questions: Set<number>;
}

function noteOf(event: HistoryEvent, { observes, questions }: Calls): Note | undefined {
  const id = Number(event.eventId);
  const at = millis(event.eventTime);
  const by = event.principal?.name ? { by: event.principal.name } : {};
  if (event.workflowExecutionStartedEventAttributes)
    return { id, ...startOf(event.workflowExecutionStartedEventAttributes) };
  if (event.activityTaskScheduledEventAttributes) return { id, ...callOf(event.activityTaskScheduledEventAttributes) };
  const completed = event.activityTaskCompletedEventAttributes;
  if (completed) {
    const call = Number(completed.scheduledEventId);
    const payload = completed.result?.payloads?.[0];
    if (questions.has(call)) return { id, kind: 'answered', call, left: leftOf(decoded(payload)) };
    if (!observes.has(call)) return { id, kind: 'answered', call };
    const before = beforeOf(payload);
    return before === undefined
      ? { id, kind: 'unreadable', what: 'what a step found before it acted' }
      : { id, kind: 'answered', call, before };
  }
  const failed = event.workflowTaskFailedEventAttributes;
  if (failed) {
    const { cause, baseRunId, newRunId, failure } = failed;
    if (Number(cause) !== RESET_WORKFLOW || !baseRunId || !newRunId) return undefined;
    return { id, kind: 'reset', base: baseRunId, now: newRunId, at, reason: failure?.message ?? '', ...by };
  }
  const end = endOf(event);
  return end === undefined ? undefined : { id, kind: 'ended', at, ...by, ...end };
}

function startOf(started: Attributes<'workflowExecutionStartedEventAttributes'>): Started {
  const { firstExecutionRunId, continuedExecutionRunId, input } = started;
  const continued = Boolean(continuedExecutionRunId);
  const carried = continued ? carriedOf(decoded(input?.payloads?.[0])) : undefined;
  return {
    kind: 'started',
    firstRunId: firstExecutionRunId ?? '',
    continued,
    ...(carried === undefined ? {} : { carried }),
  };
}

function callOf(scheduled: Attributes<'activityTaskScheduledEventAttributes'>): Scheduled | Unreadable {
  const { activityId, activityType, input } = scheduled;
  const type = activityType?.name ?? '';
  const dot = type.lastIndexOf('.');
  const verb = verbs.find((v) => v === type.slice(dot + 1));
  const call = fields(decoded(input?.payloads?.[0]));
  if (verb !== undefined && typeof call['step'] !== 'string') return { kind: 'unreadable', what: `a call of ${type}` };
  const { number, firstRunId } = fields(call['run']);
  const plan = planNameOf(call['plan']);
  return {
    kind: 'call',
    // Before core-2 the activity's ID was the number.
    number: typeof number === 'number' ? number : Number(activityId) || 0,
    ...(verb === undefined ? {} : { verb }),
    action: type.slice(0, dot),
    step: typeof call['step'] === 'string' ? call['step'] : '',
    ...(typeof firstRunId === 'string' ? { firstRunId } : {}),
    ...(plan === undefined ? {} : { plan }),
  };
}

function endOf(event: HistoryEvent): Omit<Ended, 'kind' | 'at'> | undefined {
  if (event.workflowExecutionCompletedEventAttributes) return { how: 'COMPLETED' };
  if (event.workflowExecutionCanceledEventAttributes) return { how: 'CANCELED' };
  if (event.workflowExecutionTimedOutEventAttributes) return { how: 'TIMED_OUT' };
  const terminated = event.workflowExecutionTerminatedEventAttributes;
  if (terminated)
    return {
      how: 'TERMINATED',
      ...(terminated.reason ? { reason: terminated.reason } : {}),
      ...(terminated.identity === RESETTER ? { forReset: true } : {}),
      // What the client called itself, where the server doesn't know better.
      ...(event.principal?.name || !terminated.identity ? {} : { by: terminated.identity }),
    };
  const continued = event.workflowExecutionContinuedAsNewEventAttributes;
  if (continued) return { how: 'CONTINUED_AS_NEW', next: continued.newExecutionRunId ?? '' };
  const failed = event.workflowExecutionFailedEventAttributes;
  if (!failed) return undefined;
  const { ending } = fields(decoded(failed.failure?.applicationFailureInfo?.details?.payloads?.[0]));
  return {
    how: 'FAILED',
    ...(failed.failure?.message ? { reason: failed.failure.message } : {}),
    ...(typeof ending === 'string' ? { report: ending } : {}),
  };
}

function beforeOf(payload: Payload | undefined): Before | undefined {
  if (!payload) return { value: null };
  if ((payload.data?.length ?? 0) > BEFORE_LIMIT_BYTES) return { tooLarge: true };
  const value = payloadConverter.fromPayload<unknown>(payload);
  return isUndecodable(value) ? undefined : { value: value ?? null };
}

/** Undefined also for what can't be decoded: it went through a codec, or isn't ours. */
export function decoded(payload: Payload | null | undefined): unknown {
  if (!payload) return undefined;
  const value = payloadConverter.fromPayload<unknown>(payload);
  return isUndecodable(value) ? undefined : value;
}

const millis = (time: temporal.api.history.v1.IHistoryEvent['eventTime']): number =>
  Number(time?.seconds ?? 0) * 1_000 + Math.floor((time?.nanos ?? 0) / 1e6);
