import type { LabHost } from '../host/lab-host';

const TABLE = 'in-flight';

/**
 * Keeps data in flight: the server's namespace drops what comes to some of its TCP ports, so that it isn't acknowledged there
 * until other ports take their turn, and is sent again meanwhile. No connection is opened or closed by it. (Links that delay
 * would be simpler; not every kernel can.) What speaks to these ports must be patient: TCP waits ever longer.
 */
export class InFlight {
  private turn = 0;
  private timer: NodeJS.Timeout | undefined;
  private changing: Promise<unknown> = Promise.resolve();
  private failure: Error | undefined;

  constructor(
    private readonly server: LabHost,
    private readonly ports: readonly number[],
    /** So many of the ports don't acknowledge at a time. */
    private readonly held: number,
    private readonly turnMs: number,
  ) {}

  async start(): Promise<void> {
    await this.nft(
      `table inet ${TABLE} {
        set held { type inet_service; }
        chain input { type filter hook input priority filter; tcp dport @held tcp flags & (syn | fin | rst) == 0 drop; }
      }`,
    );
    await this.take();
    this.timer = setInterval(() => {
      this.changing = this.changing.then(() => this.take()).catch((error: Error) => (this.failure = error));
    }, this.turnMs);
  }

  /** @throws what went wrong on the way. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.changing;
    await this.nft(`delete table inet ${TABLE}`);
    if (this.failure !== undefined) throw this.failure;
  }

  private take(): Promise<unknown> {
    const next = Array.from({ length: this.held }, (_, n) => this.ports[(this.turn + n) % this.ports.length]!);
    this.turn += this.held;
    return this.nft(
      `flush set inet ${TABLE} held\nadd element inet ${TABLE} held { ${[...new Set(next)].join(', ')} }`,
    );
  }

  private nft(script: string): Promise<string> {
    return this.server.exec('nft -f -', { input: script });
  }
}
