/** When BGP sessions are up, and what they bring. The same for the legacy and the advanced routing engine. */
import type { DeviceView } from '../view';
import type { BgpPeer, BgpState, RouteFact, RouterFact } from './facts';

/** Since when routing protocols run on the device; undefined while they don't. */
export const routingSince = (view: DeviceView): number | undefined => view.routingSince ?? view.servingSince;

export interface SessionState {
  readonly state: BgpState;
  /** Milliseconds in this state. */
  readonly forMs: number;
}

/**
 * State of a session. A member that doesn't route has none: an active/passive pair's new active member starts from
 * nothing (facts §10). That it shows them as Idle is an inference, and so are the intermediate states' shares of the time.
 */
export function sessionState(view: DeviceView, peer: BgpPeer): SessionState {
  const since = routingSince(view);
  if (since === undefined || view.linksHeldDown === true) return { state: 'Idle', forMs: view.now - view.bootedAt };
  const elapsed = Math.max(0, view.now - since);
  if (peer.stuckIn !== undefined) return { state: peer.stuckIn, forMs: elapsed };
  const link = view.facts.interfaces.find(({ name }) => name === peer.interface);
  if (link?.state !== 'up') return { state: 'Active', forMs: elapsed };
  const share = peer.establishAfterMs === 0 ? 1 : elapsed / peer.establishAfterMs;
  if (share >= 1) return { state: 'Established', forMs: elapsed - peer.establishAfterMs };
  return { state: share < 0.5 ? 'Connect' : share < 0.8 ? 'OpenSent' : 'OpenConfirm', forMs: elapsed };
}

export interface BgpRoute {
  readonly destination: string;
  readonly nexthop: string;
  readonly interface: string;
  readonly protocol: 'bgp';
  readonly metric: number;
}

/** Best routes: one a prefix, of the first peer that is up and offers it. */
export function bgpRoutes(view: DeviceView, router: RouterFact): BgpRoute[] {
  const best = new Map<string, BgpRoute>();
  for (const peer of router.peers) {
    if (sessionState(view, peer).state !== 'Established') continue;
    for (const destination of peer.prefixes)
      if (!best.has(destination))
        best.set(destination, {
          destination,
          nexthop: peer.peerAddress,
          interface: peer.interface,
          protocol: 'bgp',
          metric: 0,
        });
  }
  return [...best.values()];
}

/** What is in the table of a router: its own routes over links that are up, and BGP's. */
export function routesOf(view: DeviceView, router: RouterFact): (RouteFact | BgpRoute)[] {
  const own = view.linksHeldDown === true ? [] : router.routes;
  const up = new Set(view.facts.interfaces.filter(({ state }) => state === 'up').map(({ name }) => name));
  return [...own.filter((route) => up.has(route.interface)), ...bgpRoutes(view, router)];
}
