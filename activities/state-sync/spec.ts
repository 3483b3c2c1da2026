/**
 * Section `stateSync` of a plan: how the pair copies session state, and when it counts as copied. Durations are
 * milliseconds once parsed; parsing a parsed value again changes nothing.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { duration } from '../kit/duration';
import type { FlowLimits } from './judge';

/** Goes into a sudoers file as it is, so nothing in it may need quoting. */
const absolutePath = z.string().regex(/^(\/[A-Za-z0-9._+-]+)+$/, { error: 'an absolute path without spaces' });

/** "192.0.2.1", "192.0.2.0/24", "2001:db8::/32". */
const addressOrPrefix = z.string().refine(
  (text) => {
    const [address = '', length, ...rest] = text.split('/');
    const family = isIP(address);
    if (family === 0 || rest.length > 0) return false;
    return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128));
  },
  { error: 'an IP address or prefix, as "192.0.2.1" or "2001:db8::/32"' },
);

const tolerance = z.strictObject({
  missing: z.int().min(0).default(0).describe('so many flows may be missing on the receiving node …'),
  missingPercent: z
    .number()
    .min(0)
    .max(100)
    .default(0)
    .describe('… or so many per cent of the compared flows, whichever is more'),
});

const guard = z.strictObject({
  sampleMs: duration()
    .default(1_000)
    .describe('how long the forwarding counters are watched to tell which node serves'),
  idlePackets: z
    .int()
    .min(0)
    .default(5)
    .describe('packets that a node may forward in that time and still count as not serving'),
});

export const stateSyncSpec = z.strictObject({
  driver: z.literal('conntrackd').describe('what copies session state between the nodes'),
  variant: z
    .enum(['direct', 'external-cache'])
    .describe(
      'direct: the standby holds the sessions in its kernel (DisableExternalCache on); external-cache: in the daemon, until they are committed before it serves',
    ),
  config: absolutePath
    .default('/etc/conntrackd/conntrackd.conf')
    .describe('configuration file of conntrackd on the nodes: it names the socket that commands go through'),
  protocols: z
    .array(z.enum(['tcp', 'udp']))
    .min(1)
    .default(['tcp', 'udp'])
    .describe('protocols whose flows are compared: established TCP, answered UDP'),
  families: z
    .array(z.enum(['ipv4', 'ipv6']))
    .min(1)
    .default(['ipv4', 'ipv6'])
    .describe('address families whose flows are compared'),
  ignoreAddresses: z
    .array(addressOrPrefix)
    .default([])
    .describe(
      'flows from or to these are not compared: what conntrackd doesn’t copy ("Address Ignore"). The nodes’ own addresses are left out anyway',
    ),
  ignoreYoungerThanMs: duration()
    .default(2_000)
    .describe('flows younger than this are not compared: they may be on their way'),
  tolerance: tolerance
    .prefault({})
    .describe('how far the receiving node may be behind before it counts as not in sync'),
  agedMs: duration()
    .default(60_000)
    .describe(
      'a flow that would expire so much earlier on the receiving node than on the sending one, and within lifeNeededMs, counts as missing: it wasn’t refreshed',
    ),
  // Without a default here: the plans of builds before don't have it.
  lifeNeededMs: duration()
    .optional()
    .describe(
      'a flow that lives so long on the receiving node is safe there: longer than the rest of a move takes. Left out: 120 s. It must be less than the 300 s that the kernel gives a flow while data is on its way',
    ),
  unsyncedPercent: z
    .number()
    .min(0)
    .max(100)
    .default(50)
    .describe(
      'before the first reseed a standby may lack flows that have grown old there; more TCP flows missing than this means that copying doesn’t work at all. 100 switches that check off',
    ),
  stableReads: z.int().min(1).max(20).default(2).describe('so many comparisons in a row must be within the tolerance'),
  pollIntervalMs: duration().default(500).describe('time between two comparisons or looks at the daemons’ queues'),
  settleTimeoutMs: duration().default(30_000).describe('how long a reseed may take to show on the receiving node'),
  guard: guard.prefault({}).describe('how the node that serves is told from the other, before state is copied'),
});
export type StateSyncSpec = z.output<typeof stateSyncSpec>;

const LIFE_NEEDED_MS = 120_000;

export const limitsOf = ({ agedMs, lifeNeededMs = LIFE_NEEDED_MS }: StateSyncSpec): FlowLimits => ({
  agedMs,
  lifeNeededMs,
});

/** The part of a plan that this folder reads. */
export interface StateSyncPlan {
  readonly cluster: string;
  readonly nodes: Readonly<Record<string, { readonly host: string }>>;
  readonly stateSync: StateSyncSpec;
}
