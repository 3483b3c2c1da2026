/** Leadership that moves without our asking: told at once, held, and never passed over in silence. The real activities, in virtual time. */
import type { Fault } from '../../simulators/panos';
import { reportView } from '../../workflows/procedure';
import { panosRun, type PanosRun, type PanosRunOptions } from '../support/panos-run';

const opening = ({ run }: PanosRun) => run.state.openings.find((o) => o.outcome === undefined);
const states = ({ world }: PanosRun): string[] => world.pair.devices.map(({ haState }) => haState);
const versions = ({ world }: PanosRun): string[] => world.pair.devices.map(({ software }) => software.running);

/** Approves gates until one whose name begins so, or until people are asked something else. */
async function untilAsked(run: PanosRun, stop = 'hold'): Promise<string> {
  let ending: string | undefined;
  void run.ending.then((e) => (ending = e));
  for (;;) {
    await run.until(() => opening(run) !== undefined || ending !== undefined);
    if (ending !== undefined) return ending;
    const { kind, question, id } = opening(run)!;
    if (kind !== 'gate' || id.startsWith(stop)) return question;
    run.answer('approve');
  }
}

/** Whatever else is asked meanwhile is left alone. */
async function untilHeld(run: PanosRun): Promise<string> {
  await run.until(() => opening(run)?.kind === 'hold');
  return opening(run)!.question;
}

async function atGate(gate: string, options: PanosRunOptions = {}): Promise<{ run: PanosRun; question: string }> {
  const run = await panosRun(options);
  return { run, question: await untilAsked(run, gate) };
}

/** Brings the lead to a device by hand, and the other back. */
async function leadBack(run: PanosRun, from: 0 | 1): Promise<void> {
  run.world.pair.ha.suspend(from);
  await run.runtime.drive(run.runtime.sleep(30_000));
  run.world.pair.elapse(run.world.now());
  run.world.pair.ha.functional(from);
  await run.runtime.drive(run.runtime.sleep(120_000));
  run.world.pair.elapse(run.world.now());
}

it('gates say who serves, as last read', async () => {
  const { question } = await atGate('fail-over');
  expect(question).toMatch(/^Fail over to fw-b, which now runs 10\.2\.9\? fw-a is to lead until then.*As last read: /);
  expect(question).toMatch(
    /fw-a: release 10\.2\.3, serving, state active; fw-b: release 10\.2\.9, not serving, state passive/,
  );
});

describe('while people think about the failover', () => {
  const linkDown: Fault = { kind: 'monitor-failure', device: 0, forMs: 5_000 };

  it('a failure of the one that leads: the question is withdrawn within seconds, and who serves is told', async () => {
    const { run } = await atGate('fail-over');
    const from = run.runtime.now();
    run.world.pair.faults.inject(linkDown);
    const question = await untilHeld(run);
    expect(run.runtime.now() - from).toBeLessThan(60_000);
    expect(question).toMatch(/^the lead has moved from fw-a to fw-b, which this run didn’t ask for\. /);
    expect(question).toMatch(/fw-b leads for \d+ s with 10\.2\.9, and fw-a was to/);
    expect(question).toMatch(/its sessions were kept|too few sessions/);
    expect(question).toMatch(/To have fw-a lead again: .* suspend fw-b, make fw-b functional; then retry/);
    expect(run.world.broken).toEqual([]);
  });

  it('brought back by hand, retry asks the gate again and the upgrade completes', async () => {
    const { run } = await atGate('fail-over');
    run.world.pair.faults.inject(linkDown);
    await untilHeld(run);
    await run.runtime.drive(run.runtime.sleep(180_000));
    await leadBack(run, 1);
    // The lead that moved back is told too: whoever answers knows what is so now.
    await run.until(() => /as it was to/.test(opening(run)?.question ?? ''));
    const again = opening(run)?.question;
    expect(again).toMatch(/^the lead has moved from fw-b to fw-a.* fw-a leads for .*, as it was to/);
    run.answer('retry');
    expect(await untilAsked(run)).toBe('Completed');
    expect([versions(run), states(run)]).toEqual([
      ['10.2.9', '10.2.9'],
      ['passive', 'active'],
    ]);
    // By a person's hand, which isn't this run's.
    expect(run.world.broken).toEqual([expect.stringMatching(/fw-b left suspended \(User requested\) by itself/)]);
  });

  it('gone on with the lead where it is, the failover finds it there, and the report says what happened', async () => {
    const { run } = await atGate('fail-over');
    run.world.pair.faults.inject(linkDown);
    await untilHeld(run);
    await run.runtime.drive(run.runtime.sleep(300_000));
    run.answer('retry');
    expect(await untilAsked(run, 'fail-over')).toMatch(/fw-b: release 10\.2\.9, serving, state active/);
    expect(await untilAsked(run)).toBe('Completed');
    expect([versions(run), run.world.broken]).toEqual([['10.2.9', '10.2.9'], []]);
    expect(reportView(run.run).sentence).toMatch(
      /^Upgraded: every node runs 10\.2\.9; .* On the way: the lead has moved from fw-a to fw-b, which this run didn’t ask for\.$/,
    );
    expect(run.run.state.remedies.map(({ why }) => why)).toEqual([expect.stringMatching(/from fw-a to fw-b/)]);
  });
});

