/** Reads histories of earlier runs from Temporal, page by page and within limits, for what the core has to know of them. */
import { isGrpcServiceError, type Client } from '@temporalio/client';
import {
  gapsBeforeResets,
  runsNamedIn,
  tellAfterReset,
  tellEarlierRun,
  type AfterReset,
  type EarlierRun,
  type Unknown,
} from './earlier-run';
import { noteTaker, type HistoryEvent, type Note } from './history-notes';
import { listOpen, type OpenUpgrades } from './open-upgrades';
import type { Histories } from './step-ledger';

/** What is asked of Temporal. Each rejects with HistoryGone if it doesn't have the run (any more). */
export interface HistoryService {
  pages(workflowId: string, runId: string): AsyncIterable<readonly HistoryEvent[]>;
  /** All runs of this workflow ID that are still known, in any order. */
  runs(workflowId: string): Promise<readonly { readonly runId: string; readonly startedAt: number }[]>;
  /** First run of the chain that a run belongs to. */
  firstRunOf(workflowId: string, runId: string): Promise<string>;
}

export class HistoryGone extends Error {
  override readonly name = 'HistoryGone';
}

/** With so few events a page holds up nobody else on the worker. */
const PAGE_EVENTS = 100;
/** Temporal itself ends a history at 51,200. */
const EVENTS_LIMIT = 200_000;
const RUNS_LIMIT = 64;
const LIST_LIMIT = 1_000;
const NOT_FOUND = 5;

export function historyService(client: Client): HistoryService & OpenUpgrades {
  const { namespace } = client.options;
  const asked = async <T>(runId: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND)
        throw new HistoryGone(
          `Temporal doesn’t have run ${runId} any more: its retention period is over, or it was deleted`,
        );
      throw error;
    }
  };
  return {
    open: (limit) => listOpen(client, limit),
    async *pages(workflowId, runId) {
      let nextPageToken: Uint8Array | undefined;
      do {
        const request = {
          namespace,
          execution: { workflowId, runId },
          maximumPageSize: PAGE_EVENTS,
          ...(nextPageToken === undefined ? {} : { nextPageToken }),
        };
        const page = await asked(runId, () => client.workflowService.getWorkflowExecutionHistory(request));
        nextPageToken = page.nextPageToken;
        yield page.history?.events ?? [];
      } while (nextPageToken !== undefined && nextPageToken.length > 0);
    },
    async runs(workflowId) {
      const found: { runId: string; startedAt: number }[] = [];
      for await (const run of client.workflow.list({ query: `WorkflowId = ${JSON.stringify(workflowId)}` })) {
        found.push({ runId: run.runId, startedAt: run.startTime.getTime() });
        if (found.length >= LIST_LIMIT) break;
      }
      return found;
    },
    async firstRunOf(workflowId, runId) {
      const request = { namespace, execution: { workflowId, runId } };
      const { workflowExecutionInfo } = await asked(runId, () =>
        client.workflowService.describeWorkflowExecution(request),
      );
      return workflowExecutionInfo?.firstRunId || runId;
    },
  };
}

/** The histories that are needed to tell that of a run. `onPage` is called after each page, and may throw. */
async function read(
  service: HistoryService,
  workflowId: string,
  runId: string,
  onPage: () => void,
): Promise<Histories> {
  const histories = new Map<string, readonly Note[] | { readonly missing: string }>();
  let events = 0;
  for (const waiting = [runId]; waiting.length > 0;) {
    const next = waiting.shift() ?? '';
    if (histories.has(next)) continue;
    if (histories.size >= RUNS_LIMIT) {
      histories.set(next, { missing: `more than ${RUNS_LIMIT} runs hang together` });
      continue;
    }
    const notes: Note[] = [];
    const take = noteTaker();
    histories.set(next, notes);
    try {
      for await (const page of service.pages(workflowId, next)) {
        onPage();
        events += page.length;
        if (events > EVENTS_LIMIT) throw new HistoryGone(`more than ${EVENTS_LIMIT} events would have to be read`);
        notes.push(...page.flatMap((event) => take(event) ?? []));
      }
    } catch (error) {
      if (!(error instanceof HistoryGone)) throw error;
      histories.set(next, { missing: error.message });
      continue;
    }
    waiting.push(...runsNamedIn(notes));
  }
  return histories;
}

/** The run that this one was first reset from; undefined if it never was. */
export async function resetFrom(
  service: HistoryService,
  workflowId: string,
  runId: string,
): Promise<string | undefined> {
  const take = noteTaker();
  for await (const page of service.pages(workflowId, runId))
    for (const event of page) {
      const note = take(event);
      if (note?.kind === 'reset') return note.base;
    }
  return undefined;
}

/** What a run that was reset has to know of the part that was thrown away. */
export async function afterReset(
  service: HistoryService,
  { workflowId, from, runId }: { readonly workflowId: string; readonly from: string; readonly runId: string },
  onPage: () => void,
): Promise<AfterReset | Unknown> {
  const histories = await read(service, workflowId, runId, onPage);
  const told = tellAfterReset(histories, runId, from);
  return 'unknown' in told ? told : ((await strangers(service, workflowId, histories, runId, from)) ?? told);
}

/** What the last run of this workflow ID that did something left behind; before run `runId`, if one asks that runs itself. */
export async function earlierRun(
  service: HistoryService,
  { workflowId, runId }: { readonly workflowId: string; readonly runId?: string },
  onPage: () => void,
): Promise<EarlierRun | Unknown | { readonly clean: true }> {
  const chains = runId === undefined ? [] : [await service.firstRunOf(workflowId, runId)];
  const others = (await service.runs(workflowId)).filter((run) => run.runId !== runId);
  for (const { runId: other } of others.sort((a, b) => b.startedAt - a.startedAt)) {
    onPage();
    try {
      if (chains.includes(await service.firstRunOf(workflowId, other))) continue;
    } catch (error) {
      if (error instanceof HistoryGone) return { unknown: true, why: error.message };
      throw error;
    }
    const histories = await read(service, workflowId, other, onPage);
    const told = tellEarlierRun(histories, other);
    // One that did nothing, not even ask, says nothing about what the one before it left behind.
    if (!('unknown' in told) && told.steps.length === 0) {
      chains.push(told.firstRunId);
      continue;
    }
    return 'unknown' in told || told.clean ? told : ((await strangers(service, workflowId, histories, other)) ?? told);
  }
  return { clean: true };
}

/** Whether a run of another chain was open between the end of a run and its reset: what that did isn't told by any of these. */
async function strangers(
  service: HistoryService,
  workflowId: string,
  histories: Histories,
  runId: string,
  from?: string,
): Promise<Unknown | undefined> {
  const gaps = gapsBeforeResets(histories, runId, from);
  if (gaps.length === 0) return undefined;
  const stranger = (await service.runs(workflowId)).find(
    (run) => !histories.has(run.runId) && gaps.some(({ from, to }) => from <= run.startedAt && run.startedAt <= to),
  );
  return stranger === undefined
    ? undefined
    : { unknown: true, why: `run ${stranger.runId} of ${workflowId} went on between the end of a run and its reset` };
}
