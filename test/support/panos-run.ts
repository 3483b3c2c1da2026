/** A run of the PAN-OS procedure over a simulated pair in virtual time, from its plan on. */
import { completePlan } from '../../activities/panos';
import { savedName, type Kept } from '../../activities/panos/backup';
import { panosNode, panosSpec } from '../../activities/panos/spec';
import type { PairOptions, SimulatedDevice } from '../../simulators/panos';
import { workflowTypes } from '../../workflows/contract';
import { panosPair, type PanosPairPlan } from '../../workflows/upgrade-panos-pair';
import { modelRun, type ModelRun } from './model-run';
import { goodWorld, type Mischief } from './model-world';
import { MemoryRuntime } from './memory-runtime';
import { PanosWorld } from './panos-world';

export type PanosRun = ModelRun<PanosWorld, PanosPairPlan>;

export interface PanosRunOptions {
  readonly pair?: PairOptions;
  readonly version?: string;
  /** Section `panos` of the inventory, before parsing. */
  readonly panos?: object;
  readonly mischief?: Mischief<SimulatedDevice>;
  readonly monitoringMs?: number;
  /** Routers are steered too, and prefer the first device. */
  readonly steering?: boolean;
  /** Of a plan that an older build made. */
  readonly revision?: number;
  /** Before the plan is made. */
  readonly prepare?: (world: PanosWorld) => void;
}

/** As the inventory gives it, before anything is read from the devices. */
export function staticPlan(
  world: PanosWorld,
  {
    version = '10.2.9',
    panos = {},
    monitoringMs = 60_000,
    revision = workflowTypes['panos-pair'].revision,
  }: PanosRunOptions,
) {
  const node = { address: '192.0.2.1', tls: { fingerprint: 'AB'.repeat(32) }, user: 'admin', password: 'env:PASSWORD' };
  return {
    schema: 1,
    procedure: 'panos-pair',
    procedureRevision: revision,
    cluster: 'pa',
    version,
    requestedBy: 'rita',
    queues: { default: 'hitless', watch: 'hitless-watch', sites: {} },
    nodes: Object.fromEntries(world.pair.devices.map(({ name }) => [name, panosNode.parse(node)])),
    panos: panosSpec.parse({ timing: { pollMs: 15_000 }, ...panos }),
    monitoring: { periodMs: monitoringMs },
    policy: {
      gates: { start: { count: 1, onReject: 'roll-back' }, 'fail-over': { count: 1 }, second: { count: 1 } },
      holds: {},
      pause: {},
      resume: {},
      switchBack: {},
    },
  };
}

export async function panosRun(options: PanosRunOptions = {}): Promise<PanosRun> {
  const world = new PanosWorld(options.mischief ?? goodWorld, options.pair);
  options.prepare?.(world);
  const planning = new MemoryRuntime({});
  world.runtime = planning;
  const plan = (await planning.drive(
    completePlan(world.services)(world.contextOf(staticPlan(world, options))),
  )) as unknown as PanosPairPlan;
  // Time went on while the plan was made.
  world.startAt(world.now());
  if (options.steering !== true) return modelRun(world, panosPair, plan);
  world.routed = plan.roles.active;
  const steered: PanosPairPlan = { ...plan, routed: plan.roles.active };
  world.invariants.preferred = () => world.routed;
  return modelRun(world, panosPair, steered);
}

/** What a run says that it has kept, and that isn't there at its end; undefined if it hasn't kept anything. */
export function lostBackups({ world, run }: PanosRun): string[] | undefined {
  const results = run.state.items.map(({ result }) => result as { backups?: Record<string, Kept[]> } | undefined);
  const backups = results.find((result) => result?.backups !== undefined)?.backups;
  if (backups === undefined) return undefined;
  const files = Object.values(backups).flat();
  return [
    ...files.filter(({ file, sha256 }) => world.kept.get(file) !== sha256).map(({ file }) => file),
    ...world.pair.devices
      .filter(({ name, config }) => backups[name]?.length !== 2 || !config.saved.has(savedName(world.contextOf({}))))
      .map(({ name }) => `${savedName(world.contextOf({}))} on ${name}`),
  ];
}
