/** Terminate, as the Web UI does it, in the middle of an upgrade of the lab; and starting again, on nodes that it left half-way. */
import { describeLab } from '../lab/describe-lab';
import { CLUSTER, Site } from './support';

jest.setTimeout(900_000);

describeLab('terminated half-way, and started again', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start();
    await site.writeInventory({ monitoring: '10s' });
    await site.startWorker();
  }, 900_000);
  afterAll(() => site?.close());

  const terminate = (): Promise<unknown> =>
    site.engine.client.workflow.getHandle(`upgrade-${CLUSTER}`).terminate('by hand');
  const firstRun = async (): Promise<string> =>
    (await site.engine.client.workflow.getHandle(`upgrade-${CLUSTER}`).describe()).runId;

  /** No host is held any more. */
  const released = async (): Promise<void> => {
    for (const host of ['fw1', 'fw2', 'border']) {
      const owners = await site.lab
        .host(host)
        .exec('cat $(find / -xdev -path "*/.hitless/*.json" 2>/dev/null) /dev/null');
      expect(owners).not.toContain('"released":false');
      expect(owners).toContain('"released":true');
    }
  };

  /** Starts it again by the plan that a dry run shows, over the readiness check that it can't pass. */
  const startAgain = async (after: string): Promise<void> => {
    const { stdout, stderr } = await site.cli('plan', CLUSTER, '2.0');
    expect(stdout + stderr).toContain(`Goes on with the plan of run ${after}`);
    const digest = /--expect-plan ([0-9a-f]{12})/.exec(stdout)?.[1];
    expect(await site.cli('start', CLUSTER, '2.0', '--expect-plan', digest ?? 'none')).toMatchObject({ code: 0 });
    const { question, choices } = await site.asked('hold');
    expect(question).toMatch(
      new RegExp(
        `^A run before this one \\(${after}\\) was ended from outside: what [1-9]\\d* of its steps had found is kept`,
      ),
    );
    expect(question).toContain('fw2 serves, not fw1');
    expect(choices).toEqual(['retry', 'go-on', 'roll-back', 'stop']);
  };

  it('the next run rolls back to what was there before the first one', async () => {
    const before = await site.stand();
    await site.start();
    await site.approve('start');
    await site.asked('return');
    expect(await site.stand()).toMatchObject({ serving: 'fw2', releases: ['2.0', '1.0'] });
    const first = await firstRun();
    await terminate();
    await startAgain(first);
    await site.say('hold', 'roll-back', { to: 'start' });
    expect((await site.ended()).failure?.type).toBe('RolledBack');
    expect(await site.stand()).toEqual(before);
    await released();
    await site.replayed('terminated-rolled-back');
  });

  it('or goes on to the end', async () => {
    const { border } = await site.stand();
    await site.start();
    await site.approve('start');
    await site.asked('return');
    const first = await firstRun();
    await terminate();
    await startAgain(first);
    await site.say('hold', 'go-on');
    await site.approve('start');
    await site.approve('return');
    await site.approve('finish');
    const { execution, failure } = await site.ended();
    expect({ execution, failure }).toEqual({ execution: 'completed', failure: undefined });
    expect(await site.stand()).toEqual({ releases: ['2.0', '2.0'], serving: 'fw1', border });
    await released();
    await site.replayed('terminated-gone-on');
  });
});
