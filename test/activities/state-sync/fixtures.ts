/** Output of conntrack and conntrackd 1.4.7 (Debian 12, Linux 6.18), copied from a pair of firewalls in network namespaces. */

/** `conntrack -L -o extended` on the node that serves, with nf_conntrack_acct=1, zones and source NAT. */
export const SERVING = `\
ipv4     2 tcp      6 431999 ESTABLISHED src=10.8.0.1 dst=10.8.1.1 sport=60170 dport=7000 packets=38 bytes=2002 src=10.8.1.1 dst=10.8.0.1 sport=7000 dport=60170 packets=20 bytes=1066 [ASSURED] mark=0 use=1
ipv4     2 udp      17 29 src=10.9.9.1 dst=10.9.9.2 sport=57482 dport=3780 packets=16 bytes=1272 [UNREPLIED] src=10.9.9.2 dst=10.9.9.1 sport=3780 dport=57482 packets=0 bytes=0 mark=0 use=1
ipv6     10 tcp      6 431999 ESTABLISHED src=fd00:8::1 dst=fd00:8:1::1 sport=43694 dport=7000 packets=38 bytes=2762 src=fd00:8:1::1 dst=fd00:8::1 sport=7000 dport=43694 packets=20 bytes=1466 [ASSURED] mark=0 use=1
ipv4     2 udp      17 119 src=10.8.0.1 dst=10.8.1.1 sport=57918 dport=9000 packets=17 bytes=493 src=10.8.1.1 dst=10.8.0.1 sport=9000 dport=57918 packets=17 bytes=493 [ASSURED] mark=0 use=1
ipv4     2 tcp      6 431999 ESTABLISHED src=10.8.0.1 dst=10.8.1.1 sport=51708 dport=7050 packets=38 bytes=2002 src=10.8.1.1 dst=192.0.2.1 sport=7050 dport=51708 packets=20 bytes=1066 [ASSURED] mark=0 use=1
ipv4     2 tcp      6 116 TIME_WAIT src=10.8.0.1 dst=10.8.1.1 sport=47382 dport=7000 packets=42 bytes=2211 src=10.8.1.1 dst=10.8.0.1 sport=7000 dport=47382 packets=22 bytes=1171 [ASSURED] mark=0 zone=7 use=1
ipv4     2 tcp      6 431997 ESTABLISHED src=10.8.0.1 dst=10.8.1.1 sport=42898 dport=7000 packets=30 bytes=1582 src=10.8.1.1 dst=10.8.0.1 sport=7000 dport=42898 packets=16 bytes=854 [ASSURED] mark=0 zone=7 use=1
ipv4     2 udp      17 116 src=10.8.0.1 dst=10.8.1.1 sport=46921 dport=9000 zone-orig=9 packets=18 bytes=522 src=10.8.1.1 dst=10.8.0.1 sport=9000 dport=46921 packets=18 bytes=522 [ASSURED] mark=0 use=1
`;

/** The same flows on the standby: no counters; the flow with zone-orig is missing, for conntrackd doesn't copy such zones. */
export const STANDBY = `\
ipv4     2 tcp      6 431996 ESTABLISHED src=10.8.0.1 dst=10.8.1.1 sport=60170 dport=7000 src=10.8.1.1 dst=10.8.0.1 sport=7000 dport=60170 [ASSURED] mark=0 use=1
ipv4     2 udp      17 118 src=10.8.0.1 dst=10.8.1.1 sport=57918 dport=9000 src=10.8.1.1 dst=10.8.0.1 sport=9000 dport=57918 [ASSURED] mark=0 use=1
ipv4     2 udp      17 29 src=10.9.9.1 dst=10.9.9.2 sport=57482 dport=3780 [UNREPLIED] src=10.9.9.2 dst=10.9.9.1 sport=3780 dport=57482 mark=0 use=1
ipv4     2 tcp      6 431996 ESTABLISHED src=10.8.0.1 dst=10.8.1.1 sport=51708 dport=7050 src=10.8.1.1 dst=192.0.2.1 sport=7050 dport=51708 [ASSURED] mark=0 use=1
ipv6     10 tcp      6 431996 ESTABLISHED src=fd00:8::1 dst=fd00:8:1::1 sport=43694 dport=7000 src=fd00:8:1::1 dst=fd00:8::1 sport=7000 dport=43694 [ASSURED] mark=0 use=1
ipv4     2 tcp      6 431997 ESTABLISHED src=10.8.0.1 dst=10.8.1.1 sport=42898 dport=7000 src=10.8.1.1 dst=10.8.0.1 sport=7000 dport=42898 [ASSURED] mark=0 zone=7 use=1
`;

