import { ActivityCancellationDetails, type ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { registerProbes, type ProbeServices, type WatchFinding } from '../../../activities/probes';
import { CARRY_LIMIT_BYTES, unpackCarry } from '../../../activities/probes/carry';
import type { WatchCall } from '../../../activities/probes/watch-activity';
import { describeWithSshd } from '../ssh/support/sshd';
import { eventually, marked } from './support/bash';
import { noHosts, planOf, sshBench, type SshBench } from './support/plan';
import { tcpServer, type TestServer } from './support/servers';

const HOUR = 3_600_000;
let server: TestServer;
beforeEach(async () => {
  server = await tcpServer();
});
afterEach(() => server.close());

const web = (part: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'web',
  kind: 'tcp',
  from: 'worker',
  to: server.to,
  ...part,
});

interface Watching {
  readonly result: Promise<WatchFinding>;
  readonly beats: { watching: string; observedMs: number; carry: unknown }[];
  readonly env: MockActivityEnvironment;
}

function watch(
  plan: unknown,
  options: {
    readonly services?: Partial<ProbeServices>;
    readonly call?: Partial<WatchCall>;
    readonly info?: ConstructorParameters<typeof MockActivityEnvironment>[0];
  } = {},
): Watching {
  const env = new MockActivityEnvironment({ activityId: '17', ...options.info });
  const beats: Watching['beats'] = [];
  env.on('heartbeat', (details: Watching['beats'][number]) => beats.push(JSON.parse(JSON.stringify(details)) as never));
  const activity = registerProbes({ ...noHosts, ...options.services })['probes.watch.check'] as (
    call: WatchCall,
  ) => Promise<WatchFinding>;
  const call: WatchCall = {
    schema: 1,
    plan,
    input: { serving: 'fw1', escapeTo: 'fw2' },
    step: '12-watch',
    ...options.call,
  };
  const result = env.run<[WatchCall], WatchFinding, typeof activity>(activity, call);
  // A test that waits for something else first must not die of a rejection nobody looked at yet.
  result.catch(() => undefined);
  return { result, beats, env };
}

const passes = (watching: Watching): number => totalOf(watching, 'pass');
function totalOf(watching: Watching, what: 'pass' | 'fail' | 'inconclusive'): number {
  const carry = unpackCarry(watching.beats.at(-1)?.carry);
  return Object.values(carry?.aggregates.probes ?? {}).reduce((sum, p) => sum + p[what], 0);
}

test('returns a checkpoint when enough was observed', async () => {
  const report = await watch(planOf({ probes: [web()] }), { call: { returnAfterObservedMs: 700 } }).result;
  expect(report).toMatchObject({ verdict: 'checkpoint', fail: 0, inconclusive: 0 });
  expect(report.observedMs).toBeGreaterThanOrEqual(700);
  expect(report.pass).toBeGreaterThan(3);
  expect(report.summary).toMatch(/observed; \d+ passed, 0 failed, 0 inconclusive/);
});

test('a service that is gone is a regression, in the words of the probe', async () => {
  const watching = watch(planOf({ probes: [web()] }));
  await eventually('passes', () => passes(watching) > 3);
  await server.close();
  const report = await watching.result;
  expect(report.verdict).toBe('regression');
  expect(report.why).toContain('probe web failed 3 times');
  expect(report.why).toContain('ECONNREFUSED');
});

test('what must be refused and is open is a regression', async () => {
  const report = await watch(planOf({ probes: [web({ expect: 'refused' })] })).result;
  expect(report).toMatchObject({ verdict: 'regression', why: expect.stringContaining('it must be refused') as string });
});

test('cut, it returns what it has seen instead of failing', async () => {
  const watching = watch(planOf({ probes: [web()] }));
  await eventually('passes', () => passes(watching) > 3);
  watching.env.cancel();
  const report = await watching.result;
  expect(report).toMatchObject({ verdict: 'cut', fail: 0 });
  expect(report.pass).toBeGreaterThan(3);
  expect(unpackCarry(report.carry)?.aggregates.observedMs).toBe(report.observedMs);
});

