/**
 * Hosts over SSH: connections, commands, files, sudo and detached jobs. Drivers see the small interface in kit/host.ts.
 */
import { setMaxListeners } from 'node:events';
import { z } from 'zod';
import { permanent } from '../kit/errors';
import type { WorkerServices } from '../kit/register';
import { SshHost } from './host';
import { Pool } from './pool';
import { hostsSpec, type HostsSpec } from './spec';

export { hostSpec, hostsSpec, secretReference, type Credential, type HostSpec, type HostsSpec } from './spec';
export { checkSudo, type SudoNeed } from './sudo';
export { isMissingFile, sudoToRead, sudoToWrite } from './files';
export { ANYTHING, hexDigits, quoteArgument, quoteCommand, sudoersCommand } from './quote';

export interface HostsOptions {
  /** A connection that nobody used for this long is ended; default 60 s. */
  readonly idleMs?: number;
  /** Of both outputs of a command whose caller asks for no other limit; default 1 MiB. */
  readonly outputLimitBytes?: number;
}

export interface Hosts {
  /**
   * A host of the plan's section `hosts`. Nothing is sent before its first command. Aborting the signal ends what runs
   * through this object, not the connection. Throws InvalidInput if the plan has no such host.
   */
  readonly connect: (plan: unknown, hostName: string, signal: AbortSignal) => Promise<SshHost>;
  /** The connections themselves: for what needs a channel of its own, as the probes' loops. */
  readonly pool: Pool;
  /** Ends all connections. */
  close(): void;
  /** Open connections, for diagnosis. */
  readonly connections: number;
}

/** The SSH connections of a worker: `connect` is what WorkerServices wants. */
export function createHosts(options: HostsOptions = {}): Hosts {
  const pool = new Pool(options.idleMs ?? 60_000);
  const connect = async (plan: unknown, hostName: string, signal: AbortSignal): Promise<SshHost> => {
    // Every command in flight listens to it; a warning about a leak would be a false alarm.
    setMaxListeners(0, signal);
    const hosts = hostsOf(plan);
    const spec = Object.hasOwn(hosts, hostName) ? hosts[hostName] : undefined;
    if (spec === undefined)
      throw permanent('InvalidInput', `the plan has no host ${hostName}; it has ${Object.keys(hosts).join(', ')}`);
    return new SshHost(hostName, spec, hosts, pool, signal, options.outputLimitBytes);
  };
  return {
    connect: connect satisfies WorkerServices['connect'],
    pool,
    close: () => pool.close(),
    get connections() {
      return pool.size;
    },
  };
}

/** The plan came through history: what is in it is checked once more. */
const parsed = new WeakMap<object, HostsSpec>();
function hostsOf(plan: unknown): HostsSpec {
  const section: unknown = typeof plan === 'object' && plan !== null && 'hosts' in plan ? plan.hosts : undefined;
  const known = typeof section === 'object' && section !== null ? parsed.get(section) : undefined;
  if (known !== undefined) return known;
  const result = hostsSpec.safeParse(section);
  if (!result.success) throw permanent('InvalidInput', `section hosts of the plan: ${z.prettifyError(result.error)}`);
  parsed.set(section as object, result.data);
  return result.data;
}
