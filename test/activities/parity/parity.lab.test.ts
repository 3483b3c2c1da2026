/** Parity on booted firewalls, over SSH as a user who may run what the folder says it needs, and nothing else. */
import { alike, paritySpec, snapshot, sudoCommands, unchanged, type SnapshotResult } from '../../../activities/parity';
import { startFirewallPairLab, type FirewallPairLab } from '../../lab';
import { describeLab, progress } from '../../lab/describe-lab';
import { benchOf, failureOf, sudoersOf, type BasePlan, type Bench } from '../state-sync/support';

jest.setTimeout(300_000); // a cold start builds the image

const nodes = ['fw1', 'fw2'] as const;

describeLab('parity of two firewalls', () => {
  let lab: FirewallPairLab;
  let bench: Bench<BasePlan & { parity: ReturnType<typeof paritySpec.parse> }>;

  beforeAll(async () => {
    lab = await startFirewallPairLab({}, progress);
    bench = benchOf(lab, {
      parity: paritySpec.parse({
        services: ['nftables.service', 'conntrackd.service', 'frr.service'],
        settleTimeoutMs: '20s',
      }),
    });
    for (const node of nodes) await lab.host(node).setSudoers(sudoersOf(sudoCommands(bench.plan), node));
  });
  afterAll(async () => {
    bench?.close();
    await lab?.down();
  });

  const reboot = async (node: string): Promise<void> => {
    await lab.host(node).reboot();
    bench.reconnect();
  };
  const check = () => alike.check(bench.context(), { nodes });
  const faultsOf = async (work: Promise<unknown>): Promise<string[]> => {
    const failure = await failureOf(work);
    expect(failure).toMatchObject({ type: 'NotReady', nonRetryable: true });
    return failure.details[0].faults.map((f) => `${f.where}: ${f.what}`);
  };

  test('they are alike, though every address of theirs differs', async () => {
    expect((await check()).summary).toMatch(
      /^fw1 and fw2 are alike: \d{2,} lines of ruleset, \d{2,} sysctls, \d+ routes, \d+ interfaces, 3 services$/,
    );
  });

  test('whatever is changed on one of them is found, all at once, and nothing else', async () => {
    const fw2 = lab.host('fw2');
    await fw2.exec(`
      nft add rule inet filter forward tcp dport 4444 accept comment '"left behind"'
      nft add table inet extra
      sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1
      ip route add blackhole 198.51.100.0/24
      ip rule add from 198.51.100.0/24 lookup main priority 1000
      ip link set sync0 mtu 1400
      systemctl -q disable frr`);
    expect(await faultsOf(check())).toEqual([
      'fw2: frr.service would not come back after a reboot (disabled)',
      'fw1/fw2 ruleset inet filter chain forward: fw1 has nothing there, fw2 has “tcp dport 4444 accept comment "left behind"”',
      'fw1/fw2 ruleset inet extra: fw1 has nothing there, fw2 has “(empty)”',
      'fw1/fw2 sysctl net.netfilter.nf_conntrack_tcp_loose: fw1 has “0”, fw2 has “1”',
      'fw1/fw2 route ipv4 198.51.100.0/24: fw1 has nothing there, fw2 has “blackhole proto boot”',
      'fw1/fw2 policy routing ipv4: fw1 has nothing there, fw2 has “priority 1000 src 198.51.100.0 srclen 24 table main”',
      'fw1/fw2 interface sync0: fw1 has “mtu 1500”, fw2 has “mtu 1400”',
    ]);
    const ignored = {
      ...bench.plan.parity,
      ignore: ['ruleset/*', 'sysctls/*tcp_loose', 'routes/*', 'rules/*', 'interfaces/sync0'],
    };
    expect(
      await faultsOf(alike.check(bench.context({ plan: { ...bench.plan, parity: ignored } }), { nodes })),
    ).toHaveLength(1);
    // What belongs to the network namespace outlives a reboot on the lab.
    await fw2.exec('systemctl -q enable frr; ip link set sync0 mtu 1500');
    await reboot('fw2');
    expect((await check()).summary).toMatch(/are alike/);
  });

  test('a rebooted firewall is what it was; one whose files were changed is not, and the change is shown', async () => {
    const fw1 = lab.host('fw1');
    const result = await snapshot.check(bench.context(), { nodes });
    // It goes through history, and from there to the checks.
    const before = JSON.parse(JSON.stringify(result)) as SnapshotResult;
    expect(before.snapshot.kept).toHaveLength(6);
    expect(JSON.stringify(before).length).toBeLessThan(9_000);
    await reboot('fw1');
    const same = { node: 'fw1', snapshot: before };
    expect((await unchanged.check(bench.context(), same)).summary).toMatch(/^fw1 is what it was/);

    const rules = fw1.readFile('/etc/nftables.conf');
    fw1.writeFile({
      path: '/etc/nftables.conf',
      content: rules.replace('ct state new counter accept comment "new-icmp"', 'drop'),
      mode: 0o755,
    });
    fw1.writeFile({
      path: '/etc/sysctl.d/95-upgrade.conf',
      content: 'net.netfilter.nf_conntrack_tcp_be_liberal = 0\n',
    });
    await reboot('fw1');
    expect(await faultsOf(unchanged.check(bench.context(), same))).toEqual([
      expect.stringMatching(
        /^fw1 ruleset inet filter chain forward: now it has “.* drop”, before it has “.* comment "new-icmp"”$/,
      ),
      'fw1 sysctl net.netfilter.nf_conntrack_tcp_be_liberal: now it has “0”, before it has “1”',
    ]);
  });

  test('what isn’t up yet after a boot is waited for', async () => {
    const fw2 = lab.host('fw2');
    const before = await snapshot.check(bench.context(), { nodes: ['fw2'] });
    await fw2.exec('ip link set sync0 down && systemctl stop nftables');
    const notes: string[] = [];
    const context = bench.context({
      progress: (note) => {
        if (notes.push(note) === 1) void fw2.exec('ip link set sync0 up && systemctl start nftables');
      },
    });
    expect((await unchanged.check(context, { node: 'fw2', snapshot: before })).summary).toMatch(/is what it was/);
    expect(notes[0]).toMatch(/fw2 differs from what it was, waiting: fw2: nftables.service is inactive/);
  });
});
