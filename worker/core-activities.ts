/**
 * What the core itself asks of a worker: digests, links for people, who it is, room for watches, and what runs before it did.
 * Pure and quick ones run as local activities.
 */
import { Context } from '@temporalio/activity';
import { permanent } from '../activities/kit';
import { digestOf } from './digest';
import type { AfterReset, EarlierRun, Unknown } from './earlier-run';
import { afterReset, earlierRun, resetFrom, type HistoryService } from './histories';
import type { WatchRoom } from './watch-room';

export interface CoreSettings {
  /** Root of the Web UI, without a slash at the end, where it is known. */
  readonly uiUrl?: string;
  /** Reads histories; without it a run that was reset can't learn what it had done. */
  readonly history?: HistoryService;
  /** How many watches this process could still take on; undefined for a queue that it doesn't poll. */
  readonly watchRoom?: (queue: string) => WatchRoom | undefined;
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

export const coreActivities = ({ uiUrl, history, watchRoom }: CoreSettings) => ({
  'core.digest': async (value: unknown): Promise<string> => digestOf(value),
  'core.freeze': async ({ plan, items, list }: Frozen): Promise<{ digest: string; list: readonly string[] }> => ({
    digest: digestOf({ plan, items }),
    list,
  }),
  'core.startLink': async (form: StartForm): Promise<string> => startLink(uiUrl, form),
  /**
   * The run that Temporal runs, which after a reset isn't the one that the history up to there tells of. A run that `begins`
   * is told, too, that it does so after a reset: nothing in its own history up to there shows it.
   */
  'core.whoami': async (input?: {
    readonly begins?: boolean;
  }): Promise<{ readonly runId: string; readonly resetFrom?: string }> => {
    const { workflowId = '', runId = '' } = Context.current().info.workflowExecution ?? {};
    if (input?.begins !== true || history === undefined) return { runId };
    const from = await resetFrom(history, workflowId, runId);
    return { runId, ...(from === undefined ? {} : { resetFrom: from }) };
  },
  'core.afterReset': (input: {
    readonly workflowId: string;
    readonly from: string;
    readonly runId: string;
  }): Promise<AfterReset | Unknown> => reading(history, (service, onPage) => afterReset(service, input, onPage)),
  'core.earlierRun': (input: {
    readonly workflowId: string;
    readonly runId: string;
  }): Promise<EarlierRun | Unknown | { readonly clean: true }> =>
    reading(history, (service, onPage) => earlierRun(service, input, onPage)),
  /** Null where this process can't tell: it doesn't watch this queue, another may. */
  'core.watchRoom': async ({ queue }: { readonly queue: string }): Promise<WatchRoom | null> =>
    watchRoom?.(queue) ?? null,
});

/** Alive while it reads, and cut between two pages. */
async function reading<T>(
  service: HistoryService | undefined,
  work: (service: HistoryService, onPage: () => void) => Promise<T>,
): Promise<T> {
  if (service === undefined)
    throw permanent(
      'InvalidInput',
      'this worker can’t read histories, so what an earlier run did can’t be told. Next: give `hitlessActivities` a `history` (`historyService(client)`), as `hitless worker` does, and retry.',
    );
  const activity = Context.current();
  const beats = setInterval(() => activity.heartbeat(), HEARTBEAT_INTERVAL_MS);
  try {
    return await work(service, () => activity.cancellationSignal.throwIfAborted());
  } finally {
    clearInterval(beats);
  }
}

const HEARTBEAT_INTERVAL_MS = 1_000;
