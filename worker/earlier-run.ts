/**
 * What a run did on devices before it was reset or terminated, told from histories: a run that goes on after that knows
 * nothing of it, and must not take what it finds then for what was there before the upgrade. Pure.
 *
 * A reset copies the events before the reset point into a new run and throws the rest of the old one away, which keeps it in
 * its own history. Runs that were reset twice, and links of a run that was continued as new, hang together in the same way.
 */
import type { Carried, PlanName } from './carried-steps';
import { notesOf, type Ended, type Ending, type HistoryEvent, type Note, type Reset } from './history-notes';
import { Ledger, type Histories, type StepTrace } from './step-ledger';

export interface AfterReset {
  readonly runId: string;
  /** Highest number of a call that was ever sent: the next one must be higher. */
  readonly lastCall: number;
  /** Steps that the part that was thrown away touched, in the order in which it first did. */
  readonly steps: readonly StepTrace[];
  /** Time of the (last) reset, ISO. */
  readonly resetAt: string;
  readonly reason: string;
  readonly by?: string;
  /** Runs that it had taken over from by then, as hosts know them. */
  readonly adopted: readonly string[];
}

export interface EarlierRun {
  /** Nothing is left over of it: it ended by itself, did nothing, or undid all. Otherwise `steps` says what is. */
  readonly clean: boolean;
  readonly runId: string;
  readonly firstRunId: string;
  /**
   * What owner files on hosts may call this run, and the runs whose *befores* it had taken over in turn, newest first: whoever
   * takes over its own may take their hosts.
   */
  readonly adopted: readonly string[];
  readonly ended: Ending;
  readonly endedAt: string;
  readonly by?: string;
  readonly reason?: string;
  /** What its report says that it ended as. */
  readonly report?: string;
  readonly plan?: PlanName;
  readonly lastCall: number;
  readonly steps: readonly StepTrace[];
}

/** It can't be told what was done; `why` is for people. */
export interface Unknown {
  readonly unknown: true;
  readonly why: string;
}

/** Other runs whose histories are needed to tell that of these notes. */
export const runsNamedIn = (notes: readonly Note[]): string[] =>
  notes.flatMap((note) =>
    note.kind === 'reset' ? [note.base] : note.kind === 'ended' && note.next ? [note.next] : [],
  );

/** Steps as they stand at the end of one history; `carried` is what the run was continued with, if its input doesn't say so. */
export function stepsOf(events: readonly HistoryEvent[], carried?: Carried): StepTrace[] {
  const ledger = new Ledger(new Map([['', notesOf(events)]]));
  if (carried !== undefined) ledger.carry(carried, true);
  ledger.tell('', { lost: true });
  return ledger.traces();
}

/** What a run that was reset has to know; `from` is the run that it took itself for. */
export function tellAfterReset(histories: Histories, runId: string, from: string): AfterReset | Unknown {
  const ledger = new Ledger(histories);
  const notes = histories.get(runId) ?? { missing: 'it wasn’t read' };
  if ('missing' in notes) return { unknown: true, why: `the history of run ${runId} can’t be read: ${notes.missing}` };
  const resets = notes.filter((note) => note.kind === 'reset');
  // Resets up to the one that made `from` are known to the workflow already.
  const known = resets.findIndex(({ now }) => now === from);
  const fresh = resets.slice(known + 1);
  const last = fresh.at(-1);
  if (last === undefined)
    return { unknown: true, why: `run ${runId} isn’t ${from}, and its history shows no reset since` };
  ledger.tell(runId, { lost: false, lostFrom: fresh[0]?.id ?? 0 });
  if (ledger.doubts.length > 0) return { unknown: true, why: ledger.doubts.join('; ') };
  return {
    runId,
    lastCall: ledger.lastCall,
    steps: ledger.traces(),
    resetAt: iso(last.at),
    reason: last.reason,
    ...(last.by === undefined ? {} : { by: last.by }),
    adopted: [...ledger.adopted].slice(0, ADOPTED_LIMIT),
  };
}

/** How the last run before this one ended, and what it left behind. */
export function tellEarlierRun(histories: Histories, runId: string): EarlierRun | Unknown {
  const ledger = new Ledger(histories);
  ledger.tell(runId, { lost: true });
  const notes = histories.get(runId) ?? [];
  const started = 'missing' in notes ? undefined : notes.find((note) => note.kind === 'started');
  const end = 'missing' in notes ? undefined : notes.find((note) => note.kind === 'ended');
  if (started !== undefined && end === undefined) ledger.doubts.push(`run ${runId} has not ended`);
  if (ledger.doubts.length > 0 || started === undefined || end === undefined)
    return { unknown: true, why: ledger.doubts.join('; ') };
  const steps = ledger.traces();
  const hasSaid = (end.how === 'CANCELED' || end.report !== undefined) && !ledger.hasLeftovers;
  return {
    clean: end.how === 'COMPLETED' || hasSaid || steps.every(({ acted, undone }) => undone || !acted),
    runId,
    firstRunId: started.firstRunId,
    adopted: [...new Set([started.firstRunId, ...ledger.owners, ...ledger.adopted])]
      .filter((id) => id !== '')
      .slice(0, ADOPTED_LIMIT),
    ended: end.how,
    endedAt: iso(end.at),
    ...(end.by === undefined ? {} : { by: end.by }),
    ...(end.reason === undefined ? {} : { reason: end.reason }),
    ...(end.report === undefined ? {} : { report: end.report }),
    ...(ledger.plan === undefined ? {} : { plan: ledger.plan }),
    lastCall: ledger.lastCall,
    steps,
  };
}

/**
 * Times in which runs that don't belong to this one may have acted: between the end of a run and its reset. Runs of one
 * workflow ID follow each other, so a run that was open until its reset leaves no such time. `from` as in tellAfterReset.
 */
export function gapsBeforeResets(
  histories: Histories,
  runId: string,
  from?: string,
): { readonly from: number; readonly to: number }[] {
  const notesOfRun = (id: string): readonly Note[] => {
    const notes = histories.get(id) ?? [];
    return 'missing' in notes ? [] : notes;
  };
  const resetsIn = (id: string): (Note & Reset)[] => notesOfRun(id).filter((note) => note.kind === 'reset');
  // A copied part tells of the same reset again: base and event are the same.
  const all = new Map([...histories.keys()].flatMap(resetsIn).map((reset) => [`${reset.base} ${reset.id}`, reset]));
  const own = resetsIn(runId);
  for (const { base, id } of own.slice(0, own.findIndex(({ now }) => now === from) + 1)) all.delete(`${base} ${id}`);
  const lastEnd = (id: string): Ended | undefined => {
    const end = notesOfRun(id).find((note) => note.kind === 'ended');
    return end?.next === undefined ? end : lastEnd(end.next);
  };
  return [...all.values()].flatMap(({ base, at }) => {
    const end = lastEnd(base);
    return end === undefined || end.forReset ? [] : [{ from: end.at, to: at }];
  });
}

/** Each call of the run after this one names them. Hosts of runs that are left out are refused if they aren't as they were. */
const ADOPTED_LIMIT = 16;
const iso = (at: number): string => new Date(at).toISOString();
