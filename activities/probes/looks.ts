/** What a watch looks at and does beside its probes: each within a limit, and never throwing for what it found. */
import { messageOf } from '../kit';
import { LOOK_LIMIT_MS, type EscapeReadiness, type Owned } from './beside';
import { limitedContext } from './runner';
import { pause, within } from './timing';
import type { Watch } from './watch';

const RESEED_LIMIT_MS = 120_000;
/** Found again after this long it is no step of the run itself, caught half-way. */
const OWNED_CONFIRM_MS = 5_000;
const LONGEST_OWNED_EVERY_MS = 50_000;

/** A change by hand is noticed within a minute, confirmation included. */
export const ownedEveryMs = (escapeEveryMs: number): number => Math.min(LONGEST_OWNED_EVERY_MS, escapeEveryMs);

export async function checkEscape(watch: Watch, signal: AbortSignal): Promise<EscapeReadiness | undefined> {
  const { services, context, call } = watch;
  if (services.escapeReady === undefined) return undefined;
  const { escapeReady } = services;
  try {
    return await within(LOOK_LIMIT_MS, signal, (limit) =>
      escapeReady(limitedContext(context, services, limit), call.input),
    );
  } catch (error) {
    return { ready: false, why: `it couldn’t be checked: ${messageOf(error)}` };
  }
}

/** Undefined if it couldn't be looked at: what is known of it grows old then. */
export async function lookAtOwned(watch: Watch, signal: AbortSignal): Promise<Owned | undefined> {
  const { services, context, call, machine } = watch;
  if (services.owned === undefined) return undefined;
  const { owned } = services;
  const once = (): Promise<Owned | undefined> =>
    within(LOOK_LIMIT_MS, signal, (limit) => owned(limitedContext(context, services, limit), call.input)).catch(
      () => undefined,
    );
  const found = await once();
  if (found === undefined || machine.judged(found).asWanted) return found;
  await pause(OWNED_CONFIRM_MS, signal);
  return signal.aborted ? undefined : once();
}

/** Why the reseed failed; undefined if it worked. */
export async function reseed(watch: Watch, signal: AbortSignal): Promise<string | undefined> {
  const { services, context, call } = watch;
  if (services.reseed === undefined) return 'nothing to do';
  const { reseed: once } = services;
  try {
    await within(RESEED_LIMIT_MS, signal, (limit) => once(limitedContext(context, services, limit), call.input));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
