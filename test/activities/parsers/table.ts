/**
 * Every parser of what hosts, devices and services print, for the tests beside it: a new one is one line. `of` is its place and
 * name below activities/, so that table.test.ts can tell which ones are missing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseState } from '../../../activities/jobs/state';
import { jsonOf, parseJson } from '../../../activities/kit';
import { parseServers } from '../../../activities/load-balancer/haproxy-format';
import { ownerRecord } from '../../../activities/ownership/record';
import { aptFailure, aptReason } from '../../../activities/packages/apt/failure';
import * as apt from '../../../activities/packages/apt/parse';
import { dnfFailure, dnfReason } from '../../../activities/packages/dnf/failure';
import { answers, parseAnswer as parseDnfAnswer } from '../../../activities/packages/dnf/look';
import * as dnf from '../../../activities/packages/dnf/parse';
import { parseSums } from '../../../activities/packages/package';
import { releaseOf } from '../../../activities/packages/release';
import { parseRoom } from '../../../activities/packages/room';
import { readReply, type Reader, type Shape, type XmlElement } from '../../../activities/panos/api';
import { ReplyReader } from '../../../activities/panos/api/reply';
import { readContent } from '../../../activities/panos/content';
import { parseHa } from '../../../activities/panos/ha';
import { readImages } from '../../../activities/panos/images';
import { readJob, readJobs } from '../../../activities/panos/jobs';
import * as panos from '../../../activities/panos/readiness/parse';
import { parseRelease } from '../../../activities/panos/releases';
import { parseDeviceTime, parseUptime, readSystem } from '../../../activities/panos/system';
import { globbed } from '../../../activities/parity/facts';
import { namingOf, renamer } from '../../../activities/parity/naming';
import { readInterfaces, readRoutes, readRules } from '../../../activities/parity/network';
import { readRuleset } from '../../../activities/parity/nftables';
import { pickSysctls, readUnits as readParityUnits } from '../../../activities/parity/reading';
import { readConfigured } from '../../../activities/parity/sysctls';
import { extractNumber } from '../../../activities/probes/bounds';
import { commandOutcome, httpOutcome, parseLine, tcpOutcome } from '../../../activities/probes/loop-script';
import { parseAnswer as parsePrometheus } from '../../../activities/probes/prometheus';
import * as readiness from '../../../activities/readiness/reading';
import { kernelCounts, nftCounts } from '../../../activities/routing/counters';
import * as frrConfig from '../../../activities/routing/frr/config';
import { readMark } from '../../../activities/readiness/reboot-mark';
import { announcedPrepends, Documents, parseDocuments } from '../../../activities/routing/frr/documents';
import * as frrJson from '../../../activities/routing/frr/json';
import { shutIn } from '../../../activities/routing/frr/sessions';
import { readFlags } from '../../../activities/routing/interface-down';
import { parseShown, parseUnitNames } from '../../../activities/services/systemd';
import { matchesHost, parseKnownHosts } from '../../../activities/ssh/known-hosts';
import { parseRules, sudoRefusal } from '../../../activities/ssh/sudo';
import { clientFault } from '../../../activities/state-sync/conntrackd';
import * as daemon from '../../../activities/state-sync/daemon';
import { readFlows } from '../../../activities/state-sync/flows';
import { ignoring, readAddresses } from '../../../activities/state-sync/ignored';
import { readForwarded } from '../../../activities/state-sync/serving';
import { compareLsn, parseLsn, parseRows } from '../../../activities/xroad/database';
import { describeHealth, nextFor, readHealth } from '../../../activities/xroad/health';
import { readReply as readMaintenance } from '../../../activities/xroad/maintenance';
import { parseChangeFiles } from '../../../activities/xroad/migration';
import * as xroad from '../../../activities/xroad/text';
import * as nodes from '../parity/fixtures';
import * as sync from '../state-sync/fixtures';
import * as samples from './samples';

export interface Parser {
  /** `folder/file#function`. */
  readonly of: string;
  /** Of functions that make something of what others have read, too. */
  readonly parse: (text: string) => unknown;
  readonly fixtures: readonly string[];
  /** Of a parser of what another one has read (XML): makes the call whose work is counted alone. */
  readonly prepare?: (text: string) => () => unknown;
  /** Asks a device first, so its answer comes later. */
  readonly isLater?: true;
}

