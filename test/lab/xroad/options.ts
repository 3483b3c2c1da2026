/** What can be different from one X-Road lab to the next. Everything has a default. */
export interface XRoadOptions {
  names?: Partial<XRoadNames>;
  /** Number of secondaries, named ss2, ss3 … where `names` doesn't say otherwise. Default: 2. */
  secondaries?: number;
  /** How often a secondary pulls the primary's files; the guide says 60. Default: 10. */
  syncPeriodSeconds?: number;
  /** Whether /etc/xroad/autologin holds the PIN, so that the token is logged in again after a reboot. Default: true. */
  autologin?: boolean;
  /** From the start of the proxy's process to its listeners; the real one takes 10 and more. Default: 4. */
  proxyStartSeconds?: number;
  /** False as in a fresh installation: the health port is off, and maintenance mode with it. Default: true. */
  healthPort?: boolean;
  /** Client connections stay open between messages (`server-support-clients-pooled-connections`). Default: false. */
  pooledConnections?: boolean;
  /** HAProxy's health checks (facts/x-road.md section 3). Default: every 2 s, 2 to fall, 2 to rise. */
  check?: Partial<CheckOptions>;
  /** Who manages the nodes' packages: debs, or rpms that differ where RHEL's do; all else is Debian's. Default: apt. */
  packages?: 'apt' | 'dnf';
  /** Text of /etc/sudoers.d/hitless on every host. Default: everything, without a password. */
  sudoers?: string;
}

export interface XRoadNames {
  /** Where messages come from: information systems and other Security Servers. */
  client: string;
  /** HAProxy. */
  lb: string;
  primary: string;
  secondaries: readonly string[];
  /** The service that all messages go to. */
  provider: string;
}

export interface CheckOptions {
  intervalMs: number;
  fall: number;
  rise: number;
}

export interface ResolvedOptions {
  names: XRoadNames;
  syncPeriodSeconds: number;
  autologin: boolean;
  proxyStartSeconds: number;
  healthPort: boolean;
  pooledConnections: boolean;
  packages: 'apt' | 'dnf';
  check: CheckOptions;
}

/** Ports of a Security Server and of what is around it (facts/x-road.md section 1). */
export const ports = {
  /** Messages from other Security Servers. */
  message: 5500,
  /** Messages from information systems. */
  client: 8080,
  clientTls: 8443,
  ocsp: 5577,
  health: 5588,
  /** On 127.0.0.1 alone. */
  admin: 5566,
  managementApi: 4000,
  serverconf: 5433,
  messagelog: 5432,
  /** Of the service on the provider. */
  service: 8000,
} as const;

/** PIN of the software token of every lab. */
export const tokenPin = 'Lab-pin-1234';

/** Code of the service in serverconf that messages name. */
export const serviceCode = 'lab-service';

/** Client and load balancer are in one network, load balancer, nodes and provider in the other. */
const outside = '10.50.0';
const cluster = '10.60.0';

export interface Addresses {
  client: string;
  lbOutside: string;
  lbInside: string;
  provider: string;
  nodes: Record<string, string>;
}

export const nodesOf = ({ primary, secondaries }: XRoadNames): string[] => [primary, ...secondaries];

export function addressesOf(names: XRoadNames): Addresses {
  return {
    client: `${outside}.10`,
    lbOutside: `${outside}.5`,
    lbInside: `${cluster}.5`,
    provider: `${cluster}.200`,
    nodes: Object.fromEntries(nodesOf(names).map((name, index) => [name, `${cluster}.${11 + index}`])),
  };
}

/** @throws Error naming what can't be built. */
export function resolveOptions(options: XRoadOptions): ResolvedOptions {
  const count = options.secondaries ?? 2;
  const names: XRoadNames = {
    client: 'client',
    lb: 'lb',
    primary: 'ss1',
    secondaries: Array.from({ length: count }, (_, index) => `ss${index + 2}`),
    provider: 'provider',
    ...options.names,
  };
  const all = [names.client, names.lb, ...nodesOf(names), names.provider];
  const faults: string[] = [];
  for (const name of all) {
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) faults.push(`"${name}" isn't a host name`);
  }
  if (new Set(all).size !== all.length) faults.push(`host names must differ: ${all.join(', ')}`);
  if (options.secondaries !== undefined && names.secondaries.length !== options.secondaries) {
    faults.push(`secondaries is ${options.secondaries}, and ${names.secondaries.length} are named`);
  }
  const { length } = names.secondaries;
  if (length < 1 || length > 8) faults.push(`there can be 1 to 8 secondaries, not ${length}`);
  const period = options.syncPeriodSeconds ?? 10;
  // Below, the timer alone would run into systemd's start limit of 5 in 10 s.
  if (!Number.isInteger(period) || period < 3) faults.push(`syncPeriodSeconds must be a whole number from 3 on`);
  const manager: string = options.packages ?? 'apt';
  if (manager !== 'apt' && manager !== 'dnf') faults.push(`packages is apt or dnf, not ${manager}`);
  if (faults.length > 0) throw new Error(`the X-Road cluster can't be built: ${faults.join('; ')}`);
  return {
    names,
    syncPeriodSeconds: period,
    autologin: options.autologin ?? true,
    proxyStartSeconds: options.proxyStartSeconds ?? 4,
    healthPort: options.healthPort ?? true,
    pooledConnections: options.pooledConnections ?? false,
    packages: options.packages ?? 'apt',
    check: { intervalMs: 2000, fall: 2, rise: 2, ...options.check },
  };
}
