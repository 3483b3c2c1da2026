/** Waiting for a device that restarts. Source: facts/pan-os.md, section 5, "Boot phases". */
import { failureType, messageOf, permanent } from '../kit';
import type { PanosDevice } from './api';
import { isDone, readJobs, succeeded } from './jobs';
import type { PanosContext, PanosServices } from './plan';
import { readSystem, sameBoot } from './system';

/** Where a device was before it was restarted. */
export interface Boot {
  readonly version: string;
  readonly serial: string;
  readonly bootedAtMs: number;
}

/** A device that starts so often within one wait doesn't come up by itself. */
const BOOTS_AT_MOST = 3;

export interface ReadyOptions {
  readonly node: string;
  /** Release that it must run. */
  readonly version: string;
  readonly after: Boot;
}

/**
 * Waits until a device has restarted and is ready: it runs the release, AutoCommit succeeded, the chassis is ready.
 * @throws NotBack if it doesn't come in time, or starts again and again; WrongRelease; NotHealthy if AutoCommit failed
 */
export async function untilReady(context: PanosContext, services: PanosServices, options: ReadyOptions): Promise<void> {
  const { node, version, after } = options;
  const device = services.device(context, node);
  const { bootTimeoutMs, pollMs } = context.plan.panos.timing;
  const until = services.now() + bootTimeoutMs;
  let last = after.bootedAtMs;
  for (let boots = 0; ;) {
    let missing: string;
    try {
      const system = await readSystem(device);
      if (!sameBoot(system, { bootedAtMs: last })) {
        boots++;
        last = system.bootedAtMs;
      }
      if (boots >= BOOTS_AT_MOST)
        throw notBack(node, `it has started ${boots} times since, and doesn’t stay up; look at its console`);
      if (boots === 0) missing = 'it hasn’t restarted yet';
      else {
        const notYet = await notReady(device);
        if (notYet === undefined && system.version !== version)
          throw permanent(
            'WrongRelease',
            `${node} has restarted with ${system.version}, not with ${version}: look at its console (debug swm status, debug swm history)`,
          );
        if (notYet === undefined) return;
        missing = notYet;
      }
    } catch (error) {
      context.signal.throwIfAborted();
      if (['NotBack', 'WrongRelease', 'NotHealthy', 'HostKeyMismatch'].includes(failureType(error) ?? '')) throw error;
      missing = messageOf(error);
    }
    if (services.now() > until) throw notBack(node, missing);
    context.progress(`waiting for ${node} to come back with ${version}: ${missing}`);
    await context.pause(pollMs);
  }
}

const notBack = (node: string, why: string): Error =>
  permanent(
    'NotBack',
    `${node} didn’t come back from its restart: ${why}. The other member serves and was not touched; somebody must look at ${node}`,
  );

/** Why a device that answers isn't ready. @throws NotHealthy if its AutoCommit failed */
async function notReady(device: PanosDevice): Promise<string | undefined> {
  const autocommit = (await readJobs(device))
    .filter(({ type }) => type === 'AutoCom')
    .sort((a, b) => (b.id ?? 0) - (a.id ?? 0))[0];
  if (autocommit === undefined) return 'its AutoCommit hasn’t begun';
  if (!isDone(autocommit)) return `its AutoCommit is at ${autocommit.progress} %`;
  if (!succeeded(autocommit))
    throw permanent(
      'NotHealthy',
      `the AutoCommit of ${device.name} failed: ${autocommit.details.join('; ') || 'it gives no reason'}`,
    );
  try {
    const chassis = (await device.op('<show><chassis-ready></chassis-ready></show>')).text.trim();
    return chassis === 'yes' ? undefined : 'its chassis isn’t ready';
  } catch (error) {
    // The PA-7000 series doesn't know the command: its AutoCommit is all there is.
    if (/code 17|unknown command|not a valid|unexpected here/i.test(messageOf(error))) return undefined;
    throw error;
  }
}

export { sameBoot };
