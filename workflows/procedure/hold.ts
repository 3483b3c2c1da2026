/** A run on hold: people decide what happens next. */
import type { Run } from './run';
import type { Opening } from './state';
import type { PlanBase } from './types';

/** Something came that is dealt with before people are asked, or instead. */
export const isOverruled = ({ state }: Pick<Run<PlanBase>, 'state'>): boolean => Object.keys(state.requests).length > 0;

/** Asks whom the policy lets decide; undefined if `dropped` came first. `waivable`: faults that may be waived by name. */
export async function askHold<P extends PlanBase>(
  run: Run<P>,
  question: string,
  choices: readonly string[],
  dropped: () => boolean,
  waivable?: readonly string[],
): Promise<Opening['outcome']> {
  const { holds } = run.plan.policy;
  run.dispatch({ type: 'phase', phase: 'held' });
  return run.questions.ask(
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
