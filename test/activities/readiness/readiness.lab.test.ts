/** Readiness on booted hosts over SSH: what speaks against an upgrade is made, found, all in one list, and unmade. */
import { alike, paritySpec, sudoCommands as parityCommands } from '../../../activities/parity';
import { accessCheck, nodes, readinessCheck, readinessSpec } from '../../../activities/readiness';
import { inSync, stateSyncSpec, sudoCommands as syncCommands } from '../../../activities/state-sync';
import { startFirewallPairLab, type FirewallPairLab } from '../../lab';
import { describeLab, progress } from '../../lab/describe-lab';
import { benchOf, failureOf, sudoersOf, type BasePlan, type Bench } from '../state-sync/support';

jest.setTimeout(300_000); // a cold start builds the image

/** As dpkg and apt lock: fcntl(2), not flock(2). */
const HOLD_LOCK =
  'use Fcntl; open(F, ">>", "/var/lib/dpkg/lock-frontend"); my $l = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, $l) or die; sleep 600';

interface Plan extends BasePlan {
  readonly parity: ReturnType<typeof paritySpec.parse>;
  readonly stateSync: ReturnType<typeof stateSyncSpec.parse>;
  readonly readiness: ReturnType<typeof readinessSpec.parse>;
}
const commandsOf = (plan: Plan) => [...parityCommands(plan), ...syncCommands(plan)];
const access = accessCheck<Plan>(commandsOf);
/** As the worker wires it. */
const check = readinessCheck<object, Plan>({
  access: (context) => access.check(context, {}),
  nodes: (context) => nodes.check(context, {}),
  parity: (context) => alike.check(context, { nodes: ['fw1', 'fw2'] }),
  'state-sync': (context) => inSync.check(context, { from: 'fw1', to: 'fw2' }),
});

