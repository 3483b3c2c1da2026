/**
 * What the HA configuration lets happen at the next failover or boot. Source: facts/pan-os.md, sections 1, 2 (U8), 4.2 and
 * 5 (HA config tree); xpaths of LACP, LLDP, DHCP and User-ID as public clients write them.
 */
import { at, childrenOf, textAt, type Reader, type XmlElement } from '../../api';
import { parseDataplaneCpu, parseSessionStats, parseSessionTableUse } from '../parse';
import type { Checks, Found } from '../check';
import { COMMANDS, haLeaf, haOf, peersOf, configOf, servesNow, XPATHS } from '../read';
import { resourceMonitor } from './device';

const AA = 'mode/active-active';

/** Routing protocols that are enabled on any virtual or logical router. Pure. */
export function dynamicRouting(network: XmlElement | undefined): string[] {
  const virtual = childrenOf(at(network, 'virtual-router'), 'entry').map((entry) => at(entry, 'protocol'));
  const logical = childrenOf(at(network, 'logical-router'), 'entry').flatMap((entry) =>
    childrenOf(at(entry, 'vrf'), 'entry'),
  );
  const names = [...virtual, ...logical].flatMap((router) =>
    childrenOf(router)
      .filter((protocol) => /^(bgp|ospf|ospfv3|rip)$/.test(protocol.name) && textAt(protocol, 'enable') === 'yes')
      .map(({ name }) => name),
  );
  return [...new Set(names)];
}

/** In the configuration (Panorama's templates may not be in it), or seen to run. */
async function routingProtocols(reader: Reader): Promise<string[]> {
  const configured = dynamicRouting(await configOf(reader, XPATHS.network));
  return configured.length > 0 ? configured : (await peersOf(reader)).length > 0 ? ['bgp'] : [];
}

/** Seconds; the default of 60 where it isn't set, 0 where it is off. Pure. */
export const tentativeHoldSeconds = (text: string | undefined): number =>
  text === undefined ? 60 : /^\d+$/.test(text) ? Number(text) : 0;

/** Pure. */
export const tentativeFaults = (holdSeconds: number, protocols: readonly string[]): Found[] =>
  holdSeconds > 0 || protocols.length === 0
    ? []
    : [
        {
          what: `the tentative hold time is 0, and ${protocols.join(', ')} runs: when it comes back it drops packets until adjacencies have formed`,
          next: 'set the tentative hold time (10 to 600 s) to what routing needs to converge',
        },
      ];

/** A value of each member that must be the same. Pure. */
export const unlike = (what: string, members: readonly { name: string; value: string }[], next: string): Found[] =>
  new Set(members.map(({ value }) => value)).size <= 1
    ? []
    : [{ what: `${what} isn’t set alike: ${members.map(({ name, value }) => `${name}: ${value}`).join(', ')}`, next }];

export const inActiveActive = async (reader: Reader): Promise<boolean> => (await haOf(reader)).mode === 'active-active';

const leaves = (members: readonly Reader[], path: string, unset: string): Promise<{ name: string; value: string }[]> =>
  Promise.all(members.map(async (reader) => ({ name: reader.name, value: (await haLeaf(reader, path)) ?? unset })));

/** Settings of which one-sided ones make a member non-functional, with what holds where they aren't set. */
const TWO_SIDED = [
  ['packet forwarding', 'packet-forwarding', 'yes'],
  ['virtual router sync', 'network-configuration/sync/virtual-router', 'no'],
  ['logical router sync', 'network-configuration/sync/logical-router', 'no'],
  ['QoS sync', 'network-configuration/sync/qos', 'no'],
] as const;

async function twoSided(members: readonly Reader[]): Promise<Found[]> {
  const lists = await Promise.all(
    TWO_SIDED.map(async ([what, path, unset]) =>
      unlike(
        what,
        await leaves(members, `${AA}/${path}`, unset),
        'set it alike on both: a member that differs becomes non-functional',
      ),
    ),
  );
  return lists.flat();
}