test('after a worker’s death another one goes on from the heartbeat', async () => {
  const plan = planOf({ probes: [web()] });
  const first = watch(plan, { call: { returnAfterObservedMs: HOUR } });
  await eventually('passes', () => passes(first) > 5);
  const beat = first.beats.at(-1)!;
  first.env.cancel(); // the first worker is dead; nobody reads its result
  await first.result;
  const then = unpackCarry(beat.carry)!.aggregates;

  const second = watch(plan, {
    call: { returnAfterObservedMs: then.observedMs + 300, carry: { v: 'of an older call' } },
    info: { heartbeatDetails: beat, attempt: 2 },
  });
  const report = await second.result;
  expect(report.verdict).toBe('checkpoint');
  expect(report.pass).toBeGreaterThan(then.probes['web']!.pass);
  expect(report.observedMs).toBeGreaterThanOrEqual(then.observedMs + 300);
});

test('failures before the death count towards the regression after it', async () => {
  const plan = planOf({ probes: [web({ tolerance: { fail: 5, of: 5 }, intervalMs: '300ms' })] });
  await server.close();
  const first = watch(plan);
  await eventually('two failures', () => totalOf(first, 'fail') >= 2);
  const beat = first.beats.at(-1)!;
  first.env.cancel();
  await first.result;
  const known = unpackCarry(beat.carry)!.aggregates.probes['web']!.fail;
  const report = await watch(plan, { info: { heartbeatDetails: beat, attempt: 2 } }).result;
  expect(report).toMatchObject({ verdict: 'regression', fail: 5 });
  expect(report.fail - known).toBeLessThan(5);
});

test('a worker that shuts down hands over by a retryable failure, not as cut', async () => {
  const watching = watch(planOf({ probes: [web()] }));
  await eventually('passes', () => passes(watching) > 1);
  watching.env.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
  await expect(watching.result).rejects.toMatchObject({ type: 'WorkerShutdown', nonRetryable: false });
});

test.each([
  ['paused', 'PAUSED', { paused: true }, true],
  ['reset', 'RESET', { reset: true }, undefined],
] as const)('%s from outside, it reports that, with all that it has seen', async (what, reason, details, paused) => {
  const watching = watch(planOf({ probes: [web()] }));
  await eventually('passes', () => passes(watching) > 3);
  watching.env.cancel(reason, new ActivityCancellationDetails(details));
  const report = await watching.result;
  expect(report).toMatchObject({
    verdict: 'checkpoint',
    why: expect.stringContaining(`this watch was ${what} from outside`) as string,
  });
  expect(report.paused).toBe(paused);
  expect(unpackCarry(report.carry)?.aggregates).toMatchObject({ observedMs: report.observedMs });
});

test('a heartbeat carries what a report does: the core goes on from it as from one', async () => {
  const plan = planOf({ probes: [web({ tolerance: { fail: 50, of: 50 }, intervalMs: '100ms' })] });
  await server.close();
  const first = watch(plan);
  await eventually('failures', () => totalOf(first, 'fail') > 3);
  const beat = first.beats.at(-1)!;
  first.env.cancel();
  await first.result;
  const known = unpackCarry(beat.carry)!.aggregates;
  expect(beat.observedMs).toBe(known.observedMs);
  // Given as the carry of a call, not as a heartbeat.
  const second = watch(plan, { call: { carry: beat.carry } });
  second.env.cancel();
  const report = await second.result;
  expect(report).toMatchObject({ verdict: 'cut', observedMs: known.observedMs, fail: known.probes['web']!.fail });
  expect(unpackCarry(report.carry)!.aggregates.probes['web']!.window).toEqual(known.probes['web']!.window);
});

