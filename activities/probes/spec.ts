/**
 * Section `monitoring` of the inventory and of a plan: what is probed, from where, how often, and how much is tolerated.
 * Durations are milliseconds once parsed; parsing a parsed value again changes nothing. Addresses and policy only: tokens
 * are references that the worker resolves (promise 5).
 */
import { z } from 'zod';
import { patternFault } from '../kit/pattern';
import { duration } from '../kit/duration';
import { secretReference } from '../ssh/spec';
import { parseCondition } from './bounds';

/** Most probes of one watch: their aggregates travel in one payload of 8 KB. */
export const MAX_PROBES = 32;
/** Longest window of a tolerance. */
const MAX_WINDOW = 50;
/** A probe must have ended before its next round begins, else rounds are skipped and a regression is noticed late. */
const TIMEOUT_SHARE = 0.9;

/** Intervals of the kinds that cost more than a connection, unless the probe says otherwise. */
const DEFAULT_INTERVAL_MS = { command: 10_000, bgp: 10_000, 'state-sync': 30_000, prometheus: 15_000 } as const;

const atLeast = (ms: number, what: string) =>
  duration().refine((value) => value >= ms, { error: `at least ${ms} ms: ${what}` });

const tolerance = z
  .strictObject({
    fail: z.int().min(1).max(MAX_WINDOW).describe('this many failed results …'),
    of: z.int().min(1).max(MAX_WINDOW).describe('… among so many newest ones that were pass or fail are a regression'),
    inconclusive: z
      .int()
      .min(1)
      .max(1_000)
      .default(3)
      .describe(
        'after so many intervals without a pass or fail the probe counts as blind: shown, and observed time stands still',
      ),
  })
  .refine((t) => t.fail <= t.of, { error: 'fail can’t be larger than of', path: ['fail'] });
export type Tolerance = z.output<typeof tolerance>;

/** host:port, with brackets around an IPv6 address. */
const ENDPOINT = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/;

/** Address and port of "10.0.0.1:80", "web.example:80" or "[2001:db8::1]:80". */
export function parseEndpoint(text: string): { readonly address: string; readonly port: number } | undefined {
  const match = ENDPOINT.exec(text);
  const port = Number(match?.[3]);
  const address = match?.[1] ?? match?.[2];
  return address === undefined || port < 1 || port > 65_535 ? undefined : { address, port };
}

const endpoint = z.string().refine((text) => parseEndpoint(text) !== undefined, {
  error: 'ADDRESS:PORT, with brackets around an IPv6 address, as "192.0.2.10:443" or "[2001:db8::10]:443"',
});

const httpUrl = z.string().refine((text) => /^https?:\/\/\S+$/i.test(text) && URL.canParse(text), {
  error: 'an http:// or https:// URL',
});

/** Statuses of "200", "200-299" or a list of them. */
const statuses = z
  .union([
    z
      .int()
      .min(100)
      .max(599)
      .transform((n) => String(n)),
    z.string().regex(/^\d{3}(-\d{3})?(\s*,\s*\d{3}(-\d{3})?)*$/, {
      error: 'statuses such as 200, "200-299" or "200,204,300-399"',
    }),
  ])
  .default('200-299')
  .describe('HTTP statuses that pass');

const common = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, {
      error: 'letters, digits, dots, hyphens and underscores, 32 at most, starting with a letter or digit',
    })
    .describe('name of the probe, shown to people; unique'),
  intervalMs: atLeast(100, 'shorter intervals load the path that they measure')
    .optional()
    .describe('time between two rounds; that of monitoring for tcp and http, longer for the others if left out'),
  timeoutMs: atLeast(10, 'nothing answers faster')
    .optional()
    .describe('longest time for one round, at most 90 % of the interval; 80 % of it, at most 5 s, if left out'),
  tolerance: tolerance.optional().describe('overrides the tolerance of monitoring'),
  required: z
    .boolean()
    .default(true)
    .describe('false: the monitoring period goes on while this probe is blind; its failures count all the same'),
};

const from = z.string().min(1).describe('name of a host under `hosts`, or "worker": where the probe runs');

const control = z
  .union([endpoint, z.string().regex(/^[A-Za-z0-9:][A-Za-z0-9:._-]*$/, { error: 'ADDRESS or ADDRESS:PORT' })])
  .optional()
  .describe(
    'ADDRESS:PORT (must accept or refuse a TCP connection) or ADDRESS (must answer a ping) on the near side of the cluster: when it doesn’t answer either, the fault is the probe’s own network, and the result inconclusive',
  );

