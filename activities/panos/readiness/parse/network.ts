/** Replies about interfaces, neighbours, tunnels, sessions, as values. Pure. Source: facts/pan-os.md, sections 6 and 7. */
import { at, childrenOf, numberAt, textAt, type XmlElement } from '../../api';
import { UnknownReply } from './system';

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

/** MTU by interface, of `sw.dev.interface.config`; subinterfaces and HA ports have none there. @throws UnknownReply */
export function parseMtus(text: string): Map<string, number> {
  if (!text.includes('sw.dev.interface.config:')) throw new UnknownReply('the interfaces’ MTU', text);
  const mtus = new Map<string, number>();
  for (const [, name = '', values = ''] of text.matchAll(/'([^']+)':\s*\{([^{}]*)\}/g)) {
    const mtu = /'mtu':\s*(\d+)/.exec(values)?.[1];
    if (mtu !== undefined) mtus.set(name, Number(mtu));
  }
  return mtus;
}

export interface ArpEntry {
  readonly ip: string;
  readonly interface: string;
}

export const parseArp = (result: XmlElement): ArpEntry[] =>
  childrenOf(at(result, 'entries'), 'entry').map((entry) => ({
    ip: textAt(entry, 'ip') ?? '',
    interface: textAt(entry, 'interface') ?? '',
  }));

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

export const parseSessions = (result: XmlElement): Session[] =>
  childrenOf(result, 'entry').map((entry) => ({
    source: textAt(entry, 'source') ?? '',
    destination: textAt(entry, 'xdst') ?? '',
    port: numberAt(entry, 'dport') ?? 0,
  }));
