/**
 * Looks at what Temporal hands to a workflow before the SDK does. The SDK fails the workflow task, again and again, for a
 * signal whose name it reserves: anybody could wedge a run by one. Such a signal gets another name here, and is refused as any
 * unknown one. And it sees what nothing else tells a workflow: that it was reset (its random seed changes then, and only
 * then), and that the messages which come with that are old ones, delivered once more.
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

interface Seen {
  /** Messages of the activation under way are old ones. */
  isRedelivering: boolean;
  /** It was reset, and nobody has been told yet. */
  isReset: boolean;
  tell?: () => void;
}

/** Of this workflow: a property of its global object, which the SDK keeps apart for each workflow as it does its modules. */
const key = Symbol.for('hitless.seen');
const holder = globalThis as { [key]?: Seen };
const seen = (): Seen => (holder[key] ??= { isRedelivering: false, isReset: false });

export const isRedelivering = (): boolean => seen().isRedelivering;

/** Tells of a reset, also of one that has been seen already. */
export function onReset(tell: () => void): void {
  const known = seen();
  known.tell = tell;
  if (known.isReset) tell();
}

export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      activate(input, next) {
        const jobs = input.activation.jobs ?? [];
        const known = seen();
        const isReset = jobs.some((job) => job.updateRandomSeed != null);
        known.isRedelivering = isReset || (input.batchIndex > 0 && known.isRedelivering);
        for (const { signalWorkflow } of jobs)
          if (signalWorkflow?.signalName != null)
            signalWorkflow.signalName = RESERVED.renamed(signalWorkflow.signalName);
        if (isReset) {
          known.isReset = true;
          known.tell?.();
        }
        next(input);
      },
    },
  ],
});
