/** Replies about interfaces, neighbours, tunnels, sessions, as values. Pure. Source: facts/pan-os.md, sections 6 and 7. */
import { at, childrenOf, eachAt, numberAt, textAt, type Shape, type XmlElement } from '../../api';
import { UnknownReply } from './system';

/** Of a table that a device fills as it likes. */
const FOUND_LIMIT = 10_000;

export interface Interface {
  readonly name: string;
  readonly up: boolean;
}

/** Of `show interface "hardware"`: no subinterfaces. */
export const parseInterfaces = (result: XmlElement): Interface[] =>
  childrenOf(at(result, 'hw'), 'entry').map((entry) => ({
    name: textAt(entry, 'name') ?? '',
    up: textAt(entry, 'state') === 'up',
  }));

/** What stands between the end of one interface and the name of the next fits into it. */
const BEFORE_CHARS = 32;

/**
 * MTU by interface, of `sw.dev.interface.config`; subinterfaces and HA ports have none there. Comments are what people wrote,
 * with quotes and braces and without escapes: an interface is told by where its name stands, not by counting braces.
 * @throws UnknownReply where an MTU can't be read, or may be another interface's
 */
export function parseMtus(text: string): Map<string, number> {
  const unknown = (): never => {
    throw new UnknownReply('the interfaces’ MTU', text);
  };
  if (!text.includes('sw.dev.interface.config:')) unknown();
  const mtus = new Map<string, number>();
  let name: string | undefined;
  let isKnown = false;
  for (const { 1: key = '', 2: brace, index } of text.matchAll(/(?<=[\s{,])'([^'{}]+)':\s*(\{)?/g)) {
    // The first of all, or after the end of another one.
    const before = text.slice(Math.max(0, index - BEFORE_CHARS), index);
    if (brace !== undefined && /config:\s*\{\s*$|\}\s*,\s*$/.test(before)) {
      name = key;
      isKnown = false;
    }
    if (key !== 'mtu') continue;
    const value = /^'mtu':\s*(?:'(\d+)'|"(\d+)"|(\d+))\s*[,}]/.exec(text.slice(index, index + 40));
    const mtu = value?.[1] ?? value?.[2] ?? value?.[3];
    if (name === undefined || mtu === undefined || isKnown) return unknown();
    isKnown = true;
    mtus.set(name, Number(mtu));
  }
  return mtus;
}

export interface ArpEntry {
  readonly ip: string;
  readonly interface: string;
}

/** How many neighbours are known. */
export const arpCount: Shape<number> = eachAt('arp count', 'entries/entry', () => {
  let count = 0;
  return { take: () => void count++, result: () => count };
});

/** The neighbours with one of these addresses. */
export const arpOf = (ips: readonly string[]): Shape<ArpEntry[]> =>
  eachAt(`arp of ${ips.join(' ')}`, 'entries/entry', () => {
    const found: ArpEntry[] = [];
    return {
      take: (entry) => {
        const ip = textAt(entry, 'ip') ?? '';
        if (ips.includes(ip) && found.length < FOUND_LIMIT)
          found.push({ ip, interface: textAt(entry, 'interface') ?? '' });
      },
      result: () => found,
    };
  });

export interface Tunnel {
  /** `name`, or `name:proxy-id`. */
  readonly name: string;
  readonly state: string;
}

/** IPSec tunnels, of `show running tunnel flow all`. */
export const parseTunnels = (result: XmlElement): Tunnel[] =>
  childrenOf(at(result, 'IPSec'), 'entry').map((entry) => ({
    name: textAt(entry, 'name') ?? '',
    state: textAt(entry, 'state') ?? 'unknown',
  }));

export interface SessionStats {
  readonly active: number;
  readonly max: number;
  readonly tcp: number;
  readonly udp: number;
  readonly kbps: number;
}

/** @throws UnknownReply */
export function parseSessionStats(result: XmlElement): SessionStats {
  const read = (name: string): number => {
    const value = numberAt(result, name);
    if (value === undefined) throw new UnknownReply(`${name} of the sessions`, result.text);
    return value;
  };
  return {
    active: read('num-active'),
    max: read('num-max'),
    tcp: read('num-tcp'),
    udp: read('num-udp'),
    kbps: read('kbps'),
  };
}

export interface Session {
  readonly source: string;
  /** After translation, as panos-upgrade-assurance compares it. */
  readonly destination: string;
  readonly port: number;
}

/** Those of all sessions that are wanted, each once. */
export const sessionsOf = (wanted: readonly Session[]): Shape<Session[]> =>
  eachAt(`sessions ${JSON.stringify(wanted)}`, 'entry', () => {
    const found = new Set<Session>();
    return {
      take: (entry) => {
        const source = textAt(entry, 'source') ?? '';
        const destination = textAt(entry, 'xdst') ?? '';
        const port = numberAt(entry, 'dport') ?? 0;
        for (const one of wanted)
          if (one.source === source && one.destination === destination && one.port === port) found.add(one);
      },
      result: () => [...found],
    };
  });
