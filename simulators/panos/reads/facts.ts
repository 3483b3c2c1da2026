/**
 * What a simulated device knows besides HA, jobs, software and configuration. Plain mutable data: tests and faults
 * change it, and the next read shows it. Nothing here depends on time; replies work that out from the view.
 */
import type { CertificateFact } from './certificates';

export { freshFacts, type FactsOptions } from './fresh-facts';

export interface NtpServer {
  name: string;
  reachable: boolean;
  status: 'synched' | 'available' | 'rejected';
}

export interface Licence {
  feature: string;
  description: string;
  /** Epoch milliseconds. */
  issuedAt: number;
  /** Epoch milliseconds; undefined = never. The reply's `expired` follows from the device's clock. */
  expiresAt?: number;
}

export interface MountPoint {
  filesystem: string;
  mountedOn: string;
  sizeMb: number;
  usedMb: number;
}

export interface InterfaceFact {
  /** As `ethernet1/1`, `ethernet1/1.20`, `tunnel.1`, `ha1-a`. Only those without a dot are hardware. */
  name: string;
  state: 'up' | 'down';
  /** Undefined: none of its own, as HA ports. */
  mtu?: number;
  router?: string;
  zone?: string;
  /** With prefix length. */
  address?: string;
}

export interface ArpEntry {
  interface: string;
  ip: string;
  mac: string;
  /** Seconds. */
  ttl: number;
}

export interface RouteFact {
  destination: string;
  /** An address, or the name of another router. */
  nexthop: string;
  interface: string;
  metric: number;
  protocol: 'static' | 'connected' | 'ospf';
}

export interface BgpPeer {
  name: string;
  group: string;
  remoteAs: number;
  peerAddress: string;
  localAddress: string;
  routerId: string;
  /** Interface of the session: while it is down, so is the session. */
  interface: string;
  /** Prefixes accepted from it; they are routes while the session is up. */
  prefixes: string[];
  rejected: number;
  advertised: number;
  /** From the start of routing on this device to Established. */
  establishAfterMs: number;
  /** Set: the session is in this state whatever else holds. */
  stuckIn?: BgpState;
}

export type BgpState = 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established';

/** A virtual router, or with advanced routing a logical one. */
export interface RouterFact {
  name: string;
  routerId: string;
  localAs: number;
  routes: RouteFact[];
  peers: BgpPeer[];
}

export interface SessionFact {
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
  /** IP protocol number. */
  protocol: number;
  application: string;
  ingress: string;
  egress: string;
}

export interface TunnelFact {
  /** `name`, or `name:proxy-id`. */
  name: string;
  state: 'active' | 'init' | 'inactive';
  innerInterface: string;
  outerInterface: string;
  localAddress: string;
  peerAddress: string;
}

export interface Sensor {
  kind: 'thermal' | 'fantray' | 'fan' | 'power' | 'power-supply';
  slot: number;
  description: string;
  alarm: boolean;
  /** What was measured, by the element's name: `DegreesC`, `RPMs`, `Volts`, `Inserted`. */
  measured: Record<string, string>;
}

/** Under `update-schedule` of the configuration: `at` is HH:MM, or minutes after the period's start. */
export interface UpdateSchedule {
  kind: 'threats' | 'anti-virus' | 'wildfire' | 'global-protect-clientless-vpn';
  recurring: 'none' | 'hourly' | 'daily' | 'weekly' | 'every-15-mins' | 'real-time';
  at?: string;
  dayOfWeek?: string;
}

export interface LockFact {
  admin: string;
  /** `shared`, or the name of a vsys. */
  location: string;
  /** Epoch milliseconds. */
  createdAt: number;
  comment: string;
}

export interface DeviceFacts {
  serial: string;
  /** None: the clock is local, nothing synchronizes it. */
  ntp: NtpServer[];
  /** None: not managed by Panorama. */
  panorama: { address: string; connected: boolean }[];
  /** Whether the vendor's update server answers: support check and downloads depend on it. */
  updateServerReachable: boolean;
  licences: Licence[];
  support: { level: string; expiresAt?: number };
  disks: MountPoint[];
  /** How far each dataplane's clock is ahead of the management plane's. */
  dataplaneClockSkewMs: number[];
  certificates: CertificateFact[];
  environmentals: Sensor[];
  cpu: { managementPercent: number; dataplaneCores: number; dataplanePercent: number };
  /**
   * Load up to a time (epoch milliseconds), where it was another than `cpu` and `sessions` say; the oldest first. What is
   * asked about past minutes shows it.
   */
  pastLoad: { until: number; dataplanePercent: number; sessions: number }[];
  /** MiB of the management plane. */
  memory: { totalMb: number; usedMb: number; cacheMb: number };
  interfaces: InterfaceFact[];
  jumboFrame: boolean;
  arp: ArpEntry[];
  routers: RouterFact[];
  sessions: { active: number; max: number; kbps: number; pps: number; cps: number; listed: SessionFact[] };
  tunnels: TunnelFact[];
  updateSchedules: UpdateSchedule[];
  locks: { config: LockFact[]; commit: LockFact[] };
  redistribution: { clients: { host: string; port: number }[]; agents: { name: string; host: string; port: number }[] };
  userIdService: boolean;
  deviceCertificate: 'Valid' | 'Expired' | 'None';
  /** What its next AutoCom warns of. */
  autoCommitWarnings: string[];
  /** Transitions into each state since boot; the HA half counts them. */
  haTransitions: Record<string, number>;
  haPathGroups: { router: string; destination: string; up: boolean }[];
  /** Slots of a chassis; undefined for models that have none. */
  chassis?: { slot: number; component: string; status: 'Up' | 'Down' | 'Empty' }[];
}
