/** Routes and BGP, of the legacy and of the advanced routing engine, as the same values. Pure. Source: facts/pan-os.md, §10. */
import { at, childrenOf, eachAt, numberAt, textAt, type Shape, type XmlElement } from '../../api';
import { JsonItems } from '../../../kit';
import { UnknownReply } from './system';

export interface BgpPeer {
  /** Name of the peer; with its router where the reply names one. */
  readonly name: string;
  /** `Established` is the only good one. */
  readonly state: string;
  readonly acceptedPrefixes: number;
}

/** Of `show routing protocol bgp peer`. */
export const parseLegacyPeers = (result: XmlElement): BgpPeer[] =>
  childrenOf(result, 'entry').map((entry) => ({
    name: [entry.attributes['vr'], entry.attributes['peer']].filter((part) => part !== undefined).join('/'),
    state: textAt(entry, 'status') ?? 'unknown',
    acceptedPrefixes: childrenOf(at(entry, 'prefix-counter'), 'entry')
      .map((family) => numberAt(family, 'incoming-accepted') ?? 0)
      .reduce((sum, accepted) => sum + accepted, 0),
  }));

/** Of `show advanced-routing bgp peer status`. @throws UnknownReply */
export const parseAdvancedPeers = (result: XmlElement): BgpPeer[] =>
  Object.entries(jsonOf(result, 'BGP peers')).map(([name, value]) => {
    const peer = record(value);
    const families = Object.values(record(record(peer['detail'])['addressFamilyInfo'])).map(record);
    return {
      name,
      state: typeof peer['state'] === 'string' ? peer['state'] : 'unknown',
      acceptedPrefixes: families.reduce((sum, family) => sum + numberOf(family['acceptedPrefixCounter']), 0),
    };
  });

const numberOf = (value: unknown): number =>
  typeof value === 'number' || typeof value === 'string' ? Number(value) || 0 : 0;

/** Number of routes in use by protocol: `static`, `connected`, `bgp`, `ospf`, `rip`, `other`. */
export type RouteCounts = Readonly<Record<string, number>>;

const PROTOCOL_OF_FLAG: Readonly<Record<string, string>> = {
  S: 'static',
  C: 'connected',
  B: 'bgp',
  R: 'rip',
  H: 'host',
};

/** Of `show routing route`: active ones. */
export const legacyRoutes: Shape<RouteCounts> = eachAt('legacy routes', 'entry', () => {
  const counts = new Counts();
  return {
    take: (entry) => {
      const flags = (textAt(entry, 'flags') ?? '').split(/\s+/);
      if (!flags.includes('A')) return;
      const known = flags.flatMap((flag) => PROTOCOL_OF_FLAG[flag] ?? (flag.startsWith('O') ? 'ospf' : []));
      counts.add(known[0] ?? 'other');
    },
    result: () => counts.all,
  };
});

/** Lists of a prefix: document, logical router, prefix. */
const PREFIX_LEVEL = 2;

/** Of `show advanced-routing route`: installed ones of all logical routers. @throws UnknownReply */
export const advancedRoutes: Shape<RouteCounts> = {
  key: 'advanced routes',
  begin() {
    const counts = new Counts();
    const json = new JsonItems(PREFIX_LEVEL, (entries) => {
      for (const entry of (Array.isArray(entries) ? (entries as unknown[]) : []).map(record)) {
        if (entry['installed'] !== true) continue;
        const { protocol } = entry;
        const name = typeof protocol === 'string' ? protocol.toLowerCase() : 'other';
        counts.add(name.startsWith('ospf') ? 'ospf' : name);
      }
    });
    let depth = 0;
    let isJson = false;
    let isEmpty = true;
    let isBroken = false;
    let beginning = '';
    const unknown = (): UnknownReply => new UnknownReply('routes', beginning);
    const parse = (work: () => void): void => {
      try {
        work();
      } catch {
        isBroken = true;
      }
    };
    return {
      open: (name) => {
        if (depth++ === 0 && name === 'json') isJson = true;
      },
      text: (text) => {
        if (beginning.length < BEGINNING_CHARS) beginning = (beginning + text).slice(0, BEGINNING_CHARS);
        if (text.trim() === '') return;
        isEmpty = false;
        if (isJson && depth === 1 && !isBroken) parse(() => json.write(text));
      },
      close: () => depth--,
      result: () => {
        if (isEmpty) return counts.all;
        if (isJson) parse(() => json.end());
        if (!isJson || isBroken) throw unknown();
        return counts.all;
      },
    };
  },
};

/** Shown of what can't be read. */
const BEGINNING_CHARS = 200;

/** Entries of the forwarding table, IPv4 and IPv6; the same reply for both engines. @throws UnknownReply */
export const fibCount: Shape<number> = {
  key: 'fib count',
  begin() {
    const way: string[] = [];
    let count = 0;
    let isKnown = false;
    let beginning = '';
    return {
      open: (name) => {
        way.push(name);
        if (way.length === 1 && name === 'fibs') isKnown = true;
        if (way.length === FIB_ENTRY.length && FIB_ENTRY.every((one, depth) => way[depth] === one)) count++;
      },
      text: (text) => {
        if (way.length === 0 && beginning.length < BEGINNING_CHARS) beginning += text.slice(0, BEGINNING_CHARS);
      },
      close: () => void way.pop(),
      result: () => {
        if (!isKnown && beginning.trim() !== '') throw new UnknownReply('the forwarding table', beginning);
        return count;
      },
    };
  },
};
const FIB_ENTRY = ['fibs', 'entry', 'entries', 'entry'];

/** A device without a router has nothing to say. */
const isEmpty = (result: XmlElement): boolean => result.text.trim() === '' && childrenOf(result).length === 0;

/** What a device names is counted under a name of its own, while those are few. */
const NAMES_LIMIT = 50;

class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    const short = name.slice(0, 30);
    const under = this.#counts.has(short) || this.#counts.size < NAMES_LIMIT ? short : 'other';
    this.#counts.set(under, (this.#counts.get(under) ?? 0) + 1);
  }

  get all(): RouteCounts {
    return Object.fromEntries(this.#counts);
  }
}

function jsonOf(result: XmlElement, what: string): Record<string, unknown> {
  const text = textAt(result, 'json') ?? (isEmpty(result) ? '' : undefined);
  if (text === undefined) throw new UnknownReply(what, result.text);
  if (text === '') return {};
  try {
    return record(JSON.parse(text));
  } catch {
    throw new UnknownReply(what, text);
  }
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
