/** What the core itself asks of a worker: digests, links for people, room for watches. Run as local activities: quick. */
import { digestOf } from './digest';
import type { WatchRoom } from './watch-room';

export interface CoreSettings {
  /** Root of the Web UI, without a slash at the end, where it is known. */
  readonly uiUrl?: string;
  /** How many watches this process could still take on; undefined for a queue that it doesn't poll. */
  readonly watchRoom?: (queue: string) => WatchRoom | undefined;
}

interface StartForm {
  readonly namespace: string;
  readonly workflowId: string;
  readonly workflowType: string;
  readonly taskQueue: string;
}

/** The Web UI's Start form, filled in but for the input. */
export function startLink(uiUrl: string | undefined, { namespace, ...form }: StartForm): string {
  const path = `/namespaces/${encodeURIComponent(namespace)}/workflows/start-workflow?${new URLSearchParams(form).toString()}`;
  return `${uiUrl ?? '(your Web UI)'}${path}`;
}

export const coreActivities = ({ uiUrl, watchRoom }: CoreSettings) => ({
  'core.digest': async (value: unknown): Promise<string> => digestOf(value),
  'core.startLink': async (form: StartForm): Promise<string> => startLink(uiUrl, form),
  /** Null where this process can't tell: it doesn't watch this queue, another may. */
  'core.watchRoom': async ({ queue }: { readonly queue: string }): Promise<WatchRoom | null> =>
    watchRoom?.(queue) ?? null,
});
