/** Real servers on loopback that probes look at. */
import { once } from 'node:events';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createTcp, type AddressInfo, type Socket } from 'node:net';

export interface TestServer {
  readonly port: number;
  /** "127.0.0.1:port" */
  readonly to: string;
  /** Stops answering: connections are refused from here on. */
  close(): Promise<void>;
  /** Answers again, on the same port. */
  reopen(): Promise<void>;
}

export async function tcpServer(): Promise<TestServer> {
  return serve(() => createTcp((socket) => socket.on('error', () => undefined)));
}

export async function httpServer(listener: RequestListener): Promise<TestServer> {
  return serve(() => createHttp(listener));
}

async function serve(make: () => ReturnType<typeof createTcp>): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const open = async (port: number): Promise<ReturnType<typeof createTcp>> => {
    const server = make();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server = await open(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    to: `127.0.0.1:${port}`,
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    reopen: async () => {
      server = await open(port);
    },
  };
}

/** A port of loopback that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = await tcpServer();
  await server.close();
  return server.port;
}
