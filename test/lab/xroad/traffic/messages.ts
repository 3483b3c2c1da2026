import { connect } from 'node:net';
import { slowMs, type MessageOptions, type MessageReport } from './protocol';

/** Sends messages at a steady rate, each on a connection of its own. */
export class Messages {
  private due = 0;
  private sent = 0;
  private answered = 0;
  private failed = 0;
  private slow = 0;
  private long = 0;
  private inFlight = 0;
  private worstMs = 0;
  private readonly faults: string[] = [];
  private readonly answeredBy: Record<string, number> = {};
  private readonly startedAt = Date.now();

  constructor(
    private readonly options: MessageOptions,
    /** How long this process has not run, in all, up to now. */
    private readonly stalledMs: () => number,
  ) {}

  tick(elapsedMs: number): void {
    const { perSecond } = this.options;
    // What a stall has kept from being sent is made up for, but not more than a second of it at once.
    this.due = Math.min(this.due + (elapsedMs * perSecond) / 1000, perSecond);
    for (; this.due >= 1; this.due--) this.sendOne();
  }

  /** @throws Error with the reason if the cluster doesn't answer. */
  async first(): Promise<void> {
    for (const _ of this.options.ports) this.sendOne();
    await this.settle();
    if (this.failed > 0) throw new Error(this.faults[0]);
  }

  async settle(): Promise<void> {
    while (this.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  report(): Omit<MessageReport, 'stalledMs'> {
    const { sent, answered, failed, slow, long, inFlight, worstMs, faults, answeredBy } = this;
    const seconds = Math.round((Date.now() - this.startedAt) / 100) / 10;
    return { seconds, sent, answered, failed, slow, long, inFlight, worstMs: Math.round(worstMs), faults, answeredBy };
  }

  private sendOne(): void {
    const { server, ports, service, longEvery, longMs, patienceMs } = this.options;
    const number = this.sent++;
    const port = ports[number % ports.length]!;
    const long = number > 0 && number % longEvery === 0;
    const takesMs = long ? longMs : 0;
    const startedAt = Date.now();
    const stalledBefore = this.stalledMs();
    const socket = connect({ port, host: server, noDelay: true });
    let heard = '';
    let ended = false;
    this.inFlight += 1;
    if (long) this.long += 1;

    const end = (fault?: string): void => {
      if (ended) return;
      ended = true;
      this.inFlight -= 1;
      clearTimeout(patience);
      socket.destroy();
      if (fault !== undefined) {
        this.failed += 1;
        const at = ((Date.now() - this.startedAt) / 1000).toFixed(1);
        const kind = long ? 'long message' : 'message';
        if (this.faults.length < 10)
          this.faults.push(`${kind} ${number} to port ${port}, ${at} s after the start: ${fault}`);
        return;
      }
      this.answered += 1;
      const lateMs = Math.max(0, Date.now() - startedAt - takesMs - (this.stalledMs() - stalledBefore));
      this.worstMs = Math.max(this.worstMs, lateMs);
      if (lateMs > slowMs) this.slow += 1;
      const node = /^X-Road-Security-Server: (.*?)\r$/m.exec(heard)?.[1] ?? 'unknown';
      this.answeredBy[node] = (this.answeredBy[node] ?? 0) + 1;
    };
    const patience = setTimeout(() => end(`no answer for ${patienceMs + takesMs} ms`), patienceMs + takesMs);
    const check = (): void => {
      const whole = /\r\n\r\n(.*)$/s.exec(heard);
      const length = /^content-length: (\d+)\r$/im.exec(heard)?.[1];
      if (whole === null || length === undefined || whole[1]!.length < Number(length)) return;
      end(heard.startsWith('HTTP/1.1 200 ') ? undefined : `answered "${heard.slice(9, 12)} ${whole[1]!.trim()}"`);
    };
    socket.on('connect', () => socket.write(`GET /${service}?ms=${takesMs} HTTP/1.1\r\nHost: cluster\r\n\r\n`));
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text;
      check();
    });
    socket.on('end', () => end(heard === '' ? 'closed without an answer' : 'closed in the middle of the answer'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  }
}
