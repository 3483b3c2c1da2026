/** What only one kind has: guard, PIN and drain of X-Road; waivers and synchronization of PAN-OS. */
import { fails, PANOS, XROAD, type Scenario } from './scenario';
import type { KeptRun } from './run';
import type { Turn, Turns } from './script';

const STOP = 'xroad.stopServices.act';
const REMEDY = 'xroad.keepPaused.act';
const hangs = (...remedies: readonly Turn[]) => ({ turns: { [STOP]: ['hang'], [REMEDY]: remedies } as Turns });
const toLoss = async (run: KeptRun): Promise<void> => {
  await run.approve('start');
  await run.script.hangs(STOP);
  run.stage.lose();
};

const guarding: readonly Scenario[] = [
  {
    what: 'remedied',
    kinds: XROAD,
    setting: () => hangs(),
    play: async (run) => {
      await toLoss(run);
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'remedy-failed',
    kinds: XROAD,
    setting: () => hangs(fails('ss3 doesn’t answer')),
    play: async (run) => {
      await toLoss(run);
      await run.asked('hold');
    },
    ends: 'open',
  },
  {
    what: 'remedy-failed-retried',
    kinds: XROAD,
    setting: () => hangs(fails('ss3 doesn’t answer'), fails('ss3 doesn’t answer still')),
    play: async (run) => {
      await toLoss(run);
      await run.answer('hold', 'retry');
      await run.answer('hold', 'retry');
      // The third one in a run: it is asked about, although it worked.
      await run.answer('hold', 'retry');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'remedied-with-attention',
    kinds: XROAD,
    setting: () => ({
      turns: {
        [STOP]: ['hang'],
        [REMEDY]: [{ answers: { summary: 'paused again', attention: 'ss3 ran ahead' } }],
      },
    }),
    play: async (run) => {
      await toLoss(run);
      await run.asked('hold');
    },
    ends: 'open',
  },
  {
    what: 'remedied-thrice',
    kinds: XROAD,
    setting: () => ({ turns: { [STOP]: ['hang', 'hang', 'hang'] } }),
    play: async (run) => {
      await run.approve('start');
      for (let times = 1; times <= 3; times++) {
        await run.script.hangs(STOP);
        run.stage.lose();
        await run.until(({ remedies }) => remedies?.length === times);
      }
      await run.answer('hold', 'retry');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'remedied-at-gate',
    kinds: XROAD,
    play: async (run) => {
      await run.approve('start');
      await run.asked('secondaries');
      run.stage.lose();
      await run.until(({ remedies }) => remedies?.length === 1);
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'held-then-remedied',
    kinds: XROAD,
    setting: () => ({
      turns: { 'xroad.drained.check': [fails('2 connections are left', 'NotDrained')], [STOP]: ['hang'] },
    }),
    play: async (run) => {
      await run.approve('start');
      await run.answer('hold', 'retry');
      await run.script.hangs(STOP);
      run.stage.lose();
      await run.through();
    },
    ends: 'Completed',
  },
  {
    // A loss doesn't cut the undo of a half-done step: it is mended after that.
    what: 'lost-in-undo',
    kinds: XROAD,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: [fails()], [`${step}.undo`]: ['hang'] } }),
    play: async (run, { step }) => {
      await run.approve('start');
      await run.script.hangs(`${step}.undo`);
      run.stage.lose();
      await run.until(({ guard }) => guard?.state === 'regression');
      run.script.letGo(`${step}.undo`);
      await run.answer('hold', 'retry');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'guard-blind',
    kinds: XROAD,
    setting: () => ({ turns: { [STOP]: ['hang'], 'xroad.staysPaused.check': [fails(), fails()] } }),
    play: async (run) => {
      await run.approve('start');
      await run.until(({ guard }) => guard?.state === 'blind');
      await run.script.hangs(STOP);
    },
    ends: 'open',
  },
];

const NOT_DRAINED = 'xroad.drained.check';
const PIN = 'xroad.tokensActive.check';
const people: readonly Scenario[] = [
  {
    what: 'not-drained',
    kinds: XROAD,
    setting: () => ({ turns: { [NOT_DRAINED]: [fails('2 connections are left', 'NotDrained')] } }),
    play: async (run) => {
      await run.approve('start');
      await run.asked('hold');
    },
    ends: 'open',
  },
  {
    what: 'gone-on',
    kinds: XROAD,
    setting: () => ({ turns: { [NOT_DRAINED]: [fails('2 connections are left', 'NotDrained')] } }),
    play: async (run) => {
      await run.approve('start');
      await run.answer('hold', 'go-on');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'pin-asked',
    kinds: XROAD,
    setting: () => ({ turns: { [PIN]: [fails('enter the PIN on ss1', 'PinNeeded')] } }),
    play: async (run) => {
      await run.approve('start');
      await run.asked('pin');
    },
    ends: 'open',
  },
  {
    what: 'pin-entered',
    kinds: XROAD,
    setting: () => ({
      turns: { [PIN]: [fails('enter the PIN on ss1', 'PinNeeded'), fails('enter the PIN on ss1', 'PinNeeded')] },
    }),
    play: async (run) => {
      await run.approve('start');
      await run.answer('pin', 'done');
      await run.answer('pin', 'done');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'pin-given-up',
    kinds: XROAD,
    setting: () => ({ turns: { [PIN]: [fails('enter the PIN on ss1', 'PinNeeded')] } }),
    play: async (run) => {
      await run.approve('start');
      await run.answer('pin', 'hold');
      await run.answer('hold', 'stop');
    },
    ends: 'Stopped',
  },
  {
    what: 'pin-lost',
    kinds: XROAD,
    setting: () => ({ turns: { [PIN]: [fails('enter the PIN on ss1', 'PinNeeded')] } }),
    play: async (run) => {
      await run.approve('start');
      await run.asked('pin');
      run.stage.lose();
      await run.until(({ remedies }) => remedies?.length === 1);
      await run.through();
    },
    ends: 'Completed',
  },
];

const READY = 'panos.ready.check';
const waivable = {
  fails: 'Waivable',
  message: 'fw-a: no NTP [ntp_sync]; fw-b: a relay [dhcp_relay]',
  details: { waivable: ['ntp_sync', 'dhcp_relay'], faults: [] },
} as const;
const SYNC = 'panos.synchronized.check';
const notSynchronized = fails('fw-b isn’t synchronized', 'NotSynchronized');
const panosPeople: readonly Scenario[] = [
  {
    what: 'waivable',
    kinds: PANOS,
    setting: () => ({ turns: { [READY]: [waivable] } }),
    play: async (run) => void (await run.asked('hold')),
    ends: 'open',
  },
  {
    what: 'waived',
    kinds: PANOS,
    setting: () => ({ turns: { [READY]: [waivable] } }),
    play: async (run) => {
      const { id: opening, digest } = await run.asked('hold');
      const waive = (more: object): Promise<void> =>
        run.handle.signal('decide', { opening, digest: digest.slice(0, 12), by: 'ann', choice: 'waive', ...more });
      await waive({ waive: ['ntp_sync', 'dhcp_relay'] });
      await waive({ waive: ['ntp_sync'], comment: 'planned' });
      await waive({ waive: ['ntp_sync', 'dhcp-relay'], comment: 'planned' });
      await waive({ waive: ['ntp_sync', 'dhcp_relay'], comment: 'planned' });
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'sync-asked',
    kinds: PANOS,
    setting: () => ({ turns: { [SYNC]: [notSynchronized] } }),
    play: async (run, { gates }) => {
      await run.approve(...gates);
      await run.asked('sync');
    },
    ends: 'open',
  },
  {
    what: 'sync-done',
    kinds: PANOS,
    setting: () => ({ turns: { [SYNC]: [notSynchronized, notSynchronized] } }),
    play: async (run, { gates }) => {
      await run.approve(...gates);
      await run.answer('sync', 'done');
      await run.answer('sync', 'done');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'sync-cancelled',
    kinds: PANOS,
    setting: () => ({ turns: { [SYNC]: [notSynchronized] } }),
    play: async (run, { gates }) => {
      await run.approve(...gates);
      await run.asked('sync');
      await run.handle.cancel();
    },
    ends: 'Cancelled',
  },
];

export const kinds: readonly Scenario[] = [...guarding, ...people, ...panosPeople];
