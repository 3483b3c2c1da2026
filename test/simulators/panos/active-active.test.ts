/** Transitions U1–U10 of facts §2, in virtual time. */
import type { PairOptions } from '../../../simulators/panos';
import { Bench, GROUP } from './bench';

const AA: PairOptions = { mode: 'active-active' };

/** A change of the active/active settings of one device, committed. */
function configure(bench: Bench, side: 0 | 1, element: string, path = ''): void {
  expect(bench.set(side, `${GROUP}/mode/active-active${path}`, element).code).toBe('20');
  bench.commit(side);
  bench.pass(40);
}

it('starts with device 0 as active-primary, and says so', () => {
  const bench = new Bench(AA);
  expect(bench.states).toEqual(['active-primary', 'active-secondary']);
  expect(bench.ha(0).text('result', 'group', 'mode')).toBe('Active-Active');
  expect(bench.local(1, 'device-id')).toBe('1');
  expect(bench.pair.devices.map(({ serving }) => serving)).toEqual([true, true]);
});

describe('boot', () => {
  it('U1: device 0 wins where both start', () => {
    const bench = new Bench(AA);
    bench.pair.faults.inject({ kind: 'crash', device: 0 });
    bench.pair.faults.inject({ kind: 'crash', device: 1 });
    bench.settle();
    expect(bench.states).toEqual(['active-primary', 'active-secondary']);
  });

  it('U1: without a peer, after the wait', () => {
    const bench = new Bench(AA);
    bench.pair.faults.inject({ kind: 'power-off', device: 0 });
    bench.restart(1);
    bench.pass(302 + 59);
    expect(bench.states[1]).toBe('initial');
    bench.pass(1);
    expect(bench.states[1]).toBe('active-primary');
  });

  it('U2: tentative until synchronized, and for the hold', () => {
    const bench = new Bench(AA);
    bench.restart(1);
    bench.pass(302 + 5);
    expect(bench.states).toEqual(['active-primary', 'tentative']);
    expect(bench.local(1, 'state-reason')).toBe('Waiting for state synchronization completion');
    bench.pass(20);
    expect(bench.local(1, 'state-reason')).toBe('Waiting for tentative-hold-time');
    bench.pass(59);
    expect(bench.states[1]).toBe('tentative');
    bench.pass(1);
    expect(bench.states[1]).toBe('active-secondary');
    expect(bench.local(1, 'state-reason')).toBe('');
  });

  it('U2: a hold of 0 doesn’t wait for adjacencies', () => {
    const bench = new Bench({ ...AA, timers: { tentativeHoldMs: 0 } });
    bench.restart(1);
    bench.pass(302 + 5 + 20);
    expect(bench.states[1]).toBe('active-secondary');
  });
});

describe('loss of active-primary', () => {
  it('U3, U6: at once on a suspend', () => {
    const bench = new Bench(AA);
    bench.suspend(0);
    expect(bench.states).toEqual(['suspended', 'active-primary']);
  });

  it('U3: after detection and the promotion hold', () => {
    const bench = new Bench(AA);
    bench.pair.faults.inject({ kind: 'power-off', device: 0 });
    bench.pass(7.9);
    expect(bench.states[1]).toBe('active-secondary');
    bench.pass(0.1);
    expect(bench.states[1]).toBe('active-primary');
  });

  it('U6: suspending the secondary leaves everything to the primary', () => {
    const bench = new Bench(AA);
    bench.suspend(1);
    bench.settle();
    expect(bench.states).toEqual(['active-primary', 'suspended']);
  });
});

it('U7: functional, tentative, active-secondary, whatever the device id', () => {
  const bench = new Bench(AA);
  bench.suspend(0);
  bench.functional(0);
  expect(bench.states).toEqual(['tentative', 'active-primary']);
  bench.pass(79);
  expect(bench.states[0]).toBe('tentative');
  bench.pass(1);
  expect(bench.states).toEqual(['active-secondary', 'active-primary']);
});

