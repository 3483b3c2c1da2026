/** Transitions T8–T14 of facts §2: failures and loops, preemption, reboots of suspended members, mixed releases. */
import { Bench, GROUP } from './bench';

describe('failures', () => {
  it('T8, T9: hold up and master hold up, then the hold down', () => {
    const bench = new Bench({ timers: { monitorFailHoldUpMs: 3_000 } });
    const fault = bench.pair.faults.inject({ kind: 'monitor-failure', device: 0 });
    bench.pass(3.4);
    expect(bench.states).toEqual(['active', 'passive']);
    bench.pass(0.1);
    expect(bench.states).toEqual(['non-functional', 'active']);
    expect([bench.local(0, 'state-reason'), bench.local(0, 'nonfunc-flap-cnt')]).toEqual(['Link down', '1']);
    expect(bench.peer(1, 'state-reason')).toBe('Link down');
    bench.pass(100);
    bench.pair.faults.clear(fault);
    bench.pass(59);
    expect(bench.states[0]).toBe('non-functional');
    bench.pass(1);
    expect(bench.states).toEqual(['passive', 'active']);
    expect([bench.local(0, 'last-error-state'), bench.local(0, 'last-error-reason')]).toEqual([
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
    expect(bench.local(0, 'state-reason')).toBe('Dataplane down: brdagent exiting');
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
    expect(bench.local(side, 'state-reason')).toBe('Non-functional loop detected');
    expect(bench.local(side, 'nonfunc-flap-cnt')).toBe('4');
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
    expect(bench.local(0, 'nonfunc-flap-cnt')).toBe('1');
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
    expect(bench.local(1, 'state-reason')).toBe(reason);
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
    expect(bench.local(1, 'preempt-flap-cnt')).toBe('1');
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
    expect(bench.local(1, 'preemptive')).toBe('yes');
    expect(bench.peer(0, 'preemptive')).toBe('yes');
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
    expect(bench.local(1, 'state-reason')).toBe('Preemption loop detected');
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
    if (suspendSurvivesReboot) expect(bench.local(1, 'state-reason')).toBe('User requested');
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
      expect(bench.local(side, 'build-compat')).toBe('Mismatch');
      expect(bench.ha(side).text('result', 'group', 'running-sync')).toBe('not synchronized');
      expect(bench.local(side, 'state-sync')).toBe('Complete');
    }
    upgrade(bench, 0, '11.0.4');
    expect(bench.local(0, 'build-compat')).toBe('Match');
    expect(bench.ha(0).text('result', 'group', 'running-sync')).toBe('synchronized');
  });

  it('T12: two feature releases apart, the newer is suspended, and suspending the other is an outage', () => {
    const bench = new Bench({ downloaded: ['11.1.0', '11.1.4'] });
    upgrade(bench, 1, '11.1.4');
    expect(bench.states).toEqual(['active', 'suspended']);
    expect(bench.local(1, 'state-reason')).toBe('Peer version too old');
    bench.functional(1);
    bench.settle();
    expect(bench.states).toEqual(['active', 'suspended']);
  });

  it('T12: where both start, the newer alone is too new', () => {
    const bench = new Bench({ devices: [{}, { version: '11.1.4' }] });
    bench.pair.faults.inject({ kind: 'crash', device: 0 });
    bench.pair.faults.inject({ kind: 'crash', device: 1 });
    bench.settle();
    expect(bench.states).toEqual(['active', 'suspended']);
  });

  it('a pair that starts halfway', () => {
    const bench = new Bench({ devices: [{}, { version: '11.0.4', content: '8799-8509' }] });
    expect([bench.version(0), bench.version(1)]).toEqual(['10.2.3', '11.0.4']);
    expect(bench.local(0, 'build-compat')).toBe('Mismatch');
    expect(bench.local(0, 'app-compat')).toBe('Mismatch');
    expect(bench.ha(0).text('result', 'group', 'running-sync')).toBe('not synchronized');
    expect(bench.states).toEqual(['active', 'passive']);
    expect(bench.local(1, 'state-sync')).toBe('Complete');
  });

  it('the distance is an option', () => {
    const bench = new Bench({ downloaded: ['11.1.0', '11.1.4'], peerReleaseSteps: 2 });
    upgrade(bench, 1, '11.1.4');
    expect(bench.states).toEqual(['active', 'passive']);
  });

  it('or the older suspends itself, and the newer takes over', () => {
    const bench = new Bench({ downloaded: ['11.1.0', '11.1.4'], suspends: 'older' });
    upgrade(bench, 1, '11.1.4');
    expect(bench.states).toEqual(['suspended', 'active']);
    expect(bench.local(0, 'state-reason')).toBe('Peer version too new');
    upgrade(bench, 0, '11.1.4');
    expect(bench.states[1]).toBe('active');
  });

  it('plugins of different releases make the older peer non-functional once the newer is ready', () => {
    const bench = new Bench({ downloaded: ['11.0.0', '11.0.4'], pluginMismatch: true });
    upgrade(bench, 1, '11.0.4');
    expect(bench.states).toEqual(['non-functional', 'active']);
    expect(bench.local(0, 'state-reason')).toBe('Version mismatches with peer for VMS');
    expect(bench.local(0, 'VMS')).toBe('Mismatch');
    upgrade(bench, 0, '11.0.4');
    expect(bench.states).toEqual(['passive', 'active']);
  });
});
