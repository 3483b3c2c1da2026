/**
 * A firewall pair as a model: two nodes, who serves, releases, session state. Its activities have the names that the
 * procedure calls and refuse or break as real ones do; every change is held against the promises of the design.
 */
import { createHash } from 'node:crypto';
import { CallFailed, CutError } from '../../workflows/procedure/types';
import { TransientError, type ActivityContext, type MemoryActivity, type MemoryRuntime } from './memory-runtime';

interface Call {
  readonly input: Record<string, unknown>;
  readonly before?: Record<string, unknown>;
  readonly plan: { readonly monitoring: { readonly periodMs: number } };
  readonly returnAfterObservedMs?: number;
  readonly carry?: { observedMs: number; pass: number };
}

export interface Node {
  release: string;
  up: boolean;
  installing: boolean;
  inSync: boolean;
}

/** How the world misbehaves: asked before each activity and at each look of the watch. */
export interface Mischief {
  /** 'transient' and 'permanent' fail before anything was done, 'late' after half of it was. */
  fault(activity: string): 'none' | 'transient' | 'permanent' | 'late';
  /** Virtual milliseconds that a piece of work takes. */
  takes(activity: string): number;
  /** True if the node that serves is sick at this moment: probes fail. */
  sick(node: Node, name: string, nowMs: number): boolean;
}

export const goodWorld: Mischief = { fault: () => 'none', takes: () => 1_000, sick: () => false };

const PROBE_INTERVAL_MS = 10_000;

export class PairWorld {
  readonly nodes: Record<string, Node> = {
    fw1: { release: '1.0', up: true, installing: false, inSync: true },
    fw2: { release: '1.0', up: true, installing: false, inSync: true },
  };
  /** Who carries each of the two directions; different values are a half-done move. */
  inbound = 'fw1';
  outbound = 'fw1';
  runtime!: MemoryRuntime;
  readonly broken: string[] = [];
  readonly acts: string[] = [];
  private acting = 0;

  constructor(private readonly mischief: Mischief = goodWorld) {}

  get serving(): string {
    return this.inbound === this.outbound ? this.inbound : 'split';
  }

  private node(name: unknown): Node {
    const node = this.nodes[String(name)];
    if (node === undefined) throw new CallFailed('InvalidInput', `no node ${String(name)}`);
    return node;
  }

  private promise(holds: boolean, what: string): void {
    if (!holds) this.broken.push(`${this.runtime.now()}: ${what}`);
  }

  private look(): void {
    for (const side of [this.inbound, this.outbound]) {
      this.promise(this.node(side).up && !this.node(side).installing, `traffic on ${side}, which is out of service`);
    }
    const out = Object.values(this.nodes).filter((n) => !n.up || n.installing);
    this.promise(out.length <= 1, 'both nodes are out of service');
  }

