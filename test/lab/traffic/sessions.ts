import { connect, type Socket } from 'node:net';
import type { TrafficReport } from './protocol';

interface Session {
  index: number;
  port: number;
  socket: Socket;
  /** Between two messages; the others' pace is spread a little, so that they don't speak in chorus. */
  paceMs: number;
  nextAt: number;
  /** When the message that is under way was sent, and how much of its echo is missing. */
  sentAt: number | undefined;
  missing: number;
  broken: boolean;
}

const message = Buffer.alloc(200, 'x');
const busyPaceMs = 500;

export interface SessionOptions {
  server: string;
  ports: readonly number[];
  sessions: number;
  quietSessions: number;
  quietSeconds: number;
  patienceSeconds: number;
}

/** Long-lived TCP sessions, some of them quiet for long. One is broken when it ends, or when an echo stays away too long. */
export class Sessions {
  private readonly sessions: Session[] = [];
  private readonly faults: string[] = [];
  private worstMs = 0;
  private broken = 0;
  private readonly startedAt = Date.now();

  constructor(private readonly options: SessionOptions) {}

  /** Opens them all, a few at a time. @throws Error if one can't be opened: before anything is measured all must be well. */
  async open(): Promise<void> {
    const { sessions, quietSessions } = this.options;
    for (let index = 0; index < sessions; index += 20) {
      const batch = Array.from({ length: Math.min(20, sessions - index) }, (_, n) => index + n);
      // Every so manieth is quiet, so that the quiet ones are spread over all ports.
      await Promise.all(
        batch.map((n) =>
          this.openOne(
            n,
            Math.floor(((n + 1) * quietSessions) / sessions) > Math.floor((n * quietSessions) / sessions),
          ),
        ),
      );
    }
  }

  /** Sends what is due, and gives up what has hung too long; called often. */
  tick(nowMs: number): void {
    for (const session of this.sessions) {
      if (session.broken) continue;
      if (session.sentAt !== undefined) {
        const waitedMs = nowMs - session.sentAt;
        if (waitedMs > this.options.patienceSeconds * 1000) this.fail(session, `no echo for ${waitedMs / 1000} s`);
      } else if (nowMs >= session.nextAt) {
        this.speak(session, nowMs);
      }
    }
  }

  /** Speaks once more on every session, the quiet ones included, and waits for the echoes. */
  async settle(): Promise<void> {
    const alive = (): Session[] => this.sessions.filter(({ broken }) => !broken);
    for (const session of alive()) session.nextAt = 0;
    const asked = new Set<Session>();
    while (alive().some((session) => !asked.has(session) || session.sentAt !== undefined)) {
      const now = Date.now();
      for (const session of alive()) {
        if (session.sentAt !== undefined || asked.has(session)) continue;
        asked.add(session);
        this.speak(session, now);
      }
      this.tick(now);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  report(): TrafficReport['sessions'] {
    return {
      opened: this.sessions.length,
      broken: this.broken,
      faults: this.faults,
      worstMs: Math.round(this.worstMs),
    };
  }

  private openOne(index: number, quiet: boolean): Promise<void> {
    const port = this.options.ports[index % this.options.ports.length]!;
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: this.options.server, noDelay: true });
      const paceMs = quiet ? this.options.quietSeconds * 1000 : busyPaceMs * (0.75 + Math.random() / 2);
      const refuse = (error: Error): void => reject(new Error(`TCP to port ${port}: ${error.message}`));
      socket.once('error', refuse);
      socket.setTimeout(10_000, () => socket.destroy(new Error('no answer for 10 s')));
      socket.once('connect', () => {
        socket.off('error', refuse);
        socket.setTimeout(0);
        const session: Session = {
          index,
          port,
          socket,
          paceMs,
          // A quiet one speaks once at first, for a session without a word would only be half known to a firewall.
          nextAt: 0,
          sentAt: undefined,
          missing: 0,
          broken: false,
        };
        socket.on('data', (data) => this.hear(session, data.length));
        socket.on('error', (error: NodeJS.ErrnoException) => this.fail(session, error.code ?? error.message));
        socket.on('close', () => this.fail(session, 'closed by the other end'));
        this.sessions.push(session);
        resolve();
      });
    });
  }

  private speak(session: Session, nowMs: number): void {
    session.sentAt = nowMs;
    session.missing = message.length;
    session.nextAt = nowMs + session.paceMs;
    session.socket.write(message);
  }

  private hear(session: Session, bytes: number): void {
    session.missing -= bytes;
    if (session.missing > 0 || session.sentAt === undefined) return;
    this.worstMs = Math.max(this.worstMs, Date.now() - session.sentAt);
    session.sentAt = undefined;
  }

  private fail(session: Session, why: string): void {
    if (session.broken) return;
    session.broken = true;
    this.broken += 1;
    const afterSeconds = ((Date.now() - this.startedAt) / 1000).toFixed(1);
    const kind = session.paceMs > busyPaceMs * 2 ? 'quiet session' : 'session';
    if (this.faults.length < 10) {
      this.faults.push(`${kind} ${session.index} to port ${session.port}: ${why}, ${afterSeconds} s after the start`);
    }
    session.socket.destroy();
  }
}
