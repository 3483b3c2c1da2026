/** Suspending, coming back, and moving the lead, from every state that members may be in. */
import type { ApiReply } from '../../../simulators/panos';
import { operationOf } from '../../../simulators/panos/api';
import { Bench, FUNCTIONAL, SUSPEND, failureOf } from './support/bench';

const A = { node: 'fw-a' };
const B = { node: 'fw-b' };
const activeActive = { pair: { mode: 'active-active' } } as const;
/** By an administrator's hand. */
const suspendByHand = (bench: Bench, ...sides: readonly (0 | 1)[]): void => {
  for (const side of sides) bench.world.pair.ha.suspend(side);
};

describe.each([SUSPEND, FUNCTIONAL])('a lost reply to %s', (operation) => {
  it.each([
    ['refuse', 'none'],
    ['drop', 'none'],
    ['drop', 'done'],
    ['hang', 'done'],
  ] as const)('(%s, effect %s) is resolved by reading', async (how, effect) => {
    const bench = await Bench.start();
    if (operation === FUNCTIONAL) suspendByHand(bench, 1);
    bench.fault({ kind: 'request', how, effect, operation, device: 1 });
    await bench.step(operation === SUSPEND ? 'suspend' : 'rejoin', B);
    expect(bench.states).toEqual(['active', operation === SUSPEND ? 'suspended' : 'passive']);
    expect(bench.count('fw-b', operation)).toBe(1);
  });

  it.each(['before', 'after'] as const)('when the worker dies %s it', async (when) => {
    const bench = await Bench.start();
    if (operation === FUNCTIONAL) suspendByHand(bench, 1);
    bench.dieAt(operation, when);
    await bench.step(operation === SUSPEND ? 'suspend' : 'rejoin', B);
    expect(bench.states).toEqual(['active', operation === SUSPEND ? 'suspended' : 'passive']);
    expect(bench.count('fw-b', operation)).toBe(1);
  });
});

describe('back into HA', () => {
  it('nothing is sent to a member that is there', async () => {
    const bench = await Bench.start();
    await bench.step('rejoin', B);
    expect(bench.count('fw-b', FUNCTIONAL)).toBe(0);
  });

  it.each(['Serial Number matches with peer', 'FIPS-CC mode mismatches'] as const)(
    'suspended, %s: functional isn’t the cure, and isn’t tried',
    async (reason) => {
      const bench = await Bench.start();
      bench.fault({ kind: 'peer-mismatch', reason });
      expect(bench.states).toEqual(['active', 'suspended']);
      const error = await failureOf(bench.step('rejoin', B));
      expect(error).toMatchObject({ type: 'NotHealthy', nonRetryable: true });
      expect(error.message).toMatch(new RegExp(`^fw-b is suspended \\(${reason}\\): .*other member was not touched`));
      expect(bench.count('fw-b', FUNCTIONAL)).toBe(0);
    },
  );

  it('tentative for its hold time is normal, however short the patience with synchronization', async () => {
    const bench = await Bench.start({
      pair: { mode: 'active-active', timers: { tentativeHoldMs: 600_000 } },
      panos: { timing: { pollMs: 15_000, rejoinTimeoutMs: 120_000 } },
      attempts: 1,
    });
    const before = await bench.step('suspend', B);
    await bench.undo('suspend', B, before);
    expect(bench.states).toEqual(['active-primary', 'active-secondary']);
  });

  it('tentative that doesn’t end is a failure after the hold and the time for synchronization', async () => {
    const bench = await Bench.start({
      ...activeActive,
      panos: { timing: { pollMs: 15_000, rejoinTimeoutMs: 120_000 } },
      attempts: 1,
    });
    await bench.step('suspend', B);
    bench.fault({ kind: 'tentative-stuck', device: 1 });
    const from = bench.runtime.now();
    const error = await failureOf(bench.step('rejoin', B));
    expect(error).toMatchObject({ type: 'NotHealthy', nonRetryable: true });
    expect(error.message).toMatch(
      /^waited 3 min for fw-b to be back in HA: fw-b is tentative.*Now: fw-a is active-primary/,
    );
    // 60 s of hold and 120 s for the rest, told within a few looks more.
    expect(bench.runtime.now() - from).toBeGreaterThan(180_000);
    expect(bench.runtime.now() - from).toBeLessThan(240_000);
  });

  it('synchronization that doesn’t end is a failure: failing over would lose sessions', async () => {
    const bench = await Bench.start({ panos: { timing: { pollMs: 15_000, rejoinTimeoutMs: 120_000 } }, attempts: 1 });
    await bench.step('suspend', B);
    bench.fault({ kind: 'state-sync-stuck' });
    const error = await failureOf(bench.step('rejoin', B));
    expect(error.message).toMatch(/fw-b is passive, .*state-sync incomplete/);
  });

  it('a peer that doesn’t answer is no reason to wait for sessions', async () => {
    const bench = await Bench.start();
    suspendByHand(bench, 1);
    bench.fault({ kind: 'power-off', device: 0 });
    await bench.pass(60_000);
    await bench.step('rejoin', B);
    expect(bench.device('fw-b').serving).toBe(true);
  });

  it('the member itself doesn’t answer: told by name', async () => {
    const bench = await Bench.start({ panos: { timing: { pollMs: 15_000, rejoinTimeoutMs: 60_000 } }, attempts: 1 });
    bench.fault({ kind: 'power-off', device: 1 });
    const error = await failureOf(bench.act('rejoin', B, { states: {}, serving: 'fw-a' }));
    expect(error).toMatchObject({ type: 'NotHealthy', nonRetryable: true });
    expect(error.message).toMatch(/^waited .* for fw-b to have settled after its start: fw-b doesn’t answer/);
  });
});