test('paused from outside before the first look is through, it has nothing to report', async () => {
  const plan = planOf({ probes: [web(), { name: 'sync', kind: 'state-sync' }] });
  const looking = watch(plan, {
    services: { stateSync: () => new Promise(() => undefined) },
    call: { firstLook: true, returnAfterObservedMs: HOUR },
  });
  await eventually('passes', () => passes(looking) > 1);
  looking.env.cancel('PAUSED', new ActivityCancellationDetails({ paused: true }));
  await expect(looking.result).rejects.toMatchObject({ type: 'WatchPaused', nonRetryable: true });
});

describe('a first look', () => {
  const first = (plan: unknown, services: Partial<ProbeServices> = {}): Watching =>
    watch(plan, { services, call: { firstLook: true, returnAfterObservedMs: HOUR } });

  test.each([
    ['dense', {}],
    ['sparse', { intervalMs: '6h' }],
  ])('returns when every probe and the escape were looked at once (%s), and copies nothing', async (_, monitoring) => {
    let reseeds = 0;
    const plan = planOf({ ...monitoring, probes: [web(), { name: 'sync', kind: 'state-sync' }] });
    const report = await first(plan, {
      stateSync: async () => ({ verdict: 'inconclusive', why: 'fw2 leads still' }),
      escapeReady: async () => ({ ready: true }),
      reseed: async () => void reseeds++,
    }).result;
    expect(report).toMatchObject({
      verdict: 'checkpoint',
      inconclusive: 1,
      why: 'probe sync can’t tell: fw2 leads still',
      escape: { ready: true },
    });
    expect(report.pass).toBeGreaterThan(0);
    expect(reseeds).toBe(0);
  });
});

describe('what another worker knew of the way back', () => {
  const at = { currentAttemptScheduledTimestampMs: 1_800_000_000_000 };

  test('isn’t taken for known: it is looked at again at once', async () => {
    const plan = planOf({ intervalMs: '6h', escapeEveryMs: '12h', reseedEveryMs: 'never', probes: [web()] });
    let looks = 0;
    const services: Partial<ProbeServices> = { escapeReady: async () => ({ ready: ++looks > 0 }) };
    const { carry } = await watch(plan, { services, info: at }).result;
    const own = watch(plan, { services, call: { carry }, info: at });
    await expect(own.result).rejects.toMatchObject({ type: 'WatchResting' });
    const handed = unpackCarry(own.beats.at(-1)!.carry)!;
    expect(handed.due.escape).toBeGreaterThan(at.currentAttemptScheduledTimestampMs);
    looks = 0;
    const again = { info: { ...at, heartbeatDetails: own.beats.at(-1), attempt: 2 }, services };
    await expect(watch(plan, again).result).rejects.toMatchObject({ type: 'WatchResting' });
    expect(looks).toBe(0);
    const foreign = { ...own.beats.at(-1), carry: { ...(own.beats.at(-1)!.carry as object), by: 'another1' } };
    const taken = { info: { ...at, heartbeatDetails: foreign, attempt: 2 }, services };
    await expect(watch(plan, taken).result).rejects.toMatchObject({ type: 'WatchResting' });
    expect(looks).toBe(1);
  });
});

test('input that is wrong names every fault and is permanent', async () => {
  const plan = planOf({ probes: [web()] });
  const { result } = watch(
    { ...plan, monitoring: { ...plan.monitoring, probes: [] } },
    { call: { input: { serving: 1 } } },
  );
  await expect(result).rejects.toMatchObject({ type: 'InvalidInput', nonRetryable: true });
  await expect(result).rejects.toThrow(/monitoring\.probes[^]*input\.serving|input\.serving[^]*monitoring\.probes/);
});

