/**
 * Upgrades that are under way, and the nodes of their frozen plans: what starts must share no node with them. Workflow IDs
 * keep one cluster from being upgraded twice; this is for one node under two names, as PAN-OS has no owner file that could
 * stop the second run.
 */
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { transient, type Fault } from '../activities/kit';
import { workflowIdOf, workflowTypes } from '../workflows/contract';
import { fields } from './carried-steps';
import { HistoryGone, type HistoryService } from './histories';
import { decoded, type HistoryEvent } from './history-notes';
import { sharedNodes, type NodesOfPlan, type ReadKnownHosts } from './shared-nodes';

export interface OpenRun {
  readonly workflowId: string;
  readonly runId: string;
  /** Epoch milliseconds, by the server's clock. */
  readonly startedAt: number;
}

/** What is asked of Temporal. */
export interface OpenUpgrades extends Pick<HistoryService, 'pages'> {
  /** Open runs of upgrades, newest first, so many at most. */
  open(limit: number): Promise<readonly OpenRun[]>;
}

/** More upgrades than this are under way nowhere. */
const RUNS_LIMIT = 1_000;
/** A plan is resolved at the beginning of its run, but for messages that came before it; no more is read. */
const EVENTS_LIMIT = 12_000;
/** Histories that are read side by side. */
const AT_ONCE = 8;
/** A run that has no plan after this won't get one soon. */
const RESOLVING_MS = 60_000;

const upgrades = Object.values(workflowTypes).map(({ upgrade }) => JSON.stringify(upgrade));
const QUERY = `ExecutionStatus = "Running" AND WorkflowType IN (${upgrades.join(', ')})`;

export async function listOpen(client: Client, limit: number): Promise<OpenRun[]> {
  const found: OpenRun[] = [];
  for await (const { workflowId, runId, startTime } of client.workflow.list({ query: QUERY })) {
    found.push({ workflowId, runId, startedAt: startTime.getTime() });
    if (found.length >= limit) break;
  }
  return found;
}

/** Who looks: a run that starts, or somebody who only wants to know. */
export interface Asking {
  readonly cluster: string;
  readonly runId?: string;
  /** By the server's clock. */
  readonly nowMs: number;
  /** Clusters of this worker's inventory, which was found to share no node with itself. */
  readonly known: readonly string[];
}

/**
 * The nodes that a plan shares with upgrades that are under way, as faults.
 * @throws Busy (transient) while an upgrade that started earlier has no plan yet: one of two that start together waits
 */
export async function sharedWithOpen(
  service: OpenUpgrades,
  plan: NodesOfPlan,
  asking: Asking,
  around: { readonly knownHosts?: ReadKnownHosts; readonly onPage: () => void },
): Promise<Fault[]> {
  const all = await service.open(RUNS_LIMIT);
  const mine = all.find(({ runId }) => runId === asking.runId);
  const others = all.filter(({ workflowId }) => workflowId !== workflowIdOf(asking.cluster));
  const faults: Fault[] = [];
  for (let at = 0; at < others.length; at += AT_ONCE)
    for (const lists of await Promise.all(
      others.slice(at, at + AT_ONCE).map(async (run) => {
        const other = await planOf(service, run, around.onPage);
        if (other === 'none yet') assertOlder(run, mine, asking);
        return typeof other === 'string' ? [] : faultsOf(run, plan, other, around.knownHosts);
      }),
    ))
      faults.push(...lists);
  return faults;
}

const faultsOf = (
  { workflowId }: OpenRun,
  plan: NodesOfPlan,
  other: NodesOfPlan,
  knownHosts: ReadKnownHosts | undefined,
): Fault[] =>
  sharedNodes(plan, other, knownHosts).map(({ nodes: [own, theirs], by }) => ({
    where: own,
    what: `it is the node ${theirs} of ${workflowId}, which is under way, by ${by}`,
    next: by.startsWith('the machine ID')
      ? 'wait for the end of that upgrade; if they are two machines, one is a copy of the other: give it a machine ID of its own (systemd-machine-id-setup(1))'
      : 'wait for the end of that upgrade, and leave the node in one of the two clusters',
  }));

