/** Devices of plans, as the worker reaches them: API keys in its memory only, connections limited for each device. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, permanent } from '../kit';
import { workerClock } from '../kit/clock';
import { expandHome, readSecret } from '../ssh/secrets';
import { createDevice, httpsTransport, keepKey, type Keys, type Login, type Transport } from './api';
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
    const keys = keepKey(name, transport, loginOf(name, node), workerClock.monotonicMs);
    const fresh = { transport, keys };
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
        otherCertificate: otherCertificate(name, node.tls, Object.hasOwn(plan, 'found')),
        record: evidence,
        now: () => Math.round(workerClock.monotonicMs()),
        callTimeoutMs: plan.panos.timing.callTimeoutMs,
        transferTimeoutMs: plan.panos.timing.downloadTimeoutMs,
      });
    },
    files: workerFiles,
    now: workerClock.monotonicMs,
  };
}

/**
 * What people can do about a certificate that isn't the right one. A run has its pins in its plan, which is frozen: a cure
 * that it would never read is no cure. The CA's file is read at each connection. Pure.
 */
export function otherCertificate(name: string, tls: PanosNode['tls'], inRun: boolean): string {
  const whose = `See on the console or in the web interface of ${name} itself whether it is the device’s own (a restart, another release or a new SSL/TLS service profile may change it)`;
  if ('ca' in tls)
    return `${whose}; if so, add the CA that has signed it to ${tls.ca} on every worker: that file is read at each connection, and a run that is held goes on by retry`;
  if (!inRun)
    return `${whose}; if so, pin it in the inventory, which is read when a run begins (or use tls.ca, which outlives renewals)`;
  return `${whose}. This run keeps the fingerprint that it began with: one that is changed in the inventory doesn’t reach it. What works: have ${name} show the pinned certificate again (Device > Setup > Management, SSL/TLS service profile), then retry. If it can’t, this run can neither go on with ${name} nor roll it back: stop, bring both to one release by hand, suspended members back by "request high-availability state functional", and pin the new fingerprint, or tls.ca, for the next run: none begins while releases differ`;
}

/** What the inventory refers to. @throws InvalidInput if the worker can't have it */
const loginOf =
  (name: string, { user, password }: Pick<PanosNode, 'user' | 'password'>) =>
  async (): Promise<Login> => {
    try {
      // Files end with a newline, passwords don't.
      return { user, password: (await readSecret(password)).replace(/\r?\n$/, '') };
    } catch (error) {
      throw permanent('InvalidInput', `the password of ${user} on ${name} can’t be had: ${messageOf(error)}`);
    }
  };

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
  async keep(path, fill) {
    const file = expandHome(path);
    const hash = createHash('sha256');
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(`${file}.new`, 'w', 0o600);
    try {
      await handle.chmod(0o600);
      await fill(async (bytes) => {
        hash.update(bytes);
        await handle.writeFile(bytes);
      });
      await handle.close();
      // Never seen half: a repeat replaces it whole.
      await rename(`${file}.new`, file);
    } catch (error) {
      await handle.close().catch(() => undefined);
      await rm(`${file}.new`, { force: true });
      throw error;
    }
    return hash.digest('hex');
  },
};
