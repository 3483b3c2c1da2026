/**
 * What each member of a simulated pair must keep to by itself: invariants 4, 5, 6 and 9 of facts/pan-os.md, section 2. They
 * are held against every transition as the pair tells it, in its order; what both are when it is told may be later already.
 */
import type { HaState, SimulatedDevice, SimulatedPair } from '../../simulators/panos';
import { haSettings, type HaSettings } from '../../simulators/panos/config/initial';
import { featureSteps } from '../../simulators/panos/releases';

const TRANSITION = /^(\S+): (\S+) → (\S+?)(?: \((.*)\))?(?: \[.*\])?$/;
/** Reasons of a suspension that lasts as long as its cause does. */
const MISFIT = /mismatch|Serial Number matches|too old/;
const PLUGIN = 'Version mismatches with peer for VMS';
const COMMANDS = { suspend: /<suspend>/, functional: /<functional>/ };
const FLAP_WINDOW_MS = 15 * 60_000;

const isServing = (state: HaState): boolean => /^active/.test(state);
const leads = (state: HaState): boolean => state === 'active' || state === 'active-primary';

interface Known {
  state: HaState;
  /** Reason of its suspension, while it is suspended. */
  suspended: { readonly reason: string; readonly since: number } | undefined;
  /** Suspended for what it is, and not back since. */
  misfit: string | undefined;
  tentativeSince: number | undefined;
  /** When it gave up the lead because of us, the earliest first. */
  readonly left: number[];
}

interface Transition {
  readonly at: number;
  readonly from: HaState;
  readonly to: HaState;
  readonly reason: string;
}

export class MemberInvariants {
  /** Most often that one member gave up the lead because of us within the time in which flaps count. */
  mostFailovers = 0;
  private readonly known: ReadonlyMap<SimulatedDevice, Known>;
  /** What is being done by one of them. */
  private command: { readonly device: SimulatedDevice; readonly kind: string } | undefined;

  constructor(
    private readonly pair: SimulatedPair,
    /** What is so only since then couldn't have been read by the guard of a command, simulated milliseconds. */
    private readonly unseenMs: number,
    private readonly say: (at: number, what: string) => void,
  ) {
    this.known = new Map(
      pair.devices.map((device) => [
        device,
        { state: device.haState, suspended: undefined, misfit: undefined, tentativeSince: undefined, left: [] },
      ]),
    );
  }

  /** Around what a device does on a command. */
  during<T>(device: SimulatedDevice, command: string, work: () => T): T {
    const kind = Object.entries(COMMANDS).find(([, pattern]) => pattern.test(command))?.[0];
    if (kind === undefined || !device.power.listening) return work();
    const { suspended } = this.of(device);
    // Nothing but its cause cures it: the command says that somebody hasn't looked.
    if (kind === 'functional' && suspended !== undefined && suspended.reason !== 'User requested')
      if (this.pair.now - suspended.since > this.unseenMs)
        this.say(this.pair.now, `functional was sent to ${device.name}, suspended for "${suspended.reason}"`);
    this.command = { device, kind };
    try {
      return work();
    } finally {
      this.command = undefined;
    }
  }

  /** What the pair tells of a change. */
  changed(at: number, what: string): void {
    const down = this.pair.devices.find(({ name }) => what.startsWith(`${name}: down`));
    if (down !== undefined) {
      const member = this.of(down);
      Object.assign(member, { state: 'initial', suspended: undefined, tentativeSince: undefined });
      return;
    }
    const [, name, from, to, reason = ''] = TRANSITION.exec(what) ?? [];
    const device = this.pair.devices.find((each) => each.name === name);
    if (device === undefined || from === undefined || to === undefined) return;
    const transition = { at, from: from as HaState, to: to as HaState, reason };
    this.holdSuspension(device, transition);
    this.holdTentative(device, transition);
    this.holdElection(device, transition);
    this.countFailover(device, transition);
    this.of(device).state = transition.to;
  }

