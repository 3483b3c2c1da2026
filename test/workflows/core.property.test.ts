/**
 * Random faults, durations, clicks and regressions over the whole procedure on the in-memory runtime. In every run the
 * promises hold, and every run ends or waits for people. A failing run prints its seed.
 */
import fc from 'fast-check';
import { pairRun, type PairRun } from '../support/pair-run';
import type { Node } from '../support/pair-world';
import { RUNS, cleaned, mischiefOf, play, scenario, type Scenario } from '../support/scenario';

// test:all asks for ten times as many runs.
jest.setTimeout(900_000);

const runOf = (s: Scenario): Promise<PairRun> => pairRun(mischiefOf<Node>(s, ({ release }) => release === '2.0'));

it('keeps its promises in every run, and every run ends', async () => {
  const endings: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(scenario, async (s) => {
      const run = await runOf(s);
      const { ending, skipped } = await play(run, s);
      endings[ending] = (endings[ending] ?? 0) + 1;
      const { world } = run;
      const releases = Object.values(world.nodes).map((n) => n.release);
      expect(world.broken).toEqual([]);
      if (ending === 'Completed') expect([world.serving, ...releases]).toEqual(['fw1', '2.0', '2.0']);
      if (ending === 'Cancelled' && !skipped) expect([world.serving, ...releases]).toEqual(['fw1', '1.0', '1.0']);
      // Stopped and rolled back to a savepoint may leave mixed releases, but never a half-done move unless a person stopped it there.
      if (ending === 'RolledBack') expect(world.serving).not.toBe('split');
    }),
    { numRuns: RUNS },
  );
  // The generator must reach every ending, else it proves little.
  expect(Object.keys(endings).sort()).toEqual(['Cancelled', 'Completed', 'RolledBack', 'Stopped']);
});

it('a clean run completes whatever the durations', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (s) => {
      const clean = cleaned(s);
      expect((await play(await runOf(clean), clean)).ending).toBe('Completed');
    }),
    { numRuns: Math.ceil(RUNS / 10) },
  );
});
