/** Steps that fail, and undos that do. */
import { aFailedStep, at, EVERY, fails, FIREWALLS, PANOS, policy, toHold, XROAD, type Scenario } from './scenario';

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

/** What the engine, a worker or a person does to the calls of a run. */
const broken: readonly Scenario[] = [
  {
    what: 'patience-exhausted',
    kinds: ['firewall-pair'],
    setting: () => ({
      turns: { 'packages.install.act': Array.from({ length: 4 }, () => ({ fails: 'Unreachable', passing: true })) },
    }),
    play: toHold,
    ends: 'open',
  },
  {
    what: 'timed-out',
    kinds: ['firewall-pair'],
    setting: () => ({ turns: { 'packages.install.act': ['dies', 'dies', 'dies', 'dies'] } }),
    play: toHold,
    ends: 'open',
  },
  {
    what: 'corrupt-result',
    kinds: EVERY,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: ['hang'] } }),
    play: async (run, { step }) => {
      await run.approve('start');
      await run.script.hangs(`${step}.act`);
      await run.completeWith(`${step}.act`, '{"summary": ');
      await run.asked('hold');
    },
    ends: 'open',
  },
  {
    what: 'reset',
    kinds: EVERY,
    play: async (run, { gates }) => {
      await run.approve('start');
      await run.asked(gates[1]);
      await run.reset('decide');
      // The gate again; or, of a PAN-OS pair by `core-2`, a hold: its devices aren't as planned any more.
      await run.until(({ waitingFor }) => waitingFor.length > 0);
    },
    ends: 'open',
  },
  {
    what: 'reset-then-cancelled',
    kinds: FIREWALLS,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: [fails()] } }),
    play: async (run) => {
      await toHold(run);
      await run.reset('decide');
      await run.asked(run.parts.gates[1]);
      await run.handle.cancel();
    },
    ends: 'Cancelled',
  },
  {
    what: 'two-deciders',
    kinds: EVERY,
    setting: (parts) => ({ ...aFailedStep(parts), change: policy({ holds: { count: 2, from: ['ann', 'bob'] } }) }),
    play: async (run) => {
      await toHold(run);
      await run.answer('hold', 'retry');
      await run.answer('hold', 'roll-back', { by: 'bob', to: 'start' });
      await run.answer('hold', 'roll-back', { to: 'start' });
    },
    ends: 'RolledBack',
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

export const holds: readonly Scenario[] = [...held, ...broken, ...rolledBack];
