/**
 * What the inventory says of readiness checks and of how much a snapshot may differ from an earlier one. Defaults are those
 * of panos-upgrade-assurance 2.1.1 where it has any. Durations are milliseconds once parsed.
 */
import { z } from 'zod';
import { duration } from '../../kit/duration';
import { WAIVABLE } from './catalogue';
import { HASH_ORDER } from './parse/hashes';

const percent = () => z.number().min(0).max(100);
const waivable = z.enum(WAIVABLE, { error: `one of the checks that can be left out: ${WAIVABLE.join(', ')}` });
const address = z.string().min(1);
const HOUR = 3_600_000;

const keyRule = (bits: number) =>
  z.strictObject({
    hash: z.enum(HASH_ORDER).default('sha256').describe('weakest hash that is good enough'),
    bits: z.int().min(1).default(bits).describe('smallest key that is good enough, in bits'),
  });

export const readinessChecksSpec = z.strictObject({
  only: z
    .array(waivable)
    .optional()
    .describe('of the checks that can be left out, run these alone; those that can’t be left out always run'),
  skip: z.array(waivable).default([]).describe('checks that are never run'),
  skipLicenses: z.array(z.string()).default([]).describe('features whose licence may be expired'),
  contentVersion: z
    .string()
    .regex(/^\d+-\d+$/, { error: 'a content version such as 8700-8000' })
    .optional()
    .describe('oldest content that is good enough; left out, the latest offered'),
  sessionExist: z
    .array(
      z.strictObject({
        source: address.describe('its source address'),
        destination: address.describe('its destination address'),
        port: z.int().min(0).max(65_535).describe('its destination port'),
      }),
    )
    .default([])
    .describe('sessions that must be there'),
  arpEntries: z
    .array(
      z.strictObject({
        ip: address.describe('address of the neighbour'),
        interface: z.string().min(1).optional().describe('interface on which it must be; left out, any'),
      }),
    )
    .default([])
    .describe('neighbours that must be known'),
  ipsecTunnels: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe('name of the tunnel, without proxy ID'),
        proxyIds: z.array(z.string().min(1)).default([]).describe('proxy IDs that are looked at; none: all it has'),
        requireAllActive: z.boolean().default(false).describe('all proxy IDs must be active, not just one'),
      }),
    )
    .default([])
    .describe('IPSec tunnels that must be active'),
  diskFreeGb: z
    .number()
    .min(0)
    .default(3)
    .describe('GiB that must be free on /opt/panrepo at least; images need 1.1 times their size'),
  clockSkewMs: duration().default(0).describe('how far management plane and dataplane clocks may be apart'),
  certificates: z
    .strictObject({
      rsa: keyRule(2_048).prefault({}).describe('certificates with RSA keys'),
      ecdsa: keyRule(256).prefault({}).describe('certificates with elliptic curve keys'),
    })
    .prefault({})
    .describe('how strong certificates must be'),
  dynamicUpdatesWindowMs: duration()
    .pipe(
      z
        .number()
        .min(HOUR, { error: 'at least 1h' })
        .max(7 * 24 * HOUR, { error: 'at most 1w' }),
    )
    .default(HOUR)
    .describe('time from now in which no scheduled update may begin: as long as the upgrade will take'),
  jumboFrame: z.boolean().optional().describe('whether jumbo frames must be on; left out, alike on both members'),
  dpCpuPercent: percent().default(80).describe('dataplane load that is too much'),
  dpCpuMinutes: z.int().min(1).max(60).default(5).describe('minutes over which the dataplane’s load is averaged'),
  mpCpuPercent: percent().default(80).describe('management plane load that is too much, over one minute'),
  mpMemoryPercent: percent().default(90).describe('management plane memory in use that is too much'),
  capacityPercent: percent()
    .default(100)
    .describe('active/active: sessions of both members together, in percent of what one can hold, that are too many'),
  capacityMinutes: z
    .int()
    .min(1)
    .max(60)
    .default(15)
    .describe('active/active: minutes over which the sessions and the dataplane load of both are averaged'),
});
export type ReadinessChecksSpec = z.output<typeof readinessChecksSpec>;

export const thresholdsSpec = z.strictObject({
  routesPercent: percent().default(10).describe('how far the number of routes of a protocol may change'),
  fibPercent: percent().default(10).describe('how far the number of forwarding entries may change'),
  bgpPrefixesPercent: percent()
    .default(10)
    .describe('how far the number of prefixes accepted from a BGP peer may change'),
  arpLossPercent: percent().default(50).describe('how much of the ARP table may be missing'),
  arpFloor: z.int().min(0).default(10).describe('smaller ARP tables aren’t compared'),
  sessionLossPercent: percent().default(50).describe('how much of the sessions may be missing'),
  sessionFloor: z.int().min(0).default(100).describe('fewer sessions aren’t compared'),
});
export type Thresholds = z.output<typeof thresholdsSpec>;
