/** The lab's firewall pair as an inventory, as a person would write one from the description of any network. */
import { stringify } from 'yaml';
import type { FirewallPairDescription } from '../test/lab';

export interface InventoryOptions {
  readonly taskQueue?: string;
  readonly cluster?: string;
  /** "20s" */
  readonly monitoring?: string;
  /** Section `policy`; anyone may answer if left out. */
  readonly policy?: unknown;
  /** Replaces parts of the cluster's entry. */
  readonly change?: (cluster: Record<string, unknown>) => void;
  /** Releases besides those of the lab's repository. */
  readonly releases?: FirewallPairDescription['repository']['releases'];
}

/** Local preference and prepending of the lab's baseline. */
const PREFERRED = { localPreference: 110, prepend: 0 };
const OTHER = { localPreference: 100, prepend: 1 };

export function inventoryOf(lab: FirewallPairDescription, options: InventoryOptions = {}): string {
  const { roles, prefixes, hosts, service } = lab;
  const credentials = [{ key: `file:${lab.ssh.privateKeyPath}` }];
  const host = (name: string): unknown => ({
    address: hosts[name]?.address,
    user: lab.ssh.user,
    credentials,
    knownHosts: lab.ssh.knownHostsPath,
  });
  const router = (name: string, side: 'inside' | 'outside'): unknown => {
    const bgp = hosts[name]?.bgp;
    const towards = (firewall: string) => bgp?.neighbors.find((n) => n.host === firewall);
    const maps = (firewall: string): unknown => ({
      in: { name: towards(firewall)?.routeMapIn, sequence: 10 },
      out: { name: towards(firewall)?.routeMapOut, sequence: 10 },
    });
    return {
      host: name,
      platform: 'frr',
      side,
      families: {
        'ipv4 unicast': {
          destinations: side === 'inside' ? prefixes.wan : prefixes.dc,
          paths: Object.fromEntries(roles.firewalls.map((f) => [f, { neighbor: towards(f)?.address }])),
        },
      },
      ...(side === 'inside'
        ? {
            policy: {
              localAs: bgp?.asNumber,
              routeMaps: Object.fromEntries(roles.firewalls.map((f) => [f, maps(f)])),
              preferred: PREFERRED,
              other: OTHER,
            },
          }
        : {}),
    };
  };
  const at = service.address;
  const cluster: Record<string, unknown> = {
    kind: 'firewall-pair',
    nodes: Object.fromEntries(roles.firewalls.map((f) => [f, { host: f }])),
    routing: {
      steering: { method: 'bgp-policy' },
      routers: Object.fromEntries<unknown>([
        ...roles.borders.map((name): [string, unknown] => [name, router(name, 'inside')]),
        ...roles.edges.map((name): [string, unknown] => [name, router(name, 'outside')]),
      ]),
      traffic: { idleForMs: '3s' },
    },
    stateSync: { driver: 'conntrackd', variant: lab.stateSync.mode },
    software: {
      driver: 'apt',
      release: { package: 'fw-release' },
      releases: Object.fromEntries(
        Object.entries(options.releases ?? lab.repository.releases).map(([release, packages]) => [
          release,
          { packages },
        ]),
      ),
      units: ['frr.service', 'conntrackd.service', 'nftables.service'],
      minFreeMb: 100,
      rebootTimeoutMs: '2m',
    },
    parity: { services: ['frr.service', 'conntrackd.service', 'nftables.service'] },
    monitoring: {
      periodMs: options.monitoring ?? '20s',
      reseedEveryMs: '10s',
      tolerance: { fail: 3, of: 5 },
      probes: [
        { name: 'tcp', kind: 'tcp', from: roles.client, to: `${at}:${service.ports.echo.direct[0]}` },
        { name: 'tcp-through-nat', kind: 'tcp', from: roles.client, to: `${at}:${service.ports.echo.nat[0]}` },
        { name: 'http', kind: 'http', from: roles.client, url: `http://${at}:${service.ports.http.direct}/` },
        {
          name: 'closed-port',
          kind: 'tcp',
          from: roles.client,
          to: `${at}:${service.ports.refused}`,
          expect: 'refused',
        },
        { name: 'bgp', kind: 'bgp', router: roles.borders[0] },
        { name: 'state-sync', kind: 'state-sync' },
      ],
    },
    policy: options.policy ?? { gates: { start: {}, return: {}, finish: {} } },
  };
  options.change?.(cluster);
  return stringify({
    schema: 1,
    taskQueue: options.taskQueue ?? 'hitless',
    hosts: Object.fromEntries(Object.keys(hosts).map((name) => [name, host(name)])),
    clusters: { [options.cluster ?? 'fw-dc1']: cluster },
  });
}
