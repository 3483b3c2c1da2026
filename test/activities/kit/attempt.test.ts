/** Which run a call belongs to, over links and resets; and that a run that was reset touches nothing. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { unitName } from '../../../activities/jobs';
import { defineCheck, defineGuard, defineStep, registerActivities, type StepCall } from '../../../activities/kit';
import { attemptOf } from '../../../activities/kit/attempt';
import { registerProbes } from '../../../activities/probes';
import { evidenceIn } from '../../../worker/evidence';
import { planOf } from '../probes/support/plan';

const FIRST = '01a2282d-e02c-758a-8993-ca994d10f703';
const LINK = '8fcfb42d-9803-4941-a241-351fc7e2e20a';
const info = {
  workflowExecution: { workflowId: 'upgrade-fw', runId: LINK },
  activityId: '3',
  attempt: 2,
  currentAttemptScheduledTimestampMs: 5_000,
} as Info;
const run = { firstRunId: FIRST, link: 1, number: 41, executing: LINK };

/** Why a call with this run isn't done. */
const refusalOf = (wrong: unknown): unknown => {
  try {
    return attemptOf(info, { run: wrong });
  } catch (error) {
    return error;
  }
};

test('a later link is known to hosts by its first run, and goes on counting', () => {
  const attempt = attemptOf(info, { run });
  expect(attempt).toEqual({
    run: { workflowId: 'upgrade-fw', runId: FIRST },
    attempt: 2,
    call: { number: 41, scheduledAtMs: 5_000 },
  });
  expect(unitName(attempt.run.runId, 'install')).toBe(unitName(FIRST, 'install'));
});

test('terminated runs that it has taken over from go along', () => {
  const adopted = ['6a6e0c1e-7a3f-4a55-9b57-0f3f6f6f0001'];
  expect(attemptOf(info, { run: { ...run, adopted } }).run).toEqual({
    ...{ workflowId: 'upgrade-fw', runId: FIRST },
    adopted,
  });
  expect(refusalOf({ ...run, adopted: [7] })).toMatchObject({ type: 'InvalidInput' });
});

test('a run from before core-2 is what it was', () => {
  expect(attemptOf(info, {})).toEqual({
    run: { workflowId: 'upgrade-fw', runId: LINK },
    attempt: 2,
    call: { number: 3, scheduledAtMs: 5_000 },
  });
});

test('a workflow that takes itself for another run is told so', () => {
  expect(refusalOf({ ...run, executing: FIRST })).toMatchObject({
    type: 'WasReset',
    nonRetryable: true,
    details: [{ executing: LINK, expected: FIRST }],
    message: expect.stringMatching(/was reset.*Nothing was touched/),
  });
});

test.each([[null], ['x'], [{ ...run, number: undefined }], [{ ...run, number: NaN }], [{ ...run, firstRunId: '' }]])(
  'a run that is %j is refused',
  (wrong) => {
    expect(refusalOf(wrong)).toMatchObject({ type: 'InvalidInput', nonRetryable: true });
  },
);

describe('an activity of a run that was reset', () => {
  const touched: string[] = [];
  beforeEach(() => touched.splice(0));
  const touches = (what: string) => () => {
    touched.push(what);
    return Promise.reject(new Error('touched'));
  };
  const openEvidence = (): never => {
    touched.push('evidence');
    throw new Error('touched');
  };
  const services = { connect: touches('host'), openLines: touches('lines'), openEvidence };
  const world = registerActivities(
    'world',
    {
      turn: defineStep({
        observe: touches('observe'),
        act: touches('act'),
        undo: touches('undo'),
        preview: touches('preview'),
      }),
      look: defineCheck({ check: touches('check') }),
      stay: defineGuard({ everyMs: () => 1, look: touches('look') }),
    },
    services,
  );
  const probes = registerProbes(services);
  const plan = planOf({ probes: [{ name: 'web', kind: 'tcp', from: 'worker', to: '127.0.0.1:1' }] });
  const call: StepCall = {
    schema: 1,
    plan,
    input: { serving: 'fw1', escapeTo: 'fw2' },
    step: '01-x',
    run: { ...run, executing: FIRST },
  };

  const all = { ...world, 'probes.watch.check': probes['probes.watch.check'] };
  test.each(Object.keys(all))('%s touches nothing', async (name) => {
    const env = new MockActivityEnvironment({ workflowExecution: { workflowId: 'upgrade-fw', runId: LINK } });
    const activity = all[name as keyof typeof all] as (call: StepCall) => Promise<unknown>;
    const beats: unknown[] = [];
    env.on('heartbeat', (beat) => beats.push(beat));
    await expect(env.run(activity, call)).rejects.toMatchObject({ type: 'WasReset', nonRetryable: true });
    expect(touched).toEqual([]);
    expect(beats).toEqual([]);
  });
});

test('evidence of all links and resets lies in one folder', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hitless-evidence-'));
  try {
    const openEvidence = evidenceIn(directory);
    for (const [link, runId] of [FIRST, LINK].entries()) {
      const { run: known } = attemptOf(
        { ...info, workflowExecution: { workflowId: 'upgrade-fw', runId } },
        { run: { ...run, link, executing: runId } },
      );
      const sink = openEvidence(known, `0${link}-x`);
      sink.add({ host: 'fw1', command: 'id', code: 0, ms: 1 });
      expect(await sink.close()).toBeUndefined();
    }
    expect(readdirSync(join(directory, 'upgrade-fw'))).toEqual([FIRST]);
    expect(readdirSync(join(directory, 'upgrade-fw', FIRST))).toHaveLength(2);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
