import { waitFor } from '../host/command';
import type { LabHost } from '../host/lab-host';

/** The parts of FRR's JSON that the lab reads (facts/firewall-pair §4; FRR 8.4.4). */
export interface BgpSummary {
  peers?: Record<string, { state: string; pfxRcd?: number }>;
}
export interface BgpPrefix {
  paths?: {
    valid?: boolean;
    multipath?: boolean;
    bestpath?: { overall?: boolean; selectionReason?: string };
    nexthops: { ip: string }[];
  }[];
}

export const bgpSummary = (host: LabHost): Promise<BgpSummary> =>
  host.execJson("vtysh -c 'show bgp ipv4 unicast summary json'");

export const bgpPrefix = (host: LabHost, prefix: string): Promise<BgpPrefix> =>
  host.execJson(`vtysh -c 'show bgp ipv4 unicast ${prefix} json'`);

/** Addresses of the neighbours whose sessions aren't Established, or which have sent no prefix. */
export async function unsettledPeers(host: LabHost): Promise<string[]> {
  const { peers = {} } = await bgpSummary(host);
  const all = Object.entries(peers);
  if (all.length === 0) return ['(none configured)'];
  return all.filter(([, { state, pfxRcd }]) => state !== 'Established' || !pfxRcd).map(([address]) => address);
}

/** What a router has for a prefix: the next hops that it uses, and those that it would turn to. */
export async function choiceOf(host: LabHost, prefix: string): Promise<{ best: string[]; others: string[] }> {
  const { paths = [] } = await bgpPrefix(host, prefix);
  const chosen = paths.filter((path) => path.bestpath?.overall === true || path.multipath === true);
  const others = paths.filter((path) => !chosen.includes(path) && path.valid === true);
  const hops = (list: typeof paths): string[] => list.flatMap((path) => path.nexthops.map(({ ip }) => ip));
  return { best: hops(chosen), others: hops(others) };
}

export async function waitSettled(hosts: readonly LabHost[], timeoutMs = 30_000): Promise<void> {
  await Promise.all(
    hosts.map((host) =>
      waitFor(
        `BGP on ${host.name}`,
        async () => {
          const unsettled = await unsettledPeers(host);
          if (unsettled.length > 0) throw new Error(`not settled with ${unsettled.join(', ')}`);
          return true;
        },
        { timeoutMs, intervalMs: 200 },
      ),
    ),
  );
}
