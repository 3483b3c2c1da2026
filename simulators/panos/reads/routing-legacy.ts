/** `show routing …` of virtual routers (facts §10). */
import { ApiError } from './api-error';
import type { DeviceView } from '../view';
import { bgpRoutes, routesOf, sessionState } from './bgp';
import type { Command, Commands } from './command';
import { fibReply } from './fib';
import { escapeXml, leaf, leaves } from './xml';

const FLAGS =
  'flags: A:active, ?:loose, C:connect, H:host, S:static, ~:internal, R:rip, O:ospf, B:bgp, ' +
  'Oi:ospf intra-area, Oo:ospf inter-area, O1:ospf ext-type-1, O2:ospf ext-type-2, E:ecmp, M:multicast';
const FLAG_OF = { static: 'A S', connected: 'A C', ospf: 'A Oi', bgp: 'A B' } as const;

/** With advanced routing these commands are gone. */
const legacy =
  (reply: (view: DeviceView) => string): Command =>
  (view) => {
    if (view.advancedRouting) throw new ApiError(17, ['Command deprecated in Advanced Routing Mode.']);
    return reply(view);
  };

const seconds = (ms: number): number => Math.floor(ms / 1_000);

function routes(view: DeviceView): string {
  const rows = view.facts.routers.flatMap((router) =>
    routesOf(view, router).map(
      (route) =>
        `<entry>${leaves({
          'virtual-router': router.name,
          destination: route.destination,
          nexthop: route.nexthop,
          metric: route.metric,
          flags: `${FLAG_OF[route.protocol]} `,
          age: '',
          interface: route.interface,
          'route-table': 'unicast',
        })}</entry>`,
    ),
  );
  return leaf('flags', FLAGS) + rows.join('');
}

function peers(view: DeviceView): string {
  return view.facts.routers
    .flatMap((router) =>
      router.peers.map((peer) => {
        const { state, forMs } = sessionState(view, peer);
        const up = state === 'Established';
        const accepted = up ? peer.prefixes.length : 0;
        const rejected = up ? peer.rejected : 0;
        const messages = up ? 3 + seconds(forMs / 30) : 0;
        return `<entry peer="${escapeXml(peer.name)}" vr="${escapeXml(router.name)}">${leaves({
          'peer-group': peer.group,
          'peer-router-id': up ? peer.routerId : '0.0.0.0',
          'remote-as': peer.remoteAs,
          status: state,
          'status-duration': seconds(forMs),
          'password-set': 'no',
          passive: 'no',
          'multi-hop-ttl': 2,
          'peer-address': `${peer.peerAddress}:179`,
          'local-address': `${peer.localAddress}:${up ? 35_355 : 0}`,
          'reflector-client': 'not-client',
          'same-confederation': 'no',
          'aggregate-confed-as': 'yes',
          'peering-type': 'Unspecified',
          'connect-retry-interval': 15,
          'open-delay': 0,
          'idle-hold': 15,
          'prefix-limit': 5_000,
          holdtime: 90,
          'holdtime-config': 90,
          keepalive: 30,
          'keepalive-config': 30,
          'msg-update-in': accepted,
          'msg-update-out': up ? peer.advertised : 0,
          'msg-total-in': messages,
          'msg-total-out': messages,
          'last-update-age': seconds(forMs),
          'last-error': '',
          'status-flap-counts': up ? 1 : 0,
          'established-counts': up ? 1 : 0,
          'ORF-entry-received': 0,
          'nexthop-self': 'no',
          'nexthop-thirdparty': 'yes',
          'nexthop-peer': 'no',
        })}<config><remove-private-as>no</remove-private-as></config>${CAPABILITIES}<prefix-counter><entry afi-safi="bgpAfiIpv4-unicast">${leaves(
          {
            'incoming-total': accepted + rejected,
            'incoming-accepted': accepted,
            'incoming-rejected': rejected,
            'policy-rejected': 0,
            'outgoing-total': up ? peer.advertised : 0,
            'outgoing-advertised': up ? peer.advertised : 0,
          },
        )}</entry></prefix-counter></entry>`;
      }),
    )
    .join('');
}

const CAPABILITIES = `<peer-capability>${['Multiprotocol Extensions(1)|IPv4 Unicast', 'Route Refresh(2)|yes']
  .map((line) => line.split('|'))
  .map(([capability = '', value = '']) => `<list>${leaves({ capability, value })}</list>`)
  .join('')}</peer-capability>`;

/** Extrapolated beyond names and counts. */
const bgpSummary = (view: DeviceView): string =>
  view.facts.routers
    .map(
      (router) =>
        `<entry virtual-router="${escapeXml(router.name)}">${leaves({
          'router-id': router.routerId,
          'local-as': router.localAs,
          'peer-count': router.peers.length,
          'established-count': router.peers.filter((peer) => sessionState(view, peer).state === 'Established').length,
        })}</entry>`,
    )
    .join('');

const locRib = (view: DeviceView): string =>
  view.facts.routers
    .map(
      (router) =>
        `<entry vr="${escapeXml(router.name)}"><loc-rib>${bgpRoutes(view, router)
          .map(
            (route) => `<member>${leaves({ prefix: route.destination, nexthop: route.nexthop, flag: '*' })}</member>`,
          )
          .join('')}</loc-rib></entry>`,
    )
    .join('');

const summary = (view: DeviceView): string =>
  view.facts.routers
    .map(
      (router) =>
        `<entry name="${escapeXml(router.name)}"><bgp>${leaf('peer-count', router.peers.length)}</bgp>${leaf(
          'route-count',
          routesOf(view, router).length,
        )}</entry>`,
    )
    .join('');

export const legacyRouting: Commands = {
  'show/routing/route': legacy(routes),
  'show/routing/fib': legacy(fibReply),
  'show/routing/summary': legacy(summary),
  'show/routing/protocol/bgp/peer': legacy(peers),
  'show/routing/protocol/bgp/summary': legacy(bgpSummary),
  'show/routing/protocol/bgp/loc-rib': legacy(locRib),
};
