/**
 * Jobs of a device. Their IDs start over at each boot, so a job is known by device, boot and ID; a reply that was lost is
 * found again among the jobs that came after a mark. Source: facts/pan-os.md, sections 4.3 and 5.
 */
import { failureType, permanent, transient, messageOf, type StepContext } from '../kit';
import { formatDuration } from '../kit/duration';
import { at, childrenOf, numberAt, textAt, type PanosDevice, type Reader, type XmlElement } from './api';
import { readSystem, sameBoot, type BootMark, type SystemInfo } from './system';

export interface Job {
  /** Missing in rows of jobs that died with a daemon. */
  readonly id: number | undefined;
  readonly type: string;
  readonly status: string;
  readonly result: string;
  readonly progress: string;
  readonly details: readonly string[];
  readonly warnings: readonly string[];
}

/** Where the list of jobs stood: what comes after it in the same boot, or in a later one, is new. */
export interface JobMark extends BootMark {
  readonly serial: string;
  readonly highestId: number;
}

const linesOf = (row: XmlElement, name: string): string[] =>
  childrenOf(at(row, name), 'line').map((line) => line.text.trim());

export const readJob = (row: XmlElement): Job => ({
  id: numberAt(row, 'id'),
  type: textAt(row, 'type') ?? '',
  status: textAt(row, 'status') ?? '',
  result: textAt(row, 'result') ?? '',
  progress: textAt(row, 'progress') ?? '',
  details: linesOf(row, 'details'),
  warnings: linesOf(row, 'warnings'),
});

/** Progress of 100 isn't done: status and result are what counts. */
export const isDone = ({ status }: Job): boolean => status === 'FIN';
export const succeeded = (job: Job): boolean => isDone(job) && job.result === 'OK';
export const isActive = ({ status, type }: Job): boolean =>
  type !== 'Failed-Job' && (status === 'ACT' || status === 'PEND');

/**
 * Types of jobs that an upgrade collides with: they hold the configuration or the software manager, or a restart would cut
 * them. Others (WildFire and external list updates, FQDN refreshes, reports) come every few minutes and do no harm.
 */
export const BLOCKING_JOBS = ['SWInstall', 'Downld', 'Commit', 'CommitAll', 'AutoCom', 'HA-Sync', 'Content'] as const;

/** Without regard to case and hyphens: not every spelling was seen on a device. */
const sameType = (a: string, b: string): boolean => plain(a) === plain(b);
const plain = (type: string): string => type.toLowerCase().replace(/[^a-z]/g, '');

/** Whether a job of these types runs or waits; of those that an upgrade collides with if left out. */
export const isBlocking = (job: Job, types: readonly string[] = BLOCKING_JOBS): boolean =>
  isActive(job) && types.some((type) => sameType(type, job.type));

/** For people. */
export const describeJobs = (jobs: readonly Job[]): string =>
  jobs.map(({ id, type, status }) => `${type} (job ${id}, ${status})`).join(', ');

export async function readJobs(device: Reader): Promise<Job[]> {
  const result = await device.op('<show><jobs><all></all></jobs></show>');
  return childrenOf(result, 'job').map(readJob);
}

export const markOf = ({ serial, bootedAtMs, uptimeMs }: SystemInfo, jobs: readonly Job[]): JobMark => ({
  serial,
  bootedAtMs,
  uptimeMs,
  highestId: Math.max(0, ...jobs.map(({ id }) => id ?? 0)),
});

/** A mark after which jobs of these types that still run count as new: those that an earlier attempt queued. */
export async function markBeforeActive(device: PanosDevice, types: readonly string[]): Promise<JobMark> {
  const system = await readSystem(device);
  const jobs = await readJobs(device);
  const running = jobs.filter((job) => isActive(job) && types.includes(job.type)).map(({ id }) => id ?? 0);
  const mark = markOf(system, jobs);
  return running.length === 0 ? mark : { ...mark, highestId: Math.min(...running) - 1 };
}

export async function markJobs(device: PanosDevice): Promise<JobMark> {
  const system = await readSystem(device);
  return markOf(system, await readJobs(device));
}

