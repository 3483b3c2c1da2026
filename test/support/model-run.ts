/** One run of a procedure over a model, in virtual time. */
import { record, Run, type Body } from '../../workflows/procedure';
import type { PlanBase } from '../../workflows/procedure/types';
import { MemoryRuntime, type MemoryActivity } from './memory-runtime';

/** A model as a run needs it. */
interface Modelled {
  runtime: MemoryRuntime;
  readonly activities: Readonly<Record<string, MemoryActivity>>;
}

export interface ModelRun<World, Plan extends PlanBase> {
  readonly world: World;
  readonly runtime: MemoryRuntime;
  readonly run: Run<Plan>;
  readonly ending: Promise<string>;
  /** Answers the open question, whatever its digest. */
  answer(choice: string, extra?: { by?: string; to?: 'start'; comment?: string }): void;
  /** Virtual time passes until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  open(): string | undefined;
}

export async function modelRun<World extends Modelled, Plan extends PlanBase>(
  world: World,
  body: Body<Plan>,
  plan: Plan,
): Promise<ModelRun<World, Plan>> {
  const runtime = new MemoryRuntime(world.activities);
  world.runtime = runtime;
  const items = await record(body, plan);
  const planDigest = 'a'.repeat(64);
  const identity = { workflowId: `upgrade-${plan.cluster}`, firstRunId: 'run-1', link: 0, executing: 'run-1', calls: 0 };
  const setup = { runtime, body, plan, items, planDigest };
  let run = new Run({ ...setup, identity });
  const links = async (): Promise<string> => {
    for (;;) {
      const end = await run.toTheEnd();
      if ('ending' in end) return end.ending;
      // As the server hands it on: as JSON.
      const { state } = JSON.parse(JSON.stringify(end.carried)) as typeof end.carried;
      const link = (state.identity?.link ?? 0) + 1;
      run = new Run({ ...setup, state: { ...state, identity: { ...identity, ...state.identity, link } } });
    }
  };
  const opening = () => run.state.openings.find((o) => o.outcome === undefined);
  return {
    world,
    runtime,
    get run() {
      return run;
    },
    ending: links(),
    open: () => opening()?.id,
    answer(choice, extra = {}) {
      const o = opening();
      if (o === undefined) throw new Error('nothing is asked');
      const { by = 'ann', ...rest } = extra;
      const waive = choice === 'waive' ? { waive: o.waivable, comment: 'by plan' } : {};
      runtime.send('decide', { opening: o.id, digest: o.digest.slice(0, 12), by, choice, ...waive, ...rest });
    },
    until: (condition) => runtime.drive(runtime.waitFor(condition)),
  };
}
