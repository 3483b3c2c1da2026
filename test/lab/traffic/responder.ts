import { createSocket } from 'node:dgram';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { setPriority } from 'node:os';
import { decode, encode, datagramBytes } from './protocol';
import { socketDrops } from './socket-drops';

/** The server behind the firewalls: `node responder.js <JSON of ResponderOptions>` in its network namespace. */
export interface ResponderOptions {
  udpPorts: readonly number[];
  tcpPorts: readonly number[];
  httpPorts: readonly number[];
}

/** Echoes datagrams, each reply saying how many of its flow have arrived: that tells in which direction one was lost. */
function echoDatagrams(port: number): void {
  const received = new Map<number, number>();
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    const datagram = decode(message);
    if (datagram === undefined) return;
    const count = (received.get(datagram.flow) ?? 0) + (datagram.query ? 0 : 1);
    received.set(datagram.flow, count);
    const dropped = datagram.query ? (socketDrops().get(port) ?? 0) : 0;
    const reply = Buffer.alloc(datagramBytes);
    encode({ ...datagram, received: count, dropped }, reply);
    socket.send(reply, from.port, from.address);
  });
  socket.on('error', fail);
  socket.bind(port, () => socket.setRecvBufferSize(4 << 20)); // as much of it as net.core.rmem_max allows
}

function echoStreams(port: number): void {
  createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  })
    .on('error', fail)
    .listen({ port, host: '0.0.0.0', backlog: 1024 });
}

function answerHttp(port: number): void {
  createHttpServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.end(`port ${port} answers ${request.url}\n`);
  })
    .on('error', fail)
    .listen({ port, host: '0.0.0.0', backlog: 1024 });
}

function fail(error: Error): void {
  console.error(error.message);
  process.exit(1);
}

if (require.main === module) {
  const options = JSON.parse(process.argv[2] ?? '') as ResponderOptions;
  setPriority(-10); // an echo that waits for a processor would look like a slow network
  options.udpPorts.forEach(echoDatagrams);
  options.tcpPorts.forEach(echoStreams);
  options.httpPorts.forEach(answerHttp);
}