  /** Runs work that changes things; never two at once. */
  private async act(
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

  private async move(name: string, to: string, context: ActivityContext): Promise<unknown> {
    return this.act(name, context, async (half) => {
      const target = this.node(to);
      if (!target.up || target.installing) throw new TransientError(`${to} can't serve`);
      if (this.serving === to) return this.standing(`traffic is on ${to} already`);
      target.inSync = true;
      this.inbound = to;
      await half();
      this.outbound = to;
      return this.standing(`traffic is on ${to}`);
    });
  }

  private async install(name: string, to: string, release: string, context: ActivityContext): Promise<unknown> {
    return this.act(name, context, async (half) => {
      const node = this.node(to);
      if (this.inbound === to || this.outbound === to) throw new TransientError(`guard: ${to} is serving`);
      if (node.release === release && !node.installing) return this.standing('installed already');
      node.installing = true;
      this.look();
      await half();
      node.release = release;
      node.installing = false;
      return this.standing(`${to} has ${release}`);
    });
  }

  private standing(summary: string): unknown {
    return {
      summary,
      changed: true,
      nodes: Object.fromEntries(
        Object.entries(this.nodes).map(([n, s]) => [n, { release: s.release, serving: this.serving === n }]),
      ),
    };
  }

  private async watch(call: Call, context: ActivityContext): Promise<unknown> {
    const carry = { observedMs: 0, pass: 0, ...call.carry };
    const { baseline } = call.input as { baseline?: { summary?: string } };
    this.promise(baseline?.summary !== undefined, 'the watch was not given the baseline');
    const report = (verdict: string, why?: string): unknown => ({
      verdict,
      ...carry,
      fail: why === undefined ? 0 : 1,
      inconclusive: 0,
      carry,
      ...(why === undefined ? {} : { why }),
    });
    for (;;) {
      const until = Math.min(PROBE_INTERVAL_MS, (call.returnAfterObservedMs ?? Infinity) - carry.observedMs);
      await context.sleep(Math.max(1, until));
      if (context.signal.aborted) return report('cut');
      const name = this.serving;
      if (name !== 'split' && this.mischief.sick(this.node(name), name, this.runtime.now()))
        return report('regression', `${name} is sick`);
      carry.observedMs += Math.max(1, until);
      carry.pass++;
      if (carry.observedMs >= (call.returnAfterObservedMs ?? Infinity)) return report('checkpoint');
    }
  }

  readonly activities: Readonly<Record<string, MemoryActivity>> = {
    'core.digest': async (input: unknown) => createHash('sha256').update(JSON.stringify(input)).digest('hex'),
    'pair.ready.check': async (_: Call, c) => this.read('readiness', c),
    'parity.snapshot.check': async (_: Call, c) => this.read('snapshot', c),
    'parity.unchanged.check': async (_: Call, c) => this.read('parity', c),
    'probes.final.check': async (_: Call, c) => this.read('final', c),
    'probes.baseline.check': async (_: Call, c) => this.read('baseline', c),
    'routing.confirmIdle.check': async (call: Call, c) => {
      if (this.inbound === call.input['node'] || this.outbound === call.input['node'])
        throw new TransientError('not idle');
      return this.read('idle', c);
    },
    'packages.stage.observe': async () => ({}),
    'packages.stage.act': async (_: Call, c) =>
      this.act('stage', c, async (half) => (await half(), { summary: 'staged', changed: true })),
    'pair.release.act': async () => ({ summary: 'released', changed: true }),
    'pair.moveTraffic.observe': async (_: Call, c) => {
      await this.read('observe', c);
      return { serving: this.serving };
    },
    'pair.moveTraffic.act': async (call: Call, c) => this.move('move', String(call.input['to']), c),
    'pair.moveTraffic.undo': async (call: Call, c) => this.move('move-undo', String(call.before?.['serving']), c),
    'packages.install.observe': async (call: Call) => ({ release: this.node(call.input['node']).release }),
    'packages.install.act': async (call: Call, c) =>
      this.install('install', String(call.input['node']), String(call.input['release']), c),
    'packages.install.undo': async (call: Call, c) =>
      this.install('install-undo', String(call.input['node']), String(call.before?.['release']), c),
    'packages.restart.observe': async () => ({ boot: 1 }),
    'packages.restart.act': async (call: Call, c) =>
      this.act('restart', c, async (half) => {
        const name = String(call.input['node']);
        if (this.inbound === name || this.outbound === name) throw new TransientError(`guard: ${name} is serving`);
        const node = this.node(name);
        node.up = false;
        node.inSync = false;
        this.look();
        try {
          await half();
        } finally {
          node.up = true; // a host that was told to reboot comes back, whoever watches
        }
        return this.standing(`${name} is back`);
      }),
    'packages.restart.undo': async () => ({ summary: 'nothing to undo', changed: false }),
    'stateSync.reseed.observe': async () => ({}),
    'stateSync.reseed.act': async (call: Call, c) =>
      this.act('reseed', c, async (half) => {
        await half();
        this.node(call.input['to']).inSync = true;
        return { summary: 'in sync', changed: true };
      }),
    'stateSync.reseed.undo': async () => ({ summary: 'nothing to undo', changed: false }),
    'probes.watch.check': async (call: Call, c) => this.watch(call, c),
  };

  private async read(name: string, context: ActivityContext): Promise<unknown> {
    await context.sleep(this.mischief.takes(name));
    if (context.signal.aborted) throw new CutError('cut');
    const fault = this.mischief.fault(name);
    if (fault === 'transient') throw new TransientError(`${name} did not answer`);
    if (fault !== 'none') throw new CallFailed('NotReady', `${name} says no`);
    return this.standing(`${name} ok`);
  }
}