describe('a member that comes back leading, for the other went down meanwhile', () => {
  const crash: Fault = { kind: 'power-off', device: 0, afterMs: 0, forMs: 1_200_000 };
  const restarting = async (options: PanosRunOptions = {}): Promise<{ run: PanosRun; asked: Promise<string> }> => {
    const run = await panosRun(options);
    const asked = untilAsked(run);
    await run.runtime.waitFor(() => run.world.deviceOf('fw-b').software.running === '10.2.9');
    run.world.pair.faults.inject(crash);
    return { run, asked };
  };

  it('is told, with what became of sessions', async () => {
    const { run, asked } = await restarting();
    const question = await asked;
    expect(question).toMatch(/fw-b leads for .* with 10\.2\.9, and fw-a was to/);
    expect(question).toMatch(/fw-a doesn’t answer/);
    expect(run.world.broken).toEqual([]);
  });

  it('goes on from there only by name, and the gate says so', async () => {
    const { run, asked } = await restarting();
    await asked;
    for (let holds = 0; opening(run)?.waivable === undefined; holds++) {
      expect(holds).toBeLessThan(5);
      await run.runtime.drive(run.runtime.sleep(1_800_000));
      if (opening(run)?.kind === 'hold' && opening(run)?.waivable === undefined) run.answer('retry');
      await untilAsked(run, 'fail-over');
    }
    expect(opening(run)?.waivable).toEqual(['ha_lead']);
    run.answer('waive');
    expect(await untilAsked(run, 'fail-over')).toMatch(/Waived by ann: ha_lead \(by plan\)/);
  });

  it('of a plan of revision 1, which has no guard in its list, the check of the member tells it', async () => {
    const { run, asked } = await restarting({ revision: 1 });
    expect(await asked).toMatch(
      /^the lead has moved, which this run didn’t ask for: fw-b leads for .*, and fw-a was to/,
    );
    expect(run.run.state.items.filter(({ item }) => item.kind === 'guard')).toEqual([]);
    expect(opening(run)?.waivable).toEqual(['ha_lead']);
  });

  it.each([1, 2])(
    'where the older one suspends itself on a version gap: no word of an upgrade (revision %s)',
    async (revision) => {
      const options = { version: '11.1.4', panos: { featureReleasesApart: 2, path: ['11.1.4'] }, revision };
      const run = await panosRun({ ...options, pair: { suspends: 'older' } });
      const question = await untilAsked(run);
      expect(question).toMatch(/the lead has moved.*fw-b leads for .* with 11\.1\.4/);
      expect(question).toMatch(/fw-a is suspended \(Peer version too new\)/);
      expect(states(run)).toEqual(['suspended', 'active']);
    },
  );
});
