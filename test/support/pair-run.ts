import type { FirewallPairPlan } from '../../activities/firewall-pair';
import type { Policy } from '../../workflows/procedure';
import { firewallPair } from '../../workflows/upgrade-firewall-pair';
import { modelRun, type ModelRun } from './model-run';
import { goodWorld, type Mischief } from './model-world';
import { PairWorld, type Node } from './pair-world';

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

export type PairRun = ModelRun<PairWorld, FirewallPairPlan>;

export const pairRun = (mischief: Mischief<Node> = goodWorld, plan = pairPlan()): Promise<PairRun> =>
  modelRun(new PairWorld(mischief), firewallPair, plan);
