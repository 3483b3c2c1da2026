/** What the core itself asks of a worker: digests, and links for people. Run as local activities: pure and quick. */
import { Context } from '@temporalio/activity';
import { digestOf } from './digest';

export interface CoreSettings {
  /** Root of the Web UI, without a slash at the end, where it is known. */
  readonly uiUrl?: string;
}

/** What a run is to be held to: digested whole, its list kept in the history. */
interface Frozen {
  readonly plan: unknown;
  readonly items: unknown;
  readonly list: readonly string[];
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

export const coreActivities = ({ uiUrl }: CoreSettings) => ({
  'core.digest': async (value: unknown): Promise<string> => digestOf(value),
  'core.freeze': async ({ plan, items, list }: Frozen): Promise<{ digest: string; list: readonly string[] }> => ({
    digest: digestOf({ plan, items }),
    list,
  }),
  'core.whoami': async (): Promise<{ runId: string }> => ({
    runId: Context.current().info.workflowExecution?.runId ?? '',
  }),
  'core.startLink': async (form: StartForm): Promise<string> => startLink(uiUrl, form),
});
