/**
 * What happens after a pass of the body was dropped: escape (escape.ts), remedy (mend.ts), cancel, the undo of a half-done step
 * and rollback (undo.ts), questions to people. Returns 'again' when the body is to be run once more, or how the run ends.
 */
import type { Ending } from '../contract';
import { escape } from './escape';
import { askHold, isOverruled } from './hold';
import { noRecovery } from './initial-state';
import { goOnMeans, waivableOf } from './known';
import { mend } from './mend';
import type { Run } from './run';
import { resumedNotes } from './resumed';
import { savepoint, type RecoveryState } from './state';
import type { GatePolicy, PlanBase, Waived } from './types';
import { rollBack, undoOwn, type RolledBack } from './undo';

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

  async recover(): Promise<'again' | Ending> {
    const { run } = this;
    const { rollBack: left } = this.known;
    if (left !== null) {
      // It was under way when the link before this one ended.
      const ending = this.ended(await rollBack(run, left.floor));
      if (ending !== undefined) return ending;
    }
    for (;;) {
      run.rethrow();
      const { requests, stumble } = run.state;
      if (requests.regression !== undefined || requests.switchBack !== undefined) {
        await escape(run);
        continue;
      }
      if (requests.lost !== undefined) {
        await mend(run, requests.lost);
        continue;
      }
      if (requests.cancel !== undefined) {
        const ending = await this.cancel();
        if (ending !== undefined) return ending;
      }
      if (stumble !== undefined && !this.known.stumbleSettled) {
        if (!(await undoOwn(run, stumble.item))) continue;
        const { reason } = this.known;
        run.know({ stumbleSettled: true, reason: reason === '' ? stumble.why : `${reason}. ${stumble.why}` });
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
    this.run.know({ ...noRecovery, escapeFailed, escapedByItself });
  }

  private async cancel(): Promise<Ending | undefined> {
    const { run } = this;
    run.dispatch({ type: 'cancel-spent' });
    if (run.state.noReturnBehind) {
      run.know({
        reason:
          'cancel was asked for, but the point of no return is behind: the upgrade can only be finished, or stopped as it stands',
      });
      return undefined;
    }
    run.know({ cancelling: true });
    return this.ended(await rollBack(run, -1));
  }

  private ended(rolledBack: RolledBack): Ending | undefined {
    if (rolledBack === 'done') return this.known.cancelling ? 'Cancelled' : 'RolledBack';
    return rolledBack === 'stopped' ? 'Stopped' : undefined;
  }

  /** A gate's policy may say by itself what a rejection or an expiry leads to. */
  private async byPolicy(stumble: { readonly item: number; readonly kind: string }): Promise<Ending | undefined> {
    const { run } = this;
    const policy: GatePolicy | undefined = run.plan.policy.gates[run.state.items[stumble.item]?.item.name ?? ''];
    const what =
      stumble.kind === 'rejected' ? policy?.onReject : stumble.kind === 'expired' ? policy?.onExpiry : 'hold';
    if (what === 'stop') return 'Stopped';
    if (what === 'roll-back' && !run.state.noReturnBehind) return this.ended(await rollBack(run, savepoint(run.state)));
    return undefined;
  }

  private async hold(): Promise<'again' | 'overruled' | Ending> {
    const { run } = this;
    const { escaped, escapeFailed, reason } = this.known;
    const forward = escapeFailed ? 'escape-again' : 'retry';
    const { stumble } = run.state;
    const plain = stumble === undefined || escaped || escapeFailed ? undefined : stumble.item;
    const goOn = plain === undefined ? undefined : goOnMeans(run.state, plain);
    const waivable = plain === undefined ? undefined : waivableOf(run.state, plain);
    const choices = [
      forward,
      ...(goOn === undefined ? [] : ['go-on']),
      ...(waivable === undefined ? [] : ['waive']),
      ...(run.state.noReturnBehind ? [] : ['roll-back']),
      'stop',
    ];
    const outcome = await askHold(
      run,
      `${[...resumedNotes(run.state, run.plan), reason].join(' ')}. What now?${goOn === undefined ? '' : ` To go on means: ${goOn}.`}${waivable === undefined ? '' : ` May be waived, by name and with a reason: ${waivable.join(', ')}.`}`,
      choices,
      () => isOverruled(run),
      waivable,
    );
    if (outcome === undefined) return 'overruled';
    switch (outcome.choice) {
      case 'retry': {
        const { unmended } = this.known;
        if (unmended === null) return 'again';
        run.know({ reason: '' });
        await mend(run, unmended);
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
        return this.ended(await rollBack(run, floor)) ?? 'overruled';
      }
      default:
        return 'Stopped';
    }
  }
}
