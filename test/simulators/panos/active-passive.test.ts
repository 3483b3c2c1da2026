/** Transitions T1–T14 of facts §2, in virtual time: trigger, timer, what is seen. */
import { Bench, GROUP } from './bench';

const local = (bench: Bench, side: 0 | 1, ...path: string[]) =>
  bench.ha(side).text('result', 'group', 'local-info', ...path);
const peer = (bench: Bench, side: 0 | 1, ...path: string[]) =>
  bench.ha(side).text('result', 'group', 'peer-info', ...path);

/** Seconds of shutdown, down, starting, AutoCom of a default device. */
const [SHUTDOWN, DOWN, STARTING, AUTOCOM, NEGOTIATION, SYNC] = [2, 150, 60, 90, 5, 20];

describe('boot', () => {
  it('T1, T2: initial, then passive beside an active peer, then state-sync Complete', () => {
    const bench = new Bench();
    bench.restart(1);
    bench.pass(SHUTDOWN + DOWN + STARTING);
    expect([local(bench, 1, 'state'), peer(bench, 1, 'state'), peer(bench, 1, 'conn-status')]).toEqual([
      'initial',
      'unknown',
      'down',
    ]);
    expect(bench.op(1, '<show><chassis-ready/></show>').body).toContain('<result>no\n</result>');
    expect(bench.op(1, '<show><jobs><all/></jobs></show>').text('result', 'job', 'type')).toBe('AutoCom');
    bench.pass(AUTOCOM);
    expect(bench.op(1, '<show><chassis-ready></chassis-ready></show>').body).toContain('<result>yes\n</result>');
    expect([local(bench, 1, 'state'), peer(bench, 1, 'state')]).toEqual(['initial', 'active']);
    bench.pass(NEGOTIATION);
    expect([local(bench, 1, 'state'), local(bench, 1, 'state-sync')]).toEqual(['passive', 'incomplete']);
    bench.pass(SYNC);
    expect(local(bench, 1, 'state-sync')).toBe('Complete');
    expect(bench.changes.filter((change) => change.includes('→'))).toEqual(['307 fw-b: initial → passive [T2]']);
  });

  it('T2, read the other way: initial until state synchronization is complete', () => {
    const bench = new Bench({ passiveWaitsForSync: true });
    const stuck = bench.pair.faults.inject({ kind: 'state-sync-stuck' });
    bench.restart(1);
    bench.pass(3_600);
    expect(bench.states).toEqual(['active', 'initial']);
    bench.pair.faults.clear(stuck);
    bench.pass(SYNC - 1);
    expect(bench.states[1]).toBe('initial');
    bench.pass(1 + NEGOTIATION);
    expect(bench.states[1]).toBe('passive');
    expect(local(bench, 1, 'state-sync')).toBe('Complete');
  });

  it('T3: active after the wait for a peer that isn’t there', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'power-off', device: 0 });
    bench.restart(1);
    bench.pass(SHUTDOWN + DOWN + STARTING + AUTOCOM);
    bench.pass(59);
    expect(bench.states[1]).toBe('initial');
    bench.pass(1);
    expect(bench.states[1]).toBe('active');
    expect(peer(bench, 1, 'conn-ha1', 'conn-status')).toBe('down');
  });

  it('T3: of two that boot together the better priority is active', () => {
    const bench = new Bench({ devices: [{ priority: 120 }, { priority: 90 }] });
    expect(bench.states).toEqual(['passive', 'active']);
    bench.pair.faults.inject({ kind: 'crash', device: 0 });
    bench.pair.faults.inject({ kind: 'crash', device: 1 });
    bench.settle();
    expect(bench.states).toEqual(['passive', 'active']);
  });

  it('boots with HA1 down: both active', () => {
    const bench = new Bench();
    bench.restart(1);
    bench.pair.faults.inject({ kind: 'ha1-down', afterMs: 10_000 });
    bench.settle();
    expect(bench.states).toEqual(['active', 'active']);
    expect(peer(bench, 0, 'state')).toBe('unknown');
    bench.pair.faults.clear();
    expect(bench.states).toEqual(['active', 'passive']);
  });
});

