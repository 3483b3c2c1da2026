/** Updates, votes, and what only newer rules refuse or ask about. */
import {
  A_DAY_MS,
  aFailedStep,
  core2,
  EVERY,
  fails,
  gate,
  monitoring,
  policy,
  toHold,
  type Scenario,
} from './scenario';

const updates: readonly Scenario[] = [
  {
    what: 'updates',
    kinds: EVERY,
    setting: () => ({ change: policy({ pause: { count: 2 }, resume: { notRequester: true } }) }),
    play: async (run) => {
      const { id: opening, digest } = await run.asked('start');
      const command = (more: object): Promise<unknown> => run.update('command', { reason: 'a test', ...more });
      await run.update('answer', { opening, digest: '0'.repeat(12), by: 'ann', choice: 'approve' });
      await run.update('answer', [[[]]]);
      await command({ command: 'stop', by: 'ann' });
      await command({ command: 'pause', by: 'ann' });
      await command({ command: 'pause', by: 'Ann ' });
      await command({ command: 'pause', by: 'bob' });
      await command({ command: 'resume', by: 'RITA' });
      await command({ command: 'resume', by: 'bob' });
      await run.update('answer', { opening, digest, by: 'ann', choice: 'approve' });
      await run.through();
    },
    ends: core2('Completed'),
  },
  {
    what: 'updated-at-hold',
    kinds: EVERY,
    setting: aFailedStep,
    play: async (run) => {
      await toHold(run);
      const { id: opening, digest } = await run.asked('hold');
      await run.update('answer', { opening, digest, by: 'ann', choice: 'roll-back', to: 'start' });
    },
    ends: core2('RolledBack'),
  },
  {
    what: 'updated-in-watch',
    kinds: EVERY,
    setting: () => ({ change: monitoring(30 * A_DAY_MS) }),
    play: async (run) => {
      await run.toWatch();
      await run.update('command', { command: 'switchBack', by: 'ann', reason: 'users complain' });
      await run.asked('hold');
    },
    ends: core2('open'),
  },
];

const votes: readonly Scenario[] = [
  {
    what: 'voted',
    kinds: EVERY,
    setting: () => ({ change: policy({ pause: { count: 2 }, resume: { count: 2 } }) }),
    play: async (run) => {
      await run.asked('start');
      await run.say('pause', 'lunch');
      await run.say('pause', 'lunch, I said');
      await run.handle.signal('pause', { by: 'bob', reason: 'yes' });
      await run.asked('pause');
      await run.say('resume', 'back');
      await run.handle.signal('resume', { by: 'bob', reason: 'yes' });
      await run.until(({ waitingFor }) => !waitingFor.some(({ kind }) => kind === 'pause'));
      await run.through();
    },
    ends: core2('Completed'),
  },
  {
    what: 'one-of-two-votes',
    kinds: EVERY,
    setting: () => ({ change: policy({ pause: { count: 2 } }) }),
    play: async (run) => {
      await run.asked('start');
      await run.say('pause', 'lunch');
      await run.say('pause', 'lunch, I said');
      await run.until(({ refused }) => refused.length === 1);
    },
    ends: core2('open'),
  },
  {
    what: 'switch-back-voted',
    kinds: EVERY,
    setting: () => ({
      change: (plan) => monitoring(30 * A_DAY_MS)(policy({ switchBack: { count: 2, from: ['ann', 'bob'] } })(plan)),
    }),
    play: async (run) => {
      await run.toWatch();
      await run.say('switchBack', 'users complain');
      await run.handle.signal('switchBack', { by: 'mallory', reason: 'for fun' });
      await run.handle.signal('switchBack', { by: 'bob', reason: 'they do' });
      await run.answer('hold', 'stop');
    },
    ends: core2('Stopped'),
  },
  {
    what: 'one-person-spelt-twice',
    kinds: ['firewall-pair'],
    setting: () => ({ change: gate('start', { count: 2, notRequester: true }) }),
    play: async (run) => {
      const { id: opening, digest } = await run.asked('start');
      for (const by of ['RITA', 'Ann', 'ａｎｎ ', 'an\u200bn', 'your name'])
        await run.handle.signal('approve', { opening, digest: digest.slice(0, 12), by });
      await run.until(({ refused }) => refused.length === 4);
      await run.answer('start', 'approve', { by: 'bob' });
      await run.through();
    },
    ends: core2('Completed'),
  },
];

