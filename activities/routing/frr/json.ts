/**
 * What FRR prints as JSON, read into the words of driver.ts; documents.ts takes the output apart. Pure. Forms of FRR 8.4.4 (facts/firewall-pair §4), captured
 * in test/activities/routing/fixtures.
 */
import { z } from 'zod';
import { shaped } from '../../kit';

/** `show bgp [vrf V] ipv4 unicast summary json`. An instance that isn't there prints {}. */
export const summaryDocument = z.object({
  peers: z
    .record(z.string(), z.object({ state: z.string(), pfxRcd: z.number().default(0), pfxSnt: z.number().default(0) }))
    .default({}),
});

const nextHop = z.object({ ip: z.string().optional(), accessible: z.boolean().default(true) });
/** `show bgp [vrf V] ipv4 unicast P json`. An absent prefix prints {}. */
export const prefixDocument = z.object({
  paths: z
    .array(
      z.object({
        aspath: z.object({ length: z.number().default(0) }).prefault({}),
        /** Absent where the route has none: it then counts as the router's default. */
        locPrf: z.number().optional(),
        valid: z.boolean().default(false),
        multipath: z.boolean().default(false),
        bestpath: z.object({ overall: z.boolean().default(false) }).prefault({}),
        nexthops: z.array(nextHop).default([]),
        peer: z.object({ peerId: z.string().default(''), interface: z.string().optional() }).prefault({}),
      }),
    )
    .default([]),
});
export type PrefixDocument = z.output<typeof prefixDocument>;

/** `show ip route [vrf V] P json`. An absent prefix prints {}. */
const routeDocument = z.record(
  z.string(),
  z.array(
    z.object({
      selected: z.boolean().default(false),
      installed: z.boolean().default(false),
      nexthops: z
        .array(
          z.object({
            ip: z.string().optional(),
            interfaceName: z.string().optional(),
            fib: z.boolean().default(false),
            active: z.boolean().default(false),
            recursive: z.boolean().default(false),
            resolver: z.boolean().default(false),
            blackhole: z.boolean().default(false),
          }),
        )
        .default([]),
    }),
  ),
);

/**
 * Next hops that the forwarding table uses for a prefix. A recursive one stands for what it is resolved to, as BGP knows
 * only the former.
 */
export function forwardingOf(document: unknown): string[] {
  const routes = Object.values(shaped(routeDocument, document)).flat();
  const route = routes.find((r) => r.selected && r.installed);
  return (route?.nexthops ?? [])
    .filter((hop) => !hop.resolver && (hop.fib || (hop.recursive && hop.active)))
    .map((hop) => hop.ip ?? (hop.blackhole ? 'blackhole' : `interface ${hop.interfaceName ?? '?'}`));
}

const familyInfo = z.object({
  routeMapForIncomingAdvertisements: z.string().optional(),
  routeMapForOutgoingAdvertisements: z.string().optional(),
  inboundSoftConfigPermit: z.boolean().optional(),
});
const neighborInfo = z.object({
  bgpState: z.string().optional(),
  adminShutDown: z.boolean().default(false),
  gracefulRestartInfo: z
    .looseObject({
      remoteGrMode: z.string().optional(),
      endOfRibRecv: z.record(z.string(), z.boolean()).optional(),
    })
    .optional(),
  addressFamilyInfo: z.record(z.string(), familyInfo).default({}),
});
export type NeighborInfo = z.output<typeof neighborInfo>;

/** `show bgp [vrf V] neighbors X json`; undefined if there is no such neighbor. */
export function neighborOf(document: unknown, neighbor: string): NeighborInfo | undefined {
  const found = shaped(z.record(z.string(), z.unknown()), document)[neighbor];
  return found === undefined ? undefined : shaped(neighborInfo, found);
}
