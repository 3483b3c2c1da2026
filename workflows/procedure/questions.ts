/**
 * Questions that a run asks people: opened under a digest over the plan and all evidence so far, closed by an answer, by time,
 * or withdrawn. What an answer is worth is judged in asks.ts.
 */
import { answers, ASK_AGAIN_MS, read } from './answers';
import { closedWith } from './asks';
import { ASIDE } from './calls';
import type { Run } from './run';
import { openingById, openOpenings, type Opening } from './state';
import { timelineSummary } from './text';
import { CallFailed, type PlanBase } from './types';

export interface Question {
  readonly ask: string;
  readonly kind: Opening['kind'];
  readonly question: string;
  readonly choices: readonly string[];
  readonly needed: number;
  readonly notRequester: boolean;
  readonly from?: readonly string[];
  readonly waivable?: readonly string[];
  readonly expiresAfterMs?: number;
  readonly onExpiry?: string;
}

/** What is needed of the run. */
type AskingRun = Pick<Run<PlanBase>, 'runtime' | 'core' | 'state' | 'now' | 'dispatch' | 'links'>;

export class Questions {
  constructor(private readonly run: AskingRun) {}

  /**
   * Opens a question and waits for its end; undefined if `dropped` came first (the question is withdrawn then). One that is
   * open already, as in the link before, is waited for.
   */
  async ask(question: Question, dropped: () => boolean): Promise<Opening['outcome']> {
    const { run } = this;
    let id = openOpenings(run.state).find((o) => o.id.startsWith(`${question.ask}#`))?.id;
    if (id === undefined) {
      await this.nextDigest(run.core === 1 ? undefined : timelineSummary({ id: this.nextId(question), ...question }));
      if (dropped()) return undefined;
      id = this.open(question);
    }
    const expiresAt = openingById(run.state, id)?.expiresAt;
    const asked = id;
    await run.links.rest(() => closedWith(run.state, asked) !== undefined || dropped(), {
      ...(expiresAt === undefined ? {} : { until: expiresAt }),
      ...(run.core === 1
        ? { summary: `Waiting for an answer to ${id}` }
        : { summary: this.timeline(id), isShown: true }),
    });
    const outcome = closedWith(run.state, id);
    if (outcome !== undefined) return dropped() && outcome.choice !== 'approve' ? undefined : outcome;
    const choice = dropped() ? 'withdrawn' : 'expired';
    run.dispatch({ type: 'closed', opening: id, outcome: { choice, by: [] } });
    return choice === 'withdrawn' ? undefined : closedWith(run.state, id);
  }

  private nextId({ ask }: Question): string {
    return `${ask}#${(this.run.state.openingCounts[ask] ?? 0) + 1}`;
  }

  private timeline(id: string): string {
    const opening = openingById(this.run.state, id);
    return opening === undefined ? id : timelineSummary(opening);
  }

  private open(question: Question): string {
    const { run } = this;
    const { ask, expiresAfterMs, onExpiry, ...rest } = question;
    const at = run.now();
    const id = this.nextId(question);
    const expiry =
      expiresAfterMs === undefined
        ? {}
        : { expiresAt: at + expiresAfterMs, ...(onExpiry === undefined ? {} : { onExpiry }) };
    const { digest } = run.state.chain;
    run.dispatch({ type: 'opened', ask, opening: { ...rest, ...expiry, id, digest, openedAt: at, answers: [] } });
    return id;
  }

  /** Chained over the plan and all evidence so far; computed by the worker once and read back from history ever after. */
  async nextDigest(summary = 'Digest of plan and evidence'): Promise<void> {
    const { run } = this;
    for (;;) {
      const { digest: previous, pending: evidence } = run.state.chain;
      const call = run.runtime.call('core.digest', { previous, evidence }, { ...ASIDE, summary });
      try {
        const told = read(answers.digest, await call.result);
        if ('value' in told) return run.dispatch({ type: 'chained', digest: told.value, taken: evidence.length });
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
      }
      // Nobody could answer a question under what is no digest.
      await run.runtime.waitFor(() => false, { until: run.now() + ASK_AGAIN_MS });
    }
  }
}
