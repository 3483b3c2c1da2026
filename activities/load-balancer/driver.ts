import type { Host } from '../kit';
import { Haproxy } from './haproxy';
import type { Instance, LoadBalancerSpec } from './spec';

/**
 * ready: gets connections while it is healthy. drain: gets no new ones, those that it has go on. maint: as drain, and its
 * health isn't looked at.
 */
export type AdminState = 'ready' | 'drain' | 'maint';

/** One server of one backend, as one load balancer sees it. */
export interface ServerState {
  readonly backend: string;
  readonly server: string;
  readonly admin: AdminState;
  /** Healthy by its checks, whatever the admin state. */
  readonly up: boolean;
  /** False if nothing checks its health: then only an admin state can take it out. */
  readonly checked: boolean;
  /** The product's own word, as "UP 1/3", "DRAIN", "DOWN". */
  readonly status: string;
  /** Connections now. */
  readonly sessions: number;
}

/** One command that a driver runs as root, in sudoers syntax. */
export interface SudoCommand {
  /** Name under `hosts` in the plan. */
  readonly host: string;
  readonly as: string;
  readonly command: string;
}

/** What a load balancer must be able to do. Each member may be repeated at any time. */
export interface LoadBalancer {
  /** Every server of every backend. @throws CommandFailedRetryable if it doesn't answer. */
  servers(host: Host, instance: Instance): Promise<ServerState[]>;
  /** @throws CommandFailed in the product's own words if it refuses. */
  set(host: Host, instance: Instance, server: ServerId, state: AdminState): Promise<void>;
  /** For people, in a dry run. */
  setCommand(instance: Instance, server: ServerId, state: AdminState): string;
  /** Everything that it runs as root on the instance's host, in sudoers syntax. */
  sudo(instance: Instance): string[];
}

export type ServerId = Pick<ServerState, 'backend' | 'server'>;

/** A new product is one new line here. */
const drivers: Readonly<Record<LoadBalancerSpec['driver'], () => LoadBalancer>> = { haproxy: () => new Haproxy() };

export const driverFor = (spec: Pick<LoadBalancerSpec, 'driver'>): LoadBalancer => drivers[spec.driver]();
