import { undecodable } from '../../workflows/procedure/undecodable';
import { pairPlan, pairRun, anyonePolicy, type PairRun } from '../support/pair-run';
import { goodWorld } from '../support/model-world';

/** Waits for each named gate in turn and approves it. */
async function approve(run: PairRun, ...openings: string[]): Promise<void> {
  for (const id of openings) {
    await run.until(() => run.open() === id);
    run.answer('approve');
  }
}

/** A fault at the nth call of an activity of the model. */
const failing = (activity: string, fault: 'permanent' | 'late', nth = 1) => {
  let calls = 0;
  return { ...goodWorld, fault: (name: string) => (name === activity && ++calls === nth ? fault : 'none') as 'none' };
};
const sickAfter = (ms: number) => ({
  ...goodWorld,
  sick: (n: { release: string }, _: string, now: number) => n.release === '2.0' && now > ms,
});

describe('a run of the firewall pair on the in-memory runtime', () => {
  afterEach(() => jest.restoreAllMocks());

  it('upgrades both nodes and ends with traffic where it was', async () => {
    const run = await pairRun();
    await approve(run, 'start#1', 'return#1', 'finish#1');
    expect(await run.runtime.drive(run.ending)).toBe('Completed');
    expect(run.world.serving).toBe('fw1');
    expect(Object.values(run.world.nodes).map((n) => n.release)).toEqual(['2.0', '2.0']);
    expect(run.world.broken).toEqual([]);
    expect(run.world.acts).toEqual([
      'stage',
      'move',
      'install',
      'restart',
      'reseed',
      'move',
      'install',
      'restart',
      'reseed',
    ]);
  });

  it('leaves a gate out if the policy does', async () => {
    const run = await pairRun(goodWorld, pairPlan({ gates: { ...anyonePolicy.gates, return: undefined } }));
    await approve(run, 'start#1', 'finish#1');
    expect(await run.runtime.drive(run.ending)).toBe('Completed');
  });

  it('holds on a rejected return with traffic on the secondary, and rolls back to the gate start', async () => {
    const run = await pairRun();
    await approve(run, 'start#1');
    await run.until(() => run.open() === 'return#1');
    run.answer('reject', { comment: 'not today' });
    await run.until(() => run.open() === 'hold#1');
    expect(run.world.serving).toBe('fw2');
    expect(run.run.state.openings.at(-1)?.question).toContain('not today');
    run.answer('roll-back');
    expect(await run.runtime.drive(run.ending)).toBe('RolledBack');
    expect(run.world.serving).toBe('fw1');
    expect(run.world.nodes['fw1']?.release).toBe('1.0');
    expect(run.world.broken).toEqual([]);
  });

  it('asks the gate again when the hold after its rejection is answered with retry', async () => {
    const run = await pairRun();
    await approve(run, 'start#1');
    await run.until(() => run.open() === 'return#1');
    run.answer('reject');
    await run.until(() => run.open() === 'hold#1');
    run.answer('retry');
    await approve(run, 'return#2', 'finish#1');
    expect(await run.runtime.drive(run.ending)).toBe('Completed');
    expect(run.world.acts.filter((a) => a === 'install')).toHaveLength(2);
  });

  it('moves traffic back at once on a regression, holds, and repeats everything since the gate before the watch', async () => {
    let sick = true;
    const run = await pairRun({ ...goodWorld, sick: (n) => sick && n.release === '2.0' });
    await approve(run, 'start#1', 'return#1');
    await run.until(() => run.open() === 'hold#1');
    expect(run.world.serving).toBe('fw2');
    expect(run.world.nodes['fw1']?.release).toBe('2.0');
    sick = false;
    run.answer('retry');
    await approve(run, 'finish#1');
    expect(await run.runtime.drive(run.ending)).toBe('Completed');
    expect(run.world.serving).toBe('fw1');
    expect(run.world.acts.filter((a) => a === 'install')).toHaveLength(2);
    expect(run.world.broken).toEqual([]);
  });

  it('moves traffic by itself once per run: a second regression only holds', async () => {
    const run = await pairRun(sickAfter(0));
    await approve(run, 'start#1', 'return#1');
    await run.until(() => run.open() === 'hold#1');
    run.answer('retry');
    await run.until(() => run.open() === 'hold#2');
    expect(run.world.serving).toBe('fw1');
    expect(run.run.state.openings.at(-1)?.question).toContain('once in this run already');
    run.runtime.send('switchBack', { by: 'ann', reason: 'it is sick' });
    await run.until(() => run.open() === 'hold#3');
    expect(run.world.serving).toBe('fw2');
    run.answer('roll-back', { to: 'start' });
    expect(await run.runtime.drive(run.ending)).toBe('RolledBack');
    expect(run.world.nodes['fw1']?.release).toBe('1.0');
    expect(run.world.serving).toBe('fw1');
    expect(run.world.broken).toEqual([]);
  });

  it('undoes a move that failed half way, so that no half change is left, then holds', async () => {
    const run = await pairRun(failing('move', 'late'));
    await approve(run, 'start#1');
    await run.until(() => run.open() === 'hold#1');
    expect(run.world.serving).toBe('fw1');
    run.answer('retry');
    await approve(run, 'return#1', 'finish#1');
    expect(await run.runtime.drive(run.ending)).toBe('Completed');
  });

  it('turns a failed undo into a hold; skipping it needs a reason and ends the rollback in a hold', async () => {
    const run = await pairRun(failing('install-undo', 'permanent'));
    await approve(run, 'start#1');
    await run.until(() => run.open() === 'return#1');
    run.runtime.cancel();
    await run.until(() => run.open() === 'hold#1');
    expect(run.run.state.openings.at(-1)?.choices).toEqual(['retry', 'skip', 'stop']);
    run.answer('skip');
    expect(run.run.state.refused.at(-1)?.why).toContain('reason');
    run.answer('skip', { comment: 'vendor will look at it' });
    await run.until(() => run.open() === 'hold#2');
    expect(run.run.state.openings.at(-1)?.question).toContain('still to be undone: Move traffic to fw2');
    run.answer('stop');
    expect(await run.runtime.drive(run.ending)).toBe('Stopped');
    expect(run.world.serving).toBe('fw2');
  });

  it('forgets a cancel that people turned away from: a later rollback ends as one', async () => {
    const run = await pairRun(failing('install-undo', 'permanent'));
    await approve(run, 'start#1');
    await run.until(() => run.open() === 'return#1');
    run.runtime.cancel();
    await run.until(() => run.open() === 'hold#1');
    run.answer('skip', { comment: 'it stays' });
    await run.until(() => run.open() === 'hold#2');
    run.answer('retry');
    await run.until(() => run.open() === 'return#2');
    run.answer('reject');
    await run.until(() => run.open() === 'hold#3');
    run.answer('roll-back', { to: 'start' });
    expect(await run.runtime.drive(run.ending)).toBe('RolledBack');
    // What was skipped is known all the same.
    expect(run.world.nodes['fw1']?.release).toBe('1.0');
  });

  it.each([0, 1_500, 5_500, 30_000, 100_000, 400_000])('cancelled after %d ms, it ends as it began', async (ms) => {
    const run = await pairRun();
    run.runtime.at(ms, () => run.runtime.cancel());
    const approver = setApprover(run);
    expect(await run.runtime.drive(run.ending)).toBe('Cancelled');
    approver.stop();
    expect(run.world.serving).toBe('fw1');
    expect(run.world.nodes['fw1']?.release).toBe('1.0');
    expect(run.world.nodes['fw2']?.release).toBe('1.0');
    expect(run.world.broken).toEqual([]);
  });

  it('counts as monitoring period only what was observed after traffic had moved back', async () => {
    const run = await pairRun({ ...goodWorld, takes: (name) => (name === 'move' ? 300_000 : 1_000) });
    await approve(run, 'start#1', 'return#1', 'finish#1');
    expect(await run.runtime.drive(run.ending)).toBe('Completed');
    const wait = run.run.state.items.find((i) => i.item.kind === 'wait');
    expect((wait?.endedAt ?? 0) - (wait?.startedAt ?? 0)).toBeGreaterThanOrEqual(600_000);
  });

  it('pauses before the next forward step, but not a watch or its escape', async () => {
    const run = await pairRun(sickAfter(100_000));
    await approve(run, 'start#1', 'return#1');
    await run.until(() => run.run.state.items.some((i) => i.item.kind === 'wait' && i.state === 'running'));
    run.runtime.send('pause', { by: 'ann', reason: 'lunch' });
    expect(run.open()).toBe('pause#1');
    await run.until(() => run.run.state.escapes.length === 1);
    await run.until(() => run.run.state.phase === 'held');
    expect(run.world.serving).toBe('fw2');
    run.runtime.send('resume', { by: 'ann', reason: 'back' });
    await run.until(() => run.open() === 'hold#1');
  });

  it('does nothing forward while it is paused', async () => {
    const run = await pairRun();
    await run.until(() => run.open() === 'start#1');
    const gate = run.run.state.openings.at(-1)!;
    run.runtime.send('pause', { by: 'ann', reason: 'lunch' });
    run.runtime.send('approve', { opening: gate.id, digest: gate.digest.slice(0, 12), by: 'ann' });
    expect(run.open()).toBe('pause#1');
    await run.runtime.drive(run.runtime.sleep(3_600_000));
    expect(run.world.acts).toEqual(['stage']);
    run.runtime.send('resume', { by: 'ann', reason: 'back' });
    await approve(run, 'return#1', 'finish#1');
    expect(await run.runtime.drive(run.ending)).toBe('Completed');
  });

  it('cuts nothing of a rollback, whatever is said meanwhile', async () => {
    const run = await pairRun({ ...goodWorld, takes: (name) => (name === 'install-undo' ? 60_000 : 1_000) });
    await approve(run, 'start#1');
    await run.until(() => run.open() === 'return#1');
    run.answer('reject');
    await run.until(() => run.open() === 'hold#1');
    run.answer('roll-back');
    await run.until(() => run.run.state.items.some((i) => i.state === 'undoing' && i.item.name.startsWith('Upgrade')));
    run.runtime.send('switchBack', { by: 'ann', reason: 'now' });
    expect(run.run.state.refused.at(-1)?.why).toContain('being moved already');
    run.runtime.cancel();
    expect(await run.runtime.drive(run.ending)).toBe('Cancelled');
    expect(run.world.acts.filter((a) => a === 'install-undo')).toHaveLength(1);
    expect(run.run.state.openings.filter((o) => o.kind === 'hold')).toHaveLength(1);
  });

  it('stops the watch before it undoes what the watch guards', async () => {
    const run = await pairRun();
    await approve(run, 'start#1', 'return#1');
    await run.until(() => run.run.state.items.some((i) => i.item.kind === 'wait' && i.state === 'running'));
    run.runtime.cancel();
    await run.until(() => run.run.state.phase === 'rolling-back');
    expect(run.run.state.watch?.state).toBe('ended');
    expect(await run.runtime.drive(run.ending)).toBe('Cancelled');
  });

  it('survives a hold in the watch: a retry doesn’t restart the monitoring period', async () => {
    const gates = { ...anyonePolicy.gates, finish: { count: 1, expiresAfterMs: 60_000, onExpiry: 'hold' as const } };
    const run = await pairRun(goodWorld, pairPlan({ gates }));
    await approve(run, 'start#1', 'return#1');
    await run.until(() => run.open() === 'hold#1');
    const waited = run.run.state.items.find((i) => i.item.kind === 'wait');
    const at = run.runtime.now();
    run.answer('retry');
    await approve(run, 'finish#2');
    expect(run.runtime.now() - at).toBeLessThan(60_000);
    expect(waited?.state).toBe('done');
    expect(await run.runtime.drive(run.ending)).toBe('Completed');
  });

  it('refuses and shows what it can’t use, and goes on', async () => {
    const run = await pairRun();
    await run.until(() => run.open() === 'start#1');
    const opening = run.run.state.openings.at(-1)!;
    const good = { opening: 'start#1', digest: opening.digest.slice(0, 12), by: 'ann' };
    const send = (name: string, raw: unknown): string | undefined => {
      const before = run.run.state.refusedCount;
      run.runtime.send(name, raw);
      return run.run.state.refusedCount === before ? undefined : run.run.state.refused.at(-1)?.why;
    };
    expect(send('approve', undecodable('json/protobuf', 'unknown encoding'))).toContain('json/plain');
    expect(send('approve', { ...good, colour: 'red' })).toContain('colour');
    expect(send('approve', null)).toBeDefined();
    expect(send('approve', { ...good, digest: 'b'.repeat(12) })).toContain('look at it again');
    expect(send('approve', { ...good, opening: 'finish#1' })).toContain('open now: start#1');
    expect(send('decide', { ...good, choice: 'maybe' })).toContain('approve, reject');
    expect(send('aprove', good)).toContain('no signal');
    expect(send('switchBack', { by: 'ann', reason: 'x' })).toContain('not been moved');
    expect(send('resume', { by: 'ann', reason: 'x' })).toContain('nothing is paused');
    expect(send('approve', good)).toBeUndefined();
    await run.until(() => run.open() === 'return#1');
    expect(send('approve', good)).toContain('start#1 is closed');
  });

  it('holds answers against the policy: names, number of different people, not the requester', async () => {
    const gates = { ...anyonePolicy.gates, start: { count: 2, from: ['ann', 'bob', 'rita'], notRequester: true } };
    const run = await pairRun(goodWorld, pairPlan({ gates, switchBack: { from: ['bob'] } }));
    await run.until(() => run.open() === 'start#1');
    run.answer('approve', { by: 'eve' });
    run.answer('approve', { by: 'rita' });
    run.answer('approve', { by: 'ann' });
    run.answer('approve', { by: 'ann' });
    expect(run.run.state.refused.map((r) => r.why)).toEqual([
      expect.stringContaining('eve isn’t'.replace('’', "'")),
      expect.stringContaining('rita requested'),
      expect.stringContaining('ann has already answered'),
    ]);
    expect(run.run.state.refused.map((r) => r.by)).toEqual(['eve', 'rita', 'ann']);
    expect(run.open()).toBe('start#1');
    run.answer('approve', { by: 'bob' });
    await run.until(() => run.open() === 'return#1');
    run.runtime.send('switchBack', { by: 'ann', reason: 'x' });
    expect(run.run.state.refused.at(-1)?.why).toContain('bob');
  });

  it('an approval asked for that nobody gives expires into what the policy says', async () => {
    const gates = { ...anyonePolicy.gates, start: { count: 1, expiresAfterMs: 1_000, onExpiry: 'stop' as const } };
    const run = await pairRun(goodWorld, pairPlan({ gates }));
    expect(await run.runtime.drive(run.ending)).toBe('Stopped');
    expect(run.world.acts).toEqual(['stage']);
  });

  it('delivers signals that came before the run was ready', async () => {
    const run = await pairRun();
    run.runtime.cancel();
    expect(await run.runtime.drive(run.ending)).toBe('Cancelled');
  });
});

/** Approves every gate a second after it opens. */
function setApprover(run: PairRun): { stop(): void } {
  let on = true;
  void (async () => {
    while (on) {
      await run.runtime.waitFor(() => !on || run.open() !== undefined);
      await run.runtime.sleep(1_000);
      if (on && run.run.state.openings.some((o) => o.outcome === undefined && o.kind === 'gate')) run.answer('approve');
    }
  })();
  return { stop: () => (on = false) };
}