describe('suspending', () => {
  it.each([
    ['links down', { kind: 'ha1-down' }],
    ['no synchronization', { kind: 'state-sync-stuck' }],
    ['the other dead', { kind: 'power-off', device: 1 }],
    ['the other non-functional', { kind: 'dataplane-down', device: 1 }],
  ] as const)('the active one is refused with %s, and nothing is sent', async (_, fault) => {
    const bench = await Bench.start({ attempts: 1 });
    bench.fault(fault);
    if (fault.kind === 'state-sync-stuck' || fault.kind === 'ha1-down') await bench.pass(5_000);
    const error = await failureOf(bench.step('suspend', A));
    expect(error).toMatchObject({ type: 'GuardRefused', nonRetryable: false });
    expect(error.message).toMatch(/^fw-a was not suspended: .*Nothing was done\. Now: fw-a is active.*; fw-b /);
    expect(bench.count('fw-a', SUSPEND)).toBe(0);
  });

  it('its undo leaves alone what was suspended before', async () => {
    const bench = await Bench.start();
    suspendByHand(bench, 1);
    const before = await bench.step('suspend', B);
    expect(await bench.undo('suspend', B, before)).toMatchObject({ changed: false });
    expect(bench.states).toEqual(['active', 'suspended']);
    expect(bench.done.filter((line) => /request high/.test(line))).toEqual([]);
  });
});

