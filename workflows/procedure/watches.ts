/**
 * What looks beside the procedure: at most one watch, whose regression runs the escape, and at most one guard, whose loss runs
 * the remedy. Both are loops over one activity each (watch-loop.ts); this starts and ends them, and waits on the watch's clock.
 */
import type { Event } from './events';
import type { Requests, State } from './state';
import type { Action, Call, CallOptions, Patience, PlanBase, Runtime, WatchSpec } from './types';
import { WatchLoop, type WatchAsk, type WatchHost } from './watch-loop';
import { resolveGiven, stepKey } from './wire';

/** A watch activity is started again for ever by the server; a regression or a checkpoint ends it. */
const WATCH_PATIENCE: Patience = { attempts: 0, intervalMs: 5_000 };
const WATCH_TIMEOUT_MS = 24 * 3_600_000;

/** What the watches need of the run. */
export interface WatchesHost {
  readonly runtime: Runtime;
  readonly plan: PlanBase;
  /** Rules of core 2: a first look is waited for. */
  readonly looksFirst: boolean;
  /** Reports are held to their shape. */
  readonly isFirm: boolean;
  readonly state: () => State;
  readonly dispatch: (event: Event) => void;
  /** A call of this run, with its identity. */
  readonly call: (activity: string, input: Readonly<Record<string, unknown>>, options: CallOptions) => Call;
  /** Notes requests, and cuts what they overrule. */
  readonly requested: (requests: Requests) => void;
  /** A fault of the code itself. */
  readonly die: (error: unknown) => void;
}

type Role = 'watch' | 'guard';
const roles = ['watch', 'guard'] as const;

export class Watches {
  private readonly loops: { watch?: WatchLoop; guard?: WatchLoop } = {};

  constructor(private readonly host: WatchesHost) {}

  /** Starts the watch or guard, or keeps the one that survived its body being dropped. */
  start(role: Role, item: number, spec: WatchSpec, answer: Action<'step'>): void {
    const { dispatch, runtime } = this.host;
    if (this.loops[role]?.watching && this.item(role) === item) return;
    dispatch({ type: 'item-started', item, at: runtime.now() });
    dispatch({ type: 'watch-started', role, item, at: runtime.now(), spec, answer });
    this.begin(role);
  }

  /** Goes on with those that the state knows, in a new link of the chain. */
  goOn(): void {
    for (const role of roles) {
      const known = this.host.state()[role];
      if (known?.on === true && known.state !== 'regression' && this.loops[role]?.watching !== true) this.begin(role);
    }
  }

  /** Starts the loop of what the state has as on. */
  private begin(role: Role): void {
    const { host } = this;
    const { state, dispatch, runtime } = host;
    const began = state()[role];
    if (began === undefined) return;
    const { item, spec } = began;
    const now = (): number => runtime.now();
    const loopHost: WatchHost = {
      looksFirst: host.looksFirst,
      isFirm: host.isFirm,
      known: () => (this.loops[role] === loop ? state()[role] : undefined),
      reported: (report) => dispatch({ type: 'watch-reported', role, report, at: now() }),
      blind: (why, beaten) => dispatch({ type: 'watch-blind', role, why, ...(beaten === undefined ? {} : { beaten }) }),
      aimed: (goalMs) => dispatch({ type: 'watch-aimed', role, goalMs }),
      callWatch: (ask: WatchAsk) => {
        const { action, name } = spec;
        const input = {
          schema: 1,
          step: stepKey(item, name),
          input: resolveGiven(action.input, (given) => state().items[given]?.result),
          ...ask,
          plan: host.plan,
        };
        return host.call(`${action.type}.check`, input, {
          summary: name,
          queue: host.plan.queues.watch,
          timeoutMs: WATCH_TIMEOUT_MS,
          patience: WATCH_PATIENCE,
          pickup: true,
        });
      },
      waitUntil: (condition, until, summary) =>
        runtime.waitFor(condition, until === Infinity ? {} : { until, summary }),
      now,
      regressed: (why) =>
        host.requested(
          role === 'watch'
            ? { regression: { watch: item, why, at: now() } }
            : { lost: { guard: item, why, at: now() } },
        ),
    };
    const loop: WatchLoop = new WatchLoop(loopHost, spec.name);
    this.loops[role] = loop;
    loop.run().catch(host.die);
  }

  /** Starts one again that found what it looks for. */
  resume(role: Role): void {
    const known = this.host.state()[role];
    if (known?.on === true) this.start(role, known.item, known.spec, known.answer);
  }

  end(role: Role): void {
    this.loops[role]?.stop();
    delete this.loops[role];
    this.host.dispatch({ type: 'watch-ended', role });
  }

  /** Ends what was begun after an item of the list. */
  endAfter(floor: number): void {
    for (const role of roles) if ((this.item(role) ?? -1) > floor) this.end(role);
  }

  endAll(): void {
    this.endAfter(-1);
  }

  /** Item of the one that is on. */
  item(role: Role): number | undefined {
    const known = this.host.state()[role];
    return known?.on === true ? known.item : undefined;
  }

  get escape(): Action<'step'> | undefined {
    return this.answer('watch');
  }

  get remedy(): Action<'step'> | undefined {
    return this.answer('guard');
  }

  private answer(role: Role): Action<'step'> | undefined {
    const known = this.host.state()[role];
    return known?.on === true ? known.answer : undefined;
  }

  /** Cuts both for their last reports; `goOn` starts them again, here or in the next link. */
  async handOver(): Promise<void> {
    await Promise.all(Object.values(this.loops).map((loop: WatchLoop) => loop.handOver()));
  }

  /**
   * Waits until somebody has watched: true with the first report, false if nobody could within so many tries. Traffic isn't
   * moved before.
   */
  async firstReport(tries: number, dropped: () => boolean): Promise<boolean> {
    const { runtime, state } = this.host;
    const reported = (): boolean => state().watch?.report !== undefined;
    const times = (): number => state().watch?.blindTimes ?? 0;
    const before = times();
    const gaveUp = (): boolean => times() - before >= tries;
    await runtime.waitFor(() => reported() || gaveUp() || dropped());
    return reported() || dropped();
  }

  /** Waits for observed time where a watch is on, for plain time otherwise. */
  async wait(
    item: number,
    name: string,
    ms: number,
    dropped: () => boolean,
    rest: (met: () => boolean, options?: { until?: number; summary?: string }) => Promise<void>,
  ): Promise<void> {
    const { runtime, dispatch, state } = this.host;
    const loop = this.loops.watch;
    const watch = this.item('watch');
    const known = state().items[item]?.wait;
    if (known === undefined || known.watch !== watch) {
      // What was observed before, as while traffic was still being moved, doesn't count.
      await loop?.refresh();
      if (dropped()) return;
      const fromMs = loop === undefined ? runtime.now() : (state().watch?.observedMs ?? 0);
      dispatch({
        type: 'wait-started',
        item,
        at: runtime.now(),
        neededMs: ms,
        fromMs,
        ...(watch === undefined ? {} : { watch }),
      });
    }
    const untilMs = (state().items[item]?.wait?.fromMs ?? 0) + ms;
    if (loop === undefined) {
      await rest(dropped, { until: untilMs, summary: name });
      return;
    }
    loop.aim(untilMs);
    await rest(() => (state().watch?.observedMs ?? 0) >= untilMs || dropped());
  }
}
