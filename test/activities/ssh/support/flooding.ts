/** A real SSH server on loopback that answers as no honest host does. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, utils, type Connection, type ServerChannel } from 'ssh2';
import { SHELL_QUESTION } from '../../../../activities/ssh/shell';

/** One in some hundred keys that the library makes is none that it can read. */
function newKey(): ReturnType<typeof utils.generateKeyPairSync> {
  for (;;) {
    const key = utils.generateKeyPairSync('ed25519');
    if (!(utils.parseKey(key.private) instanceof Error)) return key;
  }
}

/** A server that answers each command by what `answer` does with its channel. */
export class Flooding {
  readonly closed: string[] = [];
  readonly connections: Connection[] = [];
  writtenBytes = 0;
  answer: (channel: ServerChannel, command: string) => void = () => undefined;
  private readonly key = newKey();
  private readonly client = newKey();
  private readonly folder = mkdtempSync(join(tmpdir(), 'hitless-flood-'));
  private readonly server = new Server({ hostKeys: [this.key.private] }, (connection) => {
    this.connections.push(connection);
    connection.on('error', () => undefined);
    connection.on('authentication', (context) =>
      context.method === 'none' ? context.reject(['publickey']) : context.accept(),
    );
    connection.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        channel.on('error', () => undefined);
        channel.resume();
        if (command === SHELL_QUESTION) {
          channel.exit(0);
          return void channel.end();
        }
        channel.on('close', () => this.closed.push(command));
        this.answer(channel, command);
      });
    });
  });

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    writeFileSync(join(this.folder, 'key'), this.client.private, { mode: 0o600 });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get hostKey(): string {
    return this.key.public.trim();
  }

  get keyFile(): string {
    return join(this.folder, 'key');
  }

  plan(): unknown {
    const { port, hostKey } = this;
    const credentials = `file:${this.keyFile}`;
    return {
      hosts: { fw1: { address: '127.0.0.1', port, user: 'ops', credentials, hostKeys: [hostKey], root: 'none' } },
    };
  }

  /** Writes for as long as somebody takes it. */
  endlessly(channel: ServerChannel, what: Buffer | (() => Buffer), to: 'stdout' | 'stderr' = 'stdout'): void {
    const stream = to === 'stdout' ? channel : channel.stderr;
    const write = (): void => {
      while (channel.writable && !channel.destroyed) {
        const chunk = typeof what === 'function' ? what() : what;
        this.writtenBytes += chunk.length;
        if (!stream.write(chunk)) return void stream.once('drain', write);
      }
    };
    write();
  }

  stop(): void {
    for (const connection of this.connections) connection.end();
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
