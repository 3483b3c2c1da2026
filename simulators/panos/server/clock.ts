/** Real time for a pair: tells it what time it is, when something is due and before every request. */
import type { SimulatedPair } from '../pair';

const LONGEST_TIMER_MS = 3_600_000;

export class PairClock {
  #speed: number;
  /** Real and simulated time of the last change of speed. */
  #realBase = Date.now();
  #simulatedBase: number;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #ticking = false;

  /**
   * @param speed simulated time for each unit of real time.
   * @param elapsed called whenever the pair was brought to a later time.
   */
  constructor(
    private readonly pair: SimulatedPair,
    speed: number,
    private readonly elapsed: () => void,
  ) {
    this.#speed = speed;
    this.#simulatedBase = pair.now;
    pair.catchUp = () => this.tick();
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(value: number) {
    this.#simulatedBase = this.now();
    this.#realBase = Date.now();
    this.#speed = value;
    this.tick();
  }

  /** Epoch milliseconds, simulated. */
  now(): number {
    return Math.floor(this.#simulatedBase + (Date.now() - this.#realBase) * this.#speed);
  }

  /** Lets simulated time pass at once. */
  advance(ms: number): void {
    this.#simulatedBase += ms;
    this.tick();
  }

  /** Brings the pair to the time that it is, and comes back when something is due. */
  tick(): void {
    // Something that happens may touch the pair itself: it is at its time then.
    if (this.#stopped || this.#ticking) return;
    this.#ticking = true;
    this.pair.elapse(this.now());
    this.elapsed();
    this.#ticking = false;
    clearTimeout(this.#timer);
    const next = this.pair.nextEventAt();
    if (next === undefined || this.#speed === 0) return;
    const dueMs = Math.ceil((next - this.now()) / this.#speed);
    this.#timer = setTimeout(() => this.tick(), Math.min(LONGEST_TIMER_MS, Math.max(0, dueMs)));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
