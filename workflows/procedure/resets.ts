/**
 * A run that somebody reset: it is noticed where something happens, and nothing is done on top of it before it is known who
 * the run is now and what the part of history that was left behind had done.
 */
import { answers, ASK_AGAIN_MS, read } from './answers';
import { ASIDE } from './calls';
import { afterReset } from './inherited';
import type { Run } from './run';
import { CallFailed, type Identity, type Inherited, type PlanBase } from './types';

/** What is needed of the run. */
type ResetRun = Pick<Run<PlanBase>, 'runtime' | 'plan' | 'isFirm' | 'state' | 'now' | 'dispatch' | 'stumble'>;

export class Resets {
  private isUnverified = false;
  /** The activation in which the reset was seen. */
  private seenAt: number | undefined;

  constructor(private readonly run: ResetRun) {}

  /** A reset was seen, and what came before it isn't known yet. */
  get areOpen(): boolean {
    return this.isUnverified;
  }

  /** Sees a reset where something happens: what it means is looked at before anything is done. */
  private notice(): void {
    const { state, runtime } = this.run;
    const { identity, resetCount } = state;
    if (this.isUnverified || identity === undefined || !runtime.isReset(identity.executing, resetCount)) return;
    this.isUnverified = true;
    this.seenAt = runtime.activation();
  }

  /** Messages of before come once more, all at the time at which the run goes on. */
  isDeliveredAgain(): boolean {
    this.notice();
    return this.isUnverified && this.seenAt === this.run.runtime.activation();
  }

  /** Settles once it is known who this run is, and what it had done before a reset. */
  async verified(): Promise<void> {
    this.notice();
    await this.run.runtime.waitFor(() => !this.isUnverified);
  }

  /** A worker said that the run was reset: settles once that has been looked at. */
  lookAgain(): Promise<void> {
    this.isUnverified = true;
    return this.run.runtime.waitFor(() => !this.isUnverified);
  }

  /** After a reset: who it runs as now, and what the part of history that was left behind had done. */
  async verify(): Promise<void> {
    const { state, runtime } = this.run;
    const { identity } = state;
    while (identity !== undefined) {
      const whoami = runtime.call('core.whoami', {}, { ...ASIDE, summary: 'Which run this is' });
      try {
        const told = read(answers.whoami, await whoami.result);
        if ('value' in told) {
          const { runId } = told.value;
          if (runId !== identity.executing) await this.takeOver(identity, runId);
          break;
        }
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
      }
      await runtime.waitFor(() => false, { until: runtime.now() + ASK_AGAIN_MS });
    }
    this.isUnverified = false;
  }

  private async takeOver(identity: Identity, runId: string): Promise<void> {
    this.inherit(await afterReset(this.run, identity, runId));
  }

  /** Goes on from what histories told: of before a reset, or of an earlier run. */
  inherit(inherited: Inherited): void {
    const { run } = this;
    run.dispatch({ type: 'taken-over', inherited, at: run.now(), isFirm: run.isFirm });
    const lost = run.state.takenOver.at(-1)?.lost;
    // Of an earlier run: told with the first question.
    if (lost === undefined || inherited.from !== 'reset') return;
    // People decide, before anything is done on top of what nobody knows.
    const next = run.state.items.findIndex((i) => i.state !== 'done');
    run.dispatch({ type: 'recovering', recovery: { stumbleSettled: true, reason: `This run was reset: ${lost}` } });
    run.stumble(Math.max(0, next), 'failed', 'the run was reset');
  }
}