describeLab('readiness', () => {
  let lab: FirewallPairLab;
  let bench: Bench<Plan>;

  beforeAll(async () => {
    lab = await startFirewallPairLab({}, progress);
    bench = benchOf(lab, {
      parity: paritySpec.parse({}),
      stateSync: stateSyncSpec.parse({ driver: 'conntrackd', variant: 'direct' }),
      // On a machine with many labs these run short of inotify instances, which all containers share.
      readiness: readinessSpec.parse({
        ignoreFailedUnits: ['systemd-ask-password-console.path', 'systemd-ask-password-wall.path'],
      }),
    });
    for (const node of ['fw1', 'fw2']) await lab.host(node).setSudoers(sudoersOf(commandsOf(bench.plan), node));
  });
  afterAll(async () => {
    bench?.close();
    await lab?.down();
  });

  const faults = async (): Promise<string[]> =>
    (await failureOf(check.check(bench.context(), {}))).details[0].faults.map((f) => `${f.where}: ${f.what}`);

  test('a pair that is ready is found ready by every folder', async () => {
    const result = await check.check(bench.context(), {});
    expect(result.summary).toBe('ready: access, nodes, parity, state-sync');
    expect(result.findings).toMatchObject({
      access: expect.stringMatching(/^6 hosts answer, sudo allows all \d+ commands, clocks agree$/),
      nodes: expect.stringMatching(/^fw1 and fw2 have room/),
      parity: expect.stringMatching(/^fw1 and fw2 are alike/),
      'state-sync': expect.stringMatching(/^session state is copied from fw1 to fw2/),
    });
  });

  test('all that is wrong, on any host, is in one list', async () => {
    const [fw1, fw2] = [lab.host('fw1'), lab.host('fw2')];
    await fw1.exec(`
      printf '[Timer]\\nOnCalendar=daily\\n' > /run/systemd/system/chef-client.timer
      printf '[Service]\\nExecStart=true\\n' > /run/systemd/system/chef-client.service
      systemctl daemon-reload
      systemctl start chef-client.timer
      systemd-run -q --unit=puppet sleep 600
      touch /run/reboot-required
      echo '17 4 * * * root apt-get -y dist-upgrade' > /etc/cron.d/nightly
      ! systemd-run -q --wait --unit=broken false`);
    await fw2.exec(`
      shutdown -r +60 2>/dev/null
      sysctl -qw net.ipv4.conf.wan0.rp_filter=1
      systemctl stop conntrackd
      setsid perl -e '${HOLD_LOCK}' > /dev/null 2>&1 & echo $! > /run/holder`);
    // Both hosts say yes to everything but one command.
    const sudoers = sudoersOf(commandsOf(bench.plan), 'fw2').replace(/.*conntrackd .* -B\n/, '');
    await fw2.setSudoers(sudoers);
    const found = await faults();
    await fw1.exec(
      'systemctl stop chef-client.timer; rm /run/systemd/system/chef-client.*; systemctl daemon-reload; systemctl stop puppet; rm /run/reboot-required /etc/cron.d/nightly; systemctl reset-failed',
    );
    await fw2.exec(
      'shutdown -c; sysctl -qw net.ipv4.conf.wan0.rp_filter=0; systemctl start conntrackd; kill $(cat /run/holder)',
    );
    await fw2.setSudoers(sudoersOf(commandsOf(bench.plan), 'fw2'));
    expect(found).toEqual([
      'fw2: sudo can’t run "/usr/sbin/conntrackd -C /etc/conntrackd/conntrackd.conf -B": it isn’t allowed',
      'fw1: failed: broken.service',
      'fw1: wants a reboot (/run/reboot-required): an earlier change is only half effective',
      'fw1: puppet.service is running: it may change the host',
      'fw1: chef-client.timer is scheduled: it may change the host at any time',
      'fw1: /etc/cron.d/nightly changes the host at set times: 17 4 * * * root apt-get -y dist-upgrade',
      expect.stringMatching(/^fw2: a reboot is scheduled for \d{4}-/),
      expect.stringMatching(
        /^fw2: \/var\/lib\/dpkg\/lock-frontend is locked by process \d+: a package manager is at work$/,
      ),
      'fw1/fw2 sysctl net.ipv4.conf.wan0.rp_filter: fw1 has “0”, fw2 has “1”',
      'fw2: conntrackd doesn’t answer; is it running? (systemctl status conntrackd)',
    ]);
    expect((await check.check(bench.context(), {})).summary).toMatch(/^ready/);
  });

  test('too little room is a fault', async () => {
    const readiness = { ...bench.plan.readiness, disk: { '/': 1, '/var': 99_999_999, '/nosuch': 1 } };
    const failure = await failureOf(
      nodes.check(bench.context({ plan: { ...bench.plan, readiness } }), { nodes: ['fw1'] }),
    );
    expect(failure.message).toMatch(/df doesn’t know all of \/, \/var, \/nosuch/);
    const roomy = { ...readiness, disk: { '/': 1, '/var': 99_999_999 } };
    const other = await failureOf(
      nodes.check(bench.context({ plan: { ...bench.plan, readiness: roomy } }), { nodes: ['fw1'] }),
    );
    expect(other.message).toMatch(/fw1: \/var has \d+ MiB free, 99999999 are needed/);
  });

  test('a silent host is named once; alone it may pass by itself, with other faults it doesn’t', async () => {
    await lab.host('fw2').powerOff();
    const alone = await failureOf(check.check(bench.context(), {}));
    expect(alone).toMatchObject({ type: 'Unreachable', nonRetryable: false });
    expect(alone.details[0].faults).toHaveLength(1);
    expect(alone.details[0].faults[0]).toMatchObject({ where: 'fw2' });
    await lab.host('fw1').exec('touch /run/reboot-required');
    const both = await failureOf(check.check(bench.context(), {}));
    expect(both).toMatchObject({ type: 'NotReady', nonRetryable: true });
    expect(both.details[0].faults).toHaveLength(2);
    await lab.host('fw1').exec('rm /run/reboot-required');
  });
});
