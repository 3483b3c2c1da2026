/** What a guard found lost is put right: its remedy runs at once. */
import type { Run } from './run';
import type { Requests } from './state';
import type { PlanBase, Remedied } from './types';

/** How often a run goes on by itself after something was mended; from then on people are asked each time. */
const MENDED_BY_ITSELF = 2;

/** Mends what a guard found lost, at once; people are asked only if that isn't enough. */
export async function mend<P extends PlanBase>(run: Run<P>, lost: NonNullable<Requests['lost']>): Promise<void> {
  const { guard, why, at } = lost;
  run.dispatch({ type: 'request-met', request: 'lost' });
  run.know({ unmended: null });
  const { remedy } = run.watches;
  // It ended in the meantime: what it looked after doesn't matter any more.
  if (remedy === undefined) return;
  run.dispatch({ type: 'phase', phase: 'mending' });
  const performed = await run.calls.perform(remedy, 'act', guard, 'remedy');
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
    const { reason } = run.state.recovery;
    const now = `${why}. ${more}`;
    if (reason === '') run.know({ reason: now });
    else run.know({ reason: onlyTells === true ? `${now}. Before that: ${reason}` : `${reason}. ${now}` });
  };
  if (failure !== undefined) run.know({ unmended: lost });
  if (failure !== undefined) say(`Mending it FAILED: ${failure.message}`);
  else if (attention !== undefined) say(attention);
  else if (times > MENDED_BY_ITSELF)
    say(`It has been mended, ${times} times in this run by now: find out why it happens`);
}
