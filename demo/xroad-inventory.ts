/** The lab's X-Road cluster as an inventory, as a person would write one from the description of any cluster. */
import { stringify } from 'yaml';
import type { XRoadDescription } from '../test/lab';

export interface XRoadInventoryOptions {
  readonly cluster?: string;
  /** "20s" */
  readonly monitoring?: string;
  /** Section `policy`; anyone may answer if left out. */
  readonly policy?: unknown;
  /** Replaces parts of the cluster's entry. */
  readonly change?: (cluster: Record<string, unknown>) => void;
}

export function xroadInventoryOf(lab: XRoadDescription, options: XRoadInventoryOptions = {}): string {
  const { roles, hosts, ports, loadBalancer, database } = lab;
  const host = (name: string): unknown => ({
    address: hosts[name]?.address,
    user: lab.ssh.user,
    credentials: [{ key: `file:${lab.ssh.privateKeyPath}` }],
    knownHosts: lab.ssh.knownHostsPath,
  });
  const cluster: Record<string, unknown> = {
    kind: 'x-road-cluster',
    nodes: Object.fromEntries(roles.nodes.map((name) => [name, { host: name }])),
    xroad: {
      outOfService: 'both',
      // The lab's own times: its checks and services are as quick as stand-ins can be.
      drain: { consumers: [ports.client, ports.clientTls], settleMs: '5s', timeoutMs: '60s' },
      health: { port: ports.health, pollIntervalMs: '1s', spanMs: '5s', timeoutMs: '3m' },
      services: { listeners: [ports.message, ports.client, ports.admin], settleMs: '5s' },
      database: { port: database.port },
    },
    loadBalancer: { driver: 'haproxy', instances: [{ host: roles.lb, socket: loadBalancer.socket }] },
    software: {
      driver: lab.repository.driver,
      release: { package: 'xroad-proxy' },
      releases: Object.fromEntries(
        Object.entries(lab.repository.releases).map(([release, packages]) => [release, { packages }]),
      ),
      conffiles: 'replace',
      reboot: false,
      minFreeMb: 100,
    },
    monitoring: {
      periodMs: options.monitoring ?? '10s',
      reseedEveryMs: 'never',
      escapeEveryMs: '10s',
      tolerance: { fail: 3, of: 5 },
      probes: [
        { name: 'messages', kind: 'tcp', from: roles.client, to: `${loadBalancer.address}:${ports.message}` },
        { name: 'consumers', kind: 'tcp', from: roles.client, to: `${loadBalancer.address}:${ports.client}` },
      ],
    },
    policy: options.policy ?? { gates: { start: {}, secondaries: {}, next: {} } },
  };
  options.change?.(cluster);
  return stringify({
    schema: 1,
    hosts: Object.fromEntries([...roles.nodes, roles.lb, roles.client].map((name) => [name, host(name)])),
    clusters: { [options.cluster ?? 'ss-prod']: cluster },
  });
}