const p = (of: string, parse: Parser['parse'], ...fixtures: readonly string[]): Parser => ({ of, parse, fixtures });

const frr = (name: string): string => readFileSync(join(__dirname, '../routing/fixtures', name), 'utf8');
const FRR = [
  'prefix4.txt',
  'prefix6.txt',
  'tie.txt',
  'recursive.txt',
  'neighbors.txt',
  'summary.txt',
  'advertised.txt',
].map(frr);
const frrDocument = (read: (document: unknown) => unknown) => (text: string) => parseDocuments(text).map(read);
const CONFIG = frr('running-config.txt');
const SCOPE: frrConfig.ConfigScope = {
  neighbors: ['10.0.3.1', 'fd00::1'],
  owned: [
    { name: 'FW1-IN', sequence: 10, direction: 'in', node: 'fw1' },
    { name: 'FW1-OUT', sequence: 10, direction: 'out', node: 'fw1' },
  ],
};
const UNITS = ['ssh.service', 'frr.service', 'x.timer'];
const HEALTH = { address: '127.0.0.1', port: 5588 } as Parameters<typeof describeHealth>[1];
const LOOPED = (text: string) => {
  const line = parseLine(text);
  if (line?.type !== 'round') return line;
  return [tcpOutcome, httpOutcome, commandOutcome].map((outcome) => outcome(line.ms, line.fields));
};

/** The result of a device's answer. */
const xml = (text: string): XmlElement => readReply('fw-a', 'show', { status: 200, body: Buffer.from(text) }).result;
const made = <T>(of: string, make: (text: string) => T, parse: (value: T) => unknown, samples: string[]): Parser => ({
  ...p(`panos/${of}`, (text) => parse(make(text)), ...samples),
  prepare: (text) => {
    const value = make(text);
    return () => parse(value);
  },
});
const ofXml = (of: string, parse: (result: XmlElement) => unknown, ...inside: readonly string[]): Parser =>
  made(of, xml, parse, inside.map(samples.reply));
const ofText = (of: string, parse: (text: string) => unknown, ...texts: readonly string[]): Parser =>
  made(
    of,
    (text) => xml(text).text,
    parse,
    texts.map((text) => samples.reply(samples.escaped(text))),
  );
/** Of a table that is read as it comes in: here, in pieces that cut everything in two. */
const ofTable = (of: string, shape: Shape<unknown>, ...inside: readonly string[]): Parser =>
  p(`panos/${of}`, (text) => inPieces(text, shape), ...inside.map(samples.reply));
function inPieces<T>(text: string, shape: Shape<T>): T {
  const reader = new ReplyReader('fw-a', 'show', shape);
  const bytes = Buffer.from(text);
  const pieceBytes = Math.max(7, Math.ceil(bytes.length / 1_000));
  for (let from = 0; from < bytes.length; from += pieceBytes) reader.write(bytes.subarray(from, from + pieceBytes));
  return reader.reply({ status: 200, body: Buffer.alloc(0) }).result;
}
const later = (of: string, read: (device: Reader) => Promise<unknown>, ...inside: readonly string[]): Parser => ({
  ...p(
    `panos/${of}`,
    (text) => read({ name: 'fw-a', op: async () => xml(text) } as unknown as Reader),
    ...inside.map(samples.reply),
  ),
  isLater: true,
});

