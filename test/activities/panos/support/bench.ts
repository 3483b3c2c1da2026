/**
 * Single steps over a simulated pair in virtual time: observe, act and undo as the core calls them, each request that
 * reaches a device counted, and a worker that may die at any of them.
 */
import { ApplicationFailure } from '@temporalio/common';
import {
  observed,
  type CheckDefinition,
  type Finding,
  type Preview,
  type StepContext,
  type StepDefinition,
} from '../../../../activities/kit';
import { completePlan, panosActivities, type PanosActivities, type PanosPlan } from '../../../../activities/panos';
import { operationOf } from '../../../../simulators/panos/api';
import type { Fault, SimulatedDevice } from '../../../../simulators/panos';
import { MemoryRuntime } from '../../../support/memory-runtime';
import { goodWorld } from '../../../support/model-world';
import { staticPlan, type PanosRunOptions } from '../../../support/panos-run';
import { PanosWorld } from '../../../support/panos-world';

type NameOf<Kind> = {
  [K in keyof PanosActivities]: PanosActivities[K]['kind'] extends Kind ? K : never;
}[keyof PanosActivities];
type StepName = NameOf<'step'>;
type CheckName = NameOf<'check'>;
type AnyStep = StepDefinition<unknown, unknown, never>;

export interface Failed extends Error {
  readonly type?: string;
  readonly nonRetryable?: boolean;
}

export interface BenchOptions extends PanosRunOptions {
  /** Attempts of one act or undo, ten seconds apart, as in the procedure. */
  readonly attempts?: number;
}

export const SUSPEND = 'request high-availability state suspend';
export const FUNCTIONAL = 'request high-availability state functional';
export const INSTALL = 'request system software install';
export const DOWNLOAD = 'request system software download';
export const RESTART = 'request restart system';

export class Bench {
  /** Operations that reached a device and took effect, as "fw-b commit". */
  readonly done: string[] = [];
  private fatal: { readonly operation: string; readonly when: 'before' | 'after' } | undefined;
  /** Ends the attempt that goes on. */
  private worker = new AbortController();
  private readonly steps: PanosActivities;

  private constructor(
    readonly world: PanosWorld,
    readonly runtime: MemoryRuntime,
    readonly plan: PanosPlan,
    private readonly attempts: number,
  ) {
    const ready = async () => ({ summary: 'ready' });
    this.steps = panosActivities(world.services, { probes: ready, routing: ready, prefer: world.prefer });
    for (const device of world.pair.devices) this.spyOn(device);
  }

  static async start(options: BenchOptions = {}): Promise<Bench> {
    const world = new PanosWorld(goodWorld, options.pair);
    options.prepare?.(world);
    const runtime = new MemoryRuntime({});
    world.runtime = runtime;
    const plan = await runtime.drive(completePlan(world.services)(world.contextOf(staticPlan(world, options))));
    return new Bench(world, runtime, plan, options.attempts ?? 4);
  }

  device(name: string): SimulatedDevice {
    return this.world.deviceOf(name);
  }

  get states(): string[] {
    return this.world.pair.devices.map(({ haState }) => haState);
  }

  fault(...faults: readonly Fault[]): void {
    for (const fault of faults) this.world.pair.faults.inject(fault);
  }

  /** How often an operation took effect on a device. */
  count(node: string, operation: string): number {
    return this.done.filter((line) => `${line} `.startsWith(`${node} ${operation} `)).length;
  }

  /** Lets virtual time pass. */
  pass(ms: number): Promise<void> {
    return this.runtime.drive(this.runtime.sleep(ms).then(() => this.world.pair.elapse(this.world.now())));
  }

  observe(step: StepName, input: unknown): Promise<unknown> {
    return this.run((context) => (this.steps[step] as unknown as AnyStep).observe(context, input));
  }

  /** The first look as the core has it, which holds what it finds against the plan. */
  firstLook(step: StepName, input: unknown): Promise<unknown> {
    return this.run((context) => observed(this.steps[step] as unknown as AnyStep, context, input));
  }