describe.each([
  ['active/passive', {}, ['active', 'passive'] as const],
  ['active/active', activeActive, ['active-primary', 'active-secondary'] as const],
])('moving the lead, %s', (_, options, [leads, follows]) => {
  const toB = { to: 'fw-b', leaveOther: 'in-ha' } as const;
  const suspending = { to: 'fw-b', leaveOther: 'suspended' } as const;

  it('there and back', async () => {
    const bench = await Bench.start(options);
    const before = await bench.step('moveTo', suspending);
    expect(bench.states).toEqual(['suspended', leads]);
    await bench.undo('moveTo', suspending, before);
    expect(bench.states).toEqual([leads, follows]);
  });

  it('to one that leads already: nothing is sent', async () => {
    const bench = await Bench.start(options);
    expect(
      await bench.act('moveTo', { to: 'fw-a', leaveOther: 'in-ha' }, await bench.observe('moveTo', toB)),
    ).toMatchObject({ changed: false });
    expect(bench.done.filter((line) => /request high/.test(line))).toEqual([]);
  });

  it('to one that is suspended: it is brought back first', async () => {
    const bench = await Bench.start(options);
    suspendByHand(bench, 1);
    await bench.step('moveTo', toB);
    expect(bench.states).toEqual([follows, leads]);
  });

  it('to one that isn’t synchronized yet: that is waited for, once', async () => {
    const bench = await Bench.start({ ...options, attempts: 1 });
    bench.fault({ kind: 'state-sync-stuck', forMs: 100_000 });
    await bench.step('moveTo', toB);
    expect(bench.states).toEqual([follows, leads]);
  });

  it('to one that is dead: refused, and the other serves on', async () => {
    const bench = await Bench.start(options);
    bench.fault({ kind: 'power-off', device: 1 });
    await bench.pass(60_000);
    const error = await failureOf(bench.step('moveTo', toB));
    expect(error).toMatchObject({ type: 'Unreachable', nonRetryable: false });
    expect(error.message).toContain('fw-b');
    expect(bench.device('fw-a').serving).toBe(true);
  });

  it('from one that is dead: the other serves by itself', async () => {
    const bench = await Bench.start(options);
    const before = await bench.observe('moveTo', toB);
    bench.fault({ kind: 'power-off', device: 0 });
    await bench.act('moveTo', toB, before);
    expect(bench.device('fw-b').haState).toBe(leads);
    expect(bench.count('fw-b', SUSPEND)).toBe(0);
  });

  it('where both are suspended, by whose hand ever: one is made functional, then the other', async () => {
    const bench = await Bench.start(options);
    suspendByHand(bench, 0, 1);
    expect(bench.world.pair.devices.some(({ serving }) => serving)).toBe(false);
    await bench.step('moveTo', toB);
    expect(bench.states).toEqual([follows, leads]);
    expect([bench.count('fw-a', SUSPEND), bench.count('fw-b', SUSPEND)]).toEqual([0, 0]);
  });

  it.each([SUSPEND, FUNCTIONAL])('cut after %s: the undo finds its way back', async (operation) => {
    const bench = await Bench.start(options);
    const before = await bench.observe('moveTo', toB);
    await bench.cutAt(operation, 'moveTo', toB, before);
    await bench.undo('moveTo', toB, before);
    expect(bench.states).toEqual([leads, follows]);
  });
});

