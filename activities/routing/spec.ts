/**
 * Section `routing` of a plan: which routers send traffic through the pair, how each of its nodes is recognised there,
 * and how traffic is moved. Durations are milliseconds once parsed; parsing a parsed value again changes nothing.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { duration } from '../kit/duration';
import { policyFaults, routingFaults } from './spec-faults';

/** Names end up in commands on devices, so nothing in them may need quoting. */
const word = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,62}$/, {
  error: 'letters, digits, dots, colons, hyphens and underscores, 63 at most',
});
const nodeName = word;
const interfaceName = z
  .string()
  .regex(/^[A-Za-z0-9_.@-]{1,15}$/, { error: 'a Linux interface name, 15 characters at most' });
const address = z.string().refine((text) => isIP(text) !== 0, { error: 'an IP address' });
const asNumber = z.int().min(1).max(4_294_967_295);

/** "0.0.0.0/0", "2001:db8::/32". */
const prefix = z.string().refine(
  (text) => {
    const [base = '', length = '', ...rest] = text.split('/');
    const family = isIP(base);
    return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128);
  },
  { error: 'a prefix as "10.20.0.0/16" or "2001:db8::/32"' },
);

export const families = ['ipv4 unicast', 'ipv6 unicast'] as const;
export type Family = (typeof families)[number];

const path = z
  .strictObject({
    neighbor: z
      .union([address, interfaceName, z.array(z.union([address, interfaceName])).min(1)], {
        error:
          'the address of the BGP neighbor, or the interface of an unnumbered one; a list of them for several links',
      })
      .optional()
      .describe(
        'BGP neighbor of this router that is the node itself, or a list of them where several links lead to it; leave it out where the router has no session with it',
      ),
    nextHops: z
      .array(address)
      .default([])
      .describe(
        'next hops that lead to the node by way of another router, as the iBGP neighbor that has the session with it',
      ),
  })
  .refine((p) => p.neighbor !== undefined || p.nextHops.length > 0, {
    error: 'give neighbor, or nextHops, or both: else no route could be told to lead through this node',
  });

const addressFamily = z.strictObject({
  destinations: z
    .array(prefix)
    .min(1)
    .describe(
      'prefixes whose one best path on this router must lead through the node that serves, exactly as they are in its table',
    ),
  paths: z.record(nodeName, path).describe('for each node, how this router reaches it'),
});

const entry = z.strictObject({
  name: word.describe('name of the route-map'),
  sequence: z.int().min(1).max(65_535).describe('number of the entry in it; only this entry is ever changed'),
});
const entries = z
  .union([entry.transform((e) => [e]), z.array(entry).min(1)], { error: 'one {name, sequence} or a list of them' })
  .describe('entries that carry the role; other entries and other lines of these are left as they are');

const preference = z.strictObject({
  localPreference: z
    .int()
    .min(0)
    .max(4_294_967_295)
    .describe('local preference of routes learnt through the node; decides the way out of this AS'),
  prepend: z
    .int()
    .min(0)
    .max(20)
    .describe('extra copies of the own AS on what is announced to the node; decides the way in'),
});

const policy = z
  .strictObject({
    localAs: asNumber.describe('AS number of this router: what is prepended'),
    routeMaps: z
      .record(nodeName, z.strictObject({ in: entries, out: entries }))
      .describe('for each node that this router has sessions with, the entries on routes from it (in) and to it (out)'),
    preferred: preference.describe('towards the node that is to serve'),
    other: preference.describe('towards the other node'),
    equal: preference
      .extend({ holdMs: duration().default(500).describe('how long the equality is held') })
      .optional()
      .describe(
        'where two routers on each side would loop for a moment (two leaves with iBGP): values on the way between, with which every router uses its own exit',
      ),
    inboundAfterMs: duration()
      .default(0)
      .describe(
        'the own way out is switched so much later than the announcements. 0 suits routers that ask their neighbors again (route refresh); with soft-reconfiguration inbound about 100 lets both ways switch together',
      ),
  })
  .superRefine((p, context) => {
    for (const fault of policyFaults(p)) context.addIssue({ code: 'custom', message: fault });
  });

const router = z.strictObject({
  host: z.string().min(1).describe('name under hosts'),
  platform: z.literal('frr').describe('what routes there'),
  side: z.enum(['inside', 'outside']).describe('the side of the firewalls that this router is on'),
  access: z
    .enum(['sudo', 'group'])
    .default('sudo')
    .describe('how vtysh is run: by sudo, or as it is by a login user who is in the group frrvty'),
  vrf: word.optional().describe('VRF that the sessions and routes are in; the default one if left out'),
  families: z.partialRecord(z.enum(families), addressFamily).describe('"ipv4 unicast", "ipv6 unicast" or both'),
  policy: policy.optional().describe('on the router that carries the role policy, and only there'),
});
export type RouterSpec = z.output<typeof router>;
export type PolicySpec = NonNullable<RouterSpec['policy']>;
export type Preference = z.output<typeof preference>;
export type RouteMapEntry = z.output<typeof entry>;

const persist = z
  .boolean()
  .default(true)
  .describe('save the configuration once the move is verified, so that a restart of the device doesn’t take it back');

