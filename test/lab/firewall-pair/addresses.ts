/** IPv4 arithmetic, as much as numbering a lab takes. */

export function toNumber(address: string): number {
  const octets = address.split('.').map(Number);
  if (octets.length !== 4 || octets.some((octet) => !Number.isInteger(octet) || octet < 0 || octet > 255)) {
    throw new Error(`"${address}" isn't an IPv4 address`);
  }
  return octets.reduce((value, octet) => value * 256 + octet, 0);
}

export const toAddress = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

export const addressAt = (base: string, offset: number): string => toAddress(toNumber(base) + offset);

export interface Prefix {
  network: string;
  length: number;
}

export function parsePrefix(text: string): Prefix {
  const [network = '', length = ''] = text.split('/');
  const bits = Number(length);
  if (!/^\d+$/.test(length) || bits > 32) throw new Error(`"${text}" isn't an IPv4 prefix`);
  if (toNumber(network) % 2 ** (32 - bits) !== 0) throw new Error(`"${text}" has bits set beyond its length`);
  return { network, length: bits };
}

/** The address `offset` places into the prefix, with the prefix's length: `10.10.0.0/24`, 10 → `10.10.0.10/24`. */
export function hostIn(prefix: string, offset: number): { address: string; withLength: string } {
  const { network, length } = parsePrefix(prefix);
  if (offset >= 2 ** (32 - length) - 1) throw new Error(`${prefix} has no room for a host ${offset}`);
  const address = addressAt(network, offset);
  return { address, withLength: `${address}/${length}` };
}
