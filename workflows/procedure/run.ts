/**
 * One run of a procedure: passes of the body, and what happens between them. The run is never cancelled from outside:
 * cancel, regression and switchBack are requests that end the current pass, and one loop here deals with them. At most one
 * act, undo or escape is in flight.
 */
import type { Ending, PlannedItem } from '../contract';
import { closedWith, judgeAnswer, judgeResume, readMessage, refusalByPolicy, senderOf } from './asks';
import { Recovery } from './recovery';
import { initialState, reduce } from './reduce';
import { Session } from './session';
import { isPaused, openingById, type Event, type Failure, type Opening, type State } from './state';
import { resolveGiven, stepKey } from './wire';
import {
  CallFailed,
  CutError,
  type Action,
  type Body,
  type Call,
  type CallOptions,
  type CheckOptions,
  type Patience,
  type PlanBase,
  type Runtime,
  type StepOptions,
  type Waivable,
} from './types';
import { publishedView } from './details';
import { Watches } from './watches';

/** A step that says nothing else is tried for 5 minutes. */
const DEFAULT_PATIENCE: Patience = { attempts: 30, intervalMs: 10_000 };
const DEFAULT_TIMEOUT_MS = 120_000;

export type Verb = 'check' | 'observe' | 'act' | 'undo';
/** Who may cut a call: requests cut forward calls; only a regression cuts a step's own undo; nothing cuts the rest. */
export type Role = 'forward' | 'own-undo' | 'undo' | 'escape' | 'remedy';
/** Beside the steps: has no before of its own, and looks for itself. */
const isBeside = (role: Role): boolean => role === 'escape' || role === 'remedy';
export type Performed =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'cut' };

export interface Question {
  readonly ask: string;
  readonly kind: Opening['kind'];
  readonly question: string;
  readonly choices: readonly string[];
  readonly needed: number;
  readonly notRequester: boolean;
  readonly from?: readonly string[];
  readonly waivable?: readonly string[];
  readonly expiresAfterMs?: number;
  readonly onExpiry?: string;
}

export interface RunSetup<P extends PlanBase> {
  readonly runtime: Runtime;
  readonly body: Body<P>;
  readonly plan: P;
  readonly items: readonly PlannedItem[];
  readonly planDigest: string;
  /** Lets go of what the run holds on hosts, however it ends; its failure changes nothing about the ending. */
  readonly closing?: Action<'step'>;
}

export class Run<P extends PlanBase> {
  state: State;
  readonly runtime: Runtime;
  readonly plan: P;
  readonly planDigest: string;
  private readonly body: Body<P>;
  private readonly closing: Action<'step'> | undefined;
  private readonly known = new Map<number, { readonly action: Action<'step'>; readonly options: StepOptions }>();
  private readonly checks = new Map<number, CheckOptions>();
  private inFlight: { readonly call: Call; readonly role: Role } | undefined;
  readonly watches: Watches;
  private switchBackAction: Action<'step'> | string = 'traffic has not been moved yet, there is nothing to switch back';
  /** What happened since the last digest: goes into the next one. */
  private evidence: unknown[] = [];
  private digest: string;
  private fatal: { readonly error: unknown } | undefined;

  constructor(setup: RunSetup<P>) {
    this.runtime = setup.runtime;
    this.body = setup.body;
    this.closing = setup.closing;
    this.plan = setup.plan;
    this.planDigest = setup.planDigest;
    this.digest = setup.planDigest;
    this.state = initialState(setup.items, setup.runtime.now());
    this.watches = new Watches({
      runtime: this.runtime,
      plan: this.plan,
      state: () => this.state,
      dispatch: (event) => this.dispatch(event),
      requested: (requests) => {
        this.dispatch({ type: 'requested', requests });
        this.cutWhatMust();
      },
      die: (error) => this.die(error),
    });
  }

