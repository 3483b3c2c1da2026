/** A simulated PAN-OS pair in virtual time under the real activities: everything but sockets. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ApplicationFailure } from '@temporalio/common';
import { panosActivities, panosProbes, type PanosPlan, type PanosServices, type Prefer } from '../../activities/panos';
import { createDevice, keepKey, type Keys, type Transport } from '../../activities/panos/api';
import {
  defineStep,
  observed,
  transient,
  type CheckDefinition,
  type GuardDefinition,
  type Outcome,
  type StepCall,
  type StepContext,
  type StepDefinition,
} from '../../activities/kit';
import { learned, type Look } from '../../activities/kit/guard';
import { SimulatedPair, type PairOptions, type SimulatedDevice } from '../../simulators/panos';
import { CallFailed, CutError } from '../../workflows/procedure/types';
import { PairInvariants } from './panos-invariants';
import { TransientError, type ActivityContext, type MemoryActivity } from './memory-runtime';
import { ModelWorld, type Mischief, type ModelCall } from './model-world';

/** Of a request, in virtual time; and how long a transport waits for one that hangs. */
const LATENCY_MS = 200;
/** What changed within so short a time before a command couldn't have been read by its guard. */
const UNSEEN_MS = 2_000;

export class PanosWorld extends ModelWorld<SimulatedDevice> {
  readonly pair: SimulatedPair;
  readonly activities: Readonly<Record<string, MemoryActivity>>;
  readonly invariants: PairInvariants;
  /** Checksum of each file that the worker keeps, by path. */
  readonly kept = new Map<string, string>();
  /** Member that the routers prefer, where traffic is steered. */
  routed: string | undefined;
  private readonly keys = new Map<string, Keys>();
  readonly services: PanosServices;
  private began: number;

  constructor(mischief?: Mischief<SimulatedDevice>, options: PairOptions = {}) {
    super(mischief);
    this.pair = new SimulatedPair(options);
    this.began = this.pair.now;
    this.invariants = new PairInvariants(this.pair, UNSEEN_MS, this.broken);
    this.services = {
      device: ({ signal, evidence, plan }, name) =>
        createDevice({
          name,
          transport: this.transport(name),
          keys: this.keysOf(name),
          signal,
          trusted: 'found' in plan,
          record: evidence,
          now: () => this.now(),
          callTimeoutMs: plan.panos.timing.callTimeoutMs,
          transferTimeoutMs: plan.panos.timing.downloadTimeoutMs,
        }),
      files: {
        open: async (path) => ({
          bytes: path.length,
          sha256: createHash('sha256').update(path).digest('hex'),
          open: () => Readable.from([Buffer.from(path)]),
        }),
        keep: async (path, fill) => {
          const hash = createHash('sha256');
          await fill(async (bytes) => void hash.update(bytes));
          const sha256 = hash.digest('hex');
          this.kept.set(path, sha256);
          return sha256;
        },
      },
      now: () => this.now(),
    };
    const ready = async () => ({ summary: 'ready' });
    const definitions = panosActivities(this.services, { probes: ready, routing: ready, prefer: this.prefer });
    this.activities = {
      'core.digest': async (input: unknown) => createHash('sha256').update(JSON.stringify(input)).digest('hex'),
      'probes.baseline.check': async () => ({ summary: 'baseline' }),
      // The real probe: at the end it must know who leads by then.
      'probes.final.check': async (call: StepCall, context) => {
        const probe = { name: 'ha', kind: 'state-sync', required: true } as const;
        const asked = this.context(call, context) as StepContext<never>;
        const { verdict, why } = await panosProbes(this.services).stateSync(asked, probe, undefined);
        if (verdict !== 'pass') throw new TransientError(`ha: ${why}`);
        return { summary: 'as before' };
      },
      'probes.watch.check': async (call: ModelCall, context) =>
        this.watched(call, context, () => {
          const node = String(call.input['serving']);
          const device = this.deviceOf(node);
          return this.mischief.sick(device, node, this.runtime.now()) ? `${node} is sick` : undefined;
        }),
      ...this.wrapped('panos', definitions),
      ...this.wrapped('routing', { prefer: this.prefer }),
    };
  }

