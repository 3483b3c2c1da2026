/** Waiting for a device that restarts. Source: facts/pan-os.md, section 5, "Boot phases". */
import { failureType, messageOf, permanent, transient } from '../kit';
import type { PanosDevice } from './api';
import { isDone, readJobs, succeeded, type Job } from './jobs';
import type { PanosContext, PanosServices } from './plan';
import { readSystem, sameBoot, type BootMark, type SystemInfo } from './system';

/** Where a device was before it was restarted. */
export interface Boot extends BootMark {
  readonly version: string;
  readonly serial: string;
}

/** A device that starts so often within one wait doesn't come up by itself. */
const BOOTS_AT_MOST = 3;

export interface ReadyOptions {
  readonly node: string;
  /** Release that it must run. */
  readonly version: string;
  readonly after: Boot;
  /** What people’s choices do where it runs another release. */
  readonly choices: string;
}

/**
 * Waits until a device has restarted and is ready: it runs the release, AutoCommit succeeded, the chassis is ready.
 * Returns its AutoCommit, if the device still knows of it.
 * @throws NotBack if it doesn't come in time, or starts again and again; WrongRelease; NotHealthy if AutoCommit failed;
 * VerifyFailed (transient) if it goes on running as before
 */
export async function untilReady(
  context: PanosContext,
  services: PanosServices,
  options: ReadyOptions,
): Promise<Job | undefined> {
  const { node, version, after, choices } = options;
  const up = await untilUp(context, services, node, after);
  const { system, autoCommit } = up;
  assertCommitted(node, up);
  if (system.version !== version)
    throw permanent(
      'WrongRelease',
      `${node} has restarted with ${system.version}, not with ${version}: look at its console (debug swm status, debug swm history). ${choices}`,
    );
  return autoCommit;
}

/** @throws NotHealthy if the device came up, and its AutoCommit failed */
export function assertCommitted(node: string, { autoCommit }: Up): void {
  if (autoCommit === undefined || succeeded(autoCommit)) return;
  throw permanent(
    'NotHealthy',
    `the AutoCommit of ${node} failed: ${autoCommit.details.join('; ') || 'it gives no reason'}. Its configuration must be looked at`,
  );
}

/** Warnings that are told; the rest is counted. */
const TOLD = 3;

/** What a new release says of the configuration that it has taken over; "" if nothing. Pure. */
export function warningsOf(autoCommit: Pick<Job, 'warnings' | 'details'> | undefined): string {
  const { warnings, details } = autoCommit ?? { warnings: [], details: [] };
  const all = [...warnings, ...details.filter((line) => /warning/i.test(line))].filter((line) => line !== '');
  if (all.length === 0) return '';
  const more = all.length > TOLD ? [`and ${all.length - TOLD} more (show jobs)`] : [];
  return `; its AutoCommit warns: ${[...all.slice(0, TOLD), ...more].join('; ')}`;
}

/** A device that has started, whatever it runs. */
export interface Up {
  readonly system: SystemInfo;
  /** It has ended; where it failed, the chassis won't get ready. Missing where the device has been up for so long that it forgot. */
  readonly autoCommit: Job | undefined;
}

/**
 * Waits until a device is up; where `after` is given, from a later boot than that.
 * @throws NotBack; VerifyFailed (transient) if it goes on running as before
 */
export async function untilUp(context: PanosContext, services: PanosServices, node: string, after?: Boot): Promise<Up> {
  const device = services.device(context, node);
  const { bootTimeoutMs, stateTimeoutMs, pollMs } = context.plan.panos.timing;
  const until = services.now() + bootTimeoutMs;
  let last: BootMark | undefined = after;
  let answersSince: number | undefined;
  for (let boots = 0; ;) {
    let missing: string;
    try {
      const system = await readSystem(device);
      if (last === undefined || !sameBoot(system, last)) {
        boots++;
        last = system;
      }
      if (boots >= BOOTS_AT_MOST)
        throw notBack(node, `it has started ${boots} times since, and doesn’t stay up; look at its console`);
      if (boots === 0) {
        answersSince ??= services.now();
        // One that shuts down answers for a moment only.
        if (services.now() - answersSince > stateTimeoutMs)
          throw transient('VerifyFailed', `${node} was to restart, and goes on running as before`);
        missing = 'it hasn’t restarted yet';
      } else {
        const { autoCommit, why } = await readyOf(device, system.uptimeMs > bootTimeoutMs);
        if (why === undefined) return { system, autoCommit };
        missing = why;
      }
    } catch (error) {
      context.signal.throwIfAborted();
      if (['NotBack', 'VerifyFailed', 'HostKeyMismatch'].includes(failureType(error) ?? '')) throw error;
      answersSince = undefined;
      missing = messageOf(error);
    }
    if (services.now() > until) throw notBack(node, missing);
    context.progress(`waiting for ${node} to come back: ${missing}`);
    await context.pause(pollMs);
  }
}

const notBack = (node: string, why: string): Error =>
  permanent('NotBack', `${node} didn’t come back from its restart: ${why}. Somebody must look at ${node}`);

/** The AutoCommit of a device that has started, and why it isn't ready yet. */
async function readyOf(
  device: PanosDevice,
  isLongUp: boolean,
): Promise<{ readonly autoCommit?: Job; readonly why?: string }> {
  const autoCommit = (await readJobs(device))
    .filter(({ type }) => type === 'AutoCom')
    .sort((a, b) => (b.id ?? 0) - (a.id ?? 0))[0];
  // The list holds the last jobs only: after days the AutoCommit of the boot isn't among them any more.
  if (autoCommit === undefined && !isLongUp) return { why: 'its AutoCommit hasn’t begun' };
  if (autoCommit !== undefined) {
    if (!isDone(autoCommit)) return { why: `its AutoCommit is at ${autoCommit.progress} %` };
    if (!succeeded(autoCommit)) return { autoCommit };
  }
  const known = autoCommit === undefined ? {} : { autoCommit };
  try {
    const chassis = (await device.op('<show><chassis-ready></chassis-ready></show>')).text.trim();
    return chassis === 'yes' ? known : { ...known, why: 'its chassis isn’t ready' };
  } catch (error) {
    // The PA-7000 series doesn't know the command: its AutoCommit is all there is.
    if (/code 17|unknown command|not a valid|unexpected here/i.test(messageOf(error))) return known;
    throw error;
  }
}

export { sameBoot };