describe('failures', () => {
  it('U4, U5: a failed link makes it tentative, its return costs synchronization no time but the hold', () => {
    const bench = new Bench(AA);
    const fault = bench.pair.faults.inject({ kind: 'monitor-failure', device: 0 });
    bench.pass(0.5);
    expect(bench.states).toEqual(['tentative', 'active-primary']);
    expect(bench.local(0, 'state-reason')).toBe('Link down');
    bench.pass(600);
    expect(bench.states[0]).toBe('tentative');
    bench.pair.faults.clear(fault);
    bench.pass(59);
    expect(bench.states[0]).toBe('tentative');
    bench.pass(1);
    expect(bench.states).toEqual(['active-secondary', 'active-primary']);
  });

  it('U8, U9: a dead dataplane makes it non-functional, its return tentative', () => {
    const bench = new Bench(AA);
    const fault = bench.pair.faults.inject({ kind: 'dataplane-down', device: 1 });
    expect(bench.states).toEqual(['active-primary', 'non-functional']);
    bench.pair.faults.clear(fault);
    expect(bench.states[1]).toBe('tentative');
    bench.settle();
    expect(bench.states[1]).toBe('active-secondary');
  });

  it('U8: HA3 down', () => {
    const bench = new Bench(AA);
    const fault = bench.pair.faults.inject({ kind: 'ha3-down' });
    expect(bench.states).toEqual(['active-primary', 'non-functional']);
    expect(bench.local(1, 'state-reason')).toBe('HA3 link is down');
    expect(bench.ha(0).text('result', 'group', 'peer-info', 'conn-ha3', 'conn-status')).toBe('down');
    bench.pair.faults.clear(fault);
    bench.settle();
    expect(bench.states).toEqual(['active-primary', 'active-secondary']);
  });

  it.each([
    ['<packet-forwarding>no</packet-forwarding>', '', 'Packet forwarding mismatch with peer'],
    ['<virtual-router>no</virtual-router>', '/network-configuration/sync', 'Router sync mismatch with peer'],
    ['<qos>no</qos>', '/network-configuration/sync', 'QoS sync mismatch with peer'],
    ['<device-id>0</device-id>', '', 'Device ID overlap with peer'],
  ])('U8: %s on one side only', (element, path, reason) => {
    const bench = new Bench(AA);
    configure(bench, 1, element, path);
    expect(bench.states).toEqual(['active-primary', 'non-functional']);
    expect(bench.local(1, 'state-reason')).toBe(reason);
    expect(bench.ha(0).text('result', 'group', 'peer-info', 'state-reason')).toBe(reason);
  });

  it('T12: a tentative loop ends suspended', () => {
    const bench = new Bench({ ...AA, timers: { tentativeHoldMs: 0, maxFlaps: 2 } });
    for (let round = 0; round < 3; round++) {
      bench.pair.faults.inject({ kind: 'monitor-failure', device: 1, forMs: 5_000 });
      bench.pass(60);
    }
    expect(bench.states).toEqual(['active-primary', 'suspended']);
    expect(bench.local(1, 'state-reason')).toBe('Tentative loop');
  });

  it('a stuck tentative stays so until the fault ends', () => {
    const bench = new Bench(AA);
    const fault = bench.pair.faults.inject({ kind: 'tentative-stuck', device: 1 });
    bench.restart(1);
    bench.pass(7_200);
    expect(bench.states).toEqual(['active-primary', 'tentative']);
    bench.pair.faults.clear(fault);
    bench.pass(60);
    expect(bench.states[1]).toBe('active-secondary');
  });

  it('a stuck tentative doesn’t take over', () => {
    const bench = new Bench(AA);
    bench.pair.faults.inject({ kind: 'tentative-stuck', device: 1 });
    bench.restart(1);
    bench.pass(400);
    bench.suspend(0);
    bench.settle();
    expect(bench.states).toEqual(['suspended', 'tentative']);
  });
});

describe('U10: preemption', () => {
  const yes = { preemptive: true };

  it.each([
    [[yes, yes] as const, ['active-primary', 'active-secondary']],
    [[yes, {}] as const, ['active-secondary', 'active-primary']],
  ])('with %j: %j', (devices, states) => {
    const bench = new Bench({ ...AA, devices });
    bench.suspend(0);
    bench.functional(0);
    bench.pass(80 + 59);
    expect(bench.states).toEqual(['active-secondary', 'active-primary']);
    bench.pass(3_600);
    expect(bench.states).toEqual(states);
  });
});

it('split brain: HA1 down makes both active-primary, and heals', () => {
  const bench = new Bench(AA);
  bench.pair.faults.inject({ kind: 'ha1-down', forMs: 30_000 });
  bench.pass(29);
  expect(bench.states).toEqual(['active-primary', 'active-primary']);
  bench.pass(1);
  expect(bench.states).toEqual(['active-primary', 'tentative']);
  bench.settle();
  expect(bench.states).toEqual(['active-primary', 'active-secondary']);
});
