/** What watches and guards have seen → text. Pure. */
import type { StatusView, WatchView } from '../../workflows/contract';
import { formatDuration } from '../../activities/kit/duration';
import { printable, time, wrap } from './text';

export interface WatchOptions {
  /** Columns of the terminal; unlimited if left out. */
  readonly width?: number;
  /** For "so long ago"; left out where the text must not depend on the time. */
  readonly nowMs?: number;
}

export const since = (iso: string | undefined, { nowMs }: WatchOptions): string => {
  if (iso === undefined || nowMs === undefined) return '';
  const at = Date.parse(iso);
  return Number.isNaN(at) ? '' : `, for ${formatDuration(Math.max(0, nowMs - at))}`;
};

/** A line that goes on below, moved right. */
export const wrapped = (line: string, { width }: WatchOptions, by = 4): string => {
  const lead = /^ */.exec(line)?.[0] ?? '';
  return wrap(line.slice(lead.length), width, by, lead);
};

/** What is kept as it must be, and what was lost on the way. */
export function renderGuard(
  { guard, remedies = [] }: Pick<StatusView, 'guard' | 'remedies'>,
  options: WatchOptions,
): string {
  if (guard === undefined) return '';
  const words: Record<WatchView['state'], string> = {
    waiting: 'nobody has looked yet',
    watching: 'guarding',
    blind: 'BLIND: it can’t be looked at',
    regression: 'LOST',
    ended: 'ended',
  };
  const last = guard.last === undefined ? '' : `; ${printable(guard.last)}`;
  const lines = [
    `${printable(guard.name)}: ${words[guard.state]}${sinceIf(guard, options)}${last}`,
    ...remedies.map(({ at, why, outcome }) => `  ${time(at)} lost: ${printable(why)} → ${printable(outcome)}`),
  ];
  return lines.map((line) => wrapped(line, options)).join('\n');
}

/** Only what goes on lasts: a regression doesn't grow older. */
const sinceIf = ({ state, since: at }: WatchView, options: WatchOptions): string =>
  state === 'watching' || state === 'blind' ? since(at, options) : '';

/** When something beside the probes was last looked at. */
function asOfLook(lookedAgoMs = 0, asOf: string | undefined): string {
  const at = asOf === undefined ? NaN : Date.parse(asOf) - lookedAgoMs;
  return Number.isNaN(at) ? '' : ` (as of ${time(new Date(at).toISOString())})`;
}

const because = (why: string | undefined): string => (why === undefined ? '' : `: ${printable(why)}`);

/** Whether the way back would work: never more than what was looked at. */
export function wayBack({ escape, asOf }: Pick<WatchView, 'escape' | 'asOf'>): string | undefined {
  if (escape === undefined) return undefined;
  const { ready, why, unknown, lookedAgoMs } = escape;
  if (unknown === true) return `whether the way back is ready is not known${because(why)}`;
  if (!ready) return `THE WAY BACK IS NOT READY: ${printable(why ?? 'no reason given')}`;
  return `the way back was ready${asOfLook(lookedAgoMs, asOf)}`;
}

/** Whether anybody else has changed what the run owns. */
export function ownedState({ owned, asOf }: Pick<WatchView, 'owned' | 'asOf'>): string | undefined {
  if (owned === undefined) return undefined;
  const { asWanted, why, lookedAgoMs } = owned;
  if (asWanted === undefined) return `whether devices are as this run left them is not known${because(why)}`;
  if (!asWanted) return `NOT as this run left it: ${printable(why ?? 'no reason given')}`;
  return `devices were as this run left them${asOfLook(lookedAgoMs, asOf)}`;
}

export function renderWatch(watch: WatchView, options: WatchOptions): string {
  const last = watch.last === undefined ? '' : `; ${watch.last}`;
  const words: Record<WatchView['state'], string> = {
    waiting: 'NOBODY WATCHES YET: nothing has been reported',
    watching: 'watching',
    blind: 'BLIND: no probe results arrive',
    regression: 'REGRESSION',
    ended: 'ended',
  };
  const asOf = watch.asOf === undefined ? '' : ` (as of ${time(watch.asOf)})`;
  const lines = [
    `${watch.name}: ${words[watch.state]}${sinceIf(watch, options)}${last}`,
    `  probes passed ${watch.pass}, failed ${watch.fail}, inconclusive ${watch.inconclusive}; observed ${formatDuration(watch.observedMs)}${asOf}`,
    ...[wayBack(watch), ownedState(watch)].flatMap((line) => (line === undefined ? [] : [`  ${line}`])),
  ];
  return lines.map((line) => wrapped(line, options)).join('\n');
}
