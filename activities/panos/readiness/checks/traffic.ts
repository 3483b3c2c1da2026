/** What passes through the pair: BGP, and what the inventory names. Asked of members that serve. Source: facts §6, §10. */
import type { Reader } from '../../api';
import type { Checks, Found } from '../check';
import { arpOf, sessionsOf, parseTunnels, type ArpEntry, type BgpPeer, type Session, type Tunnel } from '../parse';
import { COMMANDS, peersOf, servesNow } from '../read';
import type { ReadinessChecksSpec } from '../spec';

/** Pure, as all that follow. */
export function bgpFaults(peers: readonly BgpPeer[]): Found[] {
  const down = peers.filter(({ state }) => state !== 'Established');
  return down.length === 0
    ? []
    : [
        {
          what: `${down.length} of ${peers.length} BGP peers aren’t Established: ${down.map(({ name, state }) => `${name} is ${state}`).join(', ')}`,
          next: 'mend the sessions, or disable peers that aren’t used any more',
        },
      ];
}

export const sessionFaults = (sessions: readonly Session[], wanted: ReadinessChecksSpec['sessionExist']): Found[] =>
  wanted
    .filter((w) => !sessions.some((s) => s.source === w.source && s.destination === w.destination && s.port === w.port))
    .map((w) => ({ what: `there is no session from ${w.source} to ${w.destination} port ${w.port}` }));

export const arpFaults = (entries: readonly ArpEntry[], wanted: ReadinessChecksSpec['arpEntries']): Found[] =>
  wanted
    .filter((w) => !entries.some((e) => e.ip === w.ip && (w.interface === undefined || e.interface === w.interface)))
    .map((w) => ({ what: `no neighbour ${w.ip}${w.interface === undefined ? '' : ` on ${w.interface}`} is known` }));

/** A tunnel is there under its own name, or once for each proxy ID as `name:proxy-id`. */
export const tunnelFaults = (tunnels: readonly Tunnel[], wanted: ReadinessChecksSpec['ipsecTunnels']): Found[] =>
  wanted.flatMap(({ name, proxyIds, requireAllActive }): Found[] => {
    const whole = tunnels.find((tunnel) => tunnel.name === name);
    if (whole !== undefined)
      return whole.state === 'active' ? [] : [{ what: `tunnel ${name} isn’t active, but ${whole.state}` }];
    const parts = tunnels.filter((tunnel) => tunnel.name.startsWith(`${name}:`));
    const idOf = (tunnel: Tunnel): string => tunnel.name.slice(name.length + 1);
    const missing = proxyIds.filter((id) => !parts.some((part) => idOf(part) === id));
    if (parts.length === 0) return [{ what: `there is no tunnel ${name}` }];
    if (missing.length > 0) return [{ what: `tunnel ${name} has no proxy ID ${missing.join(', ')}` }];
    const looked = proxyIds.length === 0 ? parts : parts.filter((part) => proxyIds.includes(idOf(part)));
    const inactive = looked.filter(({ state }) => state !== 'active');
    const enough = requireAllActive ? inactive.length === 0 : inactive.length < looked.length;
    return enough
      ? []
      : [{ what: `tunnel ${name} isn’t active: ${inactive.map((t) => `${idOf(t)} is ${t.state}`).join(', ')}` }];
  });

/** Of members that serve, those of the one that lacks least: in active/active either may have it. */
async function leastOf(members: readonly Reader[], ask: (reader: Reader) => Promise<Found[]>): Promise<Found[]> {
  const serving: Reader[] = [];
  for (const member of members) if (await servesNow(member)) serving.push(member);
  if (serving.length === 0) return [{ what: 'none of the members serves' }];
  const lists = await Promise.all(serving.map(ask));
  return lists.sort((a, b) => a.length - b.length)[0] ?? [];
}

export const trafficChecks = {
  bgp_peers: { each: async (reader) => ((await servesNow(reader)) ? bgpFaults(await peersOf(reader)) : []) },
  session_exist: {
    both: async (members, { spec: { sessionExist } }) =>
      sessionExist.length === 0
        ? []
        : leastOf(members, async (reader) =>
            sessionFaults(
              await reader.table('<show><session><all></all></session></show>', sessionsOf(sessionExist)),
              sessionExist,
            ),
          ),
  },
  arp_entry_exist: {
    both: async (members, { spec: { arpEntries } }) =>
      arpEntries.length === 0
        ? []
        : leastOf(members, async (reader) =>
            arpFaults(await reader.table(COMMANDS.arp, arpOf(arpEntries.map(({ ip }) => ip))), arpEntries),
          ),
  },
  ip_sec_tunnel_status: {
    both: async (members, { spec: { ipsecTunnels } }) =>
      ipsecTunnels.length === 0
        ? []
        : leastOf(members, async (reader) =>
            tunnelFaults(parseTunnels(await reader.op(COMMANDS.tunnels)), ipsecTunnels),
          ),
  },
} satisfies Partial<Checks>;
