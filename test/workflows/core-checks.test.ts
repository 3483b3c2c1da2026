import { record, Run, type Body } from '../../workflows/procedure';
import { CallFailed, type PlanBase } from '../../workflows/procedure/types';
import { statusView } from '../../workflows/procedure/views';
import { MemoryRuntime } from '../support/memory-runtime';
import { pairPlan } from '../support/pair-run';

/** A drain that doesn't end, and what comes after it. */
const body: Body<PlanBase> = async ({ check, step }) => {
  await check('Drain', { type: 'node.drained', input: {} }, { goOn: { on: 'DrainTimeout', means: 'they are lost' } });
  await step('Stop', { type: 'node.stop', input: {} });
};

async function start(failureType: string) {
  const acts: string[] = [];
  const runtime = new MemoryRuntime({
    'node.drained.check': () => {
      acts.push('drain');
      return Promise.reject(new CallFailed(failureType, 'two connections are left'));
    },
    'node.stop.observe': () => Promise.resolve({}),
    'node.stop.act': () => {
      acts.push('stop');
      return Promise.resolve({ summary: 'stopped' });
    },
    'core.digest': () => Promise.resolve('b'.repeat(64)),
  });
  const plan: PlanBase = pairPlan();
  const run = new Run({ runtime, body, plan, items: await record(body, plan), planDigest: 'a'.repeat(64) });
  const ending = run.toTheEnd().then((end) => ('ending' in end ? end.ending : 'continued'));
  const hold = () => run.state.openings.find((o) => o.outcome === undefined);
  const answer = async (choice: string): Promise<void> => {
    await runtime.drive(runtime.waitFor(() => hold() !== undefined));
    const { id, digest } = hold()!;
    runtime.send('decide', { opening: id, digest: digest.slice(0, 12), by: 'ann', choice });
  };
  return { acts, runtime, run, ending, hold, answer };
}

describe('a check that people may go over', () => {
  it('offers go-on for the failure that it names, and says what that means', async () => {
    const { acts, runtime, run, ending, hold, answer } = await start('DrainTimeout');
    await answer('retry');
    await runtime.drive(runtime.waitFor(() => hold()?.id === 'hold#2'));
    expect(hold()?.choices).toEqual(['retry', 'go-on', 'roll-back', 'stop']);
    expect(hold()?.question).toBe('two connections are left. What now? To go on means: they are lost.');
    await answer('go-on');
    expect(await runtime.drive(ending)).toBe('Completed');
    expect(acts).toEqual(['drain', 'drain', 'stop']);
    expect(run.state.items[0]).toMatchObject({
      state: 'done',
      result: { summary: 'gone on all the same, as ann said: two connections are left' },
    });
  });

  it('offers it for no other failure', async () => {
    const { acts, runtime, ending, hold, answer } = await start('Unreachable');
    await runtime.drive(runtime.waitFor(() => hold() !== undefined));
    expect(hold()?.choices).toEqual(['retry', 'roll-back', 'stop']);
    await answer('go-on');
    expect(hold()).toBeDefined();
    await answer('stop');
    expect(await runtime.drive(ending)).toBe('Stopped');
    expect(acts).toEqual(['drain']);
  });
});

/** A check that people have to help along. */
const pinBody: Body<PlanBase> = async ({ check, step }) => {
  await check('Can sign', { type: 'node.signs', input: {} }, { task: { on: 'PinNeeded', ask: 'pin' } });
  await step('Stop', { type: 'node.stop', input: {} });
};

async function withPin(answers: readonly ('PinNeeded' | 'Unreachable' | 'ok')[]) {
  const left = [...answers];
  const runtime = new MemoryRuntime({
    'node.signs.check': () => {
      const next = left.shift() ?? 'ok';
      return next === 'ok'
        ? Promise.resolve({ summary: 'it signs' })
        : Promise.reject(new CallFailed(next, 'enter the PIN on ss2'));
    },
    'node.stop.observe': () => Promise.resolve({}),
    'node.stop.act': () => Promise.resolve({ summary: 'stopped' }),
    'core.digest': () => Promise.resolve('b'.repeat(64)),
  });
  const plan: PlanBase = pairPlan({ holds: { from: ['ann'] } });
  const items = await record(pinBody, plan);
  const run = new Run({ runtime, body: pinBody, plan, items, planDigest: 'a'.repeat(64) });
  const ending = run.toTheEnd().then((end) => ('ending' in end ? end.ending : 'continued'));
  const open = () => run.state.openings.find((o) => o.outcome === undefined);
  const say = async (id: string, choice: string, by = 'ann'): Promise<void> => {
    await runtime.drive(runtime.waitFor(() => open()?.id === id));
    runtime.send('decide', { opening: id, digest: open()!.digest.slice(0, 12), by, choice });
  };
  return { runtime, run, ending, open, say };
}

