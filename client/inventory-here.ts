/** What the client can tell from an inventory at hand. The one that counts is the worker's. */
import { existsSync } from 'node:fs';
import { inventoryDigestOf, inventoryPath, loadInventory, type Inventory } from '../worker/inventory';
import { workflowTypes, type ClusterKind } from '../workflows/contract';
import { ClientError, exitCodes } from './exit';

/** The inventory on this machine, if there is one and it is valid: a client needs none. */
export function inventoryHere(
  env: NodeJS.ProcessEnv,
  said?: string,
): { path: string; inventory: Inventory } | undefined {
  const path = inventoryPath(said, env);
  if (said === undefined && !existsSync(path)) return undefined;
  try {
    return { path, inventory: loadInventory(path) };
  } catch (error) {
    if (said !== undefined) throw error;
    return undefined;
  }
}

export interface Routing {
  readonly kind?: ClusterKind;
  readonly taskQueue?: string;
}

/** Kind of the cluster and task queue: what was said, else what an inventory at hand tells, else the defaults. */
export function routingOf(
  cluster: string,
  env: NodeJS.ProcessEnv,
  said: { readonly procedure?: string; readonly taskQueue?: string },
): Routing {
  const here = inventoryHere(env)?.inventory;
  const kind =
    said.procedure ?? (here && Object.hasOwn(here.clusters, cluster) ? here.clusters[cluster]?.kind : undefined);
  if (kind !== undefined && !Object.hasOwn(workflowTypes, kind))
    throw new ClientError(
      exitCodes.usage,
      `there is no procedure "${kind}"`,
      `procedures: ${Object.keys(workflowTypes).join(', ')}`,
    );
  const taskQueue = said.taskQueue ?? here?.taskQueue;
  return {
    ...(kind !== undefined && { kind: kind as ClusterKind }),
    ...(taskQueue !== undefined && { taskQueue }),
  };
}

/** How the inventory at hand differs from the one that a run was planned with; undefined if it doesn't, or none is at hand. */
export function inventoryDifference(cluster: string, plan: unknown, env: NodeJS.ProcessEnv): string | undefined {
  const frozen =
    typeof plan === 'object' && plan !== null && 'inventoryDigest' in plan ? plan.inventoryDigest : undefined;
  const here = typeof frozen === 'string' ? inventoryHere(env) : undefined;
  if (here === undefined) return undefined;
  if (!Object.hasOwn(here.inventory.clusters, cluster))
    return `${here.path} has no cluster ${cluster} any more; the run keeps to the plan that it was started with`;
  if (inventoryDigestOf(here.inventory, cluster) === frozen) return undefined;
  return `${here.path} differs from what this run was started with; the run keeps to its plan`;
}
