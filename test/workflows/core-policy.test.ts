/** Policies mean what they say, for commands as for answers (findings, 2026-11-29). */
import { goodWorld } from '../support/model-world';
import { anyonePolicy, pairPlan, pairRun, type PairRun } from '../support/pair-run';

const said = (by: string) => ({ by, reason: 'because' });
const lastRefusal = ({ run }: PairRun): string | undefined => run.state.refused.at(-1)?.why;
const open = ({ run }: PairRun): string[] => run.state.openings.filter((o) => o.outcome === undefined).map((o) => o.id);

describe('a command that needs two people', () => {
  it('pauses once both have said so, and is told in the meantime', async () => {
    const run = await pairRun(goodWorld, pairPlan({ pause: { count: 2 } }));
    await run.until(() => run.open() === 'start#1');
    run.runtime.send('pause', said('ann'));
    expect(open(run)).toEqual(['start#1']);
    run.runtime.send('pause', said(' ANN '));
    expect(lastRefusal(run)).toContain('1 of 2');
    run.runtime.send('pause', said('bob'));
    expect(open(run)).toEqual(['start#1', 'pause#1']);
  });

  it('switches back once both have said so', async () => {
    const run = await pairRun(goodWorld, pairPlan({ switchBack: { from: ['ann', 'bob', 'carol'], count: 2 } }));
    for (const gate of ['start#1', 'return#1']) {
      await run.until(() => run.open() === gate);
      run.answer('approve');
    }
    await run.until(() => run.open() === 'finish#1');
    run.runtime.send('switchBack', said('bob'));
    expect(run.run.state.escapeCount).toBe(0);
    run.runtime.send('switchBack', said('zoe'));
    expect(lastRefusal(run)).toContain('zoe isn’t among'.replace('’', "'"));
    run.runtime.send('switchBack', said('carol'));
    await run.until(() => run.open() === 'hold#1');
    expect(run.world.serving).toBe('fw2');
    expect(run.run.state.escapes.at(-1)?.why).toContain('bob, carol');
  });

  it('is forgotten after an hour', async () => {
    const run = await pairRun(goodWorld, pairPlan({ pause: { count: 2 } }));
    await run.until(() => run.open() === 'start#1');
    run.runtime.send('pause', said('ann'));
    await run.runtime.drive(run.runtime.sleep(3_600_001));
    run.runtime.send('pause', said('bob'));
    expect(open(run)).toEqual(['start#1']);
    expect(run.run.state.votes.pause.map((v) => v.by)).toEqual(['bob']);
  });

  it('goes on after a pause once both have said so, also by `decide`, and not by who requested it', async () => {
    const resume = { from: ['rita', 'ann', 'bob'], count: 2, notRequester: true };
    const run = await pairRun(goodWorld, pairPlan({ resume }));
    await run.until(() => run.open() === 'start#1');
    run.runtime.send('pause', said('zoe'));
    const pause = run.run.state.openings.at(-1)!;
    const decide = (by: string): void =>
      run.runtime.send('decide', { opening: pause.id, digest: pause.digest.slice(0, 12), by, choice: 'resume' });
    decide('Rita');
    expect(lastRefusal(run)).toContain('requested this upgrade');
    run.runtime.send('resume', said('rita'));
    expect(lastRefusal(run)).toContain('requested this upgrade');
    decide('ann');
    run.runtime.send('resume', said('ann'));
    expect(lastRefusal(run)).toContain('has already answered');
    expect(open(run)).toContain(pause.id);
    run.runtime.send('resume', said('bob'));
    expect(open(run)).not.toContain(pause.id);
  });
});

describe('one person, however the name is spelt', () => {
  it('counts once at a gate, and stays the requester', async () => {
    const gates = { ...anyonePolicy.gates, start: { count: 2, notRequester: true } };
    const run = await pairRun(goodWorld, pairPlan({ gates }));
    await run.until(() => run.open() === 'start#1');
    run.answer('approve', { by: 'RITA' });
    expect(lastRefusal(run)).toContain('requested this upgrade');
    run.answer('approve', { by: 'Ann' });
    run.answer('approve', { by: 'ａｎｎ ' });
    expect(lastRefusal(run)).toContain('already answered');
    expect(open(run)).toEqual(['start#1']);
    run.answer('approve', { by: 'bob' });
    expect(open(run)).toEqual([]);
  });

  it.each(['an\u200bn', '\u202enna', '   ', 'your name'])('%j is no name', async (by) => {
    const run = await pairRun();
    await run.until(() => run.open() === 'start#1');
    run.answer('approve', { by });
    expect(lastRefusal(run)).toMatch(/^by: /);
    expect(open(run)).toEqual(['start#1']);
  });
});

it('a signal named cancel cancels nothing', async () => {
  const run = await pairRun();
  await run.until(() => run.open() === 'start#1');
  run.runtime.send('cancel', said('eve'));
  expect(lastRefusal(run)).toContain('there is no signal "cancel"');
  expect(run.run.state.requests).toEqual({});
});
