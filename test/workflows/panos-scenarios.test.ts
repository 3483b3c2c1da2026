/**
 * What other tools get wrong (facts/pan-os.md, section 8), and what devices do wrong: each ends right here. The real
 * activities over the simulated pair, in virtual time.
 */
import type { Fault, SimulatedDevice } from '../../simulators/panos';
import { left } from '../support/panos-invariants';
import { goodWorld } from '../support/model-world';
import { panosRun, type PanosRun, type PanosRunOptions } from '../support/panos-run';

const HA = "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/high-availability";
const opening = ({ run }: PanosRun) => run.state.openings.find((o) => o.outcome === undefined);

/** Runs until people are asked something else than a gate, or to the end. */
async function untilHeld(run: PanosRun): Promise<string> {
  let ending: string | undefined;
  void run.ending.then((e) => (ending = e));
  for (;;) {
    await run.until(() => opening(run) !== undefined || ending !== undefined);
    if (ending !== undefined) return ending;
    const { kind, question } = opening(run)!;
    if (kind !== 'gate') return question;
    run.answer('approve');
  }
}

async function held(options: PanosRunOptions, ...faults: Fault[]): Promise<{ run: PanosRun; question: string }> {
  const run = await panosRun(options);
  for (const fault of faults) run.world.pair.faults.inject(fault);
  const question = await untilHeld(run);
  expect(run.world.broken).toEqual([]);
  return { run, question };
}

const sent = ({ world }: PanosRun): string[] => world.invariants.sent();
const states = ({ world }: PanosRun): string[] => world.pair.devices.map(({ haState }) => haState);
const versions = ({ world }: PanosRun): string[] => world.pair.devices.map(({ software }) => software.running);
/** Rolls back, and says how the run ended. */
async function rolledBack(run: PanosRun): Promise<string> {
  run.answer('roll-back', { to: 'start' });
  const outcome = await untilHeld(run);
  expect(run.world.broken).toEqual([]);
  return outcome;
}

describe('what other tools get wrong', () => {
  it('a failed install isn’t followed by a reboot; rolled back, the device is passive again', async () => {
    const details = ['Error: Upgrading from 10.2.3 to 10.2.9 requires a content version of 8799 or greater'];
    const { run, question } = await held({}, { kind: 'job', how: 'fail', type: 'SWInstall', device: 1, details });
    expect(question).toContain(details[0]);
    expect(sent(run)).toEqual(['suspend fw-b', 'install fw-b']);
    expect(await rolledBack(run)).toBe('RolledBack');
    expect(sent(run)).toEqual(['suspend fw-b', 'install fw-b']);
    expect(states(run)).toEqual(['active', 'passive']);
  });

  it('the second peer isn’t suspended when the first one came back too new for it: no outage', async () => {
    const options = { version: '11.1.4', panos: { featureReleasesApart: 2, path: ['11.1.4'] } };
    const { run, question } = await held(options);
    expect(question).toContain('Peer version too old');
    expect(sent(run)).toEqual(['suspend fw-b', 'install fw-b', 'restart fw-b']);
    run.answer('retry');
    expect(await untilHeld(run)).toContain('Peer version too old');
    expect(sent(run)).not.toContain('suspend fw-a');
    expect(run.world.deviceOf('fw-a').serving).toBe(true);
    expect(await rolledBack(run)).toBe('RolledBack');
    expect(versions(run)).toEqual(['10.2.3', '10.2.3']);
    expect(states(run)).toEqual(['active', 'passive']);
  });

  it('what can’t be read is tried for a while, and then people are asked: never for ever', async () => {
    const broken: Fault = {
      kind: 'error',
      message: 'internal',
      operation: 'show interface',
      device: 1,
      times: 0,
      afterMs: 700_000,
    };
    const { run, question } = await held({}, broken);
    expect(question).toContain('internal');
    expect(run.runtime.now()).toBeLessThan(6 * 3_600_000);
    run.world.pair.faults.clear();
    run.answer('retry');
    expect(await untilHeld(run)).toBe('Completed');
  });

  it('a pair that an interrupted upgrade left behind isn’t taken for an upgraded one', async () => {
    const plan = panosRun({ prepare: ({ pair }) => pair.ha.suspend(1) });
    await expect(plan).rejects.toThrow(
      /one must be active and the other passive: fw-a: active, fw-b: suspended \(User requested\)/,
    );
    const mixed = panosRun({
      prepare: (world) => {
        world.pair.devices[1].software.running = '10.2.9';
      },
    });
    await expect(mixed).rejects.toThrow(/both must run one release: fw-a: 10.2.3, fw-b: 10.2.9/);
  });
});

