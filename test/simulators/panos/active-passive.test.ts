/** Transitions T1–T7, T10 and T13 of facts §2, in virtual time: trigger, timer, what is seen. */
import { Bench } from './bench';

/** Seconds of shutdown, down, starting, AutoCom of a default device. */
const [SHUTDOWN, DOWN, STARTING, AUTOCOM, NEGOTIATION, SYNC] = [2, 150, 60, 90, 5, 20];

describe('boot', () => {
  it('T1, T2: initial, then passive beside an active peer, then state-sync Complete', () => {
    const bench = new Bench();
    bench.restart(1);
    bench.pass(SHUTDOWN + DOWN + STARTING);
    expect([bench.local(1, 'state'), bench.peer(1, 'state'), bench.peer(1, 'conn-status')]).toEqual([
      'initial',
      'unknown',
      'down',
    ]);
    expect(bench.op(1, '<show><chassis-ready/></show>').body).toContain('<result>no\n</result>');
    expect(bench.op(1, '<show><jobs><all/></jobs></show>').text('result', 'job', 'type')).toBe('AutoCom');
    bench.pass(AUTOCOM);
    expect(bench.op(1, '<show><chassis-ready></chassis-ready></show>').body).toContain('<result>yes\n</result>');
    expect([bench.local(1, 'state'), bench.peer(1, 'state')]).toEqual(['initial', 'active']);
    bench.pass(NEGOTIATION);
    expect([bench.local(1, 'state'), bench.local(1, 'state-sync')]).toEqual(['passive', 'incomplete']);
    bench.pass(SYNC);
    expect(bench.local(1, 'state-sync')).toBe('Complete');
    expect(bench.changes.filter((change) => change.includes('→'))).toEqual(['307 fw-b: initial → passive [T2]']);
  });

  it('T2, read the other way: initial until state synchronization is complete', () => {
    const bench = new Bench({ passiveWaitsForSync: true });
    const stuck = bench.pair.faults.inject({ kind: 'state-sync-stuck' });
    bench.restart(1);
    bench.pass(302 + 3_000);
    expect(bench.states).toEqual(['active', 'initial']);
    bench.pair.faults.clear(stuck);
    bench.pass(SYNC - 1);
    expect(bench.states[1]).toBe('initial');
    bench.pass(1 + NEGOTIATION);
    expect(bench.states[1]).toBe('passive');
    expect(bench.local(1, 'state-sync')).toBe('Complete');
  });

  it('T2: initial for an hour at most', () => {
    const bench = new Bench({ passiveWaitsForSync: true });
    bench.pair.faults.inject({ kind: 'ha2-down' });
    bench.restart(1);
    bench.pass(302 + 3_600);
    expect([bench.states[1], bench.local(1, 'state-sync')]).toEqual(['passive', 'incomplete']);
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
    expect(bench.peer(1, 'conn-ha1', 'conn-status')).toBe('down');
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
    expect(bench.peer(0, 'state')).toBe('unknown');
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
    expect([bench.local(0, 'state-reason'), bench.peer(1, 'state-reason')]).toEqual([
      'User requested',
      'User requested',
    ]);
    expect(bench.peer(1, 'state')).toBe('suspended');
    bench.pass(7);
    expect([bench.local(1, 'state-duration'), bench.peer(0, 'state-duration')]).toEqual(['7', '7']);
    expect(bench.local(0, 'last-error-state')).toBe('suspended');
    expect(bench.local(1, 'state-sync')).toBe('incomplete');
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
    expect(bench.local(0, 'state-sync')).toBe('Complete');
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
    expect(bench.peer(1, 'conn-status')).toBe('up');
    bench.pass(0.1);
    expect([bench.states[1], bench.peer(1, 'conn-ha1', 'conn-status'), bench.peer(1, 'state')]).toEqual([
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
    expect([bench.local(1, 'state-sync'), bench.peer(1, 'conn-ha2', 'conn-status')]).toEqual(['incomplete', 'down']);
    expect(bench.peer(1, 'conn-status')).toBe('up');
    bench.pair.faults.clear();
    bench.pass(SYNC);
    expect(bench.local(1, 'state-sync')).toBe('Complete');
    expect(bench.states).toEqual(['active', 'passive']);
  });
});
