/** What must hold of a simulated pair whatever is done to it (facts/pan-os.md, section 2), watched at every change. */
import { haSettings } from '../../simulators/panos/config/initial';
import { compareReleases } from '../../simulators/panos/releases';
import type { SimulatedDevice, SimulatedPair } from '../../simulators/panos';
import { MemberInvariants } from './panos-members';

const DISRUPTIVE = { suspend: /<suspend>/, install: /<software><install>/, restart: /<restart>/ };
type Condition = 'serves' | 'doesn’t serve' | 'can’t serve';

export class PairInvariants {
  /** Commands that take a device down or change who serves: "12000 suspend fw-b (fw-a active, fw-b passive)". */
  readonly commands: string[] = [];
  /** Where traffic is steered: the member that routers send it through. */
  preferred: (() => string | undefined) | undefined;
  readonly members: MemberInvariants;
  private readonly since = new Map<string, number>();
  private bothSince: number | undefined;
  private readonly from: number;

  constructor(
    private readonly pair: SimulatedPair,
    /** What is so only since then couldn't have been read by the guard of a command, simulated milliseconds. */
    private readonly unseenMs: number,
    /** Filled with what was found. */
    readonly broken: string[] = [],
  ) {
    this.from = pair.now;
    this.members = new MemberInvariants(pair, unseenMs, (at, what) => void broken.push(`${at - this.from}: ${what}`));
    this.track(pair.now);
    const told = pair.onChange;
    pair.onChange = (at, what) => {
      told?.(at, what);
      this.changed(at);
      this.members.changed(at, what);
    };
    for (const device of pair.devices) {
      const answer = device.request.bind(device);
      device.request = (request) => {
        const command = request.params.get('cmd') ?? '';
        this.hold(device, command);
        return this.members.during(device, command, () => answer(request));
      };
    }
  }

  /** Something else that was done, for the order of things. */
  note(what: string): void {
    this.commands.push(`${this.pair.now - this.from} ${what}`);
  }

  states(): string {
    return this.pair.devices.map((d) => `${d.name} ${d.haState}`).join(', ');
  }

  /** "suspend fw-b", in their order. */
  sent(): string[] {
    return this.commands.map((line) => line.split(' ').slice(1, 3).join(' '));
  }

  /** Invariants 1, 3 and 7: what is sent to a device, against what both are at this moment. */
  private hold(device: SimulatedDevice, command: string): void {
    const kind = Object.entries(DISRUPTIVE).find(([, pattern]) => pattern.test(command))?.[0];
    // One that is off hears nothing.
    if (kind === undefined || !device.power.listening) return;
    this.commands.push(`${this.pair.now - this.from} ${kind} ${device.name} (${this.states()})`);
    const other = this.pair.devices.find((d) => d !== device)!;
    const may =
      kind === 'suspend'
        ? !this.longEnough('serves', device) || !this.longEnough('can’t serve', other)
        : !this.longEnough('doesn’t serve', other) && !this.longEnough('serves', device);
    if (device.serving && this.preferred?.() === device.name)
      this.broken.push(`${this.pair.now - this.from}: ${kind} was sent to ${device.name}, which routers still prefer`);
    if (kind === 'install') this.holdSaved(device, /<version>([^<]*)</.exec(command)?.[1] ?? '');
    if (!may)
      this.broken.push(`${this.pair.now - this.from}: ${kind} was sent to ${device.name} while ${this.states()}`);
  }

  /** Invariant 8: what a newer release migrates isn't migrated back, so a configuration of the one that runs must be there. */
  private holdSaved({ name, config, software: { running } }: SimulatedDevice, version: string): void {
    if (compareReleases(version, running) <= 0) return;
    if (![...config.saved.keys()].some((saved) => saved.endsWith(`-${running}.xml`)))
      this.broken.push(`${this.pair.now - this.from}: ${name} has no configuration of ${running} to go back to`);
  }

  private longEnough(what: Condition, { name }: SimulatedDevice): boolean {
    const since = this.since.get(`${name} ${what}`);
    return since !== undefined && this.pair.now - since > this.unseenMs;
  }

  private track(at: number): void {
    for (const device of this.pair.devices) {
      const able = device.serving || (device.haState === 'passive' && device.phase === 'up' && this.pair.ha.synced);
      const holds: Record<Condition, boolean> = {
        serves: device.serving,
        'doesn’t serve': !device.serving,
        'can’t serve': !able,
      };
      for (const [what, is] of Object.entries(holds)) {
        const key = `${device.name} ${what}`;
        if (!is) this.since.delete(key);
        else if (!this.since.has(key)) this.since.set(key, at);
      }
    }
  }

  /** Invariant 2, after every change of the pair. */
  private changed(at: number): void {
    this.track(at);
    const { devices } = this.pair;
    const leads = devices.filter((d) => d.phase === 'up' && (d.haState === 'active' || d.haState === 'active-primary'));
    // With HA1 down both may lead; once it is up again one of them gives way after a moment.
    const connected = devices.every((d) => d.reachablePeer() !== undefined);
    this.bothSince = leads.length === 2 && connected ? (this.bothSince ?? at) : undefined;
    if (this.bothSince !== undefined && at - this.bothSince > this.unseenMs)
      this.broken.push(`${at - this.from}: both lead: ${this.states()}`);
  }
}

/** What people find of each device (invariant 8). */
export const left = (pair: SimulatedPair) =>
  pair.devices.map((d) => ({
    release: d.software.running,
    preemptive: haSettings(d.config.running).preemptive,
    suspended: d.haState === 'suspended' && pair.ha.members[d.side].userSuspended,
  }));
