/** A workflow that sends calls as the core does, over links and resets. */
import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

type Activities = Record<'core.whoami' | 'world.turn.act' | 'world.turn.undo', (input: unknown) => Promise<unknown>>;

export async function chain({ link = 0, number = 0 }: { link?: number; number?: number } = {}): Promise<void> {
  const seen: unknown[] = [];
  const said = new Set<string>();
  setHandler(defineQuery<unknown>('seen'), () => seen);
  for (const name of ['link', 'act', 'poke', 'end']) setHandler(defineSignal(name), () => void said.add(name));

  const local = proxyLocalActivities<Activities>({ startToCloseTimeout: '10s' });
  const remote = proxyActivities<Activities>({ startToCloseTimeout: '60s', heartbeatTimeout: '10s' });
  const { runId: executing } = (await local['core.whoami']({})) as { runId: string };
  const call = async (verb: 'act' | 'undo'): Promise<void> => {
    const run = { firstRunId: workflowInfo().firstExecutionRunId, link, number: ++number, executing };
    try {
      seen.push(await remote[`world.turn.${verb}`]({ schema: 1, plan: {}, input: {}, step: '01-x', before: 1, run }));
    } catch (error) {
      const cause = error instanceof ActivityFailure ? error.cause : undefined;
      if (!(cause instanceof ApplicationFailure)) throw error;
      seen.push({ type: cause.type, details: cause.details?.[0] });
    }
  };
  await call('act');
  await condition(() => said.has('link') || said.has('act'));
  if (said.has('link')) await continueAsNew<typeof chain>({ link: link + 1, number });
  await call('undo');
  await condition(() => said.has('end'));
}