/** What a number must fulfil; every part that is given must hold. */
export const bound = z
  .strictObject({
    min: z.number().optional().describe('lowest value that passes'),
    max: z.number().optional().describe('highest value that passes'),
    minPercent: z.number().min(0).optional().describe('lowest value that passes, in per cent of the baseline'),
    maxPercent: z.number().min(0).optional().describe('highest value that passes, in per cent of the baseline'),
  })
  .refine((b) => Object.values(b).some((part) => part !== undefined), {
    error: 'at least one of min, max, minPercent, maxPercent',
  });
export type Bound = z.output<typeof bound>;

const tcpProbe = z.strictObject({
  kind: z.literal('tcp'),
  ...common,
  from,
  to: endpoint.describe('where to connect to: an address rather than a name, so that DNS isn’t measured too'),
  expect: z
    .enum(['open', 'refused'])
    .default('open')
    .describe(
      'refused: this must not pass through the firewalls; a connection refused or filtered passes, an open one fails',
    ),
  control,
});

const httpProbe = z.strictObject({
  kind: z.literal('http'),
  ...common,
  from,
  url: httpUrl.describe('fetched with GET; redirects aren’t followed, proxies aren’t used, certificates are verified'),
  status: statuses,
  contains: z.string().min(1).max(500).optional().describe('text that the last 256 KB of the body must contain'),
  ca: z.string().startsWith('/').optional().describe('PEM file on the probing host with the CA to trust for this URL'),
  expect: z
    .enum(['answer', 'refused'])
    .default('answer')
    .describe('refused: no HTTP answer of any kind may come back through the firewalls'),
  control,
});

const commandProbe = z
  .strictObject({
    kind: z.literal('command'),
    ...common,
    from: from.refine((name) => name !== 'worker', { error: 'a command runs on a host under `hosts`' }),
    argv: z.array(z.string()).min(1).describe('command and arguments; no shell in between'),
    sudo: z.boolean().default(false).describe('run as root; the command must be an absolute path'),
    okCodes: z.array(z.int().min(0).max(255)).default([0]).describe('exit codes that aren’t a fault of the command'),
    pattern: z
      .string()
      .superRefine((source, context) => {
        const fault = patternFault(source, 'the number, as "lost = ([0-9.]+)"');
        if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
      })
      .default('(-?\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?)')
      .describe(
        'regular expression as of RE2, `^` and `$` for each line; its first group is the number; the first number in the output if left out',
      ),
    bound: bound.describe('what the number must fulfil'),
  })
  .refine((p) => !p.sudo || p.argv[0]?.startsWith('/') === true, {
    error: 'with sudo the command must be an absolute path, so that a sudoers line can name it',
    path: ['argv', 0],
  });

const bgpProbe = z.strictObject({
  kind: z.literal('bgp'),
  ...common,
  router: z.string().min(1).describe('name of the router in the routing section'),
  peers: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('neighbours whose sessions must be Established; all that the plan knows of if left out'),
});

const stateSyncProbe = z.strictObject({ kind: z.literal('state-sync'), ...common });

/** What is sent to this URL can't be read on the way: by TLS, or since it doesn't leave the machine. */
function keepsSecrets(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || hostname === 'localhost' || hostname === '[::1]' || /^127\.[\d.]+$/.test(hostname);
}

const prometheusProbe = z
  .strictObject({
    kind: z.literal('prometheus'),
    ...common,
    url: httpUrl.describe('base URL of Prometheus as reached from the worker, without /api/v1'),
    query: z
      .string()
      .min(1)
      .max(4_000)
      .describe(
        'PromQL giving a scalar or a vector; every element must fulfil. No element is inconclusive: write "… or vector(0)" where absence is fine',
      ),
    condition: z
      .string()
      .refine((text) => parseCondition(text) !== undefined, {
        error: 'a comparison such as "<= 0.01": one of < <= > >= == != and a number',
      })
      .optional()
      .describe('what each element of the answer must fulfil, as "<= 0.01"'),
    bound: bound.optional().describe('instead of condition, or beside it: bounds, also relative to the baseline'),
    token: secretReference.optional().describe('bearer token, by reference: "file:/path" or "env:NAME" on the worker'),
    ca: z.string().startsWith('/').optional().describe('PEM file on the worker with the CA to trust for this URL'),
  })
  .refine((p) => p.condition !== undefined || p.bound !== undefined, {
    error: 'needs a condition or a bound',
    path: ['condition'],
  })
  .refine((p) => p.token === undefined || keepsSecrets(p.url), {
    error:
      'is sent with every query, and over plain http whoever sees the traffic can read it: write an https:// URL, or query a Prometheus on the worker itself (127.0.0.1, [::1], localhost)',
    path: ['token'],
  });

