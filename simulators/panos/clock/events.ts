/**
 * What is going to happen, in the order of its time: a heap without a clock of its own. Events of one instant run in
 * the order in which they were scheduled, so that a run is the same every time.
 */
export interface Scheduled {
  readonly at: number;
  readonly cancelled: boolean;
  cancel(): void;
}

class Entry implements Scheduled {
  cancelled = false;
  constructor(
    readonly at: number,
    readonly order: number,
    readonly run: () => void,
  ) {}
  cancel(): void {
    this.cancelled = true;
  }
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class EventQueue {
  readonly #heap: Entry[] = [];
  #order = 0;
  #now: number;
  /** Called after each event. */
  afterEach: () => void = () => undefined;

  /** @param now epoch milliseconds of the simulated time to start from. */
  constructor(now: number) {
    this.#now = now;
  }

  /** Epoch milliseconds: the time of the event that runs, or that of the last `elapse`. */
  get now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): Scheduled {
    const entry = new Entry(this.#now + Math.max(0, delayMs), this.#order++, run);
    this.#heap.push(entry);
    this.#up(this.#heap.length - 1);
    return entry;
  }

  nextAt(): number | undefined {
    while (this.#heap[0]?.cancelled) this.#pop();
    return this.#heap[0]?.at;
  }

  /** Runs what is due until `now`, each event at its own time. A time in the past is no step back. */
  elapse(now: number): void {
    for (let at = this.nextAt(); at !== undefined && at <= now; at = this.nextAt()) {
      const entry = this.#pop();
      this.#now = Math.max(this.#now, at);
      entry?.run();
      this.afterEach();
    }
    this.#now = Math.max(this.#now, now);
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (heap.length > 0 && last !== undefined) {
      heap[0] = last;
      this.#down(0);
    }
    return first;
  }

  #up(index: number): void {
    const heap = this.#heap;
    for (let child = index; child > 0;) {
      const parent = (child - 1) >> 1;
      const [a, b] = [heap[child], heap[parent]];
      if (a === undefined || b === undefined || !before(a, b)) return;
      heap[child] = b;
      heap[parent] = a;
      child = parent;
    }
  }

  #down(index: number): void {
    const heap = this.#heap;
    for (let parent = index; ;) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        const [a, b] = [heap[child], heap[least]];
        if (a !== undefined && b !== undefined && before(a, b)) least = child;
      }
      const [a, b] = [heap[parent], heap[least]];
      if (least === parent || a === undefined || b === undefined) return;
      heap[parent] = b;
      heap[least] = a;
      parent = least;
    }
  }
}
