/** Taking back what steps did: a half-done step by itself, or all after a gate, the last one first. */
import { askHold, isOverruled } from './hold';
import { actionOf } from './known';
import type { Run } from './run';
import { openOpenings, undoable } from './state';
import type { PlanBase } from './types';

/** `stopped`: as people said, when an undo failed; `skipped`: they said to leave that one, and are asked again what next. */
export type RolledBack = 'done' | 'stopped' | 'skipped';

/** The undo of a half-done step; false if it was overruled by a regression and must be looked at again. */
export async function undoOwn<P extends PlanBase>(run: Run<P>, item: number): Promise<boolean> {
  const entry = run.state.items[item];
  if (entry?.before === undefined || run.state.noReturnBehind || entry.state === 'done') return true;
  const { options } = actionOf(run.state, item);
  if (options.stay === true || options.keep !== undefined) return true;
  run.dispatch({ type: 'phase', phase: 'undoing-step' });
  for (;;) {
    const outcome = isAsked(run, item) ? 'failed' : await undoItem(run, item, 'own-undo');
    if (outcome === 'cut') return false;
    if (outcome === 'undone') return true;
    const choice = await askAboutUndo(run, item, () => isOverruled(run));
    if (choice === undefined) return false;
    if (choice === 'retry') continue;
    if (choice === 'skip') run.dispatch({ type: 'undo-skipped', item });
    return true;
  }
}

async function undoItem<P extends PlanBase>(
  run: Run<P>,
  item: number,
  role: 'own-undo' | 'undo',
): Promise<'undone' | 'failed' | 'cut'> {
  run.dispatch({ type: 'undoing', item });
  const performed = await run.calls.perform(actionOf(run.state, item).action, 'undo', item, role);
  if (performed.kind === 'cut') return 'cut';
  if (performed.kind === 'failed') {
    run.dispatch({ type: 'undo-failed', item, at: run.now(), failure: performed.failure });
    return 'failed';
  }
  run.dispatch({ type: 'undone', item, at: run.now(), result: performed.value });
  return 'undone';
}

/** Undoes everything after `floor`, the last step first. */
export async function rollBack<P extends PlanBase>(run: Run<P>, to: number): Promise<RolledBack> {
  const cancelAsked = (): boolean => run.state.requests.cancel !== undefined && !run.state.noReturnBehind;
  const over = (rolledBack: RolledBack): RolledBack => {
    run.know({ rollBack: null });
    return rolledBack;
  };
  let floor = to;
  run.know({ rollBack: { floor } });
  for (;;) {
    if (cancelAsked()) {
      run.dispatch({ type: 'cancel-spent' });
      floor = -1;
      run.know({ cancelling: true, rollBack: { floor } });
    }
    run.watches.endAfter(floor);
    run.dispatch({ type: 'phase', phase: 'rolling-back' });
    const resting = run.links.restForNext();
    if (resting !== false) await resting;
    // After a reset more may have to be undone than this run remembers.
    if (run.core === 2) await run.resets.verified();
    const [item] = undoable(run.state, floor);
    if (item === undefined) return over('done');
    if (!isAsked(run, item) && (await undoItem(run, item, 'undo')) === 'undone') continue;
    const choice = await askAboutUndo(run, item, cancelAsked);
    if (choice === undefined || choice === 'retry') continue;
    if (choice === 'stop') return over('stopped');
    run.dispatch({ type: 'undo-skipped', item });
    const rest = undoable(run.state, floor).map((i) => run.state.items[i]?.item.name);
    run.know({
      reason: `the undo of "${run.state.items[item]?.item.name}" was skipped; still to be undone: ${rest.join(', ') || 'nothing'}`,
    });
    return over('skipped');
  }
}

/** Its undo failed, and people are asked about that already: in the link before this one. */
function isAsked({ state }: Pick<Run<PlanBase>, 'state'>, item: number): boolean {
  return state.items[item]?.state === 'undo-failed' && openOpenings(state).some((o) => o.kind === 'hold');
}

async function askAboutUndo<P extends PlanBase>(
  run: Run<P>,
  item: number,
  dropped: () => boolean,
): Promise<string | undefined> {
  const entry = run.state.items[item];
  const question = `Undoing "${entry?.item.name}" failed: ${entry?.failure?.message ?? 'no reason given'}. Try again, skip it (say why in the comment), or stop as it stands?`;
  return (await askHold(run, question, ['retry', 'skip', 'stop'], dropped))?.choice;
}
