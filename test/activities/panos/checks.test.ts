/** Checks of the procedure: what counts against a member that was upgraded, and what its place in HA explains. */
import type { Finding } from '../../../activities/kit';
import { Bench, failureOf } from './support/bench';

const shutdown = { pair: { passiveLinkState: 'shutdown' } } as const;

describe('a member that was upgraded', () => {
  const start = async (options = {}): Promise<{ bench: Bench; healthy: () => Promise<Finding> }> => {
    const bench = await Bench.start(options);
    const snapshot = await bench.check('snapshot', {});
    const version = bench.device('fw-b').software.running;
    return { bench, healthy: () => bench.check('healthy', { node: 'fw-b', version, snapshot }) };
  };

  it('is healthy where nothing has changed', async () => {
    const { healthy } = await start(shutdown);
    expect((await healthy()).summary).toMatch(/^fw-b is passive/);
  });

  it('that is passive has its links up as before, where passive link state is auto', async () => {
    const { bench, healthy } = await start({ attempts: 1 });
    const gone = bench.device('fw-b').facts.interfaces.find(({ name }) => name === 'ethernet1/1');
    Object.assign(gone ?? {}, { state: 'down' });
    expect(await failureOf(healthy())).toMatchObject({
      type: 'VerifyFailed',
      message: expect.stringContaining('interfaces not up any more: ethernet1/1'),
    });
  });

  it('holds its links down as passive, and had them up as non-functional', async () => {
    const bench = await Bench.start({ ...shutdown, attempts: 1 });
    bench.fault({ kind: 'monitor-failure', reason: 'Path down', device: 1 });
    expect(bench.states).toEqual(['active', 'non-functional']);
    const snapshot = await bench.check('snapshot', {});
    bench.world.pair.faults.clear();
    const version = bench.device('fw-b').software.running;
    await bench.pass(600_000);
    expect(bench.states).toEqual(['active', 'passive']);
    expect((await bench.check('healthy', { node: 'fw-b', version, snapshot })).summary).toMatch(/^fw-b is passive/);
  });

  it('suspended by something else than a person: people are asked at once', async () => {
    const { bench, healthy } = await start();
    bench.fault({ kind: 'peer-mismatch', reason: 'Multi-vsys mismatches with peer' });
    expect(await failureOf(healthy())).toMatchObject({
      type: 'NotHealthy',
      nonRetryable: true,
      message: expect.stringMatching(/^fw-b is suspended \(Multi-vsys mismatches with peer\): .*cause must be found/),
    });
  });
});
