/** All scenarios whose histories are kept, and their making. */
import type { temporal } from '@temporalio/proto';
import type { ClusterKind } from '../../../workflows/contract';
import type { TestEngine } from '../engine-run';
import { endOf } from '../histories';
import { asking } from './asking';
import { cancels } from './cancels';
import { escapes } from './escapes';
import { holds } from './holds';
import { kinds } from './kinds';
import { links } from './links';
import { messages } from './messages';
import { outside } from './outside';
import { policies } from './policies';
import { KeptRun } from './run';
import { endsIn, type Ends, type Scenario } from './scenario';
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
  ...links,
  ...outside,
  ...policies,
].flatMap((scenario) => scenario.kinds.map((kind) => ({ name: `${kind}-${scenario.what}`, kind, scenario })));

/** Whole upgrades on the lab and of a simulated pair, which tests of their own keep (test/histories/README.md). */
export const wholes: readonly { readonly name: string; readonly ends: Ends }[] = [
  { name: 'firewall-pair-completed', ends: 'Completed' },
  { name: 'panos-pair-completed', ends: 'Completed' },
  { name: 'x-road-cluster-completed', ends: 'Completed' },
  { name: 'x-road-cluster-mended', ends: 'Completed' },
];

interface Played {
  readonly history: temporal.api.history.v1.IHistory;
  readonly workflowId: string;
}

/** How a case's run of this release ends; undefined if it isn't there for it. */
export const endOfCase = ({ scenario }: Case, release: string): string | undefined => endsIn(scenario.ends, release);

/** Plays a scenario on the real engine, to this end. A run that is left open is ended once its history has been taken. */
export async function play(engine: TestEngine, each: Case, ends: string, timeoutMs: number): Promise<Played> {
  const { kind, name, scenario } = each;
  const run = await KeptRun.start(engine, kind, name, scenario.setting?.(partsOf[kind]) ?? {});
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('took too long')), timeoutMs);
  });
  try {
    return await Promise.race([take(run, scenario, ends), late]);
  } catch (error) {
    const status = await run.status().catch((e: unknown) => String(e));
    await run.handle.terminate('its scenario failed').catch(() => undefined);
    throw new Error(`${name}: ${String(error)}\n${JSON.stringify(status, null, 1)}`, { cause: error });
  } finally {
    clearTimeout(timer);
    await run.stop();
  }
}

async function take(run: KeptRun, { play, isFirst }: Scenario, ends: string): Promise<Played> {
  await play(run, run.parts);
  const isOpen = ends === 'open';
  if (isOpen && !(await run.isRunning())) throw new Error(`it isn't open any more: ${await run.ended()}`);
  if (!isOpen && isFirst !== true) await run.ended();
  const history = isFirst === true ? await run.first.fetchHistory() : await run.history();
  const ending = endOf(history);
  if (ending !== ends) throw new Error(`it ended as ${ending}, not as ${ends}`);
  if (await run.isRunning()) await run.handle.terminate('its history is kept');
  return { history, workflowId: run.handle.workflowId };
}
