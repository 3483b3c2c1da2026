import { Datagrams } from './datagrams';
import { runGenerator, type Driven, type Stalls } from './loop';
import { NewConnections } from './new-connections';
import type { TrafficOptions, TrafficReport } from './protocol';
import { Sessions } from './sessions';

/** The client in front of the firewalls, in its network namespace. */
function clientOf(options: TrafficOptions, stalls: Stalls): Driven<TrafficReport> {
  const { server, udpPorts, tcpPorts, httpPorts, patienceSeconds } = options;
  const datagrams = new Datagrams(server, udpPorts, options.udpPacketsPerSecond);
  const sessions = new Sessions({ ...options, ports: tcpPorts });
  const targets = [
    ...tcpPorts.map((port) => ({ port, kind: 'echo' as const })),
    ...httpPorts.map((port) => ({ port, kind: 'http' as const })),
  ];
  const { newConnectionsPerSecond } = options;
  const connections = new NewConnections(server, targets, newConnectionsPerSecond, patienceSeconds, () => stalls.total);
  const startedAt = Date.now();
  return {
    async open() {
      await datagrams.open();
      await sessions.open();
    },
    tick(now, elapsedMs) {
      datagrams.tick(now, elapsedMs);
      connections.tick(elapsedMs);
      sessions.tick(now);
    },
    sweep: (now) => datagrams.sweep(now),
    settle: () => Promise.all([datagrams.settle(), sessions.settle(), connections.settle()]),
    report: () => ({
      seconds: Math.round((Date.now() - startedAt) / 100) / 10,
      packets: datagrams.report(),
      sessions: sessions.report(),
      newConnections: connections.report(),
      stalledMs: stalls.worst,
    }),
  };
}

if (require.main === module) runGenerator(clientOf);
