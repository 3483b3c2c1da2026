/**
 * What happens after a pass of the body was dropped: escape, cancel, the undo of a half-done step, questions to people,
 * rollback. Returns 'again' when the body is to be run once more, or how the run ends.
 */
import type { Ending } from '../contract';
import type { Run } from './run';
import {
  lastGate,
  openOpenings,
  savepoint,
  summaryOf,
  undoable,
  type Opening,
  type RecoveryState,
  type Requests,
} from './state';
import { noRecovery } from './reduce';
import type { GatePolicy, PlanBase, Remedied, Waived } from './types';

/** How often a run goes on by itself after something was mended; from then on people are asked each time. */
const MENDED_BY_ITSELF = 2;

type RolledBack = 'done' | 'stopped' | 'skipped';

export class Recovery<P extends PlanBase> {
  constructor(private readonly run: Run<P>) {}

  /** True if the run is in the middle of it: a link may begin there. */
  isUnderWay(): boolean {
    const { recovery, stumble, requests } = this.run.state;
    const { reason, rollBack } = recovery;
    return stumble !== undefined || reason !== '' || rollBack !== null || Object.keys(requests).length > 0;
  }

  private get known(): RecoveryState {
    return this.run.state.recovery;
  }

  private know(recovery: Partial<RecoveryState>): void {
    this.run.dispatch({ type: 'recovering', recovery });
  }

  async recover(): Promise<'again' | Ending> {
    const { rollBack } = this.known;
    if (rollBack !== null) {
      // It was under way when the link before this one ended.
      const ending = this.ended(await this.rollBack(rollBack.floor));
      if (ending !== undefined) return ending;
    }
    for (;;) {
      this.run.rethrow();
      const { requests, stumble } = this.run.state;
      if (requests.regression !== undefined || requests.switchBack !== undefined) {
        await this.escape();
        continue;
      }
      if (requests.lost !== undefined) {
        await this.mend(requests.lost);
        continue;
      }
      if (requests.cancel !== undefined) {
        const ending = await this.cancel();
        if (ending !== undefined) return ending;
      }
      if (stumble !== undefined && !this.known.stumbleSettled) {
        if (!(await this.undoOwn(stumble.item))) continue;
        const { reason } = this.known;
        this.know({ stumbleSettled: true, reason: reason === '' ? stumble.why : `${reason}. ${stumble.why}` });
        const ending = await this.byPolicy(stumble);
        if (ending !== undefined) return ending;
      }
      // What was lost has been mended, and nothing else happened.
      const next = this.known.reason === '' && stumble === undefined ? 'again' : await this.hold();
      if (next === 'overruled') continue;
      if (next === 'again') this.forget();
      return next;
    }
  }

  /** Before the body runs again: after an escape, or where steps were undone, everything since then is repeated. */
  private forget(): void {
    const { state } = this.run;
    const undone = state.items.findIndex((i) => i.state === 'undone' || i.state === 'skipped');
    const last = state.escapes.at(-1);
    const repeats = [
      undone === -1 ? Infinity : undone,
      this.known.escaped && last !== undefined ? last.repeatFrom : Infinity,
    ];
    const from = Math.min(...repeats);
    if (from !== Infinity) this.run.dispatch({ type: 'repeat-from', item: from });
    this.run.dispatch({ type: 'recovered' });
    const { escapeFailed, escapedByItself } = this.known;
    this.know({ ...noRecovery, escapeFailed, escapedByItself });
  }

  // ---- escape --------------------------------------------------------------------------------------------------------

