/**
 * Connections are shared between attempts and activities of a worker: one login serves many commands. A dead connection is
 * dropped and made anew at the next use, so a reboot needs no care elsewhere.
 */
import type { Duplex } from 'node:stream';
import { permanent } from '../kit/errors';
import { abortable } from './abortable';
import { Connection } from './connection';
import type { Target } from './errors';
import type { HostsSpec, HostSpec } from './spec';

/** More than this many sessions at once on one host wait for each other: capacity of a connection × this. */
const CONNECTIONS_PER_HOST = 4;

export interface Lease {
  readonly connection: Connection;
  release(): void;
}

interface Entry {
  readonly connections: Connection[];
  dialling?: Promise<Connection>;
  readonly waiting: (() => void)[];
}

export class Pool {
  readonly #entries = new Map<string, Entry>();
  readonly #idle = new Map<Connection, NodeJS.Timeout>();
  #closed = false;

  constructor(private readonly idleMs: number) {}

  /** A connection with room for one more session. Throws what Connection.open throws, or the signal's reason. */
  async session(hosts: HostsSpec, name: string, signal: AbortSignal): Promise<Lease> {
    const entry = this.#entry(hosts, name);
    for (;;) {
      signal.throwIfAborted();
      const free = entry.connections.find((c) => c.alive && c.sessions < c.capacity);
      if (free !== undefined) return this.#lease(free, entry, 'sessions');
      const full = entry.connections.length >= CONNECTIONS_PER_HOST;
      await abortable<unknown>(full ? woken(entry) : this.#dial(hosts, name, entry), signal);
    }
  }

  /** Ends every connection; what still runs on them fails as unreachable. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#idle.values()) clearTimeout(timer);
    for (const entry of this.#entries.values()) for (const connection of [...entry.connections]) connection.end();
  }

  /** How many connections are open, for tests and diagnosis. */
  get size(): number {
    return [...this.#entries.values()].reduce((sum, e) => sum + e.connections.length, 0);
  }

  #entry(hosts: HostsSpec, name: string): Entry {
    // By content, not by run: two runs with the same hosts share; a changed inventory gets connections of its own.
    const key = JSON.stringify(chainOf(hosts, name));
    let entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, (entry = { connections: [], waiting: [] }));
    return entry;
  }

  /** One login at a time per host: those who come meanwhile share its result. */
  #dial(hosts: HostsSpec, name: string, entry: Entry): Promise<Connection> {
    entry.dialling ??= this.#open(hosts, name)
      .then((connection) => {
        if (this.#closed) connection.end();
        entry.connections.push(connection);
        connection.onLost(() => {
          entry.connections.splice(entry.connections.indexOf(connection), 1);
          this.#rest(connection, false);
          wake(entry);
        });
        return connection;
      })
      .finally(() => {
        delete entry.dialling;
      });
    return entry.dialling;
  }

  async #open(hosts: HostsSpec, name: string): Promise<Connection> {
    if (this.#closed) throw new Error('the connections of this worker have been closed');
    const { target, spec } = resolveHost(hosts, name);
    if (spec.jump === undefined) return Connection.open(target, spec);
    const lease = await this.#through(hosts, spec.jump);
    try {
      const transport: Duplex = await lease.connection.forward(target);
      const connection = await Connection.open(target, spec, transport);
      connection.onLost(() => lease.release());
      return connection;
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  /** A connection to lead another one through; it takes no session of the jump host. */
  async #through(hosts: HostsSpec, name: string): Promise<Lease> {
    const entry = this.#entry(hosts, name);
    const connection = entry.connections.find((c) => c.alive) ?? (await this.#dial(hosts, name, entry));
    return this.#lease(connection, entry, 'forwards');
  }

  #lease(connection: Connection, entry: Entry, what: 'sessions' | 'forwards'): Lease {
    connection[what]++;
    this.#rest(connection, false);
    let released = false;
    return {
      connection,
      release: () => {
        if (released) return;
        released = true;
        connection[what]--;
        if (connection.sessions === 0 && connection.forwards === 0) this.#rest(connection, connection.alive);
        wake(entry);
      },
    };
  }

  #rest(connection: Connection, resting: boolean): void {
    clearTimeout(this.#idle.get(connection));
    this.#idle.delete(connection);
    if (resting) this.#idle.set(connection, setTimeout(() => connection.end(), this.idleMs).unref());
  }
}

const woken = (entry: Entry): Promise<void> => new Promise((go) => entry.waiting.push(go));
const wake = (entry: Entry): void => {
  for (const go of entry.waiting.splice(0)) go();
};

function resolveHost(hosts: HostsSpec, name: string): { target: Target; spec: HostSpec } {
  const chain = chainOf(hosts, name);
  const spec = chain[0]![1];
  const via = chain
    .slice(1)
    .map(([jump]) => jump)
    .reverse();
  return { spec, target: { name, address: spec.address, port: spec.port, user: spec.user, via } };
}

/** The host and its jump hosts, nearest to the worker last. The plan was checked for circles; this one only ends. */
function chainOf(hosts: HostsSpec, name: string): [string, HostSpec][] {
  const chain: [string, HostSpec][] = [];
  for (let at: string | undefined = name; at !== undefined && chain.length < 16;) {
    const spec: HostSpec | undefined = Object.hasOwn(hosts, at) ? hosts[at] : undefined;
    if (spec === undefined)
      throw permanent(
        'InvalidInput',
        `the plan has no host ${JSON.stringify(at)}; it has ${Object.keys(hosts).join(', ')}`,
      );
    chain.push([at, spec]);
    at = spec.jump;
  }
  return chain;
}