describe('devices that misbehave', () => {
  it('one that restarts for ever is left to people; the other serves and isn’t touched', async () => {
    const { run, question } = await held({}, { kind: 'boot-loop', device: 1 });
    expect(question).toMatch(/fw-b didn’t come back from its restart/);
    expect(sent(run)).toEqual(['suspend fw-b', 'install fw-b', 'restart fw-b']);
    expect(run.world.deviceOf('fw-a').serving).toBe(true);
    run.answer('stop');
    expect(await run.runtime.drive(run.ending)).toBe('Stopped');
  });

  it('one that answers 403 for an hour while it starts is waited for', async () => {
    const options = { panos: { timing: { pollMs: 15_000, bootTimeoutMs: 7_200_000 } } };
    const slow: Fault = { kind: 'boot-stuck', phase: 'starting', device: 1, forMs: 3_600_000 };
    expect((await held(options, slow)).question).toBe('Completed');
  });

  it('a push of Panorama that ends is waited for; of one that goes on people are told', async () => {
    const push: Fault = { kind: 'panorama-push', device: 1, forMs: 120_000 };
    expect((await held({}, push)).question).toBe('Completed');
    const { run, question } = await held({}, { kind: 'panorama-push', device: 1 });
    expect(question).toMatch(/Panorama pushes configuration: CommitAll .*\[panorama_push\]/);
    expect(sent(run)).toEqual([]);
    run.world.pair.faults.clear();
    run.answer('retry');
    expect(await untilHeld(run)).toBe('Completed');
  });

  it('one that comes back with the old release is told apart from an upgraded one', async () => {
    const { run, question } = await held({}, { kind: 'boots-old-version', device: 1 });
    expect(question).toMatch(/restarted with 10.2.3, not with 10.2.9/);
    run.world.pair.faults.clear();
    expect(await rolledBack(run)).toBe('RolledBack');
    expect(states(run)).toEqual(['active', 'passive']);
  });

  it.each([
    'request restart system',
    'request system software install',
    'request high-availability state suspend',
    'request system software download',
    'commit',
    'request high-availability state functional',
  ])('the reply to %s is lost: what it did is read, not repeated', async (operation) => {
    const devices = [{ preemptive: true }, { preemptive: true }] as const;
    for (const effect of ['done', 'none'] as const) {
      const lost: Fault = { kind: 'request', how: 'drop', effect, operation, times: 1 };
      const { run, question } = await held({ pair: { devices, suspendSurvivesReboot: true } }, lost);
      expect(question).toBe('Completed');
      const repeated =
        effect === 'none' &&
        ['suspend', 'install', 'restart'].some(
          (word) => operation.endsWith(word) || operation.includes(`${word} system`),
        );
      expect(sent(run)).toHaveLength(repeated ? 7 : 6);
    }
  });

  it('a job’s number of before a reboot names no job of after it', async () => {
    // Each boot begins with job 1, so the second hop’s installation has the number of the first one’s.
    const run = await panosRun({ version: '11.0.4', pair: { version: '10.1.9' } });
    expect(await untilHeld(run)).toBe('Completed');
    expect(sent(run).filter((command) => command.startsWith('install'))).toHaveLength(4);
  });
});

describe('the watch', () => {
  const sickAt = (from: number, to: number) => ({
    ...goodWorld,
    sick: (device: SimulatedDevice, _: string, now: number) =>
      device.software.running === '10.2.9' && now > from && now < to,
  });

  it.each(['active-passive', 'active-active'] as const)(
    'moves traffic back at once when the new release is bad (%s)',
    async (mode) => {
      const { run, question } = await held({ pair: { mode }, mischief: sickAt(0, Infinity), monitoringMs: 600_000 });
      expect(question).toMatch(/regression.*Traffic has been moved away/);
      expect(run.world.deviceOf('fw-a').haState).toBe(mode === 'active-passive' ? 'active' : 'active-primary');
      expect(sent(run).slice(-2)).toEqual(['suspend fw-a', 'suspend fw-b']);
      expect(await rolledBack(run)).toBe('RolledBack');
      expect(versions(run)).toEqual(['10.2.3', '10.2.3']);
    },
  );

  it('moves it back on the routers too, where they are steered', async () => {
    const { run, question } = await held({
      pair: { mode: 'active-active' },
      steering: true,
      mischief: sickAt(0, Infinity),
      monitoringMs: 600_000,
    });
    expect(question).toMatch(/regression.*Traffic has been moved away/);
    // The bad one is back in HA, and carries nothing.
    expect([run.world.routed, ...states(run)]).toEqual(['fw-a', 'active-primary', 'active-secondary']);
    expect(await rolledBack(run)).toBe('RolledBack');
    expect(run.world.routed).toBe('fw-a');
  });

  it('moves it back when the device with the new release dies', async () => {
    const run = await panosRun({ monitoringMs: 3_600_000 });
    const asked = untilHeld(run);
    await run.runtime.waitFor(
      () => run.run.state.watch !== undefined && run.world.deviceOf('fw-b').haState === 'active',
    );
    run.world.pair.faults.inject({ kind: 'power-off', device: 1 });
    run.runtime.send('switchBack', { by: 'ann', reason: 'it is dead' });
    expect(await asked).toMatch(/it is dead.*Traffic has been moved away/);
    expect(run.world.deviceOf('fw-a').haState).toBe('active');
    expect(run.world.broken).toEqual([]);
  });
});