  private async escape(): Promise<void> {
    const { run } = this;
    const { regression, switchBack } = run.state.requests;
    const target = run.switchBackTarget();
    const item =
      run.watches.item('watch') ??
      Math.max(
        0,
        run.state.items.findIndex((i) => i.state !== 'done'),
      );
    const why =
      regression === undefined ? `${switchBack?.by} said: ${switchBack?.reason}` : `regression: ${regression.why}`;
    this.know({ reason: why });
    run.dispatch({ type: 'request-met', request: regression === undefined ? 'switchBack' : 'regression' });
    if (regression !== undefined && this.known.escapedByItself) {
      this.know({
        reason: `${why}. Traffic was moved away by itself once in this run already, so this time a person decides (switchBack moves it)`,
      });
      return;
    }
    if (typeof target === 'string') {
      this.know({ reason: `${why}; ${target}` });
      return;
    }
    if (regression !== undefined) this.know({ escapedByItself: true });
    run.dispatch({ type: 'escape-started', why, at: run.now(), repeatFrom: lastGate(run.state, item) + 1 });
    const performed = await run.perform(target, 'act', item, 'escape');
    // One outcome only: an escape is never cut.
    if (performed.kind === 'failed') {
      run.dispatch({ type: 'escape-ended', at: run.now(), failure: performed.failure });
      this.know({ escapeFailed: true, reason: `${why}. Moving traffic away FAILED: ${performed.failure.message}` });
      return;
    }
    run.dispatch({
      type: 'escape-ended',
      at: run.now(),
      ...(performed.kind === 'done' ? { result: performed.value } : {}),
    });
    const summary = performed.kind === 'done' ? summaryOf(performed.value) : undefined;
    this.know({
      escaped: true,
      escapeFailed: false,
      reason: `${why}. Traffic has been moved away${summary === undefined ? '' : `: ${summary}`}`,
    });
    run.watches.end('watch');
    run.dispatch({ type: 'switch-back-means', means: 'traffic has been moved back already' });
  }

  // ---- remedy --------------------------------------------------------------------------------------------------------

  /** Mends what a guard found lost, at once; people are asked only if that isn't enough. */
  private async mend(lost: NonNullable<Requests['lost']>): Promise<void> {
    const { run } = this;
    const { guard, why, at } = lost;
    run.dispatch({ type: 'request-met', request: 'lost' });
    this.know({ unmended: null });
    const { remedy } = run.watches;
    // It ended in the meantime: what it looked after doesn't matter any more.
    if (remedy === undefined) return;
    run.dispatch({ type: 'phase', phase: 'mending' });
    const performed = await run.perform(remedy, 'act', guard, 'remedy');
    const result = performed.kind === 'done' ? performed.value : undefined;
    const failure = performed.kind === 'failed' ? performed.failure : undefined;
    run.dispatch({
      type: 'remedied',
      remedy: {
        why,
        at,
        ...(result === undefined ? {} : { result }),
        ...(failure === undefined ? {} : { failure }),
      },
    });
    const { attention, onlyTells } = (result ?? {}) as Partial<Remedied>;
    const times = run.state.remedyCount;
    // One that can't be mended would be found lost again at once, and nobody could answer.
    if (failure === undefined) run.watches.resume('guard');
    const say = (more: string): void => {
      const { reason } = this.known;
      const now = `${why}. ${more}`;
      if (reason === '') this.know({ reason: now });
      else this.know({ reason: onlyTells === true ? `${now}. Before that: ${reason}` : `${reason}. ${now}` });
    };
    if (failure !== undefined) this.know({ unmended: lost });
    if (failure !== undefined) say(`Mending it FAILED: ${failure.message}`);
    else if (attention !== undefined) say(attention);
    else if (times > MENDED_BY_ITSELF)
      say(`It has been mended, ${times} times in this run by now: find out why it happens`);
  }

  // ---- cancel --------------------------------------------------------------------------------------------------------

  private async cancel(): Promise<Ending | undefined> {
    const { run } = this;
    run.dispatch({ type: 'cancel-spent' });
    if (run.state.noReturnBehind) {
      this.know({
        reason:
          'cancel was asked for, but the point of no return is behind: the upgrade can only be finished, or stopped as it stands',
      });
      return undefined;
    }
    this.know({ cancelling: true });
    return this.ended(await this.rollBack(-1));
  }

  // ---- undo ----------------------------------------------------------------------------------------------------------

