import type { Lab } from '../host/lab';
import { backends, runtimeSocket } from './haproxy';
import { syncFlag } from './hosts';
import { addressesOf, nodesOf, ports, serviceCode, tokenPin, type ResolvedOptions } from './options';
import { standInPackages } from './packages';
import { postgresUnit, serverconfCluster } from './postgres';

/** An X-Road lab in plain data: what an inventory is written from, by a person, the demo or a test. */
export interface XRoadDescription {
  lab: string;
  kind: 'xroad';
  ssh: { user: string; port: number; privateKeyPath: string; knownHostsPath: string };
  repository: {
    /** Whose packages it has: all nodes have this package manager. */
    driver: 'apt' | 'dnf';
    url: string;
    /** Release → package → version, oldest first. */
    releases: Record<string, Record<string, string>>;
  };
  hosts: Record<string, XRoadHost>;
  roles: {
    client: string;
    provider: string;
    lb: string;
    primary: string;
    secondaries: readonly string[];
    /** Primary first. */
    nodes: readonly string[];
  };
  ports: typeof ports;
  /** Packages of a release; the last one depends on all others. */
  packages: readonly string[];
  /** Units of the packages, in the order in which they are stopped: the guide's five, then those that it leaves out. */
  services: readonly string[];
  database: typeof serverconfCluster & { unit: string; database: string; schema: string };
  sync: { service: string; timer: string; flag: string; user: string; periodSeconds: number };
  loadBalancer: {
    /** Where clients find the cluster. */
    address: string;
    /** Open to the group haproxy, which the SSH user is in. */
    socket: string;
    backends: readonly { name: string; port: number }[];
    check: { intervalMs: number; fall: number; rise: number };
  };
  token: { id: string; pin: string; autologin: boolean };
  serviceCode: string;
}

export interface XRoadHost {
  role: 'client' | 'lb' | 'primary' | 'secondary' | 'provider';
  /** Management address, where sshd listens. */
  address: string;
  hostKey: string;
  interfaces: Record<string, string>;
}

export const services = [
  ...['xroad-proxy', 'xroad-signer', 'xroad-confclient', 'xroad-monitor', 'xroad-proxy-ui-api'],
  'xroad-addon-messagelog',
].map((name) => `${name}.service`);

export function describe(
  lab: Lab,
  options: ResolvedOptions,
  releases: Record<string, Record<string, string>>,
): XRoadDescription {
  const { names, check } = options;
  const { client, lbOutside, lbInside, provider, nodes } = addressesOf(names);
  const url = lab.record.repository!.url;
  const at = (name: string, role: XRoadHost['role'], interfaces: Record<string, string>): [string, XRoadHost] => [
    name,
    { role, address: lab.host(name).address, hostKey: lab.host(name).hostKey, interfaces },
  ];
  return {
    lab: lab.id,
    kind: 'xroad',
    ssh: { user: lab.sshUser, port: 22, privateKeyPath: lab.sshKeyPath, knownHostsPath: lab.knownHostsPath },
    repository: { driver: options.packages, url, releases },
    hosts: Object.fromEntries([
      at(names.client, 'client', { lan0: client }),
      at(names.lb, 'lb', { out0: lbOutside, lan0: lbInside }),
      at(names.primary, 'primary', { lan0: nodes[names.primary]! }),
      ...names.secondaries.map((name) => at(name, 'secondary', { lan0: nodes[name]! })),
      at(names.provider, 'provider', { lan0: provider }),
    ]),
    roles: { ...names, nodes: nodesOf(names) },
    ports,
    packages: standInPackages,
    services,
    database: { ...serverconfCluster, unit: postgresUnit, database: 'serverconf', schema: 'serverconf' },
    sync: {
      service: 'xroad-sync.service',
      timer: 'xroad-sync.timer',
      flag: syncFlag,
      user: 'xroad',
      periodSeconds: options.syncPeriodSeconds,
    },
    loadBalancer: { address: lbOutside, socket: runtimeSocket, backends, check },
    token: { id: '0', pin: tokenPin, autologin: options.autologin },
    serviceCode,
  };
}