  /** What the runtime calls 0 is this simulated time. */
  startAt(now: number): void {
    this.began = now;
  }

  /** The run that activities belong to. */
  runId = '0123456789abcdef';

  /** Of an activity that nobody cuts. */
  contextOf(plan: unknown, beaten: ActivityContext['beaten'] = {}): StepContext<never> {
    const sleep = (ms: number): Promise<void> => this.runtime.sleep(ms);
    return this.context(
      { schema: 1, plan, input: {}, step: '00' },
      { signal: new AbortController().signal, attempt: 1, beaten, sleep },
    ) as StepContext<never>;
  }

  /** Simulated time. */
  now(): number {
    return this.began + this.runtime.now();
  }

  deviceOf(name: string): SimulatedDevice {
    const device = this.pair.devices.find((d) => d.name === name);
    if (device === undefined) throw new Error(`no device ${name}`);
    return device;
  }

  /** Routers that send traffic where they are told to, if it can be taken. */
  readonly prefer = defineStep<{ readonly node: string }, { readonly was: string }, Outcome>({
    observe: async () => ({ was: this.routed ?? '' }),
    act: async (_context, { node }) => this.routeTo(node),
    undo: async (_context, _input, { was }) => this.routeTo(was),
    preview: async () => ({ commands: [], differences: [] }),
  }) as unknown as Prefer;

  private routeTo(node: string): Outcome {
    if (!this.deviceOf(node).serving) throw transient('GuardRefused', `${node} has no sessions`);
    const changed = this.routed !== node;
    this.routed = node;
    if (changed) this.invariants.note(`route ${node}`);
    return { summary: `traffic goes through ${node}`, changed };
  }

  /** As a worker has it. */
  private keysOf(name: string): Keys {
    const { user, password } = this.pair.options;
    const known = this.keys.get(name);
    const keys =
      known ??
      keepKey(
        name,
        this.transport(name),
        async () => ({ user, password }),
        () => this.now(),
      );
    this.keys.set(name, keys);
    return keys;
  }

  protected override look(): void {
    this.pair.elapse(this.now());
  }

  protected override standing(summary: string): unknown {
    return { summary, changed: true };
  }

  private transport(name: string): Transport {
    return async ({ parameters, file, key, timeoutMs, signal }) => {
      const device = this.deviceOf(name);
      await this.runtime.sleep(LATENCY_MS);
      if (signal.aborted) throw signal.reason;
      this.pair.elapse(this.now());
      const content = file === undefined ? undefined : Buffer.concat((await file.open().toArray()) as Buffer[]);
      const reply = device.request({
        method: 'POST',
        params: { get: (p) => parameters[p] ?? null },
        headers: key === undefined ? {} : { 'x-pan-key': key },
        ...(file === undefined || content === undefined ? {} : { file: { name: file.name, content } }),
      });
      switch (reply.kind) {
        case 'answer':
          return { status: reply.status, body: Buffer.from(reply.body) };
        case 'hang':
          await this.runtime.sleep(timeoutMs);
          throw transient('Unreachable', `${name} doesn’t answer: nothing came within ${timeoutMs} ms`);
        default:
          throw transient('Unreachable', `${name} doesn’t answer: ${reply.kind}`);
      }
    };
  }

