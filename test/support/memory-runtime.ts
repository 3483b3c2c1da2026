/**
 * The core's runtime in memory with virtual time: a run takes milliseconds. Values pass through JSON as they do on the
 * real engine. Random but seeded where a test wants it so.
 */
import {
  CallFailed,
  CutError,
  type Call,
  type CallOptions,
  type Inbox,
  type Published,
  type Runtime,
} from '../../workflows/procedure/types';

export interface ActivityContext {
  readonly signal: AbortSignal;
  readonly attempt: number;
  /** The same for all attempts of a call: what one of them hands to the next. */
  readonly beaten: { kept?: unknown };
  sleep(ms: number): Promise<void>;
}
export type MemoryActivity = (input: never, context: ActivityContext) => Promise<unknown>;

/** Thrown by an activity that may be tried again. */
export class TransientError extends Error {}

interface Wait {
  readonly condition: () => boolean;
  readonly until: number;
  readonly resolve: () => void;
}
interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

const json = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
/** A run that does more than this many things has lost its way. */
const EVENT_LIMIT = 40_000;

export class MemoryRuntime implements Runtime {
  private clock = 0;
  private order = 0;
  private timers: Timer[] = [];
  private waits = new Set<Wait>();
  private inbox: Inbox | undefined;
  private early: ((inbox: Inbox) => void)[] = [];
  /** Messages after which the run is to go on in another link; never, if left out. */
  isHistoryLong: () => boolean = () => false;
  private readonly activities: Readonly<Record<string, MemoryActivity>>;
  published: Published | undefined;
  readonly log: string[] = [];

  constructor(activities: Readonly<Record<string, MemoryActivity>>) {
    this.activities = { 'core.whoami': async () => ({ runId: this.runId }), ...activities };
  }

  /** Run ID as the server has it: another one after a reset. */
  runId = 'run-1';

  now(): number {
    return this.clock;
  }

  publish(view: Published): void {
    this.published = view;
  }

  onMessage(inbox: Inbox): void {
    this.inbox = inbox;
    for (const message of this.early.splice(0)) message(inbox);
  }

  private deliver(message: (inbox: Inbox) => void): void {
    if (this.inbox === undefined) this.early.push(message);
    else message(this.inbox);
  }

  /** Values pass as they are: what JSON can't hold (a payload that can't be decoded) is what a converter may hand on. */
  send(name: string, raw?: unknown): void {
    this.log.push(`${this.clock} signal ${name}`);
    this.deliver((inbox) => inbox.signal(name, raw));
  }

  cancel(): void {
    this.log.push(`${this.clock} cancel`);
    this.deliver((inbox) => inbox.cancel());
  }

  isReset(executing: string): boolean {
    return this.runId !== executing;
  }

  activation(): number {
    return this.clock;
  }

  /** An Update: why it is refused, or what came of it. */
  update(name: string, raw: unknown): unknown {
    if (this.inbox === undefined) return 'not ready';
    return this.inbox.refusal(name, raw) ?? this.inbox.accept(name, raw);
  }

  waitFor(condition: () => boolean, options: { until?: number } = {}): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.waits.add({ condition, until: options.until ?? Infinity, resolve }));
  }

  at(ms: number, fire: () => void): void {
    this.timers.push({ at: ms, order: this.order++, fire });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.clock + Math.max(0, ms), resolve));
  }

  call(activity: string, input: unknown, options: CallOptions): Call {
    const controller = new AbortController();
    return {
      result: this.attempts(activity, json(input), options, controller.signal),
      cut: () => controller.abort(new CutError('cut')),
    };
  }

  private async attempts(name: string, input: unknown, options: CallOptions, signal: AbortSignal): Promise<unknown> {
    const work = this.activities[name];
    if (work === undefined) throw new CallFailed('NotFound', `no activity ${name}`);
    const beaten = {};
    for (let attempt = 1; ; attempt++) {
      if (signal.aborted) throw new CutError('cut');
      this.log.push(`${this.clock} ${name} ${attempt}`);
      try {
        const sleep = (ms: number): Promise<void> => this.sleep(ms);
        const result = json(await work(input as never, { signal, attempt, beaten, sleep }));
        this.log.push(`${this.clock} ${name} done`);
        return result;
      } catch (error) {
        this.log.push(`${this.clock} ${name} ${String(error)}`);
        if (error instanceof CutError || error instanceof CallFailed) throw error;
        if (!(error instanceof TransientError)) throw error;
        if (signal.aborted) throw new CutError('cut');
        if (options.patience.attempts > 0 && attempt >= options.patience.attempts)
          throw new CallFailed('Exhausted', error.message);
        let wake = (): void => undefined;
        const cut = new Promise<void>((resolve) => {
          wake = () => resolve();
          signal.addEventListener('abort', wake, { once: true });
        });
        await Promise.race([this.sleep(options.patience.intervalMs), cut]);
        signal.removeEventListener('abort', wake);
      }
    }
  }

  /** Lets virtual time pass until `work` has settled. */
  async drive<T>(work: Promise<T>): Promise<T> {
    const state: { outcome?: { value: T } | { error: unknown } } = {};
    work.then(
      (value) => (state.outcome = { value }),
      (error: unknown) => (state.outcome = { error }),
    );
    for (let events = 0; ; events++) {
      do await new Promise((resolve) => setImmediate(resolve));
      while (this.fireWaits());
      if (state.outcome !== undefined) {
        if ('error' in state.outcome) throw state.outcome.error;
        return state.outcome.value;
      }
      if (events > EVENT_LIMIT) throw new Error(`no end after ${events} events\n${this.log.slice(-40).join('\n')}`);
      this.advance();
    }
  }

  private fireWaits(): boolean {
    const due = [...this.waits].filter((w) => w.condition() || this.clock >= w.until);
    for (const wait of due) {
      this.waits.delete(wait);
      wait.resolve();
    }
    return due.length > 0;
  }

  private advance(): void {
    const untils = [...this.waits].map((w) => w.until);
    const next = Math.min(...this.timers.map((t) => t.at), ...untils);
    if (next === Infinity)
      throw new Error(`stuck: nothing is due\n${this.published?.details}\n${this.log.slice(-40).join('\n')}`);
    this.clock = Math.max(this.clock, next);
    const [due] = this.timers.filter((t) => t.at <= this.clock).sort((a, b) => a.at - b.at || a.order - b.order);
    if (due !== undefined) {
      this.timers.splice(this.timers.indexOf(due), 1);
      due.fire();
    }
  }
}
