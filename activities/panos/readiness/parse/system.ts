/** Replies about the machine itself, as values. Pure. Source: facts/pan-os.md, sections 5, 6 and 7. */
import { at, childrenOf, textAt, type XmlElement } from '../../api';

/** A reply that doesn't look as it does on any known release: a fault of its own, never a passed check. */
export class UnknownReply extends Error {
  constructor(what: string, text: string) {
    super(`can’t read ${what} in the device’s answer: ${text.trim().slice(0, 120) || 'it is empty'}`);
    this.name = 'UnknownReply';
  }
}

export interface Ntp {
  /** Name of the server that the clock follows; undefined if it follows none. */
  readonly synched: string | undefined;
  readonly servers: readonly { readonly name: string; readonly status: string }[];
}

export function parseNtp(result: XmlElement): Ntp {
  const servers = childrenOf(result)
    .filter(({ name }) => name.startsWith('ntp-server-'))
    .map((server) => ({ name: textAt(server, 'name') ?? '', status: textAt(server, 'status') ?? 'unknown' }));
  const synched = textAt(result, 'synched');
  return { servers, synched: synched === 'LOCAL' ? undefined : synched };
}

export interface Panorama {
  readonly address: string;
  readonly connected: boolean;
}

/** Of the text of `show panorama-status`; none if the device isn't managed. @throws UnknownReply */
export function parsePanorama(text: string): Panorama[] {
  if (text.trim() === '') return [];
  const servers = [...text.matchAll(/Panorama Server \d+ : (\S+)\s+Connected\s*:\s*(yes|no)/gi)];
  if (servers.length === 0) throw new UnknownReply('the state of Panorama', text);
  return servers.map(([, address = '', connected = '']) => ({ address, connected: connected.toLowerCase() === 'yes' }));
}

export interface Licence {
  readonly feature: string;
  readonly expired: boolean;
  readonly expires: string;
}

export const parseLicences = (result: XmlElement): Licence[] =>
  childrenOf(at(result, 'licenses'), 'entry').map((entry) => ({
    feature: textAt(entry, 'feature') ?? '',
    expired: textAt(entry, 'expired') === 'yes',
    expires: textAt(entry, 'expires') ?? '',
  }));

/** End of the support contract, as "December 31, 2026"; undefined if there is none. */
export const parseSupport = (result: XmlElement): string | undefined =>
  textAt(result, 'SupportInfoResponse/Support/ExpiryDate') || undefined;

const UNIT_MB: Readonly<Record<string, number>> = { K: 1 / 1_024, M: 1, G: 1_024, T: 1_024 * 1_024 };

/**
 * Free MiB of a mount point, of df -h as the device prints it; undefined if there is no such. Rows of other file systems may
 * look as they like. @throws UnknownReply
 */
export function parseFreeDisk(text: string, mount: string): number | undefined {
  const line = text.split('\n').find((row) => row.trim().endsWith(` ${mount}`));
  if (line === undefined) return undefined;
  const [, size = '', unit = ''] = /^\S+\s+\S+\s+\S+\s+([\d.]+)([KMGT]?)\s+\d+%\s/.exec(line.trim()) ?? [];
  if (size === '') throw new UnknownReply('the free disk space', line);
  // A number without a unit is bytes.
  return Number(size) * (UNIT_MB[unit] ?? 1 / 1_024 / 1_024);
}

const CLOCK = /\w{3} (\w{3}) +(\d{1,2}) (\d{2}:\d{2}:\d{2}) \S+ (\d{4})/;

/** "Wed May 31 11:50:21 PDT 2023" as if it were UTC: only differences on one device count. @throws UnknownReply */
export function parseClock(text: string): number {
  const [, month, day, time, year] = CLOCK.exec(text) ?? [];
  const ms = Date.parse(`${day} ${month} ${year} ${time} UTC`);
  if (Number.isNaN(ms)) throw new UnknownReply('the clock', text);
  return ms;
}