const NOBODY = { 'probes.watch.check': [fails('no probe answers'), fails('no probe answers still')] };
const watching: readonly Scenario[] = [
  {
    // Traffic isn't moved to what nobody watches.
    what: 'nobody-watches',
    kinds: EVERY,
    setting: () => ({ turns: NOBODY }),
    play: async (run) => {
      await run.approve(...run.parts.beforeWatch);
      await run.asked('hold');
    },
    ends: core2('open'),
  },
  {
    what: 'nobody-watches-retried',
    kinds: EVERY,
    setting: () => ({ turns: NOBODY }),
    play: async (run) => {
      await run.approve(...run.parts.beforeWatch);
      await run.answer('hold', 'retry');
      await run.through();
    },
    ends: core2('Completed'),
  },
  {
    // Its worker is lost in the watch, and no other one takes it up: what it told with its last heartbeat is kept.
    what: 'watch-lost',
    kinds: ['firewall-pair'],
    setting: () => {
      const beats = { beats: { carry: { failed: 2 }, observedMs: 90_000 } };
      return { change: monitoring(30 * A_DAY_MS), turns: { 'probes.watch.check': ['ok', beats, beats, beats] } };
    },
    play: async (run) => {
      await run.toWatch();
      await run.script.hangs('probes.watch.check');
      await run.loseWatchWorker();
      await run.until(({ watch }) => watch?.state === 'blind');
    },
    ends: core2('open'),
  },
];

const refusedStarts: readonly Scenario[] = (
  [
    ['scheduled', { cronSchedule: '@every 1s' }],
    ['with-execution-timeout', { workflowExecutionTimeout: '1 hour' }],
    ['with-run-timeout', { workflowRunTimeout: '1 hour' }],
    ['with-second-input', { args: [{ cluster: 'other', version: '2.0' }, {}] }],
    ['claims-to-be-a-link', { args: [{ continued: { schema: 1, state: {}, plan: {}, items: [], digest: '' } }] }],
  ] as const
).map(([what, start]) => ({
  what,
  kinds: ['firewall-pair'],
  setting: () => ({ start }),
  play: async (run) => {
    await run.first.result().catch(() => undefined);
  },
  ends: core2('InvalidInput'),
  isFirst: true,
}));

const others: readonly Scenario[] = [
  {
    what: 'requester-unnamed',
    kinds: ['firewall-pair'],
    setting: () => ({ more: { requestedBy: 'your name' } }),
    play: async (run) => void (await run.ended()),
    ends: core2('InvalidInput'),
  },
  {
    what: 'plan-with-second-input',
    kinds: ['firewall-pair'],
    setting: () => ({ isDryRun: true, start: { args: [{ cluster: 'other', version: '2.0' }, {}] } }),
    play: async (run) => void (await run.ended()),
    ends: core2('InvalidInput'),
  },
  {
    what: 'plan-of-shared-nodes',
    kinds: EVERY,
    setting: () => ({
      isDryRun: true,
      turns: { 'plan.shared': [{ answers: [{ where: 'a node', what: 'another upgrade is at it' }] }] },
    }),
    play: async (run) => void (await run.ended()),
    ends: core2('Completed'),
  },
  {
    what: 'changed-by-hand',
    kinds: EVERY,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: [fails('somebody else changed it', 'ForeignChange')] } }),
    play: toHold,
    ends: core2('open'),
  },
  {
    // Further off than the timer that is shown of a wait without an end.
    what: 'gate-that-expires-far-off',
    kinds: EVERY,
    setting: () => ({ change: gate('start', { expiresAfterMs: 4_000 * A_DAY_MS, onExpiry: 'stop' }) }),
    play: async (run) => void (await run.asked('start')),
    ends: core2('open'),
  },
];

export const policies: readonly Scenario[] = [...updates, ...votes, ...watching, ...refusedStarts, ...others];
