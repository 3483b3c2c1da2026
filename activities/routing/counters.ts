/**
 * Whether user traffic passes through a node, by what the node itself counts: routing tables say where traffic should go,
 * counters where it goes.
 */
import { z } from 'zod';
import { JsonItems, permanent, readAnswer, readInto, shaped, transient, type Host } from '../kit';
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
      const expected = 'the rules of a chain, as nft prints them as JSON';
      const rules = new CountedRules(counter.comments);
      const options = { sudo: true, okCodes: 'any', quiet: true, expected } as const;
      const { result, end } = await readInto(host, command, options, rules.reader);
      const { code, stderr } = result;
      if (code !== 0) throw cannotCount(host, `chain ${counter.family} ${counter.table} ${counter.chain}`, stderr);
      return readAnswer({ host: host.name, command, expected }, () => {
        end();
        return rules.counts(host.name);
      });
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
const nftItem = z.object({
  rule: z
    .object({
      comment: z.string().optional(),
      expr: z.array(z.object({ counter: packetCount.nullish() })).default([]),
    })
    .optional(),
});

/** What rules with these comments have counted, of `nft -j list chain`; a chain of 100,000 rules is never held. */
class CountedRules {
  readonly #packets = new Map<string, number>();
  readonly reader = new JsonItems(2, (item) => this.#add(item), { of: 'nftables' });

  constructor(private readonly comments: readonly string[]) {}

  #add(item: unknown): void {
    const { comment = '', expr = [] } = shaped(nftItem, item).rule ?? {};
    if (!this.comments.includes(comment)) return;
    for (const { counter } of expr)
      if (counter?.packets !== undefined)
        this.#packets.set(comment, (this.#packets.get(comment) ?? 0) + counter.packets);
  }

  /** @throws InvalidInput if one of them doesn't count */
  counts(host: string): Count[] {
    return this.comments.map((of) => {
      const packets = this.#packets.get(of);
      if (packets === undefined)
        throw permanent(
          'InvalidInput',
          `${host}: no rule with the comment ${JSON.stringify(of)} counts packets (routing.traffic.counters). Next: give the rule a counter, or correct the comment.`,
        );
      return { of, packets };
    });
  }
}

/** `nft -j list chain`: packets of the rules with these comments. Pure. @throws UnexpectedOutput; InvalidInput if none counts */
export function nftCounts(json: string, comments: readonly string[], host: string): Count[] {
  const rules = new CountedRules(comments);
  rules.reader.write(json);
  rules.reader.end();
  return rules.counts(host);
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