export const PARSERS: readonly Parser[] = [
  p('jobs/state#parseState', parseState, samples.JOB),
  p('kit/answer#parseJson', parseJson, '{"a":[1,2,{"b":null}]}'),
  p(
    'load-balancer/haproxy-format#parseServers',
    (t) => [parseServers(t, samples.HAPROXY_STAT), parseServers(samples.HAPROXY_STATE, t)],
    samples.HAPROXY_STATE,
    samples.HAPROXY_STAT,
  ),
  p('ownership/record#ownerRecord', (t) => jsonOf(ownerRecord, t), samples.OWNER),

  p('packages/apt/failure#aptFailure', (t) => [aptFailure(t), aptReason(t)], samples.APT_LOG),
  p('packages/apt/parse#failedSources', apt.failedSources, samples.APT_LOG),
  p(
    'packages/apt/parse#parseEditedConffiles',
    apt.parseEditedConffiles,
    '??5?????? c /etc/frr/daemons\nmissing   c /etc/frr/x\n',
  ),
  p(
    'packages/apt/parse#parseInstalled',
    (t) => apt.parseInstalled(t, 'amd64'),
    'frr\tamd64\t8.4.4-1\tii \nlibc6\ti386\t2.36\thi \n',
  ),
  p(
    'packages/apt/parse#parseMadison',
    apt.parseMadison,
    ' frr | 8.4.4-1.1 | http://deb.debian.org/debian bookworm/main amd64 Packages\n',
  ),
  p('packages/apt/parse#parseOffered', (t) => apt.parseOffered(t, 'amd64'), samples.APT_URIS),
  p(
    'packages/apt/parse#parseSimulation',
    apt.parseSimulation,
    'Inst frr [8.4.4-1] (8.4.4-1.1 Debian:12/stable [amd64])\nRemv old [1.0]\n',
  ),
  p('packages/dnf/failure#dnfFailure', (t) => [dnfFailure(1, t), dnfReason(t)], samples.DNF_LOG),
  p(
    'packages/dnf/look#parseAnswer',
    (t) => (Object.keys(answers) as (keyof typeof answers)[]).map((what) => parseDnfAnswer(what, t)),
    samples.DNF_ANSWER,
    'hitless-answer: {"locks": ["gate-0:1.0-1.el9.*"]}',
  ),
  p('packages/dnf/parse#failedRepositories', dnf.failedRepositories, samples.DNF_LOG),
  p(
    'packages/dnf/parse#lockedNames',
    (t) => dnf.lockedNames(t.split('\n'), ['gate', 'xroad-proxy']),
    'gate-0:1.0-1.el9.*\n!gate-0:1.1-1.el9.*\nxroad-*\nx[ab]?\n',
  ),
  p('packages/dnf/parse#parseAbsent', dnf.parseAbsent, 'package gate is not installed\n'),
  p('packages/dnf/parse#parseChangedAt', dnf.parseChangedAt, '1795371600.000000000 /etc/gate.conf\n'),
  p('packages/dnf/parse#parseEditedConffiles', dnf.parseEditedConffiles, 'S.5....T.  c /etc/gate.conf\n'),
  p(
    'packages/dnf/parse#parseQuery',
    (t) => dnf.installedOf(dnf.parseQuery(t, 'x86_64'), []),
    'gate\tnoarch\t0\t1.0\t1.el9\t17\ngate\tnoarch\t0\t1.1\t1.el9\t19\n',
  ),
  p('packages/package#parseSums', parseSums, `${'a'.repeat(64)}  /var/lib/hitless/x.deb\n`),
  p(
    'packages/release#releaseOf',
    (t) => releaseOf({ releases: {}, release: { file: '/etc/r', pattern: '^VERSION_ID="?([^"]+)"?$' } }, t),
    'NAME="Debian"\nVERSION_ID="12"\n',
  ),
  p('packages/room#parseRoom', parseRoom, '     Avail Mounted on\n 118057472 /\n 2472345 /run/with space\n'),

  p('parity/facts#globbed', (t) => globbed('a*net.*.x*?')(t), 'a net.ipv4.x'),
  p('parity/naming#renamer', (t) => renamer(namingOf(ADDRESSES, OTHERS), { fw1: 'self' })(t), nodes.RULESET),
  p(
    'parity/network#readInterfaces',
    (t) => namingOf(readInterfaces(t).addresses, ADDRESSES)('10.0.0.7'),
    nodes.ADDRESSES,
  ),
  p('parity/network#readRoutes', (t) => readRoutes(t, 'ipv4', ['static', 'boot']), nodes.ROUTES_4, nodes.ROUTES_6),
  p('parity/network#readRules', readRules, nodes.RULES),
  p('parity/nftables#readRuleset', readRuleset, nodes.RULESET_WITH_STATE),
  p(
    'parity/sysctls#readConfigured',
    readConfigured,
    '# /etc/sysctl.d/a.conf\n-net.ipv4.conf.*.rp_filter = 2\nnet/ipv4/ip_forward=1\n',
  ),
  p(
    'parity/reading#pickSysctls',
    (t) => pickSysctls(t, ['net.ipv4.conf.*.forwarding', 'kernel.x']),
    'net.ipv4.conf.all.forwarding = 1\nkernel.x = a\tb\n',
  ),
  p('parity/reading#readUnits', (t) => readParityUnits(t, UNITS), nodes.UNITS),

  p('probes/bounds#extractNumber', (t) => extractNumber(t, '(\\d+)+ ms'), 'lost 0 %, 12 ms\n'),
  p(
    'probes/loop-script#parseLine',
    LOOPED,
    'P\t0\t1795371600\t12\topen\t\t',
    'P\t1\t1\t9\t0\t200\t1\t\t',
    `P\t2\t1\t9\t0\t${Buffer.from('7 ms').toString('base64')}\t`,
  ),
  p(
    'probes/prometheus#parseAnswer',
    parsePrometheus,
    '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"NaN"]}]}}',
    '{"status":"error","error":"x"}',
  ),

  p(
    'readiness/reading#lockedFiles',
    (t) => readiness.lockedFiles(t, t),
    '1: POSIX  ADVISORY  WRITE 24987 00:75:10387465 0 EOF\n75 10387465 /a\n',
  ),
  p('readiness/reading#readCron', readiness.readCron, '/etc/cron.d/p:*/30 * * * * root puppet agent --onetime\n'),
  p(
    'readiness/reading#readDf',
    readiness.readDf,
    'Filesystem 1M-blocks Used Available Capacity Mounted on\n/dev/vda1 251862M 139274M 112588M 56% /\n',
  ),
  p('readiness/reading#readFailedUnits', readiness.readFailedUnits, 'a.service loaded failed failed A\n'),
  p('readiness/reading#readProcesses', readiness.readProcesses, '    1 /sbin/init\n 4711 /usr/bin/dpkg --configure\n'),
  p(
    'readiness/reading#readShutdown',
    (t) => readiness.readShutdown(t)?.at.toISOString(),
    'USEC=1795371600000000\nMODE=reboot\n',
  ),
  p('readiness/reading#readUnits', (t) => readiness.readUnits(t, UNITS), nodes.UNITS),

  p('routing/counters#kernelCounts', (t) => kernelCounts(t, ['ipv4', 'ipv6'], 'fw1'), sync.SNMP),
  p('routing/counters#nftCounts', (t) => nftCounts(t, ['users'], 'fw1'), samples.NFT_CHAIN),
  p('routing/frr/config#configFaults', (t) => frrConfig.configFaults(t, 'border', samples.POLICY, SCOPE), CONFIG),
  p(
    'routing/frr/config#foreignLines',
    (t) => [
      frrConfig.foreignLines(SCOPE.owned, t, [CONFIG]),
      frrConfig.foreignLines(SCOPE.owned, CONFIG, [t]),
      frrConfig.diffOf(t, CONFIG),
    ],
    CONFIG,
  ),
  p('routing/frr/config#reliedLines', (t) => frrConfig.reliedLines(t, SCOPE).map(frrConfig.blankSecrets), CONFIG),
  p(
    'routing/frr/config#restLines',
    (t) => [frrConfig.restLines(t, SCOPE.owned), frrConfig.ownedText(t, SCOPE.owned)],
    CONFIG,
  ),
  p('routing/frr/json#forwardingOf', frrDocument(frrJson.forwardingOf), ...FRR),
  p(
    'routing/frr/json#neighborOf',
    frrDocument((d) => frrJson.neighborOf(d, '10.0.3.1')),
    ...FRR,
  ),
  p('routing/frr/documents#parseDocuments', parseDocuments, ...FRR),
  p(
    'routing/frr/documents#announcedPrepends',
    (t) => {
      const documents = new Documents(() => announcedPrepends(65_000));
      documents.write(t);
      documents.end();
      return documents.found;
    },
    ...FRR,
  ),
  p(
    'routing/frr/sessions#shutIn',
    (t) => shutIn(t, { localAs: 65_000, access: 'group', neighbors: ['10.0.3.1'] }),
    CONFIG,
  ),
  p('routing/interface-down#readFlags', readFlags, '[{"ifname":"eth0","flags":["BROADCAST","UP"]}]'),

  p('services/systemd#parseShown', (t) => parseShown(t, UNITS), nodes.UNITS),
  p('services/systemd#parseUnitNames', parseUnitNames, '● a.service loaded failed failed A\n  b.timer\n'),
  p(
    'ssh/known-hosts#parseKnownHosts',
    (t) => parseKnownHosts(t).map((entry) => matchesHost(entry, 'fw1.example.net')),
    samples.KNOWN_HOSTS,
  ),
  p(
    'ssh/sudo#parseRules',
    (t) => parseRules(t).map(({ covers }) => covers('/usr/bin/vtysh -c show ip bgp')),
    samples.SUDO,
    '    (root) NOPASSWD: *****zz\n    (root) NOPASSWD: /bin/[z-a][!x]*, /bin/[\n',
  ),
  p(
    'ssh/sudo#sudoRefusal',
    (t) => sudoRefusal(1, t),
    "Sorry, user hitless is not allowed to execute '/usr/bin/id' as root on fw1.\n",
  ),

  p('state-sync/conntrackd#clientFault', (t) => clientFault(1, t), ...Object.values(sync.CLIENT_ERRORS).map(String)),
  p('state-sync/daemon#readLinks', daemon.readLinks, sync.LINK),
  p(
    'readiness/reboot-mark#readMark',
    (log: string) =>
      readMark({ askedFor: 'frr\n', markedAt: '2026-11-29 12:00:03', bootedAt: '2026-11-29 06:00:00', log }),
    '2026-11-01 08:00:00 install frr:amd64 <none> 8.4.4-1\n2026-11-29 12:00:05 status installed frr:amd64 8.4.4-1\n',
  ),
  p('state-sync/daemon#readOverrunResync', daemon.readOverrunResync, 'General {\n\tNetlinkOverrunResync 5\n}\n'),
  p('state-sync/daemon#readQueued', daemon.readQueued, sync.QUEUE),
  p('state-sync/daemon#readStatus', daemon.readStatus, sync.STATUS_DIRECT, sync.STATUS_EXTERNAL),
  p(
    'state-sync/flows#readFlows',
    (t) => readFlows(t, { identity: 'both', ignore: ignoring(['192.0.2.1', 'fd00::/8']) }),
    sync.SERVING,
    sync.STANDBY,
    sync.EXTERNAL_CACHE,
  ),
  p('state-sync/ignored#readAddresses', (t) => ignoring(readAddresses(t))('10.0.0.1'), nodes.ADDRESSES),
  p('state-sync/serving#readForwarded', readForwarded, sync.SNMP),

  p('xroad/database#parseLsn', (t) => compareLsn(parseLsn(t), '0/0'), '16/B374D848'),
  p('xroad/database#parseRows', parseRows, 'replica|streaming|async|0/3000148|0/3000148\n'),
  p(
    'xroad/health#readHealth',
    (t) => [readHealth(0, t, ''), readHealth(1, '', t)].map((h) => [describeHealth(h, HEALTH), nextFor(h)]),
    'HTTP/1.1 500 Server Error\r\nA: b\r\n\r\nServer Conf broken\n',
  ),
  p('xroad/maintenance#readReply', readMaintenance, 'Maintenance mode set: false => true\n'),
  p(
    'xroad/text#honoursFlag',
    (t) => xroad.honoursFlag(t, '/var/tmp/flag'),
    '[Service]\nExecCondition=/bin/sh -c "! -f /var/tmp/flag"\nConditionPathExists=!/var/tmp/flag\n',
  ),
  p(
    'xroad/text#parseClusters',
    xroad.parseClusters,
    '15  main 5433 online,recovery postgres /var/lib/postgresql/15/main /var/log/x.log\n',
  ),
  p(
    'xroad/text#parseConnections',
    xroad.parseConnections,
    '0 0 192.0.2.1:5500 192.0.2.7:40112\n0 0 [::ffff:192.0.2.1]:40000 192.0.2.8:5500\n',
  ),
  p(
    'xroad/text#parseDatabaseUrl',
    xroad.parseDatabaseUrl,
    'serverconf.hibernate.connection.url = jdbc\\:postgresql\\://127.0.0.1\\:5433/serverconf\n',
  ),
  p(
    'xroad/migration#parseChangeFiles',
    parseChangeFiles,
    `${'0'.repeat(64)}  /usr/share/xroad/db/serverconf/004.xml\n`,
  ),
  p('xroad/text#parseProxyPorts', xroad.parseProxyPorts, '[proxy]\nhealth-check-port=5588\nclient-http-port=80\n'),
  p('xroad/text#parseIni', xroad.parseIni, '[node]\ntype = master ; x\n# c\n'),
  p('xroad/text#parseListeners', xroad.parseListeners, '0 128 0.0.0.0:5500 0.0.0.0:*\nLISTEN 0 50 *:4000 *:*\n'),
  p('xroad/text#parseNodeType', xroad.parseNodeType, '[node]\ntype=slave\n'),
  p(
    'xroad/text#parseTokens',
    xroad.parseTokens,
    'Token: 0 (OK, writable, available, active)\nToken: 7d1 (USER_PIN_LOCKED, read-only, available, inactive)\n',
  ),
  p('xroad/text#parseUnits', (t) => xroad.parseUnits(t, UNITS), nodes.UNITS),

  p('panos/api/reply#readReply', xml, samples.reply('<a>b</a>')),
  p('panos/api/xml#parseDocument', (t) => xml(t).text, samples.reply('<a b="c">d</a>')),
  later('content#readContent', (device) => readContent(device, 'info'), samples.CONTENT),
  ofXml('ha#parseHa', parseHa, samples.HA),
  later('images#readImages', readImages, samples.IMAGES),
  ofXml('jobs#readJob', readJob, samples.JOB_ROW),
  later('jobs#readJobs', readJobs, `<job>${samples.JOB_ROW}</job>`),
  later('system#readSystem', readSystem, samples.SYSTEM),
  ofXml('readiness/parse/certificates#parseCertificate', panos.parseCertificate, samples.CERTIFICATE),
  ofTable('readiness/parse/network#arpCount', panos.arpCount, samples.ARP),
  ofTable('readiness/parse/network#arpOf', panos.arpOf(['192.0.2.1']), samples.ARP),
  ofXml(
    'readiness/parse/network#parseInterfaces',
    panos.parseInterfaces,
    '<hw><entry><name>ethernet1/1</name><state>up</state></entry></hw>',
  ),
  ofText(
    'readiness/parse/network#parseMtus',
    panos.parseMtus,
    "sw.dev.interface.config: { 'ethernet1/1': { 'hwaddr': 00, 'mtu': 1500, }, }\n",
  ),
  ofXml(
    'readiness/parse/network#parseSessionStats',
    panos.parseSessionStats,
    '<num-active>1</num-active><num-max>9</num-max><num-tcp>1</num-tcp><num-udp>0</num-udp><kbps>3</kbps>',
  ),
  ofTable(
    'readiness/parse/network#sessionsOf',
    panos.sessionsOf([{ source: '192.0.2.1', destination: '192.0.2.2', port: 80 }]),
    '<entry><source>192.0.2.1</source><xdst>192.0.2.2</xdst><dport>80</dport></entry>',
  ),
  ofXml(
    'readiness/parse/network#parseTunnels',
    panos.parseTunnels,
    '<IPSec><entry><name>t:1</name><state>active</state></entry></IPSec>',
  ),
  ofXml('readiness/parse/routing#parseAdvancedPeers', panos.parseAdvancedPeers, samples.ADVANCED_PEERS),
  ofTable('readiness/parse/routing#advancedRoutes', panos.advancedRoutes, samples.ADVANCED_ROUTES),
  ofTable(
    'readiness/parse/routing#fibCount',
    panos.fibCount,
    '<fibs><entry><entries><entry/></entries></entry></fibs>',
  ),
  ofXml(
    'readiness/parse/routing#parseLegacyPeers',
    panos.parseLegacyPeers,
    '<entry vr="default" peer="a"><status>Established</status><prefix-counter><entry><incoming-accepted>3</incoming-accepted></entry></prefix-counter></entry>',
  ),
  ofTable(
    'readiness/parse/routing#legacyRoutes',
    panos.legacyRoutes,
    '<entry><virtual-router>default</virtual-router><flags>A S</flags></entry>',
  ),
  ofXml(
    'readiness/parse/schedules#parseSchedules',
    (result) => panos.parseSchedules(result, 1_795_371_600_000),
    '<threats><recurring><daily><at>02:00</at><action>download-and-install</action></daily></recurring></threats>',
  ),
  ofXml(
    'readiness/parse/system#parseAlarms',
    panos.parseAlarms,
    '<thermal><Slot1><entry><description>T</description><alarm>True</alarm></entry></Slot1></thermal>',
  ),
  ofText('readiness/parse/system#parseClock', panos.parseClock, 'Mon Nov 23 05:14:16 UTC 2026\n'),
  ofXml(
    'readiness/parse/system#parseDataplaneClocks',
    panos.parseDataplaneClocks,
    '<member>dataplane time: Mon Nov 23 05:14:16 UTC 2026</member>',
  ),
  ofXml('readiness/parse/system#parseDataplaneCpu', panos.parseDataplaneCpu, samples.MONITOR),
  ofText(
    'readiness/parse/system#parseFreeDisk',
    (t) => panos.parseFreeDisk(t, '/opt/panrepo'),
    ' Filesystem Size Used Avail Use% Mounted on\n/dev/md6        23G  2.2G  20G    11% /opt/panrepo\n',
  ),
  ofXml(
    'readiness/parse/system#parseLicences',
    panos.parseLicences,
    '<licenses><entry><feature>T</feature><expired>no</expired><expires>Never</expires></entry></licenses>',
  ),
  ofXml(
    'readiness/parse/system#parseLocks',
    panos.parseLocks,
    '<config-locks><entry name="admin"><name>shared</name></entry></config-locks>',
  ),
  ofText(
    'readiness/parse/system#parseManagementCpu',
    panos.parseManagementCpu,
    "sys.monitor.s0.mp.exports: { 'cpu': { '1minavg': 12, }, }",
  ),
  ofText(
    'readiness/parse/system#parseMemory',
    panos.parseMemory,
    'KiB Mem : 6108836 total,  151324 free, 3284372 used, 2673140 buff/cache\n',
  ),
  ofXml(
    'readiness/parse/system#parseNtp',
    panos.parseNtp,
    '<ntp-server-1><name>a</name><status>available</status></ntp-server-1><synched>a</synched>',
  ),
  ofText(
    'readiness/parse/system#parsePanorama',
    panos.parsePanorama,
    '    Panorama Server 1 : 192.0.2.1\n        Connected     : no\n        HA state      : disconnected\n',
  ),
  ofXml('readiness/parse/system#parseSessionTableUse', panos.parseSessionTableUse, samples.MONITOR),
  ofXml(
    'readiness/parse/system#parseSupport',
    panos.parseSupport,
    '<SupportInfoResponse><Support><ExpiryDate>December 31, 2026</ExpiryDate></Support></SupportInfoResponse>',
  ),
  ofXml('readiness/parse/system#parseYesNo', (result) => panos.parseYesNo('x', result), 'yes'),
  ofText('releases#parseRelease', parseRelease, '10.2.9-h4'),
  ofText('system#parseDeviceTime', parseDeviceTime, 'Mon Nov 23 05:14:16 2026'),
  ofText('system#parseUptime', parseUptime, '12 days, 3:04:05'),
];

