import { createSocket, type Socket } from 'node:dgram';
import { randomInt } from 'node:crypto';
import { datagramBytes, decode, encode, lostAfterMs, type Datagram, type TrafficReport } from './protocol';
import { socketDrops } from './socket-drops';

/** Counts of one flow: a pure account of what was sent and what came back. */
export class FlowAccount {
  sent = 0;
  private replies = 0;
  /** Highest count that a reply has told of the packets that the server has seen. */
  private seenByServer = 0;
  /** Sequence number → when it was sent (ms), oldest first. */
  private readonly outstanding = new Map<number, number>();
  private readonly overdue = new Set<number>();
  private firstDropped: number | undefined;
  private dropped = 0;

  /** Returns the sequence number to send. */
  send(nowMs: number): number {
    this.outstanding.set(this.sent, nowMs);
    return this.sent++;
  }

  receive(reply: Datagram): void {
    this.seenByServer = Math.max(this.seenByServer, reply.received);
    if (reply.query) {
      this.firstDropped ??= reply.dropped;
      this.dropped = reply.dropped - this.firstDropped;
      return;
    }
    // One that was given up as lost and comes late was not lost; one that comes twice counts once.
    if (this.outstanding.delete(reply.sequence) || this.overdue.delete(reply.sequence)) this.replies += 1;
  }

  /** Gives up what has been out for too long. */
  sweep(nowMs: number): void {
    for (const [sequence, at] of this.outstanding) {
      if (nowMs - at < lostAfterMs) break;
      this.outstanding.delete(sequence);
      this.overdue.add(sequence);
    }
  }

  get waiting(): number {
    return this.outstanding.size;
  }

  /** `overflowedHere`: packets that the socket of this flow had no room for. */
  totals(overflowedHere: number): Omit<TrafficReport['packets'], 'lost'> {
    const lostToClient = Math.min(Math.max(0, this.seenByServer - this.replies), this.overdue.size);
    const lostToServer = this.overdue.size - lostToClient;
    const here = Math.min(overflowedHere, lostToClient);
    const there = Math.min(this.dropped, lostToServer);
    return {
      sent: this.sent + this.seenByServer,
      lostToServer: lostToServer - there,
      lostToClient: lostToClient - here,
      overflowed: here + there,
    };
  }
}

interface Flow {
  id: number;
  socket: Socket;
  localPort: number;
  account: FlowAccount;
}

/**
 * Sends datagrams at a steady rate and counts by sequence number what doesn't come back. One flow for each server port: the
 * kernel gives each socket a buffer of its own, and 100 packets a second fill one only after seconds of stall.
 */
export class Datagrams {
  private readonly flows: Flow[] = [];
  private next = 0;
  private due = 0;
  private failed: string | undefined;

  constructor(
    private readonly server: string,
    private readonly ports: readonly number[],
    private readonly packetsPerSecond: number,
  ) {}

  /** Opens the flows. @throws Error if the server doesn't answer on all of them. */
  async open(): Promise<void> {
    this.flows.push(...(await Promise.all(this.ports.map((port) => this.openFlow(port)))));
    if (!(await this.query(10_000))) throw new Error(`no answer from ${this.server} by UDP${this.failed ?? ''}`);
  }

  /** Sends what has become due in `elapsedMs`; called often. */
  tick(nowMs: number, elapsedMs: number): void {
    // After a long stall the missed packets aren't made up for: a burst would measure buffers, not the network.
    this.due = Math.min(this.due + (elapsedMs * this.packetsPerSecond) / 1000, 500);
    for (; this.due >= 1; this.due--) {
      const flow = this.flows[this.next++ % this.flows.length];
      if (flow !== undefined) this.send(flow, flow.account.send(nowMs), false);
    }
  }

  sweep(nowMs: number): void {
    for (const { account } of this.flows) account.sweep(nowMs);
  }

  /** Waits for what is still out, and asks the server for its counts. */
  async settle(): Promise<void> {
    const until = Date.now() + lostAfterMs;
    while (Date.now() < until && this.flows.some(({ account }) => account.waiting > 0)) await pause(50);
    this.sweep(Infinity);
    await this.query(2000); // a server out of reach: what it told last stands
  }

  report(): TrafficReport['packets'] {
    const drops = socketDrops();
    const total = { sent: 0, lost: 0, lostToServer: 0, lostToClient: 0, overflowed: 0 };
    for (const { account, localPort } of this.flows) {
      const { sent, lostToServer, lostToClient, overflowed } = account.totals(drops.get(localPort) ?? 0);
      total.sent += sent;
      total.lost += lostToServer + lostToClient;
      total.lostToServer += lostToServer;
      total.lostToClient += lostToClient;
      total.overflowed += overflowed;
    }
    return total;
  }

  private openFlow(port: number): Promise<Flow> {
    return new Promise((resolve, reject) => {
      const socket = createSocket('udp4');
      const id = randomInt(2 ** 32);
      const account = new FlowAccount();
      socket.once('error', reject);
      socket.on('message', (message) => {
        const reply = decode(message);
        if (reply?.flow === id) account.receive(reply);
      });
      socket.connect(port, this.server, () => {
        socket.off('error', reject);
        // "Connection refused" and the like, learnt from ICMP; the packet is counted as lost.
        socket.on('error', (error) => (this.failed = `: ${error.message}`));
        socket.setRecvBufferSize(4 << 20); // as much of it as net.core.rmem_max allows
        resolve({ id, socket, localPort: socket.address().port, account });
      });
    });
  }

  private send(flow: Flow, sequence: number, query: boolean): void {
    const buffer = Buffer.alloc(datagramBytes);
    encode({ flow: flow.id, sequence, query, received: 0, dropped: 0 }, buffer);
    flow.socket.send(buffer, () => undefined);
  }

  /** Asks for the server's counts until each flow has answered since; false if one hasn't within `timeoutMs`. */
  private async query(timeoutMs: number): Promise<boolean> {
    const until = Date.now() + timeoutMs;
    const answered = new Set<Flow>();
    for (const flow of this.flows) {
      const listen = (message: Buffer): void => {
        const reply = decode(message);
        if (reply?.flow === flow.id && reply.query) answered.add(flow);
      };
      flow.socket.on('message', listen);
    }
    while (Date.now() < until && answered.size < this.flows.length) {
      for (const flow of this.flows) if (!answered.has(flow)) this.send(flow, 0, true);
      await pause(200);
    }
    return answered.size === this.flows.length;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
