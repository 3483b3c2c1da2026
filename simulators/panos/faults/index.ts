/** Faults of a simulated pair: begun, looked up, counted, ended. */
import type { EventQueue } from '../clock/events';
import type { SimulatedDevice } from '../device';
import type { Side } from '../ha/model';
import type { JobFate, JobType } from '../jobs';
import type { SimulatedPair } from '../pair';
import { begin, derive } from './effects';
import type { Fault, FaultKind, FaultOf } from './schema';

export { faultSchema, type Fault, type FaultKind } from './schema';

interface Entry {
  readonly id: number;
  readonly fault: Fault;
  /** Undefined: both. */
  readonly side: Side | undefined;
  /** It has begun. */
  begun: boolean;
  passed: number;
  struck: number;
  end: () => void;
}

export interface FaultView {
  readonly id: number;
  readonly fault: Fault;
  readonly begun: boolean;
  /** How many requests or jobs it struck. */
  readonly struck: number;
}

export class Faults {
  #entries: Entry[] = [];
  #last = 0;

  constructor(
    private readonly pair: SimulatedPair,
    private readonly events: EventQueue,
  ) {}

  /** Begins a fault, now or after its `afterMs`. @returns its id, for `clear`. @throws Error for a device that isn't there. */
  inject(fault: Fault): number {
    this.pair.catchUp?.();
    const side = 'device' in fault && fault.device !== undefined ? this.pair.sideOf(fault.device) : undefined;
    const entry: Entry = { id: ++this.#last, fault, side, begun: false, passed: 0, struck: 0, end: () => undefined };
    this.#entries.push(entry);
    if (fault.afterMs === undefined) this.#begin(entry);
    else {
      const later = this.events.after(fault.afterMs, () => this.#begin(entry));
      entry.end = () => later.cancel();
    }
    this.pair.flush();
    this.pair.catchUp?.();
    return entry.id;
  }

  /** Ends a fault, or all of them. One that isn't there any more is no mistake. */
  clear(id?: number): void {
    this.pair.catchUp?.();
    const ended = this.#entries.filter((entry) => id === undefined || entry.id === id);
    this.#entries = this.#entries.filter((entry) => !ended.includes(entry));
    for (const entry of ended) entry.end();
    this.pair.flush();
    this.pair.catchUp?.();
  }

  list(): FaultView[] {
    return this.#entries.map(({ id, fault, begun, struck }) => ({ id, fault, begun, struck }));
  }

  all<K extends FaultKind>(kind: K, side: Side): FaultOf<K>[] {
    return this.#of(kind, side).map(({ fault }) => fault as FaultOf<K>);
  }

  find<K extends FaultKind>(kind: K, side: Side): FaultOf<K> | undefined {
    return this.all(kind, side)[0];
  }

  any(kind: FaultKind, side: Side): boolean {
    return this.#of(kind, side).length > 0;
  }

  /** The fault that strikes this request, if any. Asking counts. */
  request(device: SimulatedDevice, operation: string): FaultOf<'request'> | FaultOf<'error'> | undefined {
    const entry = [...this.#of('request', device.side), ...this.#of('error', device.side)]
      .sort((a, b) => a.id - b.id)
      .find(({ fault, ...counts }) => {
        if (fault.kind !== 'request' && fault.kind !== 'error') return false;
        if (!isOperation(operation, fault.operation)) return false;
        if (fault.kind === 'request' && fault.during !== undefined && fault.during !== device.condition()) return false;
        return counts.begun;
      });
    return this.#strike(entry) as FaultOf<'request'> | FaultOf<'error'> | undefined;
  }

  /** What becomes of a job that starts. Asking counts. */
  job(side: Side, type: JobType): JobFate {
    const entry = this.#of('job', side).find(({ fault }) => fault.kind === 'job' && (fault.type ?? type) === type);
    const fault = this.#strike(entry) as FaultOf<'job'> | undefined;
    if (fault === undefined) return undefined;
    return fault.how === 'stall' ? { how: 'stall' } : { how: 'fail', details: fault.details ?? [`${type} job failed`] };
  }

  #of(kind: FaultKind, side: Side): Entry[] {
    if (this.#entries.length === 0) return this.#entries;
    return this.#entries.filter(
      (entry) => entry.begun && entry.fault.kind === kind && (entry.side === undefined || entry.side === side),
    );
  }

  #begin(entry: Entry): void {
    const { fault, side } = entry;
    const { devices } = this.pair;
    entry.begun = true;
    this.pair.changed(`fault ${entry.id}: ${fault.kind}`);
    const undos = (side === undefined ? devices : [devices[side]]).map((device) => begin(fault, device));
    derive(this.pair);
    const over = fault.forMs === undefined ? undefined : this.events.after(fault.forMs, () => this.clear(entry.id));
    entry.end = () => {
      over?.cancel();
      for (const undo of undos) undo();
      this.pair.changed(`fault ${entry.id}: ${fault.kind} is over`);
      derive(this.pair);
    };
  }

  /** Counts; undefined while it lets through. */
  #strike(entry: Entry | undefined): Fault | undefined {
    if (entry === undefined) return undefined;
    const { pass = 0, times = 1 } = entry.fault as FaultOf<'request'>;
    if (entry.passed < pass) {
      entry.passed++;
      return undefined;
    }
    entry.struck++;
    if (times > 0 && entry.struck >= times) this.#entries = this.#entries.filter((each) => each !== entry);
    return entry.fault;
  }
}

/** "request system software" is the beginning of "request system software install", "request sys" isn't. */
const isOperation = (operation: string, beginning: string | undefined): boolean =>
  beginning === undefined || operation === beginning || operation.startsWith(`${beginning} `);