/** As configured, or as the device tells it; undefined where neither does. */
export async function deviceId(reader: Reader): Promise<number | undefined> {
  const configured = await haLeaf(reader, `${AA}/device-id`);
  return configured === undefined ? (await haOf(reader)).deviceId : Number(configured);
}

/** Device IDs of an active/active pair; undefined where the device doesn't tell. Pure. */
export function deviceIdFaults(
  members: readonly { readonly name: string; readonly id: number | undefined }[],
): Found[] {
  const told = members.map(({ name, id }) => `${name}: ${id ?? 'not told'}`).join(', ');
  // Not a reason to stop for good: the pair works, and replies of active/active differ between releases.
  if (members.some(({ id }) => id === undefined))
    return [{ what: `device IDs can’t be read: ${told}`, waivable: true }];
  const ids = members.map(({ id }) => id).sort();
  return ids.join() === '0,1' ? [] : [{ what: `device IDs must be 0 and 1: ${told}` }];
}

/** Load that one member gets when the other leaves. Pure. */
export function capacityFaults(
  members: readonly { readonly name: string; readonly active: number; readonly max: number; readonly cpu: number }[],
  limits: { readonly capacityPercent: number; readonly dpCpuPercent: number },
): Found[] {
  const active = members.reduce((sum, member) => sum + member.active, 0);
  const cpu = members.reduce((sum, member) => sum + member.cpu, 0);
  const small = members.filter(({ max }) => active >= (max * limits.capacityPercent) / 100);
  return [
    ...small.map(({ name, max }) => ({
      what: `both members together have ${active} sessions, too many for ${name} alone (it holds ${max}, of which ${limits.capacityPercent} % may be used)`,
      next: 'start when there is less traffic',
    })),
    ...(cpu < limits.dpCpuPercent
      ? []
      : [
          {
            what: `the dataplanes of both together are at ${cpu.toFixed(1)} %, too much for one (${limits.dpCpuPercent} %)`,
            next: 'start when there is less traffic',
          },
        ]),
  ];
}

/**
 * Sessions of now or those of the last minutes on average, whichever are more: the moment may be a quiet one. What was
 * recorded of them is in whole percent of the table. Pure.
 */
export const sessionsCarried = (active: number, max: number, usedPercent: number | undefined): number =>
  Math.max(active, Math.round((max * (usedPercent ?? 0)) / 100));

async function capacity(members: readonly Reader[], minutes: number) {
  return Promise.all(
    members.map(async (reader) => {
      const { active, max } = parseSessionStats(await reader.op(COMMANDS.sessionInfo));
      const recorded = await resourceMonitor(reader, minutes);
      const carried = sessionsCarried(active, max, parseSessionTableUse(recorded));
      return { name: reader.name, active: carried, max, cpu: parseDataplaneCpu(recorded) };
    }),
  );
}

/** Interfaces of which the passive member doesn't negotiate LACP or LLDP in advance. Pure. */
export const notPreNegotiated = (network: XmlElement | undefined): string[] =>
  childrenOf(at(network, 'interface')).flatMap((kind) =>
    childrenOf(kind, 'entry').flatMap((entry) =>
      [entry, ...childrenOf(entry)].flatMap((mode) =>
        childrenOf(mode)
          .filter(({ name }) => name === 'lacp' || name === 'lldp')
          .filter((protocol) => textAt(protocol, 'enable') === 'yes')
          .filter((protocol) => textAt(protocol, 'high-availability/passive-pre-negotiation') !== 'yes')
          .map(({ name }) => `${entry.attributes['name'] ?? '?'} (${name.toUpperCase()})`),
      ),
    ),
  );

const DHCP_NEXT = 'expect clients to wait for an address while the role moves, or waive this by name';

/** Interfaces with a DHCP relay. Pure. */
export const relayInterfaces = (network: XmlElement | undefined): string[] =>
  childrenOf(at(network, 'dhcp/interface'), 'entry')
    .filter((entry) => ['ip', 'ipv6'].some((family) => textAt(entry, `relay/${family}/enabled`) === 'yes'))
    .map((entry) => entry.attributes['name'] ?? '?');

