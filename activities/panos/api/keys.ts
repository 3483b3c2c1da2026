/**
 * The API key of one device, fetched with user and password, kept in the worker's memory, and fetched anew sparingly: a
 * device that starts up refuses a good password too (HTTP 403), and may lock the account of whom it refuses too often.
 * Source: facts/pan-os.md, sections 4.3 and 5.
 */
import { failureType } from '../../kit/errors';
import { forbidden, readReply, starting } from './reply';
import type { Transport } from './transport';
import { textAt } from './xml';

/** Of a device that accepted the password before. Lockouts count failed attempts within minutes. */
const KEYGEN_INTERVAL_MS = 60_000;

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** For whom a key is wanted. */
export interface KeyUse {
  readonly signal: AbortSignal;
  /** The device has accepted the credentials in this run. */
  readonly trusted: boolean;
  readonly timeoutMs: number;
}

/** @throws AuthenticationFailed; Unreachable (transient) for a device that starts up, or that doesn't answer */
export interface Keys {
  /** The key that is known, whether or not it was refused lately; a fresh one if there is none. */
  get(use: KeyUse): Promise<string>;
  /** Another one than this, which the device refused. The refused one stays known until there is one. */
  insteadOf(refused: string, use: KeyUse): Promise<string>;
}

/** @param now milliseconds of a clock that nobody sets */
export function keepKey(name: string, transport: Transport, login: () => Promise<Login>, now: () => number): Keys {
  let current: string | undefined;
  let fetching: Promise<string> | undefined;
  /** When the device last said yes or no to the password. */
  let answeredAtMs = -Infinity;
  const fetch = async (timeoutMs: number): Promise<string> => {
    const credentials = await login();
    try {
      // All who ask meanwhile wait for it, so it isn't cut with any one of them; its timeout ends it.
      current = await keygen(name, transport, credentials, new AbortController().signal, timeoutMs);
      answeredAtMs = now();
      return current;
    } catch (error) {
      if (failureType(error) === 'AuthenticationFailed') answeredAtMs = now();
      throw error;
    }
  };
  /** One at a time for a device: a new key may end older ones. */
  const fresh = async ({ signal, trusted, timeoutMs }: KeyUse): Promise<string> => {
    if (fetching === undefined) {
      if (trusted && now() - answeredAtMs < KEYGEN_INTERVAL_MS) throw starting(name);
      fetching = fetch(timeoutMs).finally(() => (fetching = undefined));
    }
    try {
      return await unlessCut(signal, fetching);
    } catch (error) {
      throw trusted && failureType(error) === 'AuthenticationFailed' ? starting(name) : error;
    }
  };
  return {
    get: async (use) => current ?? (await fresh(use)),
    // Another call may have fetched one already.
    insteadOf: async (refused, use) => (current !== undefined && current !== refused ? current : fresh(use)),
  };
}

/** Fetches a key by user and password. @throws AuthenticationFailed, Unreachable */
async function keygen(
  name: string,
  transport: Transport,
  { user, password }: Login,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<string> {
  const answer = await transport({ parameters: { type: 'keygen', user, password }, timeoutMs, signal });
  const { result } = readReply(name, 'keygen', answer);
  const key = textAt(result, 'key');
  if (key === undefined || key === '') throw forbidden(name);
  return key;
}

/** Rejects at once when cut; the work goes on for others. */
const unlessCut = <T>(signal: AbortSignal, work: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const cut = (): void => reject(signal.reason as Error);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', cut));
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
  });
