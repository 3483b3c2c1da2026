/** Reads what iproute2 prints as JSON: interfaces with addresses, routes, policy routing rules. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { jsonOf, shaped } from '../kit';
import type { OwnAddress } from './facts';
import { numberOf } from './naming';

const linkItem = z.object({
  ifname: z.string(),
  mtu: z.number().optional(),
  flags: z.array(z.string()).default([]),
  operstate: z.string().optional(),
  master: z.string().optional(),
  /** The interface below a VLAN, a macvlan; of a veth its peer. */
  link: z.string().nullish(),
  addr_info: z
    .array(
      z
        .object({
          local: z.string(),
          prefixlen: z.int(),
          scope: z.string().optional(),
          dynamic: z.boolean().optional(),
          protocol: z.string().optional(),
        })
        // Addresses are reckoned with (naming.ts).
        .refine((a) => isIP(a.local) !== 0 && a.prefixlen >= 0 && a.prefixlen <= (isIP(a.local) === 4 ? 32 : 128), {
          error: 'no IP address with the length of its network',
        }),
    )
    .default([]),
});

export interface Interfaces {
  readonly lines: Readonly<Record<string, readonly string[]>>;
  readonly addresses: readonly OwnAddress[];
  readonly stacked: readonly (readonly [upper: string, lower: string])[];
}

type Address = z.output<typeof linkItem>['addr_info'][number];

/** keepalived's own interfaces: vrrp.51, vrrp6.51. */
const VRRP_LINK = /^vrrp6?\./;

/**
 * An address that VRRP moves between nodes. keepalived marks its own where the kernel and iproute2 know how (5.18, 6.3);
 * elsewhere an address of one host in the network of another one of the interface is taken for one, while keepalived runs.
 */
function isVrrp(address: Address, ifname: string, all: readonly Address[], vrrp: boolean): boolean {
  if (address.protocol === 'keepalived') return true;
  const bits = isIP(address.local) === 4 ? 32 : 128;
  return (
    vrrp &&
    (VRRP_LINK.test(ifname) ||
      (address.prefixlen === bits &&
        all.some((a) => a.prefixlen < bits && isIP(a.local) === isIP(address.local) && isIn(address.local, a))))
  );
}

const isIn = (address: string, { local, prefixlen }: Address): boolean => {
  const host = BigInt((isIP(local) === 4 ? 32 : 128) - prefixlen);
  return numberOf(address) >> host === numberOf(local) >> host;
};

/** Of `ip -j address show`. Addresses that a node made up or was lent (link-local, DHCP, autoconfiguration, VRRP) don't count. */
export class Links {
  readonly #lines = new Map<string, string[]>();
  readonly #addresses: OwnAddress[] = [];
  readonly #stacked: (readonly [upper: string, lower: string])[] = [];

  /** @param vrrp keepalived runs on the node */
  constructor(private readonly vrrp = false) {}

  /** One of its items. @throws UnexpectedOutput, as do all below */
  add(item: unknown): void {
    const { ifname, mtu, flags, operstate, master, link: lower, addr_info } = shaped(linkItem, item);
    const lasting = addr_info.filter((a) => a.scope !== 'link' && a.dynamic !== true);
    const own = lasting.filter((a) => !isVrrp(a, ifname, lasting, this.vrrp));
    if (typeof lower === 'string') this.#stacked.push([ifname, lower]);
    if (master !== undefined) this.#stacked.push([master, ifname]);
    for (const a of own) this.#addresses.push({ interface: ifname, address: a.local, length: a.prefixlen });
    this.#lines.set(ifname, [
      `mtu ${mtu ?? '?'}`,
      flags.includes('UP') ? 'up' : 'down',
      // Loopback and tunnels say UNKNOWN while they work.
      operstate === 'DOWN' || operstate === 'LOWERLAYERDOWN' ? 'no carrier' : 'carrier',
      ...(master === undefined ? [] : [`part of ${master}`]),
      ...own.map((a) => `address ${a.local}/${a.prefixlen}`).sort(),
    ]);
  }

  get all(): Interfaces {
    return { lines: Object.fromEntries(this.#lines), addresses: this.#addresses, stacked: this.#stacked };
  }
}

/** The whole of `ip -j address show`. */
export function readInterfaces(json: string, vrrp = false): Interfaces {
  const links = new Links(vrrp);
  for (const link of jsonOf(z.array(z.unknown()), json)) links.add(link);
  return links.all;
}

const nexthop = z.object({ gateway: z.string().optional(), dev: z.string().optional(), weight: z.number().optional() });
const routes = z.array(
  z.object({
    type: z.string().optional(),
    dst: z.string(),
    gateway: z.string().optional(),
    via: z.object({ host: z.string() }).optional(),
    dev: z.string().optional(),
    protocol: z.string().optional(),
    table: z.union([z.string(), z.number()]).optional(),
    prefsrc: z.string().optional(),
    metric: z.number().optional(),
    nexthops: z.array(nexthop).optional(),
  }),
);

/** The whole of `ip -j -4|-6 route show table all`. */
export const readRoutes = (
  json: string,
  family: 'ipv4' | 'ipv6',
  protocols: readonly string[],
): Record<string, string[]> =>
  routesOf(json.trim() === '' ? [] : jsonOf(z.array(z.unknown()), json), family, protocols);

/** Of its items: by family, table and destination. The table `local` follows from the addresses. */
export function routesOf(
  items: readonly unknown[],
  family: 'ipv4' | 'ipv6',
  protocols: readonly string[],
): Record<string, string[]> {
  const byPath: Record<string, string[]> = {};
  for (const route of shaped(routes, items)) {
    const { dst, table = 'main', protocol = 'boot' } = route;
    // Link-local routes follow from the interfaces.
    if (table === 'local' || dst.startsWith('fe80:') || !protocols.includes(protocol)) continue;
    const hops = route.nexthops ?? [route];
    const text = [
      ...(route.type === undefined || route.type === 'unicast' ? [] : [route.type]),
      ...hops
        .map((hop) => [
          ...('gateway' in hop && hop.gateway !== undefined ? ['via', hop.gateway] : []),
          ...('via' in hop && hop.via !== undefined ? ['via', hop.via.host] : []),
          ...(hop.dev === undefined ? [] : ['dev', hop.dev]),
          ...('weight' in hop && hop.weight !== undefined ? ['weight', String(hop.weight)] : []),
        ])
        .map((words) => words.join(' '))
        .filter((words) => words !== '')
        .sort(),
      `proto ${protocol}`,
      ...(route.prefsrc === undefined ? [] : [`src ${route.prefsrc}`]),
      ...(route.metric === undefined ? [] : [`metric ${route.metric}`]),
    ].join(' ');
    (byPath[`${family} ${table === 'main' ? '' : `table ${table} `}${dst}`] ??= []).push(text);
  }
  for (const lines of Object.values(byPath)) lines.sort();
  return byPath;
}

const rules = z.array(z.looseObject({ priority: z.number() }));

/** Of `ip -j -4|-6 rule show`: in the order in which they are asked. */
export function readRules(json: string): string[] {
  const list = json.trim() === '' ? [] : jsonOf(rules, json);
  return list
    .sort((a, b) => a.priority - b.priority)
    .map((rule) =>
      Object.entries(rule)
        .map(([key, value]) =>
          value === null ? key : `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
        )
        .join(' '),
    );
}
