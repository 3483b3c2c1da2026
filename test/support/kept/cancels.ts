/** Runs that people cancel, wherever they are. */
import { A_DAY_MS, aFailedStep, EVERY, fails, FIREWALLS, monitoring, toHold, XROAD, type Scenario } from './scenario';

export const cancels: readonly Scenario[] = [
  {
    what: 'cancelled',
    kinds: EVERY,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: ['hang'] } }),
    play: async (run, { step }) => {
      await run.approve('start');
      await run.script.hangs(`${step}.act`);
      await run.handle.cancel();
    },
    ends: 'Cancelled',
  },
  {
    what: 'cancelled-at-gate',
    kinds: EVERY,
    play: async (run) => {
      await run.asked('start');
      await run.handle.cancel();
    },
    ends: 'Cancelled',
  },
  {
    what: 'cancelled-while-resolving',
    kinds: EVERY,
    setting: () => ({ turns: { 'plan.resolve': ['hang'] } }),
    play: async (run) => {
      await run.script.hangs('plan.resolve');
      await run.handle.cancel();
    },
    ends: 'Cancelled',
  },
  {
    what: 'cancelled-in-watch',
    kinds: FIREWALLS,
    setting: () => ({ change: monitoring(30 * A_DAY_MS) }),
    play: async (run) => {
      await run.toWatch();
      await run.handle.cancel();
    },
    ends: 'Cancelled',
  },
  {
    what: 'cancelled-at-hold',
    kinds: EVERY,
    setting: aFailedStep,
    play: async (run) => {
      await toHold(run);
      await run.handle.cancel();
    },
    ends: 'Cancelled',
  },
  {
    what: 'cancelled-while-rolling-back',
    kinds: EVERY,
    setting: ({ step, earlier }) => ({ turns: { [`${step}.act`]: [fails()], [`${earlier}.undo`]: ['hang'] } }),
    play: async (run, { earlier }) => {
      await toHold(run);
      await run.answer('hold', 'roll-back');
      await run.script.hangs(`${earlier}.undo`);
      await run.handle.cancel();
      // The run must have heard of it before the undo ends.
      await run.until(() => true);
      run.script.letGo(`${earlier}.undo`);
    },
    ends: 'Cancelled',
  },
  {
    what: 'cancelled-undo-skipped',
    kinds: EVERY,
    setting: ({ step, earlier }) => ({
      turns: { [`${step}.act`]: ['hang'], [`${earlier}.undo`]: [fails('it doesn’t answer')] },
    }),
    play: async (run, { step }) => {
      await run.approve('start');
      await run.script.hangs(`${step}.act`);
      await run.handle.cancel();
      await run.answer('hold', 'skip', { comment: 'done by hand' });
      await run.answer('hold', 'roll-back');
    },
    ends: 'Cancelled',
  },
  {
    what: 'cancelled-behind',
    kinds: XROAD,
    setting: () => ({ turns: { 'xroad.upgradePackages.act': ['hang'] } }),
    play: async (run) => {
      await run.approve('start');
      await run.script.hangs('xroad.upgradePackages.act');
      await run.handle.cancel();
      await run.answer('hold', 'stop');
    },
    ends: 'Stopped',
  },
];
