/**
 * Host keys that are trusted: known_hosts files as sshd(8) describes them ("SSH_KNOWN_HOSTS FILE FORMAT") and keys pinned
 * in the inventory. Strict: a key that isn't listed is refused, nothing is ever learnt from the network.
 */
import { createHash, createHmac } from 'node:crypto';
import { glob } from '../kit/glob';

/** One line of a known_hosts file. */
export interface KnownHost {
  readonly marker?: 'revoked' | 'cert-authority';
  /** Patterns as written, or one hashed name `|1|salt|hash`. */
  readonly hosts: readonly string[];
  readonly type: string;
  /** The key, base64 of its wire form. */
  readonly key: string;
  readonly line: number;
}

export type KeyVerdict =
  | { readonly verdict: 'trusted' }
  | { readonly verdict: 'revoked'; readonly line: number }
  /** Other keys are listed for this host. */
  | { readonly verdict: 'changed'; readonly expected: readonly KnownHost[] }
  | { readonly verdict: 'unknown'; readonly authorities: number };

/** Lines that aren't entries are skipped, as ssh does: an old or damaged line must not hide the good ones. */
export function parseKnownHosts(text: string): KnownHost[] {
  const entries: KnownHost[] = [];
  text.split('\n').forEach((raw, index) => {
    const fields = raw.trim().split(/\s+/);
    let marker: KnownHost['marker'];
    if (fields[0]?.startsWith('@')) {
      const word = fields.shift();
      if (word !== '@revoked' && word !== '@cert-authority') return;
      marker = word === '@revoked' ? 'revoked' : 'cert-authority';
    }
    const [hosts, type, key] = fields;
    if (hosts === undefined || hosts.startsWith('#') || type === undefined || key === undefined) return;
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return;
    entries.push({ ...(marker === undefined ? {} : { marker }), hosts: hosts.split(','), type, key, line: index + 1 });
  });
  return entries;
}

/** The name under which known_hosts lists a host: with brackets and port unless it is 22. Lower case, as ssh does. */
export const knownHostName = (address: string, port: number): string =>
  port === 22 ? address.toLowerCase() : `[${address.toLowerCase()}]:${port}`;

/** Does an entry speak of this host? A negated pattern that matches rules the whole line out. */
export function matchesHost(entry: KnownHost, name: string): boolean {
  let matched = false;
  for (const pattern of entry.hosts) {
    if (pattern.startsWith('|1|')) {
      const [, , salt, hash] = pattern.split('|');
      if (salt === undefined || hash === undefined) continue;
      if (createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash) matched = true;
    } else if (pattern.startsWith('!')) {
      if (wildcard(pattern.slice(1))(name)) return false;
    } else if (wildcard(pattern)(name)) {
      matched = true;
    }
  }
  return matched;
}

/** `*` and `?` only; brackets are literal, for they belong to `[host]:port`. */
const wildcard = (pattern: string): ((name: string) => boolean) => glob(pattern, { ignoreCase: true });

/** Judges a key (wire form) that a host offered. A revoked key is refused wherever else it may be listed. */
export function judgeKey(entries: readonly KnownHost[], name: string, offered: Buffer): KeyVerdict {
  const key = offered.toString('base64');
  const own = entries.filter((e) => matchesHost(e, name));
  const revoked = own.find((e) => e.marker === 'revoked' && sameKey(e.key, key));
  if (revoked !== undefined) return { verdict: 'revoked', line: revoked.line };
  const plain = own.filter((e) => e.marker === undefined);
  if (plain.some((e) => sameKey(e.key, key))) return { verdict: 'trusted' };
  if (plain.length > 0) return { verdict: 'changed', expected: plain };
  return { verdict: 'unknown', authorities: own.filter((e) => e.marker === 'cert-authority').length };
}

/** Padding is optional in practice. */
const sameKey = (a: string, b: string): boolean => a.replace(/={1,2}$/, '') === b.replace(/={1,2}$/, '');

/** Pinned keys as entries that speak of any host. */
export const pinnedKeys = (keys: readonly string[]): KnownHost[] =>
  parseKnownHosts(keys.map((key) => `* ${key.trim()}`).join('\n'));

/** As `ssh-keygen -l` shows it. */
export const fingerprint = (key: Buffer | string): string =>
  `SHA256:${createHash('sha256')
    .update(typeof key === 'string' ? Buffer.from(key, 'base64') : key)
    .digest('base64')
    .replace(/={1,2}$/, '')}`;

/** Name of the key's type from its wire form (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return length > 0 && length <= 64 && key.length >= 4 + length ? key.toString('latin1', 4, 4 + length) : 'unknown';
}

/** Signature algorithms that a key of this type may be used with; SHA-1 is none of them. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/**
 * Host key algorithms to offer: those of the keys we know first, so that a host with several keys proves itself by one of
 * them; the others after them, so that a wrong host shows its key and the message can name it.
 */
export function hostKeyAlgorithms(entries: readonly KnownHost[], name: string): string[] {
  const known = entries.filter((e) => e.marker === undefined && matchesHost(e, name)).map((e) => e.type);
  const types = [...Object.keys(ALGORITHMS).filter((t) => known.includes(t)), ...Object.keys(ALGORITHMS)];
  return [...new Set(types.flatMap((t) => ALGORITHMS[t] ?? []))];
}
