/** Jobs of one device: ids count from 1 after each boot, and a reboot ends and forgets all of them (facts §4.3, §5). */
import { timeOfDayText } from './time';
import type { EventQueue, Scheduled } from './clock/events';
import { stampText } from './reads/xml';
import type { JobView } from './view';
import { leaf, node } from './xml';

export type JobType = 'Downld' | 'SWInstall' | 'Commit' | 'CommitAll' | 'AutoCom' | 'Content' | 'HA-Sync';

export interface JobPlan {
  readonly type: JobType;
  readonly user: string;
  /** Infinity: until `finish` is called. */
  readonly durationMs: number;
  /** What it says when it has done its work. */
  readonly details: readonly string[];
  readonly warnings?: readonly string[];
  /** Does the work; returning lines means that it failed. */
  readonly finish?: () => readonly string[] | undefined;
  /** Whatever the result is. */
  readonly ended?: () => void;
}

/** What a fault makes of a job when it starts. */
export type JobFate =
  { readonly how: 'fail'; readonly details: readonly string[] } | { readonly how: 'stall' } | undefined;

interface Job extends JobView {
  status: JobView['status'];
  result: JobView['result'];
  startedAt?: number;
  endedAt?: number;
  details: readonly string[];
  readonly plan: JobPlan;
  stalled: boolean;
  event?: Scheduled;
}

export class JobTable {
  #jobs: Job[] = [];
  #last = 0;

  constructor(
    private readonly events: EventQueue,
    private readonly queueMs: number,
    private readonly fate: (type: JobType) => JobFate,
    private readonly changed: (what: string) => void,
  ) {}

  /** The newest last, as it is now. */
  list(): readonly JobView[] {
    return this.#jobs.map((job) => this.#view(job));
  }

  find(id: number): JobView | undefined {
    const job = this.#jobs.find((each) => each.id === id);
    return job === undefined ? undefined : this.#view(job);
  }

  running(...types: readonly JobType[]): boolean {
    return this.#jobs.some(({ status, plan }) => status !== 'FIN' && types.includes(plan.type));
  }

  enqueue(plan: JobPlan): number {
    const job: Job = {
      id: ++this.#last,
      type: plan.type,
      user: plan.user,
      status: 'PEND',
      result: 'PEND',
      progress: 0,
      queuedAt: this.events.now,
      details: [],
      warnings: plan.warnings ?? [],
      plan,
      stalled: false,
    };
    this.#jobs.push(job);
    job.event = this.events.after(this.queueMs, () => this.#start(job));
    return job.id;
  }

  /** One that was done well before the simulation began. */
  past(plan: Pick<JobPlan, 'type' | 'details'>, startedAt: number, endedAt: number): void {
    const { type, details } = plan;
    const done = { status: 'FIN', result: 'OK', progress: 100, warnings: [], stalled: false } as const;
    const times = { queuedAt: startedAt, startedAt, endedAt };
    this.#jobs.push({
      ...done,
      ...times,
      id: ++this.#last,
      type,
      details,
      user: '',
      plan: { type, details, user: '', durationMs: 0 },
    });
  }

  /** Ends a job well that goes on until somebody says so. One that a reboot has forgotten is no mistake. */
  finish(id: number): void {
    const job = this.#jobs.find((each) => each.id === id);
    if (job?.plan.durationMs === Infinity && job.status !== 'FIN') this.#end(job, undefined);
  }

  /** The device goes down. */
  forget(): void {
    for (const job of this.#jobs) job.event?.cancel();
    this.#jobs = [];
    this.#last = 0;
  }

  #start(job: Job): void {
    const fate = this.fate(job.plan.type);
    job.status = 'ACT';
    job.startedAt = this.events.now;
    if (fate?.how === 'stall' || job.plan.durationMs === Infinity) {
      job.stalled = true;
      return;
    }
    // Halfway: neither at once, nor at its very end.
    const runMs = fate === undefined ? job.plan.durationMs : job.plan.durationMs / 2;
    job.event = this.events.after(runMs, () => this.#end(job, fate?.details ?? job.plan.finish?.()));
  }

  #end(job: Job, failed: readonly string[] | undefined): void {
    job.event?.cancel();
    job.status = 'FIN';
    job.result = failed === undefined ? 'OK' : 'FAIL';
    job.details = failed ?? job.plan.details;
    job.startedAt ??= this.events.now;
    job.endedAt = this.events.now;
    job.plan.ended?.();
    this.changed(`job ${job.id} ${job.plan.type} ${job.result}`);
  }

  #view(job: Job): JobView {
    if (job.status === 'FIN') return { ...job, progress: 100 };
    if (job.startedAt === undefined) return job;
    const share = job.stalled ? 0.4 : (this.events.now - job.startedAt) / Math.max(1, job.plan.durationMs);
    return { ...job, progress: Math.min(99, Math.floor(100 * share)) };
  }
}

/** One <job> of `show jobs`. */
export function jobXml(job: JobView): string {
  const finished = job.endedAt;
  const lines = (list: readonly string[]): string => list.map((line) => leaf('line', line)).join('');
  return node(
    'job',
    leaf('tenq', stampText(job.queuedAt)),
    leaf('tdeq', job.startedAt === undefined ? '' : timeOfDayText(job.startedAt)),
    leaf('id', job.id),
    leaf('user', job.user),
    leaf('type', job.type),
    leaf('status', job.status),
    leaf('queued', job.status === 'PEND' ? 'YES' : 'NO'),
    leaf('stoppable', job.status === 'ACT' && job.type === 'Downld' ? 'yes' : 'no'),
    leaf('result', job.result),
    leaf('tfin', finished === undefined ? 'Still Active' : stampText(finished)),
    '<description/>',
    leaf('positionInQ', 0),
    // Some releases print the time of the end in the place of 100 (facts §5).
    leaf('progress', finished !== undefined && job.type === 'Commit' ? stampText(finished) : job.progress),
    node('details', lines(job.details)),
    node('warnings', lines(job.warnings)),
  );
}
