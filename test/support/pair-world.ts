/**
 * A firewall pair as a model: two nodes, who serves, releases, session state. Its activities have the names that the
 * procedure calls and refuse or break as real ones do; every change is held against the promises of the design.
 */
import { createHash } from 'node:crypto';
import { CallFailed } from '../../workflows/procedure/types';
import { TransientError, type ActivityContext, type MemoryActivity } from './memory-runtime';
import { ModelWorld, type ModelCall } from './model-world';

type Call = ModelCall;

export interface Node {
  release: string;
  up: boolean;
  installing: boolean;
  inSync: boolean;
}

export class PairWorld extends ModelWorld<Node> {
  readonly nodes: Record<string, Node> = {
    fw1: { release: '1.0', up: true, installing: false, inSync: true },
    fw2: { release: '1.0', up: true, installing: false, inSync: true },
  };
  /** Who carries each of the two directions; different values are a half-done move. */
  inbound = 'fw1';
  outbound = 'fw1';

  get serving(): string {
    return this.inbound === this.outbound ? this.inbound : 'split';
  }

  private node(name: unknown): Node {
    const node = this.nodes[String(name)];
    if (node === undefined) throw new CallFailed('InvalidInput', `no node ${String(name)}`);
    return node;
  }

  protected override look(): void {
    for (const side of [this.inbound, this.outbound]) {
      this.promise(this.node(side).up && !this.node(side).installing, `traffic on ${side}, which is out of service`);
    }
    const out = Object.values(this.nodes).filter((n) => !n.up || n.installing);
    this.promise(out.length <= 1, 'both nodes are out of service');
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

  protected override standing(summary: string): unknown {
    return {
      summary,
      changed: true,
      nodes: Object.fromEntries(
        Object.entries(this.nodes).map(([n, s]) => [n, { release: s.release, serving: this.serving === n }]),
      ),
    };
  }

  private async watch(call: Call, context: ActivityContext): Promise<unknown> {
    const { baseline } = call.input as { baseline?: { summary?: string } };
    this.promise(baseline?.summary !== undefined, 'the watch was not given the baseline');
    return this.watched(call, context, () => {
      const name = this.serving;
      return name !== 'split' && this.mischief.sick(this.node(name), name, this.runtime.now())
        ? `${name} is sick`
        : undefined;
    });
  }

  readonly activities: Readonly<Record<string, MemoryActivity>> = {
    'core.digest': async (input: unknown) => createHash('sha256').update(JSON.stringify(input)).digest('hex'),
    'pair.ready.check': async (_: Call, c) => this.check('readiness', c),
    'parity.snapshot.check': async (_: Call, c) => this.check('snapshot', c),
    'parity.unchanged.check': async (_: Call, c) => this.check('parity', c),
    'probes.final.check': async (_: Call, c) => this.check('final', c),
    'probes.baseline.check': async (_: Call, c) => this.check('baseline', c),
    'routing.confirmIdle.check': async (call: Call, c) => {
      if (this.inbound === call.input['node'] || this.outbound === call.input['node'])
        throw new TransientError('not idle');
      return this.check('idle', c);
    },
    'packages.stage.observe': async () => ({}),
    'packages.stage.act': async (_: Call, c) =>
      this.act('stage', c, async (half) => (await half(), { summary: 'staged', changed: true })),
    'pair.release.act': async () => ({ summary: 'released', changed: true }),
    'pair.moveTraffic.observe': async (_: Call, c) => {
      await this.check('observe', c);
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
}
