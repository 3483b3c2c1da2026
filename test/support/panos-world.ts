/**
 * A simulated PAN-OS pair in virtual time under the real activities: everything but sockets. Every request passes here, so
 * what the procedure asks of a device is held against what the pair was in at that moment (facts/pan-os.md, section 2).
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ApplicationFailure } from '@temporalio/common';
import { panosActivities, type PanosPlan, type PanosServices } from '../../activities/panos';
import { createDevice, keygen, type Keys, type Transport } from '../../activities/panos/api';
import type { StepContext, StepDefinition, CheckDefinition, StepCall } from '../../activities/kit';
import { SimulatedPair, type PairOptions, type SimulatedDevice } from '../../simulators/panos';
import { CallFailed, CutError } from '../../workflows/procedure/types';
import { TransientError, type ActivityContext, type MemoryActivity } from './memory-runtime';
import { ModelWorld, type Mischief, type ModelCall } from './model-world';
import { transient } from '../../activities/kit';

/** Of a request, in virtual time; and how long a transport waits for one that hangs. */
const LATENCY_MS = 200;
/** What is so only since then couldn't have been read by the guard of a command. */
const UNSEEN_MS = 2_000;

const DISRUPTIVE = { suspend: /<suspend>/, install: /<software><install>/, restart: /<restart>/ };
type Condition = 'serves' | 'doesn’t serve' | 'can’t serve';

export class PanosWorld extends ModelWorld<SimulatedDevice> {
  readonly pair: SimulatedPair;
  readonly activities: Readonly<Record<string, MemoryActivity>>;
  /** Every command that changes a device, with the states of both when it was sent. */
  readonly commands: string[] = [];
  private readonly keys = new Map<string, string>();
  readonly services: PanosServices;
  private began: number;
  private readonly since = new Map<string, number>();
  private bothSince: number | undefined;

