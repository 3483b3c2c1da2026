/** One member of the pair: its state, what it heard of its peer, what it waits for. */
import type { EventQueue, Scheduled } from '../clock/events';
import type { HaSettings } from '../config/initial';
import type { HaState } from '../view';
import { isServing, type Absence, type Failure, type Flap, type Member, type Move } from './situation';

/** Leaving the serving state again within this time of the last time is a flap (facts §2). */
const FLAP_WINDOW_MS = 15 * 60_000;

const LOOPS: Readonly<Record<Flap, string>> = {
  preempt: 'Preemption loop detected',
  nonfunc: 'Non-functional loop detected',
  tentative: 'Tentative loop',
};

export class HaMember {
  reason: string | undefined;
  lastErrorState: string | undefined;
  lastErrorReason: string | undefined;
  failure: Failure | undefined;
  stuck = false;
  /** Takes part in HA: says hello, hears. */
  running = true;
  /** Thinks that it hears its peer. */
  connected = true;
  absence: Absence = 'never met';
  /** Of a peer that isn't heard any more, before that is noticed. */
  lastHeard: Member | undefined;
  /** Of a peer that was lost, for what is shown of it. */
  lastKnown: Member | undefined;
  detection: Scheduled | undefined;
  userSuspended = false;
  negotiationMs = 0;
  servingSince: number | undefined;
  routingSince: number | undefined;
  /** How often it came into each state since boot. */
  transitions: Record<string, number> = {};
  flaps: Record<Flap, number> = { preempt: 0, nonfunc: 0, tentative: 0 };
  #leftServingAt: number | undefined;
  #waiting: { readonly rule: string; readonly since: number; readonly event: Scheduled | undefined } | undefined;

  constructor(
    public state: HaState,
    public since: number,
  ) {
    this.#track(since);
  }

  seen(settings: HaSettings, version: string, contentVersion: string): Member {
    const { state, since, reason, lastErrorState, lastErrorReason, failure, stuck } = this;
    return { state, since, reason, lastErrorState, lastErrorReason, failure, stuck, settings, version, contentVersion };
  }

  enter(state: HaState, reason: string | undefined, now: number): void {
    if (isServing(this.state) && !isServing(state)) this.#leftServingAt = now;
    this.state = state;
    this.since = now;
    this.reason = reason;
    if (reason !== undefined && (state === 'non-functional' || state === 'suspended' || state === 'tentative')) {
      this.lastErrorState = state;
      this.lastErrorReason = reason;
    }
    this.transitions[state] = (this.transitions[state] ?? 0) + 1;
    this.forget();
    this.#track(now);
  }

  /** A new life: nothing of before is known. */
  boot(now: number, negotiationMs: number): void {
    this.transitions = {};
    this.flaps = { preempt: 0, nonfunc: 0, tentative: 0 };
    this.#leftServingAt = undefined;
    this.userSuspended = false;
    this.lastErrorState = undefined;
    this.lastErrorReason = undefined;
    this.lastKnown = undefined;
    this.negotiationMs = negotiationMs;
    this.enter('initial', undefined, now);
    this.#leftServingAt = undefined;
  }

  lose(absence: Absence): void {
    this.lastKnown = this.lastHeard ?? this.lastKnown;
    this.detection?.cancel();
    this.detection = undefined;
    this.lastHeard = undefined;
    this.connected = false;
    this.absence = absence;
  }

  heardAgain(): void {
    this.detection?.cancel();
    this.detection = undefined;
    this.lastHeard = undefined;
  }

  resetFlaps(): void {
    this.flaps = { preempt: 0, nonfunc: 0, tentative: 0 };
  }

  /** Counts a flap of this kind, and returns how many there were. */
  countFlap(kind: Flap, now: number): number {
    const again = this.#leftServingAt !== undefined && now - this.#leftServingAt <= FLAP_WINDOW_MS;
    this.flaps[kind] = again ? this.flaps[kind] + 1 : 1;
    return this.flaps[kind];
  }

  /** True if the move's hold is over. As long as the same move is asked for, its hold goes on. */
  waitFor(move: Move | undefined, events: EventQueue, wake: () => void): boolean {
    if (move === undefined || this.#waiting?.rule !== move.rule) this.forget();
    if (move === undefined) return false;
    const since = this.#waiting?.since ?? events.now;
    const leftMs = since + move.holdMs - events.now;
    if (leftMs <= 0) return true;
    if (this.#waiting?.event?.at === events.now + leftMs) return false;
    this.#waiting?.event?.cancel();
    this.#waiting = { rule: move.rule, since, event: events.after(leftMs, wake) };
    return false;
  }

  /** It waits for nothing. */
  forget(): void {
    this.#waiting?.event?.cancel();
    this.#waiting = undefined;
  }

  #track(now: number): void {
    const serving = isServing(this.state);
    this.servingSince = serving ? (this.servingSince ?? now) : undefined;
    this.routingSince = serving || this.state === 'tentative' ? (this.routingSince ?? now) : undefined;
  }
}

/** The move, or the end of a loop: a member that left its role too often is suspended (T12). */
export function afterFlap(
  member: HaMember,
  move: Move,
  maxFlaps: number,
  now: number,
): Pick<Move, 'to' | 'reason' | 'rule'> {
  if (move.flap === undefined || !isServing(member.state)) return move;
  const count = member.countFlap(move.flap, now);
  return maxFlaps > 0 && count > maxFlaps ? { to: 'suspended', reason: LOOPS[move.flap], rule: 'T12' } : move;
}
