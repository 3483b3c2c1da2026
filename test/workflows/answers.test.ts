/** Activities answered from outside (`temporal activity complete`): with anything, in place of their worker. */
import fc from 'fast-check';
import { firewallPair } from '../../workflows/upgrade-firewall-pair';
import { misfitOfReport } from '../../workflows/procedure/answers';
import { publishedView } from '../../workflows/procedure/details';
import { reportView } from '../../workflows/procedure/report';
import { statusView } from '../../workflows/procedure/views';
import { modelRun } from '../support/model-run';
import { goodWorld } from '../support/model-world';
import { pairPlan, type PairRun } from '../support/pair-run';
import { PairWorld } from '../support/pair-world';
import { mischiefOf, play, RUNS, scenario, type Scenario } from '../support/scenario';

/** A run of a pair, some of whose calls are answered by somebody else: `answer` says with what, or undefined. */
function outsideRun(
  answer: (activity: string, call: number) => { readonly with: unknown } | undefined,
  world = new PairWorld(goodWorld),
): Promise<PairRun> {
  const activities = Object.fromEntries(
    Object.entries(world.activities).map(([name, activity]) => {
      let calls = 0;
      return [
        name,
        async (...given: Parameters<typeof activity>) => {
          const instead = answer(name, ++calls);
          return instead === undefined ? activity(...given) : instead.with;
        },
      ];
    }),
  );
  return modelRun(Object.assign(world, { activities }), firewallPair, pairPlan());
}
const first =
  (activity: string, value: unknown, nth = 1) =>
  (name: string, call: number) =>
    name === activity && call === nth ? { with: value } : undefined;

async function approve(run: PairRun, ...openings: string[]): Promise<void> {
  for (const id of openings) {
    await run.until(() => run.open() === id);
    run.answer('approve');
  }
}

const counts = { observedMs: 1_000, pass: 1, fail: 0, inconclusive: 0 };
const fine = { verdict: 'checkpoint', ...counts };

describe('a watch that somebody answers for', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 5],
    ['a text', 'x'],
    ['no fields', {}],
    ['a verdict of its own', { ...fine, verdict: 'fine' }],
    ['a time in words', { ...fine, observedMs: 'x' }],
    ['a time before the beginning', { ...fine, observedMs: -1 }],
    ['no counts', { verdict: 'checkpoint', observedMs: 1_000 }],
    ['an escape of null', { ...fine, escape: null }],
    ['an escape in words', { ...fine, escape: 'ready' }],
    ['nodes in words', { ...fine, nodes: { fw1: 'fine' } }],
  ])('%s: nobody watches, traffic stays, and the next look counts', async (_what, value) => {
    const run = await outsideRun(first('probes.watch.check', value));
    await approve(run, 'start#1', 'return#1');
    await run.until(() => run.run.state.watch?.state === 'blind');
    expect(run.run.state.watch?.why).toMatch(/is no report \(.*completed it from outside/);
    expect(run.run.state.watch?.observedMs).toBe(0);
    expect(run.world.serving).toBe('fw2');
    await approve(run, 'finish#1');
    expect(await run.runtime.drive(run.ending)).toBe('Completed');
  });

  it('in a run that began before, only what it couldn’t go on with is refused', () => {
    expect([null, { ...fine, escape: null }, { ...fine, owned: null }].map((v) => misfitOfReport(v, false))).toEqual(
      Array(3).fill(expect.any(String)),
    );
    expect([undefined, 5, 'x', {}, fine].filter((v) => misfitOfReport(v, false) !== undefined)).toEqual([]);
    expect(misfitOfReport({ heldBack: true, why: 'paused' }, true)).toBeUndefined();
  });
});

describe('a step that somebody answers for', () => {
  it.each([
    ['packages.install.act', null],
    ['packages.install.act', 'done'],
    ['packages.install.act', { changed: true }],
    ['packages.install.act', { summary: 'done', changed: 'yes' }],
    ['packages.install.act', { summary: 'done', nodes: { fw1: null } }],
    ['packages.install.observe', null],
    ['parity.snapshot.check', 5],
    ['parity.snapshot.check', { summary: 'ok', waived: ['dns'], by: ['ann'], reason: 'so' }],
  ])('%s with %j: failed, people are asked, and a retry does it', async (activity, value) => {
    const run = await outsideRun(first(activity, value));
    const toHold = async (): Promise<void> => {
      for (;;) {
        await run.until(() => run.open() !== undefined);
        if (run.open() === 'hold#1') return;
        run.answer('approve');
      }
    };
    await toHold();
    expect(run.run.state.openings.at(-1)?.question).toMatch(/is no result of it .*What it did is not known/);
    run.answer('retry');
    while (!['finish#1'].includes(run.open() ?? '')) {
      await run.until(() => run.open() !== undefined);
      if (run.open() !== 'finish#1') run.answer('approve');
    }
    run.answer('approve');
    expect(await run.runtime.drive(run.ending)).toBe('Completed');
    expect(Object.values(run.world.nodes).map(({ release }) => release)).toEqual(['2.0', '2.0']);
    expect(run.world.broken).toEqual([]);
  });

  it('a digest that is none is asked for again', async () => {
    const run = await outsideRun(first('core.digest', { junk: true }));
    await run.until(() => run.open() === 'start#1');
    expect(run.run.state.openings[0]?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(run.runtime.now()).toBeGreaterThanOrEqual(10_000);
  });

  it('which run it is, after a reset, is asked again', async () => {
    let asked = 0;
    const world = new PairWorld(goodWorld);
    const run = await modelRun(
      Object.assign(world, {
        activities: {
          ...world.activities,
          'core.whoami': async () => (++asked === 1 ? null : { runId: 'run-2' }),
          'core.afterReset': async () => ({ lastCall: 0, steps: [] }),
        },
      }),
      firewallPair,
      pairPlan(),
    );
    await run.until(() => run.open() === 'start#1');
    run.runtime.runId = 'run-2';
    run.answer('approve');
    await run.until(() => run.run.state.takenOver.length > 0);
    expect(asked).toBe(2);
    expect(run.run.state.identity?.executing).toBe('run-2');
  });
});

it('whatever is answered, and for whom: the run comes to its end, and can be looked at', async () => {
  const junk = fc.array(fc.record({ call: fc.integer({ min: 1, max: 4 }), value: fc.jsonValue({ maxDepth: 3 }) }), {
    maxLength: 6,
  });
  const names = Object.keys(new PairWorld(goodWorld).activities).filter((name) => name !== 'core.digest');
  const picks = fc.array(fc.constantFrom(...names), { minLength: 6, maxLength: 6 });
  const property = async (
    s: Scenario,
    answers: typeof junk extends fc.Arbitrary<infer T> ? T : never,
    at: string[],
  ) => {
    const run = await outsideRun(
      (name, call) => {
        const one = answers.find((a, i) => at[i] === name && a.call === call);
        return one === undefined ? undefined : { with: one.value };
      },
      new PairWorld(mischiefOf(s, ({ release }) => release === '2.0')),
    );
    await play(run, s);
    expect(JSON.stringify([statusView(run.run), reportView(run.run), publishedView(run.run, true)])).not.toContain(
      'NaN',
    );
  };
  await fc.assert(fc.asyncProperty(scenario, junk, picks, property), { numRuns: Math.ceil(RUNS / 5) });
});
