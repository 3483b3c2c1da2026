/** Answers as hosts and devices give them, for parsers whose own tests keep none that can be had from outside. */
import type { PolicySpec } from '../../../activities/routing/spec';
import { CERTIFICATES } from '../../../simulators/panos/reads';

export const JOB = `LoadState=loaded
ActiveState=failed
SubState=failed
Result=exit-code
ExecMainCode=2
ExecMainStatus=15
Boot=4c1f7c9e-2f6b-4c55-8f0e-5b9d7b0f1a11
Record=7 4c1f7c9e-2f6b-4c55-8f0e-5b9d7b0f1a11 120 started
Size=500
Last=Setting up frr (8.4.4) ... a=b`;

export const HAPROXY_STATE = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
3 messages 1 ss1 192.0.2.11 2 0 1
3 messages 2 ss2 192.0.2.12 2 8 1
`;
export const HAPROXY_STAT = `# pxname,svname,qcur,qmax,scur,smax,status
messages,FRONTEND,,,7,9,OPEN
messages,ss1,0,0,5,6,UP
messages,ss2,0,0,2,3,DRAIN
`;

const owner = {
  ...{ workflowId: 'upgrade-fw-dc1', runId: 'r1', step: '07-x', call: 7, attempt: 1, scheduledAtMs: 1_795_371_600_000 },
  ...{ takenAt: '2026-11-23T05:14:16Z', worker: 'w:1' },
};
export const OWNER = JSON.stringify({
  ...{ schema: 1, cluster: 'fw-dc1', host: 'fw1', owner, token: 'ab', released: false, baseline: { a: [1] } },
  ...{ history: [owner], succeeded: ['r0'] },
});

export const APT_LOG = `Reading package lists...
E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (apt-get)
E: Version '8.4.4-9' for 'frr' was not found
The following held packages will be changed:
 frr : Depends: libyang2 (>= 2.1) but it is not installable
dpkg: error processing package gate (--configure):
 installed gate package post-installation script subprocess returned error exit status 1
E: Failed to fetch http://10.0.0.1/repo/./InRelease  Could not connect to 10.0.0.1:80
E: Sub-process /usr/bin/dpkg received signal 9
`;
export const APT_URIS = `'http://deb.debian.org/debian/pool/main/f/frr/frr_8.4.4-1_amd64.deb' frr_8.4.4-1_amd64.deb 3854556 SHA256:${'3'.repeat(64)}
'file:/srv/repo/./alpha_2.0_all.deb' alpha_1%3a2.0_all.deb 696 MD5Sum:84e1e5258bddbeaf0d128c34fdba72cb
`;
export const DNF_LOG = `Failed to download metadata for repo 'site': Cannot download repomd.xml: Curl error (7)
Error: Failed to download metadata for repo 'site'
 Problem: package gate-2.0-1.el9.noarch requires other, but none of the providers can be installed
No package gate available.
  - nothing provides other needed by gate-2.0-1.el9.noarch
Error: needs 12MB more space on the / filesystem
warning: %post(gate-2.0-1.el9.noarch) scriptlet failed, exit status 1
`;
export const DNF_ANSWER = `plugin says hello
hitless-answer: ${JSON.stringify({
  offers: [
    { name: 'gate', version: '1.0-1', uri: 'http://x/g.rpm', file: 'g.rpm', sizeBytes: 7, sha256: null, signed: true },
  ],
})}`;

export const NFT_CHAIN = JSON.stringify({
  nftables: [
    { metainfo: { version: '1.0.6' } },
    { chain: { family: 'inet', table: 'filter', name: 'forward' } },
    {
      rule: {
        ...{ family: 'inet', table: 'filter', chain: 'forward', handle: 4, comment: 'users' },
        expr: [
          { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'wan' } },
          { counter: { packets: 7, bytes: 9 } },
        ],
      },
    },
  ],
});

const entry = (name: string) => [{ name, sequence: 10 }];
export const POLICY: PolicySpec = {
  localAs: 65_200,
  routeMaps: {
    fw1: { in: entry('FROM-FW1'), out: entry('TO-FW1') },
    fw2: { in: entry('FROM-FW2'), out: entry('TO-FW2') },
  },
  preferred: { localPreference: 110, prepend: 0 },
  other: { localPreference: 100, prepend: 2 },
  inboundAfterMs: 0,
};

export const KNOWN_HOSTS = `# a comment
fw1.example.net,10.0.0.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH8TSpE2i0XBm2GZzv5mqI0b3u2v0e9y5n1m8rRk3XyQ root@fw1
@revoked *.example.net,!x?.example.net ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA==
|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|USECr3SWf1JUPsms5AqfD5QfxkM= ssh-rsa AAAAB3NzaC1yc2E
`;
export const SUDO = `Matching Defaults entries for hitless on fw1:
    env_reset, mail_badpass

User hitless may run the following commands on fw1:
    (ALL : ALL) ALL
    (root) NOPASSWD: /usr/bin/vtysh -c show*, /usr/bin/systemctl restart frr,
        /usr/bin/tee -- /etc/a\\,b, /usr/bin/id ""
    (root) PASSWD: SETENV: /usr/bin/x [a-z]?
`;

export const reply = (inside: string): string =>
  `<response status="success" code="19"><result>${inside}</result></response>`;
export const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export const CONTENT =
  '<content-updates><entry><version>8700-8000</version><downloaded>yes</downloaded><current>no</current></entry></content-updates>';
export const HA = `<enabled>yes</enabled><group><mode>Active-Passive</mode><local-info><state>active</state>
<state-duration>12</state-duration><mgmt-ip>192.0.2.1/24</mgmt-ip><priority>100</priority></local-info>
<peer-info><state>passive</state><conn-status>up</conn-status><conn-ha1><conn-status>up</conn-status></conn-ha1></peer-info>
<running-sync>synchronized</running-sync></group>`;
export const IMAGES = `<sw-updates><versions><entry><version>10.2.9</version><filename>PanOS_vm-10.2.9</filename><size>400</size>
<downloaded>yes</downloaded><current>no</current></entry></versions></sw-updates>`;
export const JOB_ROW = `<id>7</id><type>Commit</type><status>FIN</status><result>OK</result><progress>100</progress>
<details><line>Configuration committed</line></details><warnings/>`;
export const SYSTEM = `<system><hostname>fw-a</hostname><serial>0011</serial><model>PA-VM</model><sw-version>10.2.3</sw-version>
<uptime>12 days, 3:04:05</uptime><time>Mon Nov 23 05:14:16 2026</time><app-version>8700-8000</app-version></system>`;
export const CERTIFICATE = `<public-key>${CERTIFICATES.rsa.publicKey}</public-key>`;
export const MONITOR = `<resource-monitor><data-processors><dp0><minute><cpu-load-average><entry><coreid>0</coreid>
<value>1,2,3</value></entry></cpu-load-average><resource-utilization><entry><name>session (average)</name><value>1,1</value>
</entry></resource-utilization></minute></dp0></data-processors></resource-monitor>`;
const json = (value: unknown): string => `<json>${escaped(JSON.stringify(value))}</json>`;
export const ADVANCED_PEERS = json({
  a: { state: 'Established', detail: { addressFamilyInfo: { ipv4Unicast: { acceptedPrefixCounter: 3 } } } },
});
export const ARP = '<entries><entry><ip>192.0.2.1</ip><interface>ethernet1/1</interface></entry></entries>';
export const ADVANCED_ROUTES = json({
  default: { '0.0.0.0/0': [{ protocol: 'static', installed: true, nexthops: [{ ip: '192.0.2.1' }] }] },
});
