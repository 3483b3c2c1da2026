/** The whole procedure over a simulated pair in virtual time, without faults. */
import { createHash } from 'node:crypto';
import { haSettings } from '../../simulators/panos/config/initial';
import { panosRun, type PanosRun, type PanosRunOptions } from '../support/panos-run';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Approves what is asked, after `before` was told which gate it is. */
async function toTheEnd(run: PanosRun, before: (gate: string) => void = () => undefined): Promise<string> {
  const asked = () => run.run.state.openings.find((o) => o.outcome === undefined);
  let ending: string | undefined;
  void run.ending.then((e) => (ending = e));
  for (;;) {
    await run.until(() => asked() !== undefined || ending !== undefined);
    if (ending !== undefined) return ending;
    const { kind, question, id } = asked()!;
    if (kind !== 'gate') throw new Error(`${question}\n${run.world.invariants.commands.join('\n')}`);
    before(id.split('#')[0]!);
    run.answer('approve');
  }
}

async function upgraded(options: PanosRunOptions): Promise<PanosRun> {
  const run = await panosRun(options);
  expect([await toTheEnd(run), run.world.broken]).toEqual(['Completed', []]);
  return run;
}
const versions = ({ world }: PanosRun): string[] => world.pair.devices.map(({ software }) => software.running);
const states = ({ world }: PanosRun): string[] => world.pair.devices.map(({ haState }) => haState);
const sent = ({ world }: PanosRun): string[] => world.invariants.sent();
const oneHop = (first: string, second: string): string[] => [
  `suspend ${first}`,
  `install ${first}`,
  `restart ${first}`,
  `suspend ${second}`,
  `install ${second}`,
  `restart ${second}`,
];

describe('active/passive', () => {
  it('passive first: what was passive serves in the end', async () => {
    const run = await upgraded({});
    expect(sent(run)).toEqual(oneHop('fw-b', 'fw-a'));
    expect(versions(run)).toEqual(['10.2.9', '10.2.9']);
    expect(states(run)).toEqual(['passive', 'active']);
  });

  it('active first: whoever was active is so again', async () => {
    const run = await upgraded({ panos: { order: 'active-first' } });
    expect(sent(run)).toEqual(oneHop('fw-a', 'fw-b'));
    expect(states(run)).toEqual(['active', 'passive']);
  });

  it('fails back where the inventory asks for it', async () => {
    const run = await upgraded({ panos: { failBack: true } });
    expect(sent(run)).toEqual([...oneHop('fw-b', 'fw-a'), 'suspend fw-b']);
    expect(states(run)).toEqual(['active', 'passive']);
  });

  it.each([true, false])('whether a suspension outlives a reboot or not (%s)', async (suspendSurvivesReboot) => {
    const run = await upgraded({ pair: { suspendSurvivesReboot } });
    expect(states(run)).toEqual(['passive', 'active']);
  });

  it('goes through every feature release, both members on each, with base images', async () => {
    const run = await upgraded({ version: '11.1.4', pair: { version: '10.2.3' } });
    expect(run.run.plan.hops.map(({ to, images }) => [to, ...images])).toEqual([
      ['11.0.4', '11.0.0', '11.0.4'],
      ['11.1.4', '11.1.0', '11.1.4'],
    ]);
    expect(sent(run)).toEqual([...oneHop('fw-b', 'fw-a'), ...oneHop('fw-a', 'fw-b')]);
    expect(versions(run)).toEqual(['11.1.4', '11.1.4']);
  });

  it('switches preemption off, and restores it, which makes the preferred one lead again', async () => {
    const devices = [{ preemptive: true }, { preemptive: true }] as const;
    const run = await upgraded({ pair: { devices } });
    expect(states(run)).toEqual(['active', 'passive']);
    for (const { config } of run.world.pair.devices) expect(haSettings(config.running).preemptive).toBe(true);
    // It was off when the first one came back: else it would have taken over by itself.
    expect(sent(run)).toEqual(oneHop('fw-b', 'fw-a'));
  });

  it.each(['passive-first', 'active-first'] as const)(
    'whose passive device holds its links down (%s)',
    async (order) => {
      const run = await upgraded({ pair: { passiveLinkState: 'shutdown' }, panos: { order, readiness: { only: [] } } });
      expect(versions(run)).toEqual(['10.2.9', '10.2.9']);
    },
  );

  it('whose content is updated by schedule, and whose users go home, while people think', async () => {
    const run = await panosRun({});
    const meanwhile = (): void => {
      for (const { content, facts } of run.world.pair.devices) {
        content.current = '8850-9000';
        facts.sessions.active = Math.ceil(facts.sessions.active / 4);
      }
    };
    expect(await toTheEnd(run, (gate) => gate === 'fail-over' && meanwhile())).toBe('Completed');
    expect(run.world.broken).toEqual([]);
  });

  it('has the active one download for both where the passive one has no way out', async () => {
    const run = await upgraded({
      panos: { download: 'sync-to-peer', content: 'keep', readiness: { only: [] } },
      prepare: ({ pair }) => pair.faults.inject({ kind: 'no-internet', device: 1 }),
    });
    expect(versions(run)).toEqual(['10.2.9', '10.2.9']);
    expect(
      run.world
        .deviceOf('fw-b')
        .jobs.list()
        .some(({ type }) => type === 'Downld'),
    ).toBe(false);
  });

  it('imports images where devices have no internet', async () => {
    const file = (version: string) => ({
      file: `/images/PanOS_vm-${version}`,
      sha256: sha256(`/images/PanOS_vm-${version}`),
    });
    const images = { '10.2.9': file('10.2.9') };
    const run = await upgraded({
      pair: { internet: false },
      panos: { images, content: 'keep', readiness: { skip: ['content_version', 'active_support'] } },
    });
    expect(versions(run)).toEqual(['10.2.9', '10.2.9']);
  });
});

describe('active/active', () => {
  const pair = { mode: 'active-active' } as const;

  it('the secondary first; roles are what they were', async () => {
    const run = await upgraded({ pair });
    expect(sent(run)).toEqual(oneHop('fw-b', 'fw-a'));
    expect(versions(run)).toEqual(['10.2.9', '10.2.9']);
    expect(states(run)).toEqual(['active-secondary', 'active-primary']);
  });

  it('steers the routers before each failover, and puts them back', async () => {
    const run = await upgraded({ pair, steering: true, panos: { failBack: true } });
    const [first, second] = ['fw-b', 'fw-a'];
    expect(sent(run)).toEqual([
      // They prefer the first device at the start, which goes on.
      ...['suspend', 'install', 'restart'].map((what) => `${what} ${first}`),
      `route ${first}`,
      ...['suspend', 'install', 'restart'].map((what) => `${what} ${second}`),
      `route ${second}`,
      `suspend ${first}`,
    ]);
    expect(run.world.routed).toBe(second);
  });

  it('restores the roles where the inventory asks for it', async () => {
    const run = await upgraded({ pair, panos: { failBack: true } });
    expect(states(run)).toEqual(['active-primary', 'active-secondary']);
  });

  it('active first, under advanced routing, a suspension that outlives reboots, a long tentative hold', async () => {
    const timers = { tentativeHoldMs: 600_000 };
    const run = await upgraded({
      pair: { ...pair, advancedRouting: true, suspendSurvivesReboot: true, timers },
      panos: { order: 'active-first', timing: { pollMs: 15_000, rejoinTimeoutMs: 1_800_000 } },
    });
    expect(sent(run)).toEqual(oneHop('fw-a', 'fw-b'));
    expect(versions(run)).toEqual(['10.2.9', '10.2.9']);
  });
});