describe('preemption, restored at the end', () => {
  const devices = [{ preemptive: true }, { preemptive: true }] as const;
  const two = { version: '11.0.4', pair: { version: '10.1.9', devices } };
  // Its preview tells the same (test/activities/panos/configuration.test.ts).
  it.each([
    [{ pair: { devices } }, 'fw-b'],
    [{ pair: { devices, mode: 'active-active' }, steering: true }, 'fw-b'],
    [{ pair: { devices }, panos: { failBack: true } }, 'fw-a'],
    [{ pair: { devices }, panos: { order: 'active-first' } }, 'fw-a'],
    [two, 'fw-a'],
  ] as const)('%j: %s leads until then, and fw-a afterwards', async (options, leader) => {
    const run = await panosRun(options);
    const ended = untilHeld(run);
    const leads = () => run.world.pair.devices.find(({ haState }) => /^active(-primary)?$/.test(haState))?.name;
    let before: string | undefined;
    await run.runtime.waitFor(() => {
      const item = run.run.state.items.find(({ item: { name } }) => name === 'Restore preemption');
      if (item?.startedAt === undefined) return false;
      before = leads();
      return true;
    });
    expect([before, await ended, leads(), run.world.broken]).toEqual([leader, 'Completed', 'fw-a', []]);
  });

  it('isn’t while that would fail over to a member that isn’t ready: people are asked', async () => {
    const run = await panosRun({ pair: { devices } });
    const asked = untilHeld(run);
    await run.runtime.waitFor(() =>
      run.run.state.items.some(
        ({ item: { name }, startedAt }) => name === 'Restore preemption' && startedAt !== undefined,
      ),
    );
    run.world.pair.faults.inject({ kind: 'dataplane-down', device: 0 });
    expect(await asked).toMatch(
      /preemption of fw-b was not switched on, for fw-a would take over: fw-a is non-functional/,
    );
    expect(states(run)).toEqual(['non-functional', 'active']);
    run.world.pair.faults.clear();
    run.answer('retry');
    expect(await untilHeld(run)).toBe('Completed');
    expect([left(run.world.pair).map(({ preemptive }) => preemptive), states(run)]).toEqual([
      [true, true],
      ['active', 'passive'],
    ]);
  });
});

describe('a way back from a member that can’t come back', () => {
  it.each(['roll-back', 'retry'] as const)(
    'asks people within minutes, not after the time that a return to HA may take; %s brings it back',
    async (choice) => {
      const run = await panosRun({ monitoringMs: 3_600_000 });
      const asked = untilHeld(run);
      await run.runtime.waitFor(
        () => run.run.state.watch !== undefined && run.world.deviceOf('fw-b').haState === 'active',
      );
      const from = run.runtime.now();
      run.world.pair.faults.inject({ kind: 'dataplane-down', device: 1 });
      run.runtime.send('switchBack', { by: 'ann', reason: 'its dataplane is down' });
      expect(await asked).toMatch(/its dataplane is down.*Traffic has been moved away/);
      expect(run.runtime.now() - from).toBeLessThan(300_000);
      expect(states(run)).toEqual(['active', 'non-functional']);
      run.world.pair.faults.clear();
      run.answer(choice, choice === 'roll-back' ? { to: 'start' } : {});
      expect(await untilHeld(run)).toBe(choice === 'retry' ? 'Completed' : 'RolledBack');
      expect(run.world.broken).toEqual([]);
      expect([...states(run)].sort()).toEqual(['active', 'passive']);
    },
  );
});