describe('beside the probes', () => {
  test('the escape’s readiness is told at once, and its loss too; neither is a regression', async () => {
    const plan = planOf({ probes: [web()], escapeEveryMs: '1s' });
    let ready = true;
    const services: Partial<ProbeServices> = {
      escapeReady: async (context, watched) => {
        expect(watched).toMatchObject({ serving: 'fw1', escapeTo: 'fw2' });
        expect(context.step).toBe('12-watch');
        return ready ? { ready } : { ready, why: 'sudo refused' };
      },
    };
    const first = await watch(plan, { services }).result;
    expect(first).toMatchObject({ verdict: 'checkpoint', escape: { ready: true } });
    ready = false;
    const second = await watch(plan, { services, call: { carry: first.carry } }).result;
    expect(second).toMatchObject({ verdict: 'checkpoint', escape: { ready: false, why: 'sudo refused' } });
  });

  test('an escape that can’t be checked isn’t ready', async () => {
    const services: Partial<ProbeServices> = { escapeReady: () => Promise.reject(new Error('fw2 doesn’t answer')) };
    const report = await watch(planOf({ probes: [web()] }), { services }).result;
    expect(report.escape).toMatchObject({ ready: false, why: 'it couldn’t be checked: fw2 doesn’t answer' });
  });

  test('the standby is reseeded again and again; when it fails twice in a row that is told', async () => {
    const plan = planOf({ probes: [web()], reseedEveryMs: '1s' });
    let times = 0;
    const services: Partial<ProbeServices> = {
      reseed: () => (++times < 3 ? Promise.resolve() : Promise.reject(new Error('conntrackd is down'))),
    };
    const report = await watch(plan, { services }).result;
    expect(times).toBe(4);
    expect(report).toMatchObject({
      verdict: 'checkpoint',
      why: 'reseeding the standby failed 2 times in a row: conntrackd is down',
    });
  });

  test('what was in flight is told to end and awaited before the watch returns', async () => {
    let ended = false;
    let began = false;
    const services: Partial<ProbeServices> = {
      reseed: (context) =>
        new Promise((_, reject) => {
          began = true;
          context.signal.addEventListener('abort', () =>
            setTimeout(() => {
              ended = true;
              reject(new Error('cut'));
            }, 50),
          );
        }),
    };
    const watching = watch(planOf({ probes: [web()] }), { services });
    await eventually('reseeding', () => began);
    watching.env.cancel();
    await watching.result;
    expect(ended).toBe(true);
  });

  test('probes of other folders are asked, and their word counts', async () => {
    const plan = planOf({
      probes: [
        { name: 'bgp', kind: 'bgp', router: 'edge', peers: ['10.0.0.1'], intervalMs: '100ms' },
        { name: 'sync', kind: 'state-sync', intervalMs: '100ms' },
      ],
    });
    const services: Partial<ProbeServices> = {
      bgp: async (context, probe) => {
        expect(context.plan).toEqual(plan);
        return probe.router === 'edge' ? { verdict: 'pass' } : { verdict: 'inconclusive' };
      },
      stateSync: async (_context, _probe, watched) => ({
        verdict: 'fail',
        why: `12 flows of ${watched?.serving} are missing on ${watched?.escapeTo}`,
      }),
    };
    const report = await watch(plan, { services }).result;
    expect(report).toMatchObject({
      verdict: 'regression',
      why: expect.stringContaining('12 flows of fw1 are missing on fw2') as string,
    });
    expect(report.pass).toBeGreaterThan(0);
  });
});

