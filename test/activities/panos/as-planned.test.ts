/**
 * What people approved is what is run: a plan of unchanged devices is the same plan at any time, and what somebody changed
 * by hand after it is named before the run changes anything itself.
 */
import { pairChanged } from '../../../activities/panos/as-planned';
import type { PanosRunOptions } from '../../support/panos-run';
import { planDigest } from '../../../worker/digest';
import { record } from '../../../workflows/procedure/record';
import { panosPair, type PanosPairPlan } from '../../../workflows/upgrade-panos-pair';
import { Bench, failureOf } from './support/bench';

const ELECTION =
  "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/high-availability/group/election-option";
const devices = [{ preemptive: true }, { preemptive: true }] as const;

const digestOf = async ({ plan }: Bench): Promise<string> => {
  const whole = plan as unknown as PanosPairPlan;
  return planDigest(whole, await record(panosPair, whole));
};

it.each<[string, PanosRunOptions]>([
  ['active/passive', { version: '11.0.4', pair: { devices } }],
  ['active/active', { version: '11.0.4', pair: { devices, mode: 'active-active' } }],
])(
  '%s: planned again, much later, with other counters, sessions and jobs, it has the same digest',
  async (_mode, of) => {
    const first = await digestOf(await Bench.start(of));
    const later = await Bench.start({
      ...of,
      prepare: ({ pair }) => {
        // The lead has moved to and fro, which counts as flaps; jobs have run; both have been up for months.
        pair.elapse(pair.now + 40 * 86_400_000);
        for (const side of [1, 0] as const) {
          pair.ha.suspend(side);
          pair.elapse(pair.now + 3_600_000);
          pair.ha.functional(side);
          pair.elapse(pair.now + 3_600_000);
        }
        if (pair.devices[0].haState === 'passive') pair.ha.suspend(1);
        pair.elapse(pair.now + 3_600_000);
        pair.ha.functional(1);
        pair.elapse(pair.now + 90 * 86_400_000);
        pair.ha.members[0].flaps.preempt = 1;
        pair.ha.members[1].flaps.preempt = 2;
      },
    });
    expect(later.states[0]).toMatch(/^active/);
    expect(await digestOf(later)).toBe(first);
    expect(later.plan.found['fw-a']?.serial).toMatch(/\S/);
  },
);

/** What is named, after somebody has changed something. */
async function named(step: 'backup' | 'preemptionOff' | 'suspend' | 'moveTo', change: (bench: Bench) => unknown) {
  const bench = await Bench.start({
    pair: { devices },
    ...(step === 'moveTo' ? { panos: { order: 'active-first' } } : {}),
  });
  const input = {
    suspend: { node: 'fw-b' },
    moveTo: { to: 'fw-b', leaveOther: 'suspended' },
    backup: {},
    preemptionOff: {},
  };
  await bench.firstLook(step, input[step]);
  await change(bench);
  const sent = bench.done.length;
  const error = await failureOf(bench.firstLook(step, input[step]));
  expect(error).toMatchObject({ type: 'ForeignChange', nonRetryable: true });
  expect(error.message).toMatch(/^somebody changed what this run owns after the plan was made.*Next: put it back/s);
  expect(bench.done.slice(sent).filter((line) => !/ show /.test(line))).toEqual([]);
  return error.message.split('\n').filter((line) => line.startsWith('- '));
}

const preemptionOffByHand = ({ world }: Bench): void =>
  world.pair.configure({ device: 'fw-b', xpath: ELECTION, element: '<preemptive>no</preemptive>' });
async function failedOverByHand(bench: Bench): Promise<void> {
  bench.world.pair.configure({ xpath: ELECTION, element: '<preemptive>no</preemptive>' });
  bench.world.pair.ha.suspend(0);
  await bench.pass(60_000);
  bench.world.pair.ha.functional(0);
  await bench.pass(900_000);
  expect(bench.states).toEqual(['passive', 'active']);
}

it('preemption, which would be “restored” at the end', async () => {
  const told = ['- fw-b: preemption was on when the plan was made, and is off now'];
  expect(await named('preemptionOff', preemptionOffByHand)).toEqual(told);
  expect(await named('backup', preemptionOffByHand)).toEqual(told);
});

