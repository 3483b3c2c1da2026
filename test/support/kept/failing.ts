/** Steps that fail, undos that fail, cancels, regressions. */
import { at, EVERY, fails, FIREWALLS, monitoring, XROAD, A_DAY_MS, PANOS, type Scenario } from './scenario';
import type { KeptRun } from './run';
import type { Parts } from './stage';

const aFailedStep = ({ step }: Parts) => ({ turns: { [`${step}.act`]: [fails()] } });
const toHold = async (run: KeptRun): Promise<void> => {
  await run.approve('start');
  await run.asked('hold');
};
const aLongWatch = () => ({ change: monitoring(30 * A_DAY_MS) });
const toRegression = async (run: KeptRun): Promise<void> => {
  await run.toWatch();
  run.stage.sick = true;
  await run.asked('hold');
};

const held: readonly Scenario[] = [
  { what: 'held', kinds: EVERY, setting: aFailedStep, play: toHold, ends: 'open' },
  {
    what: 'held-retried',
    kinds: EVERY,
    setting: aFailedStep,
    play: async (run) => {
      await toHold(run);
      await run.answer('hold', 'retry');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'stopped',
    kinds: EVERY,
    setting: aFailedStep,
    play: async (run) => {
      await toHold(run);
      await run.answer('hold', 'stop', { comment: 'we look at it tomorrow' });
    },
    ends: 'Stopped',
  },
  {
    what: 'not-ready',
    kinds: EVERY,
    setting: ({ ready }) => ({ turns: { [ready]: [fails('a node is down', 'NotReady')] } }),
    play: async (run) => void (await run.asked('hold')),
    ends: 'open',
  },
  {
    what: 'kept-step-failed',
    kinds: EVERY,
    setting: ({ kept }) => ({ turns: { [kept]: [fails()] } }),
    play: async (run, { upgrade }) => {
      if (upgrade === 'upgradePanosPair') await run.approve('start');
      await run.asked('hold');
    },
    ends: 'open',
  },
  {
    what: 'stayed',
    kinds: PANOS,
    setting: () => ({ turns: { 'panos.restart.act': [fails('fw-b didn’t come back from its restart')] } }),
    play: toHold,
    ends: 'open',
  },
  {
    what: 'held-behind',
    kinds: XROAD,
    setting: () => ({ turns: { 'xroad.upgradePackages.act': [fails()] } }),
    play: toHold,
    ends: 'open',
  },
  {
    what: 'tried-again',
    kinds: EVERY,
    setting: ({ step, ready }) => ({
      turns: {
        [ready]: [{ fails: 'Unreachable', passing: true }],
        [`${step}.act`]: [{ fails: 'Unreachable', message: 'it doesn’t answer', passing: true }],
      },
    }),
    play: async (run) => void (await run.through()),
    ends: 'Completed',
  },
];

const rolledBack: readonly Scenario[] = [
  {
    what: 'rolled-back-to-savepoint',
    kinds: EVERY,
    setting: ({ late }) => ({ turns: at(late, fails()) }),
    play: async (run, { late }) => {
      await run.approve(...late.gates);
      await run.answer('hold', 'roll-back', { to: 'savepoint' });
    },
    ends: 'RolledBack',
  },
  {
    what: 'rolled-back-to-start',
    kinds: EVERY,
    setting: ({ late }) => ({ turns: at(late, fails()) }),
    play: async (run, { late }) => {
      await run.approve(...late.gates);
      await run.answer('hold', 'roll-back', { to: 'start' });
    },
    ends: 'RolledBack',
  },
  {
    what: 'undo-failed',
    kinds: EVERY,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: [fails()], [`${step}.undo`]: [fails('it is busy')] } }),
    play: toHold,
    ends: 'open',
  },
  {
    what: 'undo-skipped',
    kinds: EVERY,
    setting: ({ step, earlier }) => ({
      turns: {
        [`${step}.act`]: [fails()],
        [`${step}.undo`]: [fails('it is busy'), fails('it is busy still')],
        [`${earlier}.undo`]: [fails('it doesn’t answer')],
      },
    }),
    play: async (run) => {
      await toHold(run);
      await run.answer('hold', 'retry');
      await run.answer('hold', 'skip', { comment: 'done by hand' });
      await run.answer('hold', 'roll-back', { to: 'start' });
      await run.answer('hold', 'skip', { comment: 'done by hand, too' });
      await run.answer('hold', 'roll-back', { to: 'start' });
    },
    ends: 'RolledBack',
  },
  {
    what: 'undo-skipped-then-on',
    kinds: EVERY,
    setting: ({ step, earlier }) => ({
      turns: { [`${step}.act`]: [fails()], [`${earlier}.undo`]: [fails('it doesn’t answer')] },
    }),
    play: async (run) => {
      await toHold(run);
      await run.answer('hold', 'roll-back', { to: 'start' });
      await run.answer('hold', 'skip', { comment: 'we go on' });
      await run.answer('hold', 'retry');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'stopped-while-rolling-back',
    kinds: EVERY,
    setting: ({ step, earlier }) => ({
      turns: { [`${step}.act`]: [fails()], [`${earlier}.undo`]: [fails('it doesn’t answer')] },
    }),
    play: async (run) => {
      await toHold(run);
      await run.answer('hold', 'roll-back', { to: 'start' });
      await run.answer('hold', 'stop');
    },
    ends: 'Stopped',
  },
  {
    what: 'rolling-back',
    kinds: EVERY,
    setting: ({ step, earlier }) => ({ turns: { [`${step}.act`]: [fails()], [`${earlier}.undo`]: ['hang'] } }),
    play: async (run, { earlier }) => {
      await toHold(run);
      await run.answer('hold', 'roll-back', { to: 'start' });
      await run.script.hangs(`${earlier}.undo`);
    },
    ends: 'open',
  },
];

