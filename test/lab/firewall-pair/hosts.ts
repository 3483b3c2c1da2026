import type { HostFile, HostSpec } from '../host/host-files';
import { renderConntrackd } from './conntrackd';
import { renderFrr } from './frr';
import { renderFirewallSysctls, renderNftables, routerSysctls } from './nftables';
import { roles, type PairPlan, type RouterPlan } from './plan';

const frrFile = (path: string, content: string): HostFile => ({ path, content, mode: 0o640, owner: 'frr:frr' });

/** /etc/frr/daemons (Debian's frr): what frrinit.sh starts. */
const daemons = (bfd: boolean): string => `bgpd=yes
bfdd=${bfd ? 'yes' : 'no'}
vtysh_enable=yes
zebra_options="  -A 127.0.0.1 -s 90000000"
bgpd_options="   -A 127.0.0.1"
staticd_options="-A 127.0.0.1"
bfdd_options="   -A 127.0.0.1"
`;

function routerSpec(plan: PairPlan, router: RouterPlan, management: string): HostSpec {
  const { preferred } = roles(plan.options);
  const files: HostFile[] = [
    frrFile('/etc/frr/daemons', daemons(plan.options.bfd)),
    frrFile('/etc/frr/frr.conf', renderFrr(plan, router, preferred)),
    { path: '/etc/sysctl.d/80-router.conf', content: routerSysctls },
  ];
  if (router.role !== 'firewall') {
    return {
      name: router.name,
      interfaces: router.interfaces,
      files,
      mask: ['conntrackd.service', 'nftables.service'],
    };
  }
  files.push(
    { path: '/etc/nftables.conf', content: renderNftables(plan, router), mode: 0o755 },
    { path: '/etc/conntrackd/conntrackd.conf', content: renderConntrackd(plan, router, management) },
    {
      // Debian's unit may start before its address is there, and then fails at first.
      path: '/etc/systemd/system/conntrackd.service.d/network.conf',
      content: '[Unit]\nAfter=networking.service\n',
    },
    { path: '/etc/sysctl.d/90-firewall.conf', content: renderFirewallSysctls(plan) },
  );
  return { name: router.name, interfaces: router.interfaces, files, mask: [] };
}

/** All hosts of the pair's lab, with their configuration files. */
export function hostSpecs(plan: PairPlan, managementAddress: (host: string) => string): HostSpec[] {
  const { names } = plan.options;
  const end = (name: string, at: PairPlan['client']): HostSpec => ({
    name,
    interfaces: [{ name: at.interface, addresses: at.addresses, gateway: at.gateway }],
    files: [],
    mask: ['frr.service', 'conntrackd.service', 'nftables.service'],
  });
  return [
    end(names.client, plan.client),
    ...Object.values(plan.routers).map((router) => routerSpec(plan, router, managementAddress(router.name))),
    end(names.server, plan.server),
  ];
}
