/**
 * What looks beside the procedure: at most one watch, whose regression runs the escape, and at most one guard, whose loss runs
 * the remedy. Both are loops over one activity each (watch-loop.ts); this starts and ends them, and waits on the watch's clock.
 */
import type { Event, Requests, State } from './state';
import type { Action, Patience, PlanBase, Runtime, WatchSpec } from './types';
import { WatchLoop, type WatchHost } from './watch-loop';
import { resolveGiven, stepKey } from './wire';

/** A watch activity is started again for ever by the server; a regression or a checkpoint ends it. */
const WATCH_PATIENCE: Patience = { attempts: 0, intervalMs: 5_000 };
const WATCH_TIMEOUT_MS = 24 * 3_600_000;

/** What the watches need of the run. */
export interface WatchesHost {
  readonly runtime: Runtime;
  readonly plan: PlanBase;
  readonly state: () => State;
  readonly dispatch: (event: Event) => void;
  /** Notes requests, and cuts what they overrule. */
  readonly requested: (requests: Requests) => void;
  /** A fault of the code itself. */
  readonly die: (error: unknown) => void;
}

interface Loop {
  readonly loop: WatchLoop;
  readonly spec: WatchSpec;
  /** Runs when the loop finds what it looks for. */
  readonly answer: Action<'step'>;
}
type Role = 'watch' | 'guard';

export class Watches {
  private readonly loops: { watch?: Loop; guard?: Loop } = {};

  constructor(private readonly host: WatchesHost) {}

  /** Starts the watch or guard, or keeps the one that survived its body being dropped. */
  start(role: Role, item: number, spec: WatchSpec, answer: Action<'step'>): void {
    const { host } = this;
    const known = this.loops[role]?.loop;
    if (known?.watching && known.item === item) return;
    const now = (): number => host.runtime.now();
    host.dispatch({ type: 'item-started', item, at: now() });
    host.dispatch({ type: 'watch-started', role, item, at: now() });
    const { state } = host;
    const loopHost: WatchHost = {
      reported: (report) => host.dispatch({ type: 'watch-reported', role, report, at: now() }),
      blind: (why) => host.dispatch({ type: 'watch-blind', role, why }),
      callWatch: ({ action, name }, at, extra, options) => {
        const input = {
          schema: 1,
          step: stepKey(at, name),
          input: resolveGiven(action.input, (given) => state().items[given]?.result),
          ...extra,
          plan: host.plan,
        };
        return host.runtime.call(`${action.type}.check`, input, {
          ...options,
          queue: host.plan.queues.watch,
          timeoutMs: WATCH_TIMEOUT_MS,
          patience: WATCH_PATIENCE,
          pickup: true,
        });
      },
      waitUntil: (condition, until, summary) =>
        host.runtime.waitFor(condition, until === Infinity ? {} : { until, summary }),
      now,
      regressed: (at, why) =>
        host.requested(
          role === 'watch' ? { regression: { watch: at, why, at: now() } } : { lost: { guard: at, why, at: now() } },
        ),
    };
    const loop = new WatchLoop(loopHost, item, spec);
    this.loops[role] = { loop, spec, answer };
    loop.run().catch(host.die);
  }

  /** Starts one again that found what it looks for. */
  resume(role: Role): void {
    const known = this.loops[role];
    if (known !== undefined) this.start(role, known.loop.item, known.spec, known.answer);
  }

  end(role: Role): void {
    this.loops[role]?.loop.stop();
    delete this.loops[role];
    this.host.dispatch({ type: 'watch-ended', role });
  }

  /** Ends what was begun after an item of the list. */
  endAfter(floor: number): void {
    for (const role of ['watch', 'guard'] as const) if ((this.item(role) ?? -1) > floor) this.end(role);
  }

  endAll(): void {
    this.endAfter(-1);
  }

  /** Item of the one that is on. */
  item(role: Role): number | undefined {
    return this.loops[role]?.loop.item;
  }

  get escape(): Action<'step'> | undefined {
    return this.loops.watch?.answer;
  }

  get remedy(): Action<'step'> | undefined {
    return this.loops.guard?.answer;
  }

  /** Waits for observed time where a watch is on, for plain time otherwise. */
  async wait(item: number, name: string, ms: number, dropped: () => boolean): Promise<void> {
    const { runtime, dispatch, state } = this.host;
    const loop = this.loops.watch?.loop;
    const known = state().items[item]?.wait;
    if (known === undefined || known.watch !== loop?.item) {
      // What was observed before, as while traffic was still being moved, doesn't count.
      await loop?.refresh();
      if (dropped()) return;
      const fromMs = loop?.observedMs ?? runtime.now();
      dispatch({
        type: 'wait-started',
        item,
        at: runtime.now(),
        neededMs: ms,
        fromMs,
        ...(loop === undefined ? {} : { watch: loop.item }),
      });
    }
    const untilMs = (state().items[item]?.wait?.fromMs ?? 0) + ms;
    if (loop === undefined) {
      await runtime.waitFor(dropped, { until: untilMs, summary: name });
      return;
    }
    loop.aim(untilMs);
    await runtime.waitFor(() => loop.observedMs >= untilMs || dropped());
  }
}