export const probeSpec = z.discriminatedUnion('kind', [
  tcpProbe,
  httpProbe,
  commandProbe,
  bgpProbe,
  stateSyncProbe,
  prometheusProbe,
]);
export type ProbeSpec = z.output<typeof probeSpec>;
export type TcpProbe = z.output<typeof tcpProbe>;
export type HttpProbe = z.output<typeof httpProbe>;
export type CommandProbe = z.output<typeof commandProbe>;
export type BgpProbe = z.output<typeof bgpProbe>;
export type StateSyncProbe = z.output<typeof stateSyncProbe>;
export type PrometheusProbe = z.output<typeof prometheusProbe>;

/** What every probe's schedule comes down to once the defaults are filled in. */
export interface Schedule {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly tolerance: Tolerance;
  readonly required: boolean;
}

const DEFAULT_TIMEOUT_SHARE = 0.8;
const DEFAULT_TIMEOUT_MAX_MS = 5_000;

interface Defaults {
  readonly intervalMs: number;
  readonly tolerance: Tolerance;
}

/** Interval, timeout and tolerance of a probe, its own or inherited. */
export function scheduleOf(probe: ProbeSpec, defaults: Defaults): Schedule {
  const intervalMs =
    probe.intervalMs ??
    (probe.kind === 'tcp' || probe.kind === 'http'
      ? defaults.intervalMs
      : Math.max(defaults.intervalMs, DEFAULT_INTERVAL_MS[probe.kind]));
  return {
    intervalMs,
    timeoutMs: probe.timeoutMs ?? Math.min(DEFAULT_TIMEOUT_MAX_MS, Math.floor(intervalMs * DEFAULT_TIMEOUT_SHARE)),
    tolerance: probe.tolerance ?? defaults.tolerance,
    required: probe.required,
  };
}

export const monitoringSpec = z
  .strictObject({
    periodMs: duration().describe('how much observed time the monitoring period lasts, "30s" to weeks'),
    intervalMs: atLeast(100, 'shorter intervals load the path that they measure')
      .default(1_000)
      .describe('time between two rounds of a probe'),
    tolerance: tolerance
      .default({ fail: 3, of: 5, inconclusive: 3 })
      .describe('how much is tolerated before a regression'),
    probes: z.array(probeSpec).min(1).max(MAX_PROBES).describe(`what is measured, ${MAX_PROBES} probes at most`),
    baselineRounds: z
      .int()
      .min(1)
      .max(100)
      .default(5)
      .describe('rounds of every probe before traffic moves, and again at the end'),
    reseedEveryMs: z
      .union([z.literal('never'), atLeast(1_000, 'a reseed takes that long itself')])
      .default(60_000)
      .describe(
        'how often the standby’s session state is refreshed while watching; below the shortest timeout of a synced entry',
      ),
    escapeEveryMs: atLeast(1_000, 'each check logs in to several devices')
      .default(30_000)
      .describe('how often it is checked that the way back to the previous release would work'),
    checkpointEveryMs: atLeast(60_000, 'each checkpoint is written to the history')
      .default(21_600_000)
      .describe('longest time between two reports into the history'),
  })
  .superRefine((monitoring, context) => {
    const seen = new Set<string>();
    for (const [index, probe] of monitoring.probes.entries()) {
      if (seen.has(probe.name))
        context.addIssue({ code: 'custom', path: ['probes', index, 'name'], message: `${probe.name} is used twice` });
      seen.add(probe.name);
      if ('control' in probe && probe.control !== undefined && probe.from === 'worker' && !/:\d+$/.test(probe.control))
        context.addIssue({
          code: 'custom',
          path: ['probes', index, 'control'],
          message: 'the worker doesn’t ping; write ADDRESS:PORT of something that accepts or refuses TCP connections',
        });
      const { intervalMs, timeoutMs } = scheduleOf(probe, monitoring);
      if (timeoutMs > intervalMs * TIMEOUT_SHARE)
        context.addIssue({
          code: 'custom',
          path: ['probes', index, 'timeoutMs'],
          message: `${timeoutMs} ms is more than 90 % of the probe’s interval of ${intervalMs} ms: rounds would be skipped`,
        });
    }
  });
export type Monitoring = z.output<typeof monitoringSpec>;

/** The part of a plan that the probes read. */
export interface MonitoringPlan {
  readonly monitoring: Monitoring;
  readonly hosts: Readonly<Record<string, unknown>>;
}

/** Hosts that a probe runs on through SSH. */
export const probeHost = (probe: ProbeSpec): string | undefined =>
  'from' in probe && probe.from !== 'worker' ? probe.from : undefined;

/** True if a probe of this plan is compared with the baseline, so that the watch must be given one. */
export const needsBaseline = (monitoring: Monitoring): boolean =>
  monitoring.probes.some(
    (p) =>
      'bound' in p && p.bound !== undefined && (p.bound.minPercent !== undefined || p.bound.maxPercent !== undefined),
  );
