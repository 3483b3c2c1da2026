/**
 * A BGP neighbor that announces what it is told, attribute by attribute (RFC 4271, 6793, 7911, 2918): what no router's
 * policy could be made to send. It dials FRR through a relay in FRR's network namespace, and answers route refreshes.
 */
import { createConnection, type Socket } from 'node:net';
import type { Segment } from '../../../../activities/routing/prediction/as-path';

export interface Announcement {
  /** "10.200.1.0/24" */
  readonly prefix: string;
  readonly pathId: number;
  readonly asPath: readonly Segment[];
  readonly origin: 'IGP' | 'EGP' | 'incomplete';
  readonly nextHop: string;
  readonly med?: number;
  /** Sent by internal and confederation neighbors only. */
  readonly localPreference?: number;
  readonly originatorId?: string;
  readonly clusterList?: readonly string[];
  /** As [high, low]. */
  readonly communities?: readonly (readonly [number, number])[];
}

export interface SpeakerOptions {
  /** Unix socket of the relay. */
  readonly relay: string;
  readonly address: string;
  readonly peer: string;
  readonly as: number;
  readonly routerId: string;
  /** Sends more than one path for a prefix (RFC 7911). */
  readonly addPath: boolean;
  readonly announcements: readonly Announcement[];
}

const TYPES = { set: 1, sequence: 2, 'confederation sequence': 3, 'confederation set': 4 } as const;
const ORIGINS = ['IGP', 'EGP', 'incomplete'];
const bytes = (address: string): number[] => address.split('.').map(Number);
const u16 = (n: number): number[] => [(n >> 8) & 255, n & 255];
const u32 = (n: number): number[] => [...u16(Math.floor(n / 65_536)), ...u16(n % 65_536)];

function message(type: number, body: readonly number[]): Buffer {
  return Buffer.from([...Array<number>(16).fill(255), ...u16(19 + body.length), type, ...body]);
}

function open({ as, routerId, addPath }: SpeakerOptions): Buffer {
  const capabilities = [
    ...[1, 4, 0, 1, 0, 1], // IPv4 unicast
    ...[2, 0], // route refresh
    ...[65, 4, ...u32(as)],
    ...(addPath ? [69, 4, 0, 1, 1, 2] : []), // sends several paths
  ];
  return message(1, [
    4,
    ...u16(as > 65_535 ? 23_456 : as),
    ...u16(180),
    ...bytes(routerId),
    capabilities.length + 2,
    2,
    capabilities.length,
    ...capabilities,
  ]);
}

function attribute(flags: number, type: number, value: readonly number[]): number[] {
  return value.length > 255
    ? [flags | 0x10, type, ...u16(value.length), ...value]
    : [flags, type, value.length, ...value];
}

function update(a: Announcement, addPath: boolean): Buffer {
  const asPath = a.asPath.flatMap(({ type, list }) => [TYPES[type], list.length, ...list.flatMap(u32)]);
  const attributes = [
    ...attribute(0x40, 1, [ORIGINS.indexOf(a.origin)]),
    ...attribute(0x40, 2, asPath),
    ...attribute(0x40, 3, bytes(a.nextHop)),
    ...(a.med === undefined ? [] : attribute(0x80, 4, u32(a.med))),
    ...(a.localPreference === undefined ? [] : attribute(0x40, 5, u32(a.localPreference))),
    ...(a.communities === undefined
      ? []
      : attribute(
          0xc0,
          8,
          a.communities.flatMap(([h, l]) => [...u16(h), ...u16(l)]),
        )),
    ...(a.originatorId === undefined ? [] : attribute(0x80, 9, bytes(a.originatorId))),
    ...(a.clusterList === undefined ? [] : attribute(0x80, 10, a.clusterList.flatMap(bytes))),
  ];
  const [base = '', length = ''] = a.prefix.split('/');
  const nlri = [
    ...(addPath ? u32(a.pathId) : []),
    Number(length),
    ...bytes(base).slice(0, Math.ceil(Number(length) / 8)),
  ];
  return message(2, [0, 0, ...u16(attributes.length), ...attributes, ...nlri]);
}

export class Speaker {
  private readonly socket: Socket;
  private received = Buffer.alloc(0);
  private ended: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Times that FRR has asked for everything again. */
  refreshes = 0;
  /** Resolves once everything has been sent; rejects if the session ends first. */
  readonly announced: Promise<void>;

  constructor(private readonly options: SpeakerOptions) {
    this.socket = createConnection(options.relay);
    this.announced = new Promise((resolve, reject) => {
      const end = (why: string): void => {
        this.ended ??= why;
        clearInterval(this.timer);
        reject(new Error(`the session from ${options.address} ended: ${this.ended}`));
      };
      this.socket.on('error', (error) => end(error.message));
      this.socket.on('close', () => end('closed'));
      this.socket.on('data', (data) => {
        this.received = Buffer.concat([this.received, data]);
        for (let next = this.take(); next !== undefined; next = this.take()) {
          if (next.type === 3) end(`notification ${next.body.toString('hex')}`);
          if (next.type === 1) this.socket.write(message(4, []));
          if (next.type === 4 && this.timer === undefined) {
            this.timer = setInterval(() => this.socket.write(message(4, [])), 20_000);
            this.sendAll();
            resolve();
          }
          if (next.type === 5) {
            this.sendAll();
            this.refreshes += 1;
          }
        }
      });
    });
    this.announced.catch(() => undefined);
    this.socket.write(`${options.address} ${options.peer}\n`);
    this.socket.write(open(options));
  }

  private take(): { type: number; body: Buffer } | undefined {
    if (this.received.length < 19) return undefined;
    const length = this.received.readUInt16BE(16);
    if (this.received.length < length) return undefined;
    const type = this.received[18] ?? 0;
    const body = this.received.subarray(19, length);
    this.received = this.received.subarray(length);
    return { type, body };
  }

  private sendAll(): void {
    const { announcements, addPath } = this.options;
    // The last one is the End-of-RIB.
    this.socket.write(Buffer.concat([...announcements.map((a) => update(a, addPath)), message(2, [0, 0, 0, 0])]));
  }

  close(): void {
    clearInterval(this.timer);
    this.socket.destroy();
  }
}
