/** How many monitoring periods this process could still watch, for each queue of watches that it polls. */

export interface WatchRoom {
  readonly slots: number;
  readonly free: number;
}

/** What is asked of a worker of the SDK. */
interface Watcher {
  getStatus(): { readonly numInFlightActivities: number };
}

/** Watches at once on each queue of watches; 1,000 cost half a core and 1 GB (measured). */
export const WATCH_SLOTS = 1_000;

export class WatchRooms {
  private readonly watchers = new Map<string, Watcher>();

  constructor(readonly slots: number = WATCH_SLOTS) {}

  add(queue: string, watcher: Watcher): void {
    this.watchers.set(queue, watcher);
  }

  /** Undefined for a queue that this process doesn't poll: others may. */
  of(queue: string): WatchRoom | undefined {
    const watcher = this.watchers.get(queue);
    if (watcher === undefined) return undefined;
    const { numInFlightActivities } = watcher.getStatus();
    return { slots: this.slots, free: Math.max(0, this.slots - numInFlightActivities) };
  }
}
