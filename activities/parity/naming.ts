/**
 * Names for what differs between two nodes by design: their own addresses, and addresses in networks that only one of
 * them is connected to. "via 10.9.1.1 dev wan" on one and "via 10.9.2.1 dev wan" on the other are both "via ‹wan+1› dev
 * wan": the neighbor with the same place in the network on the same interface.
 */
import { isIP } from 'node:net';
import { escaped, type OwnAddress } from './facts';

/** An address as a number. Only for addresses that isIP() accepts. */
export function numberOf(address: string): bigint {
  if (isIP(address) === 4) return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const plain = address.split('%', 1)[0] ?? '';
  // The last 32 bits may be written as IPv4.
  const mapped = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  const tail = mapped === null ? 0n : numberOf(mapped[2] ?? '');
  const text =
    mapped === null ? plain : `${mapped[1] ?? ''}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [left = '', right] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const head = groups(left);
  const end = right === undefined ? [] : groups(right);
  const all = [...head, ...Array<string>(8 - head.length - end.length).fill('0'), ...end];
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

const bitsOf = (address: string): number => (isIP(address) === 4 ? 32 : 128);
const baseOf = (address: string, length: number): bigint => {
  const host = BigInt(bitsOf(address) - length);
  return (numberOf(address) >> host) << host;
};
const sameNetwork = (a: OwnAddress, b: OwnAddress): boolean =>
  bitsOf(a.address) === bitsOf(b.address) &&
  a.length === b.length &&
  baseOf(a.address, a.length) === baseOf(b.address, b.length);

/** Name of an address for one of two nodes, or undefined if it means the same on both. */
export type Naming = (address: string) => string | undefined;

/** Names as `own` sees them. */
export function namingOf(own: readonly OwnAddress[], other: readonly OwnAddress[]): Naming {
  const only = (list: readonly OwnAddress[], without: readonly OwnAddress[]): OwnAddress[] =>
    list.filter(
      (a) =>
        !without.some((b) => numberOf(a.address) === numberOf(b.address) && bitsOf(a.address) === bitsOf(b.address)),
    );
  const names = new Map<string, string>();
  const name = (list: readonly OwnAddress[], whose: string): void => {
    const seen = new Map<string, number>();
    for (const a of list) {
      const kind = `${a.interface} ${bitsOf(a.address)}`;
      const nth = (seen.get(kind) ?? 0) + 1;
      seen.set(kind, nth);
      names.set(`${bitsOf(a.address)} ${numberOf(a.address)}`, `‹${whose}${a.interface}${nth > 1 ? ` #${nth}` : ''}›`);
    }
  };
  name(only(other, own), 'other’s ');
  name(only(own, other), 'own ');
  const networks = (list: readonly OwnAddress[], without: readonly OwnAddress[], whose: string) =>
    list
      .filter((a) => a.length < bitsOf(a.address) && !without.some((b) => sameNetwork(a, b)))
      .map((a) => ({
        bits: bitsOf(a.address),
        length: a.length,
        base: baseOf(a.address, a.length),
        name: `${whose}${a.interface}`,
      }));
  const known = [...networks(own, other, ''), ...networks(other, own, 'other’s ')].sort((a, b) => b.length - a.length);
  return (address) => {
    const bits = bitsOf(address);
    const value = numberOf(address);
    const exact = names.get(`${bits} ${value}`);
    if (exact !== undefined) return exact;
    const network = known.find(
      (n) => n.bits === bits && value >> BigInt(bits - n.length) === n.base >> BigInt(bits - n.length),
    );
    if (network === undefined) return undefined;
    return value === network.base ? `‹${network.name} network›` : `‹${network.name}+${value - network.base}›`;
  };
}

/** What may be an address; isIP() decides. */
const CANDIDATE = /(?<![\w.:])[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f:](?![\w])/g;
/** An anonymous set in a rule: its order follows the addresses, so once they are named it says nothing. */
const ANONYMOUS_SET = /\{ ([^{}"]*) \}/g;

/** Text of a node with names in place of what differs by design; then it can be compared with the other node's. */
export function renamer(naming: Naming, substitute: Readonly<Record<string, string>>): (text: string) => string {
  const literal = Object.entries(substitute).map(
    ([from, to]) => [new RegExp(`(?<![\\w.:])${escaped(from)}(?!\\w|[.:]\\w)`, 'g'), to] as const,
  );
  return (text) => {
    let named = text;
    for (const [pattern, to] of literal) named = named.replace(pattern, () => to);
    named = named.replace(CANDIDATE, (word) => (isIP(word) === 0 ? word : (naming(word) ?? word)));
    return named === text
      ? text
      : named.replace(ANONYMOUS_SET, (_all, inner: string) => `{ ${inner.split(', ').sort().join(', ')} }`);
  };
}
