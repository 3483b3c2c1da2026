/** What the generator in the client's namespace and the responder in the server's agree on. */

export interface TrafficOptions {
  server: string;
  udpPorts: readonly number[];
  tcpPorts: readonly number[];
  httpPorts: readonly number[];
  udpPacketsPerSecond: number;
  /** Long-lived TCP sessions, spread evenly over `tcpPorts`. */
  sessions: number;
  /** How many of them say something only every `quietSeconds`; the others about twice a second. */
  quietSessions: number;
  quietSeconds: number;
  newConnectionsPerSecond: number;
  /** A session whose echo takes longer than this counts as hung, a new connection as failed. */
  patienceSeconds: number;
}

/** Counters since the start; `packets` counts both directions. */
export interface TrafficReport {
  seconds: number;
  packets: {
    sent: number;
    /** Sent and not seen at the other end after 3 s, those in `overflowed` excepted. */
    lost: number;
    lostToServer: number;
    lostToClient: number;
    /** Dropped at the very end by a full socket buffer of the generator or the responder: not the network's doing. */
    overflowed: number;
  };
  sessions: {
    opened: number;
    /** Reset, closed, or hung. */
    broken: number;
    /** Why, for the first few: `session 17 to port 7100: ECONNRESET after 31.0 s`. */
    faults: string[];
    /** The longest that an echo took. */
    worstMs: number;
  };
  newConnections: { tried: number; failed: number; slow: number; faults: string[]; worstMs: number };
  /** The longest that the generator itself didn't run: times as long as this are the machine's doing. */
  stalledMs: number;
}

/** A new connection that takes longer is slow: a lost SYN shows as 1 s or more (RFC 6298). */
export const slowMs = 500;
/** A packet that isn't back after this long is lost, unless it comes back later. */
export const lostAfterMs = 3000;

/** A datagram: magic, flow, sequence number, kind, and in replies what the server has seen of the flow. */
export interface Datagram {
  /** Random, so that runs don't mix; tells flows apart where NAT hides the sender. */
  flow: number;
  sequence: number;
  /** A query isn't counted. */
  query: boolean;
  /** In replies: packets of the flow that have arrived. */
  received: number;
  /** In replies to queries: packets that the server's socket had no room for, since it was opened. */
  dropped: number;
}

const magic = 0x48544c53; // "HTLS"
/** Size of a DNS answer or a voice frame rather than of a bare header. */
export const datagramBytes = 160;

export function encode(datagram: Datagram, into: Buffer): void {
  into.writeUInt32BE(magic, 0);
  into.writeUInt32BE(datagram.flow, 4);
  into.writeUInt32BE(datagram.sequence, 8);
  into.writeUInt32BE(datagram.query ? 1 : 0, 12);
  into.writeUInt32BE(datagram.received, 16);
  into.writeUInt32BE(datagram.dropped, 20);
}

/** Undefined for a datagram that isn't ours. */
export function decode(from: Buffer): Datagram | undefined {
  if (from.length < 24 || from.readUInt32BE(0) !== magic) return undefined;
  return {
    flow: from.readUInt32BE(4),
    sequence: from.readUInt32BE(8),
    query: from.readUInt32BE(12) === 1,
    received: from.readUInt32BE(16),
    dropped: from.readUInt32BE(20),
  };
}
