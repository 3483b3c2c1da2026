/** Histories event by event, as Temporal writes them: only what is read of them. */
import type { HistoryEvent } from '../../worker/history-notes';
import { payloadConverter } from '../../worker/payload-converter';

const payloads = (value: unknown): { payloads: ReturnType<typeof payloadConverter.toPayload>[] } => ({
  payloads: [payloadConverter.toPayload(value)],
});
/** What a codec leaves: bytes that only its key turns into something. */
export const encrypted = {
  payloads: [{ metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('?') }],
};

export class HistoryBuilder {
  readonly events: HistoryEvent[] = [];
  private clock = 1_000;
  private calls = 0;

  constructor(
    readonly runId: string,
    started: { readonly first?: string; readonly continuedFrom?: string; readonly input?: unknown } = {},
  ) {
    const { first = runId, continuedFrom, input = {} } = started;
    this.add({
      workflowExecutionStartedEventAttributes: {
        firstExecutionRunId: first,
        ...(continuedFrom === undefined ? {} : { continuedExecutionRunId: continuedFrom }),
        input: input === encrypted ? encrypted : payloads(input),
      },
    });
    this.task();
  }

  get lastId(): number {
    return this.events.length;
  }

  /** Seconds since some beginning; the next event is that late. */
  at(seconds: number): this {
    this.clock = seconds;
    return this;
  }

  add(attributes: HistoryEvent): number {
    const eventId = this.events.length + 1;
    this.events.push({ ...attributes, eventId: eventId as never, eventTime: { seconds: this.clock++ as never } });
    return eventId;
  }

  task(): this {
    this.add({ workflowTaskScheduledEventAttributes: {} });
    this.add({ workflowTaskStartedEventAttributes: {} });
    this.add({ workflowTaskCompletedEventAttributes: {} });
    return this;
  }

  /** Schedules an activity; returns its event's ID, for `answer`. */
  call(type: string, step: string, more: { readonly number?: number; readonly input?: unknown } = {}): number {
    const run = more.number === undefined ? {} : { run: { number: more.number, firstRunId: this.firstRunId } };
    const plan = { cluster: 'fw', procedure: 'firewall-pair', version: '2.0' };
    return this.add({
      activityTaskScheduledEventAttributes: {
        activityId: String(++this.calls),
        activityType: { name: type },
        input: more.input === encrypted ? encrypted : payloads({ schema: 1, step, input: {}, plan, ...run }),
      },
    });
  }

  answer(call: number, result: unknown): this {
    const scheduledEventId = call as never;
    this.add({
      activityTaskCompletedEventAttributes: {
        scheduledEventId,
        result: result === encrypted ? encrypted : payloads(result),
      },
    });
    return this;
  }

  /** A step as the core runs it: looks, then acts. */
  step(action: string, step: string, before: unknown, number?: number): this {
    const more = number === undefined ? [{}, {}] : [{ number }, { number: number + 1 }];
    this.answer(this.call(`${action}.observe`, step, more[0]), before);
    this.answer(this.call(`${action}.act`, step, more[1]), { summary: 'done', changed: true });
    return this.task();
  }

  undo(action: string, step: string, number?: number): this {
    const call = this.call(`${action}.undo`, step, number === undefined ? {} : { number });
    return this.answer(call, { summary: 'undone', changed: true }).task();
  }

  signal(): this {
    this.add({ workflowExecutionSignaledEventAttributes: { signalName: 'pause' } });
    return this;
  }

  /** The run that goes on from before event `at` of this one. `repeats` are delivered to it again. */
  reset(at: number, runId: string, repeats: (next: HistoryBuilder) => void = () => undefined): HistoryBuilder {
    this.terminated('history-resetter');
    const next = new HistoryBuilder(runId);
    next.events.splice(0, Infinity, ...this.events.slice(0, at - 1));
    next.calls = next.events.filter((e) => e.activityTaskScheduledEventAttributes).length;
    next.at(this.clock);
    next.add({
      workflowTaskFailedEventAttributes: {
        cause: 20,
        baseRunId: this.runId,
        newRunId: runId,
        failure: { message: 'by hand' },
        identity: 'history-service',
      },
    });
    repeats(next);
    return next.task();
  }

  terminated(identity = 'alice@desk'): this {
    this.add({ workflowExecutionTerminatedEventAttributes: { identity, reason: 'by hand' } });
    return this;
  }

  continuedAs(runId: string, input: unknown = {}): HistoryBuilder {
    this.add({ workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: runId } });
    return new HistoryBuilder(runId, { first: this.firstRunId, continuedFrom: this.runId, input }).at(this.clock);
  }

  private get firstRunId(): string {
    return this.events[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? this.runId;
  }
}
