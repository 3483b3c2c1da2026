/**
 * Section `xroad` of a plan: how the nodes of a Security Server cluster are observed, drained, stopped and started. The
 * defaults are those of the guide, of the packages, or what facts/x-road.md derives. Durations are milliseconds once parsed;
 * parsing a parsed value again changes nothing.
 */
import { z } from 'zod';
import { duration } from '../kit/duration';

/** Goes into a sudoers file as it is, so nothing in it may need quoting. */
const absolutePath = z.string().regex(/^(\/[A-Za-z0-9._+-]+)+$/, { error: 'an absolute path without spaces' });
const port = z.int().min(1).max(65_535);
/** Goes into a command line and into SQL as it is. */
const databaseName = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,62}$/, { error: 'a name of lower-case letters, digits and _' });

const health = z.strictObject({
  port: port.default(5588).describe('health check port of the proxy; it must be set in local.ini (health-check-port)'),
  address: z
    .ipv4()
    .default('127.0.0.1')
    .describe('address at which a node asks its own health port (health-check-interface, where that isn’t 0.0.0.0)'),
  polls: z.int().min(3).default(3).describe('so many answers in a row must be 200 before a node counts as healthy'),
  spanMs: duration()
    .default(30_000)
    .describe('… and over so long a time: a failed check is answered from a cache for 30 s'),
  pollIntervalMs: duration().default(5_000).describe('time between two questions'),
  timeoutMs: duration()
    .default(300_000)
    .describe('how long a started node may take to become healthy; below 180 s late dependencies may chain past it'),
});

const drain = z.strictObject({
  messages: port.default(5500).describe('port on which Security Servers talk to each other, either way'),
  consumers: z
    .array(port)
    .default([8080, 8443])
    .describe('ports of consumer information systems (client-http-port, client-https-port)'),
  settleMs: duration()
    .default(5_000)
    .describe('time given to load balancers to notice, before connections are counted (fall × inter of their checks)'),
  quietSamples: z.int().min(1).default(3).describe('so many looks in a row must show no connection'),
  pollIntervalMs: duration().default(1_000).describe('time between two looks'),
  timeoutMs: duration().default(300_000).describe('how long connections may go on'),
  onTimeout: z
    .enum(['ask', 'go-on'])
    .default('ask')
    .describe('when connections outlast timeoutMs: ask people, or go on and lose what is in flight'),
});

const services = z.strictObject({
  listeners: z
    .array(port)
    .default([5500, 5577, 8080, 8443, 5566])
    .describe('TCP ports that a started node listens on, besides its health port'),
  startTimeoutMs: duration().default(180_000).describe('how long started services may take until they are up'),
  settleMs: duration()
    .default(15_000)
    .describe('time that started services are watched for restarts: systemd starts those that crash again'),
});

const database = z.strictObject({
  port: port.default(5433).describe('port of the PostgreSQL instance that is replicated'),
  name: databaseName.default('serverconf').describe('its database'),
  schema: databaseName.default('serverconf').describe('schema that holds the tables of Liquibase'),
  maxLagBytes: z
    .int()
    .min(0)
    .default(16 * 1024 * 1024)
    .describe('how far a secondary may be behind before the upgrade, in bytes of WAL'),
  pauseTimeoutMs: duration().default(60_000).describe('how long a pause of replay may take to come true'),
  catchUpTimeoutMs: duration().default(600_000).describe('how long a secondary may take to replay what it received'),
  pollIntervalMs: duration().default(1_000).describe('time between two looks at a database'),
});

const sync = z.strictObject({
  unit: z
    .string()
    .regex(/^[A-Za-z0-9_.@-]+$/, { error: 'the name of a systemd unit, without .service' })
    .default('xroad-sync')
    .describe('unit (and timer) that copies the configuration from the primary'),
  flag: absolutePath
    .default('/var/tmp/xroad/sync-disabled')
    .describe('file whose presence keeps that unit from copying'),
  timeoutMs: duration().default(120_000).describe('how long one copy may take'),
  pollIntervalMs: duration().default(1_000).describe('time between two looks at the unit'),
  compared: z
    .array(absolutePath)
    .default(['/etc/xroad/signer/keyconf.xml'])
    .describe('files that must be the same on primary and secondaries after a copy'),
});

const token = z.strictObject({
  command: absolutePath.default('/usr/bin/signer-console').describe('the signer’s console, asked for list-tokens'),
  waitMs: duration()
    .default(60_000)
    .describe('how long tokens may take to be logged in without anybody’s doing (xroad-autologin)'),
  pollIntervalMs: duration().default(2_000).describe('time between two questions'),
});

export const xroadSpec = z.strictObject({
  outOfService: z
    .enum(['both', 'maintenance', 'load-balancer'])
    .default('both')
    .describe(
      'how a node is taken out: maintenance mode (its health port answers 503, for load balancers that look there), an admin state at the load balancer, or both. Maintenance mode alone is lost whenever the proxy is restarted',
    ),
  health: health.prefault({}).describe('the health check port'),
  drain: drain.prefault({}).describe('how connections of a node that was taken out are waited for'),
  services: services.prefault({}).describe('stopping and starting'),
  database: database.prefault({}).describe('the replicated database'),
  pausedLookMs: duration()
    .default(5_000)
    .describe('time between two looks, from the pause to each node’s own turn, whether it is still paused'),
  sync: sync.prefault({}).describe('the copying of the configuration'),
  token: token.prefault({}).describe('tokens of the signer. A PIN is entered on the node, never here'),
});
export type XroadSpec = z.output<typeof xroadSpec>;
