/** Routes and BGP, of the legacy and of the advanced routing engine, as the same values. Pure. Source: facts/pan-os.md, §10. */
import { at, childrenOf, numberAt, textAt, type XmlElement } from '../../api';
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
export function parseLegacyRoutes(result: XmlElement): RouteCounts {
  return counted(
    childrenOf(result, 'entry').flatMap((entry) => {
      const flags = (textAt(entry, 'flags') ?? '').split(/\s+/);
      if (!flags.includes('A')) return [];
      const known = flags.flatMap((flag) => PROTOCOL_OF_FLAG[flag] ?? (flag.startsWith('O') ? 'ospf' : []));
      return [known[0] ?? 'other'];
    }),
  );
}

/** Of `show advanced-routing route`: installed ones of all logical routers. @throws UnknownReply */
export function parseAdvancedRoutes(result: XmlElement): RouteCounts {
  const protocols = Object.values(jsonOf(result, 'routes')).flatMap((router) =>
    Object.values(record(router)).flatMap((entries) =>
      (Array.isArray(entries) ? entries : []).map(record).flatMap((entry) => {
        if (entry['installed'] !== true) return [];
        const { protocol } = entry;
        if (typeof protocol !== 'string') return ['other'];
        return [protocol.toLowerCase().startsWith('ospf') ? 'ospf' : protocol.toLowerCase()];
      }),
    ),
  );
  return counted(protocols);
}

/** Entries of the forwarding table, IPv4 and IPv6; the same reply for both engines. @throws UnknownReply */
export function parseFibCount(result: XmlElement): number {
  if (isEmpty(result)) return 0;
  if (at(result, 'fibs') === undefined) throw new UnknownReply('the forwarding table', result.text);
  return childrenOf(at(result, 'fibs'), 'entry')
    .map((table) => childrenOf(at(table, 'entries'), 'entry').length)
    .reduce((sum, count) => sum + count, 0);
}

/** A device without a router has nothing to say. */
const isEmpty = (result: XmlElement): boolean => result.text.trim() === '' && childrenOf(result).length === 0;

function counted(names: readonly string[]): RouteCounts {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
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
