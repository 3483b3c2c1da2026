/** Steps that change or keep what is configured: preemption, content, backups, imported images. */
import { createHash } from 'node:crypto';
import { savedName } from '../../../activities/panos/backup';
import { haSettings } from '../../../simulators/panos/config/initial';
import type { ApiReply } from '../../../simulators/panos';
import { operationOf } from '../../../simulators/panos/api';
import { Bench, failureOf } from './support/bench';

const bothPreemptive = { devices: [{ preemptive: true }, { preemptive: true }] } as const;
const preemptive = (bench: Bench): boolean[] =>
  bench.world.pair.devices.map(({ config }) => haSettings(config.running).preemptive);
const pending = (bench: Bench): boolean[] => bench.world.pair.devices.map(({ config }) => config.hasPendingChanges());
const commits = (bench: Bench): number => bench.done.filter((line) => line.endsWith(' commit')).length;
/** What one device answers to an operation, instead of what it would. */
function answers(bench: Bench, node: string, operation: string, reply: (usual: ApiReply) => ApiReply): void {
  const device = bench.device(node);
  const usual = device.request.bind(device);
  device.request = (request) => (operationOf(request) === operation ? reply(usual(request)) : usual(request));
}
const body = (text: string | Buffer) => (): ApiReply => ({
  kind: 'answer',
  status: 200,
  contentType: 'application/octet-stream',
  body: text,
});

