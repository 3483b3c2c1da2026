/** What happens to activities of a kept run, call by call: each fails, hangs or answers as the scenario says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../engine-run';

export type Turn =
  /** As the model does it. */
  | 'ok'
  /** Until it is cut, or let go of: then as the model does it. */
  | 'hang'
  /** As a worker that was killed: nothing is heard of it any more. */
  | 'dies'
  /** For good, unless `passing`: then it is tried again. */
  | { readonly fails: string; readonly message?: string; readonly details?: unknown; readonly passing?: true }
  | { readonly answers: unknown }
  /** Tells this with its heartbeats, until it is cut or its worker ends. */
  | { readonly beats: unknown };

/** By activity type: what its first, second … call does. Any later one is as the model does it. */
export type Turns = Readonly<Record<string, readonly Turn[]>>;

export class Script {
  private readonly left: Map<string, Turn[]>;
  private readonly hanging = new Map<string, () => void>();
  private readonly waiting: { readonly activity: string; readonly resolve: () => void }[] = [];

  constructor(turns: Turns) {
    this.left = new Map(Object.entries(turns).map(([activity, list]) => [activity, [...list]]));
  }

  /** Changes what the next calls of an activity do. */
  then(activity: string, ...turns: Turn[]): void {
    this.left.set(activity, turns);
  }

  /** Once a call of this activity hangs. */
  hangs(activity: string): Promise<void> {
    if (this.hanging.has(activity)) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ activity, resolve }));
  }

  letGo(activity: string): void {
    this.hanging.get(activity)?.();
  }

  wrap(activities: Activities): Activities {
    const unknown = [...this.left.keys()].filter((activity) => activities[activity] === undefined);
    if (unknown.length > 0) throw new Error(`a scenario speaks of activities that aren't there: ${unknown.join(', ')}`);
    return Object.fromEntries(
      Object.entries(activities).map(([name, work]) => [
        name,
        async (input: never) => {
          const turn = this.left.get(name)?.shift() ?? 'ok';
          if (turn === 'ok') return work(input);
          if (turn === 'hang') {
            await this.hang(name);
            return work(input);
          }
          if (turn === 'dies') return Context.current().cancelled;
          if ('answers' in turn) return turn.answers;
          if ('beats' in turn) return this.hang(name, turn.beats);
          const message = turn.message ?? `${name} says no`;
          const details = turn.details === undefined ? [] : [turn.details];
          if (turn.passing) throw ApplicationFailure.retryable(message, turn.fails, ...details);
          throw ApplicationFailure.nonRetryable(message, turn.fails, ...details);
        },
      ]),
    );
  }

  private async hang(activity: string, beat?: unknown): Promise<void> {
    const context = Context.current();
    let free = false;
    const go = new Promise<void>((resolve) =>
      this.hanging.set(activity, () => {
        free = true;
        resolve();
      }),
    );
    for (const { resolve } of this.waiting.filter((w) => w.activity === activity)) resolve();
    try {
      // A cut comes as the answer to a heartbeat.
      while (!free) {
        context.heartbeat(beat);
        await Promise.race([go, sleep(200), context.cancelled]);
      }
    } finally {
      this.hanging.delete(activity);
    }
  }
}