describe('suspend and functional', () => {
  it('T4, T5: the peer of a suspended active takes over at once, and both sides show why', () => {
    const bench = new Bench();
    bench.pass(100);
    expect(bench.suspend(0).body).toBe(
      '<response status="success"><result>Successfully changed HA state to suspended</result></response>',
    );
    expect(bench.states).toEqual(['suspended', 'active']);
    expect([local(bench, 0, 'state-reason'), peer(bench, 1, 'state-reason')]).toEqual([
      'User requested',
      'User requested',
    ]);
    expect(peer(bench, 1, 'state')).toBe('suspended');
    bench.pass(7);
    expect([local(bench, 1, 'state-duration'), peer(bench, 0, 'state-duration')]).toEqual(['7', '7']);
    expect(local(bench, 0, 'last-error-state')).toBe('suspended');
    expect(local(bench, 1, 'state-sync')).toBe('incomplete');
  });

  it('T4: no interlock. Suspending the second is an outage', () => {
    const bench = new Bench();
    bench.suspend(1);
    expect(bench.suspend(0).status).toBe('success');
    bench.settle();
    expect(bench.states).toEqual(['suspended', 'suspended']);
  });

  it('T7: suspending the passive moves nothing', () => {
    const bench = new Bench();
    bench.suspend(1);
    expect(bench.states).toEqual(['active', 'suspended']);
  });

  it('T10: passive beside an active peer, also with better priority', () => {
    const bench = new Bench();
    bench.suspend(0);
    expect(bench.functional(0).body).toContain('Successfully changed HA state to functional');
    expect(bench.states).toEqual(['initial', 'active']);
    bench.settle();
    expect(bench.states).toEqual(['passive', 'active']);
    expect(local(bench, 0, 'state-sync')).toBe('Complete');
  });

  it('T10: active where no peer is', () => {
    const bench = new Bench();
    bench.suspend(1);
    bench.suspend(0);
    bench.functional(1);
    bench.settle();
    expect(bench.states).toEqual(['suspended', 'active']);
  });

  it('functional is harmless for one that isn’t suspended', () => {
    const bench = new Bench();
    expect(bench.functional(0).status).toBe('success');
    bench.settle();
    expect(bench.states).toEqual(['active', 'passive']);
  });
});

describe('loss of the peer', () => {
  it('T6: after three missed heartbeats and the promotion hold', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'power-off', device: 0 });
    bench.pass(5.9);
    expect(peer(bench, 1, 'conn-status')).toBe('up');
    bench.pass(0.1);
    expect([bench.states[1], peer(bench, 1, 'conn-ha1', 'conn-status'), peer(bench, 1, 'state')]).toEqual([
      'passive',
      'down',
      'unknown',
    ]);
    bench.pass(1.9);
    expect(bench.states[1]).toBe('passive');
    bench.pass(0.1);
    expect(bench.states[1]).toBe('active');
  });

  it('T13, T5: a restart is announced, the peer takes over as it goes down', () => {
    const bench = new Bench();
    bench.restart(0);
    bench.pass(SHUTDOWN - 0.1);
    expect(bench.states).toEqual(['active', 'passive']);
    bench.pass(0.1);
    expect(bench.states[1]).toBe('active');
    expect(bench.pair.devices[0].serving).toBe(false);
  });

  it('HA1 back before it is noticed: nothing happened', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'ha1-down', forMs: 5_000 });
    bench.settle();
    expect(bench.states).toEqual(['active', 'passive']);
  });

  it('split brain needs HA1 down, and heals for the better priority', () => {
    const bench = new Bench();
    bench.suspend(0);
    bench.functional(0);
    bench.settle();
    expect(bench.states).toEqual(['passive', 'active']);
    bench.pair.faults.inject({ kind: 'ha1-down', forMs: 60_000 });
    bench.pass(59);
    expect(bench.states).toEqual(['active', 'active']);
    bench.pass(1);
    expect(bench.states).toEqual(['active', 'passive']);
  });

  it('HA2 down: state-sync isn’t complete, roles stay', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'ha2-down' });
    expect([local(bench, 1, 'state-sync'), peer(bench, 1, 'conn-ha2', 'conn-status')]).toEqual(['incomplete', 'down']);
    expect(peer(bench, 1, 'conn-status')).toBe('up');
    bench.pair.faults.clear();
    bench.pass(SYNC);
    expect(local(bench, 1, 'state-sync')).toBe('Complete');
    expect(bench.states).toEqual(['active', 'passive']);
  });
});

