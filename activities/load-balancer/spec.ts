/**
 * Section `loadBalancer` of a plan: what spreads connections over the nodes, and how a node is taken out there. Durations
 * are milliseconds once parsed; parsing a parsed value again changes nothing.
 */
import { z } from 'zod';
import { duration } from '../kit/duration';

/** Goes into a sudoers file and into an address of socat, so nothing in it may need quoting. */
const socketPath = z.string().regex(/^(\/[A-Za-z0-9._+-]+)+$/, { error: 'an absolute path without spaces' });

/** HAProxy, "Proxies": letters, digits, `-`, `_`, `.` and `:`. */
const NAME = '[A-Za-z0-9_.:-]+';
const serverName = z
  .string()
  .regex(new RegExp(`^${NAME}$`), { error: 'the name of a server, as in its `server` line' });
const backendAndServer = z
  .string()
  .regex(new RegExp(`^${NAME}/${NAME}$`), { error: 'a backend and a server, as "messages/ss1"' });

const instance = z.strictObject({
  host: z.string().min(1).describe('name of the host under `hosts` on which the load balancer runs'),
  socket: socketPath
    .default('/run/haproxy/admin.sock')
    .describe('its runtime socket, with level admin (`stats socket … level admin`)'),
  client: z
    .enum(['socat', 'nc'])
    .default('socat')
    .describe(
      'program on that host that talks to the socket: socat, which HAProxy’s own manual uses, or nc of OpenBSD (`nc -U`), which most Debian and Ubuntu systems have',
    ),
});

export const loadBalancerSpec = z.strictObject({
  driver: z.literal('haproxy').describe('the product'),
  instances: z
    .array(instance)
    .min(1)
    .refine((list) => new Set(list.map((i) => `${i.host} ${i.socket}`)).size === list.length, {
      error: 'names the same load balancer twice',
    })
    .describe('every load balancer in front of the nodes: a node is out of service when it is out in all of them'),
  servers: z
    .record(
      z.string(),
      z.union([serverName, z.array(backendAndServer).min(1)], {
        error: 'the name of a server, or a list such as ["messages/ss1", "ocsp/ss1"]',
      }),
    )
    .default({})
    .describe(
      'by node: the name of its server, in whatever backends have it, or a list of backend/server. A node that is left out has servers of its own name',
    ),
  upTimeoutMs: duration()
    .default(60_000)
    .describe('how long a node that was put back may take to count as up (rise × inter of its health check, and some)'),
  pollIntervalMs: duration().default(1_000).describe('time between two looks at the load balancer'),
});
export type LoadBalancerSpec = z.output<typeof loadBalancerSpec>;
export type Instance = LoadBalancerSpec['instances'][number];

/** The part of a plan that this folder reads. */
export interface LoadBalancerPlan {
  readonly cluster: string;
  readonly nodes: Readonly<Record<string, unknown>>;
  readonly loadBalancer: LoadBalancerSpec;
}