  /** Runs to the end; the report is a view of the state then. */
  async toTheEnd(): Promise<Ending> {
    const recovery = new Recovery(this);
    // Early signals are delivered synchronously here, so everything above must be ready before.
    this.runtime.onMessage((name, raw) => this.receive(name, raw));
    this.publish();
    for (;;) {
      if (await this.pass()) return await this.end('Completed');
      const next = await recovery.recover();
      if (next !== 'again') return await this.end(next);
      this.dispatch({ type: 'phase', phase: 'forward' });
    }
  }

  dispatch(event: Event): void {
    this.state = reduce(this.state, event);
    if (
      event.type === 'item-done' ||
      event.type === 'undone' ||
      event.type === 'item-failed' ||
      event.type === 'watch-reported'
    ) {
      this.evidence.push(event);
    }
    this.publish();
  }

  now(): number {
    return this.runtime.now();
  }

  /** True if the current pass of the body must not go on. */
  interrupted(): boolean {
    const { requests, stumble } = this.state;
    return stumble !== undefined || this.fatal !== undefined || Object.keys(requests).length > 0;
  }

  /** One pass of the body: true if it came to its end. */
  private async pass(): Promise<boolean> {
    const session = new Session(this);
    const passed = { done: false };
    this.body(session.context()).then(
      () => (passed.done = true),
      (error: unknown) => this.die(error),
    );
    await this.runtime.waitFor(() => passed.done || this.interrupted());
    session.drop();
    // What is in flight has been cut; exactly one act at a time means that it must have ended before anything else begins.
    await this.runtime.waitFor(() => this.inFlight === undefined);
    this.rethrow();
    return passed.done && !this.interrupted();
  }

  /** A fault of the code itself: the workflow task fails and is tried again with a fixed build. */
  private die(error: unknown): void {
    this.fatal ??= { error };
  }

  rethrow(): void {
    if (this.fatal !== undefined) throw this.fatal.error;
  }

  /** Runs one member of an action's family and waits for its end, whatever that is. Never throws but for faults of the code. */
  async perform(action: Action, verb: Verb, item: number, role: Role): Promise<Performed> {
    const entry = this.state.items[item];
    const before = entry?.before === undefined || isBeside(role) ? {} : { before: entry.before.value };
    const input = {
      schema: 1,
      step: stepKey(item, isBeside(role) ? role : (entry?.item.name ?? '')),
      input: resolveGiven(action.input, (given) => this.state.items[given]?.result),
      ...before,
      plan: this.plan,
    };
    const call = this.runtime.call(`${action.type}.${verb}`, input, {
      ...this.callOptions(action),
      summary: this.summaryOf(verb, item, entry?.item.name ?? action.type, role),
    });
    this.inFlight = { call, role };
    this.cutWhatMust();
    try {
      return { kind: 'done', value: await call.result };
    } catch (error) {
      if (error instanceof CutError) return { kind: 'cut' };
      if (!(error instanceof CallFailed)) throw error;
      const { type, message, details } = error;
      return { kind: 'failed', failure: { type, message, ...(details === undefined ? {} : { details }) } };
    } finally {
      this.inFlight = undefined;
    }
  }

  private callOptions(action: Action): Omit<CallOptions, 'summary'> {
    const { queues } = this.plan;
    const queue = action.site === undefined ? queues.default : (queues.sites[action.site] ?? queues.default);
    return { queue, timeoutMs: action.timeoutMs ?? DEFAULT_TIMEOUT_MS, patience: action.patience ?? DEFAULT_PATIENCE };
  }

  private summaryOf(verb: Verb, item: number, name: string, role: Role): string {
    if (item === this.state.items.length) return 'Let go of the hosts';
    if (role === 'escape') return 'Move traffic away at once';
    if (role === 'remedy') return `Put right: ${name}`;
    const words: Record<Verb, string> = {
      check: name,
      observe: `${name}: look first`,
      act: name,
      undo: `Undo: ${name}`,
    };
    return words[verb];
  }

