import type { MessageReport } from './traffic/protocol';
import type { XRoadLab } from './start';

/** What a person at a terminal wants to see of an X-Road lab, line by line. */

export function hostLines({ description }: XRoadLab): string[] {
  return Object.entries(description.hosts).map(([name, { address, role, interfaces }]) => {
    const at = Object.entries(interfaces).map(([interfaceName, own]) => `${interfaceName} ${own}`);
    return `${name.padEnd(10)} ${address.padEnd(14)} ${role.padEnd(9)} ${at.join(', ')}`;
  });
}

/** Health, release, replication and HAProxy's opinion of each node; a node that is off is said to be off. */
export async function statusLines(lab: XRoadLab): Promise<string[]> {
  const servers = await lab.servers().catch(() => []);
  const streaming = await lab.streaming().catch((): string[] => []);
  const { nodes, secondaries } = lab.description.roles;
  return Promise.all(
    nodes.map(async (node) => {
      const seen = servers.filter(({ server }) => server === node).map(({ status }) => status);
      const inHaproxy = seen.length === 0 ? 'unknown to HAProxy' : `HAProxy: ${[...new Set(seen)].join(', ')}`;
      const replica = !secondaries.includes(node)
        ? 'primary'
        : streaming.includes(node)
          ? 'streams'
          : 'does not stream';
      const own = await describeNode(lab, node).catch((error: Error) => error.message);
      return `${node.padEnd(10)} ${own}; ${replica}; ${inHaproxy}`;
    }),
  );
}

async function describeNode(lab: XRoadLab, node: string): Promise<string> {
  const version = await lab.host(node).exec("dpkg-query -W -f '${Version}' xroad-proxy");
  const { status, body } = await lab.health(node);
  return `${version} health ${status === 0 ? 'port closed' : `${status} ${body.trim()}`.trim()}`;
}

export const trafficLine = ({ seconds, sent, answered, failed, slow, inFlight, worstMs, stalledMs }: MessageReport) =>
  `${seconds.toFixed(1).padStart(6)} s  messages ${sent} sent ${answered} answered ${failed} failed ${slow} slow ` +
  `${inFlight} in flight (worst ${worstMs} ms late)  (generator stalled ${stalledMs} ms)`;