const cancelled: readonly Scenario[] = [
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
    setting: aLongWatch,
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

const escaped: readonly Scenario[] = [
  { what: 'escaped', kinds: EVERY, setting: aLongWatch, play: toRegression, ends: 'open' },
  {
    what: 'escaped-rolled-back',
    kinds: FIREWALLS,
    setting: aLongWatch,
    play: async (run) => {
      await toRegression(run);
      await run.answer('hold', 'roll-back', { to: 'start' });
    },
    ends: 'RolledBack',
  },
  {
    what: 'escaped-stopped',
    kinds: EVERY,
    setting: aLongWatch,
    play: async (run) => {
      await toRegression(run);
      await run.answer('hold', 'stop');
    },
    ends: 'Stopped',
  },
  {
    what: 'escaped-retried',
    kinds: EVERY,
    setting: () => ({ change: monitoring(600_000) }),
    play: async (run) => {
      run.stage.sick = true;
      await run.approve(...run.parts.beforeWatch);
      await run.asked('hold');
      run.stage.sick = false;
      await run.answer('hold', 'retry');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'escaped-twice',
    kinds: EVERY,
    setting: aLongWatch,
    play: async (run) => {
      await toRegression(run);
      run.stage.sick = false;
      await run.answer('hold', 'retry');
      // What is repeated begins behind the last gate passed before the watch.
      await run.until(({ watch, wait }) => watch?.state === 'watching' && wait !== undefined);
      run.stage.sick = true;
      await run.asked('hold');
      await run.say('switchBack', 'it is still bad');
      await run.until(({ escapes }) => escapes?.length === 2 && escapes[1]!.outcome !== 'running');
      await run.answer('hold', 'stop');
    },
    ends: 'Stopped',
  },
  {
    what: 'escape-failed',
    kinds: EVERY,
    setting: ({ escape }) => ({ ...aLongWatch(), turns: at(escape, fails('the routers say no')) }),
    play: toRegression,
    ends: 'open',
  },
  {
    what: 'escape-repeated',
    kinds: EVERY,
    setting: ({ escape }) => ({ ...aLongWatch(), turns: at(escape, fails('the routers say no')) }),
    play: async (run) => {
      await toRegression(run);
      run.stage.sick = false;
      await run.answer('hold', 'escape-again');
      await run.answer('hold', 'stop');
    },
    ends: 'Stopped',
  },
  {
    what: 'switched-back',
    kinds: EVERY,
    setting: aLongWatch,
    play: async (run) => {
      await run.toWatch();
      await run.say('switchBack', 'users complain');
      await run.asked('hold');
    },
    ends: 'open',
  },
  {
    what: 'switched-back-rolled-back',
    kinds: FIREWALLS,
    setting: aLongWatch,
    play: async (run) => {
      await run.toWatch();
      await run.say('switchBack', 'users complain');
      await run.answer('hold', 'roll-back');
    },
    ends: 'RolledBack',
  },
  {
    what: 'switched-back-before-watch',
    kinds: ['firewall-pair'],
    setting: () => ({ turns: { 'routing.confirmIdle.check': ['hang'] } }),
    play: async (run) => {
      await run.approve('start');
      await run.script.hangs('routing.confirmIdle.check');
      await run.say('switchBack', 'users complain');
      await run.answer('hold', 'roll-back', { to: 'start' });
    },
    ends: 'RolledBack',
  },
  {
    what: 'blind',
    kinds: EVERY,
    setting: () => ({
      ...aLongWatch(),
      turns: { 'probes.watch.check': [fails('no probe answers'), fails('no probe answers still')] },
    }),
    play: async (run) => {
      await run.approve(...run.parts.beforeWatch);
      await run.until(({ watch }) => watch?.state === 'blind');
    },
    ends: 'open',
  },
  {
    what: 'blind-then-sees',
    kinds: EVERY,
    setting: () => ({ turns: { 'probes.watch.check': [fails('no probe answers')] } }),
    play: async (run) => {
      await run.approve(...run.parts.beforeWatch);
      await run.until(({ watch }) => watch?.state === 'blind');
      await run.through();
    },
    ends: 'Completed',
  },
];

export const failing: readonly Scenario[] = [...held, ...rolledBack, ...cancelled, ...escaped];
