import { ApplicationFailure } from '@temporalio/common';
import { ends } from './clip';
import { redact, redactDeep } from './redact';

/**
 * Types of permanent failures: retrying can't help, people must act. Everything else that an activity throws is retried
 * within its step's patience.
 */
export type PermanentType =
  /** The plan, the inventory or an input is wrong. */
  | 'InvalidInput'
  /** The SSH host key or TLS certificate isn't the one that the plan pins. */
  | 'HostKeyMismatch'
  /** The device refused our credentials. */
  | 'AuthenticationFailed'
  /** sudo refused a command that the plan needs. */
  | 'SudoRefused'
  /** A readiness check found faults; details list them all. */
  | 'NotReady'
  /** A package, release or image that the plan needs can't be had. */
  | 'PackageMissing'
  /** Something downloaded isn't what it should be. */
  | 'DigestMismatch'
  /** Somebody else changed what this run relies on. */
  | 'ForeignChange'
  /** A change was made as intended, and the network didn't do what it should; it was taken back. */
  | 'NotConverged'
  /** Another run owns the host, or a baseline differs. */
  | 'OwnedByAnother'
  /** Somebody reset the run: it must learn first what the part that was thrown away had done. */
  | 'WasReset'
  /** A remote command ended with an error that trying again won't cure. */
  | 'CommandFailed'
  /** The node came back as something else than planned. */
  | 'WrongRelease'
  /** Connections go on although new ones were turned away; people decide whether to wait or to lose them. */
  | 'NotDrained'
  /** A token isn't logged in: a person must enter its PIN on the node. */
  | 'PinNeeded'
  /** The node came up in a state that leaves by itself no more: people must find the cause. */
  | 'NotHealthy'
  /** The node didn't come back from its restart, or restarts again and again. */
  | 'NotBack'
  /** Faults that people may waive by name; details list them. */
  | 'Waivable'
  /** Both members must have one configuration; people have it copied from the right one. */
  | 'NotSynchronized'
  /** What was asked for would undo what can't be undone: only finishing leads out. */
  | 'PointOfNoReturn';

/** Types of failures that may pass by themselves. */
export type TransientType =
  /** The host or device didn't answer. */
  | 'Unreachable'
  /** The guard inside the act found that acting now would stop service. */
  | 'GuardRefused'
  /** The read-back after the act doesn't show what it should (yet). */
  | 'VerifyFailed'
  /** A lock of somebody else is in the way (apt, configuration). */
  | 'Busy'
  /** A command failed in a way that may pass. */
  | 'CommandFailedRetryable';

/** One fault found by a check: where, what, and what to do next. */
export interface Fault {
  /** Host, router or path in the inventory. */
  readonly where: string;
  readonly what: string;
  readonly next?: string;
}

export const formatFaults = (faults: readonly Fault[]): string =>
  faults.map((f) => `- ${f.where}: ${f.what}${f.next === undefined ? '' : ` → ${f.next}`}`).join('\n');

/**
 * A failure that workflows branch on by `type` and never retry. Never put a secret into message or details; what hosts say
 * may hold some that isn't ours to know, so that what looks like one is taken out.
 */
export const permanent = (type: PermanentType, message: string, details?: unknown): ApplicationFailure =>
  ApplicationFailure.nonRetryable(clean(message), type, ...(details === undefined ? [] : [redactDeep(details)]));

/** A failure that is tried again within the step's patience. */
export const transient = (type: TransientType, message: string, details?: unknown): ApplicationFailure =>
  ApplicationFailure.retryable(clean(message), type, ...(details === undefined ? [] : [redactDeep(details)]));

/** Of a message of megabytes the last door keeps two kilobytes. */
const LONGEST_MESSAGE = 64 * 1024;
const clean = (message: string): string => redact(ends(message, LONGEST_MESSAGE));

export const failureType = (error: unknown): string | undefined =>
  error instanceof ApplicationFailure ? (error.type ?? undefined) : undefined;

/** Message of anything thrown, on one line. */
export const messageOf = (error: unknown): string =>
  // By shape: an error of another realm (jest's, a worker thread's) isn't an instance of this one's Error.
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
