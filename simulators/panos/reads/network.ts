/** Interfaces, neighbours on them, tunnels. */
import { ApiError } from './api-error';
import type { DeviceView } from '../view';
import type { Argument, Commands } from './command';
import type { InterfaceFact } from './facts';
import { leaf, leaves } from './xml';

/** HA links stay up on a member whose dataplane links are held down. */
const linkState = (view: DeviceView, { name, state }: InterfaceFact): 'up' | 'down' =>
  view.linksHeldDown === true && name.startsWith('ethernet') ? 'down' : state;

const macOf = (index: number): string => `02:00:5e:10:00:${index.toString(16).padStart(2, '0')}`;

const isHardware = ({ name }: InterfaceFact): boolean => !name.includes('.');

const hardwareList = (view: DeviceView): string =>
  `<hw>${view.facts.interfaces
    .map((fact, index) => {
      if (!isHardware(fact)) return '';
      const state = linkState(view, fact);
      return `<entry>${leaves({
        name: fact.name,
        id: 16 + index,
        type: 0,
        mac: macOf(index),
        speed: state === 'up' ? '1000' : 'ukn',
        duplex: state === 'up' ? 'full' : 'ukn',
        state,
        mode: '(autoneg)',
        st: state === 'up' ? '1000/full/up' : 'ukn/ukn/down',
      })}</entry>`;
    })
    .join('')}</hw>`;

/** Those with addresses or zones. */
const logicalList = (view: DeviceView): string =>
  `<ifnet>${view.facts.interfaces
    .map((fact, index) =>
      fact.zone === undefined
        ? ''
        : `<entry>${leaves({
            name: fact.name,
            id: 16 + index,
            vsys: 1,
            zone: fact.zone,
            fwd: `vr:${fact.router ?? 'N/A'}`,
            tag: tagOf(fact.name),
            ip: fact.address ?? 'N/A',
          })}</entry>`,
    )
    .join('')}</ifnet>`;

const tagOf = (name: string): number => (name.startsWith('tunnel.') ? 0 : Number(name.split('.')[1] ?? 0));

/** `show interface X`: X is `hardware`, `logical`, `all`, or a name. */
function showInterface(view: DeviceView, { text }: Argument): string {
  if (text === 'hardware') return hardwareList(view);
  if (text === 'logical') return logicalList(view);
  if (text === 'all') return hardwareList(view) + logicalList(view);
  const index = view.facts.interfaces.findIndex(({ name }) => name === text);
  const fact = view.facts.interfaces[index];
  if (fact === undefined) return leaf('dp', 'dp0') + leaf('error', `Interface '${text}' not found`);
  const state = linkState(view, fact);
  const hw = isHardware(fact) ? `<hw>${leaves({ name: fact.name, mac: macOf(index), state })}</hw>` : '';
  const ifnet = `<ifnet>${leaves({
    name: fact.name,
    id: 16 + index,
    tag: tagOf(fact.name),
    mode: 'layer3',
    fwd_type: fact.router === undefined ? 'none' : 'vr',
    vr: fact.router ?? 'N/A',
    mtu: fact.mtu ?? 1_500,
    addr: fact.address ?? '',
    vsys: 'vsys1',
    zone: fact.zone ?? 'N/A',
  })}</ifnet>`;
  return leaf('dp', 'dp0') + hw + ifnet;
}

/** `show arp` of all interfaces or of one: <entry name="all"/>. A member that doesn't route has no neighbours. */
function arp(view: DeviceView, { element, text }: Argument): string {
  const wanted = element.name === 'entry' ? (element.attributes['name'] ?? text) : text;
  if (wanted === '') throw new ApiError(17, [' show -> arp  has unexpected text']);
  const idle = view.haMode === 'active-passive' && !view.serving;
  const rows = idle ? [] : view.facts.arp.filter((entry) => wanted === 'all' || entry.interface === wanted);
  const entries = rows.map(
    (entry) =>
      `<entry>${leaves({ status: '  c  ', ip: entry.ip, mac: entry.mac, ttl: entry.ttl, interface: entry.interface, port: entry.interface })}</entry>`,
  );
  return `${leaves({ max: 32_000, total: entries.length, timeout: 1_800, dp: 'dp0' })}<entries>${entries.join('')}</entries>`;
}

function tunnels(view: DeviceView): string {
  const rows = view.facts.tunnels.map(
    (tunnel, index) =>
      `<entry>${leaves({
        name: tunnel.name,
        id: index + 1,
        gwid: 1,
        'inner-if': tunnel.innerInterface,
        'outer-if': tunnel.outerInterface,
        localip: tunnel.localAddress,
        peerip: tunnel.peerAddress,
        // The peer keeps none: they are set up anew by whoever serves. Synchronized SAs aren't told apart here.
        state: view.serving ? tunnel.state : 'init',
        mon: 'off',
        owner: 1,
      })}</entry>`,
  );
  return `${leaves({ dp: 'dp0', num_ipsec: rows.length, num_sslvpn: 0 })}<hop/><IPSec>${rows.join('')}</IPSec><SSL-VPN/><GlobalProtect-Gateway/><GlobalProtect-site-to-site/>${leaf('total', rows.length)}`;
}

export const network: Commands = {
  'show/interface': showInterface,
  'show/arp': arp,
  'show/arp/entry': arp,
  'show/running/tunnel/flow/all': tunnels,
  'show/running/tunnel/flow': tunnels,
};
