import { record, Run, type Body } from '../../workflows/procedure';
import { CallFailed, type PlanBase } from '../../workflows/procedure/types';
import { MemoryRuntime, type ActivityContext, type MemoryActivity } from '../support/memory-runtime';
import { pairPlan } from '../support/pair-run';

/** Three steps under a guard, the point of no return in their middle, and one after it. */
const body: Body<PlanBase> = async ({ step, guarding, pointOfNoReturn }) => {
  await step('Pause', { type: 'world.pause', input: {} });
  await guarding(
    { name: 'Stays paused', action: { type: 'world.stays', input: {} } },
    { remedy: { type: 'world.again', input: {} } },
    async () => {
      await step('First', { type: 'world.first', input: {} });
      await pointOfNoReturn('no way back');
      await step('Second', { type: 'world.second', input: {} });
    },
  );
  await step('Last', { type: 'world.last', input: {} });
};

/** Each act takes 100 s; the pause is lost at the given times. */
async function start(lostAtMs: readonly number[], remedy: () => object = () => ({})) {
  const said: string[] = [];
  const losses = [...lostAtMs];
  const activities: Record<string, MemoryActivity> = {
    'core.digest': () => Promise.resolve('b'.repeat(64)),
    'world.stays.check': async (_: never, context: ActivityContext) => {
      const counts = { observedMs: 0, pass: 0, fail: 0, inconclusive: 0 };
      while (!context.signal.aborted) {
        if (runtime.now() >= (losses[0] ?? Infinity)) {
          losses.shift();
          return { verdict: 'regression', why: 'ss2 replays', ...counts };
        }
        await context.sleep(1_000);
      }
      return { verdict: 'cut', ...counts };
    },
    'world.again.act': () => {
      said.push('again');
      const outcome = remedy();
      return outcome instanceof Error
        ? Promise.reject(outcome)
        : Promise.resolve({ summary: 'paused again', ...outcome });
    },
    ...Object.fromEntries(
      ['pause', 'first', 'second', 'last'].flatMap((name) => [
        [`world.${name}.observe`, () => Promise.resolve({})],
        [
          `world.${name}.act`,
          async (_: never, context: ActivityContext) => {
            for (let i = 0; i < 100; i++) {
              if (context.signal.aborted) {
                said.push(`${name} cut`);
                throw context.signal.reason as Error;
              }
              await context.sleep(1_000);
            }
            said.push(name);
            return { summary: name };
          },
        ],
        [
          `world.${name}.undo`,
          () => {
            said.push(`undo ${name}`);
            return Promise.resolve({ summary: '' });
          },
        ],
      ]),
    ),
  };
  const runtime: MemoryRuntime = new MemoryRuntime(activities);
  const plan: PlanBase = pairPlan();
  const run = new Run({ runtime, body, plan, items: await record(body, plan), planDigest: 'a'.repeat(64) });
  const ending = run.toTheEnd().then((end) => ('ending' in end ? end.ending : 'continued'));
  const hold = () => run.state.openings.find((o) => o.outcome === undefined);
  const answer = async (choice: string, more: object = {}): Promise<void> => {
    await runtime.drive(runtime.waitFor(() => hold() !== undefined));
    const { id, digest } = hold()!;
    runtime.send('decide', { opening: id, digest: digest.slice(0, 12), by: 'ann', choice, ...more });
  };
  return { said, runtime, run, ending, hold, answer };
}

describe('a guard', () => {
  it('is in the recorded list, and ends with its body', async () => {
    const { said, runtime, run, ending } = await start([]);
    expect(await runtime.drive(ending)).toBe('Completed');
    expect(run.state.items.map(({ item }) => item.kind)).toEqual([
      ...['step', 'guard', 'step', 'no-return', 'step', 'guard-end', 'step'],
    ]);
    expect(said).toEqual(['pause', 'first', 'second', 'last']);
    expect(run.state.guard?.state).toBe('ended');
  });

  it('cuts what is in flight, puts it right, and goes on where it was, without asking', async () => {
    const { said, runtime, run, ending } = await start([150_000, 260_000]);
    expect(await runtime.drive(ending)).toBe('Completed');
    expect(said).toEqual(['pause', 'first cut', 'again', 'first', 'second cut', 'again', 'second', 'last']);
    expect(run.state.openings).toEqual([]);
    expect(run.state.remedies).toMatchObject([{ why: 'ss2 replays' }, { result: { summary: 'paused again' } }]);
  });

  it('asks people when it happens again and again', async () => {
    const { runtime, hold, ending, answer, said } = await start([110_000, 120_000, 130_000, 140_000]);
    await runtime.drive(runtime.waitFor(() => hold() !== undefined));
    expect(hold()?.question).toBe(
      'ss2 replays. It has been mended, 3 times in this run by now: find out why it happens. What now?',
    );
    // It goes on guarding while people think.
    await runtime.drive(runtime.waitFor(() => said.filter((s) => s === 'again').length === 4 && hold() !== undefined));
    await answer('retry');
    expect(await runtime.drive(ending)).toBe('Completed');
  });

  it('asks people when the remedy says so, and offers no way back behind the point of no return', async () => {
    const { runtime, hold, ending, answer } = await start([250_000], () => ({ attention: 'ss2 ran ahead' }));
    await runtime.drive(runtime.waitFor(() => hold() !== undefined));
    expect(hold()).toMatchObject({
      question: 'ss2 replays. ss2 ran ahead. What now?',
      choices: ['retry', 'stop'],
    });
    await answer('retry');
    expect(await runtime.drive(ending)).toBe('Completed');
  });

  it('asks once when the remedy fails, and tries it again with the way forward', async () => {
    const failures = [new CallFailed('Unreachable', 'ss2 is down')];
    const { said, runtime, hold, ending, answer } = await start([150_000], () => failures.pop() ?? {});
    await runtime.drive(runtime.waitFor(() => hold() !== undefined));
    expect(hold()).toMatchObject({
      question: 'ss2 replays. Mending it FAILED: ss2 is down. What now?',
      choices: ['retry', 'roll-back', 'stop'],
    });
    await answer('retry');
    expect(await runtime.drive(ending)).toBe('Completed');
    expect(said).toEqual(['pause', 'first cut', 'again', 'again', 'first', 'second', 'last']);
  });

  it('has ended before what it looks after is undone', async () => {
    const failing = await start([150_000], () => ({ attention: 'look at it' }));
    await failing.answer('roll-back', { to: 'start' });
    expect(await failing.runtime.drive(failing.ending)).toBe('RolledBack');
    expect(failing.said).toEqual(['pause', 'first cut', 'again', 'undo first', 'undo pause']);
    expect(failing.run.state.guard?.state).toBe('ended');
  });
});
