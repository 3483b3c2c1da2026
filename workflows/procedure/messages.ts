/**
 * Messages of people to a run: signals, Updates and Temporal's cancellation. Each is judged (asks.ts) and either changes the
 * state or is refused and shown. Nothing here throws.
 */
import { judge, judgeUpdate, refusedEvent, type Asked, type Judged } from './asks';
import type { Run } from './run';
import type { Event } from './events';
import type { Inbox, PlanBase } from './types';

const DELIVERED_AGAIN = {
  refusal: 'the reset of this run delivered it once more, and it acts only once: send it again if it still holds',
} as const;

/** What is needed of the run. */
type AddressedRun = Pick<
  Run<PlanBase>,
  'plan' | 'core' | 'state' | 'now' | 'dispatch' | 'calls' | 'resets' | 'switchBackTarget'
>;

export class Messages implements Inbox {
  /** In this link. */
  count = 0;

  constructor(private readonly run: AddressedRun) {}

  signal(name: string, raw: unknown): void {
    this.count++;
    const { run } = this;
    // A signal of this name once cancelled a run; histories of that time have it so.
    if (run.core === 1 && name === 'cancel') return this.cancel();
    const isAnswer = name === 'approve' || name === 'reject' || name === 'decide';
    const judged: Judged =
      run.resets.isDeliveredAgain() && !isAnswer ? DELIVERED_AGAIN : judge(this.asked(), name, raw);
    if ('refusal' in judged) run.dispatch(refusedEvent(name, raw, judged.refusal, run.now()));
    else this.apply(judged.events);
  }

  /** The server doesn't deliver a cancellation again. */
  cancel(): void {
    this.count++;
    const at = this.run.now();
    if (!this.run.state.cancelled) this.apply([{ type: 'requested', requests: { cancel: { at } } }]);
  }

  refusal(name: string, raw: unknown): string | undefined {
    const judged = judgeUpdate(this.asked(), name, raw);
    return 'refusal' in judged ? judged.refusal : undefined;
  }

  /** An Update: its sender hears what came of it. */
  accept(name: string, raw: unknown): unknown {
    this.count++;
    const judged =
      this.run.resets.isDeliveredAgain() && name !== 'answer' ? DELIVERED_AGAIN : judgeUpdate(this.asked(), name, raw);
    if ('refusal' in judged) return { accepted: false, why: judged.refusal };
    this.apply(judged.events);
    return { accepted: true, ...judged.told };
  }

  private asked(): Asked {
    const { run } = this;
    const { state, plan, core } = run;
    return { state, plan, core, at: run.now(), switchBack: run.switchBackTarget() };
  }

  private apply(events: readonly Event[]): void {
    for (const event of events) this.run.dispatch(event);
    this.run.calls.cutOverruled();
  }
}
