import { appendFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { Datagrams } from './datagrams';
import { NewConnections } from './new-connections';
import type { TrafficOptions, TrafficReport } from './protocol';
import { Sessions } from './sessions';

/**
 * The client in front of the firewalls: `node generator.js <JSON of TrafficOptions> <log>` in its network namespace. Writes a
 * JSON report a second to its output and to the log; ends when its input does, with a last report marked `final`.
 */
export type GeneratorLine<Report = TrafficReport> =
  | { kind: 'ready' }
  | { kind: 'report'; report: Report }
  | { kind: 'final'; report: Report }
  | { kind: 'error'; message: string };

const tickMs = 5;
/** Later than this, the process wasn't given a processor (or node collected garbage). */
const stallMs = 50;

async function main(options: TrafficOptions, log: string): Promise<void> {
  const write = (line: GeneratorLine): void => {
    const text = JSON.stringify(line) + '\n';
    process.stdout.write(text);
    appendFileSync(log, text);
  };
  let worstStallMs = 0;
  let stalledMs = 0;
  const { server, udpPorts, tcpPorts, httpPorts, patienceSeconds } = options;
  const datagrams = new Datagrams(server, udpPorts, options.udpPacketsPerSecond);
  const sessions = new Sessions({ ...options, ports: tcpPorts });
  const targets = [
    ...tcpPorts.map((port) => ({ port, kind: 'echo' as const })),
    ...httpPorts.map((port) => ({ port, kind: 'http' as const })),
  ];
  const connections = new NewConnections(
    server,
    targets,
    options.newConnectionsPerSecond,
    patienceSeconds,
    () => stalledMs,
  );
  const startedAt = Date.now();
  const report = (): TrafficReport => ({
    seconds: Math.round((Date.now() - startedAt) / 100) / 10,
    packets: datagrams.report(),
    sessions: sessions.report(),
    newConnections: connections.report(),
    stalledMs: worstStallMs,
  });

  try {
    await datagrams.open();
    await sessions.open();
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
    datagrams.tick(now, elapsedMs);
    connections.tick(elapsedMs);
    sessions.tick(now);
    if (now < reportAt) return;
    reportAt = now + 1000;
    datagrams.sweep(now);
    write({ kind: 'report', report: report() });
  }, tickMs);

  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  clearInterval(ticker);
  await Promise.all([datagrams.settle(), sessions.settle(), connections.settle()]);
  write({ kind: 'final', report: report() });
  process.exit(0);
}

if (require.main === module) {
  setPriority(-10); // a generator that waits for a processor would measure the machine
  process.stdout.on('error', () => undefined); // whoever read it has gone; the log goes on
  void main(JSON.parse(process.argv[2] ?? '') as TrafficOptions, process.argv[3] ?? '/dev/null');
}
