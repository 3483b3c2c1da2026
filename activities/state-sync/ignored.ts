import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { jsonOf, LARGE_OUTPUT_LIMIT_BYTES, readAnswer, type Host } from '../kit';

/** Never forwarded, so never copied: loopback and link-local. */
const LOCAL_PREFIXES = ['127.0.0.0/8', '::1/128', '169.254.0.0/16', 'fe80::/10'];

const links = z.array(
  z.object({
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
  }),
);

/** Addresses of `ip -j address show`. @throws UnexpectedOutput */
export const readAddresses = (json: string): string[] =>
  jsonOf(links, json).flatMap((link) => link.addr_info.flatMap(({ local }) => (local === undefined ? [] : [local])));

/** Says of an address whether flows from or to it are left out. Remembers its answers: a table has few addresses, many flows. */
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
    known.set(address, answer);
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
      const { stdout } = await node.exec(command, { quiet: true, outputLimitBytes: LARGE_OUTPUT_LIMIT_BYTES });
      const expected = 'the node’s interfaces and their addresses, as JSON';
      return readAnswer({ host: node.name, command, expected }, () => readAddresses(stdout));
    }),
  );
  return [...new Set(lists.flat())];
}
