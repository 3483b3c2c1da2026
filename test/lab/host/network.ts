import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { check, ipBatch } from './command';

/** One end of a link: an interface of a host. */
export interface LinkEnd {
  host: string;
  /** Name of the interface inside the host (at most 15 characters, Linux's limit). */
  interface: string;
}

/** A cable between two hosts (a veth pair). */
export type Link = readonly [LinkEnd, LinkEnd];

/** A switch (a bridge on the machine, without an address of its own) and what is plugged into it. */
export interface Segment {
  ends: readonly LinkEnd[];
}

const netnsPath = (namespace: string): string => `/run/netns/${namespace}`;

/**
 * Makes the namespaces, the management bridge on the machine and one cable from it to each host, and the cables and
 * switches between hosts. Addresses inside the hosts are the hosts' own business (/etc/network/interfaces), as on real machines.
 */
export async function buildNetwork(plan: {
  bridge: string;
  gateway: string;
  /** Name of a host → its namespace. */
  namespaces: ReadonlyMap<string, string>;
  links: readonly Link[];
  segments?: readonly Segment[];
}): Promise<void> {
  const namespaceOf = (host: string): string => {
    const namespace = plan.namespaces.get(host);
    if (namespace === undefined) throw new Error(`a link names the host ${host}, which isn't in the lab`);
    return namespace;
  };
  const id = plan.bridge.slice(0, plan.bridge.indexOf('-'));
  await ipBatch([
    ...[...plan.namespaces.values()].map((namespace) => `netns add ${namespace}`),
    `link add ${plan.bridge} type bridge forward_delay 0`,
    `addr add ${plan.gateway}/24 dev ${plan.bridge}`,
    `link set ${plan.bridge} up`,
    ...[...plan.namespaces.values()].flatMap((namespace, index) => [
      `link add ${id}-m${index} type veth peer name mgmt0 netns ${namespace}`,
      `link set ${id}-m${index} master ${plan.bridge} up`,
    ]),
    ...plan.links.map(
      ([a, b]) =>
        `link add ${a.interface} netns ${namespaceOf(a.host)} type veth peer name ${b.interface} netns ${namespaceOf(b.host)}`,
    ),
    ...(plan.segments ?? []).flatMap(({ ends }, segment) => [
      `link add ${id}-s${segment} type bridge forward_delay 0`,
      `link set ${id}-s${segment} up`,
      ...ends.flatMap((end, port) => [
        `link add ${id}-s${segment}p${port} type veth peer name ${end.interface} netns ${namespaceOf(end.host)}`,
        `link set ${id}-s${segment}p${port} master ${id}-s${segment} up`,
      ]),
    ]),
  ]);
}

/** Names of the interfaces in a namespace, without the loopback. */
export async function interfacesOf(namespace: string): Promise<string[]> {
  const links = JSON.parse(await check(['ip', '-n', namespace, '-j', 'link', 'show'])) as { ifname: string }[];
  return links.map(({ ifname }) => ifname).filter((name) => name !== 'lo');
}

/** Pulls the cables of a host: its neighbours lose the carrier, as when a machine loses power. */
export async function pullCables(namespace: string): Promise<void> {
  await ipBatch(
    (await interfacesOf(namespace)).map((name) => `link set ${name} down`),
    namespace,
  );
}

/**
 * Gives a host a new network namespace with the same cables in it. A namespace that outlived a reboot
 * would keep what a reboot loses: connection tracking, rulesets, sysctls, routes.
 */
export async function renewNamespace(namespace: string): Promise<void> {
  const fresh = `${namespace}.new`;
  if (existsSync(netnsPath(fresh))) await check(['ip', 'netns', 'del', fresh]);
  await check(['ip', 'netns', 'add', fresh]);
  await ipBatch(
    (await interfacesOf(namespace)).map((name) => `link set ${name} netns ${fresh}`),
    namespace,
  );
  await check(['ip', 'netns', 'del', namespace]);
  writeFileSync(netnsPath(namespace), '');
  await check(['mount', '--bind', netnsPath(fresh), netnsPath(namespace)]);
  await check(['umount', netnsPath(fresh)]);
  rmSync(netnsPath(fresh), { force: true });
}
