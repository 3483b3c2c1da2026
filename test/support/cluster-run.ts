import { xroadCluster, type XRoadClusterPlan } from '../../workflows/upgrade-xroad-cluster';
import { ClusterWorld, type ClusterNode, type Restarts } from './cluster-world';
import { modelRun, type ModelRun } from './model-run';
import { goodWorld, type Mischief } from './model-world';

/** As much of a plan as the procedure's body and the model need. */
export const clusterPlan = (change: Partial<Record<string, unknown>> = {}): XRoadClusterPlan =>
  ({
    schema: 1,
    procedure: 'x-road-cluster',
    procedureRevision: 1,
    cluster: 'ss-prod',
    version: '7.8.0',
    requestedBy: 'rita',
    queues: { default: 'hitless', watch: 'hitless-watch', sites: {} },
    mode: 'rolling',
    nodes: { ss1: { host: 'ss1' }, ss2: { host: 'ss2' }, ss3: { host: 'ss3' } },
    roles: { primary: 'ss1', secondaries: ['ss2', 'ss3'] },
    releases: { from: '7.7.0', to: '7.8.0' },
    xroad: {
      outOfService: 'both',
      drain: { timeoutMs: 1_000 },
      services: { startTimeoutMs: 1_000, settleMs: 1_000 },
      token: { waitMs: 1_000 },
      health: { timeoutMs: 1_000, spanMs: 1_000 },
    },
    loadBalancer: {},
    software: { reboot: false, stageTimeoutMs: 1, installTimeoutMs: 1, rebootTimeoutMs: 1 },
    monitoring: { periodMs: 60_000 },
    policy: {
      gates: { start: { count: 1, onReject: 'roll-back' }, secondaries: { count: 1 }, next: { count: 1 } },
      holds: {},
      pause: {},
      resume: {},
      switchBack: {},
    },
    ...change,
  }) as unknown as XRoadClusterPlan;

export type ClusterRun = ModelRun<ClusterWorld, XRoadClusterPlan>;

export const clusterRun = (
  mischief: Mischief<ClusterNode> = goodWorld,
  { restarts = [], mode = 'rolling' }: { readonly restarts?: Restarts; readonly mode?: 'rolling' | 'offline' } = {},
): Promise<ClusterRun> => modelRun(new ClusterWorld(mischief, restarts, mode), xroadCluster, clusterPlan({ mode }));
