/**
 * What a watch knows beside its probes: whether the way back would work, and whether what the run owns is as the run left it.
 * What was looked at too long ago is said to be so, and never to be well. Pure.
 */
import { clip } from '../kit/clip';
import { formatDuration } from '../kit/duration';
import type { Watched } from './services';

export interface EscapeReadiness {
  readonly ready: boolean;
  readonly why?: string;
}

/** What the run owns on devices, as they have it now. */
export interface Owned {
  readonly asWanted: boolean;
  /** Where it differs from what the run wrote. */
  readonly why?: string;
  /** Node that serves by it; left out while it changes hands. */
  readonly leadsTo?: string;
}

/** A finding, and when it was made by the watch's time; undefined where a build before this one didn't tell. */
export type Looked<Found> = Found & { readonly lookedAt?: number };
export type OwnedFinding = Pick<Owned, 'asWanted' | 'why'>;

/** In a report. `ready` is true only of what was looked at just now. */
export interface EscapeReport extends EscapeReadiness {
  /** It isn't known, whatever it was before. */
  readonly unknown?: true;
  /** Age of the last look when the report was made. */
  readonly lookedAgoMs?: number;
}
export interface OwnedReport {
  /** Left out where it isn't known. */
  readonly asWanted?: boolean;
  readonly why?: string;
  readonly lookedAgoMs?: number;
}

const LONGEST_TEXT = 600;
const shown = (why: string | undefined): { why?: string } =>
  why === undefined ? {} : { why: clip(why, LONGEST_TEXT - 1) };

/** Looks that may fail to come before what the last one found no longer counts. */
const LOOKS_MISSED = 3;
/** So long one look beside the probes may take. */
export const LOOK_LIMIT_MS = 60_000;

/** How long a look counts. One that takes its time isn't missing. */
export const staleAfterMs = (everyMs: number): number => Math.max(LOOKS_MISSED * everyMs, everyMs + LOOK_LIMIT_MS);

const ageOf = ({ lookedAt }: Looked<object>, now: number): number =>
  lookedAt === undefined ? Infinity : Math.max(0, now - lookedAt);

const notLookedAt = (ageMs: number): string =>
  Number.isFinite(ageMs) ? `it hasn’t been looked at for ${formatDuration(ageMs)}` : 'it hasn’t been looked at yet';

export function escapeNow(last: Looked<EscapeReadiness> | undefined, now: number, everyMs: number): EscapeReport {
  const ageMs = last === undefined ? Infinity : ageOf(last, now);
  const age = Number.isFinite(ageMs) ? { lookedAgoMs: ageMs } : {};
  if (last === undefined || ageMs > staleAfterMs(everyMs))
    return { ready: false, unknown: true, why: notLookedAt(ageMs), ...age };
  return { ready: last.ready, ...shown(last.why), ...age };
}

export function ownedNow(last: Looked<OwnedFinding>, now: number, everyMs: number): OwnedReport {
  const ageMs = ageOf(last, now);
  const age = Number.isFinite(ageMs) ? { lookedAgoMs: ageMs } : {};
  if (ageMs > staleAfterMs(everyMs)) return { why: notLookedAt(ageMs), ...age };
  return { asWanted: last.asWanted, ...shown(last.why), ...age };
}

/**
 * Whether that is as the run wants it. The watch begins before traffic moves; from when it has led to the node that is
 * watched (`led`), it leads elsewhere only by somebody's hand.
 */
export function judgeOwned(found: Owned, { serving }: Pick<Watched, 'serving'>, led: boolean): OwnedFinding {
  const { leadsTo } = found;
  const moved =
    led && leadsTo !== undefined && leadsTo !== serving
      ? [`traffic goes through ${leadsTo}, not through ${serving}, which is watched`]
      : [];
  const whys = [...moved, ...(found.why === undefined ? [] : [found.why])];
  return {
    asWanted: found.asWanted && moved.length === 0,
    ...(whys.length === 0 ? {} : { why: whys.join('; ') }),
  };
}