/** Jobs of these types that came after a mark, the newest first. */
export function jobsSince(jobs: readonly Job[], system: SystemInfo, mark: JobMark, types: readonly string[]): Job[] {
  const since = sameBoot(system, mark) ? mark.highestId : 0;
  return jobs
    .filter(({ id, type }) => types.includes(type) && (id ?? 0) > since)
    .sort((a, b) => (b.id ?? 0) - (a.id ?? 0));
}

export interface JobRun {
  /** In plain words, as "the installation of 10.2.9". */
  readonly what: string;
  readonly types: readonly string[];
  readonly mark: JobMark;
  readonly timeoutMs: number;
  readonly pollMs: number;
  /** Queues it; undefined if nothing had to be done. */
  readonly start: () => Promise<number | undefined>;
  /** Among jobs that came after the mark: is this one it? Any of its types if left out. */
  readonly isIt?: (job: Job) => boolean;
}

interface Clock {
  now(): number;
}

/** What a question may fail with that says nothing of the job. */
const UNANSWERED: ReadonlySet<string> = new Set(['Unreachable', 'CommandFailedRetryable', 'Busy']);

/**
 * Runs a job to its end, or goes on with the one that an earlier attempt queued: its reply may have been lost. A failed one
 * is not repeated by itself.
 * @throws CommandFailed with the job's own lines if it fails, or if it takes too long; VerifyFailed, Unreachable (transient)
 */
export async function runJob(
  context: Pick<StepContext, 'pause' | 'progress' | 'signal'>,
  device: PanosDevice,
  clock: Clock,
  { what, types, mark, timeoutMs, pollMs, start, isIt = () => true }: JobRun,
): Promise<Job | undefined> {
  const look = async (): Promise<{ readonly system: SystemInfo; readonly job: Job | undefined }> => {
    const system = await readSystem(device);
    return { system, job: jobsSince(await readJobs(device), system, mark, types).find(isIt) };
  };
  const first = await look();
  const { system } = first;
  let { job } = first;
  if (job === undefined) {
    try {
      const id = await start();
      if (id === undefined) return undefined;
      job = { id, type: types[0] ?? '', status: 'PEND', result: 'PEND', progress: '0', details: [], warnings: [] };
    } catch (error) {
      context.signal.throwIfAborted();
      // The reply is lost, the job may be there.
      job = (await look().catch(() => undefined))?.job;
      if (job === undefined) throw error;
    }
  }
  const until = clock.now() + timeoutMs;
  let unseen = '';
  while (!isDone(job)) {
    if (clock.now() > until)
      throw permanent(
        'CommandFailed',
        `${device.name}: ${what} hasn’t ended within ${formatDuration(timeoutMs)} and goes on (job ${job.id}, ${job.progress} %)${unseen}`,
      );
    await context.pause(pollMs);
    const { id } = job;
    try {
      // IDs start over with each boot: a job of this ID may be another one then.
      if (!sameBoot(await readSystem(device), system))
        throw transient('VerifyFailed', `${device.name} restarted during ${what}`);
      const result = await device.op(`<show><jobs><id>${id}</id></jobs></show>`);
      job = readJob(at(result, 'job') ?? result);
      unseen = '';
    } catch (error) {
      context.signal.throwIfAborted();
      if (!UNANSWERED.has(failureType(error) ?? '')) throw error;
      // The job goes on without being looked at.
      unseen = `; ${messageOf(error)}`;
    }
    context.progress(`${device.name}: ${what}: ${job.progress} %${unseen}`);
  }
  if (succeeded(job)) return job;
  throw permanent(
    'CommandFailed',
    `${device.name}: ${what} failed (job ${job.id}): ${job.details.join('; ') || 'the device gives no reason'}`,
  );
}

/** Waits for a job of these types that an act left running, however it ends: an undo must not race with it. */
export async function untilEnded(
  context: Pick<StepContext, 'pause' | 'progress' | 'signal'>,
  device: PanosDevice,
  clock: Clock,
  run: Omit<JobRun, 'mark' | 'start'>,
): Promise<void> {
  const mark = await markBeforeActive(device, run.types);
  try {
    await runJob(context, device, clock, { ...run, mark, start: () => Promise.resolve(undefined) });
  } catch (error) {
    if (failureType(error) !== 'CommandFailed') throw error;
  }
}
