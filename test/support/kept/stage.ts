/** The modelled systems on the real engine, one of each kind, and how a scenario speaks of their parts. */
import { completePlan } from '../../../activities/panos';
import type { PlanBase } from '../../../workflows/procedure';
import type { ClusterKind } from '../../../workflows/contract';
import { clusterPlan } from '../cluster-run';
import { ClusterWorld } from '../cluster-world';
import { worldActivities, type Activities } from '../engine-run';
import type { Mischief } from '../model-world';
import { pairPlan } from '../pair-run';
import { PairWorld } from '../pair-world';
import { staticPlan, type PanosRunOptions } from '../panos-run';
import { PanosWorld } from '../panos-world';

export interface StageOptions {
  readonly mode?: 'rolling' | 'offline';
  readonly panos?: PanosRunOptions;
}

export interface Stage {
  readonly activities: Activities;
  readonly plan: PlanBase;
  /** Promises that its model has seen broken. */
  readonly broken: readonly string[];
  /** The new release is sick, as the watch sees it. */
  sick: boolean;
  /** What the guard looks after is lost. */
  lose(): void;
}

/** One call of one activity: "its third". */
export interface Call {
  readonly activity: string;
  readonly number: number;
}

/** What a scenario that fits all kinds speaks of. */
export interface Parts {
  readonly upgrade: string;
  readonly plan: string;
  readonly gates: readonly [start: string, second: string, third: string];
  /** Gates before the watch; the one that follows them is asked within it. */
  readonly beforeWatch: readonly string[];
  readonly inWatch: string;
  /** A step after the first gate, with an undo. */
  readonly step: string;
  /** One that was done before that. */
  readonly earlier: string;
  /** The last one that can be undone and is left to people with a savepoint behind it, and the gates before it. */
  readonly late: Call & { readonly gates: readonly string[] };
  readonly escape: Call;
  readonly ready: string;
  /** A step whose effect is kept. */
  readonly kept: string;
  readonly release: string;
}

export const partsOf: Readonly<Record<ClusterKind, Parts>> = {
  'firewall-pair': {
    upgrade: 'upgradeFirewallPair',
    plan: 'planFirewallPair',
    gates: ['start', 'return', 'finish'],
    beforeWatch: ['start', 'return'],
    inWatch: 'finish',
    step: 'packages.install',
    earlier: 'pair.moveTraffic',
    late: { activity: 'pair.moveTraffic.act', number: 2, gates: ['start', 'return'] },
    escape: { activity: 'pair.moveTraffic.act', number: 3 },
    ready: 'pair.ready.check',
    kept: 'packages.stage.act',
    release: 'pair.release.act',
  },
  'x-road-cluster': {
    upgrade: 'upgradeXRoadCluster',
    plan: 'planXRoadCluster',
    gates: ['start', 'secondaries', 'next'],
    beforeWatch: ['start'],
    inWatch: 'secondaries',
    step: 'xroad.forbidStart',
    earlier: 'xroad.stopServices',
    late: { activity: 'xroad.forbidStart.act', number: 1, gates: ['start'] },
    escape: { activity: 'loadBalancer.takeOut.act', number: 2 },
    ready: 'xroad.ready.check',
    kept: 'packages.stage.act',
    release: 'xroad.release.act',
  },
  'panos-pair': {
    upgrade: 'upgradePanosPair',
    plan: 'planPanosPair',
    gates: ['start', 'fail-over', 'second'],
    beforeWatch: ['start', 'fail-over'],
    inWatch: 'second',
    step: 'panos.install',
    earlier: 'panos.suspend',
    late: { activity: 'panos.moveTo.act', number: 1, gates: ['start', 'fail-over'] },
    escape: { activity: 'panos.moveTo.act', number: 2 },
    ready: 'panos.ready.check',
    kept: 'panos.images.act',
    release: 'panos.release.act',
  },
};

/** Virtual time for each unit of real time; a simulated pair needs some of the real one for its answers. */
const SPEED = { 'firewall-pair': 500, 'x-road-cluster': 500, 'panos-pair': 200 } as const;

type World = PairWorld | ClusterWorld | PanosWorld;

export async function stageOf(kind: ClusterKind, options: StageOptions = {}): Promise<Stage> {
  const mood = { sick: false };
  const mischief: Mischief<unknown> = { fault: () => 'none', takes: () => 1_000, sick: () => mood.sick };
  const world: World = {
    'firewall-pair': () => new PairWorld(mischief),
    'x-road-cluster': () => new ClusterWorld(mischief, [], options.mode),
    'panos-pair': () => new PanosWorld(mischief, options.panos?.pair),
  }[kind]();
  const modelled = { ...restart, ...worldActivities(world, SPEED[kind]) };
  return {
    activities: { ...modelled, ...previews(modelled) },
    plan: await planOf(world, options),
    broken: world.broken,
    get sick() {
      return mood.sick;
    },
    set sick(sick) {
      mood.sick = sick;
    },
    lose() {
      if (world instanceof ClusterWorld) world.nodes['ss3']!.replays = true;
    },
  };
}

async function planOf(world: World, { mode = 'rolling', panos = {} }: StageOptions): Promise<PlanBase> {
  if (world instanceof PairWorld) return pairPlan();
  if (world instanceof ClusterWorld) return clusterPlan({ mode });
  panos.prepare?.(world);
  const plan = (await completePlan(world.services)(
    world.contextOf(staticPlan(world, panos)),
  )) as unknown as PlanBase & {
    readonly roles: { readonly active: string };
  };
  if (panos.steering !== true) return plan;
  world.routed = plan.roles.active;
  return { ...plan, routed: plan.roles.active } as PlanBase;
}

/** Of an X-Road node, whose model has none: its packages are what its world is about. */
const restart: Activities = {
  'packages.restart.observe': async () => ({ boot: 1 }),
  'packages.restart.act': async () => ({ summary: 'it is back', changed: true }),
};

/** What a dry run asks of each step; models have nothing to show. */
const previews = (activities: Activities): Activities =>
  Object.fromEntries(
    Object.keys(activities)
      .filter((name) => name.endsWith('.act'))
      .map((name) => name.slice(0, -'.act'.length))
      .map((name) => [
        `${name}.preview`,
        async () => ({ commands: [{ host: 'model', command: name }], differences: [] }),
      ]),
  );
