/** All scenarios whose histories are kept, and their making. */
import type { temporal } from '@temporalio/proto';
import type { ClusterKind } from '../../../workflows/contract';
import type { TestEngine } from '../engine-run';
import { asking } from './asking';
import { cancels } from './cancels';
import { escapes } from './escapes';
import { holds } from './holds';
import { kinds } from './kinds';
import { messages } from './messages';
import { KeptRun } from './run';
import type { Scenario } from './scenario';
import { partsOf } from './stage';
import { allShapes } from './shapes';
import { starts } from './starts';

export interface Case {
  /** `<kind>-<what happened>`. */
  readonly name: string;
  readonly kind: ClusterKind;
  readonly scenario: Scenario;
}

export const cases: readonly Case[] = [
  ...asking,
  ...messages,
  ...holds,
  ...cancels,
  ...escapes,
  ...kinds,
  ...allShapes,
  ...starts,
].flatMap((scenario) => scenario.kinds.map((kind) => ({ name: `${kind}-${scenario.what}`, kind, scenario })));

interface Played {
  readonly history: temporal.api.history.v1.IHistory;
  readonly workflowId: string;
}

/** Plays a scenario on the real engine. A run that is left open is ended once its history has been taken. */
export async function play(engine: TestEngine, each: Case, timeoutMs: number): Promise<Played> {
  const { kind, name, scenario } = each;
  const run = await KeptRun.start(engine, kind, name, scenario.setting?.(partsOf[kind]) ?? {});
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('took too long')), timeoutMs);
  });
  try {
    return await Promise.race([take(run, scenario), late]);
  } catch (error) {
    const status = await run.status().catch((e: unknown) => String(e));
    await run.handle.terminate('its scenario failed').catch(() => undefined);
    throw new Error(`${name}: ${String(error)}\n${JSON.stringify(status, null, 1)}`, { cause: error });
  } finally {
    clearTimeout(timer);
    await run.stop();
  }
}

async function take(run: KeptRun, { play, ends }: Scenario): Promise<Played> {
  await play(run, run.parts);
  const isOpen = ends === 'open';
  if (isOpen && !(await run.isRunning())) throw new Error(`it isn't open any more: ${await run.ended()}`);
  const ending = isOpen ? 'open' : await run.ended();
  if (ending !== ends) throw new Error(`it ended as ${ending}, not as ${ends}`);
  const history = await run.history();
  if (isOpen) await run.handle.terminate('its history is kept');
  return { history, workflowId: run.handle.workflowId };
}
