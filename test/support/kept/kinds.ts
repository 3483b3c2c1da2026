/** What only one kind has: guard, PIN and drain of X-Road; waivers, synchronization and shapes of plans of PAN-OS. */
import { A_DAY_MS, fails, FIREWALLS, monitoring, PANOS, XROAD, type Scenario } from './scenario';
import type { KeptRun } from './run';
import type { Turn, Turns } from './script';
import type { PlanBase } from '../../../workflows/procedure';

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

const through: Scenario['play'] = async (run) => void (await run.through());
const restarting = (plan: PlanBase): PlanBase => {
  const { software } = plan as PlanBase & { readonly software: object };
  return { ...plan, software: { ...software, reboot: true } } as PlanBase;
};

/** Other lists than those of the plainest plan. */
const shapes: readonly Scenario[] = [
  { what: 'offline', kinds: XROAD, setting: () => ({ stage: { mode: 'offline' } }), play: through, ends: 'Completed' },
  {
    what: 'offline-held',
    kinds: XROAD,
    setting: () => ({ stage: { mode: 'offline' }, turns: { 'xroad.caughtUp.check': [fails()] } }),
    play: async (run) => {
      await run.approve('start');
      await run.asked('hold');
    },
    ends: 'open',
  },
  {
    what: 'with-reboots',
    kinds: XROAD,
    setting: () => ({ change: restarting }),
    play: through,
    ends: 'Completed',
  },
  {
    what: 'active-first',
    kinds: PANOS,
    setting: () => ({ stage: { panos: { panos: { order: 'active-first', failBack: true } } } }),
    play: through,
    ends: 'Completed',
  },
  {
    what: 'active-active-steered',
    kinds: PANOS,
    setting: () => ({ stage: { panos: { pair: { mode: 'active-active' }, steering: true } } }),
    play: through,
    ends: 'Completed',
  },
  {
    what: 'two-hops',
    kinds: PANOS,
    setting: () => ({ stage: { panos: { version: '11.0.4', pair: { version: '10.1.9' } } } }),
    play: through,
    ends: 'Completed',
  },
  {
    what: 'second-hop-held',
    kinds: PANOS,
    setting: () => ({
      stage: { panos: { version: '11.0.4', pair: { version: '10.1.9' } } },
      turns: { 'panos.install.act': ['ok', 'ok', fails()] },
    }),
    play: async (run, { gates }) => {
      await run.approve(...gates);
      await run.asked('hold');
    },
    ends: 'open',
  },
];

const long: readonly Scenario[] = [
  {
    what: 'watched-for-a-month',
    kinds: FIREWALLS,
    setting: () => ({
      change: monitoring(30 * A_DAY_MS),
      turns: {
        'probes.watch.check': Array.from({ length: 200 }, (_, n) => ({
          answers: { verdict: 'checkpoint', observedMs: (n + 1) * 6 * 3_600_000, pass: n, fail: 0, inconclusive: 0 },
        })),
      },
    }),
    play: through,
    ends: 'Completed',
  },
];

export const kinds: readonly Scenario[] = [...guarding, ...people, ...panosPeople, ...shapes, ...long];
