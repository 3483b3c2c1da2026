import { ApplicationFailure } from '@temporalio/common';
import { formatDuration } from '../kit/duration';
import { failureType, messageOf, transient } from '../kit/errors';
import type { Host } from '../kit/host';
import type { StepContext } from '../kit/step';
import type { LoginRefusal } from '../ssh/errors';
import { describeUnit, failedUnits, isRebootPending, systemState, unitStates } from './systemd';

const POLL_MS = 1_000;
/**
 * After a login that was refused. sshd (OpenSSH 9.8 and newer, PerSourcePenalties) counts 5 s for each against the worker's
 * address, or the jump host's, and drops all connections from there once they come to 15 s.
 */
const REFUSED_POLL_MS = 5_000;

/** What a node was before it is rebooted: tells the new boot from the old, and new failures from old ones. */
export interface Boot {
  readonly bootId: string;
  readonly failedUnits: readonly string[];
}

export const observeBoot = async (host: Host): Promise<Boot> => ({
  bootId: await host.bootId(),
  failedUnits: await failedUnits(host),
});

/**
 * Gets a host out of the boot `oldBootId` and waits until it has finished another one, through the time when it can't be
 * reached. `request` asks for the reboot, at most once and only if the host is seen in the old boot: one that rebooted
 * already, or is just coming up, isn't rebooted again. Returns whether it was asked.
 * @throws Unreachable after `timeoutMs`, saying what was seen last; HostKeyMismatch at once; whatever `request` throws.
 */
export async function leaveBoot(
  context: StepContext,
  hostName: string,
  oldBootId: string,
  timeoutMs: number,
  request: () => Promise<void>,
): Promise<boolean> {
  const start = performance.now();
  let asked = false;
  let said: string | undefined;
  for (;;) {
    const look = await lookAt(context, hostName, oldBootId);
    const { isUp, isOld } = look;
    if (isUp) return asked;
    // What sshd said of a login (“System is booting up”) tells more than that it then took none.
    said = look.refusal === undefined ? undefined : (look.refusal.said ?? said);
    const seen =
      said === undefined || look.seen.includes(said) ? look.seen : `${look.seen} Before that it said: ${said}`;
    if (isOld && !asked) {
      await request();
      asked = true;
    }
    const waitedMs = Math.round(performance.now() - start);
    if (waitedMs > timeoutMs)
      throw transient(
        'Unreachable',
        `${hostName} isn’t back ${formatDuration(waitedMs)} after its reboot: ${seen}. It carries no traffic. Next: look at its console; when it has booted, try this step again (it isn’t rebooted twice).`,
        { host: hostName, waitedMs, seen },
      );
    context.progress(`waiting for ${hostName} to come back, ${formatDuration(waitedMs)} so far: ${seen}`);
    await context.pause(look.refusal === undefined ? POLL_MS : REFUSED_POLL_MS);
  }
}

/** Waits until a host that may be booting is up. @throws as leaveBoot */
export const waitUntilUp = async (context: StepContext, hostName: string, timeoutMs: number): Promise<void> => {
  await leaveBoot(context, hostName, '', timeoutMs, () => Promise.resolve());
};

interface Seen {
  readonly isUp: boolean;
  readonly isOld: boolean;
  readonly seen: string;
  /** It took the connection and let nobody in. */
  readonly refusal?: LoginRefusal;
}

async function lookAt(context: StepContext, hostName: string, oldBootId: string): Promise<Seen> {
  try {
    const host = await context.host(hostName);
    if ((await host.bootId()) === oldBootId) return { isUp: false, isOld: true, seen: 'it is still in the old boot' };
    const state = await systemState(host);
    if (await isRebootPending(host)) return { isUp: false, isOld: false, seen: 'it is about to reboot' };
    const isUp = state === 'running' || state === 'degraded';
    return { isUp, isOld: false, seen: `it has booted, systemd is ${state || 'not answering'}` };
  } catch (error) {
    // A booting host may also refuse logins for a while (pam_nologin), so only a wrong key is final.
    if (context.signal.aborted || failureType(error) === 'HostKeyMismatch') throw error;
    const refusal = refusalOf(error);
    return { isUp: false, isOld: false, seen: messageOf(error), ...(refusal === undefined ? {} : { refusal }) };
  }
}

function refusalOf(error: unknown): LoginRefusal | undefined {
  const details: unknown = error instanceof ApplicationFailure ? error.details?.[0] : undefined;
  if (typeof details !== 'object' || details === null) return undefined;
  return (details as LoginRefusal).answered === true ? details : undefined;
}

/**
 * Waits until the units are active and no unit has failed that hadn't before.
 * @throws VerifyFailed naming those that aren't, after `timeoutMs`, or as soon as waiting can't help.
 */
export async function verifyUnits(
  context: StepContext,
  host: Host,
  units: readonly string[],
  failedBefore: readonly string[],
  timeoutMs: number,
): Promise<void> {
  const start = performance.now();
  for (;;) {
    const failed = (await failedUnits(host)).filter((unit) => !failedBefore.includes(unit));
    const idle = (await unitStates(host, units)).filter((state) => state.active !== 'active');
    if (failed.length === 0 && idle.length === 0) return;
    const starting = idle.filter((state) => state.active === 'activating' || state.active === 'reloading');
    const what = [...idle.map(describeUnit), ...failed.map((unit) => `${unit} failed`)].join(', ');
    if (starting.length === 0 || performance.now() - start > timeoutMs)
      throw transient(
        'VerifyFailed',
        `${host.name}: ${what}. Next: \`systemctl status UNIT\` and \`journalctl -b -u UNIT\` on ${host.name}; repair it there, then try again.`,
        { host: host.name, failed, idle },
      );
    context.progress(`waiting for units on ${host.name}: ${what}`);
    await context.pause(POLL_MS);
  }
}
