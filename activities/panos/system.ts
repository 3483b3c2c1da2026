/** `show system info`, chassis-ready, and what tells one boot from another. Source: facts/pan-os.md, sections 4.3, 5, 10. */
import { transient } from '../kit';
import { clip } from '../kit/clip';
import { textAt, type Reader } from './api';

export interface SystemInfo extends BootMark {
  readonly serial: string;
  readonly hostname: string;
  readonly model: string;
  readonly version: string;
  readonly contentVersion: string;
  readonly advancedRouting: boolean;
}

/** A moment in the life of a device, by its own clock. */
export interface BootMark {
  readonly bootedAtMs: number;
  readonly uptimeMs: number;
}

/** Uptime is told in whole seconds; no device restarts within this. */
const SLACK_MS = 20_000;

/**
 * Whether a device that was read after the mark is in the same boot. Its wall clock may have been set in between, by an hour
 * too: it has restarted if it has been up for less time than at the mark, or began to be only after it.
 */
export const sameBoot = (now: BootMark, mark: BootMark): boolean =>
  now.uptimeMs >= mark.uptimeMs - SLACK_MS && now.bootedAtMs <= mark.bootedAtMs + mark.uptimeMs + SLACK_MS;

/** "12 days, 3:04:05" in milliseconds. */
export function parseUptime(text: string): number | undefined {
  const match = /^(?:(\d+) days?, )?(\d+):(\d{2}):(\d{2})$/.exec(text.trim());
  if (match === null) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days! * 24 + hours!) * 60 + minutes!) * 60 + seconds!) * 1_000;
}

/** "Mon Nov 23 05:14:16 2026" as if it were UTC: only differences count. */
export const parseDeviceTime = (text: string): number | undefined => {
  const ms = Date.parse(`${text.trim()} UTC`);
  return Number.isNaN(ms) ? undefined : ms;
};

export async function readSystem(device: Reader): Promise<SystemInfo> {
  const result = await device.op('<show><system><info></info></system></show>');
  // A device that is starting up may not know all of it yet.
  const unreadable = (why: string): Error =>
    transient('CommandFailedRetryable', `${device.name}: show system info can’t be read: ${clip(why, 300)}`);
  const read = (name: string): string => {
    const text = textAt(result, `system/${name}`);
    if (text === undefined) throw unreadable(`it has no <${name}>`);
    return text;
  };
  const uptimeMs = parseUptime(read('uptime'));
  const nowMs = parseDeviceTime(read('time'));
  if (uptimeMs === undefined || nowMs === undefined)
    throw unreadable(`uptime "${read('uptime')}", time "${read('time')}"`);
  return {
    serial: read('serial'),
    hostname: read('hostname'),
    model: read('model'),
    version: read('sw-version'),
    contentVersion: textAt(result, 'system/app-version') ?? '',
    advancedRouting: textAt(result, 'system/advanced-routing') === 'on',
    uptimeMs,
    bootedAtMs: nowMs - uptimeMs,
  };
}