/** Clocks of all dataplanes. @throws UnknownReply */
export function parseDataplaneClocks(result: XmlElement): number[] {
  const lines = result.text.split('\n').filter((line) => /dataplane time/i.test(line));
  if (lines.length === 0) throw new UnknownReply('the dataplane’s clock', result.text);
  return lines.map(parseClock);
}

export interface Alarm {
  readonly kind: string;
  readonly description: string;
}

/** Sensors that give an alarm; none on a virtual device, which has no sensors. */
export const parseAlarms = (result: XmlElement): Alarm[] =>
  childrenOf(result).flatMap((kind) =>
    childrenOf(kind).flatMap((slot) =>
      childrenOf(slot, 'entry')
        .filter((entry) => textAt(entry, 'alarm') === 'True')
        .map((entry) => ({ kind: kind.name, description: textAt(entry, 'description') ?? slot.name })),
    ),
  );

/** Dataplanes of a reply to `show running resource-monitor minute`. */
const dataplaneMinutes = (result: XmlElement): (XmlElement | undefined)[] =>
  childrenOf(at(result, 'resource-monitor/data-processors')).map((processor) => at(processor, 'minute'));

const valuesOf = (entry: XmlElement): number[] => (textAt(entry, 'value') ?? '').split(',').map(Number);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Average percent over all cores of all dataplanes and all minutes. @throws UnknownReply */
export function parseDataplaneCpu(result: XmlElement): number {
  const values = dataplaneMinutes(result).flatMap((minute) =>
    childrenOf(at(minute, 'cpu-load-average'), 'entry').flatMap(valuesOf),
  );
  if (values.length === 0 || values.some(Number.isNaN)) throw new UnknownReply('the dataplane’s load', result.text);
  return mean(values);
}

/** How full the session table was, average percent over all dataplanes and all minutes; undefined where it isn’t told. */
export function parseSessionTableUse(result: XmlElement): number | undefined {
  const values = dataplaneMinutes(result).flatMap((minute) =>
    childrenOf(at(minute, 'resource-utilization'), 'entry')
      .filter((entry) => textAt(entry, 'name') === 'session (average)')
      .flatMap(valuesOf),
  );
  return values.length === 0 || values.some(Number.isNaN) ? undefined : mean(values);
}

/** Percent over one minute. @throws UnknownReply */
export function parseManagementCpu(text: string): number {
  const value = /'cpu':\s*\{[^{}]*'1minavg':\s*(\d+)/.exec(text)?.[1];
  if (value === undefined) throw new UnknownReply('the management plane’s load', text);
  return Number(value);
}

/** Used memory of the management plane, percent. @throws UnknownReply */
export function parseMemory(text: string): number {
  const line = /(?:[KM]iB )?Mem\s*:.*$/m.exec(text)?.[0] ?? '';
  const total = /(?<![\d.])([\d.]+)k? total/.exec(line)?.[1];
  const used = /(?<![\d.])([\d.]+)k? used/.exec(line)?.[1];
  if (total === undefined || used === undefined || Number(total) === 0)
    throw new UnknownReply('the management plane’s memory', text);
  return (100 * Number(used)) / Number(total);
}

export interface Lock {
  readonly admin: string;
  readonly location: string;
}

/** Of `show config-locks` and `show commit-locks`. */
export const parseLocks = (result: XmlElement): Lock[] =>
  childrenOf(result).flatMap((list) =>
    childrenOf(list, 'entry').map((entry) => ({
      admin: entry.attributes['name'] ?? 'somebody',
      location: textAt(entry, 'name') ?? 'shared',
    })),
  );

/** @throws UnknownReply */
export function parseYesNo(what: string, result: XmlElement): boolean {
  const text = result.text.trim().toLowerCase();
  if (text === 'yes' || text === 'on') return true;
  if (text === 'no' || text === 'off') return false;
  throw new UnknownReply(what, text);
}
