/** What may be answered to a question: what each choice does, and the message that says it. Pure. */
import { NAME_TO_WRITE } from './people';
import type { ChoiceView } from '../contract';
import { DIGEST_CHARS } from './asks';
import { quoted } from './phrases';
import { REGRESSION, standingEscape } from './sentences';
import { savepoint, undoable, type Opening, type State } from './state';
import type { PlanBase } from './types';

/** Placeholders: whoever copies a message writes over them. */
const WHY = 'why';

/** Every choice on its own, so that nobody sends one by not looking: none is the default. */
export function choicesOf(state: State, opening: Opening, { policy }: Pick<PlanBase, 'policy'>): ChoiceView[] {
  const { id, kind, choices } = opening;
  const named = { opening: id, digest: opening.digest.slice(0, DIGEST_CHARS), by: NAME_TO_WRITE };
  const needed = opening.needed > 1 ? `; ${opening.needed} different people must say so` : '';
  if (kind === 'pause')
    return [{ choice: 'resume', signal: 'resume', means: 'goes on', message: { by: NAME_TO_WRITE, reason: WHY } }];
  if (kind === 'gate') {
    const gate = id.slice(0, id.lastIndexOf('#'));
    return choices.map((choice): ChoiceView => {
      if (choice === 'approve')
        return { choice, signal: 'approve', means: `${approveMeans(state)}${needed}`, message: named };
      const means = rejectMeans(state, policy.gates[gate]?.onReject ?? 'hold');
      return { choice, signal: 'reject', means: `${means}; one is enough`, message: { ...named, comment: WHY } };
    });
  }
  return inOrder(state, choices).flatMap((choice) => {
    const view = (means: string, more: object = {}): ChoiceView => ({
      choice,
      signal: 'decide',
      means: `${means}${needed}`,
      message: { ...named, choice, ...more },
    });
    switch (choice) {
      case 'retry':
        return [view(retryMeans(state, opening))];
      case 'escape-again':
        return [view('tries again to move traffic away')];
      case 'skip':
        return [view('leaves it as it is, NOT undone; people are asked what now; say why', { comment: WHY })];
      case 'go-on':
        return [view('counts the check as passed and goes on')];
      case 'waive':
        return [
          view(`waives ${opening.waivable?.length ?? 0} faults by name and goes on; say why`, {
            waive: opening.waivable ?? [],
            comment: WHY,
          }),
        ];
      case 'done':
        return [view('says that it is done: it is looked at again')];
      case 'hold':
        return [view('doesn’t wait for it: people are asked what now')];
      case 'roll-back':
        return rollBacks(state).map(({ to, means }) => ({
          ...view(means, to === undefined ? {} : { to }),
          ...(to === undefined ? {} : { to }),
        }));
      case 'stop':
        return [view('ends the run as it stands: nothing is undone, nothing more is done')];
      default:
        return [view('')];
    }
  });
}

/** What sends traffic again to where it has just failed is the last thing that a tired person should meet. */
const inOrder = (state: State, choices: readonly string[]): readonly string[] =>
  standingEscape(state)?.state === 'done' && choices.includes('retry')
    ? [...choices.filter((choice) => choice !== 'retry'), 'retry']
    : choices;

function approveMeans({ items }: State): string {
  const gate = items.findLastIndex(({ item, state }) => item.kind === 'gate' && state === 'running');
  const next = items.slice(gate + 1).find(({ item: { kind }, state }) => kind === 'step' && state !== 'done');
  return next === undefined ? 'goes on' : `goes on; the next change is ${quoted(next)}`;
}

function rejectMeans(state: State, onReject: 'hold' | 'roll-back' | 'stop'): string {
  if (onReject === 'stop') return 'ends the run as it stands: nothing is undone';
  if (onReject === 'roll-back' && !state.noReturnBehind) return rollBacks(state)[0]?.means ?? 'rolls back';
  return 'changes nothing yet: people are asked what now';
}

function retryMeans(state: State, { choices }: Opening): string {
  const { items, stumble } = state;
  if (choices.includes('skip')) {
    const failed = items.find((i) => i.state === 'undo-failed');
    return failed === undefined ? 'tries the undo again' : `tries again to undo ${quoted(failed)}`;
  }
  const undone = items.findIndex((i) => i.state === 'undone' || i.state === 'skipped');
  const escape = standingEscape(state);
  const repeats = [undone, escape?.state === 'done' ? escape.repeatFrom : -1].filter((index) => index >= 0);
  const from = repeats.length === 0 ? stumble?.item : Math.min(...repeats);
  const again = items
    .slice(from ?? items.length)
    .find(({ item: { kind } }) => kind === 'step' || kind === 'check' || kind === 'gate');
  if (escape?.state === 'done' && again !== undefined) {
    const where = escape.why.startsWith(REGRESSION) ? ' to what has just failed' : ' again';
    return `does it all again from ${quoted(again)} on: TRAFFIC MOVES${where}`;
  }
  if (again !== undefined)
    return again.item.kind === 'gate' ? `asks ${quoted(again)} again` : `tries ${quoted(again)} again`;
  return state.remedies.at(-1)?.failure === undefined ? 'goes on where it was' : 'tries again to put it right';
}

/** By default to the last gate passed; to the start where that is more. */
function rollBacks(state: State): { readonly to?: 'start'; readonly means: string }[] {
  const floor = savepoint(state);
  const [some, all] = [undoable(state, floor), undoable(state, -1)];
  const gate = state.items[floor];
  const toGate = gate === undefined ? 'to the start' : `to gate ${gate.item.name}`;
  const means = (indexes: readonly number[], where: string): string => {
    const [first] = indexes;
    const last = indexes.at(-1);
    const names = [first, last]
      .flatMap((i) => (i === undefined ? [] : [state.items[i]]))
      .filter((i) => i !== undefined);
    const [a, b] = names.map(quoted);
    if (a === undefined) return 'undoes nothing, as nothing was changed, and ends the run';
    const what = indexes.length === 1 || b === undefined ? a : `${indexes.length} steps, from ${a} to ${b}`;
    return `undoes ${what}, back ${where}, and ends the run`;
  };
  if (some.length === all.length) return [{ means: means(all, 'to the start') }];
  return [{ means: means(some, toGate) }, { to: 'start', means: means(all, 'to the start') }];
}
