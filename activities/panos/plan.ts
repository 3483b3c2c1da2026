/** The parts of a plan that these activities read. */
import type { Readable } from 'node:stream';
import { permanent, type StepContext } from '../kit';
import type { MonitoringPlan } from '../probes';
import type { RoutingPlanSection, RoutingSpec } from '../routing';
import type { PanosDevice } from './api';
import type { HaMode } from './ha';
import type { Hop } from './releases';
import type { PanosNode, PanosSpec } from './spec';

/** What the inventory tells. */
export interface PanosStatic extends Pick<MonitoringPlan, 'monitoring'> {
  readonly cluster: string;
  /** Release to upgrade to; "" for a readiness check. */
  readonly version: string;
  readonly nodes: Readonly<Record<string, PanosNode>>;
  readonly panos: PanosSpec;
  /** Of a site that steers traffic on routers too: entry `steering` of the inventory. */
  readonly routing?: RoutingSpec;
}

/** What a device was when the run began: what is restored at its end. */
export interface DeviceFound {
  readonly serial: string;
  readonly model: string;
  readonly priority: number | undefined;
  readonly preemptive: boolean;
  readonly deviceId: number | undefined;
  readonly advancedRouting: boolean;
}

/** Frozen at the start of a run. */
export interface PanosPlan extends PanosStatic {
  readonly routing?: RoutingPlanSection;
  readonly mode: HaMode;
  /** At the start: active or active-primary, and the other. */
  readonly roles: { readonly active: string; readonly passive: string };
  readonly releases: { readonly from: string; readonly to: string };
  readonly hops: readonly Hop[];
  readonly found: Readonly<Record<string, DeviceFound>>;
  /** Where traffic is steered: the member that the routers preferred at the start. */
  readonly routed?: string;
  /** The plan is that of an earlier run, which may have changed the devices since. */
  readonly resumedFrom?: string;
}

export type PanosContext = StepContext<PanosPlan>;
export type StaticContext = StepContext<PanosStatic>;

export interface NodeInput {
  readonly node: string;
}

/** Files on the worker. */
export interface WorkerFiles {
  /** A file to be imported; its checksum has been computed. */
  open(path: string): Promise<{ readonly bytes: number; readonly sha256: string; readonly open: () => Readable }>;
  /** Keeps a backup that is filled piece by piece, readable by the worker alone; nothing, if that fails. Returns its SHA-256. */
  keep(path: string, fill: (write: (bytes: Buffer) => Promise<void>) => Promise<void>): Promise<string>;
}

/** What these activities need of the worker: devices, its files, and a clock (tests have their own). */
export interface PanosServices {
  device(
    context: Pick<StepContext<Pick<PanosStatic, 'nodes' | 'panos'>>, 'plan' | 'signal' | 'evidence'>,
    node: string,
  ): PanosDevice;
  readonly files: WorkerFiles;
  /** Milliseconds since some moment, which never step: what is waited for goes by them. */
  now(): number;
}

export const nodeNames = (plan: Pick<PanosStatic, 'nodes'>): string[] => Object.keys(plan.nodes);

/** @throws InvalidInput if the plan has no such node */
export function otherThan(plan: Pick<PanosStatic, 'nodes'>, node: string): string {
  const names = nodeNames(plan);
  const other = names.find((name) => name !== node);
  if (names.includes(node) && other !== undefined) return other;
  throw permanent('InvalidInput', `the plan has no node ${node}; it has ${names.join(', ')}`);
}
