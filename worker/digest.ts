import { createHash } from 'node:crypto';

/**
 * Canonical JSON after RFC 8785 (JCS): members sorted by UTF-16 code units, no white space, numbers and strings as
 * ECMAScript writes them. `undefined` members are left out, as JSON.stringify does. Two values that JSON can't tell apart
 * have the same text, on every machine and in every release.
 *
 * @throws TypeError, naming the path, for what JSON would silently change: NaN, infinities, bigint, functions, symbols,
 *   `undefined` in an array, and anything with a life of its own (Date, Map, class instances).
 */
export function canonicalJson(value: unknown, path = '$'): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${path}: ${value} has no JSON form`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    // Array.from, not map: a hole must be refused, not skipped.
    return `[${Array.from(value, (item: unknown, i) => canonicalJson(item, `${path}[${i}]`)).join(',')}]`;
  }
  if (typeof value === 'object') {
    const prototype: unknown = Object.getPrototypeOf(value);
    // Data may come from another realm (a test runner's, the workflow sandbox's): compare the shape, not the identity.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      throw new TypeError(`${path}: only plain objects have a digest`);
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member, `${path}.${key}`)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`${path}: a ${typeof value} has no JSON form`);
}

/** SHA-256 of the canonical JSON of `value`, 64 lower-case hexadecimal digits. */
export const digestOf = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value), 'utf8').digest('hex');

/** Characters of a digest that people are shown and may type (contract: answers name the first 12 or more). */
export const SHORT_DIGEST_CHARS = 12;

export const shortDigest = (digest: string): string => digest.slice(0, SHORT_DIGEST_CHARS);

/**
 * Digest of a plan: what people approve, and what `start --expect-plan` compares. Who asked for it isn't part of it, so
 * that one who plans and another who starts see the same.
 */
export function planDigest(plan: object, items: readonly unknown[]): string {
  const { requestedBy: _, ...rest } = plan as { requestedBy?: unknown };
  return digestOf({ plan: rest, items });
}
