/** conntrackd with direct injection, on booted firewalls over SSH. */
import {
  compare,
  health,
  inSync,
  refreshAtOnce,
  reseed,
  reseedOnce,
  stateSyncSpec,
  sudoCommands,
} from '../../../activities/state-sync';
import {
  establishedFlows,
  moveTraffic,
  startFirewallPairLab,
  waitFor,
  type FirewallPairLab,
  type Traffic,
} from '../../lab';
import { describeLab, progress } from '../../lab/describe-lab';
import { benchOf, failureOf, sudoersOf, type Bench, type BasePlan } from './support';

jest.setTimeout(300_000); // a cold start builds the image

/** The standby forgets after this long what isn't refreshed there, so that it shows within a test. */
const TIMEOUT_S = 25;
const [primary, standby] = ['fw1', 'fw2'];
const forward = { from: primary, to: standby };
const back = { from: standby, to: primary };

describeLab('conntrackd with direct injection', () => {
  let lab: FirewallPairLab;
  let bench: Bench<BasePlan & { stateSync: ReturnType<typeof stateSyncSpec.parse> }>;
  let running: Traffic | undefined;

  beforeAll(async () => {
    lab = await startFirewallPairLab({ conntrack: { tcpEstablishedSeconds: TIMEOUT_S } }, progress);
    bench = benchOf(lab, {
      stateSync: stateSyncSpec.parse({ driver: 'conntrackd', variant: 'direct', settleTimeoutMs: '5s' }),
    });
    // No more than the folder says that it needs.
    for (const node of [primary, standby]) await lab.host(node).setSudoers(sudoersOf(sudoCommands(bench.plan), node));
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });
  afterAll(async () => {
    bench?.close();
    await lab?.down();
  });

  /** Flows that a node's daemon speaks for. */
  const owned = async (node: string): Promise<number> =>
    Number(
      /cache internal:\s*current active connections:\s*(\d+)/.exec(await lab.host(node).exec('conntrackd -s'))![1],
    );
  const act = (direction: typeof forward, context = bench.context()) =>
    reseed.observe(context, direction).then((before) => reseed.act(context, direction, before));
  /** Commands that changed something. */
  const changes = () => bench.ran.filter((command) => /conntrackd .* -(R|B|c|f .*)$/.test(command));
  const startTraffic = async (): Promise<Traffic> =>
    (running = await lab.startTraffic({
      sessions: 60,
      quietSessions: 6,
      quietSeconds: 8,
      newConnectionsPerSecond: 10,
      patienceSeconds: 5,
    }));

  test('a standby that forgot is brought up to date, and the move loses nothing', async () => {
    const traffic = await startTraffic();
    await waitFor(`${standby} to forget`, async () => (await establishedFlows(lab, standby)).size < 10, {
      timeoutMs: 60_000,
    });
    const failure = await failureOf(compare.check(bench.context(), forward));
    expect(failure).toMatchObject({ type: 'VerifyFailed', nonRetryable: false });
    expect(failure.message).toMatch(/fw2 doesn’t have the sessions of fw1: \d+ of \d+ flows are missing/);

    const result = await act(forward);
    expect(result).toMatchObject({ changed: true, owned: 0, adopted: false });
    expect(result.difference.missing).toBe(0);
    expect(result.difference.flows).toBeGreaterThanOrEqual(60);
    expect(result.forwarded.from).toBeGreaterThan(100);
    await moveTraffic(lab, standby);

    // The old active still speaks for its flows, until the new one has sent its own (facts §12).
    expect(await owned(primary)).toBeGreaterThan(0);
    await act(back);
    expect(await owned(primary)).toBe(0);
    expect(await owned(standby)).toBeGreaterThanOrEqual(60);

    // Kept fresh, the way back stays open for longer than entries live there.
    const until = Date.now() + 1_200 * TIMEOUT_S;
    while (Date.now() < until) expect(await reseedOnce(bench.context(), back)).toMatchObject({ verdict: 'pass' });
    await moveTraffic(lab, primary);
    await act(forward);
    running = undefined;
    const report = await traffic.stop();
    expect(report.sessions).toMatchObject({ opened: 60, broken: 0, faults: [] });
    expect(report.packets.lost).toBe(0);
    expect(report.newConnections).toMatchObject({ failed: 0 });
  });

  test('state is never copied from the standby to the node that serves', async () => {
    await startTraffic();
    bench.ran.length = 0;
    const failure = await failureOf(act(back));
    expect(failure).toMatchObject({ type: 'GuardRefused', nonRetryable: false });
    expect(failure.message).toMatch(/fw1 is the node that serves: fw2 forwarded 0 packets .* Nothing was changed/);
    expect(await reseedOnce(bench.context(), back)).toMatchObject({ verdict: 'inconclusive' });
    expect(await refreshAtOnce(bench.context(), back)).toEqual([expect.stringMatching(/fw1 is the node that serves/)]);
    expect(changes()).toEqual([]);
    expect(await owned(standby)).toBe(0);
  });

  test('a cut ends a reseed at once, and the next one is whole', async () => {
    await startTraffic();
    const controller = new AbortController();
    const reason = new Error('cut');
    const cutAtSending = (note: string): void => {
      if (note.startsWith('sending')) controller.abort(reason);
    };
    const context = bench.context({ signal: controller.signal, progress: cutAtSending });
    await expect(act(forward, context)).rejects.toThrow();
    expect(controller.signal.aborted).toBe(true);
    await expect(reseedOnce(context, forward)).rejects.toThrow();
    expect((await act(forward)).difference.missing).toBe(0);
  });

  test('an attempt that another has overtaken sends nothing', async () => {
    await startTraffic();
    const stale = bench.context();
    const overtaken = bench.context({ ...stale, progress: () => void (bench.ran.length = 0) });
    const late = new Promise<void>((resolve) => {
      // While it watches the counters, a later attempt does it all.
      overtaken.pause = async (ms) => {
        await stale.pause(ms);
        await act(forward);
        resolve();
      };
    });
    const failure = await failureOf(act(forward, overtaken));
    await late;
    expect(failure).toMatchObject({ type: 'OwnedByAnother', nonRetryable: true });
  });

  test('before an escape what is there is sent once more, in a second or two', async () => {
    await startTraffic();
    bench.ran.length = 0;
    expect(await refreshAtOnce(bench.context(), forward)).toEqual([]);
    expect(changes()).toEqual([expect.stringMatching(/^fw1: .* -R$/), expect.stringMatching(/^fw1: .* -B$/)]);
  });

  test('with no traffic at all there is nothing to compare, and that is said', async () => {
    await waitFor('the sessions to be forgotten', async () => (await establishedFlows(lab, primary)).size === 0, {
      timeoutMs: 60_000,
    });
    const result = await inSync.check(bench.context(), { ...forward, reseedEveryMs: 5_000 });
    expect(result.summary).toBe('session state is copied from fw1 to fw2: no established flow to compare');
  });

  describe('when copying can’t work', () => {
    const faults = async (input: object = {}) =>
      (await failureOf(inSync.check(bench.context(), { ...forward, ...input }))).details[0].faults.map(
        (f) => `${f.where}: ${f.what}`,
      );

    test('a stopped daemon is a fault, and fails a reseed in a way that may pass', async () => {
      await lab.host(standby).exec('systemctl stop conntrackd');
      expect(await faults()).toEqual(['fw2: conntrackd doesn’t answer; is it running? (systemctl status conntrackd)']);
      expect(await health(bench.context(), forward)).toMatchObject({
        verdict: 'fail',
        why: expect.stringContaining('fw2'),
      });
      expect(await failureOf(act(forward))).toMatchObject({ type: 'CommandFailedRetryable', nonRetryable: false });
      await lab.host(standby).exec('systemctl start conntrackd');
      expect(await health(bench.context(), forward)).toMatchObject({ verdict: 'pass' });
    });

    test('a link that is down is a fault', async () => {
      await lab.host(standby).exec('ip link set sync0 down');
      expect(await faults()).toContain('fw2: the link sync0 to the other node is down');
      await lab.host(standby).exec('ip link set sync0 up');
      await waitFor('the link to be seen', async () => (await health(bench.context(), forward)).verdict === 'pass');
    });

    test('a variant other than the plan’s is a fault', async () => {
      const other = { ...bench.plan, stateSync: { ...bench.plan.stateSync, variant: 'external-cache' as const } };
      const failure = await failureOf(inSync.check(bench.context({ plan: other }), forward));
      expect(failure.details[0].faults).toHaveLength(2);
    });

    test('entries that live shorter than the watch’s reseeds are a fault', async () => {
      expect(await faults({ reseedEveryMs: 30_000 })).toEqual([
        expect.stringMatching(/^fw1: forgets quiet TCP flows after 25 s .* every 30 s only$/),
        expect.stringMatching(/^fw2: forgets quiet TCP flows/),
      ]);
    });

    test('a standby that would send its copies back, after it lost events, is a fault', async () => {
      const comment = (by: string) =>
        lab
          .host(standby)
          .exec(
            `sed -i 's/^.*NetlinkOverrunResync Off/${by}NetlinkOverrunResync Off/' /etc/conntrackd/conntrackd.conf`,
          );
      await comment('#');
      expect(await faults()).toEqual([
        expect.stringMatching(/^fw2: as standby it would replace the sessions .* 30 s after/),
      ]);
      await comment('');
    });

    test('a host that is off is no verdict of a watch', async () => {
      await lab.host(standby).powerOff();
      expect(await reseedOnce(bench.context(), forward)).toMatchObject({ verdict: 'inconclusive' });
      expect(await health(bench.context(), forward)).toMatchObject({ verdict: 'inconclusive' });
      expect(await refreshAtOnce(bench.context(), back, 500)).toEqual([
        'the sessions of fw2 were not sent once more: fw2 took longer than 500 ms',
      ]);
      // The login that nobody waits for any more ends as soon as somebody answers.
      await lab.host(standby).start();
      await lab.host(standby).waitBooted();
    });
  });
});
