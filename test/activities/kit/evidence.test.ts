/** Evidence is bounded as it is recorded, and what becomes of it on disk never overrules what was done. */
import { MockActivityEnvironment } from '@temporalio/testing';
import {
  permanent,
  Recorder,
  runActivity,
  type EvidenceSink,
  type Ran,
  type StepContext,
} from '../../../activities/kit';
import type { Host } from '../../../activities/kit';

const call = { schema: 1, plan: {}, input: {}, step: '07-upgrade' } as const;
const unused = (): Promise<never> => Promise.reject(new Error('not used here'));
const printing = (out: string): Host => ({
  name: 'fw1',
  exec: async () => ({ code: 0, stdout: out, stderr: '', ms: 1 }),
  readFile: unused,
  writeFile: unused,
  bootId: unused,
});

async function attempt(
  sink: EvidenceSink | undefined,
  work: (context: StepContext) => Promise<unknown>,
  options: { readonly out?: string; readonly isBefore?: boolean } = {},
): Promise<unknown> {
  const services = {
    connect: async () => printing(options.out ?? 'fine'),
    ...(sink === undefined ? {} : { openEvidence: () => sink }),
  };
  return new MockActivityEnvironment().run(() =>
    runActivity(call, services, work, { isBefore: options.isBefore ?? false }),
  );
}
const running =
  (count: number, result: unknown = { summary: 'done', changed: true }) =>
  async (context: StepContext): Promise<unknown> => {
    const host = await context.host('fw1');
    for (let i = 0; i < count; i++) await host.exec(['step', String(i)]);
    return result;
  };
const sinkOf = (why: string | undefined): EvidenceSink & { readonly kept: Ran[] } => {
  const kept: Ran[] = [];
  return { kept, add: (ran) => void kept.push(ran), close: async () => why };
};

describe('a disk that takes nothing', () => {
  it('is told in the result, which stands', async () => {
    expect(await attempt(sinkOf('ENOSPC: no space left on device'), running(1))).toMatchObject({
      summary: 'done',
      changed: true,
      ran: [{ host: 'fw1', command: 'step 0' }],
      evidence: 'not kept: ENOSPC: no space left on device',
    });
  });

  it('changes nothing of what was observed, and hides no failure', async () => {
    const before = { routes: ['a'] };
    expect(await attempt(sinkOf('ENOSPC'), running(1, before), { isBefore: true })).toBe(before);
    const failing = attempt(sinkOf('ENOSPC'), async (context) => {
      await running(1)(context);
      throw permanent('NotConverged', 'the network didn’t follow');
    });
    await expect(failing).rejects.toMatchObject({ type: 'NotConverged' });
  });
});

it('nothing is said of evidence that was kept, or that nobody asked for', async () => {
  const sink = sinkOf(undefined);
  expect(await attempt(sink, running(3))).not.toHaveProperty('evidence');
  expect(sink.kept.map(({ command }) => command)).toEqual(['step 0', 'step 1', 'step 2']);
  expect(await attempt(undefined, running(1))).not.toHaveProperty('evidence');
});

it('an attempt that runs thousands of commands with large outputs holds some of it, and returns 16 KiB', async () => {
  const result = (await attempt(undefined, running(500), { out: 'x'.repeat(500_000) })) as { ran: Ran[] };
  expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(17 * 1024);
  expect(result.ran[0]?.command).toBe('step 0');
  expect(result.ran.at(-1)?.command).toBe('step 499');

  const recorder = new Recorder();
  for (let i = 0; i < 1_000; i++)
    recorder.add({ host: 'fw1', command: 'y'.repeat(100_000), code: 0, ms: 1, out: 'x'.repeat(100_000) });
  expect(recorder.count).toBe(1_000);
  expect(JSON.stringify(recorder.list()).length).toBeLessThan(1024 * 1024);
});
