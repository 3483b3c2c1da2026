/**
 * The next link of a run's chain: before the server's limits are near, a run that rests goes on as new, with its state. Never
 * during a call, a recovery that was asked for, or a reset that nobody has looked at.
 */
import { carried, type Carried } from './carry';
import type { Run } from './run';
import type { PlanBase, WaitOptions } from './types';

/** The server takes 10,000 signals for one link of a chain; well before that the run goes on in a new one. */
const MESSAGES_IN_A_LINK = 2_000;

/** What is needed of the run. */
type LinkedRun = Pick<
  Run<PlanBase>,
  'runtime' | 'core' | 'state' | 'now' | 'interrupted' | 'calls' | 'resets' | 'messages' | 'questions' | 'watches'
>;

export class Links {
  /** Set while the run waits for people or time alone: true of it while that goes on. */
  private resting: (() => boolean) | undefined;
  private isTooLargeToContinue = false;

  constructor(private readonly run: LinkedRun) {}

  /** Waits for people or for time; meanwhile the run may go on in another link, and this wait never ends. */
  rest(met: () => boolean, options: WaitOptions = {}): Promise<void> {
    return this.run.core === 1 ? this.run.runtime.waitFor(met, options) : this.restUntil(met, options);
  }

  private async restUntil(met: () => boolean, options: WaitOptions): Promise<void> {
    const { until } = options;
    const resting = (): boolean => !met() && (until === undefined || until > this.run.now());
    this.resting = resting;
    await this.run.runtime.waitFor(met, options);
    if (this.resting === resting) this.resting = undefined;
  }

  /** Between two steps a run that is to go on in another link rests until it does; false if that isn't so. */
  restForNext(): Promise<void> | false {
    return this.isDue() && this.rest(() => !this.isDue() || this.run.interrupted());
  }

  private isDue(): boolean {
    const { core, messages, runtime } = this.run;
    if (core === 1 || this.isTooLargeToContinue) return false;
    return messages.count >= MESSAGES_IN_A_LINK || runtime.isHistoryLong();
  }

  mayContinue(): boolean {
    const { calls, resets, state } = this.run;
    return (
      this.isDue() &&
      calls.areOver &&
      !resets.areOpen &&
      Object.keys(state.requests).length === 0 &&
      this.resting?.() === true
    );
  }

  /** What the next link begins with; undefined if something happened meanwhile, or it can't be carried. */
  async handOver(): Promise<Carried | undefined> {
    const { run } = this;
    await run.watches.handOver();
    if (run.state.chain.pending.length > 0)
      await run.questions.nextDigest('Digest of plan and evidence before the next link');
    if (this.mayContinue()) {
      const next = carried(run.state);
      if (next !== undefined) return next;
      this.isTooLargeToContinue = true;
    }
    run.watches.goOn();
    return undefined;
  }
}
