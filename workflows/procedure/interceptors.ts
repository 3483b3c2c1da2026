/**
 * Looks at what Temporal hands to a workflow before the SDK does. The SDK fails the workflow task, again and again, for a
 * signal whose name it reserves: anybody could wedge a run by one. Such a signal gets another name here, and is refused as any
 * unknown one.
 *
 * A module of the workflow bundle (`workflowInterceptorModules`; the plugin adds it).
 */
// eslint-disable-next-line @typescript-eslint/no-restricted-imports -- a type alone, beside the core's door
import type { WorkflowInterceptors } from '@temporalio/workflow';

const PREFIX = '__temporal_';
const RENAMED = 'reserved:';

export const RESERVED = {
  renamed: (name: string): string => (name.startsWith(PREFIX) ? `${RENAMED}${name}` : name),
  original: (name: string): string => (name.startsWith(`${RENAMED}${PREFIX}`) ? name.slice(RENAMED.length) : name),
} as const;

export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      activate(input, next) {
        for (const { signalWorkflow } of input.activation.jobs ?? [])
          if (signalWorkflow?.signalName != null)
            signalWorkflow.signalName = RESERVED.renamed(signalWorkflow.signalName);
        next(input);
      },
    },
  ],
});
