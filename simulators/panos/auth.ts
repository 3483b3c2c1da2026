/** Who may ask: keys, and Basic authentication where no key is given (facts §5). */
import { createHash } from 'node:crypto';
import type { SimulatedDevice } from './device';
import type { ApiRequest } from './wire';

export class Auth {
  /** Keys by what they are, with the user. They outlive a reboot. */
  readonly #keys = new Map<string, string>();
  #generation = 0;

  constructor(private readonly device: SimulatedDevice) {}

  /** A key for a user; undefined for wrong credentials. */
  keygen(user: string | null, password: string | null): string | undefined {
    if (user === null || !this.#knows(user, password)) return undefined;
    const { serial } = this.device.own;
    const digest = createHash('sha256').update(`${serial} ${user} ${this.#generation}`).digest('base64');
    // Real keys begin and end like this; the end is what clients have to send on unchanged.
    const key = `LUFRPT1${digest.replace(/[+/=]/g, 'x')}==`;
    this.#keys.set(key, user);
    return key;
  }

  /** The user of a request; undefined: forbidden. A key in the wrong place isn't looked for anywhere else. */
  user(request: ApiRequest): string | undefined {
    const key = request.params.get('key') ?? request.headers['x-pan-key'];
    if (key !== undefined) return this.#keys.get(key);
    const basic = /^Basic\s+(\S+)$/i.exec(request.headers['authorization'] ?? '')?.[1];
    if (basic === undefined) return undefined;
    const [user = '', ...password] = Buffer.from(basic, 'base64').toString().split(':');
    return this.#knows(user, password.join(':')) ? user : undefined;
  }

  /** Keys that were given out are worth nothing any more; new ones differ. */
  expireKeys(): void {
    this.#keys.clear();
    this.#generation++;
  }

  #knows(user: string, password: string | null): boolean {
    const { options } = this.device;
    return user === options.user && password === options.password;
  }
}
