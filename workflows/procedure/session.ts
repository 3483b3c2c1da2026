/**
 * One pass of the body. A pass that is interrupted is dropped: its promises never settle, so no catch or finally of the
 * body runs. Going on means running the body again, with what is done returning at once.
 */
import type { PlannedItem } from '../contract';
import { isPaused, openOpenings, standingOf, takenOverNotes, waivedSince, type ItemState, type Opening } from './state';
import type { Performed } from './calls';
import type { Question } from './questions';
import type { Run } from './run';
import type { Action, CheckOptions, Context, GateOptions, Given, PlanBase, StepOptions, WatchSpec } from './types';

/** So often a watch may fail to be taken up before people are asked. */
const WATCH_TRIES = 2;

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** What people have to do outside; whoever may answer holds may say that it is done. */
const taskOf = (ask: string, question: string, { policy: { holds } }: PlanBase): Question => ({
  ask,
  kind: 'task',
  question,
  choices: ['done', 'hold'],
  needed: holds.count ?? 1,
  notRequester: holds.notRequester === true,
  ...(holds.from === undefined ? {} : { from: holds.from }),
});

export class Session<P extends PlanBase> {
  private cursor = 0;
  private live = true;
  private readonly plan: P;

  constructor(private readonly run: Run<P>) {
    this.plan = run.plan;
  }

  /** What the body is given; procedures take it apart, so nothing of it depends on `this`. */
  context(): Context<P> {
    return {
      plan: this.plan,
      check: (name, action, options) => this.check(name, action, options),
      step: (name, action, options) => this.step(name, action, options),
      gate: (id, question, options) => this.gate(id, question, options),
      watching: (watch, { escape }, inner) => this.beside('watch', watch, escape, inner),
      guarding: (guard, { remedy }, inner) => this.beside('guard', guard, remedy, inner),
      atLeast: (name, ms) => this.atLeast(name, ms),
      pointOfNoReturn: (why) => this.pointOfNoReturn(why),
      switchBackMeans: (action) => this.switchBackMeans(action),
    };
  }

  /** From now on no operation of this pass returns. */
  drop(): void {
    this.live = false;
  }

  private async check<R>(name: string, action: Action<'check', R>, options: CheckOptions = {}): Promise<Given<R>> {
    const index = this.next('check', name);
    const { task } = options;
    const { goOn, waive } = options;
    this.enter(index, {
      check: { ...(goOn === undefined ? {} : { goOn }), ...(waive === undefined ? {} : { waive }) },
    });
    if (this.entry(index).state === 'done') return { given: index };
    if (!(await this.clear())) return never();
    let result = this.asked(task) ?? (await this.first(action, index));
    while (result.kind === 'failed' && result.failure.type === task?.on) {
      const outcome = await this.run.questions.ask(taskOf(task.ask, result.failure.message, this.plan), () =>
        this.interrupted(),
      );
      if (outcome === undefined) {
        this.run.settleItem(index, { kind: 'cut' });
        return never();
      }
      if (outcome.choice !== 'done') break;
      result = await this.run.calls.perform(action, 'check', index, 'forward');
    }
    if (!this.run.settleItem(index, result) || this.interrupted()) return never();
    return { given: index };
  }

  private first(action: Action, index: number): Promise<Performed> {
    this.run.dispatch({ type: 'item-started', item: index, at: this.run.now() });
    return this.run.calls.perform(action, 'check', index, 'forward');
  }

  /** What people were asked to do in the link before this one, and still are. */
  private asked(task: CheckOptions['task']): Performed | undefined {
    const open = task === undefined ? undefined : this.openOf(task.ask);
    return open === undefined || task === undefined
      ? undefined
      : { kind: 'failed', failure: { type: task.on, message: open.question } };
  }

  private openOf(ask: string): Opening | undefined {
    return openOpenings(this.run.state).find((o) => o.id.startsWith(`${ask}#`));
  }

  private enter(item: number, known: NonNullable<ItemState['known']>): void {
    if (this.live) this.run.note({ type: 'entered', item, known });
  }

  private async step<R>(name: string, action: Action<'step', R>, options: StepOptions = {}): Promise<Given<R>> {
    const index = this.next('step', name);
    this.enter(index, { action, options });
    if (this.entry(index).state === 'done') return { given: index };
    if (!(await this.clear())) return never();
    this.run.dispatch({ type: 'item-started', item: index, at: this.run.now() });
    if (this.entry(index).before === undefined) {
      const observed = await this.run.calls.perform(action, 'observe', index, 'forward');
      if (observed.kind !== 'done') {
        this.run.settleItem(index, observed);
        return never();
      }
      this.run.dispatch({ type: 'observed', item: index, before: observed.value });
      // An observe that ends in the same instant as a regression must not go on to act.
      if (this.interrupted()) {
        this.run.dispatch({ type: 'item-cut', item: index, at: this.run.now() });
        return never();
      }
    }
    const result = await this.run.calls.perform(action, 'act', index, 'forward');
    if (!this.run.settleItem(index, result) || this.interrupted()) return never();
    return { given: index };
  }