describe.each(['active-passive', 'active-active'] as const)('moving the lead in an emergency, %s', (mode) => {
  const away = { to: 'fw-a', leaveOther: 'in-ha', urgent: true } as const;
  const leads = mode === 'active-passive' ? 'active' : 'active-primary';
  const follows = mode === 'active-passive' ? 'passive' : 'active-secondary';
  /** fw-b leads; the other one is suspended, or in HA. */
  async function onB(leaveOther: 'suspended' | 'in-ha'): Promise<{ bench: Bench; before: unknown }> {
    const bench = await Bench.start({ pair: { mode }, attempts: 1 });
    const before = await bench.step('moveTo', { to: 'fw-b', leaveOther });
    return { bench, before };
  }
  /** What fw-b answers when it is asked for its HA state after its suspension; as it would if undefined. */
  function onceSuspended(bench: Bench, reply: () => ApiReply | undefined): void {
    const device = bench.device('fw-b');
    const usual = device.request.bind(device);
    device.request = (request) => {
      const isAsked = bench.count('fw-b', SUSPEND) > 0 && operationOf(request) === 'show high-availability state';
      return (isAsked ? reply() : undefined) ?? usual(request);
    };
  }
  async function escaped(bench: Bench): Promise<{ summary: string; tookMs: number }> {
    const from = bench.runtime.now();
    const { summary } = await bench.act('moveTo', away, await bench.observe('moveTo', away));
    expect(bench.device('fw-a').haState).toBe(leads);
    return { summary, tookMs: bench.runtime.now() - from };
  }

  it.each([
    [
      'whose dataplane is down',
      { kind: 'dataplane-down', device: 1 },
      /fw-b is non-functional \(Dataplane down.*fw-b isn’t back in HA, and fw-a has no standby: it is back by itself once the cause/,
    ],
    [
      'that is dead',
      { kind: 'power-off', device: 1 },
      /fw-b doesn’t answer.*fw-b isn’t back in HA, and fw-a has no standby: look at its console/,
    ],
  ] as const)('one %s isn’t waited for, and is brought back later', async (_, fault, told) => {
    const { bench, before } = await onB('suspended');
    bench.fault(fault);
    if (fault.kind === 'power-off') await bench.pass(60_000);
    const { summary, tookMs } = await escaped(bench);
    expect(summary).toMatch(told);
    expect(summary).toMatch(/Retry and roll back bring it back$/);
    expect(tookMs).toBeLessThan(180_000);
    bench.world.pair.faults.clear();
    await bench.pass(600_000);
    await bench.undo('moveTo', { to: 'fw-b', leaveOther: 'suspended' }, before);
    expect(bench.states).toEqual([leads, follows]);
  });

  it('one whose sessions aren’t synchronized is waited for as long as a change of state takes', async () => {
    const { bench } = await onB('in-ha');
    onceSuspended(bench, () => {
      if (mode === 'active-passive') bench.fault({ kind: 'state-sync-stuck' });
      else bench.fault({ kind: 'tentative-stuck', device: 1 });
      return undefined;
    });
    const { summary, tookMs } = await escaped(bench);
    expect(summary).toMatch(/fw-b is (passive|tentative).*it wasn’t waited for any longer/);
    expect(tookMs).toBeLessThan(180_000);
    expect(bench.count('fw-b', FUNCTIONAL)).toBe(1);
  });

  it('one that comes back is back; one question that isn’t answered says nothing', async () => {
    const { bench } = await onB('in-ha');
    let looks = 0;
    // The looks of the suspension, of the takeover, and the first one of the return.
    onceSuspended(bench, () => (++looks === 3 ? { kind: 'drop' } : undefined));
    const { summary } = await escaped(bench);
    expect([looks > 3, bench.states]).toEqual([true, [leads, follows]]);
    expect(summary).not.toContain('isn’t back');
  });

  it.each([1, 2, 3])(
    'without an emergency it is brought back all the same, whichever look stays unanswered (%i)',
    async (nth) => {
      const { bench } = await onB('in-ha');
      // Within the flap budget.
      await bench.pass(600_000);
      let looks = 0;
      onceSuspended(bench, () => (++looks === nth ? { kind: 'drop' } : undefined));
      await bench.act('moveTo', { to: 'fw-a', leaveOther: 'in-ha' }, await bench.observe('moveTo', away));
      expect([looks > nth, bench.states]).toEqual([true, [leads, follows]]);
    },
  );
});

it('in an emergency, one that is suspended for what it is isn’t waited for; an undo says that it isn’t back', async () => {
  const bench = await Bench.start({ attempts: 1 });
  const before = await bench.observe('moveTo', { to: 'fw-b', leaveOther: 'in-ha' });
  bench.fault({ kind: 'peer-mismatch', reason: 'Serial Number matches with peer' });
  const from = bench.runtime.now();
  const away = { to: 'fw-a', leaveOther: 'in-ha', urgent: true };
  const { summary } = await bench.act('moveTo', away, before);
  const tookMs = bench.runtime.now() - from;
  expect(summary).toMatch(/fw-b is suspended \(Serial.*making it functional doesn’t cure that/);
  expect([tookMs < 60_000, bench.count('fw-b', FUNCTIONAL)]).toEqual([true, 0]);
  const error = await failureOf(bench.undo('moveTo', { to: 'fw-b', leaveOther: 'in-ha' }, before));
  expect(error).toMatchObject({ type: 'NotHealthy' });
  expect(bench.states).toEqual(['active', 'suspended']);
});
