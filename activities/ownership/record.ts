/**
 * Who may act on a host, as a pure decision over the owner file that lies there (design, promise 3; facts/procedure-core.md,
 * rule 2).
 *
 * What orders attempts: within a run (all its links and resets together) the number of the call, which the workflow counts
 * up with every activity that it schedules, then the number of the attempt of that call. The number of the step orders
 * nothing: an undo of step 7 comes after step 9. Runs have no such numbers; among them the time counts at which the server
 * scheduled the attempt, and a run that another one has succeeded never comes back. A run that has let go doesn't count any
 * more: a clock that ran ahead while it had the host must not lock others out when it is set right. The token is what is
 * compared at each command: random per attempt.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

const owner = z.object({
  workflowId: z.string(),
  runId: z.string(),
  step: z.string(),
  /** Number of the call within its run. */
  call: z.number(),
  attempt: z.number(),
  /** Epoch milliseconds, by the server's clock. */
  scheduledAtMs: z.number(),
  /** By the worker's clock, for people. */
  takenAt: z.string(),
  /** Host and process of the worker, for people. */
  worker: z.string(),
});
export type Owner = z.output<typeof owner>;

export const ownerRecord = z.object({
  schema: z.literal(1),
  cluster: z.string(),
  host: z.string(),
  owner,
  /** Of the owner; empty after a release, so that nobody's matches. */
  token: z.string(),
  released: z.boolean(),
  /** State of the host before the first change, as the run that found it described it. */
  baseline: z.unknown().optional(),
  /** Earlier owners, newest last, one per call. For people. */
  history: z.array(owner),
  /** Runs that were succeeded by another one, newest last. */
  succeeded: z.array(z.string()),
});
export type OwnerRecord = z.output<typeof ownerRecord>;

export interface Claim {
  readonly cluster: string;
  readonly host: string;
  readonly owner: Owner;
  readonly token: string;
  readonly baseline?: unknown;
  /** Terminated runs all whose *befores* this run has taken over: what they left half done it can undo. */
  readonly adopted?: readonly string[];
}

export type Decision =
  | {
      readonly kind: 'take';
      readonly record: OwnerRecord;
      /** The run that owned the host before and never released it. */
      readonly adoptedFrom?: Owner;
    }
  | { readonly kind: 'refuse'; readonly reason: 'stale' | 'succeeded' | 'baseline'; readonly record: OwnerRecord };

const HISTORY = 8;
const SUCCEEDED = 32;

/** Order of two owners of one run: below zero if `a` comes before `b`. */
export function compareCalls(a: Owner, b: Owner): number {
  return a.call - b.call || a.attempt - b.attempt;
}

export function decide(record: OwnerRecord | undefined, claim: Claim): Decision {
  if (record === undefined) return { kind: 'take', record: fresh(claim) };
  const { owner: current } = record;
  if (current.runId === claim.owner.runId) {
    if (compareCalls(claim.owner, current) < 0) return { kind: 'refuse', reason: 'stale', record };
    return { kind: 'take', record: successor(record, claim, record.baseline ?? claim.baseline) };
  }
  if (record.succeeded.includes(claim.owner.runId)) return { kind: 'refuse', reason: 'succeeded', record };
  // Also of an adopted run: after a reset it may go on, and this claim may be a late one.
  if (!record.released && claim.owner.scheduledAtMs <= current.scheduledAtMs)
    return { kind: 'refuse', reason: 'stale', record };
  const succeeded = [...record.succeeded, current.runId].slice(-SUCCEEDED);
  if (record.released) return { kind: 'take', record: { ...successor(record, claim, claim.baseline), succeeded } };
  // The run before this one ended without tidying up (terminated). What it found there is what is put back at the end.
  if (isAdopted(record, claim)) {
    const next = successor(record, claim, record.baseline ?? claim.baseline);
    return { kind: 'take', record: { ...next, succeeded }, adoptedFrom: current };
  }
  // Nobody knows what it left half done, unless the host is as it was when that run began.
  if (record.baseline !== undefined && !sameValue(record.baseline, claim.baseline))
    return { kind: 'refuse', reason: 'baseline', record };
  return { kind: 'take', record: { ...successor(record, claim, claim.baseline), succeeded }, adoptedFrom: current };
}

/** Its owner was terminated, and the claim's run knows all that it had found. */
const isAdopted = ({ owner: { runId } }: OwnerRecord, { adopted = [] }: Claim): boolean => adopted.includes(runId);

/**
 * The record after a run has let go of what is its own, or was left to it by a run that it has adopted; undefined if there
 * is nothing that it may let go of.
 */
export function letGo(record: OwnerRecord | undefined, claim: Claim): OwnerRecord | undefined {
  if (record === undefined || record.released) return undefined;
  if (record.owner.runId !== claim.owner.runId && !isAdopted(record, claim)) return undefined;
  const decision = decide(record, claim);
  return decision.kind === 'take' ? released(decision.record, claim.owner) : undefined;
}

/**
 * The record after its run has let go by the call `by`, which is its last owner then: no earlier call comes back. The
 * baseline goes with it: the next run starts from what it finds.
 */
export function released(record: OwnerRecord, by: Owner = record.owner): OwnerRecord {
  const { baseline: _, ...rest } = record;
  return { ...rest, owner: by, history: historyWith(record, by), token: '', released: true };
}

const fresh = (claim: Claim): OwnerRecord => ({
  schema: 1,
  cluster: claim.cluster,
  host: claim.host,
  owner: claim.owner,
  token: claim.token,
  released: false,
  ...(claim.baseline === undefined ? {} : { baseline: claim.baseline }),
  history: [],
  succeeded: [],
});

function successor(record: OwnerRecord, claim: Claim, baseline: unknown): OwnerRecord {
  return {
    ...fresh(claim),
    ...(baseline === undefined ? {} : { baseline }),
    history: historyWith(record, claim.owner),
    succeeded: record.succeeded,
  };
}

function historyWith({ owner: before, history }: OwnerRecord, next: Owner): Owner[] {
  const sameCall = before.runId === next.runId && before.call === next.call;
  return sameCall ? history : [...history, before].slice(-HISTORY);
}

/** As JSON would have it: order of keys doesn't matter, undefined is absent. */
const sameValue = (a: unknown, b: unknown): boolean => isDeepStrictEqual(plain(a), plain(b));
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
