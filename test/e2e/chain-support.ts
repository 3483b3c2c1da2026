/** What the server and a host know of a run whose chain has several links. */
import { temporal } from '@temporalio/proto';
import { z } from 'zod';
import { chainOf } from '../../client';
import { replays } from '../support/histories';
import type { Site } from './support';

const { EventType } = temporal.api.enums.v1;
type History = temporal.api.history.v1.IHistory;

/** More than a link takes (MESSAGES_IN_A_LINK in workflows/procedure/run.ts). */
const FLOOD = 2_100;
const AT_ONCE = 100;

const input = z.object({
  step: z.string().optional(),
  run: z.object({ firstRunId: z.string(), link: z.number(), number: z.number(), executing: z.string() }),
});

/** An activity as a link scheduled it. */
export interface Call {
  readonly type: string;
  readonly firstRunId: string;
  readonly link: number;
  readonly number: number;
  /** The run of Temporal that it says it is of, and the one in whose history it is. */
  readonly executing: string;
  readonly runId: string;
  /** Of its last one; absent while it hasn't ended. */
  readonly attempts?: number;
  /** Type of the failure that it ended with, or that its last attempt came after. */
  readonly failures: readonly string[];
}

const owner = z.object({ workflowId: z.string(), runId: z.string(), step: z.string(), call: z.number() });
const ownerFile = z.object({ owner, token: z.string(), released: z.boolean(), history: z.array(owner) });

export class ChainOnHosts {
  readonly workflowId: string;

  constructor(private readonly site: Site) {
    this.workflowId = `upgrade-${site.cluster}`;
  }

  /** Sends the same wrong answer until the link is full. The server has all of them when this settles. */
  async flood(opening: string): Promise<void> {
    const handle = this.site.engine.client.workflow.getHandle(this.workflowId);
    const wrong = { opening, digest: '0'.repeat(12), by: 'bot' };
    for (let sent = 0; sent < FLOOD; sent += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, () => handle.signal('approve', wrong)));
  }

  /** Waits until the run goes on in its link of this number, the first being 0. */
  async link(number: number): Promise<void> {
    await this.site.until(`link ${number}`, ({ status }) => (status?.link ?? 0) === number);
  }

  /** Histories of all links, the oldest first. */
  async histories(): Promise<{ readonly runId: string; readonly history: History }[]> {
    const { client } = this.site.engine;
    const { runId } = await this.site.state();
    const { links } = await chainOf(client, { workflowId: this.workflowId, runId });
    return Promise.all(
      links.map(async (link) => ({
        runId: link.runId,
        history: await client.workflow.getHandle(this.workflowId, link.runId).fetchHistory(),
      })),
    );
  }

  /** Fails if this build couldn't go on with one of the links. */
  async replayed(): Promise<void> {
    for (const { history } of await this.histories()) await replays(this.workflowId, history);
  }

  /** What all links have called, in that order; without what the worker is asked for itself, and the plan. */
  async calls(): Promise<Call[]> {
    return (await this.histories()).flatMap(({ runId, history }) => callsIn(runId, history));
  }

  /** The owner file on a host. */
  async owned(host: string): Promise<z.output<typeof ownerFile>> {
    const path = `/home/${this.site.lab.description.ssh.user}/.hitless/${this.site.cluster}.${host}.json`;
    return ownerFile.parse(JSON.parse(this.site.lab.host(host).readFile(path)));
  }
}

function callsIn(runId: string, { events }: History): Call[] {
  const calls = new Map<string, Call>();
  for (const event of events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    const started = event.activityTaskStartedEventAttributes;
    const failed = event.activityTaskFailedEventAttributes;
    if (event.eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) {
      const text = Buffer.from(scheduled?.input?.payloads?.[0]?.data ?? []).toString();
      const { run } = input.partial().parse(JSON.parse(text));
      if (run === undefined) continue;
      calls.set(String(event.eventId), { ...run, type: scheduled?.activityType?.name ?? '', runId, failures: [] });
      continue;
    }
    const id = String((started ?? failed)?.scheduledEventId);
    const call = calls.get(id);
    if (call === undefined) continue;
    const failure = started?.lastFailure ?? failed?.failure;
    const type = failure?.applicationFailureInfo?.type ?? failure?.message;
    calls.set(id, {
      ...call,
      ...(started?.attempt == null ? {} : { attempts: started.attempt }),
      failures: type == null ? call.failures : [...call.failures, type],
    });
  }
  return [...calls.values()];
}