/** `conntrackd -e`: the external cache, which shows the original direction alone, translated or not. */
export const EXTERNAL_CACHE = `\
tcp      6 ESTABLISHED src=10.8.0.1 dst=10.8.1.1 sport=45400 dport=7050 [ASSURED] [active since 7s]
udp      17 src=10.8.0.1 dst=10.8.1.1 sport=59835 dport=9000 [ASSURED] [active since 7s]
tcp      6 ESTABLISHED src=fd00:8::1 dst=fd00:8:1::1 sport=51454 dport=7000 [ASSURED] [active since 93s]
tcp      6 TIME_WAIT src=10.8.0.1 dst=10.8.1.1 sport=45402 dport=7050 [ASSURED] [active since 1s]
`;

export const STATUS_DIRECT = `\
cache internal:
current active connections:\t          80
connections created:\t\t          80\tfailed:\t           0
connections updated:\t\t         160\tfailed:\t           0
connections destroyed:\t\t           0\tfailed:\t           0

external inject:
connections created:\t\t       20030\tfailed:\t           2
connections updated:\t\t       20470\tfailed:\t           0
connections destroyed:\t\t           0\tfailed:\t           1

traffic processed:
                   0 Bytes                         0 Pckts

UDP traffic (active device=sync0):
               11448 Bytes sent                 4104 Bytes recv
                 376 Pckts sent                  257 Pckts recv
                   0 Error send                    0 Error recv

message tracking:
                   0 Malformed msgs                  614 Lost msgs

`;

export const STATUS_EXTERNAL = `\
cache internal:
current active connections:\t           0
connections created:\t\t           0\tfailed:\t           0
connections updated:\t\t           0\tfailed:\t           0
connections destroyed:\t\t           0\tfailed:\t           0

cache external:
current active connections:\t          40
connections created:\t\t          40\tfailed:\t           0
connections updated:\t\t          24\tfailed:\t           0
connections destroyed:\t\t           0\tfailed:\t           0

traffic processed:
                   0 Bytes                         0 Pckts

UDP traffic (active device=sync0):
                 128 Bytes sent                 4072 Bytes recv
                   8 Pckts sent                   70 Pckts recv
                   0 Error send                    0 Error recv

message tracking:
                   0 Malformed msgs                    0 Lost msgs

`;

export const LINK = `\
UDP traffic device=sync0 status=RUNNING role=ACTIVE:
               11448 Bytes sent                 4104 Bytes recv
                 376 Pckts sent                  257 Pckts recv
                   0 Error send                    0 Error recv

`;

export const QUEUE = `\
allocated queue nodes:\t\t           1

queue txqueue:
current elements:\t\t           0
maximum elements:\t\t  2147483647
not enough space errors:\t           0

queue errorq:
current elements:\t\t           0
maximum elements:\t\t         128
not enough space errors:\t           0

queue rsqueue:
current elements:\t\t          56
maximum elements:\t\t      131072
not enough space errors:\t           0

`;

/** What the client says on standard error, and the code with which it ends. */
export const CLIENT_ERRORS = {
  silent:
    "[Sun Nov 22 18:21:52 2026] (pid=19421) [warning] sync0 is an invalid interface\n[Sun Nov 22 18:21:52 2026] (pid=19421) [ERROR] can't connect: is conntrackd running? appropriate permissions?\n",
  noConfig: "[Sun Nov 22 18:21:52 2026] (pid=19415) [ERROR] can't open config file `/nonexist'\n",
  badConfig:
    "[Sun Nov 22 18:21:52 2026] (pid=19422) [ERROR] parsing config file in line (1), symbol 'Bogus': syntax error\n",
} as const;

/** /proc/net/snmp and the matching line of /proc/net/snmp6. */
export const SNMP = `\
Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates OutTransmits
Ip: 1 64 25569 0 0 25280 0 0 289 413 0 0 0 0 0 0 0 0 0 25693
Icmp: InMsgs InErrors
Icmp: 0 0
Ip6InReceives                   	400
Ip6OutForwDatagrams             	140
`;
