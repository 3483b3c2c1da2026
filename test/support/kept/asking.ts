/** Gates, pauses and watches under way. */
import type { KeptRun } from './run';
import { A_DAY_MS, EVERY, fails, gate, monitoring, policy, type Scenario } from './scenario';

const toPause = async (run: KeptRun): Promise<void> => {
  await run.asked('start');
  await run.say('pause', 'lunch');
  await run.asked('pause');
  await run.approve('start');
};

const open: readonly Scenario[] = [
  { what: 'at-gate', kinds: EVERY, play: async (run) => void (await run.asked('start')), ends: 'open' },
  {
    what: 'at-second-gate',
    kinds: EVERY,
    play: async (run, { gates }) => {
      await run.approve('start');
      await run.asked(gates[1]);
    },
    ends: 'open',
  },
  {
    what: 'at-gate-in-watch',
    kinds: EVERY,
    play: async (run, { beforeWatch, inWatch }) => {
      await run.approve(...beforeWatch);
      await run.asked(inWatch);
    },
    ends: 'open',
  },
  {
    what: 'in-step',
    kinds: EVERY,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: ['hang'] } }),
    play: async (run, { step }) => {
      await run.approve('start');
      await run.script.hangs(`${step}.act`);
    },
    ends: 'open',
  },
  {
    what: 'monitoring',
    kinds: EVERY,
    setting: () => ({ change: monitoring(30 * A_DAY_MS) }),
    play: (run) => run.toWatch(),
    ends: 'open',
  },
  { what: 'paused', kinds: EVERY, play: toPause, ends: 'open' },
  {
    what: 'paused-in-watch',
    kinds: EVERY,
    setting: () => ({ change: monitoring(30 * A_DAY_MS) }),
    play: async (run) => {
      await run.toWatch();
      await run.say('pause', 'lunch');
      await run.asked('pause');
    },
    ends: 'open',
  },
];

const pausing: readonly Scenario[] = [
  {
    what: 'paused-resumed',
    kinds: EVERY,
    play: async (run) => {
      await toPause(run);
      await run.say('resume', 'back');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'paused-in-step',
    kinds: EVERY,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: ['hang'] } }),
    play: async (run, { step }) => {
      await run.approve('start');
      await run.script.hangs(`${step}.act`);
      await run.say('pause', 'let me look');
      await run.asked('pause');
      run.script.letGo(`${step}.act`);
      await run.until(({ step: { name } }) => name !== '');
      await run.answer('pause', 'resume', { comment: 'by its ID' });
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'paused-held-cancelled',
    kinds: EVERY,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: [fails()] } }),
    play: async (run) => {
      await run.approve('start');
      await run.asked('hold');
      await run.say('pause', 'and now this');
      await run.asked('pause');
      await run.answer('hold', 'retry');
      await run.handle.cancel();
    },
    ends: 'Cancelled',
  },
  {
    what: 'clicked',
    kinds: EVERY,
    play: async (run) => {
      await run.asked('start');
      for (let i = 0; i < 60; i++) {
        await run.say('pause', `click ${i}`);
        await run.say('resume', `click ${i}`);
      }
      // Two pauses in a row, and a resume of nothing: refused.
      await run.say('pause');
      await run.say('pause');
      await run.say('resume');
      await run.say('resume');
      await run.through();
    },
    ends: 'Completed',
  },
];

const gates: readonly Scenario[] = [
  {
    what: 'start-rejected',
    kinds: EVERY,
    play: (run) => run.answer('start', 'reject', { comment: 'not today' }),
    ends: 'RolledBack',
  },
  {
    what: 'gate-rejected',
    kinds: EVERY,
    play: async (run, { gates }) => {
      await run.approve('start');
      await run.answer(gates[1], 'reject', { comment: 'not yet' });
      await run.asked('hold');
    },
    ends: 'open',
  },
  {
    what: 'gate-rejected-retried',
    kinds: EVERY,
    play: async (run, { gates }) => {
      await run.approve('start');
      await run.answer(gates[1], 'reject', { comment: 'not yet' });
      await run.answer('hold', 'retry');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'gate-that-expires',
    kinds: EVERY,
    setting: () => ({ change: gate('start', { expiresAfterMs: 30 * A_DAY_MS, onExpiry: 'roll-back' }) }),
    play: async (run) => void (await run.asked('start')),
    ends: 'open',
  },
  {
    what: 'gate-expired-held',
    kinds: EVERY,
    setting: () => ({ change: gate('start', { expiresAfterMs: 1_000 }) }),
    play: async (run) => void (await run.asked('hold')),
    ends: 'open',
  },
  {
    what: 'gate-expired-stopped',
    kinds: EVERY,
    setting: () => ({ change: gate('start', { expiresAfterMs: 1_000, onExpiry: 'stop' }) }),
    play: async (run) => void (await run.ended()),
    ends: 'Stopped',
  },
  {
    what: 'gate-expired-rolled-back',
    kinds: EVERY,
    setting: () => ({ change: gate('start', { expiresAfterMs: 1_000, onExpiry: 'roll-back' }) }),
    play: async (run) => void (await run.ended()),
    ends: 'RolledBack',
  },
  {
    what: 'two-approvers',
    kinds: EVERY,
    setting: () => ({ change: gate('start', { count: 2, notRequester: true, from: ['ann', 'bob', 'rita'] }) }),
    play: async (run) => {
      const { id: opening, digest } = await run.asked('start');
      for (const by of ['ann', 'ann', 'rita', 'mallory'])
        await run.handle.signal('approve', { opening, digest: digest.slice(0, 12), by });
      await run.until(({ refused }) => refused.length === 3);
      await run.answer('start', 'approve', { by: 'bob' });
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'one-of-two-approved',
    kinds: EVERY,
    setting: () => ({ change: gate('start', { count: 2 }) }),
    play: (run) => run.approve('start'),
    ends: 'open',
  },
  {
    what: 'without-gates',
    kinds: EVERY,
    setting: () => ({ change: policy({ gates: {} }) }),
    play: async (run) => void (await run.ended()),
    ends: 'Completed',
  },
];

export const asking: readonly Scenario[] = [...open, ...pausing, ...gates];
