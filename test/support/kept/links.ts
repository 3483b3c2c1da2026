/** Runs that go on in other links of their chain: after few events on a server that suggests it, or after many messages. */
import type { KeptRun } from './run';
import {
  A_DAY_MS,
  aFailedStep,
  core2,
  EVERY,
  fails,
  FIREWALLS,
  monitoring,
  PANOS,
  toHold,
  XROAD,
  type Scenario,
} from './scenario';

/** More than a link takes. */
const FLOOD = 2_100;

/** Says what is of no use until the run goes on in another link. */
async function toNextLink(run: KeptRun): Promise<void> {
  const next = run.another();
  let isThere = false;
  void next.then(() => (isThere = true));
  while (!isThere) {
    await run.handle.signal('nonsense', {});
    await run.status();
  }
}

/** In the second link or a later one, asked this. */
const askedInALink = async (run: KeptRun, id: string): Promise<void> => {
  await run.asked(id);
  await toNextLink(run);
  await run.asked(id);
};
const aLongWatch = () => ({ change: monitoring(30 * A_DAY_MS) });
const watchedInALink = async (run: KeptRun): Promise<void> => {
  await run.toWatch();
  await toNextLink(run);
  await run.until(({ watch }) => watch?.state === 'watching');
};

/** On a server that suggests another link after few events. */
const short: readonly Omit<Scenario, 'isShortLinked'>[] = [
  { what: 'linked', kinds: EVERY, play: async (run) => void (await run.through()), ends: core2('Completed') },
  {
    what: 'first-link',
    kinds: EVERY,
    play: async (run) => {
      await run.asked('start');
      await toNextLink(run);
    },
    ends: core2('ContinuedAsNew'),
    isFirst: true,
  },
  {
    what: 'linked-at-gate',
    kinds: EVERY,
    play: async (run, { gates }) => {
      await run.approve('start');
      await askedInALink(run, gates[1]);
    },
    ends: core2('open'),
  },
  {
    what: 'linked-cancelled',
    kinds: FIREWALLS,
    play: async (run, { gates }) => {
      await run.approve('start');
      await askedInALink(run, gates[1]);
      await run.handle.cancel();
    },
    ends: core2('Cancelled'),
  },
  {
    what: 'linked-at-hold',
    kinds: EVERY,
    setting: aFailedStep,
    play: async (run) => {
      await toHold(run);
      await askedInALink(run, 'hold');
    },
    ends: core2('open'),
  },
  {
    what: 'linked-rolled-back',
    kinds: EVERY,
    setting: aFailedStep,
    play: async (run) => {
      await toHold(run);
      await askedInALink(run, 'hold');
      await run.answer('hold', 'roll-back', { to: 'start' });
    },
    ends: core2('RolledBack'),
  },
  {
    what: 'linked-at-undo',
    kinds: EVERY,
    setting: ({ step, earlier }) => ({
      turns: { [`${step}.act`]: [fails()], [`${earlier}.undo`]: [fails('it doesn’t answer'), fails('still not')] },
    }),
    play: async (run) => {
      await toHold(run);
      await run.answer('hold', 'roll-back', { to: 'start' });
      await askedInALink(run, 'hold');
      await run.answer('hold', 'retry');
      await run.answer('hold', 'skip', { comment: 'done by hand' });
      await run.answer('hold', 'stop');
    },
    ends: core2('Stopped'),
  },
  { what: 'linked-in-watch', kinds: EVERY, setting: aLongWatch, play: watchedInALink, ends: core2('open') },
  {
    what: 'linked-in-watch-escaped',
    kinds: EVERY,
    setting: aLongWatch,
    play: async (run) => {
      await watchedInALink(run);
      run.stage.sick = true;
      await run.asked('hold');
    },
    ends: core2('open'),
  },
  {
    what: 'linked-while-paused',
    kinds: EVERY,
    play: async (run) => {
      await run.asked('start');
      await run.say('pause', 'lunch');
      await run.approve('start');
      await askedInALink(run, 'pause');
      await run.say('resume', 'back');
      await run.through();
    },
    ends: core2('Completed'),
  },
  {
    what: 'linked-remedied',
    kinds: XROAD,
    play: async (run, { gates }) => {
      await run.approve('start');
      await askedInALink(run, gates[1]);
      run.stage.lose();
      await run.until(({ remedies }) => remedies?.length === 1);
      await run.through();
    },
    ends: core2('Completed'),
  },
  {
    what: 'linked-at-pin',
    kinds: XROAD,
    setting: () => ({ turns: { 'xroad.tokensActive.check': [fails('enter the PIN on ss1', 'PinNeeded')] } }),
    play: async (run) => {
      await run.approve('start');
      await askedInALink(run, 'pin');
      await run.answer('pin', 'done');
      await run.through();
    },
    ends: core2('Completed'),
  },
  {
    what: 'linked-at-sync',
    kinds: PANOS,
    setting: () => ({ turns: { 'panos.synchronized.check': [fails('fw-b isn’t synchronized', 'NotSynchronized')] } }),
    play: async (run, { gates }) => {
      await run.approve(...gates);
      await askedInALink(run, 'sync');
      await run.answer('sync', 'done');
      await run.through();
    },
    ends: core2('Completed'),
  },
  {
    // Back to a moment of the same link.
    what: 'linked-then-reset',
    kinds: EVERY,
    setting: aFailedStep,
    play: async (run) => {
      await toHold(run);
      await askedInALink(run, 'hold');
      await run.handle.signal('of no use', {});
      await run.until(({ refused }) => refused.at(-1)?.signal === 'of no use');
      await run.reset('of no use');
      await run.until(({ takenOver }) => takenOver !== undefined);
      await run.answer('hold', 'roll-back', { to: 'start' });
    },
    ends: core2('RolledBack'),
  },
  {
    what: 'linked-then-started-again',
    kinds: FIREWALLS,
    play: async (run, { gates }) => {
      await run.approve('start');
      await askedInALink(run, gates[1]);
      await run.terminateAndStart();
      // The gate; or, of a PAN-OS pair that isn't as it was before, a hold.
      await run.until(({ waitingFor }) => waitingFor.length > 0);
      await run.handle.cancel();
    },
    ends: core2('Cancelled'),
  },
];

/** As a server does it that has its usual limits. */
const flooded: readonly Scenario[] = [
  {
    what: 'first-link-flooded',
    kinds: ['firewall-pair'],
    play: async (run) => {
      const { id } = await run.asked('start');
      await Promise.all([run.another(), run.flood(id, FLOOD)]);
    },
    ends: core2('ContinuedAsNew'),
    isFirst: true,
  },
  {
    what: 'linked-by-flood',
    kinds: ['firewall-pair'],
    play: async (run) => {
      await run.approve('start');
      const { id } = await run.asked('return');
      await Promise.all([run.another(), run.flood(id, FLOOD)]);
      await run.answer('return', 'reject');
      await run.answer('hold', 'roll-back', { to: 'start' });
    },
    ends: core2('RolledBack'),
  },
];

export const links: readonly Scenario[] = [
  ...short.map((each) => ({ ...each, isShortLinked: true as const })),
  ...flooded,
];
