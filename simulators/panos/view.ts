/** What one half of a simulated device shows the other: replies to reads are built from it. */
import type { DeviceFacts } from './reads/facts';

export type HaMode = 'active-passive' | 'active-active';
export type HaState =
  | 'initial'
  | 'active'
  | 'passive'
  | 'active-primary'
  | 'active-secondary'
  | 'tentative'
  | 'non-functional'
  | 'suspended';

/** A row of `show jobs all`. Times are epoch milliseconds of the device's clock. */
export interface JobView {
  readonly id: number;
  readonly type: string;
  readonly status: 'PEND' | 'ACT' | 'FIN';
  readonly result: 'PEND' | 'OK' | 'FAIL';
  readonly progress: number;
  readonly queuedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly user: string;
  readonly details: readonly string[];
  readonly warnings: readonly string[];
}

export interface DeviceView {
  readonly name: string;
  readonly serial: string;
  readonly model: string;
  readonly hostname: string;
  /** Without a prefix length. */
  readonly managementAddress: string;
  /** Release that runs, as "10.2.3-h4". */
  readonly version: string;
  readonly contentVersion: string;
  readonly advancedRouting: boolean;
  readonly haMode: HaMode;
  readonly haState: HaState;
  /** In active, active-primary or active-secondary: passes traffic, has BGP sessions. */
  readonly serving: boolean;
  /** Since when it serves, epoch milliseconds; undefined while it doesn't. */
  readonly servingSince?: number | undefined;
  /**
   * Since when its routing protocols run: serving, and in active/active tentative too, where adjacencies form before it
   * serves. Left out: servingSince.
   */
  readonly routingSince?: number | undefined;
  /** The peer serves as well. False: in active/active this member carries the load of both. Left out: it does. */
  readonly peerServing?: boolean;
  /** Its dataplane links are held down: suspended, or passive with passive link state `shutdown`. Left out: they aren't. */
  readonly linksHeldDown?: boolean;
  /** Epoch milliseconds, simulated. */
  readonly now: number;
  readonly bootedAt: number;
  readonly jobs: readonly JobView[];
  readonly hasPendingChanges: boolean;
  /** What it knows besides HA, jobs, software and configuration; tests change it. */
  readonly facts: DeviceFacts;
}
