/** The two checks, on hosts that answer as written down here: what is asked by name, what is left aside, what is said. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alike, paritySpec, snapshot, unchangedBut, type ParityPlan } from '../../../activities/parity';
import type { ExecOptions, ExecResult, Host, StepContext } from '../../../activities/kit';
import { heldDown, type RoutingPlan } from '../../../activities/routing';
import { commandFailed } from '../../../activities/ssh/command';

const CASES = join(__dirname, '../../cases');
const text = (file: string): string => readFileSync(join(CASES, file), 'utf8');

type Answers = Readonly<Record<string, string>>;

/** By the end of a command: what it prints. "!…" ends with 1 of it on stderr. */
const DEFAULTS: Answers = {
  'is-active keepalived.service': '!inactive',
  'address show': '[{"ifname":"lan","mtu":1500,"flags":["UP"],"operstate":"UP"}]',
  'list ruleset': '',
  'sysctl -a': 'kernel.osrelease = 6.1.0\n',
  '--cat-config': '# none\n',
  'route show table all': '',
  'rule show': '[]',
};

function hostOf(name: string, answers: Answers): Host {
  const all = { ...DEFAULTS, ...answers };
  const exec = async (argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> => {
    const line = argv.join(' ');
    const [, said = ''] = Object.entries(all)
      .filter(([end]) => line.endsWith(end))
      .sort(([a], [b]) => b.length - a.length)[0] ?? ['', '!no such command'];
    const isFault = said.startsWith('!');
    const result = { code: isFault ? 1 : 0, stdout: isFault ? '' : said, stderr: isFault ? said.slice(1) : '', ms: 1 };
    const { okCodes = [0] } = options;
    if (okCodes !== 'any' && !okCodes.includes(result.code)) throw commandFailed(name, argv, options, result);
    return result;
  };
  return { name, exec } as unknown as Host;
}

const plan = (more: object = {}): ParityPlan => ({
  nodes: { fw1: { host: 'fw1' }, fw2: { host: 'fw2' } },
  parity: paritySpec.parse({ settleTimeoutMs: 0 }),
  ...more,
});
const contextOf = (hosts: Readonly<Record<string, Answers>>, of: ParityPlan = plan({ waivers: true })) =>
  ({
    plan: of,
    host: async (name: string) => hostOf(name, hosts[name] ?? {}),
    progress: () => undefined,
    pause: async () => undefined,
    signal: new AbortController().signal,
  }) as unknown as StepContext<ParityPlan>;

interface Failed {
  readonly type: string;
  readonly nonRetryable: boolean;
  readonly message: string;
  readonly details: readonly [
    { readonly faults: readonly { readonly check?: string }[]; readonly waivable?: readonly string[] },
  ];
}
const failureOf = (work: Promise<unknown>): Promise<Failed> =>
  work.then(
    () => Promise.reject(new Error('it passed')),
    (error: unknown) => error as Failed,
  );

const nodes = ['fw1', 'fw2'] as const;
const one: Answers = { 'list ruleset': text('05-nft-release/min-1.0.6.txt') };
const other: Answers = { 'list ruleset': text('05-nft-release/min-1.1.3.txt') };
const without: Answers = { 'list ruleset': 'table inet filter {\n\tchain input {\n\t}\n}\n' };

test('a pair with one node on each release of nftables is alike', async () => {
  const { summary } = await alike.check(contextOf({ fw1: other, fw2: one }), { nodes });
  expect(summary).toMatch(/^fw1 and fw2 are alike: 2 lines of ruleset/);
});

test('faults are asked about by name, once', async () => {
  const context = contextOf({
    fw1: one,
    fw2: { ...without, 'sysctl -a': 'kernel.osrelease = 6.1.0\nnet.ipv4.ip_forward = 1\n' },
  });
  const failure = await failureOf(alike.check(context, { nodes }));
  expect(failure).toMatchObject({ type: 'Waivable', nonRetryable: true });
  const { faults, waivable } = failure.details[0];
  expect(waivable).toEqual([
    expect.stringMatching(/^ruleset\/inet filter chain input#[0-9a-f]{4}$/),
    expect.stringMatching(/^sysctls\/net\.ipv4\.ip_forward#[0-9a-f]{4}$/),
  ]);
  expect(faults.every(({ check }) => check !== undefined && waivable?.includes(check))).toBe(true);
  const waived = waivable ?? [];
  const result = await alike.check(context, { nodes, waivers: [{ waived: waived.slice(0, 1) }, { waived }] });
  expect(result.waived).toEqual(waived);
  expect(result.summary).toContain(`; waived: ${waived.join(', ')}`);
  const left = await failureOf(alike.check(context, { nodes, waivers: [{ waived: waived.slice(1) }] }));
  expect(left.details[0].waivable).toEqual(waived.slice(0, 1));
});

test('many have one name, and every name can be answered with', async () => {
  const many = (value: number): Answers => ({
    'sysctl -a': Array.from({ length: 30 }, (_, i) => `net.ipv4.conf.eth${i}.rp_filter = ${value}\n`).join(''),
    'list ruleset': `table inet a-table-with-a-very-long-name-of-somebody {\n\tchain and-a-chain-with-a-longer-one${value} {\n\t}\n}\n`,
  });
  const { waivable = [] } = (await failureOf(alike.check(contextOf({ fw1: many(0), fw2: many(1) }), { nodes })))
    .details[0];
  expect(waivable).toHaveLength(3);
  expect(waivable.filter((name) => name.startsWith('sysctls#'))).toHaveLength(1);
  expect(waivable.every((name) => name.length <= 64)).toBe(true);
  expect(new Set(waivable).size).toBe(3);
});

test('a plan of a build before has no such question', async () => {
  const failure = await failureOf(alike.check(contextOf({ fw1: one, fw2: without }, plan()), { nodes }));
  expect(failure).toMatchObject({ type: 'NotReady', nonRetryable: true });
  expect(failure.details[0]).not.toHaveProperty('waivable');
  expect(failure.details[0].faults[0]).not.toHaveProperty('check');
});

test('keepalived’s address is no difference, and people are told that it runs', async () => {
  const [a, b] = ['fw1', 'fw2'].map((node): Answers => ({
    'is-active keepalived.service': 'active\n',
    'address show': text(`13-vrrp-address/${node}.json`),
  }));
  const { summary } = await alike.check(contextOf({ fw1: a ?? {}, fw2: b ?? {} }), { nodes });
  expect(summary).toContain('keepalived runs here: this pair isn’t only steered by BGP');
});

test('a node whose kernel has no IPv6 is read like any other', async () => {
  const off: Answers = {
    '-6 rule show': '!RTNETLINK answers: Address family not supported by protocol\nDump terminated',
    '-6 route show table all': '!RTNETLINK answers: Operation not supported\nDump terminated',
  };
  expect((await alike.check(contextOf({ fw1: off, fw2: off }), { nodes })).summary).toMatch(/are alike/);
  const broken = { '-4 rule show': '!RTNETLINK answers: Operation not permitted' };
  expect(await failureOf(alike.check(contextOf({ fw1: broken, fw2: off }), { nodes }))).toMatchObject({
    type: 'CommandFailed',
  });
});

test('what another kernel brings is shown, what a file set is a fault', async () => {
  const kernel = (release: string, file: string): Answers => ({
    'sysctl -a': `kernel.osrelease = ${release}\n${text(`06-kernel-release/${file}`)}`,
  });
  const [old, late] = [kernel('5.15.0-88', 'ubuntu-5.15.txt'), kernel('6.18.44', 'later-6.18.txt')];
  const { summary } = await alike.check(contextOf({ fw1: late, fw2: old }), { nodes });
  expect(summary).toContain('by the kernel, and set by nobody: ');
  const before = JSON.parse(JSON.stringify(await snapshot.check(contextOf({ fw1: old }), { nodes: ['fw1'] })));
  const unchanged = unchangedBut(async () => []);
  const after = await unchanged.check(contextOf({ fw1: late }), { node: 'fw1', snapshot: before });
  expect(after.summary).toContain('net.netfilter.nf_conntrack_sctp_timeout_established now 210, before 432000');
  const set = { ...late, '--cat-config': 'net.netfilter.nf_conntrack_sctp_timeout_established = 432000\n' };
  const failure = await failureOf(unchanged.check(contextOf({ fw1: set }), { node: 'fw1', snapshot: before }));
  expect(failure.details[0].waivable).toEqual([
    expect.stringMatching(/^sysctls\/net\.netfilter\.nf_conntrack_sctp_timeout_establi.*#/),
  ]);
});

test('the interface that steering holds down is no change, as long as its unit does', async () => {
  const up =
    '[{"ifname":"in","mtu":1500,"flags":["UP"],"operstate":"UP","addr_info":[{"local":"10.2.1.2","prefixlen":30}]}]';
  const down =
    '[{"ifname":"in","mtu":1500,"flags":[],"operstate":"DOWN","addr_info":[{"local":"10.2.1.2","prefixlen":30}]}]';
  const route = '[{"dst":"10.2.1.0/30","dev":"in","protocol":"kernel","prefsrc":"10.2.1.2"}]';
  const steered = plan({
    waivers: true,
    routing: { steering: { method: 'interface-down', nodes: { fw1: { interface: 'in' } }, revertAfterMs: 1 } },
  });
  const was = { 'address show': up, '-4 route show table all': route };
  const before = await snapshot.check(contextOf({ fw1: was }, steered), { nodes: ['fw1'] });
  const unchanged = unchangedBut((context, node) => heldDown(context as unknown as StepContext<RoutingPlan>, node));
  const look = (held: string) =>
    unchanged.check(contextOf({ fw1: { 'address show': down, 'is-enabled hitless-down-in.service': held } }, steered), {
      node: 'fw1',
      snapshot: before,
    });
  expect((await look('enabled\n')).summary).toContain('steering holds in down');
  const failure = await failureOf(look('!Failed to get unit file state'));
  expect(failure.message).toContain('interface in: now it has “down”');
  expect(failure.message).toContain('route ipv4 10.2.1.0/30: now it has nothing there');
});
