import { connect } from 'node:net';
import { slowMs, type TrafficReport } from './protocol';

/** A TCP port is spoken to by an echo, an HTTP port by a request. */
export interface Target {
  port: number;
  kind: 'echo' | 'http';
}

/** Opens connections at a steady rate, speaks once on each, and closes it. */
export class NewConnections {
  private due = 0;
  private tried = 0;
  private failed = 0;
  private slow = 0;
  private worstMs = 0;
  private open = 0;
  private readonly faults: string[] = [];

  constructor(
    private readonly server: string,
    private readonly targets: readonly Target[],
    private readonly perSecond: number,
    private readonly patienceSeconds: number,
    /** How long this process has not run, in all, up to now: such time isn't the network's. */
    private readonly stalledMs: () => number,
  ) {}

  tick(elapsedMs: number): void {
    this.due = Math.min(this.due + (elapsedMs * this.perSecond) / 1000, this.perSecond);
    for (; this.due >= 1; this.due--) this.tryOne();
  }

  async settle(): Promise<void> {
    while (this.open > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  report(): TrafficReport['newConnections'] {
    const { tried, failed, slow, faults, worstMs } = this;
    return { tried, failed, slow, faults, worstMs: Math.round(worstMs) };
  }

  private tryOne(): void {
    const target = this.targets[this.tried++ % this.targets.length]!;
    const startedAt = Date.now();
    const stalledBefore = this.stalledMs();
    const socket = connect({ port: target.port, host: this.server, noDelay: true });
    let heard = '';
    let ended = false;
    this.open += 1;
    const end = (fault?: string): void => {
      if (ended) return;
      ended = true;
      this.open -= 1;
      clearTimeout(patience);
      socket.destroy();
      const tookMs = Math.max(0, Date.now() - startedAt - (this.stalledMs() - stalledBefore));
      this.worstMs = Math.max(this.worstMs, tookMs);
      if (fault !== undefined) {
        this.failed += 1;
        if (this.faults.length < 10) this.faults.push(`${target.kind} to port ${target.port}: ${fault}`);
      } else if (tookMs > slowMs) {
        this.slow += 1;
      }
    };
    const patience = setTimeout(() => end(`nothing for ${this.patienceSeconds} s`), this.patienceSeconds * 1000);
    const asked = target.kind === 'echo' ? 'hello\n' : 'GET / HTTP/1.0\r\n\r\n';
    socket.on('connect', () => socket.write(asked));
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
      if (target.kind === 'echo' && heard === asked) end();
    });
    socket.on('end', () => end(heard.startsWith('HTTP/1.1 200') ? undefined : `answered "${heard.slice(0, 40)}"`));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  }
}
