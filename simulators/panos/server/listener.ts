/** One device on its own address: open while it listens, closed while it is down, nothing in between. */
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { SimulatedDevice } from '../device';
import { BodyTooLarge, readRequest } from './body';
import type { Certificate } from './certificate';

/** Somebody else may have taken the port while the device was down. */
const LISTEN_AGAIN_MS = 200;
const PATHS = new Set(['/api', '/api/', '/esp/restapi.esp']);

export class DeviceListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Opening and closing one after the other, in the order in which they were asked for. */
  #queue: Promise<void> = Promise.resolve();
  #wanted = false;
  #stopped = false;
  #port: number;

  /** @param tick brings the pair to the present. */
  constructor(
    private readonly device: SimulatedDevice,
    certificate: Certificate,
    readonly address: string,
    port: number,
    private readonly tick: () => void,
  ) {
    this.#port = port;
    this.#server = createServer({ key: certificate.key, cert: certificate.cert }, (message, response) => {
      this.#answer(message, response).catch(() => message.socket.destroy());
    });
    // Requests that are told to hang stay open as long as the device is up.
    this.#server.requestTimeout = 0;
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // A client that breaks off its TLS handshake is no fault of the device.
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  get port(): number {
    return this.#port;
  }

  /** @throws Error where the address can't be listened on. */
  async open(): Promise<void> {
    this.#wanted = true;
    await this.#listen();
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Opens or closes as the device is now. */
  reconcile(): void {
    const wanted = this.device.power.listening;
    if (wanted === this.#wanted || this.#stopped) return;
    this.#wanted = wanted;
    this.#queue = this.#queue.then(() => (wanted ? this.#openAgain() : this.#close()));
  }

  /** Resolves when what was asked for has come true. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wanted = false;
    this.#queue = this.#queue.then(() => this.#close());
    await this.#queue;
  }

  async #close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #openAgain(): Promise<void> {
    while (this.#wanted && !this.#server.listening) {
      const opened = await this.#listen().then(
        () => true,
        () => false,
      );
      if (!opened) await new Promise((resolve) => setTimeout(resolve, LISTEN_AGAIN_MS));
    }
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, this.address, () => {
        this.#server.removeListener('error', reject);
        resolve();
      });
    });
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!PATHS.has((message.url ?? '').split('?')[0] ?? '')) {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<html><body>Not found</body></html>');
      return;
    }
    const request = await readRequest(message).catch((error: unknown) => {
      if (error instanceof BodyTooLarge) response.writeHead(413, { connection: 'close' }).end();
      throw error;
    });
    this.tick();
    const reply = this.device.request(request);
    // What the request has begun may be due at once.
    this.tick();
    switch (reply.kind) {
      case 'answer':
        response.writeHead(reply.status, {
          'content-type': reply.contentType,
          'content-length': Buffer.byteLength(reply.body),
          'cache-control': 'no-store',
          ...(reply.fileName !== undefined && {
            'content-disposition': `attachment; filename=${reply.fileName}`,
          }),
        });
        response.end(reply.body);
        return;
      case 'drop':
      case 'refuse':
        message.socket.destroy();
        return;
      case 'hang':
        return;
    }
  }
}
