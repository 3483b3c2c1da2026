/** What people do to runs from outside: resets, terminations, and starts after those. */
import type { StatusView } from '../../../workflows/contract';
import { A_DAY_MS, core2, EVERY, fails, FIREWALLS, monitoring, type Scenario } from './scenario';

/** A PAN-OS pair that was changed before the reset isn't as planned any more: it is held after it, and can't go on. */
const GO_ON: Scenario['kinds'] = ['firewall-pair', 'x-road-cluster'];
/** A gate; or, of a PAN-OS pair that isn't as it was before, a hold. */
const isAsked = ({ waitingFor }: StatusView): boolean => waitingFor.length > 0;
const resets: readonly Scenario[] = [
  {
    // What was said before comes once more, and acts only once.
    what: 'reset-at-gate',
    kinds: EVERY,
    play: async (run) => {
      await run.asked('start');
      await run.say('pause', 'lunch');
      await run.say('resume', 'back');
      await run.say('switchBack', 'now');
      await run.until(({ refused }) => refused.length === 1);
      await run.reset('pause', 'before');
      await run.until(({ takenOver }) => takenOver !== undefined);
    },
    ends: core2('open'),
  },
  {
    what: 'reset-then-completed',
    kinds: GO_ON,
    play: async (run, { gates }) => {
      await run.approve('start');
      await run.asked(gates[1]);
      await run.reset('decide');
      await run.until(({ takenOver }) => takenOver !== undefined);
      await run.through();
    },
    ends: core2('Completed'),
  },
  {
    what: 'reset-then-undone',
    kinds: FIREWALLS,
    play: async (run, { gates }) => {
      await run.approve('start');
      await run.asked(gates[1]);
      await run.reset('decide');
      await run.until((status) => status.takenOver !== undefined && isAsked(status));
      await run.handle.cancel();
    },
    ends: core2('Cancelled'),
  },
  {
    what: 'reset-twice',
    kinds: ['firewall-pair'],
    play: async (run, { gates }) => {
      await run.approve('start');
      for (const _ of ['once', 'twice']) {
        await run.asked(gates[1]);
        await run.reset('decide');
        await run.until(({ takenOver }) => takenOver !== undefined);
      }
      await run.asked(gates[1]);
      await run.handle.cancel();
    },
    ends: core2('Cancelled'),
  },
  {
    what: 'reset-in-step',
    kinds: EVERY,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: ['hang'] } }),
    play: async (run, { step }) => {
      await run.approve('start');
      await run.script.hangs(`${step}.act`);
      await run.reset('decide');
      await run.until(({ takenOver }) => takenOver !== undefined);
      await run.through();
    },
    ends: core2('Completed'),
  },
  {
    // The call that is under way belongs to the run as it was before: hosts don't let it act.
    what: 'was-reset',
    kinds: EVERY,
    setting: ({ step }) => ({
      turns: { [`${step}.act`]: ['hang', fails('this run was reset: nothing was touched', 'WasReset')] },
    }),
    play: async (run, { step }) => {
      await run.approve('start');
      await run.script.hangs(`${step}.act`);
      await run.handle.signal('nonsense', {});
      await run.until(({ refused }) => refused.length === 1);
      await run.reset('nonsense');
      await run.until(({ takenOver }) => takenOver !== undefined);
      await run.through();
    },
    ends: core2('Completed'),
  },
  {
    what: 'reset-in-watch',
    kinds: EVERY,
    setting: () => ({ change: monitoring(30 * A_DAY_MS) }),
    play: async (run, { beforeWatch }) => {
      await run.toWatch();
      await run.handle.signal('nonsense', {});
      await run.until(({ refused }) => refused.length === 1);
      await run.reset('nonsense');
      // Nothing else happens to it that would make it look.
      await run.say('pause', 'after the reset');
      await run.until(({ takenOver }) => takenOver !== undefined);
      await run.say('resume', beforeWatch.join(', '));
      await run.say('switchBack', 'users complain');
      await run.asked('hold');
    },
    ends: core2('open'),
  },
  {
    what: 'reset-unread',
    kinds: GO_ON,
    setting: () => ({ turns: { 'core.afterReset': [fails('the history is gone', 'HistoryGone')] } }),
    play: async (run, { gates }) => {
      await run.approve('start');
      await run.asked(gates[1]);
      await run.reset('decide');
      await run.answer('hold', 'retry');
      await run.through();
    },
    ends: core2('Completed'),
  },
  {
    what: 'reset-with-updates',
    kinds: EVERY,
    play: async (run) => {
      const { id: opening, digest } = await run.asked('start');
      await run.handle.signal('nonsense', {});
      await run.until(({ refused }) => refused.length === 1);
      await run.update('command', { command: 'pause', by: 'ann', reason: 'lunch' });
      await run.update('command', { command: 'resume', by: 'ann', reason: 'back' });
      await run.update('answer', { opening, digest, by: 'ann', choice: 'approve' });
      await run.reset('nonsense');
      await run.until(({ takenOver }) => takenOver !== undefined);
      await run.through();
    },
    ends: core2('Completed'),
  },
];

const again: readonly Scenario[] = [
  {
    what: 'started-again',
    kinds: EVERY,
    play: async (run, { gates }) => {
      await run.approve('start');
      await run.asked(gates[1]);
      await run.terminateAndStart();
      await run.until(isAsked);
    },
    ends: core2('open'),
  },
  {
    what: 'started-again-undone',
    kinds: FIREWALLS,
    play: async (run, { gates }) => {
      await run.approve('start');
      await run.asked(gates[1]);
      await run.terminateAndStart();
      await run.until(isAsked);
      await run.handle.cancel();
    },
    ends: core2('Cancelled'),
  },
  {
    what: 'started-again-in-step',
    kinds: EVERY,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: ['hang'] } }),
    play: async (run, { step }) => {
      await run.approve('start');
      await run.script.hangs(`${step}.act`);
      await run.terminateAndStart();
      await run.until(isAsked);
    },
    ends: core2('open'),
  },
  {
    what: 'started-again-unread',
    kinds: EVERY,
    setting: () => ({ turns: { 'core.earlierRun': [fails('the history is gone', 'HistoryGone')] } }),
    play: async (run) => void (await run.through()),
    ends: core2('Completed'),
  },
];

export const outside: readonly Scenario[] = [...resets, ...again];
