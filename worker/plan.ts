/** `plan.resolve`: from what an SRE typed to a frozen plan, by the inventory and a first look at the devices. */
import { Context } from '@temporalio/activity';
import {
  formatFaults,
  runActivity,
  permanent,
  type Fault,
  type StepContext,
  type WorkerServices,
} from '../activities/kit';
import { planInput, workflowTypes, type PlanInput } from '../workflows/contract';
import { InventoryError, loadInventory, resolvePlan, type Inventory, type ResolvedPlan } from './inventory';
import { formatPath } from './inventory/faults';
import { knownHostsFiles } from './inventory/sharing';
import type { HistoryService } from './histories';
import { sharedWithOpen, type OpenUpgrades } from './open-upgrades';
import { makePlan, type CompletePlan } from './resume';
import type { NodesOfPlan } from './shared-nodes';

interface ResolveCall {
  readonly schema: 1;
  /** Kind of cluster that the workflow type upgrades. */
  readonly procedure: string;
  readonly isDryRun: boolean;
  readonly input: unknown;
}

/** `history` finds upgrades that are under way, and what earlier ones left; without it nobody looks. */
export function planActivities(
  path: string,
  services: WorkerServices,
  procedures: Readonly<Record<string, { readonly complete: CompletePlan }>>,
  history?: HistoryService & OpenUpgrades,
) {
  const shared = (plan: NodesOfPlan & { readonly cluster: string }, inventory: Inventory): Promise<Fault[]> =>
    history === undefined ? Promise.resolve([]) : sharedBy(history, plan, inventory);
  return {
    'plan.resolve': async (call: ResolveCall): Promise<unknown> => {
      const input = inputOf(call.input);
      const inventory = usable(() => loadInventory(path));
      const resolved = usable(() => resolvePlan(inventory, input, { isDryRun: call.isDryRun }));
      if (resolved.procedure !== call.procedure) {
        throw permanent(
          'InvalidInput',
          `cluster ${resolved.cluster} is a ${resolved.procedure}, and this workflow upgrades a ${call.procedure}. Its workflow types are ${workflowTypes[resolved.procedure].upgrade} and ${workflowTypes[resolved.procedure].plan}; with hitless: --procedure ${resolved.procedure}, or HITLESS_INVENTORY=FILE`,
        );
      }
      const complete = procedures[resolved.procedure]?.complete;
      if (complete === undefined) throw permanent('InvalidInput', `this worker can't upgrade a ${resolved.procedure}`);
      const work = async (context: StepContext): Promise<unknown> => {
        const planning = { complete, history, ...(call.isDryRun ? {} : { starting: ownRun() }) };
        const plan = (await makePlan(context as StepContext<ResolvedPlan>, planning)) as ResolvedPlan;
        // A dry run reads, and may do so beside any upgrade.
        if (call.isDryRun) return plan;
        const faults = await shared(plan, inventory);
        if (faults.length === 0) return plan;
        throw permanent(
          'InvalidInput',
          `${plan.cluster} can’t be upgraded now, for it shares nodes with an upgrade that is under way, and nothing was touched:\n${formatFaults(faults)}`,
          { faults },
        );
      };
      // The plan alone: with the commands that read it, how long they took and what they printed, no two would be equal.
      return runActivity({ schema: 1, plan: resolved, input, step: '00-plan' }, services, work, { isBefore: true });
    },
    /** What would keep a plan from being started at this moment: for dry runs, which it doesn't keep from anything. */
    'plan.shared': (plan: NodesOfPlan & { readonly cluster: string }): Promise<Fault[]> =>
      shared(
        plan,
        usable(() => loadInventory(path)),
      ),
  };
}

function ownRun(): { readonly workflowId: string; readonly runId: string } | undefined {
  return Context.current().info.workflowExecution;
}

/** Heartbeats are those of `plan.resolve`; `plan.shared` is over soon. */
async function sharedBy(
  open: OpenUpgrades,
  plan: NodesOfPlan & { readonly cluster: string },
  inventory: Inventory,
): Promise<Fault[]> {
  const { info, cancellationSignal } = Context.current();
  const { runId } = info.workflowExecution ?? {};
  const asking = {
    cluster: plan.cluster,
    ...(runId === undefined ? {} : { runId }),
    nowMs: info.currentAttemptScheduledTimestampMs,
    known: Object.keys(inventory.clusters),
  };
  return sharedWithOpen(open, plan, asking, {
    knownHosts: knownHostsFiles(),
    onPage: () => cancellationSignal.throwIfAborted(),
  });
}

function inputOf(raw: unknown): PlanInput {
  const { data, error } = planInput.safeParse(raw);
  if (data !== undefined) return data;
  const faults = error.issues.map(({ path, message }) => {
    const at = formatPath(path.map((part) => (typeof part === 'number' ? part : String(part))));
    return `- ${at === '' ? '(whole)' : at}: ${message}`;
  });
  throw permanent('InvalidInput', `what is to be planned is wrong, and nothing was touched:\n${faults.join('\n')}`);
}

function usable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InventoryError)
      throw permanent('InvalidInput', `the worker's inventory can't be used:\n${error.message}`);
    throw error;
  }
}
