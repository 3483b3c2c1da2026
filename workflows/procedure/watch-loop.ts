/**
 * Keeps one watch activity going beside the procedure: restarts it at checkpoints, shows it as blind when it can't run,
 * and hands a regression to the run. Its cost in history is proportional to its checkpoints. What it knows is in the run's
 * state, so that another link of the chain goes on with it.
 */
import { misfitOfReport } from './answers';
import type { WatchState } from './state';
import { CallFailed, CutError, type Call, type WatchReport } from './types';

/** A watch that can't run is tried again after this long, then after longer and longer; meanwhile it is shown as blind. */
const BLIND_RETRY_MS = 10_000;
const BLIND_RETRY_LIMIT_MS = 600_000;
/** Between two reports that brought no observed time, lest a broken watch spins. */
const IDLE_RETRY_MS = 1_000;
/** Upper bound on observed time between two checkpoints: four a day keep a month below 1,000 events. */
export const CHECKPOINT_MS = 6 * 3_600_000;

/** A monitoring period is told of in so many reports at least, if they are no less than this apart. */
const SHARES = 10;
const LEAST_SHARE_MS = 60_000;

/** What is asked of the activity besides its input. */
export interface WatchAsk {
  readonly carry?: unknown;
  readonly returnAfterObservedMs: number;
  /** Report as soon as everything has been looked at once: nobody watches before that, at the start and after a blind time. */
  readonly firstLook?: true;
}

/**
 * A worker's answer (worker/paused-watches.ts) for an activity that somebody paused while no worker had it in hand, and that the
 * server would keep back for ever; with what the last heartbeat told, if there was one.
 */
export interface HeldBack {
  readonly heldBack: true;
  readonly why: string;
  readonly carry?: unknown;
  readonly observedMs?: unknown;
}

const isHeldBack = (answer: WatchReport | HeldBack): answer is HeldBack =>
  (answer as Partial<HeldBack> | undefined)?.heldBack === true;

/** What the loop needs of the run. */
export interface WatchHost {
  /** What the state knows of it; undefined once another one has taken its place. */
  known(): WatchState | undefined;
  reported(report: WatchReport): void;
  blind(why: string, beaten?: { readonly carry: unknown; readonly observedMs: number }): void;
  aimed(goalMs: number): void;
  callWatch(ask: WatchAsk): Call;
  waitUntil(condition: () => boolean, untilMs: number, summary: string): Promise<void>;
  now(): number;
  regressed(why: string): void;
  /** True where the run waits for a first report (core 2). */
  readonly looksFirst: boolean;
  /** Reports are held to their shape. */
  readonly isFirm: boolean;
}

export class WatchLoop {
  private active = true;
  private leaving = false;
  private call: Call | undefined;
  /** Calls that have ended, whatever they brought. */
  private reports = 0;

  constructor(
    private readonly host: WatchHost,
    private readonly name: string,
  ) {}

  get watching(): boolean {
    return this.active;
  }

  get observedMs(): number {
    return this.host.known()?.observedMs ?? 0;
  }

  /** Ask for a report as soon as so much has been observed; restarts the activity if it aims further. */
  aim(observedMs: number): void {
    const before = this.target();
    this.host.aimed(observedMs);
    if (this.target() < before) this.call?.cut();
  }

  /** Brings `observedMs` up to date: the activity in hand reports and is started again. */
  async refresh(): Promise<void> {
    const { call } = this;
    if (call === undefined) return;
    const reports = this.reports;
    call.cut();
    await this.host.waitUntil(() => this.reports > reports || !this.active, Infinity, '');
  }

  stop(): void {
    this.active = false;
    this.call?.cut();
  }

  /** Ends with a last report, so that another link can go on with what it knows. */
  async handOver(): Promise<void> {
    this.leaving = true;
    await this.refresh();
    this.active = false;
  }

  private target(): number {
    const { observedMs } = this;
    const { goalMs: goal = Infinity, aimedAtMs = 0 } = this.host.known() ?? {};
    if (goal <= observedMs) return observedMs + CHECKPOINT_MS;
    // People are shown how far it is: what was reported, and nothing else.
    const share = this.host.looksFirst ? Math.max(LEAST_SHARE_MS, (goal - aimedAtMs) / SHARES) : Infinity;
    return Math.min(observedMs + CHECKPOINT_MS, goal, Math.ceil(observedMs + share));
  }

  async run(): Promise<void> {
    while (this.active && !this.leaving) {
      const observedMs = this.observedMs;
      const report = await this.once();
      if (!this.active) return;
      if (report === undefined) {
        this.reports++;
        continue;
      }
      this.host.reported(report);
      this.reports++;
      if (report.verdict === 'regression') {
        this.active = false;
        this.host.regressed(report.why ?? 'a probe failed beyond its tolerance');
        return;
      }
      if (report.observedMs <= observedMs && report.verdict === 'checkpoint' && !this.leaving) {
        await this.host.waitUntil(
          () => !this.active || this.leaving,
          this.host.now() + IDLE_RETRY_MS,
          `${this.name}: next look`,
        );
      }
    }
  }

  private async once(): Promise<WatchReport | undefined> {
    const known = this.host.known();
    this.call = this.host.callWatch({
      returnAfterObservedMs: this.target(),
      ...(known?.carry === undefined ? {} : { carry: known.carry }),
      ...(this.host.looksFirst && (known?.report === undefined || known.state === 'blind') ? { firstLook: true } : {}),
    });
    try {
      const answer = await this.call.result;
      const misfit = misfitOfReport(answer, this.host.isFirm);
      if (misfit !== undefined) throw new CallFailed('CorruptResult', noReport(misfit));
      const told = answer as WatchReport | HeldBack;
      if (!isHeldBack(told)) return told;
      if (this.active) await this.beBlind(told.why, told);
      return undefined;
    } catch (error) {
      if (error instanceof CutError) return undefined;
      if (!(error instanceof CallFailed)) throw error;
      if (this.active) await this.beBlind(error.message, error.beaten);
      return undefined;
    } finally {
      this.call = undefined;
    }
  }

  /** Shows that nobody watches, and why, and waits before the next try. */
  private beBlind(why: string, beaten: unknown): Promise<void> {
    this.host.blind(why, beatenOf(beaten));
    const times = (this.host.known()?.blindTimes ?? 1) - 1;
    return this.host.waitUntil(
      () => !this.active || this.leaving,
      this.host.now() + Math.min(BLIND_RETRY_MS * 2 ** Math.min(times, 16), BLIND_RETRY_LIMIT_MS),
      `${this.name}: blind, trying again`,
    );
  }
}

/** Nobody watched, as far as is known. */
const noReport = (misfit: string): string =>
  `what was answered for the watch is no report (${misfit}): somebody completed it from outside, or its worker is of another build`;

/** What a lost attempt told with its last heartbeat: observed time and windows of failures outlive the worker. */
function beatenOf(beaten: unknown): { readonly carry: unknown; readonly observedMs: number } | undefined {
  const { carry, observedMs } = (beaten ?? {}) as { readonly carry?: unknown; readonly observedMs?: unknown };
  return carry === undefined || typeof observedMs !== 'number' ? undefined : { carry, observedMs };
}
