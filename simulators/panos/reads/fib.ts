import type { DeviceView } from '../view';
import { routesOf } from './bgp';
import { leaf, leaves } from './xml';

/**
 * Forwarding table, the same for both routing engines (panos-upgrade-assurance reads them alike): an entry for IPv4 and
 * one for IPv6 per router; clients rely on there being two.
 */
export function fibReply(view: DeviceView): string {
  let total = 0;
  let id = 1;
  const tables = view.facts.routers.map((router) => {
    const entries = routesOf(view, router).map((route, index) => {
      const direct = route.protocol === 'connected';
      return `<entry>${leaves({
        id: index + 1,
        dst: route.destination,
        interface: route.interface,
        nh_type: direct ? 3 : 0,
        flags: direct ? 'u' : 'ug',
        nexthop: direct ? '0.0.0.0' : route.nexthop,
        mtu: view.facts.interfaces.find(({ name }) => name === route.interface)?.mtu ?? 1_500,
      })}</entry>`;
    });
    total += entries.length;
    const table = (type: 0 | 1, rows: readonly string[]): string =>
      `<entry>${leaves({ id: id++, vr: router.name, max: 32_768, type, ecmp: 0 })}<entries>${rows.join('')}</entries>${leaf('nentries', rows.length)}</entry>`;
    return table(0, entries) + table(1, []);
  });
  return `<dp>dp0</dp>${leaf('total', total)}<fibs>${tables.join('')}</fibs>`;
}
