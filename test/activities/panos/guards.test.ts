import { failureType } from '../../../activities/kit';
import { assertMaySuspend, assertMayTakeDown, mayNotSuspend, mayNotTakeDown } from '../../../activities/panos/guards';
import { haStates, isServing, type HaReading, type HaState } from '../../../activities/panos/ha';
import type { Job } from '../../../activities/panos/jobs';
import type { Member, PairReading } from '../../../activities/panos/pair';

const plan = {
  nodes: { a: {}, b: {} },
  mode: 'active-passive',
  panos: { featureReleasesApart: 1 },
} as unknown as Parameters<typeof mayNotSuspend>[0];
const activeActive = { ...plan, mode: 'active-active' } as typeof plan;

const reading: HaReading = {
  mode: 'active-passive',
  state: 'active',
  stateDuration: 1_000,
  reason: undefined,
  stateSync: 'Complete',
  runningSync: 'synchronized',
  runningSyncEnabled: true,
  version: '10.2.3',
  buildCompat: 'Match',
  priority: 100,
  preemptive: false,
  deviceId: undefined,
  maxFlaps: 3,
  flaps: 0,
  managementAddress: '192.0.2.1',
  peer: {
    state: 'passive',
    reason: undefined,
    version: '10.2.3',
    managementAddress: '192.0.2.2',
    connected: true,
    down: [],
  },
};
const member = (node: string, state: HaState, more: Partial<HaReading> & { activeJobs?: Job[] } = {}): Member => ({
  ...reading,
  node,
  answers: true,
  state,
  activeJobs: [],
  ...more,
});
const running = (type: string, id: number): Job => ({
  id,
  type,
  status: 'ACT',
  result: 'PEND',
  progress: '9',
  details: [],
  warnings: [],
});
const dead = (node: string): Member => ({ node, answers: false, why: 'connection refused' });
const pair = (a: Member, b: Member): PairReading => ({ members: { a, b } });

