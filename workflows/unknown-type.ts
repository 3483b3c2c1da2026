/**
 * What runs for a workflow type that isn't there: Temporal hands it to the default export of the workflows. Without one, a
 * mistyped type in the Start form would stay "Running" for ever, its workflow tasks failing again and again.
 */
import { planWorkflowIdOf, workflowIdOf, workflowTypes } from './contract';
import { TemporalRuntime } from './procedure/runtime';
import { closest } from './suggest';

export const knownTypes: readonly string[] = Object.values(workflowTypes).flatMap(({ upgrade, plan }) => [
  upgrade,
  plan,
]);

/** What the person who mistyped it reads. Pure. */
export function unknownTypeMessage(type: string): string {
  const meant = closest(type, knownTypes);
  return (
    `there is no workflow type ${JSON.stringify(type.slice(0, 200))} here${meant === undefined ? '' : `; did you mean ${meant}?`} ` +
    `Nothing was touched. The types are ${knownTypes.join(', ')}. ` +
    `An upgrade has the workflow ID ${workflowIdOf('<cluster>')}, a dry run ${planWorkflowIdOf('<cluster>')}.`
  );
}

/**
 * Ends the run as Failed at once. A run of a type that this build lost doesn't come so far: its history has events that this
 * doesn't make, so its workflow task fails instead, and the run waits for a build that has the type.
 */
export async function unknownType(): Promise<never> {
  const runtime = new TemporalRuntime();
  throw runtime.failure('UnknownWorkflowType', unknownTypeMessage(runtime.workflow.type));
}
