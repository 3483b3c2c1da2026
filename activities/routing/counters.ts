/**
 * Whether user traffic passes through a node, by what the node itself counts: routing tables say where traffic should go,
 * counters where it goes.
 */
import { z } from 'zod';
import { jsonOf, LARGE_OUTPUT_LIMIT_BYTES, permanent, readAnswer, transient, type Host } from '../kit';
import { hostOfNode } from './drivers';
import type { RoutingContext } from './look';
import type { CounterSpec, RoutingPlan } from './spec';

/** One counter and what it stood at. */
export interface Count {
  readonly of: string;
  readonly packets: number;
}

export const NFT = '/usr/sbin/nft';

/** What a node counts if the plan doesn't say: every packet that its kernel forwarded. */
const KERNEL: CounterSpec = { source: 'kernel', families: ['ipv4', 'ipv6'] };

export const countersOf = (plan: RoutingPlan, node: string): readonly CounterSpec[] =>
  plan.routing.traffic.counters[node] ?? [KERNEL];

export async function readCounters(context: RoutingContext, node: string): Promise<Count[]> {
  const host = await context.host(hostOfNode(context.plan, node));
  return (await Promise.all(countersOf(context.plan, node).map((counter) => readCounter(host, counter)))).flat();
}

/** Argument vectors of what reading counters runs as root. */
export const counterSudo = (counter: CounterSpec): string[][] => (counter.source === 'nft' ? [nftArgv(counter)] : []);

const nftArgv = (c: Extract<CounterSpec, { source: 'nft' }>): string[] => [
  NFT,
  '-j',
  'list',
  'chain',
  c.family,
  c.table,
  c.chain,
];

async function readCounter(host: Host, counter: CounterSpec): Promise<Count[]> {
  switch (counter.source) {
    case 'kernel': {
      const { stdout } = await host.exec(['cat', '/proc/net/snmp', '/proc/net/snmp6'], { okCodes: 'any', quiet: true });
      return kernelCounts(stdout, counter.families, host.name);
    }
    case 'interface': {
      const path = `/sys/class/net/${counter.interface}/statistics`;
      const { stdout, code, stderr } = await host.exec(['cat', `${path}/rx_packets`, `${path}/tx_packets`], {
        okCodes: 'any',
      });
      const values = stdout.trim().split('\n').map(Number);
      if (code !== 0 || values.length !== 2 || values.some((v) => !Number.isSafeInteger(v)))
        throw cannotCount(host, `interface ${counter.interface}`, stderr);
      return [{ of: counter.interface, packets: values.reduce((a, b) => a + b, 0) }];
    }
    case 'nft': {
      const command = nftArgv(counter);
      const { stdout, code, stderr } = await host.exec(command, {
        sudo: true,
        okCodes: 'any',
        quiet: true,
        outputLimitBytes: LARGE_OUTPUT_LIMIT_BYTES,
      });
      if (code !== 0) throw cannotCount(host, `chain ${counter.family} ${counter.table} ${counter.chain}`, stderr);
      const expected = 'the rules of a chain, as nft prints them as JSON';
      return readAnswer({ host: host.name, command, expected }, () => nftCounts(stdout, counter.comments, host.name));
    }
  }
}

const cannotCount = (host: Host, what: string, stderr: string) =>
  transient(
    'VerifyFailed',
    `${host.name}: the counters of ${what} can’t be read: ${stderr.trim().split('\n')[0] ?? ''}`,
  );

/** IpForwDatagrams and Ip6OutForwDatagrams (RFC 4293): packets to the node itself aren't among them. Pure. */
export function kernelCounts(proc: string, families: readonly ('ipv4' | 'ipv6')[], host: string): Count[] {
  const [names, values] = proc.split('\n').filter((l) => l.startsWith('Ip: '));
  const column = names?.split(' ').indexOf('ForwDatagrams') ?? -1;
  const ipv4 = column < 0 ? NaN : Number(values?.split(' ')[column]);
  const ipv6 = Number(/^Ip6OutForwDatagrams\s+(\d+)$/m.exec(proc)?.[1] ?? NaN);
  return families.flatMap((family) => {
    const packets = family === 'ipv4' ? ipv4 : ipv6;
    if (Number.isFinite(packets)) return [{ of: `forwarded ${family}`, packets }];
    // A kernel without IPv6 forwards none.
    if (family === 'ipv6') return [];
    throw transient('VerifyFailed', `${host} doesn’t tell how many packets it forwarded`);
  });
}

const packetCount = z.object({ packets: z.number().optional() });
const nftDocument = z.object({
  nftables: z
    .array(
      z.object({
        rule: z
          .object({
            comment: z.string().optional(),
            expr: z.array(z.object({ counter: packetCount.nullish() })).default([]),
          })
          .optional(),
      }),
    )
    .default([]),
});

/** `nft -j list chain`: packets of the rules with these comments. Pure. @throws UnexpectedOutput; InvalidInput if none counts */
export function nftCounts(json: string, comments: readonly string[], host: string): Count[] {
  const rules = jsonOf(nftDocument, json).nftables.flatMap((item) => item.rule ?? []);
  return comments.map((comment) => {
    const mine = rules.filter((r) => r.comment === comment);
    const counts = mine.flatMap((r) => r.expr.flatMap((e) => e.counter?.packets ?? []));
    if (counts.length === 0)
      throw permanent(
        'InvalidInput',
        `${host}: no rule with the comment ${JSON.stringify(comment)} counts packets (routing.traffic.counters). Next: give the rule a counter, or correct the comment.`,
      );
    return { of: comment, packets: counts.reduce((a, b) => a + b, 0) };
  });
}

/** Packets counted from one reading to the next, less what a plan says is no user traffic. Pure. */
export function packetsBetween(
  before: readonly Count[],
  after: readonly Count[],
  counters: readonly CounterSpec[],
  elapsedMs: number,
): { readonly packets: number; readonly restarted: boolean } {
  const then = new Map(before.map((c) => [c.of, c.packets]));
  let packets = 0;
  let restarted = after.length !== before.length;
  for (const count of after) {
    const difference = count.packets - (then.get(count.of) ?? 0);
    // Counters start anew when a ruleset is loaded or a host restarts: the reading before then says nothing.
    if (difference < 0 || !then.has(count.of)) restarted = true;
    const spec = counters.find((c) => c.source === 'interface' && c.interface === count.of);
    const allowed = spec?.source === 'interface' ? Math.ceil((spec.controlPerSecond * elapsedMs) / 1_000) : 0;
    packets += Math.max(0, difference - allowed);
  }
  return { packets, restarted };
}
