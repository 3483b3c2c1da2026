/** When the next scheduled update begins. Pure. Source: configuration `deviceconfig/system/update-schedule`. */
import { at, childrenOf, textAt, type XmlElement } from '../../api';
import { UnknownReply } from './system';

export interface Scheduled {
  /** `threats`, `anti-virus`, … */
  readonly kind: string;
  /** As "daily at 01:30". */
  readonly when: string;
  /** From now until it begins at the latest; 0 for one that may begin at any moment. */
  readonly inMs: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
/** Beside the one element that names the recurrence. */
const SETTINGS: ReadonlySet<string> = new Set(['sync-to-peer', 'threshold', 'new-app-threshold']);

/** Of <update-schedule>; `now` is the device's clock read as if it were UTC. @throws UnknownReply for an unknown recurrence */
export const parseSchedules = (element: XmlElement | undefined, now: number): Scheduled[] =>
  childrenOf(element).flatMap((kind) => {
    const recurrence = childrenOf(at(kind, 'recurring')).find(({ name }) => !SETTINGS.has(name));
    if (recurrence === undefined || recurrence.name === 'none') return [];
    return [{ kind: kind.name, ...nextRun(kind.name, recurrence, now) }];
  });

function nextRun(kind: string, recurrence: XmlElement, now: number): Omit<Scheduled, 'kind'> {
  const { name } = recurrence;
  const time = textAt(recurrence, 'at') ?? '';
  if (name === 'real-time') return { when: 'at any moment (real-time)', inMs: 0 };
  if (name === 'hourly' || name === 'every-hour') return { when: 'every hour', inMs: HOUR };
  const minutes = /^every-(\d+)-min/.exec(name)?.[1];
  if (minutes !== undefined || name === 'every-min')
    return { when: `every ${minutes ?? 1} min`, inMs: Number(minutes ?? 1) * MINUTE };
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(time) ?? [];
  if (hour === undefined) throw new UnknownReply(`the schedule of ${kind}`, `${name} ${time}`);
  const midnight = Math.floor(now / DAY) * DAY;
  const today = midnight + Number(hour) * HOUR + Number(minute) * MINUTE;
  if (name === 'daily') return { when: `daily at ${time}`, inMs: ahead(today - now, DAY) };
  const weekday = DAYS.indexOf((textAt(recurrence, 'day-of-week') ?? '').toLowerCase());
  if (name !== 'weekly' || weekday < 0) throw new UnknownReply(`the schedule of ${kind}`, `${name} ${time}`);
  const days = weekday - new Date(now).getUTCDay();
  return { when: `on ${DAYS[weekday]} at ${time}`, inMs: ahead(today + days * DAY - now, 7 * DAY) };
}

/** The next time of something that comes again after a period. */
const ahead = (ms: number, period: number): number => ((ms % period) + period) % period;
