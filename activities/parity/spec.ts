/**
 * Section `parity` of a plan: in what the two nodes must be alike, and a node must be after its upgrade what it was
 * before. Parsing a parsed value again changes nothing.
 */
import { z } from 'zod';
import { duration } from '../kit/duration';

export const SECTIONS = ['ruleset', 'sysctls', 'routes', 'rules', 'interfaces', 'services'] as const;
export type Section = (typeof SECTIONS)[number];

/** What makes a Linux router and firewall forward as it does. */
const SYSCTLS = [
  'net.ipv4.ip_forward',
  'net.ipv4.conf.*.forwarding',
  'net.ipv4.conf.*.rp_filter',
  'net.ipv6.conf.*.forwarding',
  'net.ipv4.fib_multipath_hash_policy',
  'net.ipv6.fib_multipath_hash_policy',
  'net.netfilter.nf_conntrack_max',
  'net.netfilter.nf_conntrack_helper',
  'net.netfilter.nf_conntrack_tcp_loose',
  'net.netfilter.nf_conntrack_tcp_be_liberal',
  'net.netfilter.nf_conntrack_tcp_ignore_invalid_rst',
  'net.netfilter.nf_conntrack_*timeout*',
];
/** 196 is what FRR marks static routes with, where /etc/iproute2/rt_protos doesn't name it. */
const PROTOCOLS = ['kernel', 'boot', 'static', 'zstatic', '196'];

const unit = z.string().regex(/^[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|target|mount|path)$/, {
  error: 'a systemd unit with its suffix, as "nftables.service"',
});
const sysctl = z.string().regex(/^[A-Za-z0-9_.*/@:-]+$/, { error: 'a sysctl name, with * for any part of it' });

export const paritySpec = z.strictObject({
  sections: z
    .array(z.enum(SECTIONS))
    .min(1)
    .default([...SECTIONS])
    .describe('what is compared: the nftables ruleset, sysctls, routes, policy routing rules, interfaces, services'),
  sysctls: z
    .array(sysctl)
    .default(SYSCTLS)
    .describe('names of sysctls, * matches any part; a name without * must exist alike'),
  routeProtocols: z
    .array(z.string().min(1))
    .default(PROTOCOLS)
    .describe(
      'origins of the routes that are compared, as `ip route` names them; routes learnt by BGP are none of them',
    ),
  services: z
    .array(unit)
    .default([])
    .describe('systemd units that must run on both nodes and come back after a reboot'),
  substitute: z
    .record(z.string(), z.record(z.string().min(1), z.string().min(1)))
    .default({})
    .describe(
      'by node: texts that differ by design, as {fw1: {"eth7": "uplink"}, fw2: {"eth3": "uplink"}}. The nodes’ own addresses, and addresses in networks that only one of them is connected to, need no entry',
    ),
  ignore: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'what isn’t compared: SECTION/PATH with * for any part, as "ruleset/inet crowdsec*" or "interfaces/docker*"',
    ),
  settleTimeoutMs: duration()
    .default(60_000)
    .describe('how long an upgraded node may take after its boot until it is again what it was'),
});
export type ParitySpec = z.output<typeof paritySpec>;

/** The part of a plan that this folder reads. */
export interface ParityPlan {
  readonly nodes: Readonly<Record<string, { readonly host: string }>>;
  readonly parity: ParitySpec;
  /** People are asked about faults by name; left out in plans of builds before, whose questions have no such answer. */
  readonly waivers?: true;
}
