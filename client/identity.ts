/** Who speaks to the server: it writes the identity of each caller into the history. It proves nothing, but tells. */
import { hostname, userInfo } from 'node:os';

/** Name of the user of this system; undefined for an ID without a name, as containers are given. */
export function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** User of this system, and host, as `alice@jump1`. */
export const systemUser = (): string => `${userName() ?? `user ${process.getuid?.()}`}@${hostname()}`;

/** What the server writes beside each message and start: `alice@jump1 (pid 4711)`. */
export const clientIdentity = (): string => `${systemUser()} (pid ${process.pid})`;

/** The request to cancel has no field for a person; the identity names both. */
const VIA = ' via ';
export const personVia = (person: string): string => `${person}${VIA}${clientIdentity()}`;

/** The person, and what sent it for them if that was said. */
export function personIn(identity: string): { readonly by: string; readonly via?: string } {
  const at = identity.lastIndexOf(VIA);
  return at < 0 ? { by: identity } : { by: identity.slice(0, at), via: identity.slice(at + VIA.length) };
}
