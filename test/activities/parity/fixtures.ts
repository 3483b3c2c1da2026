/** Output of nftables 1.0.6 and iproute2 6.1 (Debian 12), copied from network namespaces. */

/** `nft -s list ruleset`: every kind of object that prints in a form of its own. */
export const RULESET = String.raw`
table inet filter {
	counter odd {
	}

	set good {
		type ipv4_addr
		flags interval
		elements = { 10.8.0.0/16, 10.9.0.0/16 }
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state invalid counter drop comment "invalid"
		ct state established,related counter accept
		ip saddr @good tcp dport { 22, 80, 7000-7100 } ct state new counter accept
		meta l4proto udp ct state new counter name "odd" accept
		icmp type echo-request limit rate 10/second accept
		meta nfproto ipv6 ct state new accept
		counter drop comment "rest"
	}

	chain input {
		type filter hook input priority filter; policy accept;
		ct state established,related accept
	}
}
table ip nat {
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan" ip daddr 10.8.0.1 tcp dport 7050-7100 snat to 192.0.2.1
		oifname "dc" ip saddr 10.8.0.1 tcp dport 7050-7100 snat to 192.0.2.1
	}
}
table inet x {
	quota q {
		over 10 mbytes
	}

	limit lim {
		rate 5/second
	}

	ct helper ftp-standard {
		type "ftp" protocol tcp
		l3proto inet
	}

	counter hits {
		comment "my hits"
	}

	set blocked {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 1h
		elements = { 10.99.0.1 timeout 5m }
	}

	set manual {
		type ipv4_addr . inet_service
		flags timeout
		elements = { 10.1.1.1 . 80 timeout 1d,
			     10.1.1.2 . 443 }
	}

	set big {
		type ipv4_addr
		counter
		elements = { 10.3.0.1 counter, 10.3.0.2 counter,
			     10.3.0.5 counter, 10.3.0.6 counter,
			     10.3.0.7 counter, 10.3.0.8 counter,
			     10.3.0.9 counter }
	}

	set names {
		type ifname
		flags interval
		auto-merge
		elements = { "dc*",
			     "wan" }
	}

	map m {
		type inet_service : verdict
		elements = { 22 : accept, 80 : goto sub, 8080 : jump sub }
	}

	map dn {
		type ipv4_addr : ipv4_addr . inet_service
		elements = { 192.0.2.1 : 10.8.1.1 . 80 }
	}

	chain sub {
		counter name "hits" return
	}

	chain pre {
		type filter hook prerouting priority raw + 5; policy accept;
		tcp dport vmap @m
		ip saddr @blocked counter drop
		tcp dport 2222 add @blocked { ip saddr timeout 10m }
		tcp dport 2323 update @blocked { ip saddr limit rate 3/minute }
		ip saddr . tcp dport @manual log prefix "x; {weird} " group 2 accept
		tcp flags syn / fin,syn,rst,ack meta mark set 0x00000001
		ip protocol vmap { tcp : accept, udp : accept }
		quota name "q" drop
		limit rate over 400/minute drop
		limit name "lim" accept
		quota over 5 mbytes drop
		iifname "wan" oifname { "dc", "wan" } accept comment "a } { c"
	}

	chain later {
	}
}
table netdev nd {
	chain i {
		type filter hook ingress device "wan" priority filter; policy accept;
		ip saddr 1.2.3.4 drop
	}
}
`;

