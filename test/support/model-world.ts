/**
 * What models of all systems have in common: activities that take virtual time and fail as a scenario says, at most one act at
 * a time, and promises that are held against every change.
 */
import { CallFailed, CutError } from '../../workflows/procedure/types';
import { TransientError, type ActivityContext, type MemoryRuntime } from './memory-runtime';

/** What the core sends to an activity, as far as models read it. */
export interface ModelCall {
  readonly input: Record<string, unknown>;
  readonly before?: Record<string, unknown>;
  readonly returnAfterObservedMs?: number;
  readonly carry?: { observedMs: number; pass: number };
  readonly firstLook?: true;
}

/** How the world misbehaves: asked before each activity and at each look of the watch. */
export interface Mischief<Node> {
  /** 'transient' and 'permanent' fail before anything was done, 'late' after half of it was. */
  fault(activity: string): 'none' | 'transient' | 'permanent' | 'late';
  /** Virtual milliseconds that a piece of work takes. */
  takes(activity: string): number;
  /** True if the node that serves is sick at this moment: probes fail. */
  sick(node: Node, name: string, nowMs: number): boolean;
}

export const goodWorld: Mischief<unknown> = { fault: () => 'none', takes: () => 1_000, sick: () => false };

const PROBE_INTERVAL_MS = 10_000;

export abstract class ModelWorld<Node> {
  runtime!: MemoryRuntime;
  readonly broken: string[] = [];
  readonly acts: string[] = [];
  private acting = 0;

  constructor(protected readonly mischief: Mischief<Node> = goodWorld) {}

  /** Holds the state of the world against its promises. */
  protected abstract look(): void;
  /** What a step or check returns: a sentence, and what is now known of the nodes. */
  protected abstract standing(summary: string): unknown;

  protected promise(holds: boolean, what: string): void {
    if (!holds) this.broken.push(`${this.runtime.now()}: ${what}`);
  }

  /** Runs work that changes things; never two at once. `half` takes the time, and is where a late fault or a cut falls. */
  protected async act(
    name: string,
    context: ActivityContext,
    work: (half: () => Promise<void>) => Promise<unknown>,
  ): Promise<unknown> {
    this.acting++;
    this.promise(this.acting === 1, `${name} began while another act was in flight`);
    try {
      const fault = this.mischief.fault(name);
      if (fault === 'transient') throw new TransientError(`${name} did not answer`);
      if (fault === 'permanent') throw new CallFailed('CommandFailed', `${name} failed for good`);
      const result = await work(async () => {
        await context.sleep(this.mischief.takes(name));
        if (context.signal.aborted) throw new CutError('cut');
        if (fault === 'late') throw new CallFailed('CommandFailed', `${name} failed half way`);
      });
      this.acts.push(name);
      return result;
    } finally {
      this.acting--;
      this.look();
    }
  }

  protected async check(name: string, context: ActivityContext): Promise<unknown> {
    await context.sleep(this.mischief.takes(name));
    if (context.signal.aborted) throw new CutError('cut');
    const fault = this.mischief.fault(name);
    if (fault === 'transient') throw new TransientError(`${name} did not answer`);
    if (fault !== 'none') throw new CallFailed('NotReady', `${name} says no`);
    return this.standing(`${name} ok`);
  }

  /** A watch that looks every few seconds; `trouble` says what is wrong, if anything is. */
  protected async watched(
    call: ModelCall,
    context: ActivityContext,
    trouble: () => string | undefined,
  ): Promise<unknown> {
    const carry = { observedMs: 0, pass: 0, ...call.carry };
    const report = (verdict: string, why?: string): unknown => ({
      verdict,
      ...carry,
      fail: why === undefined ? 0 : 1,
      inconclusive: 0,
      carry,
      ...(why === undefined ? {} : { why }),
    });
    for (;;) {
      const until =
        call.firstLook === true
          ? 1
          : Math.min(PROBE_INTERVAL_MS, (call.returnAfterObservedMs ?? Infinity) - carry.observedMs);
      await context.sleep(Math.max(1, until));
      if (context.signal.aborted) return report('cut');
      // One answer of each probe is no verdict yet: tolerances want more.
      if (call.firstLook === true) return report('checkpoint');
      const why = trouble();
      if (why !== undefined) return report('regression', why);
      carry.observedMs += Math.max(1, until);
      carry.pass++;
      if (carry.observedMs >= (call.returnAfterObservedMs ?? Infinity)) return report('checkpoint');
    }
  }
}
