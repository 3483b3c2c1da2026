import { appendFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** What a generator says: a JSON line each. */
export type GeneratorLine<Report> =
  | { kind: 'ready' }
  | { kind: 'report'; report: Report }
  | { kind: 'final'; report: Report }
  | { kind: 'error'; message: string };

/** What the process itself missed, milliseconds: a generator that waits for a processor would measure the machine. */
export interface Stalls {
  total: number;
  worst: number;
}

/** Traffic that is driven by a clock. */
export interface Driven<Report> {
  /** @throws Error that becomes the line `error`. */
  open(): Promise<void>;
  tick(now: number, elapsedMs: number): void;
  /** Before each report. */
  sweep?(now: number): void;
  /** Waits for what is under way. */
  settle(): Promise<unknown>;
  report(): Report;
}

const tickMs = 5;
/** Later than this, the process wasn't given a processor (or node collected garbage). */
const stallMs = 50;

/**
 * `node PROGRAM <JSON of options> <log>` in a network namespace: writes a report a second to its output and to the log; ends
 * when its input does, with a last report marked `final`.
 */
export function runGenerator<Options, Report>(make: (options: Options, stalls: Stalls) => Driven<Report>): void {
  setPriority(-10);
  process.stdout.on('error', () => undefined); // whoever read it has gone; the log goes on
  const stalls: Stalls = { total: 0, worst: 0 };
  const options = JSON.parse(process.argv[2] ?? '') as Options;
  void drive(make(options, stalls), stalls, process.argv[3] ?? '/dev/null');
}

async function drive<Report>(driven: Driven<Report>, stalls: Stalls, log: string): Promise<void> {
  const write = (line: GeneratorLine<Report>): void => {
    const text = JSON.stringify(line) + '\n';
    process.stdout.write(text);
    appendFileSync(log, text);
  };
  try {
    await driven.open();
  } catch (error) {
    write({ kind: 'error', message: (error as Error).message });
    process.exit(1);
  }
  write({ kind: 'ready' });

  let lastTick = Date.now();
  let reportAt = lastTick + 1000;
  const ticker = setInterval(() => {
    const now = Date.now();
    const elapsedMs = now - lastTick;
    lastTick = now;
    if (elapsedMs > stallMs) {
      stalls.total += elapsedMs;
      stalls.worst = Math.max(stalls.worst, elapsedMs);
    }
    driven.tick(now, elapsedMs);
    if (now < reportAt) return;
    reportAt = now + 1000;
    driven.sweep?.(now);
    write({ kind: 'report', report: driven.report() });
  }, tickMs);

  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  clearInterval(ticker);
  await driven.settle();
  write({ kind: 'final', report: driven.report() });
  process.exit(0);
}
