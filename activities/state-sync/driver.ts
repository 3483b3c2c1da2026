import type { Host, StepContext } from '../kit';
import { permanent } from '../kit';
import { conntrackd } from './conntrackd';
import type { DaemonStatus, SyncStatus } from './daemon';
import type { FlowTable } from './flow-table';
import type { Identity } from './flows';
import type { StateSyncPlan, StateSyncSpec } from './spec';

/** One command that a driver runs as root, in sudoers syntax. */
export interface SudoCommand {
  /** Name under `hosts` in the plan. */
  readonly host: string;
  readonly as: string;
  readonly command: string;
}

export type Notice = (key: string, timeoutS: number | undefined) => void;

/** Flows of a node as they were read. */
export interface FlowDump {
  readonly table: FlowTable;
  /** Some of the lines that aren't in a form known here. */
  readonly unreadable: readonly string[];
}

/**
 * What a product that copies session state between two nodes must be able to do. Each member may be repeated at any
 * time. Which node serves is checked by the caller.
 */
export interface StateSync {
  /** What the node's daemon says of itself. Doesn't throw if the daemon is silent, only if the host is. */
  status(node: Host): Promise<SyncStatus>;
  /** Its statistics alone. @throws CommandFailedRetryable if the daemon is silent. */
  figures(node: Host): Promise<DaemonStatus>;
  /** Messages not yet sent or not yet acknowledged. @throws CommandFailedRetryable if the daemon is silent. */
  queued(node: Host): Promise<number>;
  /** Sends all flows of the serving node to the other one, refreshing what is there. Returns when they are on their way. */
  send(from: Host): Promise<void>;
  /** Makes the flows that the node holds for the other one its own kernel's: nothing to do where they are there already. */
  commit(node: Host): Promise<void>;
  /** Forgets what the serving node holds for the other one: it is older than its own. */
  forgetOther(node: Host): Promise<void>;
  /** Gives up speaking for flows that the other node serves now (facts §12). */
  release(node: Host): Promise<void>;
  /** Flows in the node's kernel. `notice` is told of each by its text, which isn't kept. */
  flows(node: Host, identity: Identity, ignore: (address: string) => boolean, notice?: Notice): Promise<FlowDump>;
  /** Flows that the node holds for the other one, told by their original direction alone; undefined where that is its kernel. */
  held(node: Host, ignore: (address: string) => boolean): Promise<FlowDump | undefined>;
  /**
   * Seconds after which a standby that lost events sends its copies back to the node that serves, which then replaces its
   * own, live flows by them; undefined if it never does.
   */
  sendsBackAfterS(node: Host): Promise<number | undefined>;
  /** Number of flows that the kernel offloaded past the state that could be copied. */
  offloaded(node: Host): Promise<number>;
  /** Commands that `send`, `commit`, … run on a node, for a dry run. */
  commands(verb: 'send' | 'commit' | 'release'): readonly string[];
  /** Everything that the driver runs as root. */
  readonly sudo: readonly string[];
}

/** A new product is one new line here. */
const drivers: Readonly<Record<StateSyncSpec['driver'], (spec: StateSyncSpec) => StateSync>> = { conntrackd };

export const driverFor = (spec: StateSyncSpec): StateSync => drivers[spec.driver](spec);
export const driverOf = (plan: StateSyncPlan): StateSync => driverFor(plan.stateSync);

/** @throws InvalidInput if the plan has no such node. */
export function hostNameOf(plan: StateSyncPlan, node: string): string {
  const host = plan.nodes[node]?.host;
  if (host === undefined)
    throw permanent(
      'InvalidInput',
      `the plan has no node ${JSON.stringify(node)}; it has ${Object.keys(plan.nodes).join(', ')}`,
    );
  return host;
}

export const hostOf = (context: Pick<StepContext<StateSyncPlan>, 'plan' | 'host'>, node: string): Promise<Host> =>
  context.host(hostNameOf(context.plan, node));