  private async gate(id: string, question: string, { tellsNodes = false }: GateOptions = {}): Promise<void> {
    const policy = this.plan.policy.gates[id];
    if (policy === undefined) return;
    const index = this.next('gate', id);
    if (this.entry(index).state === 'done') return;
    if (!(await this.clear())) return never();
    if (this.openOf(id) === undefined) this.run.dispatch({ type: 'item-started', item: index, at: this.run.now() });
    const outcome = await this.run.questions.ask(
      {
        ask: id,
        kind: 'gate',
        question: [
          ...takenOverNotes(this.run.state, index, this.plan.resumedFrom),
          question,
          ...(tellsNodes ? [`As last read: ${standingOf(this.run.state)}.`] : []),
          ...waivedSince(this.run.state, index),
        ].join(' '),
        choices: ['approve', 'reject'],
        needed: policy.count,
        notRequester: policy.notRequester === true,
        ...(policy.from === undefined ? {} : { from: policy.from }),
        ...(policy.expiresAfterMs === undefined
          ? {}
          : { expiresAfterMs: policy.expiresAfterMs, onExpiry: policy.onExpiry ?? 'hold' }),
      },
      () => this.interrupted(),
    );
    if (outcome === undefined) return never();
    if (outcome.choice === 'approve') {
      this.run.dispatch({
        type: 'item-done',
        item: index,
        at: this.run.now(),
        result: { summary: `approved by ${outcome.by.join(', ')}` },
      });
      return this.interrupted() ? never() : undefined;
    }
    const kind = outcome.choice === 'reject' ? 'rejected' : 'expired';
    const who = kind === 'rejected' ? ` by ${outcome.by.join(', ')}` : ' without enough answers';
    this.run.stumble(
      index,
      kind,
      `gate ${id} was ${kind}${who}${outcome.comment === undefined ? '' : `: ${outcome.comment}`}`,
    );
    return never();
  }

  /** A watch or a guard beside `inner`; `answer` runs when it finds what it looks for. */
  private async beside(
    role: 'watch' | 'guard',
    spec: WatchSpec,
    answer: Action<'step'>,
    inner: () => Promise<void>,
  ): Promise<void> {
    const index = this.next(role, spec.name);
    const done = this.entry(index).state === 'done';
    if (!done) {
      if (!(await this.clear())) return never();
      this.run.watches.start(role, index, spec, answer);
      if (role === 'watch' && this.run.core === 2 && !(await this.watched(index))) return never();
    }
    await inner();
    const end = this.next(`${role}-end`, spec.name);
    if (done) return;
    if (this.interrupted()) return never();
    this.run.watches.end(role);
    this.run.dispatch({ type: 'item-done', item: index, at: this.run.now(), result: this.run.state[role]?.report });
    this.run.dispatch({ type: 'item-done', item: end, at: this.run.now() });
  }

  /** Traffic isn't moved to what nobody watches: somebody must have reported first. False if the pass must not go on. */
  private async watched(index: number): Promise<boolean> {
    const { run } = this;
    const seen = await run.watches.firstReport(WATCH_TRIES, () => this.interrupted());
    if (this.interrupted()) return false;
    if (seen) return true;
    const why = run.state.watch?.why ?? 'no worker took it up';
    const room = await run.calls.watchRoom();
    if (this.interrupted()) return false;
    const full = room?.free === 0 ? ` The worker asked carries ${room.slots} watches, and no place is free.` : '';
    const message = `nobody watches: ${why}.${full} Traffic has not been moved; start a worker for the queue ${this.plan.queues.watch}, or free a place on one (hitless worker --watch-slots)`;
    run.settleItem(index, { kind: 'failed', failure: { type: 'NobodyWatches', message } });
    return false;
  }

  private async atLeast(name: string, ms: number): Promise<void> {
    const index = this.next('wait', name);
    if (this.entry(index).state === 'done') return;
    if (!(await this.clear())) return never();
    await this.run.watches.wait(
      index,
      name,
      ms,
      () => this.interrupted(),
      (met, options) => this.run.links.rest(met, options),
    );
    if (this.interrupted()) return never();
    this.run.dispatch({ type: 'item-done', item: index, at: this.run.now() });
  }

  private async pointOfNoReturn(why: string): Promise<void> {
    const index = this.next('no-return', why);
    if (this.entry(index).state === 'done') return;
    if (!(await this.clear())) return never();
    this.run.dispatch({ type: 'no-return' });
    this.run.dispatch({ type: 'item-done', item: index, at: this.run.now() });
  }

  private switchBackMeans(action: Action<'step'> | string): void {
    if (this.live) this.run.note({ type: 'switch-back-means', means: action });
  }

  private interrupted(): boolean {
    return !this.live || this.run.interrupted();
  }

  /** Waits while paused; false if the pass must not go on. */
  private async clear(): Promise<boolean> {
    if (this.interrupted()) return false;
    const resting = this.run.links.restForNext();
    if (resting !== false) await resting;
    if (!this.interrupted() && isPaused(this.run.state)) {
      await this.run.links.rest(() => !isPaused(this.run.state) || this.interrupted(), { summary: 'Paused' });
    }
    return !this.interrupted();
  }

  private entry(index: number): ItemState {
    const entry = this.run.state.items[index];
    if (entry === undefined) throw new Error(`the procedure has more steps than its recorded list (${index})`);
    return entry;
  }

  /** The body must pass the same list every time; another one is a fault of the procedure, which a fixed build mends. */
  private next(kind: PlannedItem['kind'], name: string): number {
    const index = this.cursor++;
    const { item } = this.entry(index);
    if (item.kind !== kind || item.name !== name) {
      throw new Error(
        `the procedure is at ${kind} "${name}" where its recorded list has ${item.kind} "${item.name}" (${index})`,
      );
    }
    return index;
  }
}