describe('failures', () => {
  it('T8, T9: hold up and master hold up, then the hold down', () => {
    const bench = new Bench({ timers: { monitorFailHoldUpMs: 3_000 } });
    const fault = bench.pair.faults.inject({ kind: 'monitor-failure', device: 0 });
    bench.pass(3.4);
    expect(bench.states).toEqual(['active', 'passive']);
    bench.pass(0.1);
    expect(bench.states).toEqual(['non-functional', 'active']);
    expect([local(bench, 0, 'state-reason'), local(bench, 0, 'nonfunc-flap-cnt')]).toEqual(['Link down', '1']);
    expect(peer(bench, 1, 'state-reason')).toBe('Link down');
    bench.pass(100);
    bench.pair.faults.clear(fault);
    bench.pass(59);
    expect(bench.states[0]).toBe('non-functional');
    bench.pass(1);
    expect(bench.states).toEqual(['passive', 'active']);
    expect([local(bench, 0, 'last-error-state'), local(bench, 0, 'last-error-reason')]).toEqual([
      'non-functional',
      'Link down',
    ]);
  });

  it('T8: a failure shorter than the hold up is none', () => {
    const bench = new Bench({ timers: { monitorFailHoldUpMs: 3_000 } });
    bench.pair.faults.inject({ kind: 'monitor-failure', device: 0, reason: 'Path down', forMs: 3_400 });
    bench.settle();
    expect(bench.states).toEqual(['active', 'passive']);
  });

  it('T8: a dead dataplane waits for nothing', () => {
    const bench = new Bench({ timers: { monitorFailHoldUpMs: 3_000 } });
    bench.pair.faults.inject({ kind: 'dataplane-down', device: 0 });
    expect(bench.states).toEqual(['non-functional', 'active']);
    expect(local(bench, 0, 'state-reason')).toBe('Dataplane down: brdagent exiting');
  });

  it('T12: one failure too many within 15 minutes suspends', () => {
    const bench = new Bench({ timers: { monitorFailHoldDownMs: 0 } });
    // Both links go down and up in turn: each loses its active role again and again.
    for (let round = 0; round < 7; round++) {
      const active = bench.states[0] === 'active' ? 0 : 1;
      bench.pair.faults.inject({ kind: 'monitor-failure', device: active, forMs: 5_000 });
      bench.pass(30);
    }
    expect(bench.states).toContain('suspended');
    const side = bench.states[0] === 'suspended' ? 0 : 1;
    expect(local(bench, side, 'state-reason')).toBe('Non-functional loop detected');
    expect(local(bench, side, 'nonfunc-flap-cnt')).toBe('4');
    bench.functional(side);
    bench.settle();
    expect(bench.states).toEqual(side === 0 ? ['passive', 'active'] : ['active', 'passive']);
  });

  it('failures more than 15 minutes apart are no loop', () => {
    const bench = new Bench({ timers: { monitorFailHoldDownMs: 0, maxFlaps: 1 } });
    for (let round = 0; round < 3; round++) {
      for (const device of [0, 1] as const) {
        bench.pair.faults.inject({ kind: 'monitor-failure', device, forMs: 5_000 });
        bench.pass(451);
      }
    }
    expect(bench.states).toEqual(['active', 'passive']);
    expect(local(bench, 0, 'nonfunc-flap-cnt')).toBe('1');
  });

  it.each([
    'Platform Model mismatches with peer',
    'Serial Number matches with peer',
    'Multi-vsys mismatches with peer',
    'FIPS-CC mode mismatches',
  ] as const)('T12: %s suspends the one that doesn’t serve; functional doesn’t help before it is gone', (reason) => {
    const bench = new Bench();
    const fault = bench.pair.faults.inject({ kind: 'peer-mismatch', reason });
    expect(bench.states).toEqual(['active', 'suspended']);
    expect(local(bench, 1, 'state-reason')).toBe(reason);
    bench.functional(1);
    bench.settle();
    expect(bench.states).toEqual(['active', 'suspended']);
    bench.restart(1);
    bench.settle();
    expect(bench.states).toEqual(['active', 'suspended']);
    bench.pair.faults.clear(fault);
    bench.settle();
    expect(bench.states).toEqual(['active', 'suspended']);
    bench.functional(1);
    bench.settle();
    expect(bench.states).toEqual(['active', 'passive']);
  });
});

