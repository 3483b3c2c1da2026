/**
 * One run of a procedure: passes of the body, and what happens between them. The run is never cancelled from outside:
 * cancel, regression and switchBack are requests that end the current pass, and one loop here deals with them. What decides
 * is in the state, so that the run can go on in another link of its chain.
 *
 * Its parts have a file each: calls.ts, questions.ts, messages.ts, watches.ts, resets.ts, links.ts; session.ts is one pass
 * of the body, recovery.ts what happens after a pass was dropped.
 */
import type { Ending, PlannedItem } from '../contract';
import { Calls, type Performed } from './calls';
import type { Carried } from './carry';
import { publishedView } from './details';
import { bounded } from './door';
import { initialState } from './initial-state';
import { Links } from './links';
import { Messages } from './messages';
import { Questions } from './questions';
import { Recovery } from './recovery';
import { reduce } from './reduce';
import { Resets } from './resets';
import { Session } from './session';
import type { Event } from './events';
import { standingOf, type RecoveryState, type State } from './state';
import type { Action, Body, Identity, Inherited, PlanBase, Runtime } from './types';
import { Watches } from './watches';

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
  /** The search attribute of the phase says where nobody watches. */
  readonly listsSight?: boolean;
  /** Answers of activities are held to their shapes; a point of no return stays behind over a reset and a start anew. */
  readonly isFirm?: boolean;
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
  readonly listsSight: boolean;
  readonly isFirm: boolean;
  readonly calls: Calls;
  readonly questions: Questions;
  readonly messages: Messages;
  readonly watches: Watches;
  readonly resets: Resets;
  readonly links: Links;
  private readonly body: Body<P>;
  private readonly closing: Action<'step'> | undefined;
  private isDirty = false;
  private fatal: { readonly error: unknown } | undefined;

  constructor(setup: RunSetup<P>) {
    const { runtime, plan, identity } = setup;
    this.runtime = runtime;
    this.body = setup.body;
    this.closing = setup.closing;
    this.plan = plan;
    this.planDigest = setup.planDigest;
    this.core = setup.core ?? 2;
    this.listsSight = setup.listsSight ?? this.core === 2;
    this.isFirm = setup.isFirm ?? this.core === 2;
    this.state = setup.state ?? initialState(setup.items, runtime.now(), setup.planDigest, identity);
    this.calls = new Calls(this);
    this.questions = new Questions(this);
    this.messages = new Messages(this);
    this.resets = new Resets(this);
    this.links = new Links(this);
    this.watches = new Watches({
      runtime,
      plan,
      looksFirst: this.core === 2,
      isFirm: this.isFirm,
      state: () => this.state,
      dispatch: (event) => this.dispatch(event),
      call: (activity, input, options) => this.calls.identified(activity, input, options),
      requested: (requests) => {
        this.dispatch({ type: 'requested', requests });
        this.calls.cutOverruled();
      },
      die: (error) => this.die(error),
    });
    if (setup.inherited !== undefined) this.resets.inherit(setup.inherited);
  }

  /** Runs this link to its end; the report is a view of the state then. */
  async toTheEnd(): Promise<LinkEnd> {
    // Early messages are delivered synchronously here, so everything above must be ready before.
    this.runtime.onMessage(this.messages);
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
      await this.runtime.waitFor(() => over !== undefined || this.fatal !== undefined || this.links.mayContinue());
      this.rethrow();
      if (over !== undefined) return over;
      const next = await this.links.handOver();
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
      () => this.resets.areOpen,
      () => this.resets.verify(),
    ).catch(die);
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
    await this.runtime.waitFor(() => this.calls.areOver);
    this.rethrow();
    return passed.done && !this.interrupted();
  }

  private async end(ending: Ending): Promise<Ending> {
    if (this.core === 2) await this.resets.verified();
    this.watches.endAll();
    if (this.closing !== undefined) await this.calls.perform(this.closing, 'act', this.state.items.length, 'escape');
    this.dispatch({ type: 'ended', ending, standing: standingOf(this.state), at: this.now() });
    return ending;
  }

  // ---- state ---------------------------------------------------------------------------------------------------------

  dispatch(event: Event): void {
    this.state = reduce(this.state, bounded(event));
    this.isDirty = true;
    if (this.core === 1 || event.type === 'ended') this.publish();
  }

  /** What is remembered and not shown: what the body says of itself on its way, and how many calls there were. */
  note(event: Extract<Event, { type: 'entered' | 'switch-back-means' | 'called' }>): void {
    this.state = reduce(this.state, event);
  }

  /** What recovery has to remember. */
  know(recovery: Partial<RecoveryState>): void {
    this.dispatch({ type: 'recovering', recovery });
  }

  private publish(): void {
    this.isDirty = false;
    this.runtime.publish(publishedView(this, this.listsSight));
  }

  now(): number {
    return this.runtime.now();
  }

  /** True if the current pass of the body must not go on. */
  interrupted(): boolean {
    const { requests, stumble } = this.state;
    return stumble !== undefined || this.fatal !== undefined || Object.keys(requests).length > 0;
  }

  /** A fault of the code itself: the workflow task fails and is tried again with a fixed build. */
  private die(error: unknown): void {
    this.fatal ??= { error };
  }

  rethrow(): void {
    if (this.fatal !== undefined) throw this.fatal.error;
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

  /** What switchBack does now: the watch's escape, what the procedure said, or why it can't be obeyed. */
  switchBackTarget(): Action<'step'> | string {
    if (this.state.phase === 'rolling-back' || this.state.phase === 'escaping')
      return 'traffic is being moved already: see the status';
    return this.watches.escape ?? this.state.switchBack;
  }
}