/** Of two that start together the one that started later waits, and then sees the other's plan. */
function assertOlder(run: OpenRun, mine: OpenRun | undefined, { nowMs, known }: Asking): void {
  const isKnown = known.some((cluster) => workflowIdOf(cluster) === run.workflowId);
  const isLater = mine !== undefined && (run.startedAt - mine.startedAt || (run.runId < mine.runId ? -1 : 1)) > 0;
  if (isKnown || isLater || nowMs - run.startedAt > RESOLVING_MS) return;
  throw transient(
    'Busy',
    `${run.workflowId} is being started too, and isn’t known yet to have other nodes. Nothing was touched. Next: start this again in a minute`,
  );
}

/** Nodes of the frozen plan of a run; `unreadable` also where it is gone. */
async function planOf(
  service: OpenUpgrades,
  run: Pick<OpenRun, 'workflowId' | 'runId'>,
  onPage: () => void,
): Promise<NodesOfPlan | 'none yet' | 'unreadable'> {
  const told = await frozenPlan(service, run, onPage);
  return typeof told === 'string' ? told : (nodesOf(told.plan) ?? 'unreadable');
}

/** The frozen plan of a run, from its history; `unreadable` also where it is gone. */
export async function frozenPlan(
  service: Pick<HistoryService, 'pages'>,
  { workflowId, runId }: Pick<OpenRun, 'workflowId' | 'runId'>,
  onPage: () => void,
): Promise<{ readonly plan: object } | 'none yet' | 'unreadable'> {
  const calls = new Set<string>();
  let seen = 0;
  try {
    for await (const page of service.pages(workflowId, runId)) {
      onPage();
      for (const event of page) {
        const told = planIn(event, calls);
        if (told === undefined) continue;
        return typeof told.plan === 'object' && told.plan !== null ? { plan: told.plan } : 'unreadable';
      }
      if ((seen += page.length) >= EVENTS_LIMIT) return 'unreadable';
    }
    return 'none yet';
  } catch (error) {
    // It ended meanwhile, and was deleted.
    if (error instanceof HistoryGone) return 'unreadable';
    throw error;
  }
}

/** The plan that an event holds: of a run that was continued its input does, of others an answer. */
function planIn(event: HistoryEvent, calls: Set<string>): { readonly plan: unknown } | undefined {
  const started = event.workflowExecutionStartedEventAttributes;
  if (started?.continuedExecutionRunId) {
    const { continued } = fields(decoded(started.input?.payloads?.[0]));
    return { plan: fields(continued)['plan'] };
  }
  if (event.activityTaskScheduledEventAttributes?.activityType?.name === 'plan.resolve')
    calls.add(String(event.eventId));
  const completed = event.activityTaskCompletedEventAttributes;
  return completed && calls.has(String(completed.scheduledEventId))
    ? { plan: decoded(completed.result?.payloads?.[0]) }
    : undefined;
}

const nodes = z.looseObject({
  nodes: z.record(
    z.string(),
    z.looseObject({ host: z.string().optional(), address: z.string().optional(), port: z.number().optional() }),
  ),
  hosts: z
    .record(
      z.string(),
      z.looseObject({
        address: z.string(),
        port: z.number(),
        jump: z.string().optional(),
        hostKeys: z.array(z.string()).optional(),
        knownHosts: z.string().optional(),
      }),
    )
    .optional(),
  found: z
    .record(z.string(), z.looseObject({ serial: z.unknown().optional(), machineId: z.unknown().optional() }))
    .optional(),
});

/** Of a plan of any build. */
const nodesOf = (plan: unknown): NodesOfPlan | undefined => nodes.safeParse(plan).data as NodesOfPlan | undefined;