describe('a probe that is certain of its fail', () => {
  type Found = Awaited<ReturnType<NonNullable<ProbeServices['stateSync']>>>;
  const down: Found = { verdict: 'fail', why: 'nobody serves', certain: true };
  const sync = { name: 'sync', kind: 'state-sync', intervalMs: '1h' };
  /** Each look finds the next of these, the last one for ever. */
  const finds = (...found: readonly Found[]) => {
    const looks: number[] = [];
    const stateSync = async (): Promise<Found> => found[Math.min(looks.push(Date.now()), found.length) - 1]!;
    return { looks, services: { stateSync } };
  };

  test.each([
    ['dense', () => [sync, web()]],
    ['sparse', () => [sync]],
  ])('is a regression after one look more (%s)', async (_, probes) => {
    const { looks, services } = finds(down);
    const report = await watch(planOf({ probes: probes() }), { services }).result;
    expect(report).toMatchObject({
      verdict: 'regression',
      why: 'probe sync failed, and there is no doubt: nobody serves',
    });
    expect(looks).toHaveLength(2);
    expect(looks[1]! - looks[0]!).toBeGreaterThanOrEqual(990);
  });

  test.each([
    ['passes', { verdict: 'pass' }, 0],
    ['is a fail like others', { verdict: 'fail', why: 'something else' }, 1],
    ['says nothing', { verdict: 'inconclusive', why: 'no answer' }, 1],
  ] as const)('isn’t if that one %s', async (_, second, fails) => {
    const { looks, services } = finds(down, second);
    const watching = watch(planOf({ probes: [sync, web()] }), { services });
    await eventually('looked twice', () => looks.length === 2 && passes(watching) > 20);
    watching.env.cancel();
    expect(await watching.result).toMatchObject({ verdict: 'cut', fail: fails });
  });
});

describe('blind probes', () => {
  test('are told with why; their time isn’t observed, and nothing is a regression', async () => {
    const plan = planOf(
      { probes: [web(), web({ name: 'far', from: 'client' })] },
      { client: { address: '192.0.2.1', user: 'x', credentials: 'env:X' } },
    );
    const report = await watch(plan).result;
    expect(report).toMatchObject({ verdict: 'checkpoint', observedMs: 0, fail: 0 });
    expect(report.why).toMatch(/^probe far is blind for .*no host is reached in this test/);
  });

  test('one that hangs is inconclusive', async () => {
    const plan = planOf({ probes: [{ name: 'sync', kind: 'state-sync', intervalMs: '200ms' }] });
    const report = await watch(plan, { services: { stateSync: () => new Promise(() => undefined) } }).result;
    expect(report.why).toContain('probe sync is blind');
    expect(report.inconclusive).toBeGreaterThan(0);
  });
});

test('a heartbeat stays below 8 KB and says in words how it goes', async () => {
  const watching = watch(
    planOf({
      probes: Array.from({ length: 32 }, (_, i) => web({ name: `probe-number-${i}-of-thirty-two`, intervalMs: '1s' })),
    }),
  );
  await eventually('all answered', () => /32 of 32/.test(watching.beats.at(-1)?.watching ?? ''));
  expect(Buffer.byteLength(JSON.stringify(watching.beats.at(-1)))).toBeLessThan(CARRY_LIMIT_BYTES + 300);
  watching.env.cancel();
  await watching.result;
});