  /** Runs definitions as activities of the in-memory runtime. */
  private wrapped(folder: string, definitions: object): Record<string, MemoryActivity> {
    const activities: Record<string, MemoryActivity> = {};
    for (const [name, definition] of Object.entries(definitions) as [
      string,
      StepDefinition<unknown, unknown, never> | CheckDefinition<unknown, never> | GuardDefinition<unknown, never>,
    ][]) {
      const type = `${folder}.${name}`;
      if (definition.kind === 'guard') {
        activities[`${type}.check`] = (call: StepCall, context) => this.guards(call, context, definition);
        continue;
      }
      if (definition.kind === 'check') {
        activities[`${type}.check`] = (call: StepCall, context) =>
          this.run(call, context, (c) => definition.check(c, call.input));
        continue;
      }
      activities[`${type}.observe`] = (call: StepCall, context) =>
        this.run(call, context, (c) => observed(definition, c, call.input));
      for (const verb of ['act', 'undo'] as const)
        activities[`${type}.${verb}`] = (call: StepCall, context) =>
          this.act(`${type}.${verb}`, context, async (half) => {
            const result = await this.run(call, context, async (c) =>
              definition[verb](c, call.input, call.before ?? (await definition.observe(c, call.input))),
            );
            // A late fault: it was done, and the answer is lost.
            await half();
            return result;
          });
    }
    return activities;
  }

  /** As activities/kit/guard.ts runs it, in virtual time and without its checkpoints. */
  private async guards(
    call: StepCall & { readonly firstLook?: boolean; readonly carry?: unknown },
    context: ActivityContext,
    { everyMs, look }: GuardDefinition<unknown, never>,
  ): Promise<unknown> {
    let known = { observedMs: 0, pass: 0, fail: 0, inconclusive: 0, unseen: 0, toldBlind: false };
    if (call.carry !== undefined) known = call.carry as typeof known;
    const once = (): Promise<Look> =>
      look(this.context(call, context) as StepContext<never>, call.input, (known as { seen?: string }).seen).catch(
        (error: unknown): Look => ({ verdict: 'inconclusive', why: String(error) }),
      );
    const report = (verdict: string, why?: string) => ({ ...known, verdict, carry: known, ...(why && { why }) });
    const every = everyMs(call.plan as never);
    for (;;) {
      if (context.signal.aborted) return report('cut');
      let seen = await once();
      if (seen.verdict === 'fail') {
        await context.sleep(1_000);
        seen = await once();
      }
      if (context.signal.aborted) return report('cut');
      known = learned(known, seen, every);
      if (seen.verdict === 'fail') return report('regression', seen.why);
      if (call.firstLook === true) return report('checkpoint');
      await context.sleep(every);
    }
  }

  private async run(
    call: StepCall,
    context: ActivityContext,
    work: (context: StepContext<PanosPlan>) => Promise<unknown>,
  ): Promise<unknown> {
    const { signal } = context;
    try {
      return await work(this.context(call, context));
    } catch (error) {
      if (signal.aborted || error instanceof CutError) throw new CutError('cut');
      if (error instanceof ApplicationFailure && error.nonRetryable)
        throw new CallFailed(error.type ?? '', error.message, error.details?.[0]);
      if (error instanceof ApplicationFailure) throw new TransientError(error.message);
      // What isn't a failure of ours is tried again, as Temporal does: a bug would hide in that, so it is told.
      this.broken.push(`unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      throw new TransientError(String(error));
    }
  }

  private context(call: StepCall, context: ActivityContext): StepContext<PanosPlan> {
    const { signal, attempt, beaten } = context;
    return {
      plan: call.plan as PanosPlan,
      run: {
        workflowId: 'upgrade-pa',
        runId: this.runId,
        ...(call.run?.goesOn === true ? { goesOn: true } : {}),
      },
      step: call.step,
      attempt,
      call: { number: 1, scheduledAtMs: 0 },
      signal,
      host: () => Promise.reject(new Error('no host')),
      evidence: () => undefined,
      progress: () => undefined,
      kept: beaten.kept,
      keep: (value) => void (beaten.kept = JSON.parse(JSON.stringify(value)) as unknown),
      pause: async (ms) => {
        await context.sleep(ms);
        if (signal.aborted) throw signal.reason;
      },
    };
  }
}
