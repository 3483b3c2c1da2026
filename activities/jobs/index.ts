/**
 * Long commands on hosts, detached: a transient systemd unit per purpose and run, whose life hangs on no connection. A
 * repeat finds it again: running, ended with its result, or lost in a reboot.
 */
import { readAnswer } from '../kit/answer';
import { clip } from '../kit/evidence';
import { permanent, transient, failureType } from '../kit/errors';
import type { ExecResult, Host } from '../kit/host';
import type { StepContext } from '../kit/step';
import type { OwnedHost } from '../ownership';
import { complaint, complaintText, runScript, scriptArgv } from '../ownership/host-script';
import { logDirectoryArgv, resetArgv, startArgv, stopArgv, type JobCommand } from './commands';
import { logPath, unitName } from './names';
import { nextMove, parseState, type JobState } from './state';

export { JOB_TIMEOUT_MS, sudoToRunJob, type JobCommand } from './commands';
export { LOG_DIRECTORY, logPath, runTag, unitName } from './names';

export interface JobOptions extends JobCommand {
  /** How long the host may be out of reach while the job runs before this attempt gives up; default 60 s. */
  readonly unreachableMs?: number;
}

interface JobEnd {
  /** Name of the unit, without `.service`. */
  readonly unit: string;
  /** What the job wrote, both outputs; the last 512 KiB of it. */
  readonly log: string;
  /** File on the host that has all of it, also of earlier jobs of this unit. */
  readonly logPath: string;
  /** False if this attempt started the job itself. */
  readonly reattached: boolean;
}

export type JobResult =
  | (JobEnd & {
      readonly outcome: 'done';
      /** Exit code; 128 + signal if it was killed. */
      readonly code: number;
      /** It was ended because it took longer than timeoutMs. */
      readonly timedOut: boolean;
    })
  /** It was started, and its end is unknown: the host rebooted in the middle, or somebody removed the unit. */
  | (JobEnd & { readonly outcome: 'lost'; readonly rebooted: boolean });

const LOOK_SECONDS = 5;
const LOG_LIMIT_BYTES = 512 * 1024;
const UNREACHABLE_MS = 60_000;
const STOP_TIMEOUT_MS = 120_000;

/**
 * Runs a job to its end, or re-attaches to it. `host` is what takeOwnership gave, so that a stale attempt starts nothing.
 *
 * A job belongs to a *call* (an act, or an undo; all attempts of it). A repeat of the call gets the same result again, also
 * after a crash; the next call that runs a job of this name starts anew. A result that is followed by a retryable error
 * must be put away with `forgetJob` first, or the next attempt would only find it again.
 *
 * Throws Busy if a job of another call still ran: it is awaited first, and the guard is to be checked again.
 * Throws CommandFailed if systemd couldn't start it, Unreachable if the host stayed away longer than `unreachableMs`.
 */
export async function runJob(context: StepContext, host: Host, job: JobOptions): Promise<JobResult> {
  const unit = unitName(context.run.runId, job.name);
  const start = startArgv(job, unit);
  const call = String(context.call.number);
  let reattached = true;
  for (let state = await look(host, unit, 0); ;) {
    switch (nextMove(state, call)) {
      case 'start':
        reattached = false;
        await startUnit(host, unit, call, start);
        break;
      case 'clear':
        await putAway(host, unit, state);
        break;
      case 'await':
        context.progress(`${job.name} on ${host.name}: ${state.lastLine || 'running'}`);
        break;
      case 'foreign':
        await waitForEnd(context, host, unit, job);
        throw transient('Busy', `${host.name}: an earlier job of this run (${unit}) has only just ended`, { unit });
      case 'result':
      case 'lost':
        return ended(host, unit, state, reattached);
    }
    state = await patiently(context, host, unit, job);
  }
}

/**
 * Puts the result of a job of this run away, so that the next runJob of this name starts anew. Its log stays. Does nothing
 * if there is none; throws Busy if it runs.
 */
export async function forgetJob(context: StepContext, host: Host, name: string): Promise<void> {
  const unit = unitName(context.run.runId, name);
  const state = await look(host, unit, 0);
  if (state.unit === 'running') throw transient('Busy', `${host.name}: ${unit} still runs`, { unit });
  await putAway(host, unit, state);
}