  /** The undo of a half-done step; false if it was overruled by a regression and must be looked at again. */
  private async undoOwn(item: number): Promise<boolean> {
    const { run } = this;
    const entry = run.state.items[item];
    if (entry?.before === undefined || run.state.noReturnBehind || entry.state === 'done') return true;
    const { options } = run.actionOf(item);
    if (options.stay === true || options.keep !== undefined) return true;
    run.dispatch({ type: 'phase', phase: 'undoing-step' });
    for (;;) {
      const outcome = this.isAsked(item) ? 'failed' : await this.undoItem(item, 'own-undo');
      if (outcome === 'cut') return false;
      if (outcome === 'undone') return true;
      const choice = await this.askAboutUndo(item, () => this.overruled());
      if (choice === undefined) return false;
      if (choice === 'retry') continue;
      if (choice === 'skip') run.dispatch({ type: 'undo-skipped', item });
      return true;
    }
  }

  private async undoItem(item: number, role: 'own-undo' | 'undo'): Promise<'undone' | 'failed' | 'cut'> {
    const { run } = this;
    run.dispatch({ type: 'undoing', item });
    const performed = await run.perform(run.actionOf(item).action, 'undo', item, role);
    if (performed.kind === 'cut') return 'cut';
    if (performed.kind === 'failed') {
      run.dispatch({ type: 'undo-failed', item, at: run.now(), failure: performed.failure });
      return 'failed';
    }
    run.dispatch({ type: 'undone', item, at: run.now(), result: performed.value });
    return 'undone';
  }

  private ended(rolledBack: RolledBack): Ending | undefined {
    if (rolledBack === 'done') return this.known.cancelling ? 'Cancelled' : 'RolledBack';
    return rolledBack === 'stopped' ? 'Stopped' : undefined;
  }

  /** Undoes everything after `floor`, the last step first. */
  private async rollBack(to: number): Promise<RolledBack> {
    const { run } = this;
    const cancelAsked = (): boolean => run.state.requests.cancel !== undefined && !run.state.noReturnBehind;
    const over = (rolledBack: RolledBack): RolledBack => {
      this.know({ rollBack: null });
      return rolledBack;
    };
    let floor = to;
    this.know({ rollBack: { floor } });
    for (;;) {
      if (cancelAsked()) {
        run.dispatch({ type: 'cancel-spent' });
        floor = -1;
        this.know({ cancelling: true, rollBack: { floor } });
      }
      run.watches.endAfter(floor);
      run.dispatch({ type: 'phase', phase: 'rolling-back' });
      const resting = run.restsForNextLink();
      if (resting !== false) await resting;
      // After a reset more may have to be undone than this run remembers.
      if (run.core === 2) await run.verified();
      const [item] = undoable(run.state, floor);
      if (item === undefined) return over('done');
      if (!this.isAsked(item) && (await this.undoItem(item, 'undo')) === 'undone') continue;
      const choice = await this.askAboutUndo(item, cancelAsked);
      if (choice === undefined || choice === 'retry') continue;
      if (choice === 'stop') return over('stopped');
      run.dispatch({ type: 'undo-skipped', item });
      const rest = undoable(run.state, floor).map((i) => run.state.items[i]?.item.name);
      this.know({
        reason: `the undo of "${run.state.items[item]?.item.name}" was skipped; still to be undone: ${rest.join(', ') || 'nothing'}`,
      });
      return over('skipped');
    }
  }

  /** Its undo failed, and people are asked about that already: in the link before this one. */
  private isAsked(item: number): boolean {
    const { state } = this.run;
    return state.items[item]?.state === 'undo-failed' && openOpenings(state).some((o) => o.kind === 'hold');
  }

  private async askAboutUndo(item: number, dropped: () => boolean): Promise<string | undefined> {
    const entry = this.run.state.items[item];
    const question = `Undoing "${entry?.item.name}" failed: ${entry?.failure?.message ?? 'no reason given'}. Try again, skip it (say why in the comment), or stop as it stands?`;
    return (await this.ask(question, ['retry', 'skip', 'stop'], dropped))?.choice;
  }