it('who leads: the plan says which one is upgraded first', async () => {
  const told = '- HA: the member that leads was fw-a when the plan was made, and is fw-b now';
  expect(await named('suspend', failedOverByHand)).toEqual([told]);
  expect(await named('moveTo', failedOverByHand)).toEqual([told]);
  expect(await named('backup', failedOverByHand)).toContain(told);
});

it('a release, priority and a device that was replaced', async () => {
  expect(
    await named('backup', ({ world: { pair } }) => {
      pair.devices[1].software.running = '10.2.7';
      pair.configure({ device: 'fw-a', xpath: ELECTION, element: '<device-priority>90</device-priority>' });
    }),
  ).toEqual([
    '- fw-b: its release was 10.2.3 when the plan was made, and is 10.2.7 now',
    '- fw-a: its HA priority was 100 when the plan was made, and is 90 now',
  ]);
  const { plan } = await Bench.start();
  const systems = { 'fw-b': { serial: 'another', version: plan.releases.from } };
  expect(pairChanged(plan, { members: {} }, systems)).toEqual([
    { where: 'fw-b', what: 'its serial', change: { was: plan.found['fw-b']?.serial, now: 'another' } },
  ]);
});

it('of a run that goes on from before a reset: not what it may have done itself, but what no upgrade changes', async () => {
  const { plan } = await Bench.start({ pair: { devices } });
  const member = { ...plan.found['fw-b']!, answers: true, mode: plan.mode, preemptive: false, priority: 7 };
  const reading = { members: { 'fw-b': member } } as unknown as Parameters<typeof pairChanged>[1];
  const systems = { 'fw-b': { serial: 'another', version: '10.2.9' } };
  expect(pairChanged(plan, reading, systems, true).map(({ what }) => what)).toEqual(['its serial', 'its HA priority']);
  expect(pairChanged(plan, reading, systems).map(({ what }) => what)).toEqual(
    expect.arrayContaining(['its release', 'preemption', 'its serial', 'its HA priority']),
  );
});

it('a release that somebody installed by hand isn’t what an undo goes back to', async () => {
  const bench = await Bench.start();
  bench.device('fw-b').software.running = '10.2.9';
  const error = await failureOf(bench.firstLook('install', { node: 'fw-b', version: '10.2.9' }));
  expect(error.message).toContain('- fw-b: its release was 10.2.3 when the plan was made, and is 10.2.9 now');
});

describe('isn’t asked', () => {
  it('of what the run changed itself and has undone, nor once a member has another release', async () => {
    const bench = await Bench.start({ pair: { devices } });
    const before = await bench.firstLook('preemptionOff', {});
    await bench.act('preemptionOff', {}, before);
    await bench.undo('preemptionOff', {}, before);
    await bench.firstLook('preemptionOff', {});
    await bench.step('preemptionOff', {});
    await bench.step('suspend', { node: 'fw-b' });
    bench.device('fw-b').software.running = '10.2.9';
    await bench.step('rejoin', { node: 'fw-b' });
    await bench.step('moveTo', { to: 'fw-b', leaveOther: 'in-ha' });
    await bench.firstLook('moveTo', { to: 'fw-a', leaveOther: 'suspended' });
  });

  it('of an escape: traffic counts', async () => {
    const bench = await Bench.start({ pair: { devices } });
    await failedOverByHand(bench);
    await bench.step('moveTo', { to: 'fw-a', leaveOther: 'in-ha', urgent: true });
    expect(bench.states).toEqual(['active', 'passive']);
  });
});

it('previews name no run: the dry run’s isn’t the one that saves', async () => {
  const bench = await Bench.start();
  const { commands } = await bench.preview('backup', {});
  expect(commands[0]?.command).toBe('save config to hitless-<run>.xml');
  const install = await bench.preview('install', { node: 'fw-b', version: '10.2.9' });
  expect(install.commands[0]?.command).toBe('save config to hitless-<run>-10.2.3.xml');
});