describe('preemption', () => {
  it('off on the one that doesn’t lead, which is enough, and back, one commit each', async () => {
    const bench = await Bench.start({ pair: bothPreemptive });
    const before = await bench.observe('preemptionOff', {});
    const { summary } = await bench.act('preemptionOff', {}, before);
    expect(summary).toBe('preemption is off on fw-b, which is enough for both');
    expect(preemptive(bench)).toEqual([true, false]);
    expect(bench.states).toEqual(['active', 'passive']);
    await bench.undo('preemptionOff', {}, before);
    expect([preemptive(bench), commits(bench)]).toEqual([[true, true], 2]);
    await bench.undo('preemptionOff', {}, before);
    expect(commits(bench)).toBe(2);
  });

  it('of one side alone does nothing, and is left alone', async () => {
    const bench = await Bench.start({ pair: { devices: [{ preemptive: true }, { preemptive: false }] } });
    await bench.step('preemptionOff', {});
    await bench.step('preemptionRestore', {});
    expect([preemptive(bench), commits(bench)]).toEqual([[true, false], 0]);
  });

  describe('restored where the preferred member doesn’t lead', () => {
    const active = { mode: 'active-passive', states: ['active', 'passive'] } as const;
    const primary = { mode: 'active-active', states: ['active-primary', 'active-secondary'] } as const;
    /** fw-b leads, for a while. */
    async function switchedOff({ mode }: { mode: 'active-passive' | 'active-active' }): Promise<Bench> {
      const bench = await Bench.start({ pair: { ...bothPreemptive, mode }, attempts: 1 });
      await bench.step('preemptionOff', {});
      await bench.step('moveTo', { to: 'fw-b', leaveOther: 'in-ha' });
      await bench.pass(900_000);
      return bench;
    }

    it.each([active, primary])('it takes over: %j', async ({ mode, states }) => {
      const bench = await switchedOff({ mode });
      expect((await bench.act('preemptionRestore', {}, {})).summary).toBe(
        'preemption fw-a: yes, fw-b: yes; fw-a leads',
      );
      expect(bench.states).toEqual(states);
    });

    it.each([
      ['isn’t synchronized', active, { kind: 'state-sync-stuck' }, /state-sync is incomplete/],
      ['doesn’t serve', active, { kind: 'dataplane-down', device: 0 }, /fw-a is non-functional/],
      ['isn’t ready', primary, { kind: 'dataplane-down', device: 0 }, /fw-a is non-functional/],
    ] as const)('not if that one %s (%j): it is refused, and nothing was set', async (_, of, fault, why) => {
      const bench = await switchedOff(of);
      const before = commits(bench);
      bench.fault(fault);
      await bench.pass(1_000);
      const error = await failureOf(bench.act('preemptionRestore', {}, {}));
      expect(error).toMatchObject({ type: 'GuardRefused', nonRetryable: false });
      expect(error.message).toMatch(
        /^preemption of fw-b was not switched on, for fw-a would take over: .*Nothing was done\. Now: /,
      );
      expect(error.message).toMatch(why);
      expect([preemptive(bench), pending(bench), commits(bench)]).toEqual([[true, false], [false, false], before]);
      bench.world.pair.faults.clear();
      await bench.pass(900_000);
      await bench.act('preemptionRestore', {}, {});
      expect(bench.states).toEqual(of.states);
    });

    it('not if one more failover would be too many: that is waited for', async () => {
      const bench = await switchedOff(active);
      bench.world.pair.ha.members[1].flaps.preempt = 3;
      expect((await failureOf(bench.act('preemptionRestore', {}, {}))).message).toMatch(/fw-b has flapped 3 times/);
      bench.world.pair.ha.members[1].flaps.preempt = 0;
      await bench.step('moveTo', { to: 'fw-a', leaveOther: 'in-ha' });
      await bench.pass(900_000);
      await bench.step('moveTo', { to: 'fw-b', leaveOther: 'in-ha' });
      expect((await failureOf(bench.act('preemptionRestore', {}, {}))).message).toMatch(
        /fw-b has been active for only/,
      );
      expect(preemptive(bench)).toEqual([true, false]);
    });

    it('also by an undo, which lets the failover end before the next one begins', async () => {
      const bench = await switchedOff(active);
      bench.fault({ kind: 'state-sync-stuck', forMs: 60_000 });
      await bench.pass(1_000);
      const before = { 'fw-a': true, 'fw-b': true };
      expect((await failureOf(bench.undo('preemptionOff', {}, before))).type).toBe('GuardRefused');
      await bench.pass(900_000);
      await bench.undo('preemptionOff', {}, before);
      expect([preemptive(bench), bench.states]).toEqual([[true, true], active.states]);
    });

    it('in active/active, where routers send traffic through either: both serve all the time', async () => {
      const bench = await switchedOff(primary);
      const served = new Set<string>();
      bench.world.pair.onChange = () => void served.add(bench.world.pair.devices.map(({ serving }) => serving).join());
      await bench.act('preemptionRestore', {}, {});
      expect([bench.states, [...served]]).toEqual([primary.states, ['true,true']]);
    });
  });

  describe('its preview', () => {
    const commands = async (options: Parameters<typeof Bench.start>[0], of: 'preemptionOff' | 'preemptionRestore') => {
      const bench = await Bench.start(options);
      const preview = await bench.preview(of, {});
      expect(preview.differences).toEqual([]);
      return preview.commands.map(({ host, command }) => `${host}: ${command}`);
    };
    const set = 'set deviceconfig high-availability group election-option preemptive';

    it.each([
      ['passive-first', false, ' (fw-a takes over, by preemption)'],
      ['passive-first', true, ''],
      ['active-first', false, ''],
    ])('tells what is done at the end, though all is as recorded yet (%s, fail back: %s)', async (...given) => {
      const [order, failBack, told] = given;
      const options = { pair: bothPreemptive, panos: { order, failBack } };
      expect(await commands(options, 'preemptionOff')).toEqual([`fw-b: ${set} no; commit`]);
      expect(await commands(options, 'preemptionRestore')).toEqual([`fw-b: ${set} yes; commit${told}`]);
    });

    it('of two hops: the lead is back where it was', async () => {
      const options = { version: '11.0.4', pair: { ...bothPreemptive, version: '10.1.9' } };
      expect(await commands(options, 'preemptionRestore')).toEqual([`fw-b: ${set} yes; commit`]);
    });

    it('is empty where nothing is switched off', async () => {
      const one = { pair: { devices: [{ preemptive: true }, { preemptive: false }] } } as const;
      expect(await commands(one, 'preemptionRestore')).toEqual([]);
      expect(await commands({}, 'preemptionRestore')).toEqual([]);
    });
  });

  it('changes of somebody else are never committed', async () => {
    const bench = await Bench.start({ pair: bothPreemptive });
    bench.fault({ kind: 'pending-change', device: 1 });
    const error = await failureOf(bench.step('preemptionOff', {}));
    expect(error).toMatchObject({ type: 'ForeignChange', nonRetryable: true });
    expect(error.message).toMatch(
      /^fw-b has changes .*Preemption is yes as before.*Commit or revert them, then retry$/,
    );
    expect([commits(bench), pending(bench)]).toEqual([0, [false, true]]);
  });

  it('…nor such as came after we had looked', async () => {
    const bench = await Bench.start({ pair: bothPreemptive });
    answers(bench, 'fw-b', 'config set', (usual) => {
      bench.fault({ kind: 'pending-change', device: 1 });
      return usual;
    });
    await bench.step('preemptionOff', {});
    expect([preemptive(bench), pending(bench)]).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('a lock is told, and what was set doesn’t wait for the next commit of anybody', async () => {
    const bench = await Bench.start({ pair: bothPreemptive });
    bench.fault({ kind: 'lock', lock: 'commit', admin: 'bob', device: 1 });
    const before = await bench.observe('preemptionOff', {});
    const error = await failureOf(bench.act('preemptionOff', {}, before));
    expect(error).toMatchObject({ type: 'CommandFailed', nonRetryable: true });
    expect(error.message).toMatch(/^fw-b: commit: Configuration is locked by bob.*have the lock removed/);
    expect(pending(bench)).toEqual([false, true]);
    await bench.undo('preemptionOff', {}, before);
    expect([preemptive(bench), pending(bench), commits(bench)]).toEqual([[true, true], [false, false], 0]);
  });

  it.each([0, 1] as const)('a commit of somebody else that runs on either (%s) is waited for', async (device) => {
    const bench = await Bench.start({ pair: bothPreemptive, attempts: 1 });
    bench.fault({ kind: 'commit-running', device, forMs: 100_000 });
    const before = await bench.step('preemptionOff', {});
    expect([preemptive(bench), commits(bench)]).toEqual([[true, false], 1]);
    bench.fault({ kind: 'commit-running', device, forMs: 100_000 });
    await bench.undo('preemptionOff', {}, before);
    expect([preemptive(bench), commits(bench)]).toEqual([[true, true], 2]);
  });

  it('…but not for ever; what goes on is told, and nothing was set', async () => {
    const bench = await Bench.start({ pair: bothPreemptive, attempts: 1 });
    bench.fault({ kind: 'panorama-push', device: 0, forMs: 10_000_000 });
    const before = await bench.observe('preemptionOff', {});
    for (const work of ['act', 'undo'] as const) {
      const error = await failureOf(bench[work]('preemptionOff', {}, before));
      expect(error).toMatchObject({ type: 'VerifyFailed', nonRetryable: false });
      expect(error.message).toMatch(
        /^waited 20 min for commits and HA synchronization to end on both: on fw-a: CommitAll/,
      );
    }
    expect([preemptive(bench), pending(bench), commits(bench)]).toEqual([[true, true], [false, false], 0]);
  });

  it('the copy of a commit to the peer is waited for, too', async () => {
    const bench = await Bench.start({ pair: bothPreemptive, attempts: 1 });
    const before = await bench.step('preemptionOff', {});
    const { jobs } = bench.device('fw-a');
    const copied: boolean[] = [];
    answers(bench, 'fw-b', 'config set', (usual) => {
      copied.push(!jobs.running('HA-Sync'));
      return usual;
    });
    jobs.enqueue({ type: 'HA-Sync', user: 'admin', durationMs: 100_000, details: [] });
    await bench.undo('preemptionOff', {}, before);
    expect([preemptive(bench), copied]).toEqual([[true, true], [true]]);
  });

  it('undone while the commit of the act still runs: that one is waited for', async () => {
    const bench = await Bench.start({ pair: bothPreemptive });
    const before = await bench.observe('preemptionOff', {});
    await bench.cutAt('commit', 'preemptionOff', {}, before);
    await bench.undo('preemptionOff', {}, before);
    await bench.pass(300_000);
    expect([preemptive(bench), pending(bench)]).toEqual([
      [true, true],
      [false, false],
    ]);
  });
});

describe('content', () => {
  const current = (bench: Bench): string[] => bench.world.pair.devices.map(({ content }) => content.current);

  it('the newest on both, and the previous again', async () => {
    const bench = await Bench.start();
    const before = await bench.step('content', {});
    expect(current(bench)).toEqual(['8799-8509', '8799-8509']);
    await bench.undo('content', {}, before);
    await bench.undo('content', {}, before);
    expect(current(bench)).toEqual(['8700-8000', '8700-8000']);
    expect(bench.count('fw-a', 'request content downgrade install')).toBe(1);
  });

  it('stays where the inventory says so, without a question to the update server', async () => {
    const bench = await Bench.start({ panos: { content: 'keep' } });
    expect(await bench.act('content', {}, await bench.observe('content', {}))).toMatchObject({ changed: false });
    expect(bench.done.filter((line) => / content /.test(line))).toEqual([]);
  });

  it('newer than what is offered, brought by hand, stays', async () => {
    const bench = await Bench.start();
    for (const { content } of bench.world.pair.devices) content.adopt('8800-1');
    answers(bench, 'fw-a', 'request content upgrade check', offered);
    answers(bench, 'fw-b', 'request content upgrade check', offered);
    expect(await bench.act('content', {}, await bench.observe('content', {}))).toMatchObject({ changed: false });
  });
  const offered = body(
    '<response status="success"><result><content-updates><entry><version>8799-8509</version></entry></content-updates></result></response>',
  );

  it('undone while the installation of the act still runs: the previous is what stays', async () => {
    const bench = await Bench.start();
    const before = await bench.observe('content', {});
    await bench.cutAt('request content upgrade install', 'content', {}, before);
    await bench.undo('content', {}, before);
    await bench.pass(300_000);
    expect(current(bench)).toEqual(['8700-8000', '8700-8000']);
  });

  it('that can’t be downloaded is told with the device’s own lines', async () => {
    const bench = await Bench.start();
    bench.fault({ kind: 'job', how: 'fail', type: 'Downld', details: ['no space left'], device: 0 });
    const error = await failureOf(bench.step('content', {}));
    expect(error).toMatchObject({ type: 'CommandFailed', nonRetryable: true });
    expect(error.message).toMatch(/^fw-a: the download of content 8799-8509 failed \(job \d+\): no space left$/);
  });
});

describe('backups', () => {
  it('of both, on the worker and on the devices', async () => {
    const bench = await Bench.start();
    const { summary, ...rest } = await bench.act('backup', {}, {});
    expect(summary).toMatch(/^4 files are kept in .* on the worker, and hitless-89abcdef\.xml on both devices$/);
    expect(Object.keys((rest as unknown as { backups: object }).backups)).toEqual(['fw-a', 'fw-b']);
    for (const { config } of bench.world.pair.devices)
      expect([...config.saved.keys()]).toEqual(['hitless-89abcdef.xml']);
  });

  it('of a run that was reset don’t overwrite those from before', async () => {
    const bench = await Bench.start();
    type Files = { readonly backups: Readonly<Record<string, readonly { readonly file: string }[]>> };
    const backUp = (number: number) => {
      const contextOf = bench.world.contextOf.bind(bench.world);
      bench.world.contextOf = (...args) => ({ ...contextOf(...args), call: { number, scheduledAtMs: 0 } });
      return bench.act('backup', {}, {}) as unknown as Promise<Files>;
    };
    const files = ({ backups }: Files) => Object.values(backups).flatMap((kept) => kept.map(({ file }) => file));
    const first = files(await backUp(7));
    expect(files(await backUp(7))).toEqual(first);
    expect(files(await backUp(31)).filter((file) => first.includes(file))).toEqual([]);
    expect(new Set(first).size).toBe(4);
  });

  it('of runs that start together don’t overwrite each other', () => {
    // The first digits of Temporal's run IDs are a clock.
    const [first, second] = ['01a20798-1111-7000-8000-00000000aaaa', '01a20798-2222-7000-8000-00000000bbbb'];
    const name = (runId: string) => savedName({ run: { workflowId: 'upgrade-pa', runId } }, '10.2.3');
    expect([name(first), name(second)]).toEqual(['hitless-0000aaaa-10.2.3.xml', 'hitless-0000bbbb-10.2.3.xml']);
  });

  it.each([
    ['export configuration', '', /^fw-b: the exported configuration is empty/],
    ['export configuration', '<config><devices/>', /^fw-b: the exported configuration is no XML/],
    [
      'export configuration',
      '<config/>',
      /^fw-b: the exported configuration is a <config>, not a <config> with content/,
    ],
    ['export configuration', '<html><body>Login</body></html>', /is a <html>, not a <config>/],
    ['export device-state', '', /^fw-b: the exported device-state is empty/],
    ['export device-state', '<html><body>Login</body></html>', /^fw-b: the exported device state is no archive/],
    ['export device-state', '<response status="error"><msg><line>no rights</line></msg></response>', /no rights/],
    [
      'export device-state',
      '<?xml version="1.0"?>\n<response status="error"><msg><line>no rights</line></msg></response>',
      /no rights/,
    ],
  ])('%s of %j is no backup', async (operation, text, message) => {
    const bench = await Bench.start();
    answers(bench, 'fw-b', operation, body(text));
    const error = await failureOf(bench.act('backup', {}, {}));
    expect(error).toMatchObject({ type: 'CommandFailed', nonRetryable: true });
    expect(error.message).toMatch(message);
  });
});

describe('an image from a file', () => {
  const file = '/images/PanOS_vm-10.2.9';
  const images = (text: string) => ({ '10.2.9': { file, sha256: createHash('sha256').update(text).digest('hex') } });
  const input = { nodes: ['fw-b'], versions: ['10.2.9'] };
  const IMPORT = 'import software';

  it('is imported once, also where the reply is lost', async () => {
    // The files of the simulated world contain their path.
    const bench = await Bench.start({ pair: { internet: false }, panos: { images: images(file), content: 'keep' } });
    bench.fault({ kind: 'request', how: 'drop', effect: 'done', operation: IMPORT, device: 1 });
    await bench.step('images', input);
    await bench.step('images', input);
    expect(bench.count('fw-b', IMPORT)).toBe(1);
  });

  it('with another checksum is not', async () => {
    const bench = await Bench.start({
      pair: { internet: false },
      panos: { images: images('another'), content: 'keep' },
    });
    const error = await failureOf(bench.step('images', input));
    expect(error).toMatchObject({ type: 'DigestMismatch', nonRetryable: true });
    expect(error.message).toMatch(/nothing was imported$/);
    expect(bench.count('fw-b', IMPORT)).toBe(0);
  });
});
