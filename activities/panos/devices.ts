/** Devices of plans, as the worker reaches them: API keys in its memory only, connections limited for each device. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, permanent } from '../kit';
import { expandHome, readSecret } from '../ssh/secrets';
import { createDevice, httpsTransport, keygen, type Keys, type Transport } from './api';
import type { PanosServices, WorkerFiles } from './plan';
import type { PanosNode } from './spec';

interface Reached {
  readonly transport: Transport;
  readonly keys: Keys;
}

/** One for a worker. What it remembers ends with it. */
export function panosServices(): PanosServices {
  const reached = new Map<string, Reached>();
  const reach = (name: string, node: PanosNode): Reached => {
    const id = JSON.stringify([node.address, node.port, node.tls, node.user, node.password]);
    const known = reached.get(id);
    if (known !== undefined) return known;
    const transport = httpsTransport(name, node);
    const fresh = { transport, keys: keysOf(name, node, transport) };
    reached.set(id, fresh);
    return fresh;
  };
  return {
    device({ plan, signal, evidence }, name) {
      const node = Object.hasOwn(plan.nodes, name) ? plan.nodes[name] : undefined;
      if (node === undefined)
        throw permanent('InvalidInput', `the plan has no node ${name}; it has ${Object.keys(plan.nodes).join(', ')}`);
      return createDevice({
        name,
        ...reach(name, node),
        signal,
        // A plan that knows what its devices are has talked to them.
        trusted: Object.hasOwn(plan, 'found'),
        record: evidence,
        now: Date.now,
        callTimeoutMs: plan.panos.timing.callTimeoutMs,
        transferTimeoutMs: plan.panos.timing.downloadTimeoutMs,
      });
    },
    files: workerFiles,
    now: Date.now,
  };
}

/** One key at a time for a device: a new one may end older ones. */
export function keysOf(
  name: string,
  { user, password }: Pick<PanosNode, 'user' | 'password'>,
  transport: Transport,
): Keys {
  let key: Promise<string> | undefined;
  let current: string | undefined;
  const fetch = async (timeoutMs: number): Promise<string> => {
    let secret: string;
    try {
      // Files end with a newline, passwords don't.
      secret = (await readSecret(password)).replace(/\r?\n$/, '');
    } catch (error) {
      throw permanent('InvalidInput', `the password of ${user} on ${name} can’t be had: ${messageOf(error)}`);
    }
    // All who ask meanwhile wait for it, so it isn't cut with any one of them; its timeout ends it.
    current = await keygen(name, transport, { user, password: secret }, new AbortController().signal, timeoutMs);
    return current;
  };
  return {
    get(signal, timeoutMs) {
      key ??= fetch(timeoutMs).catch((error: unknown) => {
        key = undefined;
        throw error;
      });
      return unlessCut(signal, key);
    },
    drop(refused) {
      // Another call may have fetched a fresh one already, or be about to.
      if (current !== refused) return;
      current = undefined;
      key = undefined;
    },
  };
}

/** Rejects at once when cut; the work goes on for others. */
const unlessCut = <T>(signal: AbortSignal, work: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const cut = (): void => reject(signal.reason as Error);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', cut));
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
  });

const workerFiles: WorkerFiles = {
  async open(path) {
    const file = expandHome(path);
    const hash = createHash('sha256');
    try {
      for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
      return { bytes: (await stat(file)).size, sha256: hash.digest('hex'), open: () => createReadStream(file) };
    } catch (error) {
      throw permanent('PackageMissing', `the worker can’t read ${file}: ${messageOf(error)}`);
    }
  },
  async keep(path, content) {
    const file = expandHome(path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(`${file}.new`, content, { mode: 0o600 });
    await chmod(`${file}.new`, 0o600);
    // Never seen half: a repeat replaces it whole.
    await rename(`${file}.new`, file);
    return createHash('sha256').update(content).digest('hex');
  },
};