describe('suspending', () => {
  it('the active one, when the passive one can take over', () => {
    expect(mayNotSuspend(plan, pair(member('a', 'active'), member('b', 'passive')), 'a')).toBeUndefined();
  });
  it('the passive one, when the other serves', () => {
    expect(mayNotSuspend(plan, pair(member('a', 'active'), member('b', 'passive')), 'b')).toBeUndefined();
  });
  it.each([
    ['it doesn’t answer', dead('b'), /doesn’t answer/],
    ['sessions aren’t synchronized', member('b', 'passive', { stateSync: 'incomplete' }), /state-sync is incomplete/],
    ['it is suspended', member('b', 'suspended', { reason: 'Peer version too old' }), /Peer version too old/],
    [
      'its links are down',
      member('b', 'passive', { peer: { ...reading.peer, connected: false, down: ['conn-ha1: down'] } }),
      /conn-ha1/,
    ],
    ['it is too far behind', member('b', 'passive', { version: '11.1.4' }), /too far apart/],
  ])('never the active one when of the other %s', (_, other, why) => {
    expect(mayNotSuspend(plan, pair(member('a', 'active'), other), 'a')).toMatch(why);
  });
  it('not when one more flap would suspend it for good', () => {
    expect(mayNotSuspend(plan, pair(member('a', 'active', { flaps: 3 }), member('b', 'passive')), 'a')).toMatch(
      /flapped 3 times/,
    );
    expect(
      mayNotSuspend(plan, pair(member('a', 'active', { flaps: 9, maxFlaps: 0 }), member('b', 'passive')), 'a'),
    ).toBeUndefined();
  });

  it('not when more failovers than max-flaps would fit into 15 minutes', () => {
    const of = (stateDuration: number | undefined, maxFlaps = 3, mode = plan) =>
      mode === plan
        ? mayNotSuspend(plan, pair(member('a', 'active', { stateDuration, maxFlaps }), member('b', 'passive')), 'a')
        : mayNotSuspend(
            activeActive,
            pair(member('a', 'active-primary', { stateDuration, maxFlaps }), member('b', 'active-secondary')),
            'a',
          );
    expect(of(299)).toMatch(/active for only 299 s: no more than 3 failovers .* means 300 s between two/);
    expect(of(299, 3, activeActive)).toMatch(/active-primary for only 299 s/);
    expect(of(899, 1)).toMatch(/means 900 s between two/);
    expect([of(300), of(300, 3, activeActive), of(0, 0), of(undefined)]).toEqual(Array(4).fill(undefined));
    // Nor does it hold for one that doesn't lead, nor for an emergency.
    const now = pair(member('a', 'active', { stateDuration: 1 }), member('b', 'passive', { stateDuration: 1 }));
    expect(mayNotSuspend(plan, now, 'b')).toBeUndefined();
    expect(mayNotSuspend(plan, now, 'a', { ignoreFlaps: true })).toBeUndefined();
  });

  it('not the passive one while a job runs on it; away from one that serves, traffic is moved all the same', () => {
    const activeJobs = [running('HA-Sync', 4)];
    const passive = pair(member('a', 'active'), member('b', 'passive', { activeJobs }));
    expect(() => assertMaySuspend(plan, passive, 'b')).toThrow(
      /^b was not suspended: jobs run on it: HA-Sync \(job 4, ACT\)\. Nothing was done/,
    );
    expect(() => assertMaySuspend(plan, passive, 'a')).not.toThrow();
    const active = pair(member('a', 'active', { activeJobs }), member('b', 'passive'));
    expect(() => assertMaySuspend(plan, active, 'a')).not.toThrow();
    expect(() => assertMaySuspend(plan, active, 'b')).not.toThrow();
  });

  it('never leaves the pair without a member that serves, whatever both are in', () => {
    for (const a of haStates)
      for (const b of haStates) {
        const now = pair(member('a', a), member('b', b));
        if (mayNotSuspend(plan, now, 'a') === undefined) expect(isServing(b) || b === 'passive').toBe(true);
      }
  });
});

describe('installing and restarting', () => {
  it.each([
    ['suspended', plan],
    ['passive', plan],
    ['suspended', activeActive],
  ] as const)('a member that is %s while the other serves', (state, of) => {
    const other = of === plan ? 'active' : 'active-primary';
    expect(mayNotTakeDown(of, pair(member('a', state), member('b', other)), 'a')).toBeUndefined();
  });
  it('never a member that serves, nor one beside a dead one', () => {
    for (const a of haStates)
      for (const b of haStates)
        if (mayNotTakeDown(plan, pair(member('a', a), member('b', b)), 'a') === undefined) {
          expect(isServing(a)).toBe(false);
          expect(isServing(b)).toBe(true);
        }
    expect(mayNotTakeDown(plan, pair(member('a', 'suspended'), dead('b')), 'a')).toMatch(/doesn’t serve/);
  });
  it('not a tentative member of an active/active pair: it may begin to serve at any moment', () => {
    expect(mayNotTakeDown(activeActive, pair(member('a', 'tentative'), member('b', 'active-primary')), 'a')).toMatch(
      /isn’t suspended/,
    );
  });
  it('not while a job runs on it, nor while the other is installed on', () => {
    const busy = pair(member('a', 'suspended', { activeJobs: [running('Commit', 4)] }), member('b', 'active'));
    expect(() => assertMayTakeDown(plan, busy, 'a', 'restarted')).toThrow(
      /a was not restarted: jobs run on it: Commit \(job 4, ACT\)/,
    );
    try {
      assertMayTakeDown(plan, busy, 'a', 'restarted');
    } catch (error) {
      expect(failureType(error)).toBe('GuardRefused');
    }
    const other = pair(member('a', 'suspended'), member('b', 'active', { activeJobs: [running('SWInstall', 9)] }));
    expect(mayNotTakeDown(plan, other, 'a')).toMatch(/b is being installed on/);
  });
});
