/** The firewall pair's demo. */
import { startFirewallPairLab, type FirewallPairLab, type TrafficReport } from '../test/lab';
import { inventoryOf } from './inventory';
import type { Scene } from './run';

export interface FirewallPairFigures {
  readonly packets: { readonly sent: number; readonly lost: number };
  readonly sessions: { readonly opened: number; readonly broken: number };
  readonly newConnections: { readonly tried: number; readonly failed: number; readonly slow: number };
  /** What the machine did to the measurement itself: longest stall of the generator, packets its own sockets dropped. */
  readonly generator: { readonly stalledMs: number; readonly overflowed: number };
}

/** A stall of the generator that is worth a line. */
const STALL_MS = 200;

export const firewallPairScene: Scene<FirewallPairLab, TrafficReport, FirewallPairFigures> = {
  cluster: 'fw-dc1',
  kind: 'firewall-pair',
  version: '2.0',
  startLab: (progress) => startFirewallPairLab({}, progress),
  inventory: (lab, monitoring) => inventoryOf(lab.description, { monitoring }),
  startTraffic: (lab) => lab.startTraffic(),
  trafficRuns:
    '1,000 UDP packets a second and their echoes, 200 long-lived TCP sessions (half of all through NAT), 30 new connections a second',
  soFar: ({ packets, sessions }) => `${packets.lost} packets lost, ${sessions.broken} sessions broken`,
  measured({ packets, sessions, newConnections, stalledMs }) {
    const generator = { stalledMs: Math.round(stalledMs), overflowed: packets.overflowed };
    return {
      figures: {
        packets: { sent: packets.sent, lost: packets.lost },
        sessions: { opened: sessions.opened, broken: sessions.broken },
        newConnections: { tried: newConnections.tried, failed: newConnections.failed, slow: newConnections.slow },
        generator,
      },
      lines: [
        ['packets', `${packets.sent} sent (UDP, both ways), ${packets.lost} lost`],
        ['sessions', `${sessions.opened} long-lived TCP sessions, ${sessions.broken} broken or hung`],
        [
          'new connections',
          `${newConnections.tried} tried, ${newConnections.failed} failed, ${newConnections.slow} slower than 0.5 s`,
        ],
        ...(generator.overflowed > 0 || generator.stalledMs > STALL_MS
          ? [
              [
                'measured by',
                `a generator that stalled for up to ${generator.stalledMs} ms and whose own sockets dropped ${generator.overflowed} packets (not counted)`,
              ] as const,
            ]
          : []),
      ],
      faults: [...sessions.faults, ...newConnections.faults],
    };
  },
};
