import { untilInSync, type Comparing } from '../../../activities/state-sync/comparing';
import type { FlowDifference } from '../../../activities/state-sync/compare';
import { stateSyncSpec } from '../../../activities/state-sync/spec';

const names = { from: 'south', to: 'north' };
const pauses = { pause: () => Promise.resolve(), progress: () => undefined };
const found = (change: Partial<FlowDifference>): FlowDifference => ({
  flows: 5_000,
  missing: 0,
  translatedDifferently: 0,
  aged: 0,
  late: 0,
  extra: 0,
  samples: [],
  ...change,
});

/** Compares as it is told, the last for ever. Counts the comparisons and how often flows were sent again. */
async function run(differences: readonly Partial<FlowDifference>[], settings: object = {}) {
  const spec = stateSyncSpec.parse({ driver: 'conntrackd', variant: 'direct', ...settings });
  const counts = { compared: 0, sent: 0 };
  const comparison: Comparing = {
    readSender: () => Promise.resolve(),
    difference: () => Promise.resolve(found(differences[Math.min(counts.compared++, differences.length - 1)] ?? {})),
  };
  const again = (): Promise<void> => Promise.resolve(void (counts.sent += 1));
  const outcome = await untilInSync(pauses, comparison, spec, names, again).then(
    () => 'in sync',
    (error: Error) => error.message,
  );
  return { outcome, ...counts };
}

describe('comparing until in sync', () => {
  it.each([
    ['nothing is behind', [{}], { compared: 2, sent: 0 }],
    [
      'others are behind each time, which are sent again',
      [{ missing: 9 }, { late: 7 }, { late: 8 }],
      { compared: 3, sent: 2 },
    ],
    ['one stayed behind once', [{}, { aged: 1 }, {}], { compared: 4, sent: 1 }],
  ])('is over when %s', async (_what, differences, counts) => {
    expect(await run(differences)).toEqual({ outcome: 'in sync', ...counts });
  });

  it('fails with what stays behind, by name, and with the setting that would tolerate it', async () => {
    const { outcome, compared, sent } = await run([{ missing: 1, samples: ['missing: tcp src=10.8.0.1'] }], {
      settleTimeoutMs: 0,
    });
    expect(outcome).toBe(
      'north doesn’t have the sessions of south: 1 of 5000 flows are missing (tolerated: 0), comparison after comparison, as “missing: tcp src=10.8.0.1”. It must not serve; look at conntrackd’s log on both nodes. If so many don’t matter: stateSync.tolerance in the inventory',
    );
    expect(compared - sent).toBe(1);
    expect(await run([{ missing: 1 }], { tolerance: { missing: 1 } })).toMatchObject({ outcome: 'in sync' });
  });
});
