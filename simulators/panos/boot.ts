/** Power of one device: up, or on one of the ways back (facts §5, boot phases; T1, T13, T14). */
import { UP_AT_START_MS, type Phase } from './boot-phases';
import type { SimulatedDevice } from './device';
import type { Scheduled } from './clock/events';

const AUTO_COMMIT = {
  type: 'AutoCom',
  details: ['Configuration committed successfully', 'Successfully committed last configuration'],
} as const;

export class Power {
  phase: Phase = 'up';
  /** Epoch milliseconds. */
  bootedAt: number;
  /** Its last AutoCom failed: the dataplane has no policy. */
  policyPushFailed = false;
  #next: Scheduled | undefined;
  #goingDown: Scheduled | undefined;
  #off = false;
  /** A phase that is over but for a fault that holds it. */
  #held: (() => void) | undefined;
  #wasSuspended = false;

  constructor(private readonly device: SimulatedDevice) {
    this.bootedAt = device.events.now - UP_AT_START_MS;
    device.jobs.past(AUTO_COMMIT, this.bootedAt, this.bootedAt + device.options.durations.autoCommitMs);
  }

  get listening(): boolean {
    return this.phase !== 'down';
  }

  /** As `request restart system`: the peer is told. Asked again while it goes down, nothing more happens. */
  restart(): void {
    const { events, options } = this.device;
    if (this.#goingDown !== undefined || this.phase === 'down') return;
    this.#goingDown = events.after(options.durations.shutdownMs, () => this.#goDown(true));
  }

  /** Without a last word. */
  crash(): void {
    if (this.phase !== 'down') this.#goDown(false);
  }

  off(): void {
    if (this.#off) return;
    this.#off = true;
    if (this.phase !== 'down') this.#goDown(false);
    this.#next?.cancel();
  }

  on(): void {
    if (!this.#off) return;
    this.#off = false;
    this.#wait(this.device.options.durations.downMs, () => this.#startUp());
  }

  /** A fault that held a phase may be gone. */
  reconsider(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#endOf(held);
  }

  #goDown(announced: boolean): void {
    const { device } = this;
    const member = device.pair.ha.members[device.side];
    // Before the agent runs again, a reboot in between changes nothing about what was asked.
    this.#wasSuspended = this.phase === 'up' ? member.userSuspended : this.#wasSuspended;
    this.#goingDown?.cancel();
    this.#goingDown = undefined;
    this.#held = undefined;
    this.phase = 'down';
    this.bootedAt = device.events.now;
    device.jobs.forget();
    device.changed(`${device.own.name}: down${announced ? '' : ' without a word'}`);
    device.pair.ha.stop(device.side, announced);
    if (this.#off) return;
    this.#wait(device.options.durations.downMs, () => this.#startUp());
  }

  #startUp(): void {
    const { device } = this;
    this.phase = 'starting';
    device.software.boot();
    device.config.boot(device.software.running);
    device.changed(`${device.own.name}: starting ${device.software.running}`);
    this.#wait(device.options.durations.startingMs, () => this.#load());
  }

  #load(): void {
    const { device } = this;
    const { autoCommitMs, jobQueueMs } = device.options.durations;
    this.phase = 'loading';
    device.changed(`${device.own.name}: loading its configuration`);
    device.jobs.enqueue({
      ...AUTO_COMMIT,
      user: '',
      warnings: device.facts.autoCommitWarnings,
      durationMs: Math.max(0, autoCommitMs - jobQueueMs),
      finish: () => {
        const { config, software } = device;
        if (!config.tooNew) return undefined;
        const made = config.running.attributes['version'] ?? '';
        return [`Error: the configuration was migrated by ${made} and can't be loaded by ${software.running}`];
      },
      ended: () => this.#wait(0, () => this.#ready()),
    });
  }

  #ready(): void {
    const { device } = this;
    if (device.pair.faults.any('boot-loop', device.side)) return this.#goDown(false);
    const { ha, faults, options } = device.pair;
    this.phase = 'up';
    device.changed(`${device.own.name}: ready`);
    const survives = faults.find('suspend-survives-reboot', device.side)?.survives ?? options.suspendSurvivesReboot;
    const suspended = this.#wasSuspended && survives;
    this.#wasSuspended = false;
    this.policyPushFailed = device.jobs.list().some(({ type, result }) => type === 'AutoCom' && result === 'FAIL');
    ha.members[device.side].failure = device.failure();
    ha.start(device.side, suspended);
  }

  #wait(ms: number, then: () => void): void {
    this.#next?.cancel();
    this.#next = this.device.events.after(ms, () => this.#endOf(then));
  }

  #endOf(then: () => void): void {
    const stuck = this.device.pair.faults.all('boot-stuck', this.device.side).some(({ phase }) => phase === this.phase);
    if (stuck) this.#held = then;
    else then();
  }
}
