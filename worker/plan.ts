/** `plan.resolve`: from what an SRE typed to a frozen plan, by the inventory and a first look at the devices. */
import { runActivity, type StepContext, type WorkerServices } from '../activities/kit';
import { permanent } from '../activities/kit';
import { planInput, workflowTypes, type PlanInput } from '../workflows/contract';
import { InventoryError, loadInventory, resolvePlan, type ResolvedPlan } from './inventory';

/** Completes the static part of a plan by what the devices say. */
export type CompletePlan = (context: StepContext<ResolvedPlan>) => Promise<unknown>;

interface ResolveCall {
  readonly schema: 1;
  /** Kind of cluster that the workflow type upgrades. */
  readonly procedure: string;
  readonly isDryRun: boolean;
  readonly input: unknown;
}

export function planActivity(
  inventory: string,
  services: WorkerServices,
  procedures: Readonly<Record<string, { readonly complete: CompletePlan }>>,
): (call: ResolveCall) => Promise<unknown> {
  return async (call) => {
    const input: PlanInput = planInput.parse(call.input);
    const resolved = resolve(inventory, input, call.isDryRun);
    if (resolved.procedure !== call.procedure) {
      throw permanent(
        'InvalidInput',
        `cluster ${resolved.cluster} is a ${resolved.procedure}, and this workflow upgrades a ${call.procedure}. Its workflow types are ${workflowTypes[resolved.procedure].upgrade} and ${workflowTypes[resolved.procedure].plan}; with hitless: --procedure ${resolved.procedure}, or HITLESS_INVENTORY=FILE`,
      );
    }
    const complete = procedures[resolved.procedure]?.complete;
    if (complete === undefined) throw permanent('InvalidInput', `this worker can't upgrade a ${resolved.procedure}`);
    return runActivity({ schema: 1, plan: resolved, input, step: '00-plan' }, services, (context) =>
      complete(context as StepContext<ResolvedPlan>),
    );
  };
}

function resolve(path: string, input: PlanInput, isDryRun: boolean): ResolvedPlan {
  try {
    return resolvePlan(loadInventory(path), input, { isDryRun });
  } catch (error) {
    if (error instanceof InventoryError)
      throw permanent('InvalidInput', `the worker's inventory can't be used:\n${error.message}`);
    throw error;
  }
}
