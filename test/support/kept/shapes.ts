/** Other lists of steps than those of the plainest plan, and watches of a month. */
import type { PlanBase } from '../../../workflows/procedure';
import { A_DAY_MS, fails, FIREWALLS, monitoring, PANOS, XROAD, type Scenario } from './scenario';

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

export const allShapes: readonly Scenario[] = [...shapes, ...long];
