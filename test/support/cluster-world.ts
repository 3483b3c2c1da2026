/**
 * An X-Road cluster as a model: one primary, two secondaries, their code and their schema, and what is paused. Its activities
 * have the names that the procedure calls; after every change the invariants of facts/x-road.md section 7 must hold.
 */
import { CallFailed } from '../../workflows/procedure/types';
import { createHash } from 'node:crypto';
import { TransientError, type ActivityContext, type MemoryActivity } from './memory-runtime';
import { ModelWorld, type Mischief, type ModelCall } from './model-world';

type Call = ModelCall;

export interface ClusterNode {
  release: 'old' | 'new';
  /** Of its own database: a secondary's follows the primary's while it replays. */
  schema: 'old' | 'new';
  running: boolean;
  masked: boolean;
  installing: boolean;
  /** At the load balancer, and by maintenance mode. */
  inService: boolean;
  maintenance: boolean;
  replays: boolean;
  copies: boolean;
}

const fresh = (): ClusterNode => ({
  release: 'old',
  schema: 'old',
  running: true,
  masked: false,
  installing: false,
  inService: true,
  maintenance: false,
  replays: true,
  copies: true,
});

/** Times at which PostgreSQL of a secondary restarts, which resumes its replay without a word. */
export type Restarts = readonly { readonly atMs: number; readonly node: 'ss2' | 'ss3' }[];

export class ClusterWorld extends ModelWorld<ClusterNode> {
  readonly nodes: Record<string, ClusterNode> = { ss1: fresh(), ss2: fresh(), ss3: fresh() };
  /** Nodes that a restart, and not the procedure, brought the new schema under old code. */
  private readonly excused = new Set<string>();
  private readonly restarts: { readonly atMs: number; readonly node: string }[];

  constructor(
    mischief?: Mischief<ClusterNode>,
    restarts: Restarts = [],
    readonly mode: 'rolling' | 'offline' = 'rolling',
  ) {
    super(mischief);
    this.restarts = [...restarts].sort((a, b) => a.atMs - b.atMs);
  }

  private node(name: unknown): ClusterNode {
    const node = this.nodes[String(name)];
    if (node === undefined) throw new CallFailed('InvalidInput', `no node ${String(name)}`);
    return node;
  }
  private get primary(): ClusterNode {
    return this.node('ss1');
  }
  private get secondaries(): [string, ClusterNode][] {
    return Object.entries(this.nodes).filter(([name]) => name !== 'ss1');
  }
  private serves = (node: ClusterNode): boolean => node.running && node.inService && !node.maintenance;
  private othersServe(name: string): boolean {
    return Object.entries(this.nodes).every(([other, node]) => other === name || this.serves(node));
  }
  private waits = (node: ClusterNode): boolean => node.release === 'old' && !(node.masked && !node.running);

  /** Restarts that are due by now. */
  private elapse(): void {
    while ((this.restarts[0]?.atMs ?? Infinity) <= this.runtime.now()) {
      const name = this.restarts.shift()!.node;
      const node = this.node(name);
      node.replays = true;
      if (this.primary.schema === 'new' && node.schema === 'old' && node.running) this.excused.add(name);
      this.replicate();
    }
  }

  private replicate(): void {
    for (const [, node] of this.secondaries) if (node.replays) node.schema = this.primary.schema;
  }

  protected override look(): void {
    this.replicate();
    const out = Object.entries(this.nodes).filter(([, node]) => !this.serves(node));
    if (this.mode === 'rolling') this.promise(out.length <= 1, `out of service: ${out.map(([n]) => n).join(', ')}`);
    for (const [name, node] of Object.entries(this.nodes)) {
      const torn = node.running && node.release === 'old' && node.schema === 'new';
      this.promise(!torn || this.excused.has(name), `${name} runs old code on the new schema`);
      this.promise(!(node.installing && node.running), `${name} runs while its packages are exchanged`);
      this.promise(!(node.installing && this.serves(node)), `${name} serves while its packages are exchanged`);
      if (!torn) this.excused.delete(name);
    }
  }

  protected override standing(summary: string): unknown {
    return { summary, changed: true, nodes: {} };
  }

  /** A step that sets fields of its node at its end; refused while `guard` says why. */
  private sets(
    name: string,
    to: Partial<ClusterNode>,
    guard: (node: ClusterNode, name: string) => string | undefined = () => undefined,
  ): Record<string, MemoryActivity> {
    const change =
      (verb: string, wanted: (call: Call) => Partial<ClusterNode>, may: typeof guard) =>
      (call: Call, context: ActivityContext): Promise<unknown> =>
        this.act(`${name}.${verb}`, context, async (half) => {
          this.elapse();
          const target = String(call.input['node']);
          const node = this.node(target);
          const next = wanted(call);
          if (Object.entries(next).every(([key, value]) => node[key as keyof ClusterNode] === value))
            return this.standing('as wanted already');
          const why = may(node, target);
          if (why !== undefined) throw new TransientError(`guard: ${why}`);
          await half();
          this.elapse();
          Object.assign(node, next);
          return this.standing(`${name} of ${target}`);
        });
    return {
      [`${name}.observe`]: async (call: Call) => ({ was: pick(this.node(call.input['node']), Object.keys(to)) }),
      [`${name}.act`]: change('act', () => to, guard),
      [`${name}.undo`]: change(
        'undo',
        ({ before }) => before?.['was'] ?? {},
        (node) => this.wouldTear({ ...node, ...to }, node),
      ),
    };
  }

