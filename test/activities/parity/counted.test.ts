/** What is left aside: what times out, bans, VRRP, what a kernel brings, what steering holds down. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { since } from '../../../activities/parity';
import { countedFacts } from '../../../activities/parity/counted';
import { differences } from '../../../activities/parity/difference';
import type { About, Facts, NodeReading } from '../../../activities/parity/facts';
import { namingOf, renamer } from '../../../activities/parity/naming';
import { readInterfaces } from '../../../activities/parity/network';
import { readRuleset } from '../../../activities/parity/nftables';
import { pickSysctls } from '../../../activities/parity/reading';
import { digestOf, takeSnapshot, type Snapshot } from '../../../activities/parity/snapshot';
import { paritySpec } from '../../../activities/parity/spec';
import { judged, readConfigured, setNames, shownByKernel } from '../../../activities/parity/sysctls';

const CASES = join(__dirname, '../../cases');
const text = (file: string): string => readFileSync(join(CASES, file), 'utf8');

const set = (lines: string, elements: string): string =>
  `table inet t {\n\tset s {\n\t\ttype ipv4_addr\n${lines}\t\telements = { ${elements} }\n\t}\n}\n`;
const left = (before: string, now: string) =>
  differences(countedFacts({ ruleset: readRuleset(before) }), countedFacts({ ruleset: readRuleset(now) }));

describe('elements that come and go', () => {
  it.each([
    ['of a set that times out', '\t\tflags timeout\n\t\ttimeout 1h\n', '10.0.0.1', '10.0.0.2 timeout 5m'],
    ['that time out by themselves', '\t\tflags timeout\n', '10.9.9.9, 10.0.0.1 timeout 1d', '10.9.9.9'],
    ['that packets put in', '\t\tflags dynamic\n', '10.0.0.1', '10.0.0.2'],
  ])('%s aren’t compared', (_, lines, before, now) => {
    expect(left(set(lines, before), set(lines, now))).toEqual([]);
  });

  it.each([
    ['of a plain set', '', '10.0.0.1', '10.0.0.2'],
    ['that stay among others', '\t\tflags timeout\n', '10.9.9.9, 10.0.0.1 timeout 1d', '10.9.9.8, 10.0.0.1 timeout 1d'],
    ['whose comment only speaks of it', '\t\tflags timeout\n', '10.0.0.1 comment "x timeout 1d"', '10.0.0.2'],
  ])('but those %s are', (_, lines, before, now) => {
    expect(left(set(lines, before), set(lines, now))).toHaveLength(1);
  });

  it('are bans, too', () => {
    const f2b =
      'table inet f2b-table {\n\tset addr-set-sshd {\n\t\ttype ipv4_addr\n\t\telements = { 192.0.2.1 }\n\t}\n}\n';
    expect(left(f2b, '')).toEqual([]);
    const chain = 'table ip filter {\n\tchain f2b-sshd {\n\t\tip saddr 192.0.2.1 counter reject\n\t\treturn\n\t}\n}\n';
    expect(left(chain, 'table ip filter {\n}\n')).toEqual([]);
    expect(left('table inet mine {\n}\n', '')).toHaveLength(1);
  });

  it('a flowtable’s devices have no order', () => {
    const flows = (devices: string) =>
      `table inet t {\n\tflowtable f {\n\t\thook ingress priority filter\n\t\tdevices = { ${devices} }\n\t}\n}\n`;
    expect(left(flows('dc, wan'), flows('wan, dc'))).toEqual([]);
    expect(left(flows('dc, wan'), flows('dc'))).toHaveLength(1);
  });
});

describe('a VRRP address (case 13)', () => {
  const read = (file: string, vrrp: boolean) => readInterfaces(text(`13-vrrp-address/${file}`), vrrp);
  const alike = (vrrp: boolean) => {
    const [a, b] = [read('fw1.json', vrrp), read('fw2.json', vrrp)];
    return differences(
      { interfaces: a.lines },
      { interfaces: b.lines },
      renamer(namingOf(a.addresses, b.addresses), {}),
      renamer(namingOf(b.addresses, a.addresses), {}),
    );
  };

  it('is left out where keepalived runs', () => {
    expect(alike(true)).toEqual([]);
    expect(read('fw1.json', true).addresses.map((a) => a.address)).toEqual(['10.0.0.11']);
  });

  it('is an address like any other where it doesn’t', () => {
    expect(alike(false)).toHaveLength(1);
  });

  it('is told by its protocol, whoever asks', () => {
    const marked = text('13-vrrp-address/fw1.json').replace(
      '"local":"10.0.0.1",',
      '"local":"10.0.0.1","protocol":"keepalived",',
    );
    expect(readInterfaces(marked).addresses.map((a) => a.address)).toEqual(['10.0.0.11']);
  });

  it('isn’t the address of a loopback, or of another network', () => {
    const other = text('13-vrrp-address/fw1.json').replace('"local":"10.0.0.1"', '"local":"192.0.2.1"');
    expect(readInterfaces(other, true).addresses).toHaveLength(2);
  });
});

describe('sysctls of two kernels (case 6)', () => {
  const patterns = paritySpec.parse({}).sysctls;
  const sysctls = (file: string): Facts => ({ sysctls: pickSysctls(text(`06-kernel-release/${file}`), patterns) });
  const found = differences(sysctls('later-6.18.txt'), sysctls('ubuntu-5.15.txt'));
  const about = (kernel: string, ...set: string[]): About => ({ kernel, set });
  const names = (list: readonly { readonly path: string }[]) => list.map(({ path }) => path);

  it('that nobody set are shown, and no fault', () => {
    expect(found).toHaveLength(13);
    const { faults, byKernel } = judged(found, about('6.18.44'), about('5.15.0-88'));
    expect(faults).toEqual([]);
    expect(byKernel).toHaveLength(13);
    expect(shownByKernel(byKernel, 'now', 'before')[0]).toContain(
      'net.netfilter.nf_conntrack_sctp_timeout_established now 210, before 432000',
    );
  });

  it('that somebody set are faults; what is gone was set to something', () => {
    const mine = [
      'net.netfilter.nf_conntrack_sctp_timeout_established',
      'net.netfilter.nf_conntrack_dccp_timeout_open',
      'net.netfilter.nf_conntrack_helper',
    ];
    const { faults } = judged(found, about('6.18.44', ...mine), about('5.15.0-88'));
    expect(names(faults).sort()).toEqual([
      'net.netfilter.nf_conntrack_dccp_timeout_open',
      'net.netfilter.nf_conntrack_sctp_timeout_established',
    ]);
  });

  it('are compared as ever on one kernel, and where it isn’t known', () => {
    expect(judged(found, about('5.15'), about('5.15')).faults).toEqual(found);
    expect(judged(found, about('6.18'), {}).faults).toEqual(found);
    // What files set couldn't be read: only names that both have count.
    const both = found.filter(({ here, there }) => ![here, there].some((v) => v === undefined || v === '(absent)'));
    expect(judged(found, { kernel: '6.18' }, about('5.15')).faults).toEqual(both);
  });

  it('whose default no kernel changed were set, by whatever means', () => {
    const off = differences(
      { sysctls: { 'net.ipv4.ip_forward': ['0'], 'net.ipv4.conf.wan.rp_filter': ['1'] } },
      { sysctls: { 'net.ipv4.ip_forward': ['1'], 'net.ipv4.conf.wan.rp_filter': ['0'] } },
    );
    expect(judged(off, about('6.18'), about('5.15')).faults).toEqual(off);
  });

  it('are set by files of sysctl.d, in each of their forms', () => {
    const configured = readConfigured(
      '# /usr/lib/sysctl.d/50-default.conf\n-net.ipv4.conf.*.promote_secondaries = 1\n; no = 1\n#x.y=1\n-net.ipv4.conf.all.rp_filter\nnet/ipv4/conf/eth0.100/mtu=9\nnet.netfilter.nf_conntrack_max=1\n\n',
    );
    expect(configured).toEqual([
      'net.ipv4.conf.*.promote_secondaries',
      'net.ipv4.conf.eth0/100.mtu',
      'net.netfilter.nf_conntrack_max',
    ]);
    expect(
      setNames(['net.ipv4.conf.a.promote_secondaries', 'net.netfilter.nf_conntrack_max', 'net.x'], configured),
    ).toEqual(['net.ipv4.conf.a.promote_secondaries', 'net.netfilter.nf_conntrack_max']);
  });
});

describe('what steering holds down (D14)', () => {
  const facts: Facts = {
    interfaces: {
      in: ['mtu 1500', 'up', 'carrier', 'address 10.2.1.2/30', 'address fd00:2::2/64'],
      'in.5': ['mtu 1500', 'up', 'carrier', 'address 10.5.0.1/24'],
      out: ['mtu 1500', 'up', 'carrier'],
    },
    routes: {
      'ipv4 10.2.1.0/30': ['dev in proto kernel src 10.2.1.2'],
      'ipv4 10.5.0.0/24': ['dev in.5 proto kernel src 10.5.0.1'],
      'ipv4 0.0.0.0/0': ['via 10.9.1.1 dev out proto static'],
    },
    ruleset: { 'inet filter chain forward': ['drop'] },
  };
  const down: Facts = {
    ...facts,
    interfaces: {
      ...facts.interfaces,
      in: ['mtu 1500', 'down', 'no carrier', 'address 10.2.1.2/30'],
      'in.5': ['mtu 1500', 'up', 'no carrier', 'address 10.5.0.1/24'],
    },
    routes: { 'ipv4 0.0.0.0/0': facts.routes?.['ipv4 0.0.0.0/0'] ?? [] },
  };
  const reading = (now: Facts): NodeReading => ({ facts: now, addresses: [], about: {}, stacked: [['in.5', 'in']] });
  const before = { summary: '', snapshot: takeSnapshot({ fw1: reading(facts) }) };
  const look = (now: Facts, held: readonly string[], waived: readonly string[] = [], was = before) =>
    since(was, 'fw1', { reading: reading(now), held, waived });

  it('is no change, nor are its routes and what is on top of it', () => {
    const { faults, remarks } = look(down, ['in']);
    expect(faults).toEqual([]);
    expect(remarks).toEqual(['steering holds in down: left aside, with the routes by way of it']);
  });

  it('is a change where steering doesn’t hold it, and so is everything else', () => {
    expect(look(down, []).faults).toHaveLength(6);
    const more = { ...down, routes: {}, ruleset: { 'inet filter chain forward': ['accept'] } };
    expect(look(more, ['in']).faults.map(({ where }) => where)).toEqual([
      'fw1 ruleset inet filter chain forward',
      'fw1 route ipv4 0.0.0.0/0',
    ]);
  });

  it('can’t be told where the routes weren’t kept: it is said', () => {
    const was = { summary: '', snapshot: takeSnapshot({ fw1: reading(facts) }, 10) };
    const { faults, remarks } = look(down, ['in'], [], was);
    expect(faults).toEqual([]);
    expect(remarks).toHaveLength(3);
    expect(look(down, [], [], was).faults).toHaveLength(2);
  });

  it('has names by which people waive just this, and nothing that comes later', () => {
    const changed = (rule: string): Facts => ({ ...facts, ruleset: { 'inet filter chain forward': [rule] } });
    const [fault] = look(changed('accept'), []).faults;
    expect(fault?.check).toMatch(/^ruleset\/inet filter chain forward#[0-9a-f]{4}$/);
    expect(look(changed('accept'), [], [fault?.check ?? '']).faults).toEqual([]);
    expect(look(changed('drop; drop'), [], [fault?.check ?? '']).faults).toHaveLength(1);
    expect(look({ ...facts, ruleset: {} }, [], [fault?.check ?? '']).faults).toHaveLength(1);
  });
});

describe('a snapshot of a build before', () => {
  /** As 0.2.0 made it: digests of the text as it was read, and no more. */
  const old = (facts: Facts): Snapshot => {
    const { kept, text: packed } = takeSnapshot({ fw1: { facts, about: {} } });
    const digests = Object.fromEntries(Object.entries(facts).map(([section, paths]) => [section, digestOf(paths)]));
    return { schema: 1, digests: { fw1: digests }, kept, text: packed };
  };
  const facts: Facts = { ruleset: readRuleset(text('05-nft-release/min-1.0.6.txt')), sysctls: { 'net.x': ['1'] } };
  const look = (now: Facts, snapshot = old(facts)) =>
    since({ summary: '', snapshot }, 'fw1', {
      reading: { facts: now, addresses: [], about: { kernel: '6.18', set: [] }, stacked: [] },
      held: [],
      waived: [],
    }).faults.map(({ where }) => where);

  it('goes on being compared, in the normal form where its text was kept', () => {
    expect(look(facts)).toEqual([]);
    expect(look({ ...facts, ruleset: readRuleset(text('05-nft-release/min-1.1.3.txt')) })).toEqual([]);
    expect(look({ ...facts, sysctls: { 'net.x': ['2'] } })).toEqual(['fw1 sysctl net.x']);
  });

  it('by its digest where it wasn’t', () => {
    // Its normal form reads otherwise than it.
    const was: Facts = { ...facts, ruleset: readRuleset(text('05-nft-release/all-1.0.6.txt')) };
    const bare = { ...old(was), kept: [], text: takeSnapshot({}).text };
    expect(look(was, bare)).toEqual([]);
    expect(look({ ...was, ruleset: {} }, bare)).toEqual(['fw1 ruleset']);
  });
});
