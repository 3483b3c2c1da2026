/**
 * Which nodes two clusters share, by what a node *is*: its SSH host key, its address, the serial of a device; never by the
 * names that people gave it. Two runs that upgrade one node at once would take it out of service under each other's feet, and
 * PAN-OS has no owner file that could stop them. Routers, load balancers, probing hosts and jump hosts may be shared. Pure.
 */
import { isIPv6 } from 'node:net';
import { fingerprint, knownHostName, matchesHost, type KnownHost } from '../activities/ssh/known-hosts';

/** The parts of a plan, or of an inventory's cluster with its hosts, that say what its nodes are. Frozen plans have them all. */
export interface NodesOfPlan {
  readonly nodes: Readonly<
    Record<string, { readonly host?: string; readonly address?: string; readonly port?: number }>
  >;
  readonly hosts?: Readonly<Record<string, HostOfPlan>>;
  /** What devices said of themselves when the plan was made: a serial of PAN-OS, a machine ID (machine-id(5)). */
  readonly found?: Readonly<Record<string, { readonly serial?: unknown; readonly machineId?: unknown }>>;
}

interface HostOfPlan {
  readonly address: string;
  readonly port: number;
  readonly jump?: string | undefined;
  readonly hostKeys?: readonly string[] | undefined;
  readonly knownHosts?: string | undefined;
}

export interface SharedNode {
  /** Names in the first and in the second plan. */
  readonly nodes: readonly [string, string];
  /** By what they are one, for people: "the SSH host key SHA256:…". */
  readonly by: string;
}

/** Entries of a known_hosts file on the worker; none if it can't be read. Left out, pinned keys alone are compared. */
export type ReadKnownHosts = (path: string) => readonly KnownHost[];

/** What ssh reads where a plan names neither a file nor keys. */
const DEFAULT_KNOWN_HOSTS = '~/.ssh/known_hosts';

/** Nodes that two plans have in common; empty if there are none. */
export function sharedNodes(a: NodesOfPlan, b: NodesOfPlan, read?: ReadKnownHosts): SharedNode[] {
  const known = new Map<string, string>();
  for (const node of Object.keys(a.nodes))
    for (const identity of identitiesOf(a, node, read)) if (!known.has(identity)) known.set(identity, node);
  return Object.keys(b.nodes).flatMap((node): SharedNode[] => {
    const by = identitiesOf(b, node, read).find((identity) => known.has(identity));
    return by === undefined ? [] : [{ nodes: [known.get(by) ?? '', node], by }];
  });
}

/** Everything that only this node has, as words, what tells most first. */
export function identitiesOf(plan: NodesOfPlan, node: string, read?: ReadKnownHosts): string[] {
  const { host: hostName, address, port } = own(plan.nodes, node) ?? {};
  const host = own(plan.hosts, hostName);
  const { serial, machineId } = own(plan.found, node) ?? {};
  return [
    ...(typeof serial === 'string' && serial !== '' ? [`the serial ${serial}`] : []),
    ...(typeof machineId === 'string' && machineId !== '' ? [`the machine ID ${machineId}`] : []),
    ...(host === undefined
      ? []
      : [...new Set(keysOf(host, read))].map((key) => `the SSH host key ${fingerprint(key)}`)),
    ...(host === undefined ? [] : [sshPlace(plan, host)]),
    ...(address === undefined ? [] : [`the address ${canonical(address)} port ${port ?? '?'}`]),
  ];
}

/** An entry by its name; names are people's, and `constructor` is one. */
const own = <T>(entries: Readonly<Record<string, T>> | undefined, name: string | undefined): T | undefined =>
  entries !== undefined && name !== undefined && Object.hasOwn(entries, name) ? entries[name] : undefined;

/** Behind different jump hosts one address may be two machines. */
function sshPlace(plan: NodesOfPlan, { address, port, jump }: HostOfPlan): string {
  const by = own(plan.hosts, jump);
  return `the address ${canonical(address)} port ${port}${by === undefined ? '' : ` behind ${sshPlace(plan, by)}`}`;
}

/** Keys by which this host would be known: revoked ones and authorities tell no host apart. */
function keysOf(host: HostOfPlan, read: ReadKnownHosts | undefined): string[] {
  const pinned = (host.hostKeys ?? []).map((key) => key.trim().split(/\s+/)[1] ?? '');
  if (read === undefined || (host.hostKeys !== undefined && host.knownHosts === undefined)) return pinned;
  const name = knownHostName(host.address, host.port);
  const listed = read(host.knownHosts ?? DEFAULT_KNOWN_HOSTS).filter(
    (entry) => entry.marker === undefined && namesOne(entry) && matchesHost(entry, name),
  );
  return [...pinned, ...listed.map(({ key }) => key)];
}

/** A key that is listed for any host says nothing of one. */
const namesOne = ({ hosts }: KnownHost): boolean => hosts.every((pattern) => !/[*?]/.test(pattern));

function canonical(address: string): string {
  const plain = address.toLowerCase().replace(/\.$/, '');
  return isIPv6(plain) && !plain.includes('%') ? new URL(`http://[${plain}]`).hostname.slice(1, -1) : plain;
}
