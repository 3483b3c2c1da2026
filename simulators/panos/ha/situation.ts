/** What one member of the pair knows when it decides on its state (facts §2), and what it may decide. */
import type { HaSettings } from '../config/initial';
import type { HaMode, HaState } from '../view';

/** Something of its own that keeps a member from forwarding. */
export interface Failure {
  readonly kind: 'link' | 'path' | 'dataplane';
  /** Verbatim for state-reason. */
  readonly reason: string;
}

/** One member as both see it. */
export interface Member {
  readonly state: HaState;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly reason?: string | undefined;
  readonly lastErrorState?: string | undefined;
  readonly lastErrorReason?: string | undefined;
  readonly failure?: Failure | undefined;
  /** Doesn't get out of tentative, whatever it waits for. */
  readonly stuck: boolean;
  readonly settings: HaSettings;
  readonly version: string;
  readonly contentVersion: string;
}

/** How a peer that isn't connected went away. */
export type Absence = 'never met' | 'announced' | 'detected';

export interface Rules {
  readonly mode: HaMode;
  readonly initialWaitMs: number;
  readonly passiveWaitsForSync: boolean;
  readonly peerReleaseSteps: number;
  /** Of two members whose releases are too far apart. */
  readonly suspends: 'newer' | 'older';
  readonly pluginMismatch: boolean;
}

export interface Situation {
  readonly rules: Rules;
  readonly me: Member;
  /** Undefined: not connected. For the time that a loss isn't noticed yet, as it was last heard of. */
  readonly peer?: Member | undefined;
  readonly absence: Absence;
  /** State synchronization is complete, or switched off. */
  readonly synced: boolean;
  readonly ha3Up: boolean;
  /** What an operator or a boot asked for: the time from meeting the peer to a role. */
  readonly negotiationMs: number;
  /** A mismatch that isn't worked out from the members: model, serial, vsys, FIPS. */
  readonly mismatch?: string | undefined;
  /** Breaks ties: whose HA1 MAC is lower. */
  readonly lowerMac: boolean;
}

export type Flap = 'preempt' | 'nonfunc' | 'tentative';

/** A change of state, after a time during which it has to stay the answer. */
export interface Move {
  readonly to: HaState;
  /** Row of facts §2; with what it waits for it is what makes two answers the same. */
  readonly rule: string;
  readonly holdMs: number;
  readonly reason?: string;
  /** Counts as a flap where the member serves. */
  readonly flap?: Flap;
}

export const isServing = (state: HaState): boolean =>
  state === 'active' || state === 'active-primary' || state === 'active-secondary';
