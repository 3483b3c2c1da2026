import type { FirewallPairPlan } from '../../activities/firewall-pair';
import { record, Run, type Policy } from '../../workflows/procedure';
import { firewallPair } from '../../workflows/upgrade-firewall-pair';
import { MemoryRuntime } from './memory-runtime';
import { PairWorld, goodWorld, type Mischief } from './pair-world';

export const anyonePolicy: Policy = {
  gates: { start: { count: 1, onReject: 'roll-back' }, return: { count: 1 }, finish: { count: 1 } },
  holds: {},
  pause: {},
  resume: {},
  switchBack: {},
};

/** As much of a plan as the procedure's body and the model need. */
export const pairPlan = (policy: Partial<Policy> = {}, monitoringMs = 600_000): FirewallPairPlan =>
  ({
    schema: 1,
    procedure: 'firewall-pair',
    procedureRevision: 1,
    cluster: 'fw-dc1',
    version: '2.0',
    requestedBy: 'rita',
    queues: { default: 'hitless', watch: 'hitless-watch', sites: {} },
    policy: { ...anyonePolicy, ...policy },
    roles: { primary: 'fw1', secondary: 'fw2' },
    releases: { from: '1.0', to: '2.0' },
    monitoring: { periodMs: monitoringMs },
    software: { stageTimeoutMs: 60_000, installTimeoutMs: 60_000, rebootTimeoutMs: 60_000 },
  }) as unknown as FirewallPairPlan;

export interface PairRun {
  readonly world: PairWorld;
  readonly runtime: MemoryRuntime;
  readonly run: Run<FirewallPairPlan>;
  /** Answers the open question, whatever its digest. */
  answer(choice: string, extra?: { by?: string; to?: 'start'; comment?: string }): void;
  /** Virtual time passes until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  open(): string | undefined;
}

export async function pairRun(
  mischief: Mischief = goodWorld,
  plan = pairPlan(),
): Promise<PairRun & { readonly ending: Promise<string> }> {
  const world = new PairWorld(mischief);
  const runtime = new MemoryRuntime(world.activities);
  world.runtime = runtime;
  const items = await record(firewallPair, plan);
  const run = new Run({ runtime, body: firewallPair, plan, items, planDigest: 'a'.repeat(64) });
  const opening = () => run.state.openings.find((o) => o.outcome === undefined);
  return {
    world,
    runtime,
    run,
    ending: run.toTheEnd(),
    open: () => opening()?.id,
    answer(choice, extra = {}) {
      const o = opening();
      if (o === undefined) throw new Error('nothing is asked');
      const { by = 'ann', ...rest } = extra;
      runtime.send('decide', { opening: o.id, digest: o.digest.slice(0, 12), by, choice, ...rest });
    },
    until: (condition) => runtime.drive(runtime.waitFor(condition)),
  };
}
