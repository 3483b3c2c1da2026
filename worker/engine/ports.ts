/** Ports on loopback, for programs that must be told theirs. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

const ip = '127.0.0.1';

/**
 * A port that nobody listens on. Its listener closes a connection first, which leaves the port in TIME_WAIT: so long the kernel
 * gives it to nobody who asks for any port, while who names it may have it. So what starts side by side doesn't collide.
 */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, ip);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect(port, ip);
  const [accepted] = (await once(server, 'connection')) as [Socket];
  accepted.destroy();
  client.resume();
  await once(client, 'close');
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether a program could listen on the port now. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, ip);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Whether something listens on the port. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, ip);
    const answer = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}
