/** What the watch asks of a pair. */
import { panosProbes } from '../../../activities/panos';
import type { Fault } from '../../../simulators/panos';
import { Bench } from './support/bench';

const watched = { serving: 'fw-b', escapeTo: 'fw-a' };
const probe = { name: 'ha', kind: 'state-sync', required: true } as const;
const look = (bench: Bench, of: typeof watched | undefined = watched) =>
  bench.run((context) => panosProbes(bench.world.services).stateSync(context, probe, of));
/** fw-b leads, the other one is suspended or in HA. */
async function onB(mode: 'active-passive' | 'active-active', leaveOther: 'suspended' | 'in-ha'): Promise<Bench> {
  const bench = await Bench.start({ pair: { mode } });
  await bench.step('moveTo', { to: 'fw-b', leaveOther });
  await bench.pass(60_000);
  return bench;
}

describe.each(['active-passive', 'active-active'] as const)('HA, %s', (mode) => {
  it.each([
    { kind: 'dataplane-down', device: 1 },
    { kind: 'monitor-failure', device: 1 },
  ] as const)(
    'nobody serves, by the word of both: certain, as soon as no failover can be under way (%j)',
    async (fault) => {
      const bench = await onB(mode, 'suspended');
      expect(await look(bench)).toEqual({ verdict: 'pass' });
      bench.fault(fault);
      await bench.pass(1_000);
      const early = await look(bench);
      expect(early).toMatchObject({ verdict: 'fail' });
      expect(early).not.toHaveProperty('certain');
      await bench.pass(6_000);
      expect(await look(bench)).toMatchObject({
        verdict: 'fail',
        certain: true,
        why: expect.stringMatching(/^fw-a is suspended .*; fw-b is (non-functional|tentative)/) as string,
      });
      expect(await look(bench, undefined)).toMatchObject({ verdict: 'fail', certain: true });
    },
  );

  it('the other one serves: a fail like others', async () => {
    const bench = await onB(mode, 'in-ha');
    bench.fault({ kind: 'dataplane-down', device: 1 });
    await bench.pass(60_000);
    const found = await look(bench);
    expect(found).toMatchObject({ verdict: 'fail' });
    expect(found).not.toHaveProperty('certain');
  });

  it.each([
    [{ kind: 'power-off', device: 0 }, 'fail'],
    [{ kind: 'power-off', device: 1 }, 'inconclusive'],
  ] as const)('one of them says nothing (%j): nothing is certain', async (fault: Fault, verdict) => {
    const bench = await onB(mode, 'suspended');
    bench.fault(fault);
    if (verdict === 'fail') bench.world.pair.ha.suspend(1);
    await bench.pass(60_000);
    const found = await look(bench);
    expect(found).toMatchObject({ verdict });
    expect(found).not.toHaveProperty('certain');
  });
});

describe('what the run owns, and the way back', () => {
  const owned = (bench: Bench) => bench.run((context) => panosProbes(bench.world.services).owned(context, watched));
  const wayBack = (bench: Bench) =>
    bench.run((context) => panosProbes(bench.world.services).escapeReady(context, watched));
  /** As the procedure: preemption off, then fw-b serves and fw-a is suspended. */
  async function moved(mode: 'active-passive' | 'active-active' = 'active-passive'): Promise<Bench> {
    const bench = await Bench.start({ pair: { mode } });
    await bench.step('preemptionOff', {});
    expect(await owned(bench)).toEqual({ asWanted: true, leadsTo: 'fw-a' });
    await bench.step('moveTo', { to: 'fw-b', leaveOther: 'suspended' });
    await bench.pass(60_000);
    return bench;
  }

  it.each(['active-passive', 'active-active'] as const)('as the run left it, %s', async (mode) => {
    const bench = await moved(mode);
    expect(await owned(bench)).toEqual({ asWanted: true, leadsTo: 'fw-b' });
    expect(await wayBack(bench)).toEqual({ ready: true });
  });

  it('somebody made the other one functional', async () => {
    const bench = await moved();
    bench.world.pair.ha.functional(0);
    await bench.pass(60_000);
    expect(await owned(bench)).toEqual({
      asWanted: false,
      why: 'fw-a is passive, and this run left it suspended',
      leadsTo: 'fw-b',
    });
  });

  it('somebody moved traffic back: who leads says so', async () => {
    const bench = await moved();
    bench.world.pair.ha.functional(0);
    await bench.pass(60_000);
    bench.world.pair.ha.suspend(1);
    await bench.pass(60_000);
    expect(await owned(bench)).toMatchObject({ leadsTo: 'fw-a' });
  });

  it('somebody switched preemption on again: it would take traffic back from the way back', async () => {
    const bench = await Bench.start({ pair: { devices: [{ preemptive: true }, { preemptive: true }] } });
    await bench.step('preemptionOff', {});
    await bench.step('moveTo', { to: 'fw-b', leaveOther: 'suspended' });
    await bench.pass(60_000);
    expect(await owned(bench)).toEqual({ asWanted: true, leadsTo: 'fw-b' });
    // Two failovers need their time between them.
    await bench.pass(300_000);
    const toFwA = { serving: 'fw-a', escapeTo: 'fw-b' };
    await bench.step('moveTo', { to: 'fw-a', leaveOther: 'suspended' });
    await bench.pass(60_000);
    const escapeReady = () => bench.run((context) => panosProbes(bench.world.services).escapeReady(context, toFwA));
    expect(await escapeReady()).toEqual({ ready: true });
    await bench.step('preemptionRestore', {});
    await bench.pass(60_000);
    expect(await bench.run((context) => panosProbes(bench.world.services).owned(context, toFwA))).toMatchObject({
      asWanted: false,
      why: 'preemption of fw-b is on, and this run left it off',
    });
    expect(await escapeReady()).toEqual({
      ready: false,
      why: 'preemption is on on both, and fw-a would take traffic back by it',
    });
  });

  it('one that says nothing isn’t known', async () => {
    const bench = await moved();
    bench.fault({ kind: 'power-off', device: 0 });
    await bench.pass(60_000);
    await expect(owned(bench)).rejects.toMatchObject({ type: 'Unreachable' });
  });
});
