/**
 * References to secrets, resolved on the worker at each new connection. A secret never leaves this folder: not in errors,
 * not in results.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { utils, type ParsedKey } from 'ssh2';
import type { Credential } from './spec';
import { messageOf } from '../kit/errors';
import { codeOf } from './errors';
import { readKept } from './file-modes';

/** A credential ready for use; `label` is its reference, which may be shown. */
export type Login =
  | { readonly kind: 'key'; readonly label: string; readonly key: ParsedKey }
  | { readonly kind: 'password'; readonly label: string; readonly password: string }
  | { readonly kind: 'agent'; readonly label: string; readonly socket: string };

export interface Logins {
  readonly usable: readonly Login[];
  /** What couldn't be used, and why: `file:/etc/hitless/key: no such file`. */
  readonly faults: readonly string[];
}

export const expandHome = (path: string): string => (path.startsWith('~/') ? join(homedir(), path.slice(2)) : path);

/** Text behind `file:…` or `env:…`. Throws an Error that names the reference only; also if others may read the file. */
export async function readSecret(reference: string): Promise<string> {
  const [kind, rest] = [reference.slice(0, reference.indexOf(':')), reference.slice(reference.indexOf(':') + 1)];
  if (kind === 'env') {
    const value = process.env[rest];
    if (value === undefined || value === '') throw new Error(`the worker has no environment variable ${rest}`);
    return value;
  }
  try {
    return await readKept(expandHome(rest));
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new Error(`the worker can't read ${expandHome(rest)} (${codeOf(error) ?? ''})`, {
      cause: error,
    });
  }
}

/** Every credential of a host that can be used now, in order. */
export async function resolveLogins(credentials: readonly Credential[]): Promise<Logins> {
  const usable: Login[] = [];
  const faults: string[] = [];
  for (const credential of credentials) {
    const label = labelOf(credential);
    try {
      usable.push(await resolve(credential, label));
    } catch (error) {
      // In brackets: behind the colon of a "password:" what is taken for one is blanked.
      faults.push(`${label} (${messageOf(error)})`);
    }
  }
  return { usable, faults };
}

async function resolve(credential: Credential, label: string): Promise<Login> {
  if ('password' in credential)
    // Files end with a newline, passwords don't.
    return { kind: 'password', label, password: (await readSecret(credential.password)).replace(/\r?\n$/, '') };
  if ('agent' in credential) {
    const { agent } = credential;
    return {
      kind: 'agent',
      label,
      socket: agent.startsWith('file:') ? expandHome(agent.slice(5)) : await readSecret(agent),
    };
  }
  const text = await readSecret(credential.key);
  const passphrase =
    credential.passphrase === undefined ? undefined : (await readSecret(credential.passphrase)).replace(/\r?\n$/, '');
  const parsed = utils.parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? (parsed as ParsedKey[])[0] : parsed;
  if (key === undefined || key instanceof Error) throw new Error(keyFault(key, passphrase !== undefined));
  if (!key.isPrivateKey()) throw new Error('it is a public key; the private key is needed');
  return { kind: 'key', label, key };
}

/** The parser's messages speak of formats; what was read is never quoted. */
function keyFault(error: Error | undefined, hasPassphrase: boolean): string {
  const message = error?.message ?? '';
  if (/no passphrase/i.test(message)) return 'the key is encrypted and no passphrase is given';
  if (hasPassphrase && /passphrase|integrity|decrypt|malformed/i.test(message)) return 'the passphrase is wrong';
  return 'no private key in OpenSSH or PEM form';
}

export function labelOf(credential: Credential): string {
  if ('password' in credential) return `password ${credential.password}`;
  if ('agent' in credential) return `agent ${credential.agent}`;
  return `key ${credential.key}${credential.passphrase === undefined ? '' : ` with passphrase ${credential.passphrase}`}`;
}