  /** Undo of a pause or a stop is refused where old code would meet the new schema. */
  private wouldTear(_now: ClusterNode, node: ClusterNode): string | undefined {
    const ahead = node.release === 'old' && this.primary.schema === 'new';
    return ahead ? 'old code would run on the new schema' : undefined;
  }

  readonly activities: Readonly<Record<string, MemoryActivity>> = {
    'core.digest': async (input: unknown) => createHash('sha256').update(JSON.stringify(input)).digest('hex'),
    ...Object.fromEntries(
      ['xroad.ready', 'probes.baseline', 'probes.final', 'xroad.finalCheck', 'xroad.walPosition', 'xroad.drained'].map(
        (name) => [`${name}.check`, async (_: Call, c: ActivityContext) => this.check(name, c)],
      ),
    ),
    ...Object.fromEntries(
      ['xroad.upgraded', 'xroad.tokensActive', 'xroad.healthy', 'xroad.caughtUp'].map((name) => [
        `${name}.check`,
        async (_: Call, c: ActivityContext) => this.check(name, c),
      ]),
    ),
    'packages.stage.observe': async () => ({}),
    'packages.stage.act': async (_: Call, c) =>
      this.act('stage', c, async (half) => (await half(), { summary: 'staged', changed: true })),
    'xroad.release.act': async () => ({ summary: 'released', changed: true }),
    'xroad.syncNow.observe': async () => ({}),
    'xroad.syncNow.act': async (_: Call, c) =>
      this.act('syncNow', c, async (half) => (await half(), this.standing(''))),
    ...this.sets('xroad.pauseReplay', { replays: false }),
    ...this.sets('xroad.pauseSync', { copies: false }),
    ...this.sets('xroad.resumeReplay', { replays: true }, (node) =>
      node.running || !node.masked ? 'its services run' : undefined,
    ),
    ...this.sets('xroad.resumeSync', { copies: true }, (node) => (node.release === 'old' ? 'old packages' : undefined)),
    ...this.sets('loadBalancer.takeOut', { inService: false }, (_, name) => this.mayGoOut(name)),
    ...this.sets('xroad.maintenanceOn', { maintenance: true }, (_, name) => this.mayGoOut(name)),
    ...this.sets('xroad.maintenanceOff', { maintenance: false }),
    ...this.sets('loadBalancer.putBack', { inService: true }, (node) => (node.running ? undefined : 'it is stopped')),
    ...this.sets('xroad.stopServices', { running: false }, (node, name) =>
      this.serves(node) ? 'it serves' : name === 'ss1' ? this.unpaused() : undefined,
    ),
    ...this.sets('xroad.forbidStart', { masked: true }),
    ...this.sets('xroad.allowStart', { masked: false }),
    ...this.sets('xroad.startServices', { running: true }, (node) =>
      node.masked ? 'masked' : node.release === node.schema ? undefined : 'code and schema differ',
    ),
    'xroad.paused.check': async (_: Call, c) => {
      const result = await this.check('xroad.paused', c);
      const why = this.unpaused();
      if (why !== undefined) throw new TransientError(why);
      return result;
    },
    'xroad.upgradePackages.observe': async () => ({}),
    'xroad.upgradePackages.act': async (call: Call, c) =>
      this.act('xroad.upgradePackages', c, async (half) => {
        this.elapse();
        const name = String(call.input['node']);
        const node = this.node(name);
        if (node.release === 'new' && !node.installing) return this.standing('installed already');
        const why =
          node.running || !node.masked ? 'its services can run' : name === 'ss1' ? this.unpaused() : undefined;
        if (why !== undefined) throw new TransientError(`guard: ${why}`);
        node.installing = true;
        // The migration takes place early: what fails half way has migrated.
        if (name === 'ss1') node.schema = 'new';
        this.look();
        await half();
        node.release = 'new';
        node.installing = false;
        return this.standing(`${name} is upgraded`);
      }),
    'xroad.staysPaused.check': async (call: Call, c) =>
      this.watched(call, c, () => {
        this.elapse();
        return this.secondaries.some(([, node]) => this.waits(node) && (node.replays || node.copies))
          ? 'a pause was lost'
          : undefined;
      }),
    'xroad.keepPaused.act': async (_: Call, c) =>
      this.act('xroad.keepPaused', c, async (half) => {
        await half();
        for (const [, node] of this.secondaries)
          if (this.waits(node)) Object.assign(node, { replays: false, copies: false });
        return this.standing('paused again');
      }),
    'probes.watch.check': async (call: Call, c) => {
      const name = String(call.input['serving']);
      return this.watched(call, c, () =>
        this.mischief.sick(this.node(name), name, this.runtime.now()) ? `${name} is sick` : undefined,
      );
    },
  };

  private unpaused(): string | undefined {
    const lost = this.secondaries.filter(([, node]) => node.replays || node.copies).map(([name]) => name);
    return this.mode === 'offline' || lost.length === 0 ? undefined : `not paused: ${lost.join(', ')}`;
  }

  private mayGoOut(name: string): string | undefined {
    return this.mode === 'offline' || this.othersServe(name) ? undefined : 'others don’t serve';
  }
}

const pick = (node: ClusterNode, keys: readonly string[]): Partial<ClusterNode> =>
  Object.fromEntries(keys.map((key) => [key, node[key as keyof ClusterNode]]));