describe('sparse probes', () => {
  const START = 1_800_000_000_000;
  const plan = (): unknown =>
    planOf({ intervalMs: '6h', escapeEveryMs: '12h', reseedEveryMs: '24h', checkpointEveryMs: '30d', probes: [web()] });

  /** The server's part: an attempt ends, it waits, and schedules the next with the last heartbeat. */
  async function attempts(
    limit: number,
    options: Parameters<typeof watch>[1] & { readonly each?: (round: number) => Promise<void> | void } = {},
  ): Promise<{ report: WatchFinding | undefined; rounds: number; at: number }> {
    let at = START;
    let heartbeatDetails: unknown;
    for (let round = 1; round <= limit; round++) {
      await options.each?.(round);
      const one = watch(plan(), {
        ...options,
        info: { currentAttemptScheduledTimestampMs: at, attempt: round, heartbeatDetails },
      });
      try {
        return { report: await one.result, rounds: round, at };
      } catch (error) {
        const failure = error as ApplicationFailure;
        if (failure.type !== 'WatchResting') throw error;
        expect(failure).toMatchObject({ category: 'BENIGN', nonRetryable: false });
        expect(failure.message).toMatch(/^not a failure/);
        heartbeatDetails = one.beats.at(-1);
        at += Number(failure.nextRetryDelay);
      }
    }
    return { report: undefined, rounds: limit, at };
  }

  test('rest between their rounds, and observe ten days in forty of them', async () => {
    let reseeds = 0;
    let checks = 0;
    const done = await attempts(200, {
      call: { returnAfterObservedMs: 240 * HOUR },
      services: {
        reseed: async () => void reseeds++,
        escapeReady: async () => ({ ready: ++checks > 0 }),
      },
    });
    // The first word on the escape is news; the core calls again, with what is carried.
    expect(done).toMatchObject({ rounds: 1, report: { escape: { ready: true } } });
    const rest = await attempts(200, {
      call: { returnAfterObservedMs: 240 * HOUR, carry: done.report?.carry },
      services: {
        reseed: async () => void reseeds++,
        escapeReady: async () => ({ ready: ++checks > 0 }),
      },
    });
    expect(rest).toMatchObject({
      rounds: 41,
      at: START + 240 * HOUR,
      report: { verdict: 'checkpoint', observedMs: 240 * HOUR, pass: 41 },
    });
    expect(reseeds).toBe(1 + 11);
    expect(checks).toBe(1 + 21);
  });

  test('find a regression in as many rounds as are tolerated', async () => {
    const done = await attempts(200, {
      each: async (round) => {
        if (round === 5) await server.close();
      },
    });
    expect(done).toMatchObject({ rounds: 7, report: { verdict: 'regression', pass: 4, fail: 3 } });
  });

  test('don’t count days in which no worker came', async () => {
    const first = watch(plan(), { info: { currentAttemptScheduledTimestampMs: START } });
    await expect(first.result).rejects.toMatchObject({ type: 'WatchResting' });
    const second = watch(plan(), {
      info: { currentAttemptScheduledTimestampMs: START + 48 * HOUR, attempt: 2, heartbeatDetails: first.beats.at(-1) },
    });
    await expect(second.result).rejects.toMatchObject({ type: 'WatchResting' });
    expect(unpackCarry(second.beats.at(-1)?.carry)?.aggregates.observedMs).toBe(0);
  });

  test('are cut as others are', async () => {
    const watching = watch(planOf({ intervalMs: '6h', probes: [{ name: 'sync', kind: 'state-sync' }] }), {
      services: { stateSync: () => new Promise(() => undefined) },
    });
    watching.env.cancel();
    expect(await watching.result).toMatchObject({ verdict: 'cut', pass: 0 });
  });
});

describeWithSshd('from a host', () => {
  const mark = `watch-${process.pid}`;
  let bench: SshBench;
  beforeAll(async () => {
    bench = await sshBench(mark);
  });
  afterAll(() => bench.close());

  test('a lost connection doesn’t become a regression; when it ends nothing is left on the host', async () => {
    // Long enough that a busy machine isn't taken for a server that doesn't answer.
    const patient = { from: 'client', intervalMs: '3s', timeoutMs: '2700ms' };
    const plan = planOf(
      {
        probes: [
          web(patient),
          { name: 'load', kind: 'command', argv: ['cat', '/proc/loadavg'], bound: { min: 0 }, ...patient },
        ],
      },
      { client: bench.host },
    );
    const watching = watch(plan, { services: bench.services });
    await eventually('passes', () => passes(watching) > 3);
    bench.sshd.dropConnections();
    await eventually('blind for a moment', () => totalOf(watching, 'inconclusive') > 0);
    const before = passes(watching);
    await eventually('passes again', () => passes(watching) > before + 3);
    watching.env.cancel();
    expect(await watching.result).toMatchObject({ verdict: 'cut', fail: 0 });
    await eventually('nothing left', () => marked(mark).length === 0);
  });
});
