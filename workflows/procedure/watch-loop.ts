/**
 * Keeps one watch activity going beside the procedure: restarts it at checkpoints, shows it as blind when it can't run,
 * and hands a regression to the run. Its cost in history is proportional to its checkpoints.
 */
import { CallFailed, CutError, type Call, type CallOptions, type WatchReport, type WatchSpec } from './types';

/** A watch that can't run is tried again after this long, then after longer and longer; meanwhile it is shown as blind. */
const BLIND_RETRY_MS = 10_000;
const BLIND_RETRY_LIMIT_MS = 600_000;
/** Between two reports that brought no observed time, lest a broken watch spins. */
const IDLE_RETRY_MS = 1_000;
/** Upper bound on observed time between two checkpoints: four a day keep a month below 1,000 events. */
export const CHECKPOINT_MS = 6 * 3_600_000;

/** What the loop needs of the run. */
export interface WatchHost {
  reported(report: WatchReport): void;
  blind(why: string): void;
  callWatch(
    watch: WatchSpec,
    item: number,
    extra: { carry?: unknown; returnAfterObservedMs: number },
    options: Pick<CallOptions, 'summary'>,
  ): Call;
  waitUntil(condition: () => boolean, untilMs: number, summary: string): Promise<void>;
  now(): number;
  regressed(item: number, why: string): void;
}

export class WatchLoop {
  private active = true;
  private call: Call | undefined;
  private carry: unknown;
  private blindRetryMs = BLIND_RETRY_MS;
  private goal = Infinity;
  /** Calls that have ended, whatever they brought. */
  private reports = 0;
  observedMs = 0;

  constructor(
    private readonly host: WatchHost,
    readonly item: number,
    private readonly watch: WatchSpec,
  ) {}

  get watching(): boolean {
    return this.active;
  }

  /** Ask for a report as soon as so much has been observed; restarts the activity if it aims further. */
  aim(observedMs: number): void {
    const before = this.target();
    this.goal = observedMs;
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

  private target(): number {
    return Math.min(this.observedMs + CHECKPOINT_MS, this.goal > this.observedMs ? this.goal : Infinity);
  }

  async run(): Promise<void> {
    while (this.active) {
      const report = await this.once();
      if (!this.active) return;
      if (report === undefined) {
        this.reports++;
        continue;
      }
      const progress = report.observedMs > this.observedMs;
      this.observedMs = report.observedMs;
      this.carry = report.carry;
      this.blindRetryMs = BLIND_RETRY_MS;
      this.reports++;
      this.host.reported(withoutCarry(report));
      if (report.verdict === 'regression') {
        this.active = false;
        this.host.regressed(this.item, report.why ?? 'a probe failed beyond its tolerance');
        return;
      }
      if (!progress && report.verdict === 'checkpoint') {
        await this.host.waitUntil(() => !this.active, this.host.now() + IDLE_RETRY_MS, `${this.watch.name}: next look`);
      }
    }
  }

  private async once(): Promise<WatchReport | undefined> {
    const extra = { returnAfterObservedMs: this.target(), ...(this.carry === undefined ? {} : { carry: this.carry }) };
    this.call = this.host.callWatch(this.watch, this.item, extra, { summary: this.watch.name });
    try {
      return (await this.call.result) as WatchReport;
    } catch (error) {
      if (error instanceof CutError) return undefined;
      if (!(error instanceof CallFailed)) throw error;
      if (!this.active) return undefined;
      this.host.blind(error.message);
      await this.host.waitUntil(
        () => !this.active,
        this.host.now() + this.blindRetryMs,
        `${this.watch.name}: blind, trying again`,
      );
      this.blindRetryMs = Math.min(2 * this.blindRetryMs, BLIND_RETRY_LIMIT_MS);
      return undefined;
    } finally {
      this.call = undefined;
    }
  }
}

/** What the activity carries for itself is of no use in status and report. */
const withoutCarry = ({ carry: _carry, ...report }: WatchReport): WatchReport => report;