const ADDRESSES = [{ interface: 'wan', address: '10.9.1.2', length: 24 }];
const OTHERS = [{ interface: 'wan', address: '10.9.2.2', length: 24 }];

/** Exported names that sound like parsers of foreign text, and why they aren't in the table. */
export const EXEMPT: Readonly<Record<string, string>> = {
  'kit/answer#readAnswer': 'calls the parsers of the table',
  'kit/json-items#readInto': 'asks the host; hands the answer to parsers of the table',
  'kit/json-items#readItems': 'asks the host; hands the answer to parsers of the table',
  'kit/duration#parseDuration': 'text of the inventory',
  'probes/bounds#parseCondition': 'text of the inventory',
  'probes/spec#parseEndpoint': 'text of the inventory',
  'packages/dnf/asking#readFiles': 'asks the host; parseQuery reads the answer',
  'packages/dnf/asking#readSystem': 'asks the host; takes two lines as they are',
  'packages/state#readIfThere': 'asks the host; takes a file as it is',
  'packages/state#readRelease': 'asks the host; releaseOf reads the answer',
  'packages/state#readStaged': 'asks the host; a schema refuses what isn’t a manifest',
  'panos/ha#readHa': 'asks the device; parseHa reads the answer',
  'panos/pair#readMember': 'asks the device; parseHa and readSystem read the answer',
  'panos/pair#readPair': 'asks the devices; see readMember',
  'panos/readiness/snapshot#readSnapshot': 'asks the device; parsers of readiness/parse read the answers',
  'parity/reading#readNode': 'asks the host; parsers of this folder read the answers',
  'routing/counters#readCounters': 'asks the host; kernelCounts and nftCounts read the answers',
  'routing/frr/reading#readCommands': 'lists commands',
  'routing/ready#readRoles': 'asks routers; parsers of frr/json read the answers',
  'ssh/file-modes#readKept': 'a secret of the worker’s own',
  'ssh/files#readFileOn': 'asks the host; takes a file as it is',
  'ssh/secrets#readSecret': 'a secret of the worker’s own',
  'readiness/machine-id#readMachineId': 'asks the host; takes 32 hexadecimal digits and nothing else',
  'xroad/node#readClusters': 'asks the host; parseClusters reads the answer',
  'xroad/node#readProxyPorts': 'asks the host; parseProxyPorts reads the answer',
  'xroad/node#readNodeType': 'asks the host; parseNodeType reads the answer',
  'xroad/node#readPackages': 'asks the host; parsers of the package manager read the answer',
  'xroad/node#readServices': 'asks the host; parseUnits reads the answer',
  'xroad/node#readUnits': 'asks the host; parseUnits reads the answer',
  'xroad/reading#readNode': 'asks the host; parsers of this folder read the answers',
};
