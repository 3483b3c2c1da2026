/** On the real engine: what is answered from outside before anything was touched, and every answer that was ever kept. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowFailedError } from '@temporalio/client';
import { payloadConverter } from '../../worker/payload-converter';
import {
  answers,
  misfitOfPlan,
  misfitOfReport,
  misfitOfResult,
  preview,
  read,
} from '../../workflows/procedure/answers';
import { testEngine, worldRun, type Activities, type TestEngine, type WorldRun } from '../support/engine-run';
import { readHistory, replays } from '../support/histories';

jest.setTimeout(40_000);

let engine: TestEngine;
const runs: WorldRun[] = [];
beforeAll(async () => (engine = await testEngine()), 600_000);
afterEach(async () => {
  for (const run of runs.splice(0)) await run.worker.stop();
});
afterAll(() => engine.close());

async function start(activities: Activities): Promise<WorldRun> {
  const run = await worldRun(engine, { activities });
  runs.push(run);
  return run;
}

it.each<[string, unknown, RegExp]>([
  ['plan.resolve', null, /is no plan to run \(.*nothing was touched/],
  ['plan.resolve', { schema: 1, cluster: 'other' }, /is no plan to run \(.*nothing was touched/],
  ['core.freeze', 5, /can't be frozen \(.*nothing was touched/],
])('%s answered with %j: the run ends with a plain message', async (activity, answer, message) => {
  const run = await start({ [activity]: async () => answer });
  const error = (await run.handle.result().catch((e: unknown) => e)) as WorkflowFailedError;
  expect(error.cause).toBeInstanceOf(ApplicationFailure);
  expect(error.cause).toMatchObject({ type: 'CorruptResult', message: expect.stringMatching(message) });
  expect(run.world.acts).toEqual([]);
});

it('what an earlier run left, answered with nonsense: not known, and who approves reads so', async () => {
  const run = await start({ 'core.earlierRun': async () => ({ clean: false, steps: 5 }) });
  const { question } = await run.asked('start');
  expect(question).toContain("Not known: whether a run before this one left something half done can't be read");
  await replays(run.handle.workflowId, await run.handle.fetchHistory());
});

/** What this and earlier builds answered, by activity: result of the activity, and the input it was asked with. */
async function* keptAnswers(): AsyncGenerator<{ name: string; asked: Record<string, unknown>; answer: unknown }> {
  const folder = join(__dirname, '../histories');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.0.2.0.binpb.gz'))) {
    if (file.includes('corrupt-result')) continue;
    const { events } = await readHistory(join(folder, file));
    const scheduled = new Map<string, { name: string; asked: Record<string, unknown> }>();
    for (const { eventId, ...event } of events ?? []) {
      const { activityType, input } = event.activityTaskScheduledEventAttributes ?? {};
      const [payload] = input?.payloads ?? [];
      if (payload != null)
        scheduled.set(String(eventId), {
          name: activityType?.name ?? '',
          asked: payloadConverter.fromPayload(payload),
        });
      const { scheduledEventId, result } = event.activityTaskCompletedEventAttributes ?? {};
      const of = scheduled.get(String(scheduledEventId));
      const [told] = result?.payloads ?? [];
      if (of !== undefined && told != null) yield { ...of, answer: payloadConverter.fromPayload(told) };
    }
  }
}

function misfitOf({ name, asked, answer }: { name: string; asked: Record<string, unknown>; answer: unknown }) {
  const misfit = (shape: Parameters<typeof read>[0]): string | undefined => {
    const told = read(shape, answer);
    return 'misfit' in told ? told.misfit : undefined;
  };
  if ('returnAfterObservedMs' in asked) return misfitOfReport(answer, true);
  if (name === 'plan.resolve') {
    const { procedure, input } = asked as { procedure: string; input: { cluster: string } };
    return misfitOfPlan(answer, { procedure, cluster: input.cluster }, true);
  }
  if (name === 'plan.shared') return misfit(answers.shared);
  if (name === 'core.afterReset') return misfit(answers.afterReset);
  if (name === 'core.earlierRun') return misfit(answers.earlierRun);
  if (name.endsWith('.preview')) return misfit(preview);
  return misfitOfResult(name.split('.').at(-1) as 'act', answer);
}

it('whatever workers of 0.2.0 answered has its shape', async () => {
  const misfits = new Set<string>();
  let count = 0;
  for await (const kept of keptAnswers()) {
    count++;
    const misfit = misfitOf(kept);
    if (misfit !== undefined) misfits.add(`${kept.name}: ${misfit}`);
  }
  expect(count).toBeGreaterThan(5_000);
  expect([...misfits]).toEqual([]);
});