/** Beginning of the same without -s: what changes by itself. */
export const RULESET_WITH_STATE = String.raw`
table inet filter {
	counter odd {
		packets 68 bytes 1972
	}

	set good {
		type ipv4_addr
		flags interval
		elements = { 10.8.0.0/16, 10.9.0.0/16 }
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state invalid counter packets 23 bytes 1226 drop comment "invalid"
		ct state established,related counter packets 872551 bytes 46576792 accept
		ip saddr @good tcp dport { 22, 80, 7000-7100 } ct state new counter packets 731 bytes 43860 accept
		meta l4proto udp ct state new counter name "odd" accept
		icmp type echo-request limit rate 10/second accept
		meta nfproto ipv6 ct state new accept
		counter packets 0 bytes 0 drop comment "rest"
	}

	chain input {
		type filter hook input priority filter; policy accept;
		ct state established,related accept
	}
}
table ip nat {
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan" ip daddr 10.8.0.1 tcp dport 7050-7100 snat to 192.0.2.1
		oifname "dc" ip saddr 10.8.0.1 tcp dport 7050-7100 snat to 192.0.2.1
	}
}
table inet x {
	quota q {
		over 10 mbytes used 317071 bytes
	}

	limit lim {
		rate 5/second
	}

	ct helper ftp-standard {
		type "ftp" protocol tcp
		l3proto inet
	}

	counter hits {
		comment "my hits"
		packets 0 bytes 0
	}

	set blocked {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 1h
		elements = { 10.99.0.1 timeout 5m expires 4m59s680ms }
	}

	set manual {
		type ipv4_addr . inet_service
		flags timeout
		elements = { 10.1.1.1 . 80 timeout 1d expires 23h51m44s284ms,
			     10.1.1.2 . 443 }
	}

	set big {
		type ipv4_addr
		counter
		elements = { 10.3.0.1 counter packets 0 bytes 0, 10.3.0.2 counter packets 0 bytes 0,
			     10.3.0.5 counter packets 0 bytes 0, 10.3.0.6 counter packets 0 bytes 0,
			     10.3.0.7 counter packets 0 bytes 0, 10.3.0.8 counter packets 0 bytes 0,
			     10.3.0.9 counter packets 0 bytes 0 }
	}

	set names {
		type ifname
		flags interval
		auto-merge
		elements = { "dc*",
			     "wan" }
	}

	map m {
		type inet_service : verdict
		elements = { 22 : accept, 80 : goto sub, 8080 : jump sub }
	}

	map dn {
		type ipv4_addr : ipv4_addr . inet_service
		elements = { 192.0.2.1 : 10.8.1.1 . 80 }
	}

	chain sub {
		counter name "hits" return
	}

	chain pre {
		type filter hook prerouting priority raw + 5; policy accept;
		tcp dport vmap @m
		ip saddr @blocked counter packets 0 bytes 0 drop
		tcp dport 2222 add @blocked { ip saddr timeout 10m }
		tcp dport 2323 update @blocked { ip saddr limit rate 3/minute }
		ip saddr . tcp dport @manual log prefix "x; {weird} " group 2 accept
		tcp flags syn / fin,syn,rst,ack meta mark set 0x00000001
		ip protocol vmap { tcp : accept, udp : accept }
		quota name "q" drop
		limit rate over 400/minute drop
		limit name "lim" accept
		quota over 5 mbytes used 44068 bytes drop
		iifname "wan" oifname { "dc", "wan" } accept comment "a } { c"
	}

	chain later {
	}
}
table netdev nd {
	chain i {
		type filter hook ingress device "wan" priority filter; policy accept;
		ip saddr 1.2.3.4 drop
	}
}
`;

export const ROUTES_4 = String.raw`
[{"dst":"10.57.0.0/16","via":{"family":"inet6","host":"fd00:1::1"},"dev":"wan","table":"77","protocol":"static","flags":[]},{"dst":"10.8.0.1","gateway":"10.9.1.1","dev":"wan","flags":[]},{"dst":"10.8.1.1","gateway":"10.9.3.1","dev":"dc","flags":[]},{"dst":"10.9.1.0/24","dev":"wan","protocol":"kernel","scope":"link","prefsrc":"10.9.1.2","flags":[]},{"dst":"10.9.3.0/24","dev":"dc","protocol":"kernel","scope":"link","prefsrc":"10.9.3.2","flags":[]},{"dst":"10.9.9.0/24","dev":"sync0","protocol":"kernel","scope":"link","prefsrc":"10.9.9.1","flags":[]},{"dst":"10.55.0.0/16","flags":[],"nexthops":[{"gateway":"10.9.1.1","dev":"wan","weight":1,"flags":[]},{"gateway":"10.9.3.1","dev":"dc","weight":1,"flags":[]}]},{"type":"blackhole","dst":"10.56.0.0/16","flags":[]},{"type":"local","dst":"10.9.1.2","dev":"wan","table":"local","protocol":"kernel","scope":"host","prefsrc":"10.9.1.2","flags":[]},{"type":"broadcast","dst":"10.9.1.255","dev":"wan","table":"local","protocol":"kernel","scope":"link","prefsrc":"10.9.1.2","flags":[]},{"type":"local","dst":"10.9.3.2","dev":"dc","table":"local","protocol":"kernel","scope":"host","prefsrc":"10.9.3.2","flags":[]},{"type":"broadcast","dst":"10.9.3.255","dev":"dc","table":"local","protocol":"kernel","scope":"link","prefsrc":"10.9.3.2","flags":[]},{"type":"local","dst":"10.9.9.1","dev":"sync0","table":"local","protocol":"kernel","scope":"host","prefsrc":"10.9.9.1","flags":[]},{"type":"broadcast","dst":"10.9.9.255","dev":"sync0","table":"local","protocol":"kernel","scope":"link","prefsrc":"10.9.9.1","flags":[]},{"type":"local","dst":"127.0.0.0/8","dev":"lo","table":"local","protocol":"kernel","scope":"host","prefsrc":"127.0.0.1","flags":[]},{"type":"local","dst":"127.0.0.1","dev":"lo","table":"local","protocol":"kernel","scope":"host","prefsrc":"127.0.0.1","flags":[]},{"type":"broadcast","dst":"127.255.255.255","dev":"lo","table":"local","protocol":"kernel","scope":"link","prefsrc":"127.0.0.1","flags":[]},{"type":"local","dst":"192.0.2.1","dev":"lo","table":"local","protocol":"kernel","scope":"host","prefsrc":"192.0.2.1","flags":[]}]
`;

