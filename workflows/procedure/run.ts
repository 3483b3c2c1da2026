/**
 * One run of a procedure: passes of the body, and what happens between them. The run is never cancelled from outside:
 * cancel, regression and switchBack are requests that end the current pass, and one loop here deals with them. At most one
 * act, undo or escape is in flight. What decides is in the state, so that the run can go on in another link of its chain.
 */
import type { Ending, PlannedItem } from '../contract';
import { closedWith, judge, judgeUpdate, refusedEvent, type Asked, type Judged } from './asks';
import { carried, type Carried } from './carry';
import { publishedView } from './details';
import { bounded } from './door';
import { afterReset } from './inherited';
import { Recovery } from './recovery';
import { initialState, reduce } from './reduce';
import { Session } from './session';
import { openingById, openOpenings, standingOf, type Event, type Failure, type Opening, type State } from './state';
import { timelineSummary } from './text';
import {
  CallFailed,
  CutError,
  type Action,
  type Body,
  type Call,
  type CallOptions,
  type Identity,
  type Inherited,
  type Patience,
  type PlanBase,
  type Runtime,
  type StepOptions,
  type WaitOptions,
  type Waivable,
} from './types';
import { Watches } from './watches';
import { resolveGiven, stepKey } from './wire';

/** A step that says nothing else is tried for 5 minutes. */
const DEFAULT_PATIENCE: Patience = { attempts: 30, intervalMs: 10_000 };
const DEFAULT_TIMEOUT_MS = 120_000;
/** The server takes 10,000 signals for one link of a chain; well before that the run goes on in a new one. */
const MESSAGES_IN_A_LINK = 2_000;
/** What the core asks of its worker: pure, and quick. */
export const ASIDE: Omit<CallOptions, 'summary'> = {
  local: true,
  timeoutMs: 10_000,
  patience: { attempts: 0, intervalMs: 1_000 },
};

const DELIVERED_AGAIN = {
  refusal: 'the reset of this run delivered it once more, and it acts only once: send it again if it still holds',
} as const;

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
  /**
   * Rules of the core. Runs that began with a build of core 1 keep its commands to their end: what is published is published
   * at each event, calls have no identity, and nothing is continued as new.
   */
  readonly core?: 1 | 2;
  readonly identity?: Identity;
  /** State of the link before this one. */
  readonly state?: State;
  /** What an earlier run of this cluster, ended from outside, left. */
  readonly inherited?: Inherited;
}

/** How a link ends: as the run does, or in the next link. */
export type LinkEnd = { readonly ending: Ending } | { readonly carried: Carried };

export class Run<P extends PlanBase> {
  state: State;
  readonly runtime: Runtime;
  readonly plan: P;
  readonly planDigest: string;
  readonly core: 1 | 2;
  readonly watches: Watches;
  private readonly body: Body<P>;
  private readonly closing: Action<'step'> | undefined;
  private inFlight: { readonly call: Call; readonly role: Role } | undefined;
  /** Set while the run waits for people or time alone: true of it while that goes on. */
  private resting: (() => boolean) | undefined;
  private messages = 0;
  private isDirty = false;
  /** A reset was seen, and what came before it isn't known yet. */
  private isUnverified = false;
  /** The activation in which the reset was seen. */
  private resetAt: number | undefined;
  private isTooLargeToContinue = false;
  private fatal: { readonly error: unknown } | undefined;

  constructor(setup: RunSetup<P>) {
    const { runtime, plan, identity } = setup;
    this.runtime = runtime;
    this.body = setup.body;
    this.closing = setup.closing;
    this.plan = plan;
    this.planDigest = setup.planDigest;
    this.core = setup.core ?? 2;
    this.state = setup.state ?? initialState(setup.items, runtime.now(), setup.planDigest, identity);
    this.watches = new Watches({
      runtime,
      plan,
      looksFirst: this.core === 2,
      state: () => this.state,
      dispatch: (event) => this.dispatch(event),
      call: (activity, input, options) => this.identified(activity, input, options),
      requested: (requests) => {
        this.dispatch({ type: 'requested', requests });
        this.cutWhatMust();
      },
      die: (error) => this.die(error),
    });
    if (setup.inherited !== undefined) this.inherit(setup.inherited);
  }

