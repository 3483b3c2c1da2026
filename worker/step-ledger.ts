/** Where steps stand, told from the notes of one run or of several that hang together. Pure. */
import { bytesOf, type Before, type Carried, type PlanName } from './carried-steps';
import type { Note, Scheduled } from './history-notes';

/** All *befores* together, bytes of JSON: an answer to the workflow must stay well below 2 MB. */
const TOTAL_LIMIT_BYTES = 1024 * 1024;

/** Where a step stands at the end of what was told. */
export interface StepTrace {
  /** Index in the list of the plan; left out for an escape or a remedy, which stand beside the list. */
  readonly item?: number;
  /** `07-upgrade-the-primary`, `12-escape`. */
  readonly step: string;
  /** Family of its activity, as `routing.prefer`. */
  readonly action: string;
  /** What was there before it first acted, as its observe returned it. */
  readonly before?: unknown;
  /** The before is too large to be handed on: it is in the history alone. */
  readonly tooLarge?: true;
  readonly observed: boolean;
  /** An act was sent; what it did is unknown unless devices say so. */
  readonly acted: boolean;
  /** Undone since, successfully. */
  readonly undone: boolean;
}

/** Notes of each run by its ID, or why they can't be had. */
export type Histories = ReadonlyMap<string, readonly Note[] | { readonly missing: string }>;

interface Entry {
  readonly step: string;
  action: string;
  before: Before | undefined;
  observed: boolean;
  acted: boolean;
  undone: boolean;
  /** A part that was thrown away did something with it. */
  touched: boolean;
  /** An earlier run left it behind, and this one hasn’t done anything with it. */
  left: boolean;
}
/** Where steps stand, after what has been told so far; in the order in which it happened. */
export class Ledger {
  lastCall = 0;
  plan: PlanName | undefined;
  /** What can't be told. */
  readonly doubts: string[] = [];
  /** IDs under which steps acted on hosts: of the run itself before core-2, of its first one since. */
  readonly owners = new Set<string>();
  /** Terminated runs whose *befores* were carried. */
  readonly adopted = new Set<string>();
  private readonly entries = new Map<string, Entry>();
  private readonly toldResets = new Set<string>();

  constructor(private readonly histories: Histories) {}

  /**
   * Tells a run from event `from` on; `calls` are those that it was waiting for there. `lost` says that it was thrown away;
   * `lostFrom` that what the resets from this event on threw away is what is asked for; `linked` that the run before it in
   * the chain has been told.
   */
  tell(
    runId: string,
    how: { readonly lost: boolean; readonly lostFrom?: number; readonly linked?: true },
    from = 0,
    calls = new Map<number, Scheduled>(),
  ): void {
    const notes = this.histories.get(runId) ?? { missing: 'it wasn’t read' };
    if ('missing' in notes) {
      if (how.lost) this.doubts.push(`the history of run ${runId} can’t be read: ${notes.missing}`);
      return;
    }
    for (const note of notes) {
      if (note.id < from) continue;
      switch (note.kind) {
        case 'started':
          if (how.linked) break;
          if (note.carried !== undefined) this.carry(note.carried, how.lost);
          else if (note.continued && how.lost) this.doubts.push(`what run ${runId} was continued with can’t be read`);
          break;
        case 'call':
          calls.set(note.id, note);
          this.called(note, how.lost, runId);
          break;
        case 'answered':
          if (note.left !== undefined) this.carry(note.left, how.lost, true);
          this.answered(calls.get(note.call), note.before, how.lost);
          break;
        case 'unreadable':
          if (how.lost)
            this.doubts.push(`${note.what} in run ${runId} can’t be read (event ${note.id}): is it encrypted?`);
          break;
        case 'reset': {
          const key = `${note.base} ${note.id}`;
          if (this.toldResets.has(key)) break;
          this.toldResets.add(key);
          this.tell(note.base, { lost: how.lost || note.id >= (how.lostFrom ?? Infinity) }, note.id, new Map(calls));
          break;
        }
        case 'ended':
          if (note.next) this.tell(note.next, { ...how, linked: true });
          break;
        default:
      }
    }
  }

  carry({ steps, adopted, plan }: Carried, lost: boolean, left = false): void {
    this.plan ??= plan;
    for (const id of adopted) this.adopted.add(id);
    for (const { step, action, before, acted, undone } of steps) {
      const entry = this.entry(step, action, lost);
      if (entry.observed || entry.acted || entry.undone) continue;
      Object.assign(entry, { before, observed: before !== undefined, acted, undone, left });
    }
  }

  private called(call: Scheduled, lost: boolean, runId: string): void {
    this.lastCall = Math.max(this.lastCall, call.number);
    this.plan ??= call.plan;
    if (call.verb !== 'act' && call.verb !== 'undo') return;
    this.owners.add(call.firstRunId ?? runId);
    const entry = this.entry(call.step, call.action, lost);
    // With a before that another run found, if it hasn't looked itself.
    entry.left = false;
    if (call.verb === 'act') Object.assign(entry, { acted: true, undone: false });
  }

  private answered(call: Scheduled | undefined, before: Before | undefined, lost: boolean): void {
    if (call?.verb !== 'observe' && call?.verb !== 'undo') return;
    const entry = this.entry(call.step, call.action, lost);
    if (call.verb === 'undo') {
      entry.undone = true;
      entry.before = undefined;
    } else if (entry.undone || entry.left || !entry.observed) {
      // The first one counts until the step has been undone: a later one may have found the step's own work.
      const acted = entry.acted && !entry.undone && !entry.left;
      Object.assign(entry, { before, observed: true, acted, undone: false, left: false });
    }
  }

  private entry(step: string, action: string, lost: boolean): Entry {
    let entry = this.entries.get(step);
    if (entry === undefined) {
      entry = {
        step,
        action,
        before: undefined,
        observed: false,
        acted: false,
        undone: false,
        touched: false,
        left: false,
      };
      this.entries.set(step, entry);
    }
    entry.touched ||= lost;
    return entry;
  }

  /** Something that an earlier run left behind is still there. */
  get hasLeftovers(): boolean {
    return [...this.entries.values()].some(({ left }) => left);
  }

  traces(): StepTrace[] {
    let left = TOTAL_LIMIT_BYTES;
    return [...this.entries.values()]
      .filter((entry) => entry.touched)
      .map(({ step, action, before, observed, acted, undone }) => {
        const item = itemOf(step);
        const bytes = before !== undefined && 'value' in before ? bytesOf(before.value) : 0;
        const fits = bytes <= left;
        if (fits) left -= bytes;
        return {
          ...(item === undefined ? {} : { item }),
          step,
          action,
          ...(before === undefined
            ? {}
            : 'value' in before && fits
              ? { before: before.value }
              : { tooLarge: true as const }),
          observed,
          acted,
          undone,
        };
      });
  }
}

/** Index that the key of a step begins with. */
function itemOf(step: string): number | undefined {
  const [, number, name = ''] = /^(\d+)-(.*)$/.exec(step) ?? [];
  return number === undefined || beside.includes(name) ? undefined : Number(number) - 1;
}
/** What stands beside the steps: it looks for itself and is never undone. */
const beside = ['escape', 'remedy'];
