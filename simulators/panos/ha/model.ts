/**
 * HA of the pair: two members, the links between them, and what each knows of the other. Decisions are pure functions
 * (active-passive.ts, active-active.ts); here they come true, at their time.
 */
import { UP_AT_START_MS } from '../boot-phases';
import type { EventQueue, Scheduled } from '../clock/events';
import type { HaSettings } from '../config/initial';
import type { HaMode, HaState } from '../view';
import { decideActiveActive } from './active-active';
import { decideActivePassive } from './active-passive';
import { afterFlap, HaMember } from './member';
import { isServing, type Member, type Move, type Rules, type Situation } from './situation';

export type Side = 0 | 1;
export const other = (side: Side): Side => (side === 0 ? 1 : 0);

/** What HA needs of the devices. */
export interface HaHost {
  settings(side: Side): HaSettings;
  version(side: Side): string;
  contentVersion(side: Side): string;
  changed(what: string): void;
  readonly names: readonly [string, string];
}

export interface HaOptions extends Rules {
  readonly mode: HaMode;
  readonly negotiationMs: number;
  readonly stateSyncMs: number;
  readonly configSyncMs: number;
}

/** Heartbeats missed until a peer counts as lost. */
const HEARTBEATS_MISSED = 3;
/** Changes of state at one instant after which a rule must be wrong. */
const SETTLED_WITHIN = 100;

export class HaModel {
  readonly links = { ha1: true, ha2: true, ha3: true };
  readonly members: readonly [HaMember, HaMember];
  stateSyncStuck = false;
  mismatch: string | undefined;
  #syncing: Scheduled | undefined;
  #stateSynced = true;
  /** Since when both run one release and hear each other. */
  #comparableSince: number | undefined = -Infinity;
  #settling = false;

  constructor(
    readonly options: HaOptions,
    private readonly host: HaHost,
    private readonly events: EventQueue,
  ) {
    const both =
      options.mode === 'active-passive'
        ? (['active', 'passive'] as const)
        : (['active-primary', 'active-secondary'] as const);
    const first = this.#firstAtStart();
    const since = events.now - UP_AT_START_MS;
    const member = (side: Side): HaMember => new HaMember(side === first ? both[0] : both[1], since);
    this.members = [member(0), member(1)];
  }

  get synced(): boolean {
    return this.#stateSynced;
  }

  /** What `side` shows of itself. */
  self(side: Side): Member {
    return this.members[side].seen(this.host.settings(side), this.host.version(side), this.host.contentVersion(side));
  }

  /** What `side` knows of the other; undefined while it isn't connected. */
  peer(side: Side): Member | undefined {
    const { connected, lastHeard } = this.members[side];
    if (!connected) return undefined;
    return lastHeard ?? this.self(other(side));
  }

  stateSync(side: Side): 'Complete' | 'incomplete' | 'User-disabled' {
    if (!this.host.settings(side).stateSync) return 'User-disabled';
    return this.#stateSynced ? 'Complete' : 'incomplete';
  }

  /** Whether configurations may be compared now, or are about to be. */
  comparison(): 'different releases or no connection' | 'in progress' | 'compared' {
    if (this.#comparableSince === undefined) return 'different releases or no connection';
    return this.events.now < this.#comparableSince + this.options.configSyncMs ? 'in progress' : 'compared';
  }

  suspend(side: Side): void {
    const member = this.members[side];
    if (member.state !== 'suspended') this.#enter(side, 'suspended', 'User requested', 'T4');
    member.userSuspended = true;
    this.settle();
  }

  /** Harmless for a member that isn't suspended (an assumption: facts §11). */
  functional(side: Side): void {
    const member = this.members[side];
    if (member.state !== 'suspended') return;
    member.userSuspended = false;
    member.resetFlaps();
    // Hellos went on all the time: there is nothing to wait for, but active/passive shows `initial` for a moment.
    member.negotiationMs = this.options.mode === 'active-passive' ? Math.min(2_000, this.options.negotiationMs) : 0;
    this.#enter(side, 'initial', undefined, 'T10');
    this.settle();
  }

  /** The HA agent of a device starts, after its boot. */
  start(side: Side, suspended: boolean): void {
    const member = this.members[side];
    member.running = true;
    member.boot(this.events.now, this.options.negotiationMs);
    if (suspended) {
      member.userSuspended = true;
      this.#enter(side, 'suspended', 'User requested', 'T14');
    }
    this.settle();
  }

  /** The device goes down: with a last word to the peer, or without. */
  stop(side: Side, announced: boolean): void {
    const member = this.members[side];
    const peer = this.members[other(side)];
    if (this.#hears(other(side))) {
      this.#unheard(other(side));
      if (announced) peer.lose('announced');
    }
    member.running = false;
    member.lose('never met');
    member.boot(this.events.now, this.options.negotiationMs);
    this.settle();
  }

  link(name: keyof HaModel['links'], up: boolean): void {
    if (this.links[name] === up) return;
    this.links[name] = up;
    this.host.changed(`${name.toUpperCase()} ${up ? 'up' : 'down'}`);
    this.settle();
  }

  /** After any change: brings connections, synchronization and states to where nothing more follows at this instant. */
  settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    for (let moves = 0, moved = true; moved; moves++) {
      if (moves > SETTLED_WITHIN) throw new Error('HA doesn’t settle: two rules contradict each other');
      this.#connect();
      this.#synchronize();
      moved = this.#decide(0) || this.#decide(1);
    }
    this.#settling = false;
  }