  /** Runs this link to its end; the report is a view of the state then. */
  async toTheEnd(): Promise<LinkEnd> {
    // Early messages are delivered synchronously here, so everything above must be ready before.
    this.runtime.onMessage({
      signal: (name, raw) => this.receive(name, raw),
      cancel: () => this.cancelAsked(),
      refusal: (name, raw) => {
        const judged = judgeUpdate(this.asked(), name, raw);
        return 'refusal' in judged ? judged.refusal : undefined;
      },
      accept: (name, raw) => this.accept(name, raw),
    });
    this.publish();
    if (this.core === 1) return { ending: await this.steps() };
    this.besides();
    this.watches.goOn();
    let over: { readonly ending: Ending } | undefined;
    this.steps().then(
      (ending) => (over = { ending }),
      (error: unknown) => this.die(error),
    );
    for (;;) {
      await this.runtime.waitFor(() => over !== undefined || this.fatal !== undefined || this.mayContinue());
      this.rethrow();
      if (over !== undefined) return over;
      const next = await this.handOver();
      if (next !== undefined) return { carried: next };
    }
  }

  private async steps(): Promise<Ending> {
    const recovery = new Recovery(this);
    for (let first = true; ; first = false) {
      // A link may begin in the middle of a recovery.
      if (!(first && recovery.isUnderWay()) && (await this.pass())) return await this.end('Completed');
      const next = await recovery.recover();
      if (next !== 'again') return await this.end(next);
      this.dispatch({ type: 'phase', phase: 'forward' });
    }
  }

  /** What goes on beside the steps: what is shown follows the state, once for all that happened at a time; resets are looked at. */
  private besides(): void {
    const follow = async (due: () => boolean, work: () => void | Promise<void>): Promise<never> => {
      for (;;) {
        await this.runtime.waitFor(due);
        await work();
      }
    };
    const die = (error: unknown): void => this.die(error);
    follow(
      () => this.isDirty,
      () => this.publish(),
    ).catch(die);
    follow(
      () => this.isUnverified,
      () => this.verify(),
    ).catch(die);
  }

  dispatch(event: Event): void {
    this.state = reduce(this.state, bounded(event));
    this.isDirty = true;
    if (this.core === 1 || event.type === 'ended') this.publish();
  }