  // ---- questions -----------------------------------------------------------------------------------------------------

  /** A gate's policy may say by itself what a rejection or an expiry leads to. */
  private async byPolicy(stumble: { readonly item: number; readonly kind: string }): Promise<Ending | undefined> {
    const { run } = this;
    const policy: GatePolicy | undefined = run.plan.policy.gates[run.state.items[stumble.item]?.item.name ?? ''];
    const what =
      stumble.kind === 'rejected' ? policy?.onReject : stumble.kind === 'expired' ? policy?.onExpiry : 'hold';
    if (what === 'stop') return 'Stopped';
    if (what === 'roll-back' && !run.state.noReturnBehind) return this.ended(await this.rollBack(savepoint(run.state)));
    return undefined;
  }

  private async hold(): Promise<'again' | 'overruled' | Ending> {
    const { run } = this;
    const { escaped, escapeFailed, reason } = this.known;
    const forward = escapeFailed ? 'escape-again' : 'retry';
    const { stumble } = run.state;
    const plain = stumble === undefined || escaped || escapeFailed ? undefined : stumble.item;
    const goOn = plain === undefined ? undefined : run.goOnMeans(plain);
    const waivable = plain === undefined ? undefined : run.waivableOf(plain);
    const choices = [
      forward,
      ...(goOn === undefined ? [] : ['go-on']),
      ...(waivable === undefined ? [] : ['waive']),
      ...(run.state.noReturnBehind ? [] : ['roll-back']),
      'stop',
    ];
    const outcome = await this.ask(
      `${reason}. What now?${goOn === undefined ? '' : ` To go on means: ${goOn}.`}${waivable === undefined ? '' : ` May be waived, by name and with a reason: ${waivable.join(', ')}.`}`,
      choices,
      () => this.overruled(),
      waivable,
    );
    if (outcome === undefined) return 'overruled';
    switch (outcome.choice) {
      case 'retry': {
        const { unmended } = this.known;
        if (unmended === null) return 'again';
        this.know({ reason: '' });
        await this.mend(unmended);
        return this.known.reason === '' ? 'again' : 'overruled';
      }
      case 'go-on':
        run.dispatch({
          type: 'item-done',
          item: stumble?.item ?? -1,
          at: run.now(),
          result: { summary: `gone on all the same, as ${outcome.by.join(', ')} said: ${stumble?.why}` },
        });
        return 'again';
      case 'waive': {
        const waived: Waived = {
          summary: `waived by ${outcome.by.join(', ')}: ${waivable?.join(', ')} (${outcome.comment})`,
          waived: waivable ?? [],
          by: outcome.by,
          reason: outcome.comment ?? '',
        };
        run.dispatch({ type: 'item-done', item: stumble?.item ?? -1, at: run.now(), result: waived });
        return 'again';
      }
      case 'escape-again':
        run.dispatch({
          type: 'requested',
          requests: { switchBack: { by: outcome.by.join(', '), reason: 'move traffic away again', at: run.now() } },
        });
        return 'overruled';
      case 'roll-back': {
        const floor = outcome.to === 'start' ? -1 : savepoint(run.state);
        return this.ended(await this.rollBack(floor)) ?? 'overruled';
      }
      default:
        return 'Stopped';
    }
  }

  private overruled(): boolean {
    return Object.keys(this.run.state.requests).length > 0;
  }

  private async ask(
    question: string,
    choices: readonly string[],
    dropped: () => boolean,
    waivable?: readonly string[],
  ): Promise<Opening['outcome']> {
    const { holds } = this.run.plan.policy;
    this.run.dispatch({ type: 'phase', phase: 'held' });
    return this.run.ask(
      {
        ask: 'hold',
        kind: 'hold',
        question,
        choices,
        needed: holds.count ?? 1,
        notRequester: holds.notRequester === true,
        ...(holds.from === undefined ? {} : { from: holds.from }),
        ...(waivable === undefined ? {} : { waivable }),
      },
      dropped,
    );
  }
}