/** Names of User-ID agents of all virtual systems, in the old place and in that of 10.0 and later. Pure. */
export const agentNames = (vsys: XmlElement | undefined): string[] =>
  childrenOf(vsys, 'entry').flatMap((entry) =>
    ['user-id-agent', 'redistribution-agent'].flatMap((kind) =>
      childrenOf(at(entry, kind), 'entry').map((agent) => agent.attributes['name'] ?? '?'),
    ),
  );

export const configuredChecks = {
  active_active: {
    both: async (members) =>
      (await Promise.all(members.map(inActiveActive))).some(Boolean)
        ? deviceIdFaults(
            await Promise.all(members.map(async (reader) => ({ name: reader.name, id: await deviceId(reader) }))),
          )
        : [],
  },
  active_active_sync: {
    both: async (members) => ((await Promise.all(members.map(inActiveActive))).some(Boolean) ? twoSided(members) : []),
  },
  active_active_capacity: {
    async both(members, { spec }) {
      if (!(await Promise.all(members.map(inActiveActive))).some(Boolean)) return [];
      return capacityFaults(await capacity(members, spec.capacityMinutes), spec);
    },
  },
  tentative_hold: {
    async each(reader) {
      if (!(await inActiveActive(reader))) return [];
      const hold = tentativeHoldSeconds(await haLeaf(reader, `${AA}/tentative-hold-time`));
      return tentativeFaults(hold, await routingProtocols(reader));
    },
  },
  dhcp_relay: {
    async each(reader) {
      const relays = (await inActiveActive(reader)) ? relayInterfaces(await configOf(reader, XPATHS.network)) : [];
      return relays.length === 0
        ? []
        : [
            {
              what: `it relays DHCP on ${relays.join(', ')}, as active-primary only: relaying moves with that role`,
              next: DHCP_NEXT,
            },
          ];
    },
  },
  user_id_agents: {
    async each(reader) {
      const agents = (await inActiveActive(reader)) ? agentNames(await configOf(reader, XPATHS.vsys)) : [];
      return agents.length === 0
        ? []
        : [
            {
              what: `User-ID agents ${agents.join(', ')} are connected to by the active-primary only: they move with that role`,
              next: 'expect users that log in meanwhile to be unknown for a moment, or waive this by name',
            },
          ];
    },
  },
  passive_link_state: {
    async both(members) {
      if ((await Promise.all(members.map(inActiveActive))).some(Boolean)) return [];
      const states = await leaves(members, 'mode/active-passive/passive-link-state', 'shutdown');
      const different = unlike('the passive link state', states, 'set it alike on both');
      const serving = (await Promise.all(members.map(servesNow))).findIndex(Boolean);
      const active = members[serving];
      const protocols = active === undefined ? [] : await routingProtocols(active);
      const shut = states.filter(({ value }) => value === 'shutdown').map(({ name }) => name);
      return [...different, ...(shut.length > 0 ? shutdownFaults(shut, protocols) : [])];
    },
  },
  passive_pre_negotiation: {
    async each(reader) {
      if (await inActiveActive(reader)) return [];
      const interfaces = notPreNegotiated(await configOf(reader, XPATHS.network));
      return interfaces.length === 0
        ? []
        : [
            {
              what: `the passive member doesn’t negotiate in advance on ${interfaces.join(', ')}: after a failover the link waits for it`,
              next: 'enable “Enable in HA Passive State” of LACP and LLDP on these interfaces, with passive link state auto',
            },
          ];
    },
  },
} satisfies Partial<Checks>;

/** Pure. */
export const shutdownFaults = (members: readonly string[], protocols: readonly string[]): Found[] => [
  {
    what: `links of a passive member are down (passive link state shutdown on ${members.join(' and ')}): after a failover they must come up first${protocols.length === 0 ? '' : `, and ${protocols.join(', ')} after them`}`,
    next: 'set the passive link state to auto, or waive the wait',
  },
];