  #firstAtStart(): Side {
    const [a, b] = [this.host.settings(0), this.host.settings(1)];
    if (this.options.mode === 'active-active') return a.deviceId <= b.deviceId ? 0 : 1;
    return a.priority <= b.priority ? 0 : 1;
  }

  #connect(): void {
    const able = this.links.ha1 && this.members[0].running && this.members[1].running;
    for (const side of [0, 1] as const) {
      const member = this.members[side];
      if (!able && this.#hears(side)) this.#unheard(side);
      if (able) {
        member.heardAgain();
        member.connected = true;
      }
    }
  }

  #hears(side: Side): boolean {
    const { running, connected, lastHeard } = this.members[side];
    return running && connected && lastHeard === undefined;
  }

  /** From now on nothing is heard of the peer; that is noticed after some heartbeats. */
  #unheard(side: Side): void {
    const member = this.members[side];
    member.lastHeard = this.self(other(side));
    const detectMs = HEARTBEATS_MISSED * this.host.settings(side).heartbeatIntervalMs;
    member.detection = this.events.after(detectMs, () => {
      member.lose('detected');
      this.host.changed(`${this.host.names[side]} has lost its peer`);
      this.settle();
    });
  }

  #synchronize(): void {
    const [a, b] = this.members;
    const heard = this.#hears(0) && this.#hears(1);
    const release = ([0, 1] as const).map((side) => this.host.version(side));
    const comparable = heard && release[0] === release[1];
    if (!comparable) this.#comparableSince = undefined;
    else this.#comparableSince ??= this.events.now;

    const able = heard && this.links.ha2 && !this.stateSyncStuck && [a, b].every(({ state }) => this.#takesPart(state));
    if (able === (this.#syncing !== undefined || this.#stateSynced)) return;
    this.#syncing?.cancel();
    this.#syncing = undefined;
    this.#stateSynced = false;
    if (!able) return;
    this.#syncing = this.events.after(this.options.stateSyncMs, () => {
      this.#syncing = undefined;
      this.#stateSynced = true;
      this.host.changed('state synchronization is complete');
      this.settle();
    });
  }

  #takesPart(state: HaState): boolean {
    return (
      isServing(state) ||
      state === 'passive' ||
      state === 'tentative' ||
      (state === 'initial' && this.options.passiveWaitsForSync)
    );
  }

  #situation(side: Side): Situation {
    const member = this.members[side];
    const settings = this.host.settings(side);
    return {
      rules: this.options,
      me: this.self(side),
      peer: this.peer(side),
      absence: member.absence,
      synced: this.#stateSynced || !settings.stateSync,
      ha3Up: this.links.ha3,
      negotiationMs: member.negotiationMs,
      mismatch: this.mismatch,
      lowerMac: side === 0,
    };
  }

  /** True if the member has changed its state. */
  #decide(side: Side): boolean {
    const member = this.members[side];
    if (!member.running) {
      member.forget();
      return false;
    }
    const situation = this.#situation(side);
    const move =
      this.options.mode === 'active-passive' ? decideActivePassive(situation) : decideActiveActive(situation);
    this.#explain(side, situation, move);
    const due = member.waitFor(move, this.events, () => this.settle());
    if (!due || move === undefined) return false;
    const flapped = afterFlap(member, move, situation.me.settings.maxFlaps, this.events.now);
    this.#enter(side, flapped.to, flapped.reason, flapped.rule);
    return true;
  }

  /** Why a tentative member is still tentative. */
  #explain(side: Side, { me, synced }: Situation, move: Move | undefined): void {
    if (me.state !== 'tentative') return;
    const waiting =
      move?.rule === 'U5'
        ? 'Waiting for tentative-hold-time'
        : synced
          ? undefined
          : 'Waiting for state synchronization completion';
    this.members[side].reason = me.failure?.reason ?? waiting ?? this.members[side].reason;
  }

  #enter(side: Side, state: HaState, reason: string | undefined, rule: string): void {
    const member = this.members[side];
    const was = member.state;
    member.enter(state, reason, this.events.now);
    this.host.changed(
      `${this.host.names[side]}: ${was} → ${state}${reason === undefined ? '' : ` (${reason})`} [${rule}]`,
    );
  }
}
