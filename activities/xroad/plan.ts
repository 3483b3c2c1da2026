/** The parts of a plan that these activities read. */
import { permanent, type Host, type StepContext } from '../kit';
import type { LoadBalancerSpec } from '../load-balancer';
import type { SoftwarePlan } from '../packages';
import type { MonitoringPlan } from '../probes';
import type { ReadinessPlan } from '../readiness';
import type { XroadSpec } from './spec';
import type { ProxyPorts } from './text';

/** What the inventory tells. */
export interface XroadStatic
  extends SoftwarePlan, Pick<ReadinessPlan, 'readiness'>, Pick<MonitoringPlan, 'monitoring'> {
  /** Release to upgrade to; "" for a readiness check. */
  readonly version: string;
  /** rolling: one node after another; offline: all at once, in an announced outage. */
  readonly mode: 'rolling' | 'offline';
  readonly xroad: XroadSpec;
  /** Left out where something takes nodes out by their health port alone, which is then all there is to go by. */
  readonly loadBalancer?: LoadBalancerSpec;
}

/** What a node was when the run began. */
export interface NodeFacts {
  /** Units of X-Road that were active: those are started again, no others. */
  readonly active: readonly string[];
  readonly enabled: readonly string[];
  /** Number of PostgreSQL's release, as 150004. */
  readonly postgres: number;
  /** Of Liquibase's table: tells one schema from another. */
  readonly schema: string;
  /** The PIN is entered by the node itself. */
  readonly autologin: boolean;
  /** Left out, as what follows, by builds that didn't hold it against what steps find. */
  readonly maintenance?: boolean;
  /** Of a secondary: replay of its database, and copying of the configuration. */
  readonly replayPaused?: boolean;
  readonly copyPaused?: boolean;
  /** Ports of its proxy that its own configuration sets. Left out, as the tokens, by builds that didn't ask for them. */
  readonly ports?: ProxyPorts;
  /** Tokens that were logged in. */
  readonly tokens?: readonly string[];
  /** What tells the machine from others. */
  readonly machineId?: string;
}

/** Frozen at the start of a run. */
export interface XroadPlan extends XroadStatic {
  readonly roles: { readonly primary: string; readonly secondaries: readonly string[] };
  readonly releases: { readonly from: string; readonly to: string };
  readonly found: Readonly<Record<string, NodeFacts>>;
}

export type XroadContext = StepContext<XroadPlan>;
export type StaticContext = StepContext<XroadStatic>;

/** User that X-Road's files belong to, and the one that PostgreSQL trusts. */
export const XROAD_USER = 'xroad';
export const POSTGRES_USER = 'postgres';

export interface NodeInput {
  readonly node: string;
}

export const nodeNames = (plan: Pick<XroadStatic, 'nodes'>): string[] => Object.keys(plan.nodes);
export const otherNodes = (plan: Pick<XroadStatic, 'nodes'>, node: string): string[] =>
  nodeNames(plan).filter((name) => name !== node);

/** @throws InvalidInput if the plan has no such node. */
export function hostNameOf(plan: Pick<XroadStatic, 'nodes'>, node: string): string {
  const host = Object.hasOwn(plan.nodes, node) ? plan.nodes[node]?.host : undefined;
  if (host !== undefined) return host;
  throw permanent('InvalidInput', `the plan has no node ${node}; it has ${nodeNames(plan).join(', ')}`);
}

export const hostOf = (
  context: { readonly plan: Pick<XroadStatic, 'nodes'>; host(name: string): Promise<Host> },
  node: string,
): Promise<Host> => context.host(hostNameOf(context.plan, node));

/** @throws InvalidInput unless the node is a secondary of the plan. */
export function requireSecondary(plan: XroadPlan, node: string): void {
  hostNameOf(plan, node);
  if (plan.roles.secondaries.includes(node)) return;
  throw permanent('InvalidInput', `${node} is the primary: its database and configuration are nobody’s copy`);
}