  /** Records how a forward call ended; false if the pass can't go on after it. */
  settleItem(item: number, performed: Performed): boolean {
    const at = this.now();
    if (performed.kind === 'done') {
      this.dispatch({ type: 'item-done', item, at, result: performed.value });
      return true;
    }
    if (performed.kind === 'cut') {
      this.dispatch({ type: 'item-cut', item, at });
      return false;
    }
    this.dispatch({ type: 'item-failed', item, at, failure: performed.failure });
    this.stumble(item, 'failed', performed.failure.message);
    return false;
  }

  stumble(item: number, kind: 'failed' | 'rejected' | 'expired', why: string): void {
    this.dispatch({ type: 'stumbled', item, kind, why });
  }

  remember(item: number, action: Action<'step'>, options: StepOptions): void {
    this.known.set(item, { action, options });
  }

  rememberCheck(item: number, options: CheckOptions): void {
    this.checks.set(item, options);
  }

  /** What going over the failure of this check would mean; undefined where that isn't offered. */
  goOnMeans(item: number): string | undefined {
    const goOn = this.checks.get(item)?.goOn;
    return goOn !== undefined && this.failureOf(item)?.type === goOn.on ? goOn.means : undefined;
  }

  /** Names of the faults that people may waive; undefined where that isn't offered. */
  waivableOf(item: number): readonly string[] | undefined {
    const waive = this.checks.get(item)?.waive;
    const failure = this.failureOf(item);
    if (waive === undefined || failure?.type !== waive.on) return undefined;
    return (failure.details as Waivable | undefined)?.waivable;
  }

  private failureOf(item: number): Failure | undefined {
    const entry = this.state.items[item];
    return entry?.state === 'failed' ? entry.failure : undefined;
  }

  actionOf(item: number): { readonly action: Action<'step'>; readonly options: StepOptions } {
    const known = this.known.get(item);
    if (known === undefined) throw new Error(`step ${item} is to be undone but never ran`);
    return known;
  }

  // ---- questions -----------------------------------------------------------------------------------------------------

  /** Opens a question and waits for its end; undefined if `dropped` came first (the question is withdrawn then). */
  async ask(question: Question, dropped: () => boolean): Promise<Opening['outcome']> {
    const digest = await this.nextDigest();
    if (dropped()) return undefined;
    const id = this.open(question, digest);
    const expiresAt = openingById(this.state, id)?.expiresAt;
    await this.runtime.waitFor(() => closedWith(this.state, id) !== undefined || dropped(), {
      ...(expiresAt === undefined ? {} : { until: expiresAt }),
      summary: `Waiting for an answer to ${id}`,
    });
    const outcome = closedWith(this.state, id);
    if (outcome !== undefined) return dropped() && outcome.choice !== 'approve' ? undefined : outcome;
    const choice = dropped() ? 'withdrawn' : 'expired';
    this.dispatch({ type: 'closed', opening: id, outcome: { choice, by: [] } });
    return choice === 'withdrawn' ? undefined : closedWith(this.state, id);
  }

  private open(question: Question, digest: string): string {
    const { ask, expiresAfterMs, onExpiry, ...rest } = question;
    const at = this.now();
    const id = `${ask}#${(this.state.openingCounts[ask] ?? 0) + 1}`;
    const expiry =
      expiresAfterMs === undefined
        ? {}
        : { expiresAt: at + expiresAfterMs, ...(onExpiry === undefined ? {} : { onExpiry }) };
    this.dispatch({ type: 'opened', ask, opening: { ...rest, ...expiry, id, digest, openedAt: at, answers: [] } });
    return id;
  }

