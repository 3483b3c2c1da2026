import { appendFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { GeneratorLine } from '../../traffic/generator';
import { Messages } from './messages';
import type { MessageOptions, MessageReport } from './protocol';

const tickMs = 5;
/** Later than this, the process wasn't given a processor (or node collected garbage). */
const stallMs = 50;

/** `node generator.js <JSON of MessageOptions> <log>` in the client's namespace; see GeneratorLine for what it writes. */
async function main(options: MessageOptions, log: string): Promise<void> {
  const write = (line: GeneratorLine<MessageReport>): void => {
    const text = JSON.stringify(line) + '\n';
    process.stdout.write(text);
    appendFileSync(log, text);
  };
  let stalledMs = 0;
  let worstStallMs = 0;
  const messages = new Messages(options, () => stalledMs);
  const report = (): MessageReport => ({ ...messages.report(), stalledMs: worstStallMs });
  try {
    await messages.first();
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
      stalledMs += elapsedMs;
      worstStallMs = Math.max(worstStallMs, elapsedMs);
    }
    messages.tick(elapsedMs);
    if (now < reportAt) return;
    reportAt = now + 1000;
    write({ kind: 'report', report: report() });
  }, tickMs);

  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  clearInterval(ticker);
  await messages.settle();
  write({ kind: 'final', report: report() });
  process.exit(0);
}

if (require.main === module) {
  setPriority(-10); // a generator that waits for a processor would measure the machine
  process.stdout.on('error', () => undefined); // whoever read it has gone; the log goes on
  void main(JSON.parse(process.argv[2] ?? '') as MessageOptions, process.argv[3] ?? '/dev/null');
}