export const ROUTES_6 = String.raw`
[{"dst":"fd00:1::/64","dev":"wan","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"dst":"fd00:3::/64","dev":"dc","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"dst":"fd00:8::1","gateway":"fd00:1::1","dev":"wan","metric":1024,"flags":[],"pref":"medium"},{"dst":"fd00:8:1::1","gateway":"fd00:3::1","dev":"dc","metric":1024,"flags":[],"pref":"medium"},{"dst":"fe80::/64","dev":"dc","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"dst":"fe80::/64","dev":"sync0","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"dst":"fe80::/64","dev":"wan","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"type":"local","dst":"::1","dev":"lo","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"anycast","dst":"fd00:1::","dev":"wan","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"local","dst":"fd00:1::2","dev":"wan","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"anycast","dst":"fd00:3::","dev":"dc","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"local","dst":"fd00:3::2","dev":"dc","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"anycast","dst":"fe80::","dev":"sync0","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"anycast","dst":"fe80::","dev":"wan","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"anycast","dst":"fe80::","dev":"dc","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"local","dst":"fe80::48a4:1dff:fe00:ead","dev":"wan","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"local","dst":"fe80::8085:e2ff:fee6:f318","dev":"sync0","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"local","dst":"fe80::c8f3:8eff:feab:c40f","dev":"dc","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"multicast","dst":"ff00::/8","dev":"dc","table":"local","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"type":"multicast","dst":"ff00::/8","dev":"sync0","table":"local","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"type":"multicast","dst":"ff00::/8","dev":"wan","table":"local","protocol":"kernel","metric":256,"flags":[],"pref":"medium"}]
`;

export const RULES = String.raw`
[{"priority":0,"src":"all","table":"local"},{"priority":32765,"src":"10.5.0.0","srclen":16,"fwmark":"0x3","table":"77"},{"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]

`;

export const ADDRESSES = String.raw`
[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"qdisc":"noqueue","operstate":"UNKNOWN","group":"default","txqlen":1000,"link_type":"loopback","address":"00:00:00:00:00:00","broadcast":"00:00:00:00:00:00","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet","local":"192.0.2.1","prefixlen":32,"scope":"global","label":"lo","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"::1","prefixlen":128,"scope":"host","valid_life_time":4294967295,"preferred_life_time":4294967295}]},{"ifindex":2,"link_index":2,"ifname":"wan","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"4a:a4:1d:00:0e:ad","broadcast":"ff:ff:ff:ff:ff:ff","link_netnsid":0,"addr_info":[{"family":"inet","local":"10.9.1.2","prefixlen":24,"scope":"global","label":"wan","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"fd00:1::2","prefixlen":64,"scope":"global","nodad":true,"valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"fe80::48a4:1dff:fe00:ead","prefixlen":64,"scope":"link","valid_life_time":4294967295,"preferred_life_time":4294967295}]},{"ifindex":3,"link_index":2,"ifname":"dc","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"ca:f3:8e:ab:c4:0f","broadcast":"ff:ff:ff:ff:ff:ff","link_netnsid":1,"addr_info":[{"family":"inet","local":"10.9.3.2","prefixlen":24,"scope":"global","label":"dc","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"fd00:3::2","prefixlen":64,"scope":"global","nodad":true,"valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"fe80::c8f3:8eff:feab:c40f","prefixlen":64,"scope":"link","valid_life_time":4294967295,"preferred_life_time":4294967295}]},{"ifindex":4,"link_index":4,"ifname":"sync0","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"82:85:e2:e6:f3:18","broadcast":"ff:ff:ff:ff:ff:ff","link_netnsid":2,"addr_info":[{"family":"inet","local":"10.9.9.1","prefixlen":24,"scope":"global","label":"sync0","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"fe80::8085:e2ff:fee6:f318","prefixlen":64,"scope":"link","valid_life_time":4294967295,"preferred_life_time":4294967295}]}]

`;

/** `systemctl show --property=Id,ActiveState,UnitFileState`: properties come in an order of its own. */
export const UNITS = String.raw`Id=ssh.service
ActiveState=active
UnitFileState=enabled

Id=nftables.service
ActiveState=inactive
UnitFileState=disabled

Id=nosuch.service
ActiveState=inactive
UnitFileState=
`;
