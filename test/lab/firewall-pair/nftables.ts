import { ports } from './options';
import type { PairPlan, RouterPlan } from './plan';

const set = (members: readonly (string | number)[]): string => `{ ${members.join(', ')} }`;

/**
 * /etc/nftables.conf of a firewall (nft(8)): stateful, alike on both. Every rule that tells something about traffic has a
 * counter and a comment, so that `nft -j list chain` says which rule passed or dropped how much (facts/firewall-pair §6).
 * What the firewall itself talks (management, BGP, synchronisation) never passes the forward chain.
 */
export function renderNftables(plan: PairPlan, firewall: RouterPlan): string {
  const { addressing } = plan.options;
  const direct = [...ports.echo.direct, ports.http.direct];
  const nat = [...ports.echo.nat, ports.http.nat];
  const peers = firewall.neighbors.map(({ address }) => address);
  const servers = set(addressing.serverPrefixes);
  return `#!/usr/sbin/nft -f
flush ruleset

table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		# Before the state: a session that lived when the table was flushed must not end for it.
		ip saddr ${set(peers)} tcp dport 179 accept comment "bgp"
		ip saddr ${set(peers)} tcp sport 179 accept comment "bgp"
		ip saddr ${set(peers)} udp dport { 3784, 3785, 4784 } accept comment "bfd"
		iifname "${plan.sync.interface}" udp dport 3780 accept comment "conntrackd"
		ct state invalid counter drop comment "input-invalid"
		ct state established,related accept
		iifname "mgmt0" tcp dport 22 accept comment "management"
		meta l4proto { icmp, ipv6-icmp } accept
		counter drop comment "input-refused"
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state invalid counter drop comment "invalid"
		ct state established,related counter accept comment "established"
		iifname "wan0" ip daddr ${servers} tcp dport ${set([...direct, ...nat])} ct state new counter accept comment "new-tcp"
		iifname "wan0" ip daddr ${servers} udp dport ${set([...ports.echo.direct, ...ports.echo.nat])} ct state new counter accept comment "new-udp"
		iifname "wan0" ip daddr ${servers} icmp type echo-request ct state new counter accept comment "new-icmp"
		counter drop comment "refused"
	}
}

table ip nat {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "dc0" meta l4proto { tcp, udp } th dport ${set(nat)} counter snat to ${addressing.natAddress} comment "translated"
	}
}
`;
}

/** /etc/sysctl.d/90-firewall.conf. */
export function renderFirewallSysctls({ options }: PairPlan): string {
  const { tcpBeLiberal, tcpEstablishedSeconds, udpSeconds, udpStreamSeconds } = options.conntrack;
  return (
    [
      // A session in the middle of which the firewall enters is dropped unless its state was copied.
      'net.netfilter.nf_conntrack_tcp_loose = 0',
      `net.netfilter.nf_conntrack_tcp_be_liberal = ${tcpBeLiberal ? 1 : 0}`,
      `net.netfilter.nf_conntrack_tcp_timeout_established = ${tcpEstablishedSeconds}`,
      `net.netfilter.nf_conntrack_udp_timeout = ${udpSeconds}`,
      `net.netfilter.nf_conntrack_udp_timeout_stream = ${udpStreamSeconds}`,
    ].join('\n') + '\n'
  );
}

/** /etc/sysctl.d/80-router.conf of every router. During a shift packets come back another way than they went. */
export const routerSysctls = `net.ipv4.ip_forward = 1
net.ipv4.conf.all.rp_filter = 0
net.ipv4.conf.default.rp_filter = 0
`;
