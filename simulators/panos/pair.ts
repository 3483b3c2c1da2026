/**
 * A simulated PAN-OS HA pair in memory. It has no timers, no clock and no chance of its own: the caller says what time it
 * is, so that a run is the same every time and an hour costs nothing.
 */
import { EventQueue } from './clock/events';
import { SimulatedDevice } from './device';
import { Faults } from './faults';
import { HaModel, type Side } from './ha/model';
import { resolveOptions, type Configured, type PairOptions, type Resolved } from './options';
import { haSettings } from './config/initial';

export class SimulatedPair {
  readonly options: Resolved;
  readonly events: EventQueue;
  readonly devices: readonly [SimulatedDevice, SimulatedDevice];
  readonly ha: HaModel;
  readonly faults: Faults;
  /**
   * Told of every change of state, once nothing more follows at its instant: of a handover both halves are done when the
   * first is told.
   */
  onChange?: (at: number, what: string) => void;
  /** Called around what tests do to the pair from outside; where it runs in real time, this brings it to the present. */
  catchUp?: () => void;
  #untold: string[] = [];

  /** Starts as a pair that has been up for a month: one serves, the other is ready, both synchronized. */
  constructor(options: PairOptions = {}) {
    this.options = resolveOptions(options);
    this.events = new EventQueue(this.options.startAt);
    this.events.afterEach = () => this.flush();
    this.faults = new Faults(this, this.events);
    const devices = [new SimulatedDevice(this, 0), new SimulatedDevice(this, 1)] as const;
    this.devices = devices;
    const { durations } = this.options;
    this.ha = new HaModel(
      { ...this.options, ...durations },
      {
        settings: (side) => haSettings(devices[side].config.running),
        version: (side) => devices[side].software.running,
        contentVersion: (side) => devices[side].content.current,
        changed: (what) => this.changed(what),
        names: [devices[0].name, devices[1].name],
      },
      this.events,
    );
    for (const each of this.options.configured) this.configure(each);
    this.ha.settle();
    this.#untold = [];
  }

  /** Changes the configuration as if it had always been so. @throws Error for a device, XPath or XML that isn't. */
  configure({ device, xpath, element }: Configured): void {
    this.catchUp?.();
    const devices = device === undefined ? this.devices : [this.devices[this.sideOf(device)]];
    for (const { config } of devices) config.configure(xpath, element);
    this.ha.settle();
    this.flush();
    this.catchUp?.();
  }

  /** Epoch milliseconds of the simulated clock: the time that it was last brought to. */
  get now(): number {
    return this.events.now;
  }

  /** Brings the pair to a time: what was due happens, in its order, each at its own time. */
  elapse(now: number): void {
    this.events.elapse(now);
  }

  /** When something will happen next by itself; undefined: nothing will. */
  nextEventAt(): number | undefined {
    return this.events.nextAt();
  }

  /** By index, name or serial. @throws Error for a device that isn't of the pair. */
  sideOf(device: number | string): Side {
    const index = this.devices.findIndex(
      ({ name, serial }, side) => device === side || device === name || device === serial,
    );
    if (index === 0 || index === 1) return index;
    throw new Error(`no device ${device}: there are ${this.devices.map(({ name }) => name).join(' and ')}`);
  }

  /** For the parts of the pair. */
  changed(what: string): void {
    this.#untold.push(what);
  }

  /** For the parts of the pair: tells what has changed. */
  flush(): void {
    if (this.#untold.length === 0) return;
    const told = this.#untold;
    this.#untold = [];
    if (this.onChange !== undefined) for (const what of told) this.onChange(this.now, what);
  }
}
