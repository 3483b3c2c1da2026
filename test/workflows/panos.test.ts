/** The whole procedure over a simulated pair in virtual time, without faults. */
import { panosRun, type PanosRun, type PanosRunOptions } from '../support/panos-run';

async function upgraded(options: PanosRunOptions): Promise<PanosRun> {
  const run = await panosRun(options);
  const asked = () => run.run.state.openings.find((o) => o.outcome === undefined);
  let ending: string | undefined;
  void run.ending.then((e) => (ending = e));
  for (;;) {
    await run.until(() => asked() !== undefined || ending !== undefined);
    if (ending !== undefined) break;
    if (asked()?.kind !== 'gate') throw new Error(`${asked()?.question}\n${run.world.commands.join('\n')}`);
    run.answer('approve');
  }
  expect(run.world.broken).toEqual([]);
  expect(ending).toBe('Completed');
  return run;
}
const versions = ({ world }: PanosRun): string[] => world.pair.devices.map(({ software }) => software.running);

it('upgrades an active/passive pair, the passive one first', async () => {
  const run = await upgraded({});
  expect(versions(run)).toEqual(['10.2.9', '10.2.9']);
  console.log(run.world.commands.join('\n'), run.runtime.log.length);
});
