/** One run of a procedure over a model, in virtual time. */
import { record, Run, type Body } from '../../workflows/procedure';
import type { RunSetup } from '../../workflows/procedure/run';
import type { PlanBase, Runtime } from '../../workflows/procedure/types';
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

/** The runtime as one link of a chain has it: once that has ended, nothing of it goes on, as in Temporal. */
function linkOf(runtime: MemoryRuntime): { readonly runtime: Runtime; end(): void } {
  let alive = true;
  const whileAlive = async <T>(work: Promise<T>): Promise<T> => {
    const value = await work;
    return alive ? value : new Promise<T>(() => undefined);
  };
  return {
    end: () => (alive = false),
    runtime: {
      now: () => runtime.now(),
      call: (activity, input, options) => runtime.call(activity, input, options),
      publish: (view) => runtime.publish(view),
      onMessage: (inbox) => runtime.onMessage(inbox),
      isHistoryLong: () => runtime.isHistoryLong(),
      isReset: (executing) => runtime.isReset(executing),
      activation: () => runtime.activation(),
      waitFor: (condition, options) => whileAlive(runtime.waitFor(() => alive && condition(), options)),
    },
  };
}

export async function modelRun<World extends Modelled, Plan extends PlanBase>(
  world: World,
  body: Body<Plan>,
  plan: Plan,
  more: Pick<RunSetup<Plan>, 'inherited' | 'isFirm' | 'state'> = {},
): Promise<ModelRun<World, Plan>> {
  const runtime = new MemoryRuntime(world.activities);
  world.runtime = runtime;
  const items = await record(body, plan);
  const planDigest = 'a'.repeat(64);
  const identity = {
    workflowId: `upgrade-${plan.cluster}`,
    firstRunId: 'run-1',
    link: 0,
    executing: 'run-1',
    calls: 0,
  };
  const setup = { body, plan, items, planDigest };
  let link = linkOf(runtime);
  let run = new Run({ ...setup, ...more, runtime: link.runtime, identity });
  const links = async (): Promise<string> => {
    for (;;) {
      const end = await run.toTheEnd();
      if ('ending' in end) return end.ending;
      // As the server hands it on: as JSON.
      const { state } = JSON.parse(JSON.stringify(end.carried)) as typeof end.carried;
      const number = (state.identity?.link ?? 0) + 1;
      link.end();
      link = linkOf(runtime);
      const next = { ...state, identity: { ...identity, ...state.identity, link: number } };
      run = new Run({ ...setup, runtime: link.runtime, state: next });
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