describe('people', () => {
  it('who change preemption while the run waits for its start are told; put back, the run goes on', async () => {
    const devices = [{ preemptive: true }, { preemptive: true }] as const;
    const byHand = (run: PanosRun, value: string): void =>
      run.world.pair.configure({
        device: 'fw-b',
        xpath: `${HA}/group/election-option`,
        element: `<preemptive>${value}</preemptive>`,
      });
    const run = await panosRun({ pair: { devices } });
    await run.until(() => opening(run)?.kind === 'gate');
    byHand(run, 'no');
    expect(await untilHeld(run)).toMatch(/fw-b: preemption was on when the plan was made, and is off now/);
    expect(sent(run)).toEqual([]);
    byHand(run, 'yes');
    run.answer('retry');
    expect(await untilHeld(run)).toBe('Completed');
    expect(left(run.world.pair).map(({ preemptive }) => preemptive)).toEqual([true, true]);
  });

  it('roll back from a hold in the middle: both run one release, and preemption is what it was', async () => {
    const devices = [{ preemptive: true }, { preemptive: true }] as const;
    const fault: Fault = { kind: 'job', how: 'fail', type: 'SWInstall', device: 0 };
    const { run } = await held({ pair: { devices } }, fault);
    // Past the gates fail-over and second: fw-b serves the new release, fw-a failed.
    expect(sent(run)).toContain('install fw-a');
    run.answer('roll-back');
    expect(await untilHeld(run)).toBe('RolledBack');
    expect(left(run.world.pair)).toEqual([0, 1].map(() => ({ release: '10.2.3', preemptive: true, suspended: false })));
  });

  it('waive that session synchronization is switched off, and the upgrade goes on', async () => {
    const path = `${HA}/group/state-synchronization`;
    const prepare = ({ pair }: PanosRun['world']): void => {
      pair.configure({ xpath: path, element: '<enabled>no</enabled>' });
    };
    const { run, question } = await held({ prepare });
    expect(question).toContain('[ha_state_sync]');
    run.answer('waive');
    expect(await untilHeld(run)).toBe('Completed');
  });

  it('or that rules and addresses are bound to one device of an active/active pair', async () => {
    const device = "/config/devices/entry[@name='localhost.localdomain']";
    const prepare = ({ pair }: PanosRun['world']): void => {
      pair.configure({
        xpath: `${device}/vsys/entry[@name='vsys1']/rulebase/nat/rules`,
        element: '<entry name="web-out"><active-active-device-binding>0</active-active-device-binding></entry>',
      });
      pair.configure({
        xpath: `${HA}/group/mode/active-active/virtual-address/entry[@name='ethernet1/3']/ip`,
        element:
          '<entry name="10.0.0.254"><floating><bind-to-active-primary>yes</bind-to-active-primary></floating></entry>',
      });
    };
    const { run, question } = await held({ pair: { mode: 'active-active' }, prepare });
    expect(question).toMatch(/NAT rules of device ID 0 \(fw-a\) alone: web-out .*\[device_id_bindings\]/);
    expect(question).toMatch(/floating addresses 10.0.0.254 on ethernet1\/3.*\[device_id_bindings\]/);
    expect(sent(run)).toEqual([]);
    run.answer('waive');
    expect(await untilHeld(run)).toBe('Completed');
    expect(versions(run)).toEqual(['10.2.9', '10.2.9']);
  });

  it('or wait until the load of an active/active pair has been low for a while', async () => {
    const prepare = ({ pair: { devices, now } }: PanosRun['world']): void => {
      for (const { facts } of devices)
        facts.pastLoad.push({ until: now + 60_000, dataplanePercent: 70, sessions: 1_200 });
    };
    const { run, question } = await held({ pair: { mode: 'active-active' }, prepare });
    expect(question).toMatch(/the dataplanes of both together are at .* \[active_active_capacity\]/);
    expect(sent(run)).toEqual([]);
    await run.runtime.drive(run.runtime.sleep(900_000));
    run.answer('retry');
    expect(await untilHeld(run)).toBe('Completed');
  });

  it('or a watch lead away from a member that flaps', async () => {
    const run = await panosRun({ monitoringMs: 3_600_000 });
    const asked = untilHeld(run);
    await run.runtime.waitFor(
      () => run.run.state.watch !== undefined && run.world.deviceOf('fw-b').haState === 'active',
    );
    run.world.pair.ha.members[1].flaps.nonfunc = 3;
    run.runtime.send('switchBack', { by: 'ann', reason: 'it flaps' });
    expect(await asked).toMatch(/it flaps.*Traffic has been moved away/);
  });
});

describe('a cancel', () => {
  it('at any step leads back to where the pair was', async () => {
    const whole = await panosRun({});
    expect(await untilHeld(whole)).toBe('Completed');
    const steps = whole.run.state.items.filter(({ item }) => item.kind === 'step' || item.kind === 'check').length;
    for (let n = 1; n < steps; n += 2) {
      const devices = [{ preemptive: true }, { preemptive: true }] as const;
      const run = await panosRun({ pair: { devices, suspendSurvivesReboot: n % 4 === 1 } });
      const ended = untilHeld(run);
      let begun = 0;
      void run.runtime
        .waitFor(() => {
          begun = run.run.state.items.filter((i) => i.startedAt !== undefined && i.item.kind !== 'gate').length;
          if (begun < n) return false;
          run.runtime.cancel();
          return true;
        })
        .catch(() => undefined);
      expect([n, await ended]).toEqual([n, 'Cancelled']);
      expect(run.world.broken).toEqual([]);
      expect([n, versions(run), states(run)]).toEqual([n, ['10.2.3', '10.2.3'], ['active', 'passive']]);
    }
  });
});
