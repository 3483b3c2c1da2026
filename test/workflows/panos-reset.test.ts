/** A PAN-OS run that is reset to its first gate after it has upgraded a member: what it finds then is its own work. */
import { panosPair } from '../../workflows/upgrade-panos-pair';
import { stepKey } from '../../workflows/procedure/wire';
import { modelRun } from '../support/model-run';
import { panosRun, type PanosRun } from '../support/panos-run';

/** What the history before the reset tells. */
const leftBy = ({ run }: PanosRun) =>
  run.state.items.flatMap(({ item, before }, index) =>
    before === undefined
      ? []
      : [{ step: stepKey(index, item.name), item: index, before: before.value, acted: true, undone: false }],
  );

async function wasReset(): Promise<PanosRun> {
  const before = await panosRun();
  await before.until(() => before.open() === 'start#1');
  const { state } = JSON.parse(JSON.stringify({ state: before.run.state })) as Pick<typeof before.run, 'state'>;
  before.answer('approve');
  await before.until(() => before.open() === 'fail-over#1');
  expect(before.world.pair.devices.map(({ software }) => software.running)).toEqual(['10.2.3', '10.2.9']);
  const { plan } = before.run;
  before.world.startAt(before.world.now());
  return modelRun(before.world, panosPair, plan, {
    state,
    inherited: { from: 'reset', runId: 'run-1', earlierRunId: 'run-0', lastCall: 100, steps: leftBy(before) },
  });
}

async function toTheEnd(run: PanosRun, answer: (opening: string) => string): Promise<string> {
  let ending: string | undefined;
  void run.ending.then((e) => (ending = e));
  for (;;) {
    await run.until(() => run.open() !== undefined || ending !== undefined);
    if (ending !== undefined) return ending;
    const { kind, question } = run.run.state.openings.find((o) => o.outcome === undefined)!;
    if (kind === 'hold') return question;
    run.answer(answer(run.open() ?? ''));
  }
}

it('goes on to its end', async () => {
  const run = await wasReset();
  expect(await toTheEnd(run, () => 'approve')).toBe('Completed');
  expect(run.world.pair.devices.map(({ software }) => software.running)).toEqual(['10.2.9', '10.2.9']);
});

it('and undoes all of it, where people say so', async () => {
  const run = await wasReset();
  expect(await toTheEnd(run, () => 'reject')).toBe('RolledBack');
  expect(run.world.pair.devices.map(({ software }) => software.running)).toEqual(['10.2.3', '10.2.3']);
});
