/**
 * Waiting until a node that gets no new connections has none left. A stop of the proxy loses what is in flight (facts §3),
 * so what remains is said, and people may decide.
 */
import { defineCheck, LARGE_OUTPUT_LIMIT_BYTES, permanent, type Finding, type Host } from '../kit';
import { formatDuration } from '../kit/duration';
import { reachableFaults, refuseIf } from './guards';
import { hostOf, type NodeInput, type XroadPlan, type XroadStatic } from './plan';
import { messagePorts } from './ports';
import { parseConnections, type Connections } from './text';

/** /usr/sbin on Red Hat's systems. */
const ssPath = (driver: string): string => (driver === 'apt' ? '/usr/bin/ss' : '/usr/sbin/ss');

type Plan = Pick<XroadPlan, 'software' | 'xroad' | 'found'>;

export const connectionsArgv = (plan: Plan, node: string): string[] => {
  const { own, peers, consumers } = messagePorts(plan, node);
  // Both ends: messages to this node's services, and those of its consumers to other Security Servers.
  const filter = [...own, ...consumers].map((port) => `sport = :${port}`);
  filter.push(...peers.map((port) => `dport = :${port}`));
  return [ssPath(plan.software.driver), '-Htn', 'state', 'established', `( ${filter.join(' or ')} )`];
};

/** Connections that carry, or may carry, messages now. */
export async function connectionsOf(plan: Plan, host: Host, node: string): Promise<Connections> {
  return parseConnections(
    (await host.exec(connectionsArgv(plan, node), { outputLimitBytes: LARGE_OUTPUT_LIMIT_BYTES })).stdout,
  );
}

export const listenersArgv = ({ software }: Pick<XroadStatic, 'software'>): string[] => [
  ssPath(software.driver),
  '-Htln',
];

/** Peers named in a result at most. */
const SHOWN = 20;

export interface DrainInput extends NodeInput {
  /**
   * What to do when connections outlast the time limit: `fail` with NotDrained, so that people are asked; or `report` what
   * remains and go on. By the plan (xroad.drain.onTimeout) if left out.
   */
  readonly onTimeout?: 'fail' | 'report';
}

export interface Drained extends Finding {
  readonly drained: boolean;
  readonly waitedMs: number;
  /** Connections that were left: who, to which port, how many. */
  readonly remaining: readonly string[];
}

/**
 * Waits until the node has no connections, within its time limit.
 * @throws GuardRefused (transient) if new ones may still reach it; NotDrained (permanent) with what remains.
 */
export const drained = defineCheck<DrainInput, Drained, XroadPlan>({
  async check(context, { node, onTimeout }) {
    const { plan } = context;
    const { settleMs, quietSamples, pollIntervalMs, timeoutMs } = plan.xroad.drain;
    const policy = onTimeout ?? (plan.xroad.drain.onTimeout === 'go-on' ? 'report' : 'fail');
    const host = await hostOf(context, node);
    refuseIf(await reachableFaults(context, node), `the connections of ${node} were not waited for`);
    const began = performance.now();
    await context.pause(settleMs);
    let quiet = 0;
    for (;;) {
      const { count, remaining } = await connectionsOf(plan, host, node);
      const waitedMs = Math.round(performance.now() - began);
      quiet = count === 0 ? quiet + 1 : 0;
      if (quiet >= quietSamples)
        return {
          summary: `${node} has no connections left, after ${formatDuration(waitedMs)}`,
          ...{ drained: true, waitedMs, remaining: [] },
          nodes: { [node]: { connections: 0 } },
        };
      if (waitedMs >= timeoutMs && count > 0) {
        const shown = remaining.slice(0, SHOWN);
        const what = `${node} still has ${count} connections after ${formatDuration(waitedMs)}: ${shown.join(', ')}${remaining.length > SHOWN ? ', …' : ''}`;
        if (policy === 'report')
          return {
            summary: `${what}; by the plan they are given up`,
            ...{ drained: false, waitedMs, remaining: shown },
            nodes: { [node]: { connections: count } },
          };
        throw permanent(
          'NotDrained',
          `${what}. New ones don’t reach it; it serves these. Next: wait and try again, or go on and lose them. Idle pooled connections may never end (server-support-clients-pooled-connections in local.ini).`,
          { node, count, remaining: shown },
        );
      }
      context.progress(
        `${node} has ${count} connections${remaining.length > 0 ? `: ${remaining.slice(0, 3).join(', ')}` : ''}`,
      );
      await context.pause(pollIntervalMs);
    }
  },
});
