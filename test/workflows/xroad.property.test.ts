/**
 * Random faults, durations, clicks, regressions and restarts of databases over the whole X-Road procedure, in memory. In every
 * run the invariants of facts/x-road.md section 7 hold, and every run ends or waits for people.
 */
import fc from 'fast-check';
import { clusterRun, type ClusterRun } from '../support/cluster-run';
import type { ClusterNode, Restarts } from '../support/cluster-world';
import { RUNS, cleaned, mischiefOf, play, scenario, type Scenario } from '../support/scenario';

// A run of it costs ten times as much as one of a pair.
jest.setTimeout(900_000);

const restarts: fc.Arbitrary<Restarts> = fc.array(
  fc.record({ atMs: fc.integer({ min: 0, max: 800_000 }), node: fc.constantFrom('ss2' as const, 'ss3' as const) }),
  { maxLength: 2 },
);
const mode = fc.constantFrom('rolling' as const, 'rolling' as const, 'offline' as const);
const runOf = (s: Scenario, more: Parameters<typeof clusterRun>[1]): Promise<ClusterRun> =>
  clusterRun(
    mischiefOf<ClusterNode>(s, ({ release }) => release === 'new'),
    more,
  );

// Its list is three times as long as the pair’s: fewer runs.
const inService = { running: true, masked: false, inService: true, maintenance: false, replays: true, copies: true };
const old = { release: 'old', schema: 'old', installing: false, ...inService };
const upgraded = { release: 'new', schema: 'new', installing: false, ...inService };

it('keeps old code from the new schema and never takes two nodes out, whatever happens', async () => {
  const endings: Record<string, number> = {};
  let remedies = 0;
  await fc.assert(
    fc.asyncProperty(scenario, restarts, mode, async (s, lost, how) => {
      const run = await runOf(s, { restarts: lost, mode: how });
      const { ending, skipped } = await play(run, s);
      endings[ending] = (endings[ending] ?? 0) + 1;
      remedies += run.run.state.remedies.length;
      expect(run.world.broken).toEqual([]);
      const nodes = Object.values(run.world.nodes);
      if (ending === 'Completed') expect(nodes).toEqual(nodes.map(() => upgraded));
      if (ending === 'Cancelled' && !skipped) expect(nodes).toEqual(nodes.map(() => old));
      // Behind the point of no return nothing leads back.
      if (ending === 'Cancelled' || ending === 'RolledBack') expect(run.run.state.noReturnBehind).toBe(false);
    }),
    { numRuns: Math.ceil(RUNS / 10) },
  );
  // The generator must reach every ending and the remedy, else it proves little.
  expect(Object.keys(endings).sort()).toEqual(['Cancelled', 'Completed', 'RolledBack', 'Stopped']);
  expect(remedies).toBeGreaterThan(RUNS / 200);
});

it('a clean run completes whatever the durations, also when databases restart under it', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, mode, async (s, how) => {
      const clean = cleaned(s);
      expect((await play(await runOf(clean, { mode: how }), clean)).ending).toBe('Completed');
    }),
    { numRuns: Math.ceil(RUNS / 50) },
  );
});
