/** Traffic that is moved away, and watches that don't see. */
import type { KeptRun } from './run';
import { A_DAY_MS, at, EVERY, fails, FIREWALLS, monitoring, type Scenario } from './scenario';

const aLongWatch = () => ({ change: monitoring(30 * A_DAY_MS) });
const toRegression = async (run: KeptRun): Promise<void> => {
  await run.toWatch();
  run.stage.sick = true;
  await run.asked('hold');
};

export const escapes: readonly Scenario[] = [
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
    what: 'escaped-at-gate',
    kinds: EVERY,
    play: async (run, { beforeWatch, inWatch }) => {
      await run.approve(...beforeWatch);
      await run.asked(inWatch);
      run.stage.sick = true;
      await run.asked('hold');
    },
    ends: 'open',
  },
  {
    // Only a regression cuts the undo of a half-done step.
    what: 'escaped-from-undo',
    kinds: FIREWALLS,
    setting: ({ late }) => ({
      turns: { ...at(late, fails()), [late.activity.replace(/act$/, 'undo')]: ['hang'] },
    }),
    play: async (run, { late }) => {
      await run.approve(...late.gates);
      await run.script.hangs(late.activity.replace(/act$/, 'undo'));
      run.stage.sick = true;
      await run.asked('hold');
    },
    ends: 'open',
  },
  {
    what: 'switched-back-at-hold',
    kinds: EVERY,
    play: async (run, { beforeWatch, inWatch }) => {
      await run.approve(...beforeWatch);
      await run.answer(inWatch, 'reject');
      await run.asked('hold');
      await run.say('switchBack', 'users complain');
      await run.until(({ escapes }) => escapes?.[0]?.outcome !== undefined);
      await run.answer('hold', 'stop');
    },
    ends: 'Stopped',
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
    // Nobody takes the watch up within a minute.
    what: 'unwatched',
    kinds: ['firewall-pair'],
    setting: () => ({ isUnwatched: true }),
    play: async (run, { beforeWatch }) => {
      await run.approve(...beforeWatch);
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