  /** Chained over the plan and all evidence so far; computed by the worker once and read back from history ever after. */
  private async nextDigest(): Promise<string> {
    const evidence = this.evidence;
    this.evidence = [];
    const call = this.runtime.call(
      'core.digest',
      { previous: this.digest, evidence },
      {
        summary: 'Digest of plan and evidence',
        local: true,
        timeoutMs: 10_000,
        patience: { attempts: 0, intervalMs: 1_000 },
      },
    );
    this.digest = String(await call.result);
    return this.digest;
  }

  // ---- messages ------------------------------------------------------------------------------------------------------

  /** Never throws. */
  private receive(name: string, raw: unknown): void {
    const at = this.now();
    if (name === 'cancel') {
      if (!this.state.cancelled) this.dispatch({ type: 'requested', requests: { cancel: { at } } });
    } else {
      for (const event of this.eventsOf(name, raw, at))
        this.dispatch(event.type === 'refused' ? { ...event, ...senderOf(raw) } : event);
    }
    this.cutWhatMust();
  }

  private eventsOf(name: string, raw: unknown, at: number): readonly Event[] {
    const refuse = (why: string): Event[] => [{ type: 'refused', signal: name.slice(0, 64), why, at }];
    if (this.state.phase === 'ended') return refuse('the run has ended');
    const message = readMessage(name, raw);
    if ('refusal' in message) return refuse(message.refusal);
    if ('answer' in message) return judgeAnswer(this.state, message, this.plan, at);
    const { command } = message;
    const why = refusalByPolicy(command.by, this.plan.policy[message.name], this.plan.requestedBy);
    if (why !== undefined) return refuse(why);
    switch (message.name) {
      case 'resume':
        return judgeResume(this.state, command, this.plan, at);
      case 'pause': {
        if (isPaused(this.state)) return refuse('the run is paused already');
        const { from } = this.plan.policy.resume;
        this.open(
          {
            ask: 'pause',
            kind: 'pause',
            question: `Paused by ${command.by}: ${command.reason}`,
            choices: ['resume'],
            needed: 1,
            notRequester: false,
            ...(from ? { from } : {}),
          },
          this.digest,
        );
        return [];
      }
      case 'switchBack': {
        const means = this.switchBackTarget();
        if (typeof means === 'string') return refuse(means);
        return [{ type: 'requested', requests: { switchBack: { ...command, at } } }];
      }
    }
  }

  /** Cuts what is in flight if a request overrules it. */
  private cutWhatMust(): void {
    if (this.inFlight === undefined) return;
    const { requests } = this.state;
    const { call, role } = this.inFlight;
    if (role === 'forward' && Object.keys(requests).length > 0) call.cut();
    if (role === 'own-undo' && requests.regression !== undefined) call.cut();
  }

  // ---- watch, guard and escape -----------------------------------------------------------------------------------------

  switchBackMeans(action: Action<'step'> | string): void {
    this.switchBackAction = action;
  }

  /** What switchBack does now: the watch's escape, what the procedure said, or why it can't be obeyed. */
  switchBackTarget(): Action<'step'> | string {
    if (this.state.phase === 'rolling-back' || this.state.phase === 'escaping')
      return 'traffic is being moved already: see the status';
    return this.watches.escape ?? this.switchBackAction;
  }

  // ---- end -----------------------------------------------------------------------------------------------------------

  private async end(ending: Ending): Promise<Ending> {
    this.watches.endAll();
    if (this.closing !== undefined) await this.perform(this.closing, 'act', this.state.items.length, 'escape');
    const standing = Object.entries(this.state.nodes)
      .map(
        ([node, facts]) =>
          `${node}: ${Object.entries(facts)
            .map(([k, v]) => (typeof v === 'boolean' ? `${v ? '' : 'not '}${k}` : `${k} ${v}`))
            .join(', ')}`,
      )
      .join('; ');
    this.dispatch({ type: 'ended', ending, standing: standing || 'nothing was changed', at: this.now() });
    return ending;
  }

  private publish(): void {
    this.runtime.publish(publishedView(this));
  }
}
