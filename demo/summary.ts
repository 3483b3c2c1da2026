/** What the demo ends with: the same as text and as JSON. */
import type { Report } from '../workflows/contract';
import { formatDuration } from '../activities/kit/duration';
import type { TrafficReport } from '../test/lab';

export interface Summary {
  readonly outcome: string;
  readonly packets: { readonly sent: number; readonly lost: number };
  readonly sessions: { readonly opened: number; readonly broken: number };
  readonly newConnections: { readonly tried: number; readonly failed: number; readonly slow: number };
  readonly steps: readonly { readonly name: string; readonly seconds: number }[];
  readonly seconds: { readonly setUp: number; readonly upgrade: number; readonly total: number };
  /** What the machine did to the measurement itself: longest stall of the generator, packets its own sockets dropped. */
  readonly generator: { readonly stalledMs: number; readonly overflowed: number };
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;

export function summaryOf(
  outcome: string,
  report: Report | undefined,
  traffic: TrafficReport,
  times: { readonly setUpMs: number; readonly upgradeMs: number; readonly totalMs: number },
): Summary {
  const { packets, sessions, newConnections } = traffic;
  return {
    outcome,
    packets: { sent: packets.sent, lost: packets.lost },
    sessions: { opened: sessions.opened, broken: sessions.broken },
    newConnections: { tried: newConnections.tried, failed: newConnections.failed, slow: newConnections.slow },
    steps: (report?.steps ?? []).flatMap(({ name, startedAt, endedAt }) =>
      startedAt === undefined || endedAt === undefined
        ? []
        : [{ name, seconds: seconds(Date.parse(endedAt) - Date.parse(startedAt)) }],
    ),
    seconds: { setUp: seconds(times.setUpMs), upgrade: seconds(times.upgradeMs), total: seconds(times.totalMs) },
    generator: { stalledMs: Math.round(traffic.stalledMs), overflowed: packets.overflowed },
  };
}

export function renderSummary(summary: Summary, traffic: TrafficReport): string {
  const { packets, sessions, newConnections, steps, generator } = summary;
  const width = Math.max(...steps.map((s) => s.name.length), 10);
  const faults = [...traffic.sessions.faults, ...traffic.newConnections.faults].slice(0, 5);
  return [
    '',
    `Outcome: ${summary.outcome}`,
    '',
    ...steps.map((s) => `  ${s.name.padEnd(width)}  ${s.seconds.toFixed(1).padStart(6)} s`),
    '',
    `  packets          ${packets.sent} sent (UDP, both ways), ${packets.lost} lost`,
    `  sessions         ${sessions.opened} long-lived TCP sessions, ${sessions.broken} broken or hung`,
    `  new connections  ${newConnections.tried} tried, ${newConnections.failed} failed, ${newConnections.slow} slower than 0.5 s`,
    ...(generator.overflowed > 0 || generator.stalledMs > 200
      ? [
          `  measured by      a generator that stalled for up to ${generator.stalledMs} ms and whose own sockets dropped ${generator.overflowed} packets (not counted)`,
        ]
      : []),
    ...faults.map((fault) => `  - ${fault}`),
    '',
    `  set-up ${formatDuration(summary.seconds.setUp * 1000)}, upgrade ${formatDuration(summary.seconds.upgrade * 1000)}, in all ${formatDuration(summary.seconds.total * 1000)}`,
    '',
  ].join('\n');
}
