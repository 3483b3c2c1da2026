/** `show advanced-routing …` of logical routers: JSON text (facts §10). */
import { ApiError } from './api-error';
import type { DeviceView } from '../view';
import { routesOf, sessionState } from './bgp';
import type { Argument, Command, Commands } from './command';
import type { RouterFact } from './facts';
import { fibReply } from './fib';
import { escapeXml } from './xml';

/** Without advanced routing the tree isn't there: the device doesn't know the word. */
const advanced =
  (reply: (view: DeviceView, argument: Argument) => string): Command =>
  (view, argument) => {
    if (!view.advancedRouting) throw new ApiError(17, [' show -> advanced-routing  is unexpected']);
    return reply(view, argument);
  };

const json = (value: unknown): string => `<json>${escapeXml(JSON.stringify(value))}</json>`;

/** Those named by a <logical-router> argument, or all. */
const routers = (view: DeviceView, { element, text }: Argument): readonly RouterFact[] =>
  element.name === 'logical-router' ? view.facts.routers.filter(({ name }) => name === text) : view.facts.routers;

const clock = (ms: number): string => new Date(Math.max(0, ms)).toISOString().slice(11, 19);

function route(view: DeviceView, argument: Argument): string {
  const distance = { connected: 0, static: 10, ospf: 110, bgp: 20 } as const;
  const tables = routers(view, argument).map((router) => {
    const prefixes: Record<string, unknown[]> = {};
    for (const entry of routesOf(view, router)) {
      (prefixes[entry.destination] ??= []).push({
        prefix: entry.destination,
        protocol: entry.protocol,
        vrfId: 0,
        vrfName: 'default',
        selected: true,
        destSelected: true,
        distance: distance[entry.protocol],
        metric: entry.metric,
        installed: true,
        table: 254,
        internalStatus: 16,
        internalFlags: 73,
        internalNextHopNum: 1,
        internalNextHopActiveNum: 1,
        installedNexthopGroupId: 3,
        uptime: clock(view.now - view.bootedAt),
        nexthops: [
          {
            flags: 'A ',
            fib: true,
            ...(entry.protocol === 'connected' ? { directlyConnected: true } : { ip: entry.nexthop, afi: 'ipv4' }),
            interfaceName: entry.interface,
            active: true,
            weight: 1,
          },
        ],
      });
    }
    return [router.name, prefixes] as const;
  });
  return json(Object.fromEntries(tables));
}

function peerStatus(view: DeviceView, argument: Argument): string {
  const rows = routers(view, argument).flatMap((router) =>
    router.peers.map((peer) => {
      const { state, forMs } = sessionState(view, peer);
      const up = state === 'Established';
      return [
        peer.name,
        {
          'remote-as': peer.remoteAs,
          'local-as': router.localAs,
          'logical-router': router.name,
          'peer-group-name': peer.group,
          state,
          'local-ip': peer.localAddress,
          'peer-ip': peer.peerAddress,
          'status-time': Math.floor(forMs / 1_000),
          detail: {
            bgpState: state,
            bgpTimerUpMsec: up ? forMs : 0,
            connectionsEstablished: up ? 1 : 0,
            connectionsDropped: 0,
            remoteRouterId: up ? peer.routerId : '0.0.0.0',
            messageStats: {
              totalSent: up ? 3 + Math.floor(forMs / 30_000) : 0,
              totalRecv: up ? 3 + Math.floor(forMs / 30_000) : 0,
            },
            addressFamilyInfo: {
              ipv4Unicast: {
                acceptedPrefixCounter: up ? peer.prefixes.length : 0,
                sentPrefixCounter: up ? peer.advertised : 0,
              },
            },
          },
        },
      ] as const;
    }),
  );
  return json(Object.fromEntries(rows));
}

const bgpSummary = (view: DeviceView, argument: Argument): string =>
  json(
    Object.fromEntries(
      routers(view, argument).map((router) => [
        router.name,
        {
          enabled: router.peers.length > 0,
          'router-id': router.routerId,
          'local-as': router.localAs,
          'peer-count': router.peers.length,
          'established-count': router.peers.filter((peer) => sessionState(view, peer).state === 'Established').length,
        },
      ]),
    ),
  );

/** Extrapolated: only the path of the command is known. */
const peerGroups = (view: DeviceView, argument: Argument): string =>
  json(
    Object.fromEntries(
      routers(view, argument).map((router) => [
        router.name,
        Object.fromEntries(
          [...new Set(router.peers.map(({ group }) => group))].map((group) => [
            group,
            { peers: router.peers.filter((peer) => peer.group === group).map(({ name }) => name) },
          ]),
        ),
      ]),
    ),
  );

/** With and without the name of a logical router. */
const both = (path: string, command: Command): Commands => ({ [path]: command, [`${path}/logical-router`]: command });

export const advancedRouting: Commands = {
  ...both('show/advanced-routing/route', advanced(route)),
  ...both('show/advanced-routing/fib', advanced(fibReply)),
  ...both('show/advanced-routing/bgp/peer/status', advanced(peerStatus)),
  ...both('show/advanced-routing/bgp/peer/detail', advanced(peerStatus)),
  ...both('show/advanced-routing/bgp/summary', advanced(bgpSummary)),
  ...both('show/advanced-routing/bgp/peer-groups', advanced(peerGroups)),
};