  /** What the body says of itself on its way: nothing of it is shown. */
  note(event: Extract<Event, { type: 'entered' | 'switch-back-means' }>): void {
    this.state = reduce(this.state, event);
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

  // ---- calls -------------------------------------------------------------------------------------------------------

  /** Runs one member of an action's family and waits for its end, whatever that is. Never throws but for faults of the code. */
  perform(action: Action, verb: Verb, item: number, role: Role): Promise<Performed> {
    // Not a tick more than before: the order of commands of core 1 hangs on that.
    return this.core === 1 ? this.once(action, verb, item, role) : this.afterLook(action, verb, item, role);
  }

  private async afterLook(action: Action, verb: Verb, item: number, role: Role): Promise<Performed> {
    for (;;) {
      await this.verified();
      // After a reset what was there before is known from the history that was left behind.
      const before = this.state.items[item]?.before;
      if (verb === 'observe' && before !== undefined) return { kind: 'done', value: before.value };
      const performed = await this.once(action, verb, item, role);
      if (performed.kind !== 'failed' || performed.failure.type !== 'WasReset') return performed;
      // Nothing was touched: what ran before the reset comes first.
      const executing = this.state.identity?.executing;
      this.isUnverified = true;
      await this.runtime.waitFor(() => !this.isUnverified);
      if (this.state.identity?.executing === executing) return performed;
      if (role === 'forward' && this.interrupted()) return { kind: 'cut' };
    }
  }

  private async once(action: Action, verb: Verb, item: number, role: Role): Promise<Performed> {
    const entry = this.state.items[item];
    const before = entry?.before === undefined || isBeside(role) ? {} : { before: entry.before.value };
    const input = {
      schema: 1,
      step: stepKey(item, isBeside(role) ? role : (entry?.item.name ?? '')),
      input: resolveGiven(action.input, (given) => this.state.items[given]?.result),
      ...before,
      plan: this.plan,
    };
    const call = this.identified(`${action.type}.${verb}`, input, {
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

  /** A call that says whose it is, over all links: hosts order the attempts of a run by it. */
  private identified(activity: string, input: Readonly<Record<string, unknown>>, options: CallOptions): Call {
    this.state = reduce(this.state, { type: 'called' });
    const { identity } = this.state;
    if (identity === undefined) return this.runtime.call(activity, input, options);
    const { firstRunId, link, executing, calls: number, adopted } = identity;
    const run = { firstRunId, link, number, executing, ...(adopted === undefined ? {} : { adopted }) };
    return this.runtime.call(activity, { ...input, run }, options);
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

  /** What going over the failure of this check would mean; undefined where that isn't offered. */
  goOnMeans(item: number): string | undefined {
    const goOn = this.state.items[item]?.known?.check?.goOn;
    return goOn !== undefined && this.failureOf(item)?.type === goOn.on ? goOn.means : undefined;
  }

  /** Names of the faults that people may waive; undefined where that isn't offered. */
  waivableOf(item: number): readonly string[] | undefined {
    const waive = this.state.items[item]?.known?.check?.waive;
    const failure = this.failureOf(item);
    if (waive === undefined || failure?.type !== waive.on) return undefined;
    return (failure.details as Waivable | undefined)?.waivable;
  }

  private failureOf(item: number): Failure | undefined {
    const entry = this.state.items[item];
    return entry?.state === 'failed' ? entry.failure : undefined;
  }

  actionOf(item: number): { readonly action: Action<'step'>; readonly options: StepOptions } {
    const entry = this.state.items[item];
    const known = entry?.known;
    if (known?.action !== undefined) return { action: known.action, options: known.options ?? {} };
    // Known from a history alone: as the recorded list has it.
    const action = entry?.item.action;
    if (entry?.inherited !== true || action === undefined)
      throw new Error(`step ${item} is to be undone but never ran`);
    return { action: { type: action, input: entry.item.input }, options: {} };
  }

  /** How many watches the worker that runs this could still take on; undefined where it can't tell. */
  async watchRoom(): Promise<{ readonly slots: number; readonly free: number } | undefined> {
    const input = { queue: this.plan.queues.watch };
    const call = this.runtime.call('core.watchRoom', input, { ...ASIDE, summary: 'Is there room for one more watch?' });
    try {
      return ((await call.result) ?? undefined) as { readonly slots: number; readonly free: number } | undefined;
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      return undefined;
    }
  }

  // ---- questions -----------------------------------------------------------------------------------------------------

  /**
   * Opens a question and waits for its end; undefined if `dropped` came first (the question is withdrawn then). One that is
   * open already, as in the link before, is waited for.
   */
  async ask(question: Question, dropped: () => boolean): Promise<Opening['outcome']> {
    let id = openOpenings(this.state).find((o) => o.id.startsWith(`${question.ask}#`))?.id;
    if (id === undefined) {
      await this.nextDigest(this.core === 1 ? undefined : timelineSummary({ id: this.nextId(question), ...question }));
      if (dropped()) return undefined;
      id = this.open(question);
    }
    const expiresAt = openingById(this.state, id)?.expiresAt;
    const asked = id;
    await this.rest(() => closedWith(this.state, asked) !== undefined || dropped(), {
      ...(expiresAt === undefined ? {} : { until: expiresAt }),
      ...(this.core === 1
        ? { summary: `Waiting for an answer to ${id}` }
        : { summary: this.timeline(id), isShown: true }),
    });
    const outcome = closedWith(this.state, id);
    if (outcome !== undefined) return dropped() && outcome.choice !== 'approve' ? undefined : outcome;
    const choice = dropped() ? 'withdrawn' : 'expired';
    this.dispatch({ type: 'closed', opening: id, outcome: { choice, by: [] } });
    return choice === 'withdrawn' ? undefined : closedWith(this.state, id);
  }

  private nextId({ ask }: Question): string {
    return `${ask}#${(this.state.openingCounts[ask] ?? 0) + 1}`;
  }

  private timeline(id: string): string {
    const opening = openingById(this.state, id);
    return opening === undefined ? id : timelineSummary(opening);
  }

  private open(question: Question): string {
    const { ask, expiresAfterMs, onExpiry, ...rest } = question;
    const at = this.now();
    const id = this.nextId(question);
    const expiry =
      expiresAfterMs === undefined
        ? {}
        : { expiresAt: at + expiresAfterMs, ...(onExpiry === undefined ? {} : { onExpiry }) };
    const { digest } = this.state.chain;
    this.dispatch({ type: 'opened', ask, opening: { ...rest, ...expiry, id, digest, openedAt: at, answers: [] } });
    return id;
  }

  /** Chained over the plan and all evidence so far; computed by the worker once and read back from history ever after. */
  private async nextDigest(summary = 'Digest of plan and evidence'): Promise<void> {
    const { digest: previous, pending: evidence } = this.state.chain;
    const call = this.runtime.call('core.digest', { previous, evidence }, { ...ASIDE, summary });
    this.dispatch({ type: 'chained', digest: String(await call.result), taken: evidence.length });
  }

  // ---- messages ------------------------------------------------------------------------------------------------------

  /** Never throws. */
  private receive(name: string, raw: unknown): void {
    this.messages++;
    // A signal of this name once cancelled a run; histories of that time have it so.
    if (this.core === 1 && name === 'cancel') return this.cancelAsked();
    const isAnswer = name === 'approve' || name === 'reject' || name === 'decide';
    const judged: Judged = this.isDeliveredAgain() && !isAnswer ? DELIVERED_AGAIN : judge(this.asked(), name, raw);
    if ('refusal' in judged) this.dispatch(refusedEvent(name, raw, judged.refusal, this.now()));
    else this.apply(judged.events);
  }

  /** The server doesn't deliver a cancellation again. */
  private cancelAsked(): void {
    this.messages++;
    const at = this.now();
    if (!this.state.cancelled) this.apply([{ type: 'requested', requests: { cancel: { at } } }]);
  }

  /** An Update: its sender hears what came of it. */
  private accept(name: string, raw: unknown): unknown {
    this.messages++;
    const judged =
      this.isDeliveredAgain() && name !== 'answer' ? DELIVERED_AGAIN : judgeUpdate(this.asked(), name, raw);
    if ('refusal' in judged) return { accepted: false, why: judged.refusal };
    this.apply(judged.events);
    return { accepted: true, ...judged.told };
  }

  private asked(): Asked {
    const { state, plan, core } = this;
    return { state, plan, core, at: this.now(), switchBack: this.switchBackTarget() };
  }

  private apply(events: readonly Event[]): void {
    for (const event of events) this.dispatch(event);
    this.cutWhatMust();
  }

  /** Cuts what is in flight if a request overrules it. */
  private cutWhatMust(): void {
    if (this.inFlight === undefined) return;
    const { requests } = this.state;
    const { call, role } = this.inFlight;
    if (role === 'forward' && Object.keys(requests).length > 0) call.cut();
    if (role === 'own-undo' && requests.regression !== undefined) call.cut();
  }

  /** What switchBack does now: the watch's escape, what the procedure said, or why it can't be obeyed. */
  switchBackTarget(): Action<'step'> | string {
    if (this.state.phase === 'rolling-back' || this.state.phase === 'escaping')
      return 'traffic is being moved already: see the status';
    return this.watches.escape ?? this.state.switchBack;
  }

  // ---- the next link, and resets -------------------------------------------------------------------------------------

  /** Waits for people or for time; meanwhile the run may go on in another link, and this wait never ends. */
  rest(met: () => boolean, options: WaitOptions = {}): Promise<void> {
    return this.core === 1 ? this.runtime.waitFor(met, options) : this.restUntil(met, options);
  }

  private async restUntil(met: () => boolean, options: WaitOptions): Promise<void> {
    const { until } = options;
    const resting = (): boolean => !met() && (until === undefined || until > this.now());
    this.resting = resting;
    await this.runtime.waitFor(met, options);
    if (this.resting === resting) this.resting = undefined;
  }

  /** Between two steps a run that is to go on in another link rests until it does; false if that isn't so. */
  restsForNextLink(): Promise<void> | false {
    return this.isDue() && this.rest(() => !this.isDue() || this.interrupted());
  }

  private isDue(): boolean {
    if (this.core === 1 || this.isTooLargeToContinue) return false;
    return this.messages >= MESSAGES_IN_A_LINK || this.runtime.isHistoryLong();
  }

  private mayContinue(): boolean {
    return (
      this.isDue() &&
      this.inFlight === undefined &&
      !this.isUnverified &&
      Object.keys(this.state.requests).length === 0 &&
      this.resting?.() === true
    );
  }

  /** What the next link begins with; undefined if something happened meanwhile, or it can't be carried. */
  private async handOver(): Promise<Carried | undefined> {
    await this.watches.handOver();
    if (this.state.chain.pending.length > 0) await this.nextDigest('Digest of plan and evidence before the next link');
    if (this.mayContinue()) {
      const next = carried(this.state);
      if (next !== undefined) return next;
      this.isTooLargeToContinue = true;
    }
    this.watches.goOn();
    return undefined;
  }

  /** Sees a reset where something happens: what it means is looked at before anything is done. */
  private noticeReset(): void {
    const { identity, resetCount } = this.state;
    if (this.isUnverified || identity === undefined || !this.runtime.isReset(identity.executing, resetCount)) return;
    this.isUnverified = true;
    this.resetAt = this.runtime.activation();
  }

  /** Messages of before come once more, all at the time at which the run goes on. */
  private isDeliveredAgain(): boolean {
    this.noticeReset();
    return this.isUnverified && this.resetAt === this.runtime.activation();
  }

  /** Settles once it is known who this run is, and what it had done before a reset. */
  async verified(): Promise<void> {
    this.noticeReset();
    await this.runtime.waitFor(() => !this.isUnverified);
  }

  /** After a reset: who it runs as now, and what the part of history that was left behind had done. */
  private async verify(): Promise<void> {
    const { identity } = this.state;
    if (identity !== undefined) {
      const whoami = this.runtime.call('core.whoami', {}, { ...ASIDE, summary: 'Which run this is' });
      const { runId } = (await whoami.result) as { runId: string };
      if (runId !== identity.executing) await this.takeOver(identity, runId);
    }
    this.isUnverified = false;
  }

  private async takeOver(identity: Identity, runId: string): Promise<void> {
    this.inherit(await afterReset(this.runtime, this.plan, identity, runId));
  }

  private inherit(inherited: Inherited): void {
    this.dispatch({ type: 'taken-over', inherited, at: this.now() });
    const lost = this.state.takenOver.at(-1)?.lost;
    // Of an earlier run: told with the first question.
    if (lost === undefined || inherited.from !== 'reset') return;
    // People decide, before anything is done on top of what nobody knows.
    const next = this.state.items.findIndex((i) => i.state !== 'done');
    this.dispatch({ type: 'recovering', recovery: { stumbleSettled: true, reason: `This run was reset. ${lost}` } });
    this.stumble(Math.max(0, next), 'failed', 'the run was reset');
  }

  // ---- end -----------------------------------------------------------------------------------------------------------

  private async end(ending: Ending): Promise<Ending> {
    if (this.core === 2) await this.verified();
    this.watches.endAll();
    if (this.closing !== undefined) await this.perform(this.closing, 'act', this.state.items.length, 'escape');
    this.dispatch({ type: 'ended', ending, standing: standingOf(this.state), at: this.now() });
    return ending;
  }

  private publish(): void {
    this.isDirty = false;
    this.runtime.publish(publishedView(this));
  }
}