/** The failure to throw for a job that ended with an exit code that isn't wanted, or was lost. */
export function jobFailure(host: Host, name: string, job: JobResult, next?: string): Error {
  const what =
    job.outcome === 'lost'
      ? `was lost: ${job.rebooted ? 'the host rebooted in the middle' : 'its unit is gone'}. What it did is to be looked at`
      : job.timedOut
        ? 'took too long and was ended'
        : `ended with exit code ${job.code}`;
  const last = job.log.trim().split('\n').slice(-5).join('\n');
  return permanent(
    'CommandFailed',
    `${host.name}: ${name} ${what}.${last === '' ? '' : ` It said at the end:\n${clip(last, 800)}\n`} All of it: ${job.logPath} on the host.${next === undefined ? '' : ` Next: ${next}.`}`,
    { host: host.name, unit: job.unit, ...(job.outcome === 'done' ? { code: job.code } : {}), log: clip(job.log) },
  );
}

async function startUnit(host: Host, unit: string, call: string, argv: readonly string[]): Promise<void> {
  await host.exec(logDirectoryArgv, { sudo: true });
  const result = await host.exec(argv, {
    sudo: true,
    via: scriptArgv('start', unit, logPath(unit), call),
    okCodes: 'any',
  });
  if (result.code === 0) return;
  // A program that couldn't be executed leaves a unit that failed, with its code: that is a result. So is a unit that
  // another attempt was faster to start.
  if ((await look(host, unit, 0)).unit !== 'absent') return;
  throw permanent('CommandFailed', `${host.name}: systemd didn’t start ${unit}: ${result.stderr.trim()}`, {
    host: host.name,
    unit,
  });
}

async function look(host: Host, unit: string, seconds: number): Promise<JobState> {
  const result: ExecResult = await runScript(reading(host), 'state', [unit, logPath(unit), seconds], {
    timeoutMs: (seconds + 30) * 1_000,
  });
  // On the way down to a reboot systemd stops answering before sshd does.
  if (complaint(result) !== undefined)
    throw transient('Unreachable', `${host.name}: ${complaintText(result)}`, { host: host.name });
  const asked = { host: host.name, command: `systemctl show ${unit}.service`, expected: 'where the job stands' };
  return readAnswer(asked, () => parseState(result.stdout));
}

/** Looks until the job has ended or a while has passed; a host that is away for a moment is waited for. */
async function patiently(context: StepContext, host: Host, unit: string, job: JobOptions): Promise<JobState> {
  const until = performance.now() + (job.unreachableMs ?? UNREACHABLE_MS);
  for (;;) {
    await context.pause(0);
    try {
      return await look(host, unit, LOOK_SECONDS);
    } catch (error) {
      if (failureType(error) !== 'Unreachable' || performance.now() > until) throw error;
      context.progress(`${job.name} runs on ${host.name}, which can’t be reached just now`);
      await context.pause(1_000);
    }
  }
}

/** Looks last for seconds: they don't hold the lock. */
const reading = (host: Host | OwnedHost): Host => ('unowned' in host ? host.unowned : host);

async function waitForEnd(context: StepContext, host: Host, unit: string, job: JobOptions): Promise<void> {
  while ((await patiently(context, host, unit, job)).unit === 'running')
    context.progress(`waiting on ${host.name} for the end of ${unit}, which an earlier call started`);
}

async function putAway(host: Host, unit: string, state: JobState): Promise<void> {
  if (state.unit === 'ended') {
    await host.exec(stopArgv(unit), { sudo: true, timeoutMs: STOP_TIMEOUT_MS, okCodes: 'any' });
    // Only a failed unit knows this; another is gone by now.
    await host.exec(resetArgv(unit), { sudo: true, okCodes: 'any' });
    const left = await look(host, unit, 0);
    if (left.unit !== 'absent')
      throw transient('CommandFailedRetryable', `${host.name}: ${unit} can’t be put away`, { host: host.name, unit });
  }
  await runScript(host, 'forget', [unit]);
}

async function ended(host: Host, unit: string, state: JobState, reattached: boolean): Promise<JobResult> {
  const from = Math.max(state.note?.offset ?? 0, state.logBytes - LOG_LIMIT_BYTES);
  const path = logPath(unit);
  const argv = ['/usr/bin/tail', '-c', `+${from + 1}`, '--', path];
  const log = state.logBytes > 0 ? (await reading(host).exec(argv, { okCodes: 'any' })).stdout : '';
  const end = { unit, log, logPath: path, reattached };
  if (state.unit === 'absent') return { ...end, outcome: 'lost', rebooted: state.note?.bootId !== state.bootId };
  return { ...end, outcome: 'done', code: state.code ?? 0, timedOut: state.result === 'timeout' };
}
