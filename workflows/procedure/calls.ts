/**
 * Calls of a run to its workers: at most one act, undo or escape at a time, each one numbered, and cut by what overrules it.
 * The order of commands of core 1 hangs on every tick in here.
 */
import { answers, misfitOfResult, read } from './answers';
import type { Run } from './run';
import type { Failure } from './state';
import { CallFailed, CutError, type Action, type Call, type CallOptions, type Patience, type PlanBase } from './types';
import { resolveGiven, stepKey } from './wire';

/** A step that says nothing else is tried for 5 minutes. */
const DEFAULT_PATIENCE: Patience = { attempts: 30, intervalMs: 10_000 };
const DEFAULT_TIMEOUT_MS = 120_000;
/** What the core asks of its worker: pure, and quick. */
export const ASIDE: Omit<CallOptions, 'summary'> = {
  local: true,
  timeoutMs: 10_000,
  patience: { attempts: 0, intervalMs: 1_000 },
};

export type Verb = 'check' | 'observe' | 'act' | 'undo';
/** Who may cut a call: requests cut forward calls; only a regression cuts a step's own undo; nothing cuts the rest. */
export type Role = 'forward' | 'own-undo' | 'undo' | 'escape' | 'remedy';
/** Beside the steps: has no before of its own, and looks for itself. */
const isBeside = (role: Role): boolean => role === 'escape' || role === 'remedy';
export type Performed =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'cut' };

/** What calls need of the run. */
type Caller = Pick<Run<PlanBase>, 'runtime' | 'plan' | 'core' | 'isFirm' | 'state' | 'note' | 'interrupted' | 'resets'>;

export class Calls {
  private inFlight: { readonly call: Call; readonly role: Role } | undefined;

  constructor(private readonly run: Caller) {}

  /** Nothing that may change something is under way. */
  get areOver(): boolean {
    return this.inFlight === undefined;
  }

  /** Runs one member of an action's family and waits for its end, whatever that is. Never throws but for faults of the code. */
  perform(action: Action, verb: Verb, item: number, role: Role): Promise<Performed> {
    // Not a tick more than before: the order of commands of core 1 hangs on that.
    return this.run.core === 1 ? this.once(action, verb, item, role) : this.afterLook(action, verb, item, role);
  }

  private async afterLook(action: Action, verb: Verb, item: number, role: Role): Promise<Performed> {
    const { run } = this;
    const { resets } = run;
    for (;;) {
      await resets.verified();
      // After a reset what was there before is known from the history that was left behind.
      const before = run.state.items[item]?.before;
      if (verb === 'observe' && before !== undefined) return { kind: 'done', value: before.value };
      const performed = await this.once(action, verb, item, role);
      if (performed.kind !== 'failed' || performed.failure.type !== 'WasReset') return performed;
      // Nothing was touched: what ran before the reset comes first.
      const executing = run.state.identity?.executing;
      await resets.lookAgain();
      if (run.state.identity?.executing === executing) return performed;
      if (role === 'forward' && run.interrupted()) return { kind: 'cut' };
    }
  }

  private async once(action: Action, verb: Verb, item: number, role: Role): Promise<Performed> {
    const { state, plan } = this.run;
    const entry = state.items[item];
    const before = entry?.before === undefined || isBeside(role) ? {} : { before: entry.before.value };
    const input = {
      schema: 1,
      step: stepKey(item, isBeside(role) ? role : (entry?.item.name ?? '')),
      input: resolveGiven(action.input, (given) => state.items[given]?.result),
      ...before,
      plan,
    };
    const call = this.identified(`${action.type}.${verb}`, input, {
      ...this.optionsOf(action),
      summary: this.summaryOf(verb, item, entry?.item.name ?? action.type, role),
    });
    this.inFlight = { call, role };
    this.cutOverruled();
    try {
      const value = await call.result;
      const misfit = this.run.isFirm ? misfitOfResult(verb, value) : undefined;
      if (misfit !== undefined) throw new CallFailed('CorruptResult', noResult(`${action.type}.${verb}`, misfit));
      return { kind: 'done', value };
    } catch (error) {
      if (error instanceof CutError) return { kind: 'cut' };
      if (!(error instanceof CallFailed)) throw error;
      const { type, message, details } = error;
      return { kind: 'failed', failure: { type, message, ...(details === undefined ? {} : { details }) } };
    } finally {
      this.inFlight = undefined;
    }
  }

  /**
   * A call that says whose it is, over all links: hosts order the attempts of a run by it. Numbers grow, and may leave some out:
   * a call that is cut in the activation that made it, as a watch that is aimed further at once, is never sent.
   */
  identified(activity: string, input: Readonly<Record<string, unknown>>, options: CallOptions): Call {
    const { run } = this;
    run.note({ type: 'called' });
    const { identity } = run.state;
    if (identity === undefined) return run.runtime.call(activity, input, options);
    const { firstRunId, link, executing, calls: number, adopted } = identity;
    const own = {
      firstRunId,
      link,
      number,
      executing,
      ...(adopted === undefined ? {} : { adopted }),
      ...(run.state.takenOver.length === 0 ? {} : { goesOn: true }),
    };
    return run.runtime.call(activity, { ...input, run: own }, options);
  }

  private optionsOf(action: Action): Omit<CallOptions, 'summary'> {
    const { queues } = this.run.plan;
    const queue = action.site === undefined ? queues.default : (queues.sites[action.site] ?? queues.default);
    return { queue, timeoutMs: action.timeoutMs ?? DEFAULT_TIMEOUT_MS, patience: action.patience ?? DEFAULT_PATIENCE };
  }

  private summaryOf(verb: Verb, item: number, name: string, role: Role): string {
    if (item === this.run.state.items.length) return 'Let go of the hosts';
    if (role === 'escape') return 'Move traffic away at once';
    if (role === 'remedy') return `Put right: ${name}`;
    const words: Record<Verb, string> = {
      check: name,
      observe: `${name}: look first`,
      act: name,
      undo: `Undo: ${name}`,
    };
    return words[verb];
  }

  /** Cuts what is in flight if a request overrules it. */
  cutOverruled(): void {
    if (this.inFlight === undefined) return;
    const { requests } = this.run.state;
    const { call, role } = this.inFlight;
    if (role === 'forward' && Object.keys(requests).length > 0) call.cut();
    if (role === 'own-undo' && requests.regression !== undefined) call.cut();
  }

  /** How many watches the worker that runs this could still take on; undefined where it can't tell. */
  async watchRoom(): Promise<{ readonly slots: number; readonly free: number } | undefined> {
    const { runtime, plan } = this.run;
    const input = { queue: plan.queues.watch };
    const call = runtime.call('core.watchRoom', input, { ...ASIDE, summary: 'Is there room for one more watch?' });
    try {
      const told = read(answers.watchRoom, await call.result);
      return 'value' in told ? told.value : undefined;
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      return undefined;
    }
  }
}

/** What it did isn't known then, as after any failure. */
const noResult = (activity: string, misfit: string): string =>
  `what was answered for ${activity} is no result of it (${misfit}): somebody completed it from outside, or its worker is of another build. What it did is not known. Next: retry looks anew`;