describe('a check that people have to help along', () => {
  it('asks them to, and looks again when they say that it is done', async () => {
    const { runtime, run, ending, open, say } = await withPin(['PinNeeded', 'PinNeeded']);
    await say('pin#1', 'done', 'carol');
    expect(open()?.id).toBe('pin#1');
    await say('pin#1', 'done');
    await runtime.drive(runtime.waitFor(() => open()?.id === 'pin#2'));
    expect(open()).toMatchObject({ kind: 'task', question: 'enter the PIN on ss2', choices: ['done', 'hold'] });
    await say('pin#2', 'done');
    expect(await runtime.drive(ending)).toBe('Completed');
    expect(run.state.items[0]).toMatchObject({ state: 'done', result: { summary: 'it signs' } });
  });

  it('can be given up, which is a failure like any other; and asks for no other failure', async () => {
    const { runtime, ending, open, say } = await withPin(['PinNeeded', 'Unreachable']);
    await say('pin#1', 'hold');
    await runtime.drive(runtime.waitFor(() => open()?.id === 'hold#1'));
    await say('hold#1', 'retry');
    await runtime.drive(runtime.waitFor(() => open()?.id === 'hold#2'));
    await say('hold#2', 'stop');
    expect(await runtime.drive(ending)).toBe('Stopped');
  });

  it('is withdrawn by a cancel', async () => {
    const { runtime, run, ending, open } = await withPin(['PinNeeded']);
    await runtime.drive(runtime.waitFor(() => open()?.id === 'pin#1'));
    runtime.cancel();
    expect(await runtime.drive(ending)).toBe('Cancelled');
    expect(run.state.openings[0]?.outcome?.choice).toBe('withdrawn');
  });
});

/** A check whose faults may be waived, and a later one that is told what was. */
const waiverBody: Body<PlanBase> = async ({ check, gate }) => {
  const first = await check('Ready', { type: 'pair.ready', input: {} }, { waive: { on: 'Waivable' } });
  await gate('start', 'Begin?');
  await check('Ready again', { type: 'pair.again', input: { waivers: first } });
};

async function withFaults(type: string) {
  const told: unknown[] = [];
  const runtime = new MemoryRuntime({
    'pair.ready.check': () =>
      Promise.reject(new CallFailed(type, 'no NTP; a relay', { waivable: ['ntp_sync', 'dhcp_relay'], faults: [] })),
    'pair.again.check': (call: { readonly input: unknown }) => {
      told.push(call.input);
      return Promise.resolve({ summary: 'ready' });
    },
    'core.digest': () => Promise.resolve('b'.repeat(64)),
  });
  const plan: PlanBase = pairPlan();
  const items = await record(waiverBody, plan);
  const run = new Run({ runtime, body: waiverBody, plan, items, planDigest: 'a'.repeat(64) });
  const ending = run.toTheEnd().then((end) => ('ending' in end ? end.ending : 'continued'));
  const hold = () => run.state.openings.find((o) => o.outcome === undefined);
  await runtime.drive(runtime.waitFor(() => hold() !== undefined));
  const waive = (answer: { waive?: string[]; comment?: string }): void =>
    runtime.send('decide', { opening: hold()?.id, digest: 'b'.repeat(12), by: 'ann', choice: 'waive', ...answer });
  return { told, runtime, run, ending, hold, waive };
}

describe('faults that people may waive', () => {
  it('are waived by name with a reason, and later checks are told', async () => {
    const { told, runtime, run, ending, hold, waive } = await withFaults('Waivable');
    expect(hold()?.choices).toEqual(['retry', 'waive', 'roll-back', 'stop']);
    expect(hold()?.question).toContain('May be waived, by name and with a reason: ntp_sync, dhcp_relay.');
    expect(statusView(run).waitingFor[0]?.waivable).toEqual(['ntp_sync', 'dhcp_relay']);
    waive({ waive: ['ntp_sync', 'dhcp_relay'], comment: 'announced' });
    await runtime.drive(runtime.waitFor(() => hold()?.id === 'start#1'));
    expect(hold()?.question).toBe('Begin? Waived by ann: ntp_sync, dhcp_relay (announced).');
    runtime.send('approve', { opening: 'start#1', digest: 'b'.repeat(12), by: 'ann' });
    expect(await runtime.drive(ending)).toBe('Completed');
    expect(run.state.items[0]?.result).toEqual({
      summary: 'waived by ann: ntp_sync, dhcp_relay (announced)',
      waived: ['ntp_sync', 'dhcp_relay'],
      by: ['ann'],
      reason: 'announced',
    });
    expect(told).toMatchObject([{ waivers: { waived: ['ntp_sync', 'dhcp_relay'] } }]);
  });

  it.each([
    [{ waive: ['ntp_sync', 'dhcp_relay'] }, /waiving needs a reason/],
    [{ waive: ['ntp_sync'], comment: 'x' }, /not named in "waive": dhcp_relay/],
    [{ comment: 'x' }, /not named in "waive": ntp_sync, dhcp_relay/],
    [
      { waive: ['ntp_sync', 'dhcp_relay', 'jobs'], comment: 'x' },
      /^unknown name in "waive": jobs; what may be waived: ntp_sync, dhcp_relay$/,
    ],
    [
      { waive: ['ntp_sync', 'dhcp-relay'], comment: 'x' },
      /^unknown name in "waive": dhcp-relay; .*; not named in "waive": dhcp_relay;/,
    ],
  ])('are not waived by %j', async (answer, why) => {
    const { run, hold, waive } = await withFaults('Waivable');
    waive(answer);
    expect(run.state.refused.at(-1)?.why).toMatch(why);
    expect(hold()?.id).toBe('hold#1');
  });

  it('of another failure can’t be', async () => {
    const { run, hold, waive } = await withFaults('NotReady');
    expect(hold()?.choices).not.toContain('waive');
    waive({ waive: ['ntp_sync', 'dhcp_relay'], comment: 'announced' });
    expect(run.state.refused.at(-1)?.why).toMatch(/can be answered with/);
  });
});
