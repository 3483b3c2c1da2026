/** What is otherwise about a run that goes on with the plan of one that was ended half-way. Pure. */
import { takenOverNotes, type State } from './state';
import type { CheckOptions, PlanBase } from './types';

/**
 * Options of a check that a pair or cluster is as it was before the upgrade: what the ended run has changed isn't, and people
 * read what that is, and say whether to go on or to roll back.
 */
export const whereItWasLeft = ({ resumedFrom }: PlanBase): CheckOptions =>
  resumedFrom === undefined
    ? {}
    : {
        goOn: {
          on: 'NotReady',
          means: 'the steps are taken again from the first one on, and what is as wanted already is left as it is',
        },
      };

/** Before a hold's reason, as before a gate's question: what an answer goes on from. */
export const resumedNotes = (state: State, plan: PlanBase): readonly string[] =>
  plan.resumedFrom === undefined ? [] : takenOverNotes(state, state.items.length, plan.resumedFrom);