  constructor(mischief?: Mischief<SimulatedDevice>, options: PairOptions = {}) {
    super(mischief);
    this.pair = new SimulatedPair(options);
    this.began = this.pair.now;
    this.track(this.pair.now);
    this.pair.onChange = (at) => this.changed(at);
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
        }),
      files: {
        open: async (path) => ({
          bytes: path.length,
          sha256: createHash('sha256').update(path).digest('hex'),
          open: () => Readable.from([Buffer.from(path)]),
        }),
        keep: async (_path, content) => createHash('sha256').update(content).digest('hex'),
      },
      now: () => this.now(),
    };
    const ready = async () => ({ summary: 'ready' });
    const definitions = panosActivities(this.services, { probes: ready, routing: ready });
    this.activities = {
      'core.digest': async (input: unknown) => createHash('sha256').update(JSON.stringify(input)).digest('hex'),
      'probes.baseline.check': async () => ({ summary: 'baseline' }),
      'probes.final.check': async () => ({ summary: 'as before' }),
      'probes.watch.check': async (call: ModelCall, context) =>
        this.watched(call, context, () => {
          const node = String(call.input['serving']);
          const device = this.deviceOf(node);
          return this.mischief.sick(device, node, this.runtime.now()) ? `${node} is sick` : undefined;
        }),
      ...this.wrapped(definitions),
    };
  }

  /** What the runtime calls 0 is this simulated time. */
  startAt(now: number): void {
    this.began = now;
  }

  /** Of an activity that nobody cuts. */
  contextOf(plan: unknown): StepContext<never> {
    const sleep = (ms: number): Promise<void> => this.runtime.sleep(ms);
    return this.context(
      { schema: 1, plan, input: {}, step: '00' },
      { signal: new AbortController().signal, attempt: 1, sleep },
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

  states(): string {
    return this.pair.devices.map((d) => `${d.name} ${d.haState}`).join(', ');
  }

  /** As a worker has them: fetched once, and again when refused. */
  private keysOf(name: string): Keys {
    return {
      get: async (signal) => {
        const { user, password } = this.pair.options;
        const key = this.keys.get(name) ?? (await keygen(name, this.transport(name), { user, password }, signal));
        this.keys.set(name, key);
        return key;
      },
      drop: () => void this.keys.delete(name),
    };
  }

  /** Invariant 2, after every change of the pair. */
  private changed(at: number): void {
    this.track(at);
    const leads = this.pair.devices.filter(
      (d) => d.phase === 'up' && (d.haState === 'active' || d.haState === 'active-primary'),
    );
    if (leads.length < 2) this.bothSince = undefined;
    else this.bothSince ??= at;
    // With HA1 down both may be active; when it is up again one of them gives way after a moment.
    const connected = this.pair.devices.every((d) => d.reachablePeer() !== undefined);
    if (!connected) this.bothSince = undefined;
    if (this.bothSince !== undefined) this.promise(at - this.bothSince < UNSEEN_MS, `both lead: ${this.states()}`);
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
      this.hold(device, parameters['cmd'] ?? '');
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

  /** Invariants 1, 3 and 7: what is sent to a device, against what both are at this moment. */
  private hold(device: SimulatedDevice, command: string): void {
    const kind = Object.entries(DISRUPTIVE).find(([, pattern]) => pattern.test(command))?.[0];
    if (kind === undefined) return;
    this.commands.push(`${this.runtime.now()} ${kind} ${device.name} (${this.states()})`);
    const other = this.pair.devices.find((d) => d !== device)!;
    const may =
      kind === 'suspend'
        ? !this.longEnough('serves', device) || !this.longEnough('can’t serve', other)
        : !this.longEnough('doesn’t serve', other) && !this.longEnough('serves', device);
    this.promise(may, `${kind} was sent to ${device.name} while ${this.states()}`);
  }

  /** So for so long that a guard has read it. */
  private longEnough(what: Condition, { name }: SimulatedDevice): boolean {
    const since = this.since.get(`${name} ${what}`);
    return since !== undefined && this.now() - since > UNSEEN_MS;
  }

  private track(at: number): void {
    for (const device of this.pair.devices) {
      const able = device.serving || (device.haState === 'passive' && device.phase === 'up' && this.pair.ha.synced);
      const holds: Record<Condition, boolean> = {
        serves: device.serving,
        'doesn’t serve': !device.serving,
        'can’t serve': !able,
      };
      for (const [what, is] of Object.entries(holds)) {
        const key = `${device.name} ${what}`;
        if (!is) this.since.delete(key);
        else if (!this.since.has(key)) this.since.set(key, at);
      }
    }
  }

  /** Runs definitions as activities of the in-memory runtime. */
  private wrapped(definitions: ReturnType<typeof panosActivities>): Record<string, MemoryActivity> {
    const activities: Record<string, MemoryActivity> = {};
    for (const [name, definition] of Object.entries(definitions) as [
      string,
      StepDefinition<unknown, unknown, never> | CheckDefinition<unknown, never>,
    ][]) {
      const type = `panos.${name}`;
      if (definition.kind === 'check') {
        activities[`${type}.check`] = (call: StepCall, context) =>
          this.run(call, context, (c) => definition.check(c, call.input));
        continue;
      }
      activities[`${type}.observe`] = (call: StepCall, context) =>
        this.run(call, context, (c) => definition.observe(c, call.input));
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

  private context(call: StepCall, { signal, attempt, sleep }: ActivityContext): StepContext<PanosPlan> {
    return {
      plan: call.plan as PanosPlan,
      run: { workflowId: 'upgrade-pa', runId: '0123456789abcdef' },
      step: call.step,
      attempt,
      call: { number: 1, scheduledAtMs: 0 },
      signal,
      host: () => Promise.reject(new Error('no host')),
      evidence: () => undefined,
      progress: () => undefined,
      pause: async (ms) => {
        await sleep(ms);
        if (signal.aborted) throw signal.reason;
      },
    };
  }
}
