/** Small https servers on loopback that count what reaches them, and devices that are asked over real TLS. */
import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Socket, type Server } from 'node:net';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { panosServices } from '../../../../activities/panos';
import type { PanosDevice } from '../../../../activities/panos/api';
import type { Ran } from '../../../../activities/kit';
import { panosNode, panosSpec } from '../../../../activities/panos/spec';
import { certificateOf } from '../../../../simulators/panos/server/certificate';

export const PASSWORD = 'correct-horse-battery';
export const KEY = 'LUFRPT1c2VjcmV0LWtleQ==';

export interface Listening {
  readonly port: number;
  /** Bytes that came after the TLS handshake, of all connections. */
  received(): number;
  connections(): number;
  /** Resolves when no connection is left. */
  emptied(): Promise<void>;
  stop(): Promise<void>;
}

const listening = async (server: Server, received: () => number): Promise<Listening> => {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    connections: () => connections,
    emptied: async () => {
      while (sockets.size > 0) await Promise.race([...sockets].map((socket) => once(socket, 'close')));
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};

/** Shows the certificate of fw-a at 127.0.0.1. */
export async function httpsServer(handler: RequestListener): Promise<Listening> {
  let bytes = 0;
  const { key, cert } = await certificateOf('fw-a', '127.0.0.1');
  const server = createHttps({ key, cert }, handler);
  server.on('secureConnection', (socket) => socket.on('data', (data: Buffer) => (bytes += data.length)));
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return listening(server, () => bytes);
}

/** Takes connections, and never says a word. */
export const silentServer = (accepted: () => void): Promise<Listening> =>
  listening(
    createTcp((socket) => {
      socket.resume();
      accepted();
    }),
    () => 0,
  );

export interface Asking {
  readonly device: PanosDevice;
  readonly ran: Ran[];
  readonly cut: (reason: Error) => void;
}

export interface Place {
  readonly port: number;
  readonly tls: { readonly fingerprint: string } | { readonly ca: string; readonly serverName?: string };
  readonly address?: string;
  readonly user?: string;
  readonly password?: string;
  /** The plan knows what its devices are. */
  readonly found?: object;
  /** Of the inventory, before parsing. */
  readonly timing?: object;
}

/** Devices of one worker, each asked for an activity of its own. */
export function worker(): (place: Place) => Asking {
  const services = panosServices();
  return ({ found, timing = {}, ...place }) => {
    const node = panosNode.parse({
      address: '127.0.0.1',
      user: 'admin',
      password: 'env:PANOS_TEST_PASSWORD',
      ...place,
    });
    const controller = new AbortController();
    const ran: Ran[] = [];
    const panos = panosSpec.parse({ timing });
    const plan = { nodes: { 'fw-a': node }, panos, ...(found === undefined ? {} : { found }) };
    const context = { plan, signal: controller.signal, evidence: (entry: Ran) => void ran.push(entry) };
    return {
      device: services.device(context, 'fw-a'),
      ran,
      cut: (reason) => controller.abort(reason),
    };
  };
}

export const INFO = '<show><system><info></info></system></show>';
export const success = (result: string): string => `<response status="success"><result>${result}</result></response>`;

/** A key for whoever asks, and `answer` for everything else. */
export const keyThen =
  (answer: (message: IncomingMessage, body: string, response: ServerResponse) => void) =>
  (message: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const body = Buffer.concat(chunks).toString('latin1');
      if (body.startsWith('type=keygen')) response.end(success(`<key>${KEY}</key>`));
      else answer(message, body, response);
    });
  };
export const yes = keyThen((_message, _body, response) => response.end(success('yes')));