const nodeSessions = z.strictObject({
  localAs: asNumber.describe('AS number of the node'),
  vrf: word.optional(),
  access: z.enum(['sudo', 'group']).default('sudo').describe('how vtysh is run there'),
  neighbors: z
    .array(z.union([address, interfaceName]))
    .min(1)
    .describe('all BGP neighbors of the node that traffic comes from'),
});

const nodeInterface = z.strictObject({
  interface: interfaceName.describe('an interface that all traffic of the node passes'),
});

const steering = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('bgp-policy').describe('local preference and prepending on one router'),
    persist,
  }),
  z.strictObject({
    method: z.literal('session-shutdown').describe('the vacated node’s own BGP sessions are shut on it (RFC 9003)'),
    nodes: z.record(nodeName, nodeSessions),
    persist: persist.describe('save it on the node too: else traffic comes back by itself when the node restarts'),
  }),
  z.strictObject({
    method: z.literal('interface-down').describe('an interface of the vacated node is taken down: loses packets'),
    nodes: z.record(nodeName, nodeInterface),
    revertAfterMs: duration()
      .default(120_000)
      .describe('the node takes the interface up again by itself after so long, unless the move was verified by then'),
  }),
]);
export type SteeringSpec = z.output<typeof steering>;
export type SteeringOf<Method extends SteeringSpec['method']> = Extract<SteeringSpec, { method: Method }>;

const counter = z.discriminatedUnion('source', [
  z.strictObject({
    source: z
      .literal('kernel')
      .describe('packets forwarded by the kernel, all of them (/proc/net/snmp): needs no root'),
    families: z
      .array(z.enum(['ipv4', 'ipv6']))
      .min(1)
      .default(['ipv4', 'ipv6']),
  }),
  z.strictObject({
    source: z.literal('nft').describe('counters of nftables rules'),
    family: z.enum(['inet', 'ip', 'ip6', 'netdev', 'bridge']).default('inet'),
    table: word,
    chain: word,
    comments: z.array(z.string().min(1).max(128)).min(1).describe('comments of the rules whose counters are added up'),
  }),
  z.strictObject({
    source: z.literal('interface').describe('packets received and sent by an interface'),
    interface: interfaceName,
    controlPerSecond: z
      .number()
      .min(0)
      .default(0)
      .describe('packets a second that aren’t user traffic (BGP, BFD, ARP) and don’t count'),
  }),
]);
export type CounterSpec = z.output<typeof counter>;

const traffic = z.strictObject({
  counters: z
    .record(nodeName, z.array(counter).min(1))
    .default({})
    .describe('for each node, what counts its user traffic; the kernel’s own count if left out'),
  idleForMs: duration().default(5_000).describe('a node is idle when its counters have stood still for so long'),
  idleTimeoutMs: duration().default(60_000).describe('how long to wait for that'),
  sampleMs: duration().default(2_000).describe('how long counters are compared to tell which node serves'),
  expectTraffic: z
    .boolean()
    .default(true)
    .describe('the serving node’s counters must rise; false where there may be no traffic for a while'),
});

const verify = z.strictObject({
  stableReads: z
    .int()
    .min(2)
    .max(20)
    .default(2)
    .describe('so many looks in a row must agree; the first may come before routes have moved'),
  intervalMs: duration().default(1_000).describe('time between two looks'),
  timeoutMs: duration()
    .default(30_000)
    .describe('after so long without agreement the move has failed, and is taken back'),
});

export const routingSpec = z
  .strictObject({
    steering: steering.describe('how traffic is moved'),
    routers: z.record(word, router).describe('every router that chooses between the nodes, on both sides of them'),
    verify: verify.prefault({}).describe('when a move counts as verified'),
    traffic: traffic.prefault({}).describe('how it is told whether user traffic passes through a node'),
  })
  .superRefine((spec, context) => {
    for (const [path, message] of routingFaults(spec)) context.addIssue({ code: 'custom', path, message });
  });
export type RoutingSpec = z.output<typeof routingSpec>;

/** Routing configuration of a router that carries policy, as it was when the plan was made. */
export interface OriginalRouting {
  /** What uses the owned route-maps, as text for people. Builds before this one didn't ask. */
  readonly attached?: readonly string[];
  /** The owned entries, in the form in which the platform shows them. */
  readonly owned: string;
  /** SHA-256 of all of the router's configuration but what is owned. */
  readonly restSha256: string;
  /** SHA-256 of the part of that which decides about the pair's routes. */
  readonly reliedSha256: string;
  /** That part itself, secrets blanked, so that a difference can be named; left out where it is long. */
  readonly relied?: readonly string[];
}

/** The section as it is in a plan: with what was read from the routers at the start. */
export type RoutingPlanSection = RoutingSpec & {
  /** Moves are predicted before they are made. Not of plans by builds that couldn't: their hosts don't allow the questions. */
  readonly predicted?: true;
  readonly original?: Readonly<Record<string, OriginalRouting>>;
};

/** The part of a plan that this folder reads. */
export interface RoutingPlan {
  readonly cluster: string;
  readonly nodes: Readonly<Record<string, { readonly host: string }>>;
  readonly routing: RoutingPlanSection;
}
