/**
 * Whether /run/reboot-required still means something: Debian's packages set it when they are installed, and nothing takes it
 * away when they are taken back. A run without reboots that was rolled back would otherwise stand in the way of the next one.
 */
import { LARGE_OUTPUT_LIMIT_BYTES, type Host } from '../kit';

const MARK = '/run/reboot-required';
/** One package a line, put there by most of those who set the mark. */
const ASKED_FOR = '/run/reboot-required.pkgs';
/** The older one first; further ones are compressed. */
const LOGS = ['/var/log/dpkg.log.1', '/var/log/dpkg.log'];
const EVENTS = ' (install|upgrade|remove|purge|status (installed|not-installed|config-files)) ';
/** Both the log and `uptime -s` are in local time, which an end of summer time sets back. */
const CLOCK_MARGIN_MS = 2 * 3_600_000;

export interface RebootMark {
  /** Those that asked for it, as far as it is known. */
  readonly packages: readonly string[];
  /** Everything that asked for it is again in the version that the host booted with. */
  readonly isStale: boolean;
}

/** Undefined if the host asks for no reboot. Needs no root. */
export async function rebootMark(host: Host): Promise<RebootMark | undefined> {
  const pending = await host.exec(['/usr/bin/test', '-e', MARK], { okCodes: [0, 1] });
  if (pending.code !== 0) return undefined;
  const said = async (argv: readonly string[]): Promise<string> =>
    (await host.exec(argv, { okCodes: 'any', outputLimitBytes: LARGE_OUTPUT_LIMIT_BYTES })).stdout;
  return readMark({
    askedFor: await said(['/usr/bin/cat', ASKED_FOR]),
    markedAt: await said(['/usr/bin/stat', '-c', '%y', MARK]),
    bootedAt: await said(['/usr/bin/uptime', '-s']),
    log: await said(['/usr/bin/grep', '-hE', '-e', EVENTS, ...LOGS]),
  });
}

/** Texts as the host prints them; times are local, `2026-11-29 12:00:00`. Whatever can't be told counts as not stale. Pure. */
export function readMark(seen: {
  readonly askedFor: string;
  readonly markedAt: string;
  readonly bootedAt: string;
  readonly log: string;
}): RebootMark {
  const asked = [...new Set(seen.askedFor.split('\n').map((line) => line.trim()))].filter((name) => name !== '');
  const all = seen.log.split('\n').flatMap((line) => eventOf(line) ?? []);
  const bootedAt = timeOf(seen.bootedAt);
  const names = new Set(asked);
  const events = all.filter((e) => names.size === 0 || names.has(e.name));
  const since = events.filter((e) => e.at >= bootedAt);
  const changed = new Set(since.map((e) => e.name));
  const first = all[0];
  const isTold =
    first !== undefined &&
    // NaN, where the host said something else, is on neither side.
    first.at < bootedAt - CLOCK_MARGIN_MS &&
    events.every((e) => e.at >= bootedAt || e.at < bootedAt - CLOCK_MARGIN_MS) &&
    (asked.length > 0 ? asked.every((name) => changed.has(name)) : isWithin(since, seen.markedAt));
  return { packages: asked, isStale: isTold && sameAsBefore(since) };
}

interface Event {
  readonly at: number;
  /** Without and with its architecture. */
  readonly name: string;
  readonly key: string;
  /** Version before; of changes only. */
  readonly from?: string;
  /** Version after; of states only. */
  readonly is?: string;
}

const ABSENT = '';

/** `2026-11-29 12:00:00 upgrade frr:amd64 8.4.4-1 8.4.5-1`, `… status installed frr:amd64 8.4.5-1`, as dpkg(1) logs. */
function eventOf(line: string): Event | undefined {
  const match =
    /^(\S+ \S+) (?:(install|upgrade|remove|purge) (\S+) (\S+) \S+|status (\S+) (\S+) (\S+))$/.exec(line) ?? undefined;
  if (match === undefined) return undefined;
  const [, time = '', verb, changed, from, state, settled, version] = match;
  const key = changed ?? settled ?? '';
  const base = { at: timeOf(time), key, name: key.split(':')[0] ?? key };
  if (state !== undefined) return { ...base, is: state === 'installed' ? (version ?? ABSENT) : ABSENT };
  // What `install` names as the old version left no more than its configuration files.
  return { ...base, from: verb === 'install' ? ABSENT : (from ?? ABSENT) };
}

const timeOf = (text: string): number => Date.parse(`${text.trim().slice(0, 19).replace(' ', 'T')}Z`);

/** A mark without names was set by packages if they were at work just then. */
const isWithin = (events: readonly Event[], time: string): boolean =>
  events.length > 0 && timeOf(time) >= events[0]!.at && timeOf(time) <= events.at(-1)!.at;

function sameAsBefore(events: readonly Event[]): boolean {
  const byKey = new Map<string, Event[]>();
  for (const event of events) {
    const own = byKey.get(event.key);
    if (own === undefined) byKey.set(event.key, [event]);
    else own.push(event);
  }
  return [...byKey.values()].every((own) => {
    const change = own.find((e) => e.from !== undefined);
    // Configured again without a change: it is what it was.
    if (change === undefined) return true;
    return own.at(-1)?.is === change.from;
  });
}
