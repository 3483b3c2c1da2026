/** One simulated device: its parts, and how a request finds the one that answers. */
import { answerRequest, operationOf } from './api';
import { Auth } from './auth';
import type { Phase } from './boot-phases';
import { Power } from './boot';
import type { EventQueue } from './clock/events';
import { ConfigStore } from './config/store';
import { Content } from './content';
import { isServing, type Failure } from './ha/situation';
import { other, type Side } from './ha/model';
import { JobTable } from './jobs';
import type { DeviceOptions, Resolved } from './options';
import type { SimulatedPair } from './pair';
import { freshFacts, type DeviceFacts } from './reads';
import { Software } from './software';
import type { DeviceView, HaState } from './view';
import { failure, failureWithoutCode, type ApiReply, type ApiRequest } from './wire';

export class SimulatedDevice {
  readonly own: DeviceOptions;
  readonly options: Resolved;
  readonly events: EventQueue;
  /** What it knows besides HA, jobs, software and configuration. Tests change it. */
  readonly facts: DeviceFacts;
  readonly jobs: JobTable;
  readonly config: ConfigStore;
  readonly software: Software;
  readonly content: Content;
  readonly auth: Auth;
  readonly power: Power;

  constructor(
    readonly pair: SimulatedPair,
    readonly side: Side,
  ) {
    const { options, events } = pair;
    this.options = options;
    this.events = events;
    this.own = options.devices[side];
    this.facts = freshFacts({
      serial: this.own.serial,
      advancedRouting: options.advancedRouting,
      haMode: options.mode,
      model: options.model,
      deviceId: this.own.deviceId,
    });
    this.facts.updateServerReachable = options.internet;
    if (!options.panorama) this.facts.panorama = [];
    this.jobs = new JobTable(
      events,
      options.durations.jobQueueMs,
      (type) => pair.faults.job(side, type),
      (what) => this.changed(`${this.own.name}: ${what}`),
    );
    this.config = new ConfigStore(this);
    this.software = new Software(this);
    this.content = new Content(this);
    this.auth = new Auth(this);
    this.power = new Power(this);
  }

  get name(): string {
    return this.own.name;
  }

  get serial(): string {
    return this.own.serial;
  }

  get phase(): Phase {
    return this.power.phase;
  }

  get haState(): HaState {
    return this.pair.ha.members[this.side].state;
  }

  /** Passes traffic now. */
  get serving(): boolean {
    return this.power.phase === 'up' && isServing(this.haState);
  }

  /** What faults are limited to by `during`. */
  condition(): Phase | HaState {
    return this.power.phase === 'up' ? this.haState : this.power.phase;
  }

  /** The peer, where HA1 reaches it. */
  reachablePeer(): SimulatedDevice | undefined {
    const { ha, devices } = this.pair;
    const known = ha.peer(this.side) !== undefined && ha.members[this.side].lastHeard === undefined;
    return known ? devices[other(this.side)] : undefined;
  }

  /** What keeps it from forwarding, by itself or by a fault. */
  failure(): Failure | undefined {
    const { faults } = this.pair;
    if (this.power.policyPushFailed) return { kind: 'dataplane', reason: 'Policy push to dataplane failed' };
    const dataplane = faults.find('dataplane-down', this.side);
    if (dataplane !== undefined)
      return { kind: 'dataplane', reason: `Dataplane down: ${dataplane.reason ?? 'brdagent exiting'}` };
    const monitor = faults.find('monitor-failure', this.side);
    return monitor && { kind: monitor.reason === 'Path down' ? 'path' : 'link', reason: monitor.reason ?? 'Link down' };
  }

  changed(what: string): void {
    this.pair.changed(what);
  }

  /** Answers at the simulated time that the pair was brought to with `elapse`. */
  request(request: ApiRequest): ApiReply {
    if (!this.power.listening) return { kind: 'refuse' };
    const fault = this.pair.faults.request(this, operationOf(request));
    if (fault?.kind === 'error')
      return fault.code === undefined ? failureWithoutCode(fault.message) : failure(fault.code, fault.message);
    if (fault?.kind === 'request') {
      if (fault.effect === 'done') answerRequest(this, request);
      this.pair.flush();
      return { kind: fault.how };
    }
    const reply = answerRequest(this, request);
    this.pair.flush();
    return reply;
  }

  /** What replies to reads are built from. */
  view(): DeviceView {
    const { ha, options, devices } = this.pair;
    const member = ha.members[this.side];
    const { passiveLinkState } = ha.self(this.side).settings;
    const up = this.power.phase === 'up';
    this.facts.haTransitions = member.transitions;
    return {
      name: this.own.name,
      serial: this.own.serial,
      model: options.model,
      hostname: this.own.name,
      managementAddress: this.own.address,
      version: this.software.running,
      contentVersion: this.content.current,
      advancedRouting: options.advancedRouting,
      haMode: options.mode,
      haState: member.state,
      serving: this.serving,
      servingSince: up ? member.servingSince : undefined,
      routingSince: up ? member.routingSince : undefined,
      peerServing: devices[other(this.side)].serving,
      linksHeldDown: member.state === 'suspended' || (member.state === 'passive' && passiveLinkState === 'shutdown'),
      now: this.events.now,
      bootedAt: this.power.bootedAt,
      jobs: this.jobs.list(),
      hasPendingChanges: this.config.hasPendingChanges(),
      facts: this.facts,
    };
  }
}