  /** Invariant 4. */
  private holdSuspension(device: SimulatedDevice, { at, from, to, reason }: Transition): void {
    const member = this.of(device);
    if (from === 'suspended') {
      if (!this.isDoing('functional', device))
        this.say(at, `${device.name} left suspended (${member.suspended?.reason}) by itself`);
      member.suspended = undefined;
    }
    if (to === 'suspended') member.suspended = { reason, since: at };
    if (to === 'suspended' && MISFIT.test(reason)) member.misfit = reason;
    if (member.misfit === undefined || ['suspended', 'initial', 'non-functional'].includes(to)) return;
    if (this.misfits(device)) this.say(at, `${device.name} is ${to} in spite of "${member.misfit}"`);
    member.misfit = undefined;
  }

  /** Whether what suspends a member beside one that serves goes on. */
  private misfits(device: SimulatedDevice): boolean {
    const { faults, options } = this.pair;
    const peer = device.reachablePeer();
    if (peer === undefined || !isServing(this.of(peer).state)) return false;
    const apart = featureSteps(device.software.running, peer.software.running);
    return faults.any('peer-mismatch', device.side) || apart > options.peerReleaseSteps;
  }

  /** Invariant 5. */
  private holdTentative(device: SimulatedDevice, { at, from, to }: Transition): void {
    const member = this.of(device);
    const { mode } = this.pair.options;
    if (to === 'tentative' && mode !== 'active-active') this.say(at, `${device.name} is tentative in ${mode}`);
    if (to === 'active-secondary' && !leads(from)) {
      const { tentativeHoldMs } = settingsOf(device);
      const since = member.tentativeSince;
      if (since === undefined || at - since < tentativeHoldMs)
        this.say(at, `${device.name} became active-secondary after ${since === undefined ? from : `${at - since} ms`}`);
    }
    member.tentativeSince = to === 'tentative' ? at : undefined;
  }

  /**
   * Invariant 6, and more: beside a member that leads nobody begins to, after `functional` or whatever else, and the one that
   * leads gives way to its peer only where preemption is on at both, or where both led.
   */
  private holdElection(device: SimulatedDevice, { at, from, to }: Transition): void {
    const peer = device.reachablePeer();
    if (peer === undefined) return;
    const other = this.of(peer).state;
    if (leads(to) && leads(other)) this.say(at, `${device.name} became ${to} beside ${peer.name}, ${other}`);
    const preempts = this.pair.devices.every((each) => settingsOf(each).preemptive);
    if (givesWay(from, to) && !preempts && !leads(other))
      this.say(at, `${device.name} gave way to ${peer.name} without preemption`);
  }

  /**
   * Invariant 9: how often we make a member give up the lead, in the time in which a device counts: by our suspensions, the
   * preemption that we restore, releases of ours that don't suit each other.
   */
  private countFailover(device: SimulatedDevice, { at, from, to, reason }: Transition): void {
    if (reason.startsWith('Preemption loop')) this.say(at, `${device.name} was suspended: ${reason}`);
    const other = this.pair.devices.find((each) => each !== device)!;
    const isPreempted = givesWay(from, to) && !leads(this.of(other).state);
    const isTaken = leads(from) && !isServing(to) && (reason === PLUGIN || this.isDoing('suspend', device));
    if (!isPreempted && !isTaken) return;
    const { left } = this.of(device);
    left.push(at);
    while (at - (left[0] ?? at) > FLAP_WINDOW_MS) left.shift();
    this.mostFailovers = Math.max(this.mostFailovers, left.length);
    const { maxFlaps } = settingsOf(device);
    if (maxFlaps > 0 && left.length > maxFlaps)
      this.say(at, `${device.name} gave up the lead ${left.length} times within 15 minutes, max-flaps is ${maxFlaps}`);
  }

  private isDoing(kind: string, device: SimulatedDevice): boolean {
    return this.command?.device === device && this.command.kind === kind;
  }

  private of(device: SimulatedDevice): Known {
    return this.known.get(device)!;
  }
}

const settingsOf = (device: SimulatedDevice): HaSettings => haSettings(device.config.running);
const givesWay = (from: HaState, to: HaState): boolean =>
  leads(from) && (to === 'passive' || to === 'active-secondary');
