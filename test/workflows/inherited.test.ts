/** What a run takes over that begins after a reset, or after one that was terminated; and when it may take that one's hosts. */
import { leftBehind } from '../../workflows/procedure/inherited';
import { initialState } from '../../workflows/procedure/initial-state';
import { reduce } from '../../workflows/procedure/reduce';
import {
  CallFailed,
  type Identity,
  type Inherited,
  type PlanBase,
  type Runtime,
} from '../../workflows/procedure/types';

const identity: Identity = { workflowId: 'upgrade-fw', firstRunId: 'now', link: 0, executing: 'now', calls: 0 };
const plan = { queues: { default: 'q', watch: 'q', sites: {} } } as unknown as PlanBase;
const step = { step: '01-x', item: 0, before: 1, acted: true, undone: false };

/** What is taken over, and what was asked for it; answers come by the name of the activity. */
async function taken(
  answers: Readonly<Record<string, unknown>>,
  resetFrom?: string,
  who: Identity = identity,
): Promise<{ readonly inherited: Inherited | undefined; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const call: Runtime['call'] = (activity) => {
    asked.push(activity);
    const answer = answers[activity];
    const result = answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    return { result, cut: () => undefined };
  };
  return { inherited: await leftBehind({ runtime: { call } as Runtime, plan, isFirm: true }, who, resetFrom), asked };
}

const terminated = { clean: false, runId: 'a-2', firstRunId: 'a', adopted: ['a', 'z'], steps: [step] };

describe('at the beginning of a run', () => {
  test('the one before it that was terminated; a build before hosts were told named its first run alone', async () => {
    const { inherited, asked } = await taken({ 'core.earlierRun': terminated });
    expect(asked).toEqual(['core.earlierRun']);
    expect(inherited).toMatchObject({ from: 'earlier run', earlierRunId: 'a-2', adopted: ['a', 'z'], steps: [step] });
    const { adopted: _, ...older } = terminated;
    expect((await taken({ 'core.earlierRun': older })).inherited).toMatchObject({ adopted: ['a'] });
  });

  test('what can’t be read is nobody’s to take', async () => {
    for (const answer of [{ unknown: true, why: 'gone' }, new CallFailed('Timeout', 'gone')]) {
      const { inherited } = await taken({ 'core.earlierRun': answer });
      expect(inherited).toMatchObject({ unknown: expect.stringContaining('gone'), steps: [] });
      expect(inherited).not.toHaveProperty('adopted');
    }
    expect((await taken({ 'core.earlierRun': { clean: true } })).inherited).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['core.earlierRun', null],
    ['core.earlierRun', { clean: false, steps: 5 }],
    ['core.earlierRun', { clean: false, runId: 'a', steps: [null] }],
    ['core.earlierRun', { clean: 'yes' }],
    ['core.earlierRun', 'x'],
    ['core.afterReset', null],
    ['core.afterReset', { steps: [], lastCall: 'x' }],
    ['core.afterReset', {}],
    ['core.afterReset', { unknown: true, why: 7 }],
  ])('%s that somebody answered from outside: %j is no answer, and people are told so', async (activity, answer) => {
    const { inherited } = await taken({ [activity]: answer }, activity === 'core.afterReset' ? 'base' : undefined);
    expect(inherited).toMatchObject({ steps: [], unknown: expect.stringContaining('isn’t an answer to that') });
    expect(
      reduce(initialState([], 0, 'digest', identity), { type: 'taken-over', at: 1, inherited: inherited! }),
    ).toBeDefined();
  });

  test('after a reset: its own first part, with what that had been left', async () => {
    const { inherited, asked } = await taken(
      { 'core.afterReset': { runId: 'now', lastCall: 9, steps: [step], adopted: ['a'] } },
      'base',
    );
    expect(asked).toEqual(['core.afterReset']);
    expect(inherited).toMatchObject({ from: 'reset', earlierRunId: 'base', lastCall: 9, adopted: ['a'] });
  });

  test('after a reset of a run that had done nothing yet: what one before it left', async () => {
    const nothing = { runId: 'now', lastCall: 0, steps: [], adopted: [] };
    const { inherited } = await taken({ 'core.afterReset': nothing, 'core.earlierRun': terminated }, 'base');
    expect(inherited).toMatchObject({ from: 'earlier run', earlierRunId: 'a-2' });
    const unread = await taken({ 'core.afterReset': { unknown: true, why: 'gone' } }, 'base');
    expect(unread.inherited).toMatchObject({ from: 'reset', unknown: expect.stringContaining('gone') });
    expect(unread.inherited?.lastCall).toBeGreaterThan(100_000);
  });

  test('a later link knows what came before it, but for a part that was thrown away', async () => {
    const link = { ...identity, link: 2, adopted: ['a'] };
    expect(await taken({}, undefined, link)).toEqual({ inherited: undefined, asked: [] });
    const told = { runId: 'now', lastCall: 9, steps: [], adopted: ['b'] };
    const { inherited, asked } = await taken({ 'core.afterReset': told }, 'base', link);
    expect(asked).toEqual(['core.afterReset']);
    expect(inherited).toMatchObject({ from: 'reset', lastCall: 9 });
    expect(inherited).not.toHaveProperty('adopted');
  });
});

