/** One attempt of an activity hands to the next what it keeps, with its heartbeats. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { runActivity } from '../../../activities/kit/register';
import type { StepContext } from '../../../activities/kit';

const call = { schema: 1, plan: {}, input: {}, step: '01-try' } as const;
const services = { connect: () => Promise.reject(new Error('no host')) };

/** An attempt after one whose last heartbeat was `heartbeatDetails`; returns its own heartbeats. */
async function attempt(
  work: (context: StepContext) => void,
  heartbeatDetails?: unknown,
): Promise<{ readonly beats: unknown[] }> {
  const env = new MockActivityEnvironment(heartbeatDetails === undefined ? {} : { heartbeatDetails });
  const beats: unknown[] = [];
  env.on('heartbeat', (details: unknown) => beats.push(details));
  await env.run(() => runActivity(call as never, services as never, async (context) => work(context)));
  return { beats };
}

it('keeps nothing: the heartbeat is the note alone', async () => {
  const { beats } = await attempt((context) => {
    expect(context.kept).toBeUndefined();
    context.progress('half way');
  });
  expect(beats).toEqual(['half way']);
});

it('what was kept reaches the next attempt, and the one after that, whatever they tell', async () => {
  const { beats } = await attempt((context) => {
    context.keep({ job: 7 });
    context.progress('job 7 is queued');
  });
  expect(beats).toEqual([
    { note: 'started', kept: { job: 7 } },
    { note: 'job 7 is queued', kept: { job: 7 } },
  ]);
  const next = await attempt((context) => {
    expect(context.kept).toEqual({ job: 7 });
    context.progress('looking for job 7');
  }, beats.at(-1));
  expect(next.beats).toEqual([{ note: 'looking for job 7', kept: { job: 7 } }]);
});
