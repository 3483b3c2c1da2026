import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { jsonOf, JsonItems, readItems, shaped, type Host } from '../kit';

/** Never forwarded, so never copied: loopback and link-local. */
const LOCAL_PREFIXES = ['127.0.0.0/8', '::1/128', '169.254.0.0/16', 'fe80::/10'];

const linkItem = z.object({
  addr_info: z
    .array(
      z.object({
        local: z
          .string()
          .refine((text) => isIP(text) !== 0, { error: 'no IP address' })
          .optional(),
      }),
    )
    .default([]),
});

const addressesOf = (link: unknown): string[] =>
  shaped(linkItem, link).addr_info.flatMap(({ local }) => (local === undefined ? [] : [local]));

/** Addresses of `ip -j address show`. @throws UnexpectedOutput */
export const readAddresses = (json: string): string[] => jsonOf(z.array(z.unknown()), json).flatMap(addressesOf);

/** A table of a million flows may have as many addresses. */
const REMEMBERED = 50_000;

/** Says of an address whether flows from or to it are left out. Remembers answers: most tables have few addresses, many flows. */
export function ignoring(addressesAndPrefixes: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of [...LOCAL_PREFIXES, ...addressesAndPrefixes]) {
    const [address = '', length] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (length === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(length), family);
  }
  const known = new Map<string, boolean>();
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    const answer = list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
    if (known.size >= REMEMBERED) known.clear();
    // A copy: a part of a text that was read keeps all of it in memory.
    known.set(Buffer.from(address).toString(), answer);
    return answer;
  };
}

/**
 * Own addresses of the nodes: flows that end there are the nodes' own (BGP, SSH, the copying itself), and not copied.
 */
export async function ownAddresses(nodes: readonly Host[]): Promise<string[]> {
  const lists = await Promise.all(
    nodes.map(async (node) => {
      const command = ['/usr/sbin/ip', '-j', 'address', 'show'];
      const expected = 'the node’s interfaces and their addresses, as JSON';
      const addresses: string[] = [];
      const items = new JsonItems(1, (link) => addresses.push(...addressesOf(link)), 'list');
      await readItems(node, command, { quiet: true, expected }, items);
      return addresses;
    }),
  );
  return [...new Set(lists.flat())];
}