describe('preemption', () => {
  const yes = { preemptive: true };

  /** The worse one serves, and the better one is about to come back. */
  function swapped(options: ConstructorParameters<typeof Bench>[0]) {
    const bench = new Bench(options);
    bench.suspend(0);
    bench.functional(0);
    bench.pass(3);
    expect(bench.states).toEqual(['passive', 'active']);
    return bench;
  }

  it('T11: on both peers, the better one takes back after the hold', () => {
    const bench = swapped({ devices: [yes, yes] });
    bench.pass(58);
    expect(bench.states).toEqual(['passive', 'active']);
    bench.pass(1);
    expect(bench.states).toEqual(['active', 'passive']);
    expect(local(bench, 1, 'preempt-flap-cnt')).toBe('1');
  });

  it.each([
    [yes, {}],
    [{}, yes],
  ])('T11: not with it on one peer only', (a, b) => {
    const bench = swapped({ devices: [a, b] });
    bench.pass(3_600);
    expect(bench.states).toEqual(['passive', 'active']);
  });

  it('restoring it by a commit is a failover of its own', () => {
    const bench = swapped({ devices: [yes, {}] });
    bench.set(1, `${GROUP}/election-option`, '<preemptive>yes</preemptive>');
    bench.commit(1);
    bench.pass(31);
    expect(local(bench, 1, 'preemptive')).toBe('yes');
    expect(peer(bench, 0, 'preemptive')).toBe('yes');
    bench.pass(59);
    expect(bench.states).toEqual(['passive', 'active']);
    bench.pass(1);
    expect(bench.states).toEqual(['active', 'passive']);
  });

  it('T12: a preemption loop ends suspended', () => {
    const bench = new Bench({ devices: [yes, yes], timers: { maxFlaps: 1 } });
    for (let round = 0; round < 2; round++) {
      bench.suspend(0);
      bench.functional(0);
      bench.pass(70);
    }
    expect(bench.states).toEqual(['active', 'suspended']);
    expect(local(bench, 1, 'state-reason')).toBe('Preemption loop detected');
  });
});

describe('T14: a suspend and a reboot', () => {
  it.each([
    [false, 'passive'],
    [true, 'suspended'],
  ])('survives: %s', (suspendSurvivesReboot, state) => {
    const bench = new Bench({ suspendSurvivesReboot });
    bench.suspend(1);
    bench.restart(1);
    bench.settle();
    expect(bench.states).toEqual(['active', state]);
    if (suspendSurvivesReboot) expect(local(bench, 1, 'state-reason')).toBe('User requested');
    bench.functional(1);
    bench.settle();
    expect(bench.states).toEqual(['active', 'passive']);
  });

  it('a fault decides it for one device', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'suspend-survives-reboot', survives: true, device: 'fw-b' });
    bench.suspend(1);
    bench.restart(1);
    bench.settle();
    expect(bench.states).toEqual(['active', 'suspended']);
  });

  it('a suspend that a device wasn’t told before its reboot doesn’t appear', () => {
    const bench = new Bench({ suspendSurvivesReboot: true });
    bench.restart(1);
    bench.settle();
    expect(bench.states).toEqual(['active', 'passive']);
  });
});

describe('releases', () => {
  const upgrade = (bench: Bench, side: 0 | 1, version: string) => {
    bench.suspend(side);
    bench.install(side, version);
    bench.settle();
    bench.restart(side);
    bench.settle();
  };

  it('mixed: build-compat Mismatch, not synchronized, state-sync Complete', () => {
    const bench = new Bench({ downloaded: ['11.0.0', '11.0.4'] });
    upgrade(bench, 1, '11.0.4');
    for (const side of [0, 1] as const) {
      expect(local(bench, side, 'build-compat')).toBe('Mismatch');
      expect(bench.ha(side).text('result', 'group', 'running-sync')).toBe('not synchronized');
      expect(local(bench, side, 'state-sync')).toBe('Complete');
    }
    upgrade(bench, 0, '11.0.4');
    expect(local(bench, 0, 'build-compat')).toBe('Match');
    expect(bench.ha(0).text('result', 'group', 'running-sync')).toBe('synchronized');
  });

  it('T12: two feature releases apart, the newer is suspended, and suspending the other is an outage', () => {
    const bench = new Bench({ downloaded: ['11.1.0', '11.1.4'] });
    upgrade(bench, 1, '11.1.4');
    expect(bench.states).toEqual(['active', 'suspended']);
    expect(local(bench, 1, 'state-reason')).toBe('Peer version too old');
    bench.functional(1);
    bench.settle();
    expect(bench.states).toEqual(['active', 'suspended']);
  });

  it('the distance is an option', () => {
    const bench = new Bench({ downloaded: ['11.1.0', '11.1.4'], peerReleaseSteps: 2 });
    upgrade(bench, 1, '11.1.4');
    expect(bench.states).toEqual(['active', 'passive']);
  });

  it('plugins of different releases make the older peer non-functional once the newer is ready', () => {
    const bench = new Bench({ downloaded: ['11.0.0', '11.0.4'], pluginMismatch: true });
    upgrade(bench, 1, '11.0.4');
    expect(bench.states).toEqual(['non-functional', 'active']);
    expect(local(bench, 0, 'state-reason')).toBe('Version mismatches with peer for VMS');
    expect(local(bench, 0, 'VMS')).toBe('Mismatch');
    upgrade(bench, 0, '11.0.4');
    expect(bench.states).toEqual(['passive', 'active']);
  });
});