describe('a point of no return', () => {
  const items = [
    { kind: 'step' as const, name: 'A', action: 'a.b', input: {} },
    { kind: 'no-return' as const, name: 'schema' },
    { kind: 'step' as const, name: 'B', action: 'a.b', input: {} },
  ];
  const steps = [
    { ...step, step: '01-a' },
    { ...step, step: '03-b', item: 2 },
  ];
  const isBehind = (found: Inherited['steps'], isFirm?: boolean): boolean =>
    reduce(initialState(items, 0, 'digest', identity), {
      type: 'taken-over',
      at: 1,
      ...(isFirm === undefined ? {} : { isFirm }),
      inherited: { from: 'earlier run', runId: 'now', earlierRunId: 'a', lastCall: 0, steps: found },
    }).noReturnBehind;

  test('is behind whoever takes over a step that was begun behind it', () => {
    expect(isBehind(steps, true)).toBe(true);
    expect(isBehind(steps.slice(0, 1), true)).toBe(false);
    expect(isBehind([steps[0]!, { ...steps[1]!, undone: true }], true)).toBe(false);
  });

  test('as runs of before have it, that isn’t known', () => expect(isBehind(steps)).toBe(false));
});

describe('the hosts of a terminated run', () => {
  const items = [{ kind: 'step' as const, name: 'X', action: 'a.b', input: {} }];
  const after = (inherited: Partial<Inherited>, who: Identity = identity) =>
    reduce(initialState(items, 0, 'digest', who), {
      type: 'taken-over',
      at: 1,
      inherited: {
        ...{ from: 'earlier run', runId: 'now', earlierRunId: 'a', lastCall: 0, steps: [step], adopted: ['a'] },
        ...inherited,
      },
    }).identity?.adopted;

  test('are taken only where all that it had found is known', () => {
    expect(after({})).toEqual(['a']);
    expect(after({ steps: [{ ...step, acted: false }] })).toEqual(['a']);
    const { before: _, ...without } = step;
    expect(after({ steps: [{ ...without, tooLarge: true }] })).toBeUndefined();
    expect(after({ steps: [step, { ...step, step: '07-y', item: 6 }] })).toBeUndefined();
    expect(after({ unknown: 'gone', steps: [] })).toBeUndefined();
    expect(after({ adopted: [] })).toBeUndefined();
  });

  test('stay taken over a later reset', () => {
    const reset = { from: 'reset', adopted: [] } as const;
    expect(after(reset, { ...identity, adopted: ['a'] })).toEqual(['a']);
    expect(after({ ...reset, unknown: 'gone' }, { ...identity, adopted: ['a'] })).toEqual(['a']);
  });
});