  act(step: StepName, input: unknown, before: unknown): Promise<{ summary: string; changed: boolean }> {
    return this.run((context) => (this.steps[step] as unknown as AnyStep).act(context, input, before));
  }

  undo(step: StepName, input: unknown, before: unknown): Promise<{ summary: string; changed: boolean }> {
    return this.run((context) => (this.steps[step] as unknown as AnyStep).undo(context, input, before));
  }

  async preview(step: StepName, input: unknown): Promise<Preview> {
    const before: unknown = await this.observe(step, input);
    return this.run((context) => (this.steps[step] as unknown as AnyStep).preview(context, input, before));
  }

  check(check: CheckName, input: unknown): Promise<Finding> {
    const { check: look } = this.steps[check] as unknown as CheckDefinition<unknown, Finding, never>;
    return this.run((context) => look(context, input));
  }

  /** Observe and act. Returns what was observed, for the undo. */
  async step(step: StepName, input: unknown): Promise<unknown> {
    const before: unknown = await this.observe(step, input);
    await this.act(step, input, before);
    return before;
  }

  /** The worker of the next attempt dies when it sends this, or when the device has done it. Another one goes on. */
  dieAt(operation: string, when: 'before' | 'after'): void {
    this.fatal = { operation, when };
  }

  /** An act whose call is cut when the device has done this. */
  async cutAt(operation: string, step: StepName, input: unknown, before: unknown): Promise<void> {
    this.dieAt(operation, 'after');
    await expect(
      this.once((context) => (this.steps[step] as unknown as AnyStep).act(context, input, before), 1),
    ).rejects.toThrow('the worker died');
  }

  /** Attempts as Temporal makes them: what may pass is tried again. */
  async run<T>(work: (context: StepContext<never>) => Promise<T>): Promise<T> {
    const beaten = {};
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(work, attempt, beaten);
      } catch (error) {
        const passes = !(error instanceof ApplicationFailure) || !error.nonRetryable;
        if (!passes || attempt >= this.attempts) throw error;
        await this.pass(10_000);
      }
    }
  }

  private once<T>(
    work: (context: StepContext<never>) => Promise<T>,
    attempt: number,
    beaten: { kept?: unknown } = {},
  ): Promise<T> {
    this.worker = new AbortController();
    const { signal } = this.worker;
    const pause = async (ms: number): Promise<void> => {
      await this.runtime.sleep(ms);
      signal.throwIfAborted();
    };
    return this.runtime.drive(work({ ...this.world.contextOf(this.plan, beaten), attempt, signal, pause }));
  }

  private spyOn(device: SimulatedDevice): void {
    const answer = device.request.bind(device);
    device.request = (request) => {
      this.worker.signal.throwIfAborted();
      const operation = operationOf(request);
      const { fatal } = this;
      const isFatal = fatal !== undefined && `${operation} `.startsWith(`${fatal.operation} `);
      if (isFatal && fatal.when === 'before') this.die();
      const effect = this.effectOf(device, operation);
      const reply = answer(request);
      if (
        reply.kind === 'answer' ? reply.status === 200 && !/status="error"/.test(String(reply.body)) : effect === 'done'
      )
        this.done.push(`${device.name} ${operation}`);
      if (isFatal) this.die();
      return reply;
    };
  }

  private die(): never {
    this.fatal = undefined;
    this.worker.abort(new Error('the worker died'));
    throw this.worker.signal.reason;
  }

  /** Of a reply that is about to be lost. */
  private effectOf({ side }: SimulatedDevice, operation: string): string | undefined {
    for (const { fault } of this.world.pair.faults.list())
      if (fault.kind === 'request' && operation.startsWith(fault.operation ?? '') && (fault.device ?? side) === side)
        return fault.effect;
    return undefined;
  }
}

/** What a piece of work failed with. @throws Error if it didn't */
export const failureOf = (work: Promise<unknown>): Promise<Failed> =>
  work.then(
    (value) => {
      throw new Error(`it should have failed, and returned ${JSON.stringify(value)}`);
    },
    (error: Failed) => error,
  );
