/** Session state in an escape: as fresh as it can be made within seconds, for every second more is an outage. */
import { messageOf, transient, type StepContext } from '../kit';
import { takeOwnership } from '../ownership';
import { drained } from './comparing';
import { driverOf, hostNameOf } from './driver';
import { commitBeforeServing, type Direction } from './reseeding';
import { assertServing } from './serving';
import type { StateSyncPlan } from './spec';

/** The node that is left may be sick or silent: so long it is asked for its sessions, then it is left as it is. */
const REFRESH_LIMIT_MS = 3_000;
/** What isn't acknowledged after so many looks arrives while traffic moves. */
const DRAIN_LOOKS = 3;
/** Long enough for a node that serves to forward something, short enough not to be felt. */
const GUARD_SAMPLE_MS = 300;

/**
 * Sends what `from` has to `to` once more and makes `to` able to serve, with a short guard and without comparing: the
 * watch has kept `to` in sync. Throws nothing but the cut: what didn't work comes back as remarks, for staying on a sick
 * node helps nobody.
 */
export async function refreshAtOnce(
  context: StepContext<StateSyncPlan>,
  { from, to }: Direction,
  limitMs: number = REFRESH_LIMIT_MS,
): Promise<string[]> {
  const remarks: string[] = [];
  const stateSync = {
    ...context.plan.stateSync,
    guard: { ...context.plan.stateSync.guard, sampleMs: GUARD_SAMPLE_MS },
  };
  const hasty: StepContext<StateSyncPlan> = { ...context, plan: { ...context.plan, stateSync } };
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      context.signal.throwIfAborted();
      remarks.push(`${what}: ${messageOf(error)}`);
    }
  };
  const late = { late: false };
  await attempt(`the sessions of ${from} were not sent once more`, () =>
    within(limitMs, late, `${from} took longer than ${limitMs} ms`, send(hasty, { from, to }, late)),
  );
  await attempt(`the sessions held by ${to} were not committed`, () => commitBeforeServing(hasty, to));
  return remarks;
}

async function send(
  context: StepContext<StateSyncPlan>,
  { from, to }: Direction,
  state: { late: boolean },
): Promise<void> {
  const sync = driverOf(context.plan);
  const { host: sender } = await takeOwnership(context, hostNameOf(context.plan, from));
  const receiver = await context.host(hostNameOf(context.plan, to));
  await assertServing(context, sender.unowned, receiver, context.plan.stateSync.guard, 1);
  const usual = await sync.queued(sender.unowned);
  // Nobody waits any more, and traffic may be moving: sending now could come from a node that doesn't serve.
  if (state.late) return;
  await sync.send(sender);
  await drained(context, sync, sender.unowned, usual, DRAIN_LOOKS);
}

async function within(limitMs: number, state: { late: boolean }, why: string, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      state.late = true;
      reject(transient('Unreachable', why));
    }, limitMs);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    // If the limit won, what becomes of the work interests nobody.
    work.catch(() => undefined);
  }
}
